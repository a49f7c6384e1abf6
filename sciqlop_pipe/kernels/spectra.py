"""Averages of f over directions, energy by energy."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST, TINY


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def solid_angle_mean(f, solid_angle):
    """Mean of f over the measured directions, and the part of the sphere they make up.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        NaN = not measured.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr]; NaN or 0 = the direction does not exist.

    Returns
    -------
    mean, coverage : ndarray float32 (time, energy)
        In the units of f, NaN where no direction is measured; and 0 to 1.
    """
    times, _, energies = f.shape
    mean = np.empty((times, energies), np.float32)
    coverage = np.empty((times, energies), np.float32)
    total = np.empty(energies, np.float32)
    seen = np.empty(energies, np.float32)
    for t in range(times):
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        # A NaN anywhere makes its energy NaN: only then look at every bin.
        if not _sum_all(f[t], omega, total, seen):
            _sum_measured(f[t], omega, total, seen)
        for e in range(energies):
            mean[t, e] = total[e] / seen[e] if seen[e] > 0 else np.nan
            coverage[t, e] = min(seen[e] / (4 * np.pi), 1.0)
    return mean, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_all(f, omega, total, seen):
    total[:] = 0
    sphere = np.float32(0)
    for d in range(omega.size):
        w, row = omega[d], f[d]
        sphere += w
        for e in range(total.size):
            total[e] += w * (row[e] if not abs(row[e]) < TINY else np.float32(0))
    seen[:] = sphere
    every = sphere
    for e in range(total.size):
        every += total[e]
    return abs(every) <= LARGEST


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_measured(f, omega, total, seen):
    total[:] = 0
    seen[:] = 0
    for d in range(omega.size):
        w, row = omega[d], f[d]
        if w > 0:
            for e in range(total.size):
                x = row[e]
                there = abs(x) <= LARGEST
                total[e] += w * x if there and not abs(x) < TINY else np.float32(0)
                seen[e] += w if there else np.float32(0)
