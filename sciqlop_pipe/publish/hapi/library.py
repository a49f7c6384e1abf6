"""What a store has, as HAPI datasets: descriptions kept until a commit, blocks of records."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from ...errors import StoreError, near
from ...granule import SECOND, Interval
from ...graph import Graph
from ...model import Dataset, Mission
from ...ondemand import not_computed
from ...store import Store
from ...store.layout import Layout, VarLayout
from ...store.lazy_parts import as_seen, read_key
from ...store.records import Extent, Record, Shelf
from ..datatree import Words
from . import times
from .describe import Described, Parameter, describe, names_of, promised, statics
from .encode import Block
from .events import EventTable, judgements
from .status import HapiError, envelope

log = logging.getLogger(__name__)
BLOCK_BYTES = 4 << 20
"""How much of an answer is made at once [bytes as binary]."""
_SAMPLE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """Records of one request: how many, how large each is, and the blocks that hold them."""

    parameters: tuple[Parameter, ...]
    count: int
    nbytes: int
    blocks: Iterator[Block]


@dataclass(frozen=True, slots=True)
class _State:
    """What was derived from one state of the registry, asked for all datasets at once."""

    tx: str
    extents: Mapping[str, Extent] = field(default_factory=dict)
    promised: frozenset[str] = frozenset()
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    described: dict[str, Described] = field(default_factory=dict)

    def unchanged(self, name: str, extent: Extent, shelf: Shelf) -> bool:
        """Tell whether a dataset is described as before."""
        return self.extents.get(name) == extent and self.shelves.get(name) == shelf


class Library:
    """A store seen through HAPI. It may be used by several threads.

    Parameters
    ----------
    store : Store
        Where the data are; read only is enough.
    graph : Graph, optional
        Where titles, descriptions and citations are from.
    extra : callable, optional
        Gives the extents of datasets that can be made, of what there is.
    """

    def __init__(
        self,
        store: Store,
        graph: Graph | None = None,
        extra: Callable[[Mapping[str, Extent]], Mapping[str, Extent]] | None = None,
    ) -> None:
        self.store, self.graph, self.extra = store, graph, extra
        self._lock = threading.Lock()
        self._state = _State("")
        self._tables: dict[tuple[str, str, tuple[int, ...]], np.ndarray] = {}

    def tx(self) -> str:
        """Return the time of the last commit as text; it changes with every one."""
        return self.store.registry.info("tx") or "0"

    def revision(self) -> str:
        """Return what changes with every commit, and whenever somebody judges an event."""
        return f"{self.tx()}.{judgements(self.store)}"

    @cached_property
    def declared(self) -> str:
        """Return a digest of what is declared, since titles and types are told from that."""
        nodes = self.graph.nodes.values() if self.graph is not None else ()
        words = sorted((d.name, d.gives.name, self.title(d.name)) for d in nodes)
        told = repr((self.extra is not None, words))
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def extents(self) -> Mapping[str, Extent]:
        """Return what there is, by name."""
        return self._now().extents

    def is_promised(self, name: str) -> bool:
        """Tell whether a dataset is not there but can be made."""
        return name in self._now().promised

    def holds_events(self, name: str) -> bool:
        """Tell whether a dataset is a catalog, which is read from what is committed."""
        extent = self.extents().get(name)
        return extent is not None and extent.events

    def _now(self) -> _State:
        tx = self.tx()
        with self._lock:
            if self._state.tx != tx:
                self._state = self._read(tx, self._state)
            return self._state

    def _read(self, tx: str, before: _State) -> _State:
        registry = self.store.registry
        found = {e.dataset: e for e in registry.extents()}
        there = found.keys()
        if self.extra is not None:
            found = {**found, **self.extra(found)}
        shelves = registry.shelves()
        digests = {d for shelf in shelves.values() for d in shelf.layouts}
        layouts = {d: before.layouts[d] for d in digests & before.layouts.keys()}
        layouts |= registry.layouts_of(digests - layouts.keys())
        extents = dict(sorted(found.items()))
        kept = {
            name: one
            for name, one in before.described.items()
            if name in extents and name in shelves
            and before.unchanged(name, extents[name], shelves[name])
        }  # fmt: skip
        return _State(
            tx,
            extents,
            frozenset(extents.keys() - there),
            shelves,
            registry.changes(),
            layouts,
            kept,
        )

    def title(self, name: str) -> str:
        """Return what a dataset is, in words."""
        dataset = self._declared(name)
        return Words.of(dataset, None).text if dataset is not None else ""

    def _declared(self, name: str) -> Dataset | None:
        known = self.graph is not None and name in self.graph.nodes
        return self.graph[name] if known and self.graph is not None else None

    def _mission(self, name: str) -> Mission | None:
        return self.graph.mission_of.get(name) if self.graph is not None else None

    def changed(self, name: str) -> int:
        """Return when a dataset, or what people said of its events, changed last [ns]."""
        return self._changed(self._now(), name)

    def _changed(self, state: _State, name: str) -> int:
        changed, extent = state.changes.get(name, 0), state.extents.get(name)
        if extent is not None and extent.events:
            changed = max(changed, EventTable(self.store, name).judged())
        return changed

    def described(self, name: str) -> Described:
        """Return a dataset's description.

        Raises
        ------
        HapiError
            1406 when there is no such dataset.
        """
        return self._described(self._now(), name)

    def _described(self, state: _State, name: str) -> Described:
        extent = state.extents.get(name)
        if extent is None and self._declared(name) is not None:
            raise HapiError(1406, str(not_computed(name, None)))
        if extent is None:
            raise HapiError(1406, f"'{name[:80]}'. {near(name[:80], state.extents)}".strip())
        if extent.events:
            return EventTable(self.store, name).described(extent.interval)
        with self._lock:
            found = state.described.get(name)
        if found is None:
            found = self._describe(state, extent)
            with self._lock:
                state.described[name] = found
        return found

    def _describe(self, state: _State, extent: Extent) -> Described:
        shelf = state.shelves.get(extent.dataset)
        if shelf is None:
            raise HapiError(1406, f"nothing of '{extent.dataset}' has been made yet")
        newest = state.layouts[shelf.layouts[-1]]
        modes = {(one := state.layouts[d]).signature: one for d in shelf.layouts}
        modes.pop(newest.signature)
        layouts = [*modes.values(), newest]
        last = shelf.last
        fixed = {
            v.name: self._table(f"{self.store.root}/{last.path}", v)
            for v in newest.variables
            if not v.in_time
        }
        dataset = self._declared(extent.dataset)
        declared = [v.name for v in dataset.gives.variables] if dataset is not None else []
        parameters = describe(layouts, fixed, declared)
        first, final = last.first or 0, last.last or 0
        step = (final - first) / (last.n - 1) if last.n > 1 else 0.0
        upto = final if last.n <= _SAMPLE else first + round(step * _SAMPLE)
        return Described(
            parameters,
            extent.interval.start,
            extent.interval.stop,
            (first, upto + 1),
            float(f"{step / SECOND:.3g}"),
            attrs=dict(newest.attrs),
            statics=statics(layouts, fixed, tuple(names_of(parameters))),
            kind=self._kind(extent.dataset),
        )

    def _table(self, path: str, v: VarLayout) -> np.ndarray:
        """Return what does not vary with time; the same table is read once for all datasets."""
        key = (v.static, v.dtype, v.shape)
        if v.static and (known := self._tables.get(key)) is not None:
            return known
        values = as_seen(read_key(path, v.name, ()), np.dtype(v.dtype))
        self._tables[key] = values
        return values

    def _kind(self, name: str) -> str:
        dataset = self._declared(name)
        return dataset.gives.name if dataset is not None else ""

    def info(self, name: str, names: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the answer to an info request, as JSON.

        Raises
        ------
        HapiError
            1406, 1407 or 1411.
        """
        state = self._now()
        return self._info(state, name, self._described(state, name), names)

    def every(self) -> Iterator[tuple[str, Described | None, dict[str, Any]]]:
        """Yield name, description and info of all that there is, and promises of what can be made.

        A promise has no description: what it will look like is not known before it is made.
        """
        state = self._now()
        for name, extent in state.extents.items():
            dataset = self._declared(name)
            if name not in state.promised:
                try:
                    described = self._described(state, name)
                except StoreError as error:  # one that is damaged must not hide the others
                    log.error("%s cannot be described: %s", name, error)
                    continue
                yield name, described, self._info(state, name, described)
            elif dataset is not None:
                yield name, None, promised(dataset, extent.interval)

    def _info(
        self, state: _State, name: str, described: Described, names: Sequence[str] | None = None
    ) -> dict[str, Any]:
        chosen = choose(described, names)
        about = envelope() | {
            "startDate": times.text_of(described.start),
            "stopDate": times.text_of(described.stop),
            "sampleStartDate": times.text_of(described.sample[0]),
            "sampleStopDate": times.text_of(described.sample[1]),
            "timeStampLocation": described.location,
        }
        if described.cadence > 0:
            about["cadence"] = times.duration_of(described.cadence)
        if changed := self._changed(state, name):
            about["modificationDate"] = times.text_of(changed)
        about |= self._words(name)
        if described.kind:
            about["x_type"] = described.kind
        if described.attrs:
            about["x_attrs"] = dict(described.attrs)
        if described.statics:
            about["x_statics"] = dict(described.statics)
        dataset = self._declared(name)
        if dataset is not None and dataset.gives.main:
            about["x_main"] = dataset.gives.main
        about["parameters"] = [p.json() for p in chosen]
        return about

    def _words(self, name: str) -> dict[str, Any]:
        dataset = self._declared(name)
        if dataset is None:
            return {}
        words = Words.of(dataset, self._mission(name))
        said = {
            "description": words.text,
            "citation": words.citation,
            "contact": words.authors,
            "x_acknowledgement": words.acknowledgement,
        }
        return {key: value for key, value in said.items() if value}

    def open(
        self,
        name: str,
        interval: Interval,
        names: Sequence[str] | None = None,
        fresh: Sequence[Record] = (),
    ) -> Answer:
        """Return the records of a dataset in [start, stop).

        Nothing but times is read before the blocks are taken. `fresh` are granules that are written
        and not committed yet.

        Raises
        ------
        HapiError
            1406, 1407 or 1411.
        """
        described = self.described(name)
        chosen = choose(described, names)
        nbytes = described.record(chosen).itemsize
        if self.extents()[name].events:
            block = EventTable(self.store, name).block(interval, chosen)
            return Answer(chosen, len(block), nbytes, iter([block] if len(block) else []))
        found = list(self.store.segments(name, interval, fresh))
        count = sum(ds.sizes["time"] for _, ds in found)
        return Answer(chosen, count, nbytes, _blocks(found, chosen, nbytes))


def choose(described: Described, names: Sequence[str] | None) -> tuple[Parameter, ...]:
    """Return the parameters that a request names.

    Raises
    ------
    HapiError
        1407 for one that is unknown, 1411 where they repeat or are not in the dataset's order.
    """
    if names is None:
        return described.parameters
    order = {name: i for i, name in enumerate(names_of(described.parameters))}
    if unknown := next((n for n in names if n not in order), None):
        raise HapiError(1407, f"'{unknown[:80]}'. {near(unknown[:80], order)}".strip())
    at = [order[n] for n in names]
    if any(b <= a for a, b in pairwise(at)):
        raise HapiError(1411)
    return described.chosen(names)


def _blocks(
    segments: Sequence[tuple[Layout, xr.Dataset]], chosen: Sequence[Parameter], nbytes: int
) -> Iterator[Block]:
    step = max(1, BLOCK_BYTES // nbytes)
    for layout, ds in segments:
        in_time = {v.name: v.in_time for v in layout.variables}
        records = ds.sizes["time"]
        for start in range(0, records, step):
            some = ds.isel(time=slice(start, start + step))
            time = some["time"].values.astype("M8[ns]").view(np.int64)
            columns = {p.name: _column(some, p, in_time, time.size) for p in chosen[1:]}
            yield Block(time, columns)


def _column(ds: xr.Dataset, p: Parameter, in_time: Mapping[str, bool], records: int) -> np.ndarray:
    """Return a parameter (record, *shape): read, repeated where it is a table, filled beyond it."""
    whole = (records, *p.shape)
    if p.name not in in_time:
        return _fill(p, whole)
    values = ds[p.name].values
    if not in_time[p.name]:
        values = np.broadcast_to(values, (records, *values.shape))
    if values.shape == whole:
        return values
    out = _fill(p, whole)
    if values.ndim == out.ndim:
        out[tuple(slice(0, n) for n in values.shape)] = values
    elif values.ndim == 1 < out.ndim:  # one number where other modes have a row of them
        out[...] = values.reshape(-1, *[1] * (out.ndim - 1))
    return out


def _fill(p: Parameter, shape: tuple[int, ...]) -> np.ndarray:
    if p.kind == "double":
        return np.full(shape, np.nan)
    return np.zeros(shape, "S1" if p.kind == "string" else np.int64)
