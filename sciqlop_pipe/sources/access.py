"""Access: how raw files may be got. One frozen value that travels with a campaign's tasks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from .http import Patience

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True, slots=True)
class Access:
    """How raw files may be got.

    Parameters
    ----------
    offline : bool
        Never touch the network: only what is on disk, in archives or in the cache.
    cache : str
        Folder where downloads are kept between runs; '' keeps them for one task only.
    cache_bytes : int
        How large the cache may grow [bytes]; what was not used for longest goes first.
    at_once : int
        Requests that one server sees at the same time, from the whole cluster.
    every_seconds : float
        A request occupies its place at least so long: at_once / every_seconds a second at most.
    patience : Patience
        Tries, pauses and timeouts.
    topic : str
        Under which name downloaded bytes are told to whoever watches; '' tells nobody.
    """

    offline: bool = False
    cache: str = ""
    cache_bytes: int = 20 * 10**9
    at_once: int = 4
    every_seconds: float = 0.0
    patience: Patience = field(default_factory=Patience)
    topic: str = ""


def default_cache() -> Path:
    """Return where downloads are kept unless another folder is named."""
    named = os.environ.get("SCIQLOP_PIPE_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sciqlop-pipe"


def size_of(text: str) -> int:
    """Return a size such as "20GB" or "500 MB" in bytes (decimal prefixes).

    Raises
    ------
    UsageError
        It is no size.
    """
    digits = text.strip().lower().removesuffix("b").strip()
    unit = digits[-1:] if digits[-1:] in "kmgt" else ""
    try:
        number = float(digits.removesuffix(unit) if unit else digits)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UsageError(f"'{text}' is no size", todo="Give a number with kB, MB, GB or TB")
    return int(number * _UNITS[unit])
