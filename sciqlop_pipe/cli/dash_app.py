"""`dash`: the dashboards, served."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from ..errors import PipeError, UsageError
from ..granule import Interval
from ..store import Store
from .running import discover


def dash(
    store: str,
    registry: str,
    address: str,
    port: int,
    login: str,
    read_only: bool,
    origins: list[str],
    links: list[str],
) -> None:
    """Serve the dashboards of a store until interrupted."""
    try:
        from ..dash.app import LOOPBACK, Serving, serve
        from ..dash.desk import Access, Desk
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sciqlop_pipe"):
            raise
        raise PipeError(
            f"dashboards need a package that is not installed ({error.name})", "dash",
            "Install them: pip install 'sciqlop-pipe[dash,plot]'",
        ) from error  # fmt: skip
    token = os.environ.get("SCIQLOP_PIPE_DASH_TOKEN", "")
    if login:
        _check_login(Path(login))
    away = address not in LOOPBACK
    why = ""
    if away and not (login or token):
        read_only, why = True, (
            "This server is open to other machines and has no login: it does not write."
        )  # fmt: skip
    desk = Desk(store, registry, discover(), Access(read_only, token, why), _links(links))
    desk.store()
    url = f"http://{'localhost' if not away else address}:{port}/"
    secret = os.environ.get("SCIQLOP_PIPE_DASH_SECRET", "") or secrets.token_hex(32)
    how = Serving(address, port, login, tuple(origins), secret)
    rights = desk.refusal or "verdicts can be given"
    serve(desk, how, lambda: print(f"dashboards of {store} at {url} (Ctrl-C stops); {rights}"))


def _check_login(file: Path) -> None:
    try:
        users = json.loads(file.read_text())
        if not isinstance(users, dict) or not all(isinstance(v, str) and v for v in users.values()):
            raise ValueError("it is no object of user names and passwords")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the file of logins does not read ({error})", str(file),
            'Write {"name": "password", ...}',
        ) from error  # fmt: skip


def _links(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """Return name and address of further pages: "Prefect=http://localhost:4200"."""
    found = []
    for text in texts:
        word, _, url = text.partition("=")
        if not url.startswith(("http://", "https://")):
            raise UsageError(
                f"'{text}' is not a link", todo="Write for example Prefect=http://localhost:4200"
            )
        found.append((word, url))
    return tuple(found)


def report(
    store: str,
    registry: str,
    output: Path,
    catalog: str,
    campaign: str,
    span: tuple[str, str],
    pictures: int,
) -> None:
    """Write a report as one HTML file."""
    from ..dash.report import write_report

    if any(span) and not all(span):
        raise UsageError("half of the interval is missing", todo="Give --start and --stop")
    interval = Interval.of(*span) if all(span) else None
    with Store.open(store, read_only=True, registry=registry) as opened:
        write_report(
            opened, discover(), output, catalog=catalog, campaign=campaign, interval=interval,
            pictures=pictures,
        )  # fmt: skip
    print(f"wrote {output}")
