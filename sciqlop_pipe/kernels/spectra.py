"""Averages of f over directions, energy by energy."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST
from .lanes import (
    LANES,
    SCALE,
    at_least_lanes,
    cleaned,
    fetch,
    lanes,
    measured,
    multiply_add,
    put,
    run_at,
    spread,
)


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
    times, directions, energies = f.shape
    mean = np.empty((times, energies), np.float32)
    coverage = np.empty((times, energies), np.float32)
    total = np.empty(max(energies, LANES), np.float32)
    seen = np.empty(max(energies, LANES), np.float32)
    sheet = np.zeros((directions, LANES), np.float32)
    for t in range(times):
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        rows, following = at_least_lanes(f[t], sheet), f[min(t + 1, times - 1)].reshape(-1)
        # A NaN anywhere makes its energy NaN: only then look at every bin.
        if not _sum_all(rows, following, omega, total, seen):
            _sum_measured(rows, omega, total, seen)
        for e in range(energies):
            there = seen[e] > 0
            mean[t, e] = total[e] * np.float32(1 / SCALE) / seen[e] if there else np.nan
            coverage[t, e] = min(seen[e] / (4 * np.pi), 1.0)
    return mean, coverage


# Two totals in turn: one alone would have to wait for every addition to end.
@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_all(f, following, omega, total, seen):
    directions, size = f.shape
    sphere = np.float32(0)
    for w in omega:
        sphere += w
    seen[:] = sphere
    for start in range(0, size, LANES):
        e = run_at(start, size)
        even = odd = spread(0.0)
        for d in range(0, directions - 1, 2):
            fetch(following, d * size + e)
            fetch(following, (d + 1) * size + e)
            even = multiply_add(omega[d], cleaned(lanes(f[d], e)), even)
            odd = multiply_add(omega[d + 1], cleaned(lanes(f[d + 1], e)), odd)
        if directions % 2:
            even = multiply_add(omega[directions - 1], cleaned(lanes(f[directions - 1], e)), even)
        put(total, e, multiply_add(1.0, even, odd))
    every = sphere
    for x in total[:size]:
        every += abs(x)
    return abs(every) <= LARGEST


@njit(nogil=True, cache=True)
def _sum_measured(f, omega, total, seen):
    size = f.shape[1]
    for start in range(0, size, LANES):
        e = run_at(start, size)
        inside = sphere = spread(0.0)
        for d in range(omega.size):
            if omega[d] > 0:
                value, there = measured(cleaned(lanes(f[d], e)))
                inside = multiply_add(omega[d], value, inside)
                sphere = multiply_add(omega[d], there, sphere)
        put(total, e, inside)
        put(seen, e, sphere)
