"""Quicklooks: one PNG of what a store has in an interval or around an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from ..catalog import find_event
from ..errors import PipeError, UnknownName, near
from ..granule import MINUTE, Interval, duration, iso
from ..standard import LEVELS
from ..store.events import current_events
from .panels import Panel
from .picture import PIXELS, Mark, draw, figure

if TYPE_CHECKING:
    from ..store import Store

__all__ = ["Mark", "Panel", "draw", "draw_event", "draw_interval", "figure"]

#: Order of the panels around an event.
_ORDER = ("VectorSeries", "Moments", "EnergySpectrum", "ScalarSeries", "Labels", "Position")


def draw_interval(store: Store, datasets: Sequence[str], interval: Interval, output: Path) -> None:
    """Write a picture of what a store has of datasets in an interval.

    Parameters
    ----------
    store : Store
        Where to read.
    datasets : sequence of str
        Their names, panels from above; those of Events are drawn over the others.
    interval : Interval
        What is drawn.
    output : Path
        The PNG file.

    Raises
    ------
    UnknownName
        For a dataset that the store does not have, with near names.
    PipeError
        When the store has nothing of any of them in the interval.
    """
    kinds = _kinds(store, datasets, interval)
    marks = [m for n in datasets if kinds[n] == "Events" for m in _marks(store, n, interval)]
    panels = [_panel(store, n, kinds[n], interval) for n in datasets if kinds[n] != "Events"]
    if not any(p.ds.sizes.get("time") for p in panels):
        names = ", ".join(datasets)
        raise PipeError(
            f"the store has nothing to draw of {names} in {iso(interval.start)} to "
            f"{iso(interval.stop)}", str(store.root), _held(store, datasets),
        )  # fmt: skip
    title = _title([p.name for p in panels])
    draw(panels, interval, output, title, events=marks, source=f"store {store.root.resolve().name}")


def draw_event(store: Store, event_id: str, output: Path, datasets: Sequence[str] = ()) -> None:
    """Write a picture of what a store has around an event.

    Parameters
    ----------
    store : Store
        Where to read.
    event_id : str
        The event.
    output : Path
        The PNG file.
    datasets : sequence of str
        What to draw; where empty, what the event was found in, and spectra of the same instruments.
    """
    dataset, event = find_event(store, event_id)
    length = event.stop - event.start
    interval = Interval(event.start, max(event.stop, event.start + 1)).padded(
        max(3 * length, 5 * MINUTE)
    )
    names = list(datasets) or _around(store, dataset, event.start)
    kinds = _kinds(store, names, interval)
    panels = [_panel(store, n, kinds[n], interval) for n in names if kinds[n] != "Events"]
    if not any(p.ds.sizes.get("time") for p in panels):
        raise PipeError(
            f"the store has nothing to draw around event {event_id} ({iso(event.start)})",
            str(store.root), "Name datasets that it holds there, or run those it was made from",
        )  # fmt: skip
    marks = _marks(store, dataset, interval) or [Mark.of(event)]
    craft = _mission(dataset.split(".")[0])
    title = f"{craft}  {Mark.of(event).label}  {iso(event.start)[11:19]}"
    draw(panels, interval, output, title, events=marks,
         source=f"event {event_id} · store {store.root.resolve().name}")  # fmt: skip


def _kinds(store: Store, datasets: Iterable[str], interval: Interval) -> dict[str, str]:
    """Return the name of the DataType of each dataset that the store has."""
    known = store.registry.datasets()
    found = {}
    for name in datasets:
        if name not in known:
            raise UnknownName(
                f"the store has nothing of '{name}'", str(store.root),
                near(name, known) or "Ask 'sciqlop-pipe status' for what there is",
            )  # fmt: skip
        found[name] = _kind(store, name, interval)
    return found


def _kind(store: Store, name: str, interval: Interval) -> str:
    """Return the name of the DataType that a dataset has in (or else outside) an interval."""
    granules = store.registry.current(name, interval) or store.registry.current(name)
    # What made it, as in "moments@1 Moments@1".
    return granules[-1].code.split()[-1].split("@")[0]


def _panel(store: Store, name: str, kind: str, interval: Interval) -> Panel:
    if level := _level(store, name, interval):
        name, kind = level, "Overview"
    try:
        ds = store.read(name, interval.start, interval.stop).load()
    except UnknownName:
        ds = xr.Dataset()
    return Panel(name, kind, ds)


def _level(store: Store, name: str, interval: Interval) -> str:
    """Return the overview that shows as much of a dataset at this size, or '' where none does.

    Its bins are no wider than a pixel, and it covers everything that the dataset has.
    """
    pixel = (interval.stop - interval.start) / PIXELS
    there = [c.interval for c in store.registry.current(name, interval) if c.n]
    for level in reversed(LEVELS):
        if duration(level.rpartition("_")[2]) > pixel:
            continue
        made = store.registry.current(f"{name}.{level}", interval)
        joined = _joined(c.interval for c in made)
        if joined and all(any(j.contains(t) for j in joined) for t in there):
            return f"{name}.{level}"
    return ""


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return intervals, ordered by start, with those that touch made into one."""
    joined: list[Interval] = []
    for interval in intervals:
        if joined and interval.start <= joined[-1].stop:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].stop, interval.stop))
        else:
            joined.append(interval)
    return joined


def _marks(store: Store, dataset: str, interval: Interval) -> list[Mark]:
    """Return the current events of a dataset that touch an interval."""
    return [Mark.of(e) for e in current_events(store.registry.db, dataset, interval)]


def _around(store: Store, dataset: str, when: int) -> list[str]:
    """Return what to draw around an event: its inputs, theirs, and spectra beside them."""
    registry = store.registry
    names: dict[str, str] = {}
    waiting = [dataset]
    moment = Interval(when, when + 1)
    while waiting:
        name = waiting.pop(0)
        here = registry.current(name, moment)
        if name in names or not here:
            continue
        names[name] = _kind(store, name, moment)
        waiting += [u.name for u in registry.lineage(here[0].uid) if u.kind == "granule"]
    instruments = {n.rpartition(".")[0] for n, kind in names.items() if kind in ("Moments", "VDF")}
    for name in registry.datasets():
        if name.rpartition(".")[0] in instruments and name not in names:
            kind = _kind(store, name, moment)
            if kind == "EnergySpectrum":
                names[name] = kind
    order = _ORDER if "Moments" in names.values() else (*_ORDER, "PlasmaState")
    return sorted((n for n in names if names[n] in order), key=lambda n: order.index(names[n]))


def _held(store: Store, datasets: Sequence[str]) -> str:
    """Return in words when a store does have something of datasets."""
    rows_ = [r for r in store.registry.summary() if r["dataset"] in datasets and r["records"]]
    if not rows_:
        return "It has no records of them at all"
    return "It has " + ", ".join(f"{r['dataset']} from {r['start']} to {r['stop']}" for r in rows_)


def _title(names: Sequence[str]) -> str:
    """Return spacecraft and instruments of dataset names: "MMS1  FGM, FPI"."""
    instruments: dict[str, list[str]] = {}
    for name in names:
        spacecraft, *rest = name.split(".")
        listed = instruments.setdefault(_mission(spacecraft), [])
        if len(rest) > 1 and rest[0].upper() not in listed:
            listed.append(rest[0].upper())
    return " · ".join(f"{craft}  {', '.join(made)}".strip() for craft, made in instruments.items())


def _mission(word: str) -> str:
    """Return a spacecraft's name as people write it: "mms1" MMS1, "solar_orbiter" Solar Orbiter."""
    return word.replace("_", " ").title() if "_" in word or len(word) > 5 else word.upper()
