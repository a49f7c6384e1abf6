"""What every page has around it: header, links, styles, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import panel as pn

from .. import __version__
from .words import safe

PAGES = (
    ("explorer", "Explorer"),
    ("events", "Events"),
    ("distribution", "Distribution"),
    ("campaigns", "Campaigns"),
)

CSS = """
body { font-family: system-ui, 'Helvetica Neue', Arial, sans-serif; color: #1a1a1a; margin: 0; background: #fff; }
a { color: #005a8d; }
:focus-visible { outline: 3px solid #e69f00; outline-offset: 1px; }
"""

INNER = """
:host { font-family: system-ui, 'Helvetica Neue', Arial, sans-serif; font-size: 13px; }
a { color: #005a8d; }
nav a { color: #fff; text-decoration: none; padding: 6px 12px; border-radius: 4px; }
nav a[aria-current] { background: #ffffff2e; text-decoration: underline; }
nav a:hover { background: #ffffff2e; }
.head { display: flex; align-items: center; gap: 14px; background: #14394f; color: #fff; padding: 5px 14px; }
.head b { font-size: 16px; } .head .where { margin-left: auto; opacity: .85; font-size: 12px; }
.said { border-left: 4px solid #e69f00; background: #fff7e6; padding: 8px 12px; margin: 4px 0; }
.fine { border-left: 4px solid #009e73; background: #eefaf5; padding: 8px 12px; margin: 4px 0; }
.quiet { color: #666; }
table.plain { border-collapse: collapse; font-size: 12px; }
table.plain th { text-align: left; border-bottom: 1px solid #999; padding: 2px 10px 2px 0; }
table.plain td { border-bottom: 1px solid #e6e6e6; padding: 2px 10px 2px 0; vertical-align: top; font-variant-numeric: tabular-nums; }
pre { background: #f5f5f5; padding: 8px; white-space: pre-wrap; font-size: 12px; }
h2 { font-size: 15px; margin: 8px 0 2px; } h3 { font-size: 13px; margin: 8px 0 2px; }
"""


def html(text: str, **options: Any) -> pn.pane.HTML:
    """Return a pane of markup that is ours."""
    options.setdefault("sizing_mode", "stretch_width")
    options.setdefault("margin", (2, 6))
    return pn.pane.HTML(text, stylesheets=[INNER], sanitize_html=False, **options)


def said(text: str = "") -> pn.pane.HTML:
    """Return the place of a page's sentence; hidden while there is none."""
    pane = html("", visible=False)
    pane.name = "said"
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
        f"<span class='where'>{safe(where)} · {__version__}</span></div>"
    )
    return pn.Column(html(head, margin=0), *parts, sizing_mode="stretch_width", margin=0)
