"""The desk: what every page of a served dashboard has at hand, and who may write."""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import StoreError, UsageError
from ..granule import DAY, HOUR, Interval, instant
from ..graph import Graph
from ..publish.levels import Limit, kind_of, panel_of
from ..publish.panels import Panel
from ..publish.quicklook import around, marks_of
from ..standard import LEVELS, is_overview
from ..store import Store
from ..store.events import event_datasets
from ..store.mark import MARK
from ..store.records import Event
from .frames import WIDTH, Frame, Words, frames_of, titled
from .kept import Kept
from .state import View
from .words import sentence

LIMIT = Limit(WIDTH, 400_000)
"""Records that one panel reads at most: what bounds the memory of a look, and its time."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may write. `open_` is a server on the machine's own address; others need a word."""

    read_only: bool = False
    token: str = field(default="", repr=False)
    why: str = ""

    def refuse(self, given: str = "") -> str:
        """Return why somebody may not write, '' when they may."""
        if self.read_only:
            return self.why or "This server shows and does not write."
        if self.token and not hmac.compare_digest(self.token.encode(), given.encode()):
            return "Writing needs the token of this server: give it in the field above."
        return ""


@dataclass
class Desk:
    """A store that is looked at, the graph of datasets, and who may write.

    The store is opened when it is first asked for, and again after it was away. `warming` says that
    kernels are being compiled for the first look; `frames` are those that users asked for last.
    """

    url: str
    registry: str
    graph: Graph
    access: Access = Access()
    links: tuple[tuple[str, str], ...] = ()
    warming: bool = False
    frames: Kept[list[Frame]] = field(default_factory=Kept, repr=False)
    _store: Store | None = field(default=None, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def store(self) -> Store:
        """Return the store, open for reading.

        Raises
        ------
        StoreError
            When it is not there (any more).
        """
        with self._lock:
            if self._store is not None and not (self._store.root / MARK).exists():
                self._store.close()
                self._store = None
                raise StoreError("the store is gone", self.url, "Is its disk mounted?")
            if self._store is None:
                self._store = Store.open(self.url, read_only=True, registry=self.registry)
            return self._store

    @contextmanager
    def writing(self, token: str = "") -> Iterator[Store]:
        """Give the store, open for writing.

        Raises
        ------
        UsageError
            When this server, or whoever asks, may not write.
        StoreError
            When the store cannot be written to.
        """
        if why := self.access.refuse(token):
            raise UsageError(why.rstrip("."))
        with Store.open(self.url, registry=self.registry) as store:
            yield store

    @property
    def refusal(self) -> str:
        """Return why nothing can be written here whoever asks, '' when it can."""
        if self.access.read_only:
            return self.access.refuse()
        if not os.access(Path(self.url.removeprefix("file://")), os.W_OK):
            return "This store is read-only: verdicts cannot be kept in it."
        return ""


@dataclass(frozen=True, slots=True)
class Held:
    """A dataset as the tree of the explorer lists it."""

    name: str
    kind: str
    units: str
    words: str
    records: int
    start: str
    stop: str


def held(desk: Desk) -> list[Held]:
    """Return the datasets that a store has records or events of, overviews left out, by name."""
    store = desk.store()
    found = []
    for row in store.registry.summary():
        name = row["dataset"]
        if is_overview(name):
            continue
        declared = desk.graph.nodes.get(name)
        kind = declared.gives.name if declared else kind_of(store, name, EVER)
        found.append(
            Held(
                name,
                kind,
                declared.units if declared else "",
                (declared.description or declared.gives.description) if declared else "",
                row["records"],
                row["start"],
                row["stop"],
            )
        )
    return found


EVER = Interval(-(2**62), 2**62)
_FIRST = (
    "VectorSeries",
    "Moments",
    "PlasmaState",
    "EnergySpectrum",
    "WaveSpectrum",
    "ScalarSeries",
    "Labels",
)


def opening(desk: Desk) -> View:
    """Return what a page shows unasked: the last day of what there is most of."""
    rows = [h for h in held(desk) if h.kind in _FIRST and h.records]
    if not rows:
        return View()
    best = max(rows, key=lambda h: (h.kind == "EnergySpectrum", h.records))
    start, stop = instant(best.start), instant(best.stop) + 1
    span = Interval(max(start, stop - DAY), stop)
    craft = best.name.split(".")[0]
    shown = _picked(rows, craft, span)
    catalogs = [
        n
        for n, count in event_datasets(desk.store().registry.db).items()
        if count and n.split(".")[0] == craft
    ]
    return View(shown, span, tuple(catalogs)[:2])


def _picked(rows: Sequence[Held], craft: str, span: Interval) -> tuple[str, ...]:
    """Return what is drawn of a spacecraft in an interval: one dataset of each kind, up to five."""
    near = [
        h
        for h in rows
        if h.name.split(".")[0] == craft
        and instant(h.start) < span.stop
        and instant(h.stop) >= span.start
    ]
    picked: dict[str, str] = {}
    for h in sorted(near, key=lambda h: (_FIRST.index(h.kind), -h.records)):
        state = h.kind == "PlasmaState" and "Moments" in picked.values()
        if h.kind not in picked.values() and not state:
            picked[h.name] = h.kind
    return tuple(picked)[:5]


def context(desk: Desk, catalog: str, event: Event, interval: Interval) -> tuple[str, ...]:
    """Return what is drawn around an event: what it was found in, else what its spacecraft has."""
    found = around(desk.store(), catalog, event.start)
    if found:
        return tuple(found)
    rows = [h for h in held(desk) if h.kind in _FIRST and h.records]
    return _picked(rows, catalog.split(".")[0], interval)


def load(desk: Desk, view: View, *, width: int = WIDTH, limit: Limit = LIMIT) -> list[Frame]:
    """Return the frames of a view; what cannot be shown says why in its place.

    Parameters
    ----------
    desk : Desk
        Where to read.
    view : View
        Which datasets, and when.
    width : int
        Pixels along time.
    limit : Limit
        How much is read at once.

    Raises
    ------
    StoreError
        When the store itself is not there (any more).
    """
    assert view.interval is not None
    desk.store()
    found: list[Frame] = []
    for name in view.show:
        found += _guarded(name, partial(_frames, desk, name, view.interval, width, limit))
    return found


def _guarded(name: str, made: Callable[[], list[Frame]]) -> list[Frame]:
    try:
        return made()
    except Exception as error:  # noqa: BLE001 - a page goes on whatever one dataset holds
        return [Frame(f"{name}/", name, "", Words(sentence(error)))]


def _frames(desk: Desk, name: str, interval: Interval, width: int, limit: Limit) -> list[Frame]:
    store = desk.store()
    if kind_of(store, name, interval) == "Events":
        count = len(marks_of(store, name, interval))
        return [Frame(f"{name}/", name, "", Words(f"{count} events, drawn over the panels"))]
    states = tuple(store.registry.changed(n) for n in (name, *(f"{name}.{w}" for w in LEVELS)))

    def drawn() -> list[Frame]:
        panel, level = panel_of(store, name, interval, limit)
        frames = frames_of(Panel(name, panel.datatype, panel.ds), interval, width=width)
        note = name if not level else f"{name}, means over {level.rpartition('_')[2]}"
        return titled(frames, note)

    return desk.frames.get((name, interval, width, limit, states), drawn)


def catalogs(desk: Desk) -> Sequence[str]:
    """Return the names of the catalogs that a store has."""
    return sorted(event_datasets(desk.store().registry.db))


def padded(interval: Interval) -> Interval:
    """Return an interval that is long enough to look at."""
    return interval if interval.stop - interval.start > 10**6 else interval.padded(HOUR)
