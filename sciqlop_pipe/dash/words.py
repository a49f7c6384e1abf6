"""Words on pages: mathematics as plain text, markup made inert, times as people read them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from ..errors import PipeError
from ..granule import instant, iso

_UP = str.maketrans("0123456789-+.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·")
_SIGNS = {
    r"\parallel": "∥",
    r"\perp": "⊥",
    r"\sigma": "σ",
    r"\alpha": "α",
    r"\times": "×",
    r"\sqrt": "√",
    r"\theta": "θ",
    r"\phi": "φ",
    r"\beta": "β",
    r"\Delta": "Δ",
}


def plain(text: str) -> str:
    r"""Return text with the mathematics of pictures in Unicode: "km s$^{-1}$" as "km s⁻¹"."""
    for sign, letter in _SIGNS.items():
        text = text.replace(sign, letter)
    text = re.sub(r"\^\{?([-+0-9.]+)\}?", lambda m: m[1].translate(_UP), text)
    return re.sub(r"[${}\\_]", "", text).strip()


def safe(value: Any) -> str:
    """Return a value as text in which markup is inert."""
    return html.escape(str(value), quote=True)


def sentence(error: BaseException) -> str:
    """Return what a page says of an error: never a traceback."""
    if isinstance(error, PipeError):
        return str(error)
    first = str(error).strip().splitlines()[:1]
    return f"This could not be done: {type(error).__name__}{': ' + first[0] if first else ''}"


def typed(text: str) -> int:
    """Return the time that somebody typed, "2015-12-01 09:30" [ns since 1970 UTC].

    Raises
    ------
    UsageError
        When it is none.
    """
    return instant(text.strip().replace(" ", "T", 1))


def clock(when: int) -> str:
    """Return a time as "2015-12-01 09:30:12.5", ns since 1970 UTC."""
    return iso(when).replace("T", " ")[:23]


def size(nbytes: float) -> str:
    """Return bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} TB"


def lasting(seconds: float) -> str:
    """Return a duration in words: "12.5 s", "3 min", "2.1 h", "4 d"."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def table(rows: Sequence[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """Return rows as an HTML table; markup in cells is inert."""
    top = f"<tr>{''.join(f'<th>{safe(h)}</th>' for h in head)}</tr>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{safe(c)}</td>' for c in row)}</tr>" for row in rows)
    return f"<table class='plain'>{top}{body}</table>"
