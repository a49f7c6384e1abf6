"""Records of one clock on another: every number depends on its own two neighbours only."""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 256
"""Times that are joined at once: columns of a few series stay in the processor's first cache."""
_UNROLLED = 4


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
    values : ndarray float32 or float64 (record, column)
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
    # A tuple's length is known to the compiler, which then unrolls: vectors in a third of the time.
    # For wider rows it gains a third, and compiling takes seconds for every other width.
    width = values.shape[1]
    columns = (0,) * width if width <= _UNROLLED else np.empty(width, np.int8)
    return _between(time, values, at, reach, columns)


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
def first_not_later(time):
    """Return the first record that is not later than the one before, -1 without one."""
    fewer = 0
    before, after = time[:-1], time[1:]
    for i in range(after.size):
        fewer += after[i] <= before[i]
    if fewer:
        for i in range(after.size):
            if after[i] <= before[i]:
                return i + 1
    return -1


@njit(nogil=True, cache=True)
def _between(time, values, at, reach, columns):
    out = np.empty((at.size, len(columns)))
    sheet = np.empty((len(columns), BLOCK))
    spare = np.empty((len(columns) + 1, BLOCK + 1))
    place = 0
    for start in range(0, at.size, BLOCK):
        want = at[start : start + BLOCK]
        place = fill_between(time, values, want, reach, columns, place, spare, sheet)
        here = out[start : start + BLOCK]
        for i in range(want.size):
            for c in range(len(columns)):
                here[i, c] = sheet[c, i]
    return out


@njit(nogil=True, cache=True)
def fill_between(time, values, at, reach, columns, place, spare, out):
    """Fill `out` (column, at) as `between_neighbours` does, at most `BLOCK` times.

    Two clocks of one cadence stay in step for long: where each time of the block lies between
    the next two records, columns of records become columns of values without a branch. Other
    blocks are walked time by time. Both give the same numbers.

    Parameters
    ----------
    columns : tuple or ndarray
        As many items as there are columns.
    place : int
        Where the record after the first time is expected, as returned for the block before.
    spare : ndarray float64 (column + 1, BLOCK + 1)
        Room to work in.

    Returns
    -------
    place : int
        Where the record after the first time of the next block is expected.
    """
    place = _place(time, at[0], place)
    after = place + at.size
    whole = False
    if after <= len(time) and (at.size == 1 or time[after - 2] < at[-1] <= time[after - 1]):
        if _same(time[place:after], at):
            fill_columns(values[place:after], columns, out)
            whole = _finite(out, columns, at.size)
        elif place > 0:
            part = spare[len(columns)]
            if _in_step(time[place - 1 : after], at, reach, part):
                fill_columns(values[place - 1 : after], columns, spare)
                for c in range(len(columns)):
                    _lines(spare[c], part, at.size, out[c])
                whole = _finite(out, columns, at.size)
    if whole:
        return after
    return _fill_walking(time, values, at, reach, columns, place, out)


@njit(nogil=True, cache=True)
def fill_columns(values, columns, out):
    """Fill `out` (column, record) with values (record, column), as float64."""
    for c in range(len(columns)):
        to = out[c]
        for i in range(len(values)):
            to[i] = values[i, c]


@njit(nogil=True, cache=True)
def _place(time, want, place):
    """Return the first record that is not before a time, where it was expected or by search."""
    if 0 < place < len(time) and time[place - 1] < want <= time[place]:
        return place
    return np.searchsorted(time, want)


@njit(nogil=True, cache=True)
def _same(time, at):
    other = 0
    for i in range(at.size):
        other |= time[i] ^ at[i]
    return other == 0


@njit(nogil=True, cache=True, error_model="numpy")
def _in_step(time, at, reach, part):
    """Tell whether each time lies between records i and i + 1, and fill in at which part."""
    before, after = time[:-1], time[1:]
    outside = 0
    for i in range(at.size):
        long, past = after[i] - before[i], at[i] - before[i]
        outside |= (past - 1) | (long - past) | (reach - long)
        part[i] = past / long
    return outside >= 0


@njit(nogil=True, cache=True)
def _lines(values, part, size, out):
    before, after = values[:-1], values[1:]
    for i in range(size):
        between = before[i] + part[i] * (after[i] - before[i])
        out[i] = after[i] if part[i] == 1.0 else between


@njit(nogil=True, cache=True)
def _finite(columns_of, columns, size):
    holes = 0
    for c in range(len(columns)):
        column = columns_of[c]
        for i in range(size):
            holes += not abs(column[i]) < np.inf
    return holes == 0


@njit(nogil=True, cache=True)
def _fill_walking(time, values, at, reach, columns, place, out):
    records = len(values)
    before, after = -1, 0
    for i in range(at.size):
        want = at[i]
        if i == 0 or want < at[i - 1]:
            after = place if i == 0 else np.searchsorted(time, want)
            before = _finite_before(values, after, columns)
            after = _finite_from(values, after, columns)
        while after < records and time[after] < want:
            before = after
            after = _finite_from(values, after + 1, columns)
        if after < records and time[after] == want:
            for c in range(len(columns)):
                out[c, i] = values[after, c]
        elif before >= 0 and after < records and time[after] - time[before] <= reach:
            part = (want - time[before]) / (time[after] - time[before])
            for c in range(len(columns)):
                low = np.float64(values[before, c])
                out[c, i] = low + part * (np.float64(values[after, c]) - low)
        else:
            for c in range(len(columns)):
                out[c, i] = np.nan
    return after


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
