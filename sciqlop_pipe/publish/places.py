"""Where products are read from: a store on this machine, or a HAPI server. One form for both."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..errors import SourceError, StoreError, UnknownName
from ..granule import Interval
from ..graph import Graph
from ..ondemand import Maker, makeable, not_computed
from ..sources.access import default_cache
from ..store import Store
from ..store.records import Extent, Record
from .hapi.client import Remote
from .hapi.describe import promised
from .hapi.encode import Block
from .hapi.library import Library
from .hapi.status import HapiError


class Place(Protocol):
    """Something with datasets, each described as HAPI does."""

    def infos(self) -> Mapping[str, dict[str, Any]]:
        """Return the description of every dataset, by name."""

    def info(self, name: str) -> dict[str, Any]:
        """Return the description of one dataset."""

    def made(self, name: str, interval: Interval) -> dict[str, Any]:
        """Return the description of a dataset that was only promised, once some of it is made."""

    def read(
        self, name: str, names: Sequence[str], interval: Interval
    ) -> tuple[list[dict[str, Any]], Block]:
        """Return the parameter objects and the records of some parameters in [start, stop)."""


@dataclass
class Local:
    """A store on this machine; where it may be written to, what it lacks is made.

    Parameters
    ----------
    store : Store
        Open.
    graph : Graph
        All datasets.
    compute : bool
        Whether to make what is lacking.
    """

    store: Store
    graph: Graph
    compute: bool = True
    maker: Maker | None = None
    library: Library = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.compute and not self.store.registry.db.read_only and self.maker is None:
            self.maker = Maker(self.store, self.graph)
        self.library = Library(self.store, self.graph, self._extra if self.maker else None)

    def _extra(self, have: Mapping[str, Extent]) -> Mapping[str, Extent]:
        return makeable(self.graph, self.store, have)

    def infos(self) -> Mapping[str, dict[str, Any]]:
        """Return the description of what there is and of what can be made, by name."""
        return {name: info for name, _, info in self.library.every()}

    def _described(self, extent: Extent) -> dict[str, Any]:
        if not self.library.is_promised(extent.dataset):
            return self.library.info(extent.dataset)
        return promised(self.graph[extent.dataset], extent.interval)

    def info(self, name: str) -> dict[str, Any]:
        """Return the description of one dataset.

        Raises
        ------
        UnknownName, NotComputed
            When there is no such dataset; when it could be and is not.
        """
        extent = self.library.extents().get(name)
        if extent is None:
            raise self._unknown(name, None)
        return self._described(extent)

    def made(self, name: str, interval: Interval) -> dict[str, Any]:
        """Return the description of a dataset that was only promised, once some of it is made.

        Raises
        ------
        NotComputed
            When nothing of it can be made here and now.
        """
        self._made(name, interval)
        return self.info(name)

    def read(
        self, name: str, names: Sequence[str], interval: Interval
    ) -> tuple[list[dict[str, Any]], Block]:
        """Return the parameter objects and the records of some parameters in [start, stop).

        Raises
        ------
        NotComputed
            When it is not there, and cannot be made here and now.
        """
        fresh = self._made(name, interval)
        try:
            answer = self.library.open(name, interval, self._ordered(name, names), fresh)
        except HapiError as error:
            raise SourceError(f"{error.detail or error}", name) from None
        blocks = list(answer.blocks)
        empty = {p.name: np.empty((0, *p.shape)) for p in answer.parameters[1:]}
        time = np.concatenate([b.time for b in blocks]) if blocks else np.empty(0, np.int64)
        columns = {
            k: np.concatenate([b.columns[k] for b in blocks]) if blocks else v
            for k, v in empty.items()
        }
        return [p.json() for p in answer.parameters], Block(time, columns)

    def _made(self, name: str, interval: Interval) -> tuple[Record, ...]:
        known = name in self.library.extents()
        if self.maker is None:
            if not known:
                raise self._unknown(name, interval)
            return ()
        made = self.maker.make(name, interval)
        if made.failures and not made.records:
            raise not_computed(name, interval, made.failures[0].error)
        library = self.library
        if name not in library.extents():
            raise self._unknown(name, interval)
        if library.is_promised(name) or library.holds_events(name):
            self.maker.wait()  # what it looks like, and all events, are read from what is committed
            if library.is_promised(name):
                raise not_computed(name, interval)
        return made.records

    def _unknown(self, name: str, interval: Interval | None) -> Exception:
        if name in self.graph.nodes:
            return not_computed(name, interval)
        return UnknownName(f"there is no '{name}'", str(self.store.root))

    def _ordered(self, name: str, names: Sequence[str]) -> list[str]:
        have = [p.name for p in self.library.described(name).parameters]
        return [n for n in have if n in set(names)]


def open_place(address: str, *, compute: bool = True) -> Place:
    """Return what an address names: a HAPI server, or the folder of a store.

    A store that cannot be written to is read.

    Raises
    ------
    StoreError
        When there is no store.
    """
    if address.startswith(("http://", "https://")):
        return Remote(address, kept=default_cache() / "inventories")
    graph = Graph.discover()
    if compute:
        try:
            return Local(Store.open(address), graph)
        except StoreError:
            pass
    return Local(Store.open(address, read_only=True), graph, compute=False)
