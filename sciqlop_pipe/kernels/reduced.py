"""Reduced distributions: f integrated over one or two components of the velocity.

Deterministic, and conserving particles: every bin of f is spread over the volume it stands for,
and what leaves the grid is kept in a border cell, so that nothing is lost to the count.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..constants import ELEMENTARY_CHARGE
from . import FASTMATH, LARGEST
from .rays import add_row, cosines_of_grid, cosines_of_list, without_denormals

NODES = 257
"""Cosines that rays are shared out to, two neighbours each: 5 km/s at 1000 km/s."""


def speeds(energy: np.ndarray, mass: float) -> np.ndarray:
    """Speed [Mm/s] of energies [eV], non-relativistic, for a mass [kg]."""
    return np.sqrt(2e-12 * ELEMENTARY_CHARGE / mass * np.maximum(energy, 0.0))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def projection(slow, fast, edges):
    """Where shells of speed, seen at a cosine from an axis, lie along it.

    Particles uniform in a shell (v^2 dv) at cosine c lie between v1 c and v2 c; the share below
    a velocity w is ((w/c)^3 - v1^3)/(v2^3 - v1^3).

    Parameters
    ----------
    slow, fast : ndarray float64 (energy,)
        Edges of the shells [Mm/s]; NaN or equal where a bin is not used.
    edges : ndarray float64 (bins + 1,)
        Ascending [Mm/s].

    Returns
    -------
    first : ndarray int32 (node, energy)
        First cell with a share; cell 0 is below the grid, the last one above.
    start : ndarray int32 (node * energy + 1,)
        Where the shares of each node and energy begin.
    share : ndarray float32 (shares,)
        Times the shell's volume per steradian [1e12 (Mm/s)^3]: f [s^3 m^-6] times share and solid
        angle is cm^-3.
    """
    bins, energies = edges.size - 1, slow.size
    first = np.zeros((NODES, energies), np.int32)
    start = np.zeros(NODES * energies + 1, np.int32)
    share = np.empty(NODES * energies * 4, np.float32)
    count = 0
    for n in range(NODES):
        c = 2.0 * n / (NODES - 1) - 1.0
        for e in range(energies):
            if fast[e] > slow[e]:
                volume = (fast[e] ** 3 - slow[e] ** 3) / 3 * 1e12
                one, other = slow[e] * c, fast[e] * c
                low, high = min(one, other), max(one, other)
                cell = np.searchsorted(edges, low, side="right")
                first[n, e] = cell
                below = 0.0
                while True:
                    top = edges[cell] if cell <= bins else np.inf
                    part = 1.0
                    if top < high:
                        part = ((top / c) ** 3 - slow[e] ** 3) / (fast[e] ** 3 - slow[e] ** 3)
                        part = part if c > 0 else 1.0 - part
                    if count == share.size:
                        more = np.empty(2 * count, np.float32)
                        more[:count] = share
                        share = more
                    share[count] = volume * (part - below)
                    below = part
                    count += 1
                    if top >= high or cell > bins:
                        break
                    cell += 1
            start[n * energies + e + 1] = count
    return first, start, share[:count].copy()


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def reduce_1d_of_grid(f, axis, azimuth, polar, parts, solid_angle, share, line):
    """Density per cell of velocity along an axis, and the measured part of sphere x ln E.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        [s^3 m^-6]; NaN = not measured. All records have the energies of `line`.
    axis : ndarray float64 (time, 3)
        Unit vectors; NaN = undefined.
    azimuth, polar : ndarray float32 (time or 1, 2, row x part), (time or 1, 2, column x part)
        From `azimuth_rays`, `polar_rays`.
    parts : int
        Rays per direction along either angle.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr]; 0 = the direction does not exist.
    share : ndarray float32 (energy,)
        Part of the table's extent in ln E of each bin, 0 where it is not used.
    line : tuple (first, start, share, cells)
        From `projection`, and its number of cells (bins + 2).

    Returns
    -------
    density : ndarray float64 (time, cell)
        [cm^-3]; the first and last cell are outside. NaN where nothing is measured.
    coverage : ndarray float64 (time,)
        0 to 1.
    """
    times = f.shape[0]
    density = np.full((times, line[3]), np.nan)
    coverage = np.zeros(times)
    cosine = np.empty((azimuth.shape[2], polar.shape[2]), np.float32)
    clean = np.empty(f.shape[1:], np.float32)
    nodes = np.empty((NODES, f.shape[2]), np.float32)
    for t in range(times):
        if abs(axis[t, 0]) <= LARGEST:
            a = azimuth[t if azimuth.shape[0] > 1 else 0]
            p = polar[t if polar.shape[0] > 1 else 0]
            cosines_of_grid(a, p, axis[t], cosine)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            coverage[t] = measured(f[t], clean, omega, share)
            if coverage[t] > 0:
                _to_nodes(clean, cosine, omega, parts, nodes)
                _to_cells(nodes, line[0], line[1], line[2], density[t])
    return density, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def reduce_1d_of_list(f, axis, vectors, parts, solid_angle, share, line):
    """The densities of `reduce_1d_of_grid` for rays anywhere.

    Parameters
    ----------
    f, axis, parts, solid_angle, share, line
        As there.
    vectors : ndarray float32 (time or 1, 3, row x part, column x part)
        Unit vectors of the rays.
    """
    times = f.shape[0]
    density = np.full((times, line[3]), np.nan)
    coverage = np.zeros(times)
    cosine = np.empty(vectors.shape[2:], np.float32)
    clean = np.empty(f.shape[1:], np.float32)
    nodes = np.empty((NODES, f.shape[2]), np.float32)
    for t in range(times):
        if abs(axis[t, 0]) <= LARGEST:
            cosines_of_list(vectors[t if vectors.shape[0] > 1 else 0], axis[t], cosine)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            coverage[t] = measured(f[t], clean, omega, share)
            if coverage[t] > 0:
                _to_nodes(clean, cosine, omega, parts, nodes)
                _to_cells(nodes, line[0], line[1], line[2], density[t])
    return density, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def measured(f, clean, omega, share):
    """Fill `clean` with f, missing bins as zeros; return the measured part of sphere x ln E."""
    whole, sphere = 0.0, 0.0
    for e in range(share.size):
        whole += share[e]
    for d in range(omega.size):
        sphere += omega[d]
    if without_denormals(f, clean):
        return min(sphere * whole / (4 * np.pi), 1.0)
    seen = 0.0
    for d in range(omega.size):
        for e in range(share.size):
            if abs(clean[d, e]) <= LARGEST:
                seen += share[e] * omega[d]
            else:
                clean[d, e] = 0
    return min(seen / (4 * np.pi), 1.0)


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
def _to_cells(nodes, first, start, share, density):
    density[:] = 0
    energies = nodes.shape[1]
    for n in range(NODES):
        for e in range(energies):
            x = nodes[n, e]
            if x != 0:
                at = start[n * energies + e]
                cell = first[n, e]
                for k in range(start[n * energies + e + 1] - at):
                    density[cell + k] += x * share[at + k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def reduce_2d(f, basis, vectors, parts, solid_angle, share, shells, volume, of, cells, step):
    """Density per cell of three planes of velocity, and the measured part of sphere x ln E.

    Every bin of f is cut into rays and shells of equal volume, and each piece is put into the cell
    where its centre lies. The shells of neighbouring rays are staggered.

    Parameters
    ----------
    f, parts, solid_angle, share
        As in `reduce_1d_of_grid`.
    basis : ndarray float64 (time, 3, 3)
        Unit vectors of the axes, one per row; NaN = undefined.
    vectors : ndarray float32 (time or 1, 3, row x part, column x part)
        Unit vectors of the rays.
    shells : ndarray float32 (parts * parts, shell)
        Speeds [Mm/s], another set for every ray of a direction.
    volume : ndarray float32 (shell,)
        Per steradian [1e12 (Mm/s)^3], shared among the shells of a bin and the rays.
    of : ndarray int32 (shell,)
        The energy each shell belongs to.
    cells : int
        Cells of the grid along an axis, even; it is centred on zero.
    step : float
        Width of a cell [Mm/s].

    Returns
    -------
    density : ndarray float32 (time, plane, cell + 2, cell + 2)
        [cm^-3] in planes (0, 1), (0, 2), (1, 2); the border is outside.
    coverage : ndarray float64 (time,)
        0 to 1.
    """
    times, wide = f.shape[0], cells + 2
    density = np.full((times, 3, wide, wide), np.float32(np.nan))
    coverage = np.zeros(times)
    cosine = np.empty((3, *vectors.shape[2:]), np.float32)
    clean = np.empty(f.shape[1:], np.float32)
    for t in range(times):
        if not (abs(basis[t, 0, 0]) <= LARGEST and abs(basis[t, 2, 0]) <= LARGEST):
            continue
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        coverage[t] = measured(f[t], clean, omega, share)
        if coverage[t] > 0:
            u = vectors[t if vectors.shape[0] > 1 else 0]
            for i in range(3):
                cosines_of_list(u, basis[t, i], cosine[i])
            _to_planes(clean, cosine, omega, parts, shells, volume, of, step, density[t])
    return density, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _to_planes(f, cosine, omega, parts, shells, volume, of, step, density):
    density[:] = 0
    wide = density.shape[1]
    n = shells.shape[1]
    one, other, third = density[0].reshape(-1), density[1].reshape(-1), density[2].reshape(-1)
    full = np.empty(n, np.int32)
    amount, speed = np.empty(n, np.float32), np.empty(n, np.float32)
    x, y, z = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    scale = np.float32(1 / step)
    d = 0
    for row in range(0, cosine.shape[1], parts):
        for column in range(0, cosine.shape[2], parts):
            line, solid = f[d], omega[d]
            d += 1
            filled = 0
            if solid > 0:
                for s in range(n):
                    if line[of[s]] != 0:
                        full[filled] = s
                        amount[filled] = line[of[s]] * volume[s] * solid
                        filled += 1
            if filled == 0:
                continue
            for i in range(parts):
                for j in range(parts):
                    mine = shells[(i * parts + j + 4 * d) % (parts * parts)]
                    for s in range(filled):
                        speed[s] = mine[full[s]] * scale
                    _cells(speed, filled, cosine[0, row + i, column + j], wide, x)
                    _cells(speed, filled, cosine[1, row + i, column + j], wide, y)
                    _cells(speed, filled, cosine[2, row + i, column + j], wide, z)
                    for s in range(filled):
                        a = amount[s]
                        one[x[s] * wide + y[s]] += a
                        other[x[s] * wide + z[s]] += a
                        third[y[s] * wide + z[s]] += a


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _cells(speed, count, cosine, wide, out):
    """Cell of each speed along an axis; 0 and wide - 1 are outside the grid."""
    middle, last = np.float32(0.5 * wide), np.float32(wide - 1)
    for s in range(count):
        at = speed[s] * cosine + middle
        out[s] = np.int32(min(max(at, np.float32(0)), last))


def shells_of(
    slow: np.ndarray, fast: np.ndarray, step: float, parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shells of equal volume in each bin of speed, as `reduce_2d` takes them.

    Bins wider than a cell are cut into as many shells as they are cells wide, at most four.

    Parameters
    ----------
    slow, fast : ndarray (energy,)
        Edges of the bins [Mm/s]; NaN where one is not used.
    step : float
        Width of a cell [Mm/s].
    parts : int
        Rays per direction along either angle.

    Returns
    -------
    shells : ndarray float32 (parts * parts, shell)
        Speeds [Mm/s].
    volume : ndarray float32 (shell,)
        [1e12 (Mm/s)^3 sr^-1] per ray.
    of : ndarray int32 (shell,)
        Energies.
    """
    rays = parts * parts
    width = np.nan_to_num(fast - slow)
    counts = np.where(width > 0, np.clip(np.ceil(width / step), 1, 4), 0).astype(int)
    of = np.repeat(np.arange(slow.size), counts)
    number = np.arange(of.size) - np.repeat(np.cumsum(counts) - counts, counts)
    # Stratified, then staggered by the golden ratio, which fills gaps evenly for any count.
    offset = (0.5 + 0.6180339887 * np.arange(rays)) % 1.0
    part = (number + offset[:, None]) / counts[of]
    cubes = slow[of] ** 3 + (fast[of] ** 3 - slow[of] ** 3) * part
    volume = (fast[of] ** 3 - slow[of] ** 3) / 3 * 1e12 / counts[of] / rays
    return np.cbrt(cubes).astype(np.float32), volume.astype(np.float32), of.astype(np.int32)
