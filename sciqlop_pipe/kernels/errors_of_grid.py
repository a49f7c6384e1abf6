"""Statistical errors of moments on a grid: sums over azimuths, then colatitudes, then energies."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST

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

_GROUP = 8
"""Rows added at once: as many as the compiler will test for overlap with the result."""

_NOTHING = np.float32(1e-18)
"""Errors of n per bin and steradian [cm^-3] that count as zero: their squares are denormal."""


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def moment_variances_of_grid(f, error, energy, used, table, weights, azimuth, polar, sums):
    """Return the variances of `moment_variances` on a grid of azimuth times colatitude.

    The squares of all sums are sums over products of two factors of azimuth, two of colatitude
    and two powers of the speed. Summed in this order, every step but the last is the sum of whole
    rows, and nothing is made per direction.

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
    out = np.full((times, 2, 8), np.nan)
    counts = np.zeros(times)
    # Whole groups of rows: those beyond the grid stay zero.
    wide, deep = -(-rows // _GROUP) * _GROUP, -(-columns // _GROUP) * _GROUP
    square = np.zeros((wide, columns * energies), np.float32)
    empty = np.zeros((wide, columns * energies), np.float32)
    around = np.zeros((10, wide), np.float32)
    down = np.zeros((22, deep), np.float32)
    one = np.empty((2, 10, deep * energies), np.float32)
    one[:, :, columns * energies :] = 0
    both = np.empty((2, 22, energies), np.float32)
    level = np.empty(energies, np.float32)
    for t in range(times):
        if not sums[t, 0] > 0:
            continue
        r = table[t]
        w = weights[r]
        counts[t] = _squares(f[t], error[t], energy[r], used[r], w[0], square, empty, level)
        if not counts[t] > 0:
            continue
        _products_around(azimuth[t if azimuth.shape[0] > 1 else 0], around)
        _products_down(polar[t if polar.shape[0] > 1 else 0], down)
        _sum_azimuths(around, square, one[0])
        _sum_azimuths(around, empty, one[1])
        for k in range(2):
            _sum_columns(down, one[k], both[k])
        for j in range(both.shape[1]):
            _add_levels(level, both[0, j], both[1, j])
        for k in range(2):
            _propagate(both[k], w, sums[t], out[t, k])
    return out, counts


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _squares(f, error, energy, used, volume, square, empty, level):
    """Fill (error x volume)^2 of bins with counts, 1 for empty ones; return all counts.

    `level` (energy) becomes (one count x volume)^2; see `counted_and_empty`.
    """
    energies = energy.size
    size = square.shape[1]
    # Rows of all colatitudes at once: short loops would cost as much as what they do.
    x, s = f.reshape(-1), error.reshape(-1)
    scale = np.empty(size, np.float32)
    for i in range(0, size, energies):
        for e in range(energies):
            scale[i + e] = volume[e]
    tables = np.zeros((4, size), np.float32)
    for p in range(x.size // size):
        at = slice(p * size, (p + 1) * size)
        _square_rows(x[at], s[at], scale, square[p], empty[p], tables)
    sums = np.zeros((4, energies), np.float32)
    for k in range(4):
        for i in range(0, size, energies):
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
                y = one[k] / bins[k] * (energy[k] / energy[e]) ** 2 * volume[e]
                level[e] = y * y
    return total


# Two results per loop, so that few pairs of arrays could overlap: with more nothing is vectorised.
@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _square_rows(f, error, scale, square, empty, tables):
    zero, unit = np.float32(0), np.float32(1)
    one, counts, bins, none = tables[0], tables[1], tables[2], tables[3]
    for i in range(square.size):
        x, s = f[i], error[i]
        there = (x > 0) & (s > 0) & (x <= LARGEST) & (s <= LARGEST)
        s = s if there else zero
        square[i] = s
        one[i] += s * (s / (x if there else unit))
    for i in range(square.size):
        x, s = f[i], square[i]
        there = s > 0
        ratio = (x if there else zero) / (s if there else unit)
        counts[i] += ratio * ratio
        bins[i] += unit if there else zero
    for i in range(square.size):
        gap = unit if f[i] == 0 else zero
        empty[i] = gap
        none[i] += gap
    for i in range(square.size):
        y = square[i] * scale[i]
        y = y if y > _NOTHING else zero
        square[i] = y * y


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


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_azimuths(around, rows, out):
    """Fill `out` (product, column x energy) with sums of rows (row, column x energy)."""
    size = rows.shape[1]
    out[:, :size] = 0
    for p in range(0, around.shape[1], _GROUP):
        for m in range(out.shape[0]):
            _add_rows(
                around[m, p : p + _GROUP],
                rows[p], rows[p + 1], rows[p + 2], rows[p + 3],
                rows[p + 4], rows[p + 5], rows[p + 6], rows[p + 7],
                out[m, :size],
            )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_rows(w, x0, x1, x2, x3, x4, x5, x6, x7, total):
    a, b, c, d = w[0], w[1], w[2], w[3]
    g, h, k, m = w[4], w[5], w[6], w[7]
    for i in range(total.size):
        total[i] += (
            a * x0[i] + b * x1[i] + c * x2[i] + d * x3[i]
            + g * x4[i] + h * x5[i] + k * x6[i] + m * x7[i]
        )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_columns(down, rows, out):
    """Fill `out` (product, energy) with sums of rows (azimuth product, column x energy)."""
    out[:] = 0
    energies = out.shape[1]
    for j in range(out.shape[0]):
        x = rows[_DOWN[j, 0]].reshape(-1, energies)
        for q in range(0, down.shape[1], _GROUP):
            _add_rows(
                down[j, q : q + _GROUP],
                x[q], x[q + 1], x[q + 2], x[q + 3], x[q + 4], x[q + 5], x[q + 6], x[q + 7],
                out[j],
            )  # fmt: skip


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
    for j in range(rows.shape[0]):
        for k in range(6):
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
