"""Records of one clock on another: every number depends on its own two neighbours only."""

from __future__ import annotations

import numpy as np
from numba import njit


def between_neighbours(
    time: np.ndarray, values: np.ndarray, at: np.ndarray, reach: int
) -> np.ndarray:
    """Values on the line between the two records around each time, (at, column).

    Records with a value that is not finite do not count. NaN before the first and after the last
    record, and where the two are further apart than `reach`; a record at the very time is taken
    as it is.

    Parameters
    ----------
    time : ndarray int64 (record)
        Ascending [ns].
    values : ndarray float64 (record, column)
        Of any unit.
    at : ndarray int64 (at)
        Times wanted [ns]; fast where they ascend.
    reach : int
        Longest distance between two neighbours [ns].

    Returns
    -------
    values : ndarray float64 (at, column)
        In the units of the values.
    """
    # A tuple's length is known to the compiler, which then unrolls: three times as fast.
    return _between(time, values, at, reach, (0,) * values.shape[1])


@njit(nogil=True, cache=True)
def whole_rows(a, b, c, d):
    """Tell in which rows four vectors (row, 3) are finite, bool (row,)."""
    out = np.empty(len(a), np.bool_)
    for i in range(len(a)):
        out[i] = (
            _sum(a, i, (0, 0, 0))
            + _sum(b, i, (0, 0, 0))
            + _sum(c, i, (0, 0, 0))
            + _sum(d, i, (0, 0, 0))
            < np.inf
        )
    return out


@njit(nogil=True, cache=True)
def _between(time, values, at, reach, columns):
    out = np.empty((at.size, len(columns)))
    fill_between(time, values, at, reach, columns, out)
    return out


@njit(nogil=True, cache=True)
def fill_between(time, values, at, reach, columns, out):
    """Fill `out` (at, column) as `between_neighbours` does; `columns` has their number of items."""
    records = len(values)
    before, after = -1, 0
    for i in range(at.size):
        want = at[i]
        if i == 0 or want < at[i - 1]:
            after = np.searchsorted(time, want)
            before = _finite_before(values, after, columns)
            after = _finite_from(values, after, columns)
        while after < records and time[after] < want:
            before = after
            after = _finite_from(values, after + 1, columns)
        if after < records and time[after] == want:
            for c in range(len(columns)):
                out[i, c] = values[after, c]
        elif before >= 0 and after < records and time[after] - time[before] <= reach:
            part = (want - time[before]) / (time[after] - time[before])
            for c in range(len(columns)):
                low = float(values[before, c])
                out[i, c] = low + part * (float(values[after, c]) - low)
        else:
            out[i] = np.nan


@njit(nogil=True, cache=True)
def _finite_from(values, i, columns):
    while i < len(values) and not _sum(values, i, columns) < np.inf:
        i += 1
    return i


@njit(nogil=True, cache=True)
def _finite_before(values, i, columns):
    i -= 1
    while i >= 0 and not _sum(values, i, columns) < np.inf:
        i -= 1
    return i


@njit(nogil=True, cache=True)
def _sum(values, i, columns):
    """Return a number that is below infinity if all values of a row are finite."""
    total = 0.0
    for c in range(len(columns)):
        total += abs(values[i, c])
    return total
