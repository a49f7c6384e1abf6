"""A time index over years that reads only the granules a label falls into.

It is a `PandasIndex` whose pandas index comes into being when something cannot do without it
(alignment of unequal times, resample, to_dataframe). Selections first find the few times that
can matter, then let xarray and pandas decide among those, so their rules apply unchanged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xarray import DataArray, IndexVariable, Variable
from xarray.core.indexes import Index, PandasIndex
from xarray.core.indexing import IndexSelResult, PandasIndexingAdapter

from .lazy_parts import Int64, Rows, Side, Timeline

if TYPE_CHECKING:
    from xarray.core.indexing import ExplicitIndexer

TIME = np.dtype("datetime64[ns]")


class _TakenForPandas(type):
    """Makes xarray align a `TimeIndex` with an ordinary index.

    xarray only compares indexes of equal *type* and calls all others a conflict: without this a
    lazy dataset could not meet one made in memory (arithmetic, where, assignment, reindex).
    """

    def __eq__(cls, other: object) -> bool:
        return cls is other or other is PandasIndex

    def __hash__(cls) -> int:
        return hash(PandasIndex)


class TimeIndex(PandasIndex, metaclass=_TakenForPandas):
    """Index of a time coordinate that stays on disk until all of it is needed.

    Parameters
    ----------
    timeline : Timeline
        The times of all granules.
    rows : range or int64 array
        Which of its records, in this order.
    dim, name : str
        The dimension and the coordinate.
    loaded : DatetimeIndex, optional
        The times of those records, where they are known already.
    """

    def __init__(
        self,
        timeline: Timeline,
        rows: Rows,
        dim: Hashable = "time",
        name: Hashable = "time",
        loaded: pd.DatetimeIndex | None = None,
    ) -> None:
        self.timeline, self.rows, self.dim, self.name = timeline, rows, dim, name
        self.coord_dtype = TIME
        self.loaded = loaded

    @property
    def index(self) -> pd.Index:  # type: ignore[override]
        """Return all times as a pandas index; reads them the first time."""
        if self.loaded is None:
            self.loaded = pd.DatetimeIndex(self._values().view(TIME), name=self.name)
        return self.loaded

    def _values(self) -> Int64:
        if isinstance(self.rows, range):
            if self.rows.step < 0:
                return self.timeline.at(self.rows[::-1])[::-1]
            return self.timeline.at(self.rows)
        rows, inverse = np.unique(self.rows, return_inverse=True)
        return self.timeline.at(rows)[inverse]

    def __len__(self) -> int:
        return len(self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.loaded is not None:  # what has been loaded must not need the store elsewhere
            return PandasIndex, (self.loaded, self.dim, self.coord_dtype)
        return TimeIndex, (self.timeline, self.rows, self.dim, self.name)

    # What xarray asks of an index. Those that make a new one return an ordinary PandasIndex.

    @classmethod
    def from_variables(
        cls, variables: Mapping[Any, Variable], *, options: Mapping[str, Any]
    ) -> Any:
        """Return an ordinary index: only `concatenate` makes lazy ones."""
        return PandasIndex.from_variables(variables, options=options)

    @classmethod
    def concat(
        cls,
        indexes: Sequence[Any],
        dim: Hashable,
        positions: Iterable[Iterable[int]] | None = None,
    ) -> Any:
        """Return the ordinary index of all times."""
        return PandasIndex.concat(indexes, dim, positions)

    def _replace(self, index: Any, dim: Any = None, coord_dtype: Any = None) -> PandasIndex:
        dim = self.dim if dim is None else dim
        return PandasIndex(index, dim, coord_dtype or self.coord_dtype, fastpath=True)

    def join(self, other: Any, how: str = "inner") -> Any:
        """Return the ordinary index of the common (inner) or all (outer) times."""
        return self._replace(self.index).join(other, how)

    def create_variables(
        self, variables: Mapping[Any, Variable] | None = None
    ) -> dict[Any, Variable]:
        """Return the coordinate, as lazy as the index, with the attributes of an earlier one."""
        old = None if variables is None else variables.get(self.name)
        attrs, encoding = (None, None) if old is None else (old.attrs, old.encoding)
        data: Any = LazyTimes(self)
        variable = TimeVariable(self.dim, data, attrs, encoding, fastpath=True)  # type: ignore[no-untyped-call]
        return {self.name: variable}

    def rename(self, name_dict: Mapping[Any, Any], dims_dict: Mapping[Any, Any]) -> Any:
        """Return the index under another name or dimension."""
        name, dim = name_dict.get(self.name, self.name), dims_dict.get(self.dim, self.dim)
        loaded = None if self.loaded is None else self.loaded.rename(name)
        return TimeIndex(self.timeline, self.rows, dim, name, loaded)

    def _copy(self, deep: bool = True, memo: dict[int, Any] | None = None) -> Any:
        return self  # nothing in it ever changes for its user

    def equals(self, other: Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Tell whether the times are the same; reads them only if nothing simpler tells."""
        if not isinstance(other, TimeIndex):
            return bool(super().equals(other))
        if self.dim != other.dim or len(self) != len(other):
            return False
        same_rows = (
            self.rows == other.rows
            if isinstance(self.rows, range) and isinstance(other.rows, range)
            else np.array_equal(self.rows, other.rows)
        )
        if same_rows and self.timeline.table.same_as(other.timeline.table):
            return True
        if len(self) and any(self._time(i) != other._time(i) for i in (0, -1)):
            return False
        return bool(self.index.equals(other.index))

    def _time(self, i: int) -> np.datetime64:
        if self.loaded is not None:
            return self.loaded.values[i]  # type: ignore[no-any-return]
        return self.timeline.at(np.asarray([self.rows[i]], np.int64)).view(TIME)[0]  # type: ignore[no-any-return]

    def isel(self, indexers: Mapping[Any, Any]) -> PandasIndex | None:
        """Return the index of some of the records; None where no time dimension is left."""
        key = indexers[self.dim]
        if isinstance(key, Variable):
            if key.dims != (self.dim,):
                return None
            key = key.data
        if not isinstance(key, slice):
            if np.ndim(key) == 0:
                return None
            key = np.asarray(key)
        return self if isinstance(key, slice) and key == slice(None) else self.some(key)

    def some(self, key: slice | NDArray[Any]) -> TimeIndex:
        """Return the index of the records that a slice or an array of positions picks."""
        rows: Rows
        if isinstance(key, slice):
            rows = self.rows[key]
        else:
            every = self.rows
            at = np.flatnonzero(key) if key.dtype.kind == "b" else key.astype(np.int64)
            if isinstance(every, range):
                if at.size and not -len(every) <= at.min() <= at.max() < len(every):
                    raise IndexError(f"position out of bounds of {self.name} ({len(every)})")
                rows = every.start + every.step * np.where(at < 0, at + len(every), at)
            else:
                rows = every[at]
        loaded = None if self.loaded is None else self.loaded[key]
        return TimeIndex(self.timeline, rows, self.dim, self.name, loaded)

    def sel(
        self, labels: dict[Any, Any], method: Any = None, tolerance: Any = None
    ) -> IndexSelResult:
        """Return the positions of labels by the rules of pandas, reading a few granules."""
        rows = self.rows
        (label,) = labels.values()
        ends = (label.start, label.stop) if isinstance(label, slice) else (label,)
        if (
            self.loaded is not None
            or not isinstance(rows, range)
            or rows.step < 0
            or not len(rows)
            or any(isinstance(end, dt.time) for end in ends)  # every day at that hour
        ):
            return super().sel(labels, method, tolerance)
        if isinstance(label, slice):
            if method is None and tolerance is None and (label.step is None or label.step > 0):
                return IndexSelResult({self.dim: self._slice(rows, label)})
            return super().sel(labels, method, tolerance)
        places, times = self._candidates(rows, np.asarray(getattr(label, "values", label)))
        few = PandasIndex(pd.DatetimeIndex(times.view(TIME), name=self.name), self.dim, TIME)
        found = few.sel(labels, method, tolerance).dim_indexers[self.dim]
        if isinstance(found, slice):  # a word for a stretch of time, such as "2015-12-01"
            found = self._slice(rows, slice(label, label))
        elif isinstance(found, DataArray):
            found = found.copy(data=places[found.values])
        elif isinstance(found, Variable):
            found = Variable(found.dims, places[found.values])
        elif np.asarray(found).dtype.kind != "b":
            found = places[found]
        return IndexSelResult({self.dim: found})

    def _slice(self, rows: range, label: slice) -> slice:
        start = 0 if label.start is None else self._end(rows, label.start, "left")
        stop = len(rows) if label.stop is None else self._end(rows, label.stop, "right")
        return slice(start, stop, label.step)

    def _end(self, rows: range, label: Any, side: Side) -> int:
        label = getattr(label, "values", label)
        if np.ndim(label):
            raise ValueError(f"cannot use an array as an end of a slice of {self.name}: {label}")
        label = label[()] if isinstance(label, np.ndarray) else label
        cast = pd.DatetimeIndex([], dtype=TIME)._maybe_cast_slice_bound  # type: ignore[attr-defined]
        when = pd.Timestamp(cast(label, side))
        if pd.isna(when):  # sorts behind all times
            return len(rows)
        before = self.timeline.before(np.asarray([when.as_unit("ns").value], np.int64), side)
        return int(_places(rows, before)[0])

    def _candidates(self, rows: range, labels: NDArray[Any]) -> tuple[Int64, Int64]:
        """Return places and times of the records around labels, and of both ends."""
        places = [np.asarray([0, len(rows) - 1], np.int64)]
        if (wanted := _instants(labels)) is not None:
            at = self.timeline.before(wanted, "left")
            after = _places(rows, at)
            places += [after - 1, after]
            if labels.ndim == 0 and labels.dtype.kind in "UTO":
                # Whether a word means an instant or a stretch depends on the resolution of the
                # times around it: "10:59:59" is a stretch where there are milliseconds.
                offsets = self.timeline.table.offsets
                part = np.searchsorted(offsets, at, "right") - 1
                around = offsets[np.clip([part, part + 1], 0, len(offsets) - 1)]
                places.append(np.arange(*_places(rows, around.ravel())))
        place = np.unique(np.clip(np.concatenate(places), 0, len(rows) - 1))
        return place, self.timeline.at(rows.start + rows.step * place)

    def __repr__(self) -> str:
        return f"TimeIndex({len(self)} records of {len(self.timeline.table.paths)} granules)"


def _places(rows: range, before: Int64) -> Int64:
    """Return how many of `rows` are among the first `before` records."""
    return np.clip(-((rows.start - before) // rows.step), 0, len(rows))


def _instants(labels: NDArray[Any]) -> Int64 | None:
    """Return labels as nanoseconds since 1970, or None for what is no time (pandas will say so)."""
    if labels.dtype.kind not in "MUTO":
        return None
    try:
        times = pd.DatetimeIndex(labels.ravel()).as_unit("ns")
    except (ValueError, TypeError, OverflowError):
        return None
    return None if times.tz is not None else np.asarray(times.values).view(np.int64)


class LazyTimes(PandasIndexingAdapter):
    """The data of a time coordinate: read through its index, and as late as that."""

    __slots__ = ("_index",)

    def __init__(self, index: TimeIndex) -> None:
        self._index = index
        self._dtype = TIME

    @property
    def array(self) -> pd.Index:  # type: ignore[override]
        """Return all times as a pandas index."""
        return self._index.index

    @property
    def _in_memory(self) -> bool:
        return self._index.loaded is not None

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (time,)."""
        return (len(self._index),)

    @property
    def nbytes(self) -> int:
        """Return the size the times would have in memory."""
        return TIME.itemsize * len(self._index)

    def __getitem__(self, indexer: ExplicitIndexer) -> Any:
        return self._pick(indexer)

    def _oindex_get(self, indexer: Any) -> Any:
        return self._pick(indexer)

    def _vindex_get(self, indexer: Any) -> Any:
        return self._pick(indexer)

    def _pick(self, indexer: ExplicitIndexer) -> Any:
        (key,) = indexer.tuple
        if isinstance(key, slice):
            return LazyTimes(self._index.some(key))
        if np.ndim(key) == 0:
            return np.asarray(self._index._time(int(key)))
        some = self._index.some(np.ravel(key))
        return LazyTimes(some) if np.ndim(key) == 1 else some.index.values.reshape(np.shape(key))

    def transpose(self, order: Any) -> Any:
        """Return itself: there is one dimension."""
        return self

    def copy(self, deep: bool = True) -> Any:
        """Return itself: nothing in it changes."""
        return self

    def __deepcopy__(self, memo: Any) -> LazyTimes:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self._in_memory:
            return PandasIndexingAdapter, (self.array, TIME)
        return LazyTimes, (self._index,)

    def __repr__(self) -> str:
        return f"LazyTimes({self._index!r})"


class TimeVariable(IndexVariable):
    """A time coordinate that `load` really loads: a loaded dataset no longer needs the store."""

    __slots__ = ()

    def load(self, **kwargs: Any) -> TimeVariable:
        """Return itself with the times in memory."""
        self._data.array  # noqa: B018 - reads them
        return self

    async def load_async(self, **kwargs: Any) -> TimeVariable:
        """Return itself with the times in memory."""
        return self.load()

    def _data_equals(self, other: Any) -> Any:
        if isinstance(self._data, LazyTimes) and isinstance(other._data, LazyTimes):
            return self._data._index.equals(other._data._index)
        return super()._data_equals(other)  # type: ignore[no-untyped-call]
