"""Series of different cadence on one clock: means and near neighbours, never across a gap.

Two ways, each with its word. `nearby` interpolates linearly between the two records around a time,
if these are no further apart than a reach; nothing is extrapolated. `means` averages the records
within half an accumulation of a time, for series that are faster than the clock they join.
"""

from __future__ import annotations

import numpy as np

from ..granule import duration
from ..kernels.joining import between_neighbours
from ..kernels.windows import means_around


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
    """
    flat = np.ascontiguousarray(_columns(values))
    t, want = np.asarray(time).astype(np.int64), np.asarray(at).astype(np.int64)
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
    t, want = np.asarray(time).astype(np.int64), np.asarray(at).astype(np.int64)
    half = max(duration(accumulation) // 2, 1)
    columns = [means_around(t, np.ascontiguousarray(c), want, half) for c in flat.T]
    return np.stack(columns, axis=-1).reshape(want.size, *np.shape(values)[1:])


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
