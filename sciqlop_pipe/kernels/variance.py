"""Means and covariances of vectors over stretches of records."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH

_LARGEST = np.finfo(np.float64).max


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def covariances(x, first, last):
    """Number of whole records, their mean and their covariance, per stretch.

    Parameters
    ----------
    x : ndarray float64 (record, 3)
        Vectors; a record with a component that is not finite does not count.
    first, last : ndarray int64 (stretch)
        Records [first, last) of each stretch.

    Returns
    -------
    count : ndarray int64 (stretch)
    mean : ndarray float64 (stretch, 3)
        In the units of x; NaN for a stretch without records.
    covariance : ndarray float64 (stretch, 3, 3)
        <x_i x_j> - <x_i><x_j>, in their square.
    """
    n = first.size
    count = np.zeros(n, np.int64)
    mean = np.full((n, 3), np.nan)
    covariance = np.full((n, 3, 3), np.nan)
    s = np.empty(9)
    for w in range(n):
        a, b = first[w], last[w]
        while a < b and not _whole(x, a):
            a += 1
        if a >= b:
            continue
        # Sums are of differences to the first vector: a small variance keeps its digits.
        _sums(x[a:b], s)
        found = b - a
        if not abs(s[3] + s[6] + s[8]) <= _LARGEST:
            found = _sums_of_whole(x, a, b, s)
        count[w] = found
        for i in range(3):
            mean[w, i] = x[a, i] + s[i] / found
        at = 3
        for i in range(3):
            for j in range(i, 3):
                c = s[at] / found - (s[i] / found) * (s[j] / found)
                covariance[w, i, j] = c
                covariance[w, j, i] = c
                at += 1
    return count, mean, covariance


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _whole(x, t):
    return abs(x[t, 0]) <= _LARGEST and abs(x[t, 1]) <= _LARGEST and abs(x[t, 2]) <= _LARGEST


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sums(x, s):
    x0, y0, z0 = x[0, 0], x[0, 1], x[0, 2]
    sx = sy = sz = xx = xy = xz = yy = yz = zz = 0.0
    for t in range(x.shape[0]):
        dx, dy, dz = x[t, 0] - x0, x[t, 1] - y0, x[t, 2] - z0
        sx += dx
        sy += dy
        sz += dz
        xx += dx * dx
        xy += dx * dy
        xz += dx * dz
        yy += dy * dy
        yz += dy * dz
        zz += dz * dz
    s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8] = sx, sy, sz, xx, xy, xz, yy, yz, zz


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sums_of_whole(x, a, b, s):
    s[:] = 0.0
    found = 0
    d = np.empty(3)
    for t in range(a, b):
        if not _whole(x, t):
            continue
        found += 1
        at = 3
        for i in range(3):
            d[i] = x[t, i] - x[a, i]
            s[i] += d[i]
        for i in range(3):
            for j in range(i, 3):
                s[at] += d[i] * d[j]
                at += 1
    return found
