"""One lazy Dataset over all granules of a dataset.

xarray has no lazy concatenation of its own (pydata/xarray#4628); when it gets one, `concatenate`
is what to replace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.indexes import PandasIndex

from .layout import Layout, VarLayout
from .lazy_index import TimeIndex
from .lazy_parts import ConcatArray, LazyArray, Part, PartTable, StaticArray, Timeline

__all__ = ["Part", "PartTable", "concatenate"]


def concatenate(
    parts: Sequence[Part] | PartTable,
    layout: Layout,
    *,
    drop_variables: str | Iterable[str] | None = (),
) -> xr.Dataset:
    """Return one Dataset (time, ...) over granules; nothing is read but coordinates without time.

    Times, values and what does not depend on time are read when asked for, from the granules
    concerned only; `chunks={}` of `open_dataset` makes one dask chunk of each granule. The index
    of time reads what a selection needs; operations that need every time (alignment with other
    times, resample, interp, to_dataframe) read them all, so select a range first.

    Parameters
    ----------
    parts : sequence of Part, or PartTable
        Granules in any order, not overlapping in time. Without any (or with empty ones only) the
        Dataset is empty, and variables without time that no granule can tell are NaN, NaT, 0 or "".
    layout : Layout
        What every granule looks like.
    drop_variables : str or iterable of str
        Variables to leave out.

    Raises
    ------
    StoreError
        When granules overlap in time; later, while reading, when a granule is gone or damaged.
    """
    table = parts if isinstance(parts, PartTable) else PartTable.of(parts)
    drop = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
    source = next(iter(table.paths), None)
    if source is None and not isinstance(parts, PartTable):
        source = next((p.path for p in parts), None)
    chunks = {"preferred_chunks": {"time": table.sizes}} if table.paths else {}
    data: dict[str, xr.Variable] = {}
    coords: dict[str, xr.Variable] = {}
    indexes: dict[str, xr.Index] = {}
    for var in layout.variables:
        if var.name in drop:
            continue
        if var.dims == ("time",) and var.name == "time":
            index = TimeIndex(Timeline(table, var.name), range(table.records))
            (variable,) = index.create_variables().values()
            variable.attrs.update(_attrs(var))
            indexes[var.name] = index
        else:
            encoding = dict(chunks) if var.in_time else {}
            variable = xr.Variable(var.dims, _data(var, table, source), _attrs(var), encoding)
            if var.coordinate and var.dims == (var.name,):
                indexes[var.name] = PandasIndex.from_variables({var.name: variable}, options={})
                variable = indexes[var.name].create_variables({var.name: variable})[var.name]
        (coords if var.coordinate else data)[var.name] = variable
    return xr.Dataset(data, xr.Coordinates(coords, indexes=indexes), dict(layout.attrs))


def _attrs(var: VarLayout) -> dict[str, Any]:
    return dict(var.attrs)


def _data(var: VarLayout, table: PartTable, source: str | None) -> Any:
    dtype = np.dtype(var.dtype)
    if var.in_time:
        return LazyArray(ConcatArray(table, var.name, var.shape, dtype))
    if source is not None:
        return LazyArray(StaticArray(source, var.name, var.shape, dtype))
    unknown = np.full(var.shape, _UNKNOWN.get(dtype.kind, 0)).astype(dtype)
    return unknown if unknown.ndim else np.asarray(unknown)


_UNKNOWN: dict[str, Any] = {"f": np.nan, "c": np.nan, "M": np.datetime64("NaT", "ns"), "U": ""}
