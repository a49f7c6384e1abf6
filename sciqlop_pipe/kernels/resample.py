"""f on another grid of velocities: moved, turned, or averaged over rings and spheres.

Points of the new grid look up the bin of the old one that they lie in. f is constant inside bins,
nothing is interpolated, and what was not measured is not filled in.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST

PIXELS = (256, 512)
"""Colatitudes and azimuths of the map of directions: pixels of 0.7 degrees."""


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def nearest_boxes(at, centre, width, around):
    """Which of some boxes along an angle each point lies in, int16 (point,); -1 for none.

    Where boxes overlap the one whose centre is nearest in half widths; a twentieth of a width
    outside still counts, for edges that do not quite meet.

    Parameters
    ----------
    at : ndarray float64 (point,)
        [deg].
    centre, width : ndarray float64 (box,)
        [deg]; NaN where a box does not exist.
    around : bool
        Whether the angle is an azimuth.
    """
    out = np.full(at.size, np.int16(-1))
    for i in range(at.size):
        best = 1.1
        for k in range(centre.size):
            d = abs(at[i] - centre[k])
            if around:
                d = d % 360.0
                d = min(d, 360.0 - d)
            d = 2.0 * d / width[k]
            if d < best:
                best = d
                out[i] = k
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def nearest_patches(phi, theta, phi_width, theta_width, slack, rows, columns):
    """Map of directions (row, column): which box each pixel lies in, int16; -1 for none.

    Parameters
    ----------
    phi, theta, phi_width, theta_width : ndarray float64 (direction,)
        Centres and full widths [deg]; NaN where a direction does not exist.
    slack : float
        How many half widths from its centre a box reaches, at most; the nearest is taken.
    rows, columns : int
        Pixels in colatitude and azimuth.
    """
    out = np.full((rows, columns), np.int16(-1))
    best = np.full((rows, columns), slack)
    high, wide = 180.0 / rows, 360.0 / columns
    for d in range(phi.size):
        if not (phi_width[d] > 0 and theta_width[d] > 0 and abs(phi[d] + theta[d]) <= LARGEST):
            continue
        reach = 0.5 * slack * theta_width[d]
        first = int((phi[d] - 0.5 * slack * phi_width[d]) // wide)
        many = min(int(slack * phi_width[d] / wide) + 2, columns)
        for i in range(max(int((theta[d] - reach) / high), 0), rows):
            down = abs((i + 0.5) * high - theta[d])
            if down > reach:
                if (i + 0.5) * high > theta[d]:
                    break
                continue
            for n in range(many):
                j = (first + n) % columns
                around = abs((j + 0.5) * wide - phi[d]) % 360.0
                around = min(around, 360.0 - around)
                m = 2.0 * max(down / theta_width[d], around / phi_width[d])
                if m < best[i, j]:
                    best[i, j] = m
                    out[i, j] = d
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def resampled(f, pixel, lower, upper, order, rays, cell, cells, basis, velocity, speed, bins):
    """Means of f over cells of direction and speed around a velocity, and their measured part.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        NaN = not measured.
    pixel : ndarray int16 (time or 1, energy or 1, row, column)
        The direction each pixel of the sphere lies in, -1 for none.
    lower, upper : ndarray float32 (energy,)
        Squared speeds [(Mm/s)^2] at the edges of bins, `lower` ascending.
    order : ndarray int64 (energy,)
        Which energy of f each of them is.
    rays : ndarray float32 (ray, 3)
        Unit vectors in the new axes, the same solid angle each within a cell.
    cell : ndarray int64 (ray,)
        The cell of directions each belongs to.
    cells : int
        Their number.
    basis : ndarray float64 (time, 3, 3)
        The new axes in the old ones, one per row; NaN = undefined.
    velocity : ndarray float64 (time, 3)
        Of the new origin, in the old axes [Mm/s]; NaN = undefined.
    speed : ndarray float32 (shell,)
        In the new frame [Mm/s], ascending, the same volume each within a bin.
    bins : ndarray int64 (shell,)
        The bin of energy each belongs to.

    Returns
    -------
    mean, seen : ndarray float32 (time, cell, bin)
        In the units of f, NaN where nothing was measured; and 0 to 1.
    """
    times, energies = f.shape[0], lower.size
    wide = bins[-1] + 1
    mean = np.empty((times, cells, wide), np.float32)
    seen = np.empty((times, cells, wide), np.float32)
    count = np.zeros((cells, wide), np.float32)
    for r in range(cell.size):
        for s in range(bins.size):
            count[cell[r], bins[s]] += 1
    rows, columns = pixel.shape[2], pixel.shape[3]
    down, around = np.float32(rows / np.pi), np.float32(columns / (2 * np.pi))
    for t in range(times):
        mean[t] = 0
        seen[t] = 0
        x, y, z = np.float32(velocity[t, 0]), np.float32(velocity[t, 1]), np.float32(velocity[t, 2])
        if not (abs(x) <= LARGEST and abs(basis[t, 0, 0]) <= LARGEST):
            mean[t] = np.nan
            continue
        b = basis[t].astype(np.float32)
        pixels = pixel[t if pixel.shape[0] > 1 else 0]
        for r in range(cell.size):
            e0, e1, e2 = rays[r, 0], rays[r, 1], rays[r, 2]
            p = e0 * b[0, 0] + e1 * b[1, 0] + e2 * b[2, 0]
            q = e0 * b[0, 1] + e1 * b[1, 1] + e2 * b[2, 1]
            w = e0 * b[0, 2] + e1 * b[1, 2] + e2 * b[2, 2]
            total, there = mean[t, cell[r]], seen[t, cell[r]]
            k = 0
            for s in range(speed.size):
                a, c, d = x + speed[s] * p, y + speed[s] * q, z + speed[s] * w
                across = a * a + c * c
                square = across + d * d
                while k + 1 < energies and square >= lower[k + 1]:
                    k += 1
                while k > 0 and square < lower[k]:
                    k -= 1
                if square < lower[k] or square >= upper[k]:
                    continue
                i = min(np.int32(_angle(d, np.sqrt(across)) * down), rows - 1)
                j = min(np.int32(_azimuth(c, a) * around), columns - 1)
                e = order[k]
                at = pixels[e if pixels.shape[0] > 1 else 0, i, j]
                if at >= 0:
                    value = f[t, at, e]
                    if abs(value) <= LARGEST:
                        total[bins[s]] += value
                        there[bins[s]] += 1
        for n in range(cells):
            for m in range(wide):
                mean[t, n, m] = mean[t, n, m] / seen[t, n, m]
                seen[t, n, m] = seen[t, n, m] / count[n, m]
    return mean, seen


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _octant(low, high):
    """Return arctan(low/high) for 0 <= low <= high, to 1e-5 rad. Abramowitz & Stegun 4.4.49."""
    u = low / max(high, np.float32(1e-30))
    v = u * u
    return u * (
        np.float32(0.9998660)
        + v * (np.float32(-0.3302995) + v * (np.float32(0.1801410)
               + v * (np.float32(-0.0851330) + v * np.float32(0.0208351))))
    )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _angle(along, across):
    """Return the angle from an axis [rad], 0 to pi; across >= 0."""
    size = abs(along)
    angle = _octant(min(across, size), max(across, size))
    if across > size:
        angle = np.float32(0.5 * np.pi) - angle
    return angle if along >= 0 else np.float32(np.pi) - angle


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _azimuth(y, x):
    """Return the azimuth [rad], 0 to 2 pi."""
    angle = _angle(x, abs(y))
    return angle if y >= 0 else np.float32(2 * np.pi) - angle


def cell_rays(phis: int, thetas: int, per_cell: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rays of equal solid angle in the cells of a (phi, theta) grid, as `resampled` takes them.

    Parameters
    ----------
    phis, thetas : int
        Cells of equal angle.
    per_cell : tuple of int
        Rays in azimuth and in the cosine of colatitude, per cell.

    Returns
    -------
    rays : ndarray float32 (ray, 3)
        Unit vectors.
    cell : ndarray int64 (ray,)
        phi x thetas + theta.
    """
    m, n = per_cell
    phi = 2 * np.pi * (np.arange(phis * m) + 0.5) / (phis * m)
    edges = np.cos(np.linspace(0, np.pi, thetas + 1))
    part = (np.arange(n) + 0.5) / n
    mu = (edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * part).ravel()
    sin = np.sqrt(1 - mu**2)
    rays = np.stack(
        [np.outer(np.cos(phi), sin), np.outer(np.sin(phi), sin),
         np.broadcast_to(mu, (phi.size, mu.size))], -1
    ).reshape(-1, 3)  # fmt: skip
    cell = (np.arange(phis * m) // m)[:, None] * thetas + np.arange(thetas * n) // n
    return np.ascontiguousarray(rays, dtype=np.float32), cell.ravel()


def cell_shells(slow: np.ndarray, fast: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Speeds of shells of equal volume in bins of speed, and their bins; float32, int64 (shell,).

    Parameters
    ----------
    slow, fast : ndarray (bin,)
        Edges [Mm/s], ascending.
    count : int
        Shells per bin.
    """
    part = (np.arange(count) + 0.5) / count
    cubes = slow[:, None] ** 3 + (fast**3 - slow**3)[:, None] * part
    return np.cbrt(cubes).astype(np.float32).ravel(), np.repeat(np.arange(slow.size), count)
