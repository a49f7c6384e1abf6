"""Statistical errors of moments on a grid: sums over azimuths, then colatitudes, then energies."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST
from .lanes import (
    LANES,
    above,
    at_least_lanes,
    equal,
    fetch,
    lanes,
    multiply_add,
    put,
    reciprocal,
    run_at,
    spread,
)

_AROUND = np.array([(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 2), (3, 3), (1, 3), (2, 3), (1, 2)])
"""Products of two azimuth factors, of 1, cos, sin, cos 2phi, that squares of the moments have."""

_DOWN = np.array(
    [
        (0, 0, 0), (0, 2, 0), (0, 2, 2), (0, 3, 3), (0, 3, 0), (0, 5, 5), (0, 5, 2), (0, 5, 0),
        (1, 1, 0), (2, 1, 0), (1, 3, 1), (2, 3, 1), (1, 1, 2), (2, 1, 2), (3, 3, 4), (3, 4, 0),
        (4, 1, 1), (5, 1, 1), (6, 4, 4), (7, 4, 1), (8, 4, 1), (9, 1, 1),
    ]
)  # fmt: skip
"""Row of `_AROUND` and the two polar factors that go with it."""

_NEEDED = np.array(
    [
        (0, 0), (0, 2), (0, 5), (1, 1), (1, 4), (2, 3), (3, 5), (4, 2), (5, 5), (6, 4), (7, 2),
        (8, 1), (8, 4), (9, 1), (9, 4), (10, 4), (11, 4), (12, 3), (13, 3), (14, 5), (15, 2),
        (16, 3), (17, 3), (18, 5), (19, 4), (20, 4), (21, 3),
    ]
)  # fmt: skip
"""Row of `_DOWN` and power of the speed that goes with it: 1, u, v, uu, uv, vv (`_propagate`)."""

_SCALE = 2.0**50
"""What f and errors are multiplied by: their product is then a normal number for f above 1e-33."""

_LEAST = np.float32(1e-37)

_NOTHING = np.float32(1e-18)
"""Errors of n per bin and steradian [cm^-3] that count as zero: their squares are denormal."""


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def moment_variances_of_grid(f, error, energy, used, table, weights, azimuth, polar, sums):
    """Return the variances of `moment_variances` on a grid of azimuth times colatitude.

    The squares of all sums are sums over products of two factors of azimuth, two of colatitude
    and two powers of the speed. Summed in this order, with energies side by side, nothing is made
    per direction, and f and its errors are read once.

    Parameters
    ----------
    f, error, energy, used, table, weights, sums
        As there; the directions are rows of equal azimuth one after the other.
    azimuth : ndarray float32 (time or 1, 5, row)
        From `azimuth_factors`.
    polar : ndarray float32 (time or 1, 7, column)
        From `polar_factors`.
    """
    times, _, energies = f.shape
    rows, columns = azimuth.shape[2], polar.shape[2]
    size = columns * energies
    out = np.full((times, 2, 8), np.nan)
    counts = np.zeros(times)
    around, down = np.empty((10, rows), np.float32), np.empty((22, columns), np.float32)
    # Beyond the end lanes read zeros that nobody uses.
    one = np.zeros((2, 10, size + LANES), np.float32)
    tables = np.zeros((4, size + LANES), np.float32)
    both = np.empty((2, 22, max(energies, LANES)), np.float32)
    volume, level = np.zeros(size + LANES, np.float32), np.empty(energies, np.float32)
    sheet, other = np.zeros((rows, LANES), np.float32), np.zeros((rows, LANES), np.float32)
    for t in range(times):
        if not sums[t, 0] > 0:
            continue
        r = table[t]
        for i in range(0, size, energies):
            for e in range(energies):
                volume[i + e] = weights[r, 0, e] * np.float32(1 / _SCALE)
        _products_around(azimuth[t if azimuth.shape[0] > 1 else 0], around)
        _products_down(polar[t if polar.shape[0] > 1 else 0], down)
        x = at_least_lanes(f[t].reshape(rows, size), sheet)
        s = at_least_lanes(error[t].reshape(rows, size), other)
        after = min(t + 1, times - 1)
        following = f[after].reshape(-1), error[after].reshape(-1)
        _sum_counted(x, s, following, volume, around, one[0], tables)
        _sum_empty(x, around, one[1], tables)
        counts[t] = _levels(tables, energy[r], used[r], weights[r, 0], level)
        if not counts[t] > 0:
            continue
        _sum_columns(down, one, both, energies)
        for j in range(both.shape[1]):
            _add_levels(level, both[0, j], both[1, j])
        for k in range(2):
            _propagate(both[k], weights[r], sums[t], out[t, k])
    return out, counts


@njit(nogil=True, cache=True)
def _sum_counted(f, error, following, volume, around, out, tables):
    """Sum over rows `around` times (error x volume)^2 of bins with counts.

    `out` (product, column x energy) takes these, three rows of `tables` (4, column x energy) the
    sums of one count, of counts and of bins with counts; see `errors.counted_and_empty`.
    """
    rows, size = f.shape
    for start in range(0, size, LANES):
        i = run_at(start, size)
        bin_volume = lanes(volume, i)
        one = counts = bins = spread(0.0)
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = spread(0.0)
        for p in range(rows):
            fetch(following[0], start * rows + p * LANES)
            fetch(following[1], start * rows + p * LANES)
            x = multiply_add(lanes(f[p], i), _SCALE, 0.0)
            s = multiply_add(above(x, 0.0, lanes(error[p], i), 0.0), _SCALE, 0.0)
            product = multiply_add(x, s, 0.0)
            there = above(LARGEST, product, above(product, _LEAST, 1.0, 0.0), 0.0)
            x, s = above(there, 0.0, x, 0.0), above(there, 0.0, s, 0.0)
            # One division serves f/s and s/f.
            inverse = reciprocal(above(there, 0.0, product, 1.0))
            ratio = multiply_add(x, multiply_add(x, inverse, 0.0), 0.0)
            counts = multiply_add(ratio, ratio, counts)
            one = multiply_add(s, multiply_add(s, multiply_add(s, inverse, 0.0), 0.0), one)
            bins = multiply_add(1.0, there, bins)
            square = multiply_add(s, bin_volume, 0.0)
            square = above(square, _NOTHING, square, 0.0)
            square = multiply_add(square, square, 0.0)
            a0 = multiply_add(around[0, p], square, a0)
            a1 = multiply_add(around[1, p], square, a1)
            a2 = multiply_add(around[2, p], square, a2)
            a3 = multiply_add(around[3, p], square, a3)
            a4 = multiply_add(around[4, p], square, a4)
            a5 = multiply_add(around[5, p], square, a5)
            a6 = multiply_add(around[6, p], square, a6)
            a7 = multiply_add(around[7, p], square, a7)
            a8 = multiply_add(around[8, p], square, a8)
            a9 = multiply_add(around[9, p], square, a9)
        for m, total in enumerate((a0, a1, a2, a3, a4, a5, a6, a7, a8, a9)):
            put(out[m], i, total)
        for m, total in enumerate((one, counts, bins)):
            put(tables[m], i, total)


@njit(nogil=True, cache=True)
def _sum_empty(f, around, out, tables):
    """Sum over rows `around` times 1 of bins without counts, and count them in tables[3]."""
    rows, size = f.shape
    for start in range(0, size, LANES):
        i = run_at(start, size)
        none = spread(0.0)
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = spread(0.0)
        for p in range(rows):
            gap = equal(lanes(f[p], i), 0.0, 1.0, 0.0)
            none = multiply_add(1.0, gap, none)
            a0 = multiply_add(around[0, p], gap, a0)
            a1 = multiply_add(around[1, p], gap, a1)
            a2 = multiply_add(around[2, p], gap, a2)
            a3 = multiply_add(around[3, p], gap, a3)
            a4 = multiply_add(around[4, p], gap, a4)
            a5 = multiply_add(around[5, p], gap, a5)
            a6 = multiply_add(around[6, p], gap, a6)
            a7 = multiply_add(around[7, p], gap, a7)
            a8 = multiply_add(around[8, p], gap, a8)
            a9 = multiply_add(around[9, p], gap, a9)
        for m, total in enumerate((a0, a1, a2, a3, a4, a5, a6, a7, a8, a9)):
            put(out[m], i, total)
        put(tables[3], i, none)


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _levels(tables, energy, used, volume, level):
    """Fill `level` (energy) with (one count x volume)^2, and return all counts."""
    energies = energy.size
    sums = np.zeros((4, energies))
    for k in range(4):
        for i in range(0, tables.shape[1] - LANES, energies):
            for e in range(energies):
                sums[k, e] += tables[k, i + e]
    one, counts, bins, none = sums[0], sums[1], sums[2], sums[3]
    total = 0.0
    level[:] = 0
    for e in range(energies):
        if not used[e]:
            continue
        total += counts[e]
        if none[e] == 0:
            continue
        level[e] = np.nan
        nearest = energies
        for k in range(energies):
            if used[k] and bins[k] > 0 and abs(k - e) < nearest:
                nearest = abs(k - e)
                y = one[k] / bins[k] * (energy[k] / energy[e]) ** 2 * (volume[e] / _SCALE)
                level[e] = y * y
    return total


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _products_around(azimuth, out):
    for m in range(out.shape[0]):
        a, b = azimuth[_AROUND[m, 0]], azimuth[_AROUND[m, 1]]
        for p in range(a.size):
            out[m, p] = a[p] * b[p]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _products_down(polar, out):
    for j in range(out.shape[0]):
        a, b = polar[_DOWN[j, 1]], polar[_DOWN[j, 2]]
        for q in range(a.size):
            out[j, q] = a[q] * b[q]


@njit(nogil=True, cache=True)
def _sum_columns(down, rows, out, energies):
    """Fill `out` (2, product, energy) with sums of rows (2, azimuth product, column x energy)."""
    for j in range(out.shape[1]):
        counted, empty = rows[0, _DOWN[j, 0]], rows[1, _DOWN[j, 0]]
        for start in range(0, energies, LANES):
            e = max(run_at(start, energies), 0)
            a = b = spread(0.0)
            for q in range(down.shape[1]):
                a = multiply_add(down[j, q], lanes(counted, q * energies + e), a)
                b = multiply_add(down[j, q], lanes(empty, q * energies + e), b)
            put(out[0, j], e, a)
            put(out[1, j], e, b)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_levels(level, counted, empty):
    for e in range(level.size):
        empty[e] = counted[e] + level[e] * empty[e]


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _propagate(rows, weights, sums, out):
    """Fill variances (8,) from sums over directions (product, energy); see `variances`."""
    n = sums[0]
    energies = weights.shape[1]
    powers = np.zeros((6, energies))
    for e in range(energies):
        w = np.float64(weights[0, e])
        u = weights[1, e] / w if w > 0 else 0.0
        v = weights[2, e] / w if w > 0 else 0.0
        powers[0, e], powers[1, e], powers[2, e] = 1.0, u, v
        powers[3, e], powers[4, e], powers[5, e] = u * u, u * v, v * v
    s = np.empty((rows.shape[0], 6))
    for m in range(_NEEDED.shape[0]):
        j, k = _NEEDED[m]
        total = 0.0
        for e in range(energies):
            total += rows[j, e] * powers[k, e]
        s[j, k] = total
    # Of w0 g, w1 g_i and w2 g_ii: products of two, per axis.
    whole = s[0, 0]
    first = (s[8, 1], s[9, 1], s[1, 1])
    flux = (s[16, 3], s[17, 3], s[2, 3])
    second = (s[4, 2] + s[15, 2], s[4, 2] - s[15, 2], s[7, 2])
    mixed = (s[10, 4] + s[19, 4], s[11, 4] - s[20, 4], s[6, 4])
    stress = (s[3, 5] + 2 * s[14, 5] + s[18, 5], s[3, 5] - 2 * s[14, 5] + s[18, 5], s[5, 5])
    energy_flux = (s[8, 4], s[9, 4], s[1, 4])
    out[0] = whole
    trace = s[0, 5]
    a_all = 0.0
    along = 0.0
    for i in range(3):
        v = sums[1 + i] / n
        a = 2 * v * v - sums[4 + i] / n
        out[1 + i] = (flux[i] - 2 * v * first[i] + v * v * whole) / n**2
        out[4 + i] = (
            stress[i] + 4 * v * v * flux[i] + a * a * whole
            - 4 * v * mixed[i] + 2 * a * second[i] - 4 * v * a * first[i]
        ) / n**2  # fmt: skip
        trace += 4 * v * v * flux[i] - 4 * v * energy_flux[i]
        along += v * first[i]
        a_all += a
    x, y, z = sums[1] / n, sums[2] / n, sums[3] / n
    trace += 8 * (x * y * s[21, 3] + x * z * s[12, 3] + y * z * s[13, 3])
    trace += a_all * a_all * whole + 2 * a_all * s[0, 2] - 4 * a_all * along
    out[7] = trace / (9 * n**2)
