"""Rays: unit vectors that share the solid angle of a direction equally among them.

A bin of 11 or 22 degrees is not a point. Where products sort directions (by pitch angle, by
velocity along an axis), each bin is `parts` times `parts` rays, uniform in azimuth and in the
cosine of colatitude, so that every ray stands for the same solid angle.

Rays lie in memory as a map (row x part, column x part): rows and columns are phi and theta of a
grid; a direction list is one row.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST, TINY


def azimuth_rays(phi: np.ndarray, width: np.ndarray | None, parts: int) -> np.ndarray:
    """Cosine and sine of azimuth at the rays of bins, float32 (2, ..., parts).

    Parameters
    ----------
    phi, width : ndarray (...)
        Centres and full widths [deg]; without widths every ray is at the centre.
    parts : int
        Rays per bin in azimuth.
    """
    at = phi[..., None] + np.zeros(parts)
    if width is not None:
        at = at + width[..., None] * ((np.arange(parts) + 0.5) / parts - 0.5)
    a = np.radians(at).astype(np.float32)
    return np.stack([np.cos(a), np.sin(a)])


def polar_rays(theta: np.ndarray, width: np.ndarray | None, parts: int) -> np.ndarray:
    """Sine and cosine of colatitude at the rays of bins, float32 (2, ..., parts).

    Parameters
    ----------
    theta, width : ndarray (...)
        Centres and full widths [deg]; without widths every ray is at the centre.
    parts : int
        Rays per bin in colatitude.
    """
    if width is None:
        mu = np.cos(np.radians(theta))[..., None] + np.zeros(parts)
    else:
        top = np.cos(np.radians(np.clip(theta - width / 2, 0, 180)))[..., None]
        bottom = np.cos(np.radians(np.clip(theta + width / 2, 0, 180)))[..., None]
        mu = top + (bottom - top) * ((np.arange(parts) + 0.5) / parts)
    return np.stack([np.sqrt(1 - mu * mu), mu]).astype(np.float32)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def cosines_of_grid(azimuth, polar, axis, out):
    """Fill `out` (row x part, column x part) with the cosines between rays and an axis.

    Parameters
    ----------
    azimuth, polar : ndarray float32 (2, row x part), (2, column x part)
        Cosine and sine of azimuth; sine and cosine of colatitude.
    axis : ndarray (3,)
        Unit vector.
    """
    x, y, z = np.float32(axis[0]), np.float32(axis[1]), np.float32(axis[2])
    sin, cos = polar[0], polar[1]
    for p in range(out.shape[0]):
        across = x * azimuth[0, p] + y * azimuth[1, p]
        line = out[p]
        for q in range(line.size):
            line[q] = across * sin[q] + z * cos[q]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def cosines_of_list(vectors, axis, out):
    """Fill `out` (row x part, column x part) with the cosines between rays and an axis.

    Parameters
    ----------
    vectors : ndarray float32 (3, row x part, column x part)
        Unit vectors.
    axis : ndarray (3,)
        Unit vector.
    """
    x, y, z = np.float32(axis[0]), np.float32(axis[1]), np.float32(axis[2])
    for p in range(out.shape[0]):
        a, b, c, line = vectors[0, p], vectors[1, p], vectors[2, p], out[p]
        for q in range(line.size):
            line[q] = x * a[q] + y * b[q] + z * c[q]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def without_denormals(f, out):
    """Fill `out` with f, its denormals as zeros; return whether all of it is finite.

    The same test inside a loop that adds rows would keep the compiler from vectorising it well.

    Parameters
    ----------
    f, out : ndarray float32 (direction, energy)
        Contiguous.
    """
    x, y = f.reshape(-1), out.reshape(-1)
    for i in range(y.size):
        y[i] = x[i] if not abs(x[i]) < TINY else np.float32(0)
    total = np.float32(0)
    for i in range(y.size):
        total += abs(y[i])
    return total <= LARGEST


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def copy_row(row, out):
    """Fill `out` with a row. `out[:] = row` costs numba seconds: it compiles the error's text."""
    for e in range(out.size):
        out[e] = row[e]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def add_row(row, w, total):
    """Add w times a row (energy) to another one."""
    for e in range(total.size):
        total[e] += w * row[e]
