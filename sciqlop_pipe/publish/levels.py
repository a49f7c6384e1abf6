"""What a store has of a dataset in an interval, at the level of detail that a screen can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import xarray as xr

from ..errors import UnknownName, UsageError, near
from ..granule import Interval, duration, iso
from ..standard import LEVELS
from ..store import Store
from .panels import Panel

__all__ = ["Limit", "kind_of", "level_of", "panel_of", "require"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a dataset is read at once: pixels along time, and records at most (0: any)."""

    pixels: int
    records: int = 0


def require(store: Store, datasets: Iterable[str]) -> None:
    """Pass where a store has all of some datasets.

    Raises
    ------
    UnknownName
        For the first one that it does not have, with near names.
    """
    known = store.registry.datasets()
    for name in datasets:
        if name not in known:
            raise UnknownName(
                f"the store has nothing of '{name}'", str(store.root),
                near(name, known) or "Ask 'sciqlop-pipe status' for what there is",
            )  # fmt: skip


def kind_of(store: Store, name: str, interval: Interval) -> str:
    """Return the name of the DataType that a dataset has in (or else outside) an interval.

    Raises
    ------
    UnknownName
        When the store has nothing of it.
    """
    granules = store.registry.current(name, interval) or store.registry.current(name)
    if not granules:
        require(store, [name])
    # What made it, as in "moments@1 Moments@1".
    return granules[-1].code.split()[-1].split("@")[0]


def panel_of(store: Store, name: str, interval: Interval, limit: Limit) -> tuple[Panel, str]:
    """Return a dataset in memory as a panel, and the overview that it was read from or ''.

    Raises
    ------
    UsageError
        When there are too many records for `limit`, and no overview.
    StoreError
        When it cannot be read.
    """
    kind = kind_of(store, name, interval)
    level = level_of(store, name, interval, limit)
    drop = ["spectrum_min", "spectrum_max", "spectrum_count"] if level else []
    try:
        ds = store.read(level or name, interval.start, interval.stop, drop_variables=drop).load()
    except UnknownName:
        ds = xr.Dataset()
    return Panel(level or name, "Overview" if level else kind, ds), level


def level_of(store: Store, name: str, interval: Interval, limit: Limit) -> str:
    """Return the overview that shows as much of a dataset at this size, or '' where none does.

    Its bins are no wider than a pixel, and it covers everything that the dataset has. Where the
    dataset has more records than can be read at once the bins may be wider.

    Raises
    ------
    UsageError
        When there are too many records, and no overview.
    """
    pixel = (interval.stop - interval.start) / limit.pixels
    rows = [c for c in store.registry.stored(name, interval) if c.n]
    there = [Interval(c.start, c.stop) for c in rows]
    covering = [level for level in reversed(LEVELS) if _covers(store, name, level, interval, there)]
    for level in covering:
        if duration(level.rpartition("_")[2]) <= pixel:
            return f"{name}.{level}"
    records = sum(_share(c.n, Interval(c.start, c.stop), interval) for c in rows)
    if not limit.records or records <= limit.records:
        return ""
    if covering:
        return f"{name}.{covering[-1]}"
    raise UsageError(
        f"there are {records:,.0f} records in {iso(interval.start)} to {iso(interval.stop)}, more "
        f"than can be shown at once ({limit.records:,})", name,
        f"Zoom in, or make its overview: sciqlop-pipe run {name}.{LEVELS[0]}",
    )  # fmt: skip


def _covers(
    store: Store, name: str, level: str, interval: Interval, there: Sequence[Interval]
) -> bool:
    made = store.registry.stored(f"{name}.{level}", interval)
    joined = _joined(Interval(c.start, c.stop) for c in made)
    return bool(joined) and all(any(j.contains(t) for j in joined) for t in there)


def _share(n: int, granule: Interval, interval: Interval) -> float:
    """Return how many of the records of a granule lie in an interval, evenly spread."""
    inside = min(granule.stop, interval.stop) - max(granule.start, interval.start)
    return n * max(0, inside) / (granule.stop - granule.start)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return intervals, ordered by start, with those that touch made into one."""
    joined: list[Interval] = []
    for interval in intervals:
        if joined and interval.start <= joined[-1].stop:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].stop, interval.stop))
        else:
            joined.append(interval)
    return joined
