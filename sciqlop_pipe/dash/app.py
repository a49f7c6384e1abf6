"""One served application with all pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import panel as pn
from bokeh.events import ConnectionLost
from bokeh.models import CustomJS
from panel.io.resources import LOCAL_DIST

from ..errors import PipeError
from .campaigns import Campaigns
from .chrome import ASSETS, CSS, LOST, TOKEN, button_keys, html, keep_token, page
from .desk import Desk
from .distribution import Distribution
from .events import REFRESH_MS, Events
from .explorer import Explorer, keys
from .warming import warmed
from .words import safe, sentence

TITLE = "SciQLOP Pipe"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
UNUSED_MS = 180_000
"""How long a page may take to be fetched before its session is given up. A browser that comes later
gets a new one; with the library's 15 s that was every one of twenty on a busy machine."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How the application is served.

    `login` is a file of users and passwords (JSON); `origins` are the hosts from which browsers may
    connect, where that is not the address itself.
    """

    address: str = "127.0.0.1"
    port: int = 5006
    login: str = ""
    origins: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)


def pages(desk: Desk) -> dict[str, Callable[[], Any]]:
    """Return what makes each page, by its path."""
    made = {
        "explorer": explorer_page,
        "events": events_page,
        "distribution": distribution_page,
        "campaigns": campaigns_page,
    }
    every = {path: _guarded(desk, path, make) for path, make in made.items()}
    return {"/": every["explorer"], **every}


def explorer_page(desk: Desk, query: Any) -> Any:
    """Return one user's explorer."""
    explorer = Explorer(desk, query)
    keys(pn.state.curdoc, explorer)
    return explorer.root


def events_page(desk: Desk, query: Any) -> Any:
    """Return one user's events, which look for what others said while they are open."""
    events = Events(desk, query, _user(), _token(query))
    wanted = {"a": events.accept, "r": events.reject, "m": events.move, "j": events.next}
    button_keys(pn.state.curdoc, {**wanted, "k": events.back})
    pn.state.curdoc.add_periodic_callback(events.refresh, REFRESH_MS)
    return events.root


def distribution_page(desk: Desk, query: Any) -> Any:
    """Return one user's distribution viewer."""
    viewer = Distribution(desk, query)
    button_keys(pn.state.curdoc, {"j": viewer.next, "k": viewer.back})
    return viewer.root


def campaigns_page(desk: Desk, query: Any) -> Any:
    """Return one user's campaigns, whose progress goes on while they are open."""
    campaigns = Campaigns(desk, query, _token(query))
    pn.state.curdoc.add_periodic_callback(campaigns.refresh, REFRESH_MS)
    return campaigns.root


def _user() -> str:
    """Return who is logged in, '' where nobody has to."""
    return str(pn.state.user or "") if pn.config.cookie_secret else ""


def _token(query: Any) -> str:
    """Return the token that a browser gave: in the address, or once before."""
    given = query.get("token", [b""])[-1]
    word = given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
    if word:
        keep_token(pn.state.curdoc, word)
    return word or unquote(str(pn.state.cookies.get(TOKEN, "")))


def _guarded(desk: Desk, path: str, make: Callable[[Desk, Any], Any]) -> Callable[[], Any]:
    """Return a page that says what is wrong instead of failing."""

    def made() -> Any:
        # A session that a browser makes over its socket would fetch its styles from elsewhere.
        pn.state.curdoc.template_variables["dist_url"] = LOCAL_DIST
        pn.state.curdoc.js_on_event(ConnectionLost, CustomJS(code=LOST))
        try:
            root = make(desk, dict(pn.state.session_args or {}))
        except Exception as error:
            logging.getLogger(__name__).exception("page %s", path)
            words = html(f"<div class='said' role='alert'>{safe(sentence(error))}</div>")
            root = page(path, desk.url, words, links=desk.links)
        return root

    return made


def serve(desk: Desk, how: Serving, listening: Callable[[], None]) -> None:
    """Serve all pages until interrupted; call `listening` once they can be asked for.

    Raises
    ------
    PipeError
        When the address cannot be listened at.
    """
    pn.extension("tabulator", raw_css=[CSS], notifications=False)
    pn.config.console_output = "disable"
    login: dict[str, Any] = {}
    if how.login:
        # The template of the library fetches a picture from elsewhere.
        login = {
            "basic_auth": str(Path(how.login)),
            "cookie_secret": how.secret,
            "basic_login_template": str(ASSETS / "login.html"),
        }
    host = f"[{how.address}]" if ":" in how.address else how.address
    origins = [*how.origins, f"{host}:{how.port}"]
    if how.address in LOOPBACK:
        origins += [f"localhost:{how.port}", f"127.0.0.1:{how.port}"]
    warmed(desk)
    try:
        server = pn.serve(
            pages(desk),
            address=how.address,
            port=how.port,
            websocket_origin=origins,
            show=False,
            start=False,
            verbose=False,
            title=TITLE,
            unused_session_lifetime_milliseconds=UNUSED_MS,
            **login,
        )
    except OSError as error:
        raise PipeError(
            f"{how.address}:{how.port} cannot be listened at ({error.strerror or error})",
            "dash",
            "Choose another --port",
        ) from error
    listening()
    server.run_until_shutdown()
