"""Series of different cadence on one clock: means and near neighbours, never across a gap.

Two ways, each with its word. `nearby` interpolates linearly between the two records around a time,
if these are no further apart than a reach; nothing is extrapolated. `means` averages the records
within half an accumulation of a time, for series that are faster than the clock they join.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from ..errors import DataTypeError
from ..granule import duration
from ..kernels.joining import between_neighbours, first_not_later
from ..kernels.windows import means_around


def ascending(time: np.ndarray, what: str) -> np.ndarray:
    """Times (record) as int64 [ns], once it is sure that they ascend.

    Datasets of a store do; what is made by hand may not, and windows and neighbours of records
    in another order would be wrong without a word.

    Raises
    ------
    DataTypeError
        When a time is not later than the one before.
    """
    t = np.asarray(time).astype("datetime64[ns]", copy=False).view(np.int64)
    t.flags.writeable = False  # of one type to numba, which would compile for every mixture of two
    k = first_not_later(t)
    if k > 0:
        raise DataTypeError(
            f"time does not increase at record {k} ({t[k].view('datetime64[ns]')})", what,
            "Sort the records by time and keep one of each time: ds.sortby('time')."
            "drop_duplicates('time')",
        )  # fmt: skip
    return t


def nearby(time: np.ndarray, values: np.ndarray, at: np.ndarray, reach: str) -> np.ndarray:
    """Values interpolated linearly between near neighbours, (at, ...) in the units of the values.

    Records that are not finite do not count. NaN before the first and after the last one, and
    where the neighbours are further apart than `reach`. A record at the very time is taken as it
    is, whatever its neighbours.

    Parameters
    ----------
    time : ndarray datetime64[ns] or int64 (record)
        Ascending.
    values : ndarray (record, ...)
        Of any unit.
    at : ndarray datetime64[ns] or int64 (at)
        Times wanted.
    reach : str
        Longest distance between two neighbours ("1s").

    Raises
    ------
    DataTypeError
        When times of records do not ascend.
    """
    flat = np.ascontiguousarray(_columns(values))
    t, want = ascending(time, "joining"), np.asarray(at).astype(np.int64)
    found = between_neighbours(t, flat, want, duration(reach))
    return found.reshape(want.size, *np.shape(values)[1:])


def means(time: np.ndarray, values: np.ndarray, at: np.ndarray, accumulation: str) -> np.ndarray:
    """Means of the finite records within half an accumulation of each time, (at, ...).

    NaN where there is none: nothing is filled in.

    Parameters
    ----------
    time : ndarray datetime64[ns] or int64 (record)
        Ascending.
    values : ndarray (record, ...)
        Of any unit.
    at : ndarray datetime64[ns] or int64 (at)
        Ascending centres.
    accumulation : str
        Whole width of the window, [centre - half, centre + half).
    """
    flat = _columns(values)
    t, want = ascending(time, "joining"), ascending(at, "joining")
    half = max(duration(accumulation) // 2, 1)
    columns = [means_around(t, np.ascontiguousarray(c), want, half) for c in flat.T]
    return np.stack(columns, axis=-1).reshape(want.size, *np.shape(values)[1:])


def counts(time: np.ndarray, known: np.ndarray, at: np.ndarray, accumulation: str) -> np.ndarray:
    """How many records `means` of those that are known would average at each time, (at).

    Parameters
    ----------
    time : ndarray datetime64[ns] or int64 (record)
        Ascending; equal ones may follow each other.
    known : ndarray of bool (record)
        Which records count.
    at : ndarray datetime64[ns] or int64 (at)
        Centres.
    accumulation : str
        As of `means`.
    """
    t, want = np.asarray(time).astype(np.int64)[known], np.asarray(at).astype(np.int64)
    half = max(duration(accumulation) // 2, 1)
    return np.searchsorted(t, want + half) - np.searchsorted(t, want - half)


def joined(
    time: np.ndarray, values: np.ndarray, at: np.ndarray, accumulation: str, reach: str
) -> np.ndarray:
    """Means over the accumulation where there are records in it, near neighbours elsewhere.

    One rule for series that are faster or slower than the clock they join; see `means` and
    `nearby` for the parameters.
    """
    mean = means(time, values, at, accumulation)
    between = nearby(time, values, at, reach)
    return np.where(np.isfinite(mean), mean, between)


def _columns(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    return values.reshape(values.shape[0], int(np.prod(values.shape[1:])))


def clock(time: np.ndarray) -> xr.Coordinates:
    """Coordinates of vectors on one clock: time (time) and component x, y, z.

    Given to `xr.Dataset` as they are; made anew by it from a list and an array they take a third
    of a millisecond, which is as long as a thousand samples take.

    Parameters
    ----------
    time : ndarray datetime64[ns] or int64 (time)
        Ascending, not to be changed any more.
    """
    index = PandasIndex(pd.DatetimeIndex(time.view("datetime64[ns]")), "time")
    axes = _axes()
    known = {**index.create_variables(), "component": axes.variables["component"]}
    return xr.Coordinates(known, {"time": index, "component": axes.xindexes["component"]})


@cache
def _axes() -> xr.Dataset:
    return xr.Dataset(coords={"component": ["x", "y", "z"]})
