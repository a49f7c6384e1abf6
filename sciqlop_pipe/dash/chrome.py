"""What every page has around it: header, links, styles, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.models import CustomJS

from .. import __version__
from .desk import Access
from .words import safe

PAGES = (
    ("explorer", "Explorer"),
    ("events", "Events"),
    ("distribution", "Distribution"),
    ("campaigns", "Campaigns"),
)

ASSETS = Path(__file__).parent / "assets"
CSS = (ASSETS / "page.css").read_text()
INNER = (ASSETS / "pane.css").read_text()
LOST = (ASSETS / "lost.js").read_text()
TOKEN = "sciqlop_pipe_token"
"""The cookie in which a browser keeps the token, so that it is given once."""
_KEEP = f"document.cookie = '{TOKEN}=' + encodeURIComponent(WORD) + '; path=/; SameSite=Strict'"


def html(text: str, **options: Any) -> pn.pane.HTML:
    """Return a pane of markup that is ours."""
    if "width" not in options:
        options.setdefault("sizing_mode", "stretch_width")
    options.setdefault("margin", (2, 6))
    return pn.pane.HTML(text, stylesheets=[INNER], sanitize_html=False, **options)


def said(text: str = "") -> pn.pane.HTML:
    """Return the place of a page's sentence; hidden while there is none."""
    pane = html("", visible=False)
    say(pane, text)
    return pane


def say(pane: pn.pane.HTML, text: str, *, fine: bool = False) -> None:
    """Show a sentence, or none."""
    kind = "fine" if fine else "said"
    pane.object = f"<div class='{kind}' role='status'>{safe(text)}</div>" if text else ""
    pane.visible = bool(text)


def page(here: str, where: str, *parts: Any, links: Sequence[tuple[str, str]] = ()) -> pn.Column:
    """Return a page with its header."""
    nav = "".join(
        f"<a href='./{path}'{' aria-current=page' if path == here else ''}>{word}</a>"
        for path, word in PAGES
    )
    more = "".join(f"<a href='{safe(url)}' rel='noopener'>{safe(word)}</a>" for word, url in links)
    head = (
        f"<div class='head'><b>SciQLOP Pipe</b><nav aria-label='Pages'>{nav}{more}</nav>"
        f"<span class='where' title='store'>{safe(Path(where).name)} · {__version__}</span></div>"
    )
    return pn.Column(html(head, margin=0), *parts, sizing_mode="stretch_width", margin=0)


def token_field(access: Access, given: str, *, wanted: bool) -> pn.widgets.PasswordInput:
    """Return the field of the token, hidden where none is wanted or the right one was given."""
    right = not access.refuse(given)
    field = pn.widgets.PasswordInput(
        label="Token",
        value=given if right else "",
        width=110,
        visible=bool(access.token) and wanted and not right,
    )
    field.jscallback(value=_KEEP.replace("WORD", "cb_obj.value"))
    return field


def keep_token(document: Any, given: str) -> None:
    """Let a browser keep a token that it gave in an address, and take it out of the address."""
    code = f"{_KEEP.replace('WORD', 'given')};{(ASSETS / 'no_token.js').read_text()}"
    document.js_on_event("document_ready", CustomJS(args={"given": given}, code=code))


def button_keys(document: Any, keys: Mapping[str, pn.widgets.Button]) -> None:
    """Let keys press buttons."""
    words = {key: button.label for key, button in keys.items()}
    code = (ASSETS / "button_keys.js").read_text()
    document.js_on_event("document_ready", CustomJS(args={"words": words}, code=code))


def remember(query: str) -> None:
    """Put what is looked at into the address of the page, so that it can be sent to somebody."""
    if pn.state.location is not None:
        pn.state.location.search = query
