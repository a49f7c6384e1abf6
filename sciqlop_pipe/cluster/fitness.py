"""Whether a worker fits: same versions, the store within reach, a cache for compiled kernels."""

from __future__ import annotations

import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..environment import versions
from ..errors import StoreError
from ..store.bucket import place_of

#: Versions of the last place may differ in these: they carry, they do not compute.
_CARRIERS = ("dask",)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker says of itself; `store` is "" when it is within reach, else what is wrong."""

    host: str
    versions: dict[str, str]
    store: str
    cache: str


def facts_of(store: str, probe: str) -> Facts:
    """Return what the process that this runs in has and reaches.

    Parameters
    ----------
    store : str
        Folder of the store, "" for none.
    probe : str
        Name of a file that the coordinator has just written there.
    """
    return Facts(socket.gethostname(), versions(), _store(store, probe), _cache())


def _store(store: str, probe: str) -> str:
    if not store:
        return ""
    if "://" in store:
        try:
            place_of(store).exists()
        except StoreError as error:
            return str(error)
        return ""
    root = Path(store)
    if not root.is_dir():
        return f"there is no folder {store}"
    if probe and not (root / probe).exists():
        return f"{store} is another folder there than here (not shared)"
    try:
        with tempfile.TemporaryFile(dir=root / "data"):
            return ""
    except OSError as error:
        return f"{store} is not writable ({error.strerror or error})"


def _cache() -> str:
    """Return "" when numba finds a place for compiled kernels, else what is wrong."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(__file__).parent.parent / "kernels" / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError:
        fallback = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        if os.access(fallback if fallback.exists() else fallback.parent, os.W_OK):
            return ""
        return f"{folder} is not writable: every worker compiles all kernels anew"


def misfits(mine: dict[str, str], facts: Facts) -> list[str]:
    """Return what keeps a worker from being used."""
    found = []
    for name in sorted({*mine, *facts.versions}):
        here, there = mine.get(name, "missing"), facts.versions.get(name, "missing")
        if here != there and name not in _CARRIERS:
            found.append(f"{name} is {there} there and {here} here")
    if facts.store:
        found.append(facts.store)
    if facts.cache:
        found.append(f"numba: {facts.cache} (set NUMBA_CACHE_DIR)")
    return found
