"""Means of f over bins of any angle, energy by energy."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST, TINY


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def means_of_bins(f, which, parts, solid_angle, whole):
    """Solid-angle means of f in bins that rays belong to, and the part of each bin measured.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        NaN = not measured.
    which : ndarray int16 (time or 1, row x part, column x part)
        The bin of every ray, -1 for none.
    parts : int
        Rays per direction along either angle.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr]; 0 = the direction does not exist.
    whole : ndarray float32 (bin,)
        Solid angles of the bins [sr].

    Returns
    -------
    mean, coverage : ndarray float32 (time, bin, energy)
        In the units of f, NaN where nothing is measured; and 0 to 1.
    """
    times, _, energies = f.shape
    bins = whole.size
    mean = np.zeros((times, bins, energies), np.float32)
    seen = np.zeros((times, bins, energies), np.float32)
    weight = np.zeros(bins, np.float32)
    each = np.float32(1.0 / (parts * parts))
    for t in range(times):
        of = which[t if which.shape[0] > 1 else 0]
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        d = 0
        for row in range(0, of.shape[0], parts):
            for column in range(0, of.shape[1], parts):
                low, high = bins, -1
                for i in range(row, row + parts):
                    for j in range(column, column + parts):
                        k = of[i, j]
                        if k >= 0:
                            weight[k] += omega[d] * each
                            low, high = min(low, k), max(high, k)
                for k in range(low, high + 1):
                    w = weight[k]
                    weight[k] = 0
                    if w > 0:
                        for e in range(energies):
                            x = f[t, d, e]
                            there = abs(x) <= LARGEST
                            mean[t, k, e] += w * x if there and not abs(x) < TINY else np.float32(0)
                            seen[t, k, e] += w if there else np.float32(0)
                d += 1
        for k in range(bins):
            for e in range(energies):
                mean[t, k, e] = mean[t, k, e] / seen[t, k, e]
                seen[t, k, e] = min(seen[t, k, e] / whole[k], np.float32(1))
    return mean, seen
