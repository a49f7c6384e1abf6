"""Reduced distributions: f integrated over one or two components of the velocity.

Deterministic, and conserving particles: every bin of f is spread over the volume it stands for,
and what leaves the grid is kept in a border cell, so that nothing is lost to the count.

All kernels add to arrays that the caller has cleared, so that energies which look elsewhere, or
are cut finer, follow one another.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..constants import ELEMENTARY_CHARGE
from . import FASTMATH, LARGEST
from .rays import add_row, copy_row, cosines_of_list, without_denormals

NODES = 129
"""Cosines that rays are shared out to, two neighbours each: an eighth of a bin of 11 degrees."""


def speeds(energy: np.ndarray, mass: float) -> np.ndarray:
    """Speed [Mm/s] of energies [eV], non-relativistic, for a mass [kg]; 0 below zero energy."""
    return np.sqrt(2e-12 * ELEMENTARY_CHARGE / mass * np.maximum(energy, 0.0))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def unit_vectors(azimuth, polar):
    """Unit vectors float32 (time or 1, 3, row x part, column x part) of separable rays.

    Parameters
    ----------
    azimuth, polar : ndarray float32 (time or 1, 2, row x part), (time or 1, 2, column x part)
        From `azimuth_rays`, `polar_rays`.
    """
    times = max(azimuth.shape[0], polar.shape[0])
    out = np.empty((times, 3, azimuth.shape[2], polar.shape[2]), np.float32)
    for t in range(times):
        around = azimuth[t if azimuth.shape[0] > 1 else 0]
        down = polar[t if polar.shape[0] > 1 else 0]
        for i in range(around.shape[1]):
            _scaled(down[0], around[0, i], out[t, 0, i])
            _scaled(down[0], around[1, i], out[t, 1, i])
            copy_row(down[1], out[t, 2, i])
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _scaled(row, by, out):
    for i in range(out.size):
        out[i] = by * row[i]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def cleaned(f, solid_angle, share):
    """Copy of f with zeros where it is not measured, and the measured part of sphere x ln E.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        [s^3 m^-6]; NaN = not measured.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr]; 0 = the direction does not exist.
    share : ndarray float32 (time or 1, energy)
        Part of the table's extent in ln E of each bin, 0 where it is not used.

    Returns
    -------
    clean : ndarray float32 (time, direction, energy)
        [s^3 m^-6].
    coverage : ndarray float64 (time,)
        0 to 1.
    """
    clean = np.empty(f.shape, np.float32)
    coverage = np.empty(f.shape[0])
    for t in range(f.shape[0]):
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        part = share[t if share.shape[0] > 1 else 0]
        if without_denormals(f[t], clean[t]):
            coverage[t] = omega.sum() * part.sum()
        else:
            coverage[t] = _measured(clean[t], omega, part)
        coverage[t] = min(coverage[t] / (4 * np.pi), 1.0)
    return clean, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _measured(f, omega, share):
    seen = 0.0
    for d in range(omega.size):
        for e in range(share.size):
            if abs(f[d, e]) <= LARGEST:
                seen += share[e] * omega[d]
            else:
                f[d, e] = 0
    return seen


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def add_lines(f, axis, drift, vectors, parts, solid_angle, slow, fast, edges, density):
    """Add the density per cell of velocity along an axis.

    Rays are shared out to nodes of the cosine c. Each bin of energy is a few shells of equal volume
    and speed v; what lies below w is what lies below the cosine w/v, taken from the cumulative
    sum over nodes, so that the sum over cells is exact.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        [s^3 m^-6], from `cleaned`.
    axis : ndarray float64 (time, 3)
        Unit vectors; NaN adds nothing.
    drift : ndarray float64 (time,)
        Velocity of the frame along the axis [Mm/s], subtracted.
    vectors : ndarray float32 (time or 1, 3, row x part, column x part)
        Unit vectors of the rays.
    parts : int
        Rays per direction along either angle.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr].
    slow, fast : ndarray float64 (time or 1, energy)
        Edges of the bins [Mm/s]; equal where one is not used.
    edges : ndarray float64 (bins + 1,)
        Of the cells, evenly spaced [Mm/s].
    density : ndarray float64 (time, bins + 2)
        [cm^-3]; the first and last cell are outside.
    """
    cosine = np.empty(vectors.shape[2:], np.float32)
    nodes = np.empty((NODES, f.shape[2]), np.float32)
    below = np.empty((NODES + 1, f.shape[2]))
    for t in range(f.shape[0]):
        if abs(axis[t, 0]) <= LARGEST and abs(drift[t]) <= LARGEST:
            cosines_of_list(vectors[t if vectors.shape[0] > 1 else 0], axis[t], cosine)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            _to_nodes(f[t], cosine, omega, parts, nodes)
            r = t if slow.shape[0] > 1 else 0
            _accumulate(nodes, below)
            for e in range(f.shape[2]):
                if fast[r, e] > slow[r, e] and below[NODES, e] > 0:
                    _to_cells(below, e, slow[r, e], fast[r, e], edges, drift[t], density[t])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _to_nodes(f, cosine, omega, parts, nodes):
    """Sum f times solid angle at cosines (node, energy), each ray shared by its two neighbours."""
    nodes[:] = 0
    weight = np.zeros(NODES, np.float32)
    each = np.float32(1.0 / (parts * parts))
    half = np.float32(0.5 * (NODES - 1))
    d = 0
    for row in range(0, cosine.shape[0], parts):
        for column in range(0, cosine.shape[1], parts):
            part = omega[d] * each
            low, high = NODES, 0
            for i in range(row, row + parts):
                for j in range(column, column + parts):
                    x = min(max((cosine[i, j] + np.float32(1)) * half, np.float32(0)), 2 * half)
                    k = min(int(x), NODES - 2)
                    above = (x - np.float32(k)) * part
                    weight[k] += part - above
                    weight[k + 1] += above
                    low, high = min(low, k), max(high, k + 1)
            for k in range(low, high + 1):
                w = weight[k]
                if w != 0:
                    weight[k] = 0
                    add_row(f[d], w, nodes[k])
            d += 1


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _accumulate(nodes, below):
    # In float64: differences of sums must not show the last bits of float32.
    below[0] = 0
    for k in range(NODES):
        before, after, row = below[k], below[k + 1], nodes[k]
        for e in range(row.size):
            after[e] = before[e] + row[e]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _to_cells(below, e, slow, fast, edges, drift, density):
    bins = edges.size - 1
    step = edges[1] - edges[0]
    half = 0.5 * (NODES - 1)
    low, volume = slow**3, fast**3 - slow**3
    shells = min(max(int((fast - slow) / step) + 1, 2), 8)
    weight = volume / 3 * 1e12 / shells
    total = below[NODES, e]
    for s in range(shells):
        v = np.cbrt(low + volume * (s + 0.5) / shells)
        cell = min(int(max(np.floor((-v * (1 + 1 / half) - drift - edges[0]) / step), 0.0)), bins)
        last = 0.0
        while cell <= bins:
            # A node stands for half a step to either side of its cosine.
            x = min(max((edges[cell] + drift) / v * half + half + 0.5, 0.0), 1.0 * NODES)
            k = min(int(x), NODES - 1)
            under = below[k, e] + (x - k) * (below[k + 1, e] - below[k, e])
            density[cell] += weight * max(under - last, 0.0)
            last = max(under, last)
            if x >= NODES:
                break
            cell += 1
        if cell > bins:
            density[cell] += weight * max(total - last, 0.0)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def add_planes(f, basis, drift, vectors, parts, solid_angle, shells, volume, energy, step, density):
    """Add the density per cell of three planes of velocity.

    Every bin of f is cut into rays and shells of equal volume, and each piece is put into the cell
    where its centre lies. The shells of neighbouring rays are staggered.

    Parameters
    ----------
    f, drift, vectors, parts, solid_angle
        As in `add_lines`, drift (time, 3) along the three axes.
    basis : ndarray float64 (time, 3, 3)
        Unit vectors of the axes, one per row; NaN adds nothing.
    shells : ndarray float32 (time or 1, parts * parts, shell)
        Speeds [Mm/s], another set for every ray of a direction.
    volume : ndarray float32 (time or 1, shell)
        Per steradian [1e12 (Mm/s)^3], shared among the shells of a bin and the rays.
    energy : ndarray int32 (shell,)
        The energy each shell belongs to.
    step : float
        Width of a cell [Mm/s].
    density : ndarray float32 (time, plane, cell + 2, cell + 2)
        [cm^-3] in planes (0, 1), (0, 2), (1, 2) of a grid centred on zero; the border is outside.
    """
    n, wide = shells.shape[2], density.shape[2]
    cosine = np.empty((3, *vectors.shape[2:]), np.float32)
    filled, amount, speed = np.empty(n, np.int32), np.empty(n, np.float32), np.empty(n, np.float32)
    x, y, z = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    scale = np.float32(1 / step)
    for t in range(f.shape[0]):
        if not defined(basis[t], drift[t]):
            continue
        u = vectors[t if vectors.shape[0] > 1 else 0]
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        mine = shells[t if shells.shape[0] > 1 else 0]
        each = volume[t if volume.shape[0] > 1 else 0]
        middle = np.empty(3, np.float32)
        for i in range(3):
            cosines_of_list(u, basis[t, i], cosine[i])
            middle[i] = 0.5 * wide - drift[t, i] / step
        one, other, third = (
            density[t, 0].reshape(-1), density[t, 1].reshape(-1), density[t, 2].reshape(-1)
        )  # fmt: skip
        d = 0
        for row in range(0, cosine.shape[1], parts):
            for column in range(0, cosine.shape[2], parts):
                count = full_shells(f[t, d], omega[d], each, energy, filled, amount)
                d += 1
                for ray in range(parts * parts if count else 0):
                    i, j = row + ray // parts, column + ray % parts
                    radius = mine[(ray + 4 * d) % (parts * parts)]
                    for s in range(count):
                        speed[s] = radius[filled[s]] * scale
                    _cells(speed, count, cosine[0, i, j], middle[0], wide, x)
                    _cells(speed, count, cosine[1, i, j], middle[1], wide, y)
                    _cells(speed, count, cosine[2, i, j], middle[2], wide, z)
                    for s in range(count):
                        a = amount[s]
                        one[x[s] * wide + y[s]] += a
                        other[x[s] * wide + z[s]] += a
                        third[y[s] * wide + z[s]] += a


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def defined(basis, drift):
    """Tell whether axes and the velocity of the frame are known."""
    total = 0.0
    for i in range(3):
        total += abs(drift[i]) + abs(basis[i, 0]) + abs(basis[i, 1]) + abs(basis[i, 2])
    return total <= LARGEST


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def full_shells(line, omega, volume, energy, filled, amount):
    """Return how many shells of a direction hold anything; which, and how much [cm^-3]."""
    count = 0
    for s in range(volume.size):
        a = line[energy[s]] * volume[s] * omega
        if a != 0:
            filled[count] = s
            amount[count] = a
            count += 1
    return count


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _cells(speed, count, cosine, middle, wide, out):
    """Cell of each speed along an axis; 0 and wide - 1 are outside the grid."""
    last = np.float32(wide - 1)
    for s in range(count):
        at = speed[s] * cosine + middle
        out[s] = np.int32(min(max(at, np.float32(0)), last))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def smooth_planes(density, weights):
    """Spread every cell over its neighbours along both axes; sums stay, and so does the border.

    Parameters
    ----------
    density : ndarray float32 (time, plane, cell + 2, cell + 2)
        Changed in place.
    weights : ndarray float32 (3 or more, odd)
        Symmetric, 1 in total; fewer than twice the cells. What would leave the grid is reflected.
    """
    inside, reach = density.shape[2] - 2, weights.size // 2
    rows = np.empty((inside + 2 * reach, inside), np.float32)
    line = np.empty(inside + 2 * reach, np.float32)
    for t in range(density.shape[0]):
        for p in range(density.shape[1]):
            for i in range(inside):
                cells = density[t, p, i + 1, 1:-1]
                for j in range(inside):
                    line[reach + j] = cells[j]
                for k in range(reach):
                    line[k] = line[2 * reach - 1 - k]
                    line[reach + inside + k] = line[reach + inside - 1 - k]
                out = rows[reach + i]
                _three(line, line[1:], line[2:], weights, out)
                for k in range(3, weights.size):
                    add_row(line[k:], weights[k], out)
            for k in range(reach):
                copy_row(rows[2 * reach - 1 - k], rows[k])
                copy_row(rows[reach + inside - 1 - k], rows[reach + inside + k])
            for i in range(inside):
                out = density[t, p, i + 1, 1:-1]
                _three(rows[i], rows[i + 1], rows[i + 2], weights, out)
                for k in range(3, weights.size):
                    add_row(rows[i + k], weights[k], out)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _three(a, b, c, weights, out):
    one, two, three = weights[0], weights[1], weights[2]
    for i in range(out.size):
        out[i] = one * a[i] + two * b[i] + three * c[i]
