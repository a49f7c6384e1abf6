"""Granules end to end: which record is in which granule, and reading records from them.

A bounded number of granules is open per process, and nothing open is ever pickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core.indexing import IndexingSupport, LazilyIndexedArray, explicit_indexing_adapter

from ..errors import StoreError
from ..granule import iso
from .bucket import place_of
from .granules import zarr_store

if TYPE_CHECKING:
    from xarray.core.indexing import ExplicitIndexer

# An open zip granule holds a file descriptor; many systems allow a process 1024 of them.
OPEN_GRANULES = 128

Int64 = NDArray[np.int64]
# Positions of records counted over all granules, in the order wanted.
Rows = range | Int64
Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Part:
    """One granule of a concatenation.

    Parameters
    ----------
    path : str
        Absolute path of its zip file or folder.
    n : int
        Records in it.
    first, last : int
        Times of its first and last record, nanoseconds since 1970 UTC.
    """

    path: str
    n: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class PartTable:
    """Non-empty granules in order of time, as columns that all variables share.

    Parameters
    ----------
    paths : tuple of str
        Where the granules are.
    offsets : int64 (len(paths) + 1)
        Position of each granule's first record; the last element counts all records.
    first, last : int64 (len(paths))
        Times of each granule's first and last record, nanoseconds since 1970 UTC.
    """

    paths: tuple[str, ...]
    offsets: Int64
    first: Int64
    last: Int64

    @classmethod
    def of(cls, parts: Sequence[Part]) -> PartTable:
        """Return the table of the granules that have records, sorted by time.

        Raises
        ------
        StoreError
            When granules overlap in time: no single order of records would be right.
        """
        full = [p for p in parts if p.n]
        return cls.of_columns(
            [p.path for p in full],
            [p.n for p in full],
            [p.first for p in full],
            [p.last for p in full],
        )

    @classmethod
    def of_columns(
        cls, paths: Sequence[str], n: Sequence[int], first: Sequence[int], last: Sequence[int]
    ) -> PartTable:
        """Return the table of granules that have records, each column being given; as `of`."""
        sizes, starts, ends = (np.fromiter(c, np.int64, len(c)) for c in (n, first, last))
        if (starts[1:] < starts[:-1]).any():
            order = np.argsort(starts, kind="stable")
            paths = [paths[i] for i in order]
            sizes, starts, ends = sizes[order], starts[order], ends[order]
        offsets = np.zeros(len(paths) + 1, np.int64)
        np.cumsum(sizes, out=offsets[1:])
        wrong = np.flatnonzero((starts[1:] <= ends[:-1]) | (ends[1:] < starts[1:]))
        if wrong.size:
            a, b = int(wrong[0]), int(wrong[0]) + 1
            raise StoreError(
                f"two granules overlap in time: one ends {iso(int(ends[a]))}, the next holds "
                f"{iso(int(starts[b]))} to {iso(int(ends[b]))}", f"{paths[a]} and {paths[b]}",
                "Run 'sciqlop-pipe store check'",
            )  # fmt: skip
        return cls(tuple(paths), offsets, starts, ends)

    @property
    def records(self) -> int:
        """Return the number of records in all granules."""
        return int(self.offsets[-1])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the number of records of each granule."""
        return tuple(np.diff(self.offsets).tolist())

    def split(self, rows: Rows) -> Iterator[tuple[int, slice, Rows]]:
        """Yield which granules hold the rows: granule, place among `rows`, rows within the granule.

        `rows` must ascend (equal neighbours are fine); granules without any are not visited.
        """
        if not len(rows):
            return
        low, high = np.searchsorted(self.offsets, [rows[0], rows[-1]], "right") - 1
        inner = self.offsets[low + 1 : high + 1]
        if isinstance(rows, range):
            cuts = -((rows.start - inner) // rows.step)
        else:
            cuts = np.searchsorted(rows, inner)
        edges = np.concatenate([[0], cuts, [len(rows)]])
        for at in np.flatnonzero(np.diff(edges)).tolist():
            start, stop = int(edges[at]), int(edges[at + 1])
            offset = int(self.offsets[low + at])
            some = rows[start:stop]
            local = _moved(some, offset) if isinstance(some, range) else some - offset
            yield int(low) + at, slice(start, stop), local

    def __reduce__(self) -> tuple[Any, ...]:
        # One long word pickles ten times faster than 40,000 short ones.
        return _table, ("\0".join(self.paths), self.offsets, self.first, self.last)

    def same_as(self, other: PartTable) -> bool:
        """Tell whether both are made of the same granules."""
        return self is other or (
            self.paths == other.paths and np.array_equal(self.offsets, other.offsets)
        )


def _table(paths: str, offsets: Int64, first: Int64, last: Int64) -> PartTable:
    return PartTable(tuple(paths.split("\0")) if paths else (), offsets, first, last)


def _moved(rows: range, by: int) -> range:
    return range(rows.start - by, rows.stop - by, rows.step)


def as_key(rows: Rows) -> slice | Int64:
    """Return ascending rows as an index of one axis: a slice where they are evenly spaced."""
    if isinstance(rows, range):
        return slice(rows.start, rows.stop, rows.step)
    low, high = int(rows[0]), int(rows[-1])
    if high - low + 1 == len(rows) and bool((np.diff(rows) == 1).all()):
        return slice(low, high + 1)
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    store: Any
    arrays: dict[str, Any] = field(default_factory=dict)

    def array(self, name: str) -> Any:
        # Two threads may both open the array: the second simply replaces the first.
        if (array := self.arrays.get(name)) is None:
            array = zarr.open_array(self.store, path=name, mode="r", zarr_format=3)
            self.arrays[name] = array
        return array


@lru_cache(maxsize=OPEN_GRANULES)
def _opened(process: int, path: str) -> _Opened:
    # A forked child shares file positions with its parent, so it opens granules of its own.
    # One that falls out of the cache is closed when the last reader lets go of it.
    return _Opened(zarr_store(place_of(path)))


def read_key(path: str, name: str, key: tuple[Any, ...]) -> NDArray[Any]:
    """Return a variable of a granule as stored, indexed along each axis by itself.

    Raises
    ------
    StoreError
        When the granule is gone or does not read.
    """
    try:
        array = _opened(os.getpid(), path).array(name)
        return np.asarray(array.oindex[key] if key else array[...])
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{name} of a granule does not read ({type(error).__name__}: {error})", path,
            "Open the dataset again if the granule was replaced meanwhile, "
            "otherwise run 'sciqlop-pipe store check'",
        ) from error  # fmt: skip


class LazyArray(LazilyIndexedArray):
    """xarray's lazy indexing, but for slices that are empty while they run backwards.

    xarray 2026.9 turns `[-4::-1]` of three elements into all of them, and fails on `[:-1:-1]`.
    """

    def _updated_key(self, new_key: ExplicitIndexer) -> Any:
        key = super()._updated_key(type(new_key)(_tame(new_key.tuple, self.shape)))
        return type(key)(_tame(key.tuple, self.array.shape))


def _tame(key: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(
        slice(0, 0) if isinstance(k, slice) and not range(*k.indices(size)) else k
        for k, size in zip(key, shape, strict=True)
    )


class ConcatArray(BackendArray):
    """A variable over all granules, (record, *tail), read granule by granule where asked.

    Parameters
    ----------
    table : PartTable
        The granules.
    name : str
        The variable.
    tail : tuple of int
        Its shape without time.
    dtype : dtype
        As seen by the user; times are stored as int64 nanoseconds since 1970 UTC.
    """

    def __init__(
        self, table: PartTable, name: str, tail: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.table, self.name = table, name
        self.shape, self.dtype = (table.records, *tail), dtype

    def __getitem__(self, key: ExplicitIndexer) -> Any:
        return explicit_indexing_adapter(key, self.shape, IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        first, rest = key[0], key[1:]
        if isinstance(first, slice):
            return self.read(range(*first.indices(self.shape[0])), rest)
        if isinstance(first, np.ndarray):
            return self.read(first.astype(np.int64, copy=False), rest)
        return np.asarray(self.read(range(int(first), int(first) + 1), rest)[0])

    def read(self, rows: Rows, rest: tuple[Any, ...] = ()) -> NDArray[Any]:
        """Return ascending rows, indexed by `rest` along the other axes."""
        out: NDArray[Any] | None = None
        for part, where, local in self.table.split(rows):
            values = read_key(self.table.paths[part], self.name, (as_key(local), *rest))
            if len(values) == len(rows):
                out = values
                break
            if out is None:
                out = np.empty((len(rows), *values.shape[1:]), values.dtype)
            out[where] = values
        if out is None:
            out = np.empty((0, *_shape(self.shape[1:], rest)), stored_dtype(self.dtype))
        return as_seen(out, self.dtype)


class Timeline:
    """The times of all records: strictly increasing int64 nanoseconds since 1970 UTC."""

    def __init__(self, table: PartTable, name: str) -> None:
        self.table, self.name = table, name
        self._array = ConcatArray(table, name, (), np.dtype(np.int64))
        # Times of the two granules searched last, newest first: a selection has two ends.
        self._recent: tuple[tuple[int, Int64], ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return Timeline, (self.table, self.name)

    def at(self, rows: Rows) -> Int64:
        """Return the times of ascending rows."""
        known = dict(self._recent)
        ends = self.table.offsets
        out = np.empty(len(rows), np.int64)
        for part, where, local in self.table.split(rows):
            last = int(ends[part + 1] - ends[part]) - 1
            if local[0] == local[-1] and local[0] in (0, last):
                out[where] = self.table.first[part] if local[0] == 0 else self.table.last[part]
            elif part in known:
                out[where] = known[part][as_key(local)]
            else:
                out[where] = self._array.read(rows[where])
        return out

    def before(self, times: Int64, side: Side) -> Int64:
        """Return how many records come before each time; side "right" counts equal ones too."""
        table = self.table
        parts = np.searchsorted(table.last, times, side)
        out = table.offsets[parts]
        if not table.paths:
            return out
        start = table.first[np.minimum(parts, len(table.paths) - 1)]
        inside = (parts < len(table.paths)) & (
            (start < times) if side == "left" else (start <= times)
        )
        for part in np.unique(parts[inside]).tolist():
            here = inside & (parts == part)
            out[here] += np.searchsorted(self._times_of(part), times[here], side)
        return out

    def _times_of(self, part: int) -> Int64:
        for known, times in self._recent:
            if known == part:
                return times
        ends = self.table.offsets
        read = self._array.read(range(int(ends[part]), int(ends[part + 1])))
        self._recent = ((part, read), *self._recent[:1])
        return read


class StaticArray(BackendArray):
    """A variable that does not depend on time, read from one granule."""

    def __init__(self, path: str, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype

    def __getitem__(self, key: ExplicitIndexer) -> Any:
        return explicit_indexing_adapter(key, self.shape, IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        return as_seen(read_key(self.path, self.name, key), self.dtype)


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype on disk: times are integers there."""
    return np.dtype(np.int64) if dtype.kind == "M" else dtype


def as_seen(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return stored values in the dtype that the user sees."""
    if dtype.kind == "M":
        return values.astype(np.int64, copy=False).view(dtype)
    return values.astype(dtype, copy=False)


def _shape(shape: tuple[int, ...], key: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape of an array of `shape` once indexed axis by axis."""
    lengths = []
    for size, k in zip(shape, key or (slice(None),) * len(shape), strict=True):
        if isinstance(k, slice):
            lengths.append(len(range(*k.indices(size))))
        elif isinstance(k, np.ndarray):
            lengths.append(k.size)
    return tuple(lengths)
