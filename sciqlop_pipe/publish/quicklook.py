"""Quicklooks: one PNG of what a store has in an interval or around an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..catalog import find_event
from ..errors import PipeError, UsageError
from ..granule import MINUTE, Interval, iso
from ..store.events import current_events
from .drawn import drawn
from .levels import Limit, kind_of, panel_of, require
from .panels import Panel
from .picture import DPI, PIXELS, Mark, draw, figure

if TYPE_CHECKING:
    import xarray as xr

    from ..store import Store
    from ..store.records import Event

__all__ = ["Mark", "Panel", "draw", "draw_event", "draw_interval", "figure"]

LIMIT = Limit(PIXELS)

#: Order of the panels around an event.
_ORDER = ("VectorSeries", "Moments", "EnergySpectrum", "ScalarSeries", "Labels", "Position")


def draw_interval(
    store: Store, datasets: Sequence[str], interval: Interval, output: Path, *, dpi: int = DPI,
    facts: Mapping[str, str] | None = None, position: str = "",
) -> None:  # fmt: skip
    """Write a picture of what a store has of datasets in an interval.

    Parameters
    ----------
    store : Store
        Where to read.
    datasets : sequence of str
        Their names, panels from above; those of Events are drawn over the others, or alone over
        what they were found in.
    interval : Interval
        What is drawn.
    output : Path
        The PNG file.
    dpi, facts
        As for `draw`.
    position : str
        The name of a Position, which is written under the time axis.

    Raises
    ------
    UnknownName
        For a dataset that the store does not have, with near names.
    PipeError
        When the store has nothing of any of them in the interval.
    """
    require(store, [*datasets, position] if position else datasets)
    datasets = _with_context(store, datasets, interval)
    kinds = {n: kind_of(store, n, interval) for n in datasets}
    marks = [m for n in datasets if kinds[n] == "Events" for m in marks_of(store, n, interval)]
    panels = [panel_of(store, n, interval, LIMIT)[0] for n in datasets if kinds[n] != "Events"]
    if not any(p.ds.sizes.get("time") for p in panels):
        names = ", ".join(datasets)
        raise PipeError(
            f"the store has nothing to draw of {names} in {iso(interval.start)} to "
            f"{iso(interval.stop)}", str(store.root), _held(store, datasets),
        )  # fmt: skip
    title = _title([p.name for p in panels])
    source = f"store {store.root.resolve().name}"
    where = place_of(store, position, interval) if position else None
    shown = drawn(store, [*datasets, *([position] if position else [])], interval).words()
    draw(panels, interval, output, title, events=marks, source=source, dpi=dpi,
         facts={**shown, **(facts or {})}, position=where)  # fmt: skip


def _with_context(store: Store, datasets: Sequence[str], interval: Interval) -> list[str]:
    """Return datasets, and where all are of events what the first of them was found in."""
    if any(kind_of(store, n, interval) != "Events" for n in datasets):
        return list(datasets)
    for name in datasets:
        found = current_events(store.registry.db, name, interval)
        if found and (context := around(store, name, found[0].start)):
            return [*context, *datasets]
    raise PipeError(
        f"there is nothing to draw the events of {', '.join(datasets)} over in "
        f"{iso(interval.start)} to {iso(interval.stop)}", str(store.root),
        f"{_held(store, datasets)}. Name datasets to draw them over",
    )  # fmt: skip


def place_of(store: Store, position: str, interval: Interval) -> xr.Dataset | None:
    """Return a Position in an interval, in memory; None where there is none.

    Raises
    ------
    UsageError
        When it is no Position.
    """
    if (kind := kind_of(store, position, interval)) not in ("Position", ""):
        raise UsageError(f"{position} is {kind}, not Position", "--position")
    if not any(r.n for r in store.registry.stored(position, interval)):
        return None
    return store.read(position, interval.start, interval.stop).load()


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
    interval = neighbourhood(event)
    names = list(datasets) or around(store, dataset, event.start)
    require(store, names)
    panels = [
        panel_of(store, n, interval, LIMIT)[0]
        for n in names
        if kind_of(store, n, interval) != "Events"
    ]
    if not any(p.ds.sizes.get("time") for p in panels):
        raise PipeError(
            f"the store has nothing to draw around event {event_id} ({iso(event.start)})",
            str(store.root), "Name datasets that it holds there, or run those it was made from",
        )  # fmt: skip
    marks = marks_of(store, dataset, interval) or [Mark.of(event)]
    craft = _mission(dataset.split(".")[0])
    title = f"{craft}  {Mark.of(event).label}  {iso(event.start)[11:19]}"
    draw(panels, interval, output, title, events=marks,
         source=f"event {event_id} · store {store.root.resolve().name}",
         facts=drawn(store, list(dict.fromkeys([*names, dataset])), interval).words())  # fmt: skip


def neighbourhood(event: Event) -> Interval:
    """Return the interval in which an event is looked at: three times its length around it."""
    length = event.stop - event.start
    return Interval(event.start, max(event.stop, event.start + 1)).padded(
        max(3 * length, 5 * MINUTE)
    )


def marks_of(store: Store, dataset: str, interval: Interval) -> list[Mark]:
    """Return the current events of a dataset that touch an interval."""
    return [Mark.of(e) for e in current_events(store.registry.db, dataset, interval)]


def around(store: Store, dataset: str, when: int) -> list[str]:
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
        names[name] = kind_of(store, name, moment)
        waiting += [u.name for u in registry.lineage(here[0].uid) if u.kind == "granule"]
    instruments = {n.rpartition(".")[0] for n, kind in names.items() if kind in ("Moments", "VDF")}
    for name in registry.datasets():
        if name.rpartition(".")[0] in instruments and name not in names:
            kind = kind_of(store, name, moment)
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
