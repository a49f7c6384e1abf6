"""f at points of velocity space: in the bin where a point lies, or between the bins around it.

Bins are looked up in the tables of `bin_tables`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST
from .bin_tables import AROUND, RADII
from .reduced import defined


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def sample_bins(f, basis, drift, first, second, third, around, sky, radii, fastest, out):
    """Fill a plane (time, first, second) with the mean of f over some depths, NaN where unknown.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        [s^3 m^-6]; NaN = not measured.
    basis, drift : ndarray float64 (time, 3, 3), (time, 3)
        Axes and velocity of the frame along them [Mm/s].
    first, second : ndarray float64
        Velocities along the first and second axis [Mm/s].
    third : ndarray float64 (depth, 2)
        Along the third one: an offset [Mm/s], plus a factor times the distance from zero in the
        plane. f is averaged over the depths where it is known.
    around : ndarray int16 (energy or 1, time or 1, AROUND)
        Row of each azimuth, -1 for none.
    sky : ndarray int16 (energy or 1, time or 1, down, row)
        Direction of each colatitude and row, -1 for none.
    radii : ndarray int16 (time or 1, RADII)
        From `bins_of_speed`.
    fastest : float
        Speed at which it ends [Mm/s].
    out : ndarray float32 (time, first, second)
        [s^3 m^-6].
    """
    n = second.size
    r, p, q = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    place, total, count = np.empty((3, n), np.float32), np.empty(n), np.empty(n, np.int32)
    for t in range(f.shape[0]):
        if not defined(basis[t], drift[t]):
            out[t] = np.nan
            continue
        mine = radii[t if radii.shape[0] > 1 else 0]
        a, s = t if around.shape[1] > 1 else 0, t if sky.shape[1] > 1 else 0
        for i in range(first.size):
            total[:], count[:] = 0, 0
            for k in range(third.shape[0]):
                places(basis[t], drift[t], first[i], second, third[k], fastest, place)
                for j in range(n):
                    r[j] = int(min(place[0, j] * RADII, np.float32(RADII)))
                    p[j] = min(int(place[1, j] * AROUND), AROUND - 1)
                    q[j] = min(int(place[2, j] * sky.shape[2]), sky.shape[2] - 1)
                for j in range(n):
                    e = mine[r[j]] if r[j] < RADII else -1
                    if e >= 0:
                        row = around[e if around.shape[0] > 1 else 0, a, p[j]]
                        if row >= 0:
                            d = sky[e if sky.shape[0] > 1 else 0, s, q[j], row]
                            if d >= 0 and abs(f[t, d, e]) <= LARGEST:
                                total[j] += f[t, d, e]
                                count[j] += 1
            for j in range(n):
                out[t, i, j] = total[j] / count[j] if count[j] else np.nan


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def places(basis, drift, first, second, third, fastest, out):
    """Fill (3, point) with the places 0 to 1 of points in tables of speed, azimuth, colatitude."""
    e1, e2, e3 = basis[0], basis[1], basis[2]
    w1 = first + drift[0]
    for j in range(second.size):
        w2 = second[j] + drift[1]
        w3 = third[0] + third[1] * np.sqrt(first * first + second[j] * second[j]) + drift[2]
        x = w1 * e1[0] + w2 * e2[0] + w3 * e3[0]
        y = w1 * e1[1] + w2 * e2[1] + w3 * e3[1]
        z = w1 * e1[2] + w2 * e2[2] + w3 * e3[2]
        across = x * x + y * y
        side = y / max(abs(x) + abs(y), 1e-30)
        out[0, j] = np.sqrt(across + z * z) / fastest
        out[1, j] = 0.25 * (1 + (side if x >= 0 else 2 - side))
        out[2, j] = 0.5 - 0.5 * z / max(abs(z) + np.sqrt(across), 1e-30)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def sample_between(
    f, basis, drift, first, second, third, around, sky, radii, fastest, levels, rows, columns,
    near, weight, columns_of_grid, full_circle, out
):  # fmt: skip
    """Fill a plane as `sample_bins` does, linearly between the bins around each point.

    Where the bin that holds a point was not measured there is nothing; neighbours that were not
    measured leave their weight to the others.

    Parameters
    ----------
    f, basis, drift, first, second, third, around, sky, radii, fastest, out
        As there.
    levels : ndarray float32 (time or 1, RADII + 1)
        Place of each speed among the energies.
    rows, columns : ndarray float32 (energy or 1, time or 1, AROUND + 1), (..., DOWN + 1)
        Place of each azimuth and colatitude among rows and columns of a grid; empty for a list.
    near, weight : ndarray int16, float32 (energy or 1, time or 1, down, around, NEAR)
        From `neighbours_of_list`; empty for a grid.
    columns_of_grid : int
        Number of colatitudes.
    full_circle : bool
        Whether the last row is beside the first.
    """
    n, energies = second.size, f.shape[2]
    place = np.empty((3, n), np.float32)
    which, part = np.empty(4, np.int64), np.empty(4, np.float32)
    total, count = np.empty(n), np.empty(n, np.int32)
    height = f.shape[1] // max(columns_of_grid, 1)
    plain = near.size == 0 and sky.shape[0] == rows.shape[0] == columns.shape[0] == 1
    plain = plain and energies > 1
    for t in range(f.shape[0]):
        if not defined(basis[t], drift[t]):
            out[t] = np.nan
            continue
        mine = radii[t if radii.shape[0] > 1 else 0]
        level = levels[t if levels.shape[0] > 1 else 0]
        a, s = t if around.shape[1] > 1 else 0, t if sky.shape[1] > 1 else 0
        for i in range(first.size):
            total[:], count[:] = 0, 0
            for k in range(third.shape[0]):
                places(basis[t], drift[t], first[i], second, third[k], fastest, place)
                for j in range(n):
                    r, p, q = place[0, j], place[1, j], place[2, j]
                    if r >= 1:
                        continue
                    e = mine[int(r * RADII)]
                    if e < 0:
                        continue
                    look = e if sky.shape[0] > 1 else 0
                    row = around[
                        e if around.shape[0] > 1 else 0, a, min(int(p * AROUND), AROUND - 1)
                    ]
                    if row < 0:
                        continue
                    d = sky[look, s, min(int(q * sky.shape[2]), sky.shape[2] - 1), row]
                    if d < 0 or not abs(f[t, d, e]) <= LARGEST:
                        continue
                    at = min(max(_table(level, r), np.float32(0)), np.float32(energies - 1))
                    low = min(int(at), max(energies - 2, 0))
                    over = at - np.float32(low)
                    if plain:
                        _corners(
                            _table(rows[0, t if rows.shape[1] > 1 else 0], p),
                            _table(columns[0, t if columns.shape[1] > 1 else 0], q),
                            height, columns_of_grid, full_circle, which, part,
                        )  # fmt: skip
                        # Nearly always all eight bins were measured, which one test tells.
                        value = _between(f[t], which, part, low, over)
                        if abs(value) <= LARGEST:
                            total[j] += value
                            count[j] += 1
                            continue
                    value, known = np.float32(0), np.float32(0)
                    for m in range(low, min(low + 2, energies)):
                        share = over if m > low else np.float32(1) - over
                        if m == low or sky.shape[0] > 1:
                            look = m if sky.shape[0] > 1 else 0
                            if near.size:
                                v = min(int(q * near.shape[2]), near.shape[2] - 1)
                                h = min(int(p * near.shape[3]), near.shape[3] - 1)
                                u = t if near.shape[1] > 1 else 0
                                for c in range(4):
                                    which[c] = near[look, u, v, h, c]
                                    part[c] = weight[look, u, v, h, c]
                            else:
                                x = look if rows.shape[0] > 1 else 0
                                y = look if columns.shape[0] > 1 else 0
                                _corners(
                                    _table(rows[x, t if rows.shape[1] > 1 else 0], p),
                                    _table(columns[y, t if columns.shape[1] > 1 else 0], q),
                                    height, columns_of_grid, full_circle, which, part,
                                )  # fmt: skip
                        for c in range(4):
                            g = f[t, which[c], m]
                            if abs(g) <= LARGEST:
                                value += share * part[c] * g
                                known += share * part[c]
                    if known > 0:
                        total[j] += value / known
                        count[j] += 1
            for j in range(n):
                out[t, i, j] = total[j] / count[j] if count[j] else np.nan


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _between(f, which, part, low, over):
    """F between four directions and two energies, NaN where one of the eight is."""
    below, above = np.float32(0), np.float32(0)
    for c in range(4):
        row, w = f[which[c]], part[c]
        below += w * row[low]
        above += w * row[low + 1]
    return (np.float32(1) - over) * below + over * above


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _table(values, at):
    x = at * np.float32(values.size - 1)
    k = min(int(x), values.size - 2)
    return values[k] + (x - np.float32(k)) * (values[k + 1] - values[k])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _corners(x, y, rows, columns, full_circle, which, part):
    """The four bins of a grid around a place, and their weights."""
    y = min(max(y, np.float32(0)), np.float32(columns - 1))
    if full_circle:
        x -= np.float32(rows) * np.floor(x / np.float32(rows))
        x = min(x, np.float32(rows) - np.float32(1e-4))
    else:
        x = min(max(x, np.float32(0)), np.float32(rows - 1))
    i, j = int(x), min(int(y), max(columns - 2, 0))
    a, b = x - np.float32(i), y - np.float32(j)
    next_row = i + 1 if i + 1 < rows else (0 if full_circle else i)
    next_column = min(j + 1, columns - 1)
    one, other = i * columns, next_row * columns
    which[0], part[0] = one + j, (1 - a) * (1 - b)
    which[1], part[1] = one + next_column, (1 - a) * b
    which[2], part[2] = other + j, a * (1 - b)
    which[3], part[3] = other + next_column, a * b
