"""Records as an archive lays them out, turned, scaled and freed of fill values in one pass."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def settle(stored, shape, strides, turned, factor, has_fill, fill, other, out):
    """Fill `out` with records in another order of axes, scaled, NaN for fill.

    A record is turned in the processor's cache, between the one reading and the one writing of
    memory, so that `out` may be the memory of `stored`.

    Parameters
    ----------
    stored : ndarray (record, number)
        As the numbers lie in memory.
    shape, strides : tuple of three int
        Of a record of the result: sizes of its axes, and how far apart in a stored one the
        numbers along them are.
    turned : bool
        Whether they are in another order there.
    factor : ndarray float32 (record or 1, first or 1, second or 1, third)
        What the numbers are multiplied with.
    has_fill : bool
        Whether there is a fill value.
    fill, other : numbers of the type of `stored`
        Two values that mean "none".
    out : ndarray float32 (record, number)
    """
    line, scale = np.empty(stored.shape[1], stored.dtype), np.empty(stored.shape[1], np.float32)
    for r in range(len(stored)):
        if r < len(factor):
            _spread(factor[r], shape, scale)
        if turned:
            _turn(stored[r], shape, strides, line)
        else:
            _copy(stored[r], line)
        _fill_scaled(line, scale, has_fill, fill, other, out[r])


@njit(nogil=True, cache=True)
def _copy(record, line):
    for i in range(line.size):
        line[i] = record[i]


@njit(nogil=True, cache=True)
def _turn(record, shape, strides, line):
    m, n, o = shape
    for i in range(m):
        for j in range(n):
            at = i * strides[0] + j * strides[1]
            to = line[(i * n + j) * o : (i * n + j + 1) * o]
            if strides[2] == 1:
                _copy(record[at:], to)
            else:
                _copy(record[at :: strides[2]], to)


@njit(nogil=True, cache=True)
def _spread(factor, shape, scale):
    """Fill `scale` with the factor of each number of a record."""
    m, n, o = shape
    for i in range(m):
        some = factor[i if len(factor) > 1 else 0]
        for j in range(n):
            _copy(some[j if len(some) > 1 else 0], scale[(i * n + j) * o : (i * n + j + 1) * o])


@njit(nogil=True, cache=True)
def _fill_scaled(line, scale, has_fill, fill, other, out):
    # Never `out[i] = f(out[i])`: the compiler vectorises only what does not overlap.
    nothing = np.float32(np.nan)
    for i in range(out.size):
        x = line[i]
        none = has_fill & ((x == fill) | (x == other))
        out[i] = nothing if none else np.float32(x * scale[i])


@njit(nogil=True, cache=True)
def half_a_turn(angles, rows, has_fill, fill, out):
    """Fill `out` with some records of azimuths [deg] half a turn on, 0 to 360, NaN for fill.

    Parameters
    ----------
    angles : ndarray float32 or float64 (record, number)
    rows : ndarray int64 (chosen)
        Which records. Where they ascend, `out` may be the first records of `angles`.
    has_fill : bool
        Whether there is a fill value.
    fill : number of the type of `angles`
        The value that means "none".
    out : ndarray float32 (chosen, number)
    """
    line = np.empty(angles.shape[1], angles.dtype)
    for r in range(rows.size):
        _copy(angles[rows[r]], line)
        if _turn_half(line, has_fill, fill, out[r]):
            _wrap(out[r])


@njit(nogil=True, cache=True)
def _turn_half(line, has_fill, fill, out):
    """Fill in angles half a turn on; tell how many are not within one turn."""
    beyond = 0
    for i in range(line.size):
        x = line[i]
        turned = x + np.float32(180)
        turned = turned - np.float32(360) if turned >= 360 else turned
        angle = np.float32(np.nan) if has_fill & (x == fill) else np.float32(turned)
        if (angle < 0) | (angle >= 360):
            beyond += 1
        out[i] = angle
    return beyond


@njit(nogil=True, cache=True)
def _wrap(angles):
    for i in range(angles.size):
        angles[i] = angles[i] % np.float32(360)


@njit(nogil=True, cache=True)
def like_the_first(values):
    """Tell whether all records (record, number) are the first one; NaN is like nothing."""
    first = values[0]
    for r in range(len(values)):
        record = values[r]
        other = 0
        for i in range(first.size):
            if record[i] != first[i]:
                other += 1
        if other:
            return False
    return True
