"""Directions as integration weights: solid angles times vector and tensor of the unit vector."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH

ORDER = ("1", "x", "y", "z", "xx", "yy", "zz", "xy", "xz", "yz")
"""The ten angular weights, in the order of every geometry array."""


def azimuth_factors(phi: np.ndarray, width: np.ndarray | None) -> np.ndarray:
    """1, cos phi, sin phi, cos 2phi, sin 2phi of bins, float32 (5, ...); zeros where phi is NaN.

    Averaging cos(m phi) over a bin of width w multiplies it by sin(m w/2)/(m w/2). Dividing by
    that makes sums over bin averages of f give the moments of f (see `speed_weights`).

    Parameters
    ----------
    phi : ndarray
        Bin centres [deg].
    width : ndarray or None
        Full widths [deg], of a shape that broadcasts; None when unknown: no division.
    """
    waves = _harmonics(phi, width)
    return _where_finite(np.ones_like(waves[0]), *waves)


def polar_factors(
    theta: np.ndarray, width: np.ndarray | None, solid_angle: np.ndarray
) -> np.ndarray:
    """Solid angle times the seven functions of colatitude in uu, float32 (7, ...) [sr].

    They are 1, sin, cos, sin^2/2 (twice), cos^2, sin cos, corrected for the width of the bin as
    in `azimuth_factors`; zeros where anything is NaN. Without widths the bin is taken for a round
    cap of the same solid angle (half angle a), whose average multiplies u by (1 + cos a)/2 and the
    traceless part of uu by cos a (1 + cos a)/2 (Funk-Hecke theorem).

    Parameters
    ----------
    theta : ndarray
        Colatitude of bin centres [deg].
    width : ndarray or None
        Full widths [deg]; None when the widths of bins, also in azimuth, are unknown.
    solid_angle : ndarray
        [sr].
    """
    c1, s1, c2, s2 = _harmonics(theta, width)
    once = twice = solid_angle
    if width is None:
        edge = 1 - solid_angle / (2 * np.pi)
        once, twice = 2 * solid_angle / (1 + edge), 2 * solid_angle / (edge * (1 + edge))
    trace = (solid_angle - twice) / 3
    sin2, cos2 = (1 - c2) / 2, (1 + c2) / 2
    return _where_finite(
        solid_angle,
        once * s1,
        once * c1,
        twice * sin2 / 2 + trace,
        twice * sin2 / 2,
        twice * cos2 + trace,
        twice * s2 / 2,
    )


def _harmonics(angle: np.ndarray, width: np.ndarray | None) -> tuple[np.ndarray, ...]:
    # float32 holds an angle to 2e-7 rad, and its sine costs a tenth of a float64 one.
    a = np.radians(angle).astype(np.float32)
    c, s = np.cos(a), np.sin(a)
    c2, s2 = c * c - s * s, 2 * s * c
    if width is None:
        return c, s, c2, s2
    once, twice = (np.sinc(width / w).astype(np.float32) for w in (360, 180))
    return c / once, s / once, c2 / twice, s2 / twice


def _where_finite(*factors: np.ndarray) -> np.ndarray:
    shape = np.broadcast_shapes(*(f.shape for f in factors))
    together = np.empty((len(factors), *shape), np.float32)
    for out, factor in zip(together, factors, strict=True):
        out[...] = factor
    together[:, ~np.isfinite(together.sum(axis=0))] = 0
    return together


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def direction_weights(azimuth, polar):
    """Solid angle, also times u and times uu, of every direction (time, 10, direction) [sr].

    Axes of length 1 hold for all times, rows or columns.

    Parameters
    ----------
    azimuth : ndarray float32 (time, 5, row, column)
        From `azimuth_factors`.
    polar : ndarray float32 (time, 7, row, column)
        From `polar_factors`.
    """
    times = max(azimuth.shape[0], polar.shape[0])
    rows = max(azimuth.shape[2], polar.shape[2])
    columns = max(azimuth.shape[3], polar.shape[3])
    n = rows * columns
    out = np.empty((times, 10, n), np.float32)
    around, down = np.empty((5, n), np.float32), np.empty((7, n), np.float32)
    for t in range(times):
        if t == 0 or azimuth.shape[0] > 1:
            _spread(azimuth[t], rows, columns, around)
        if t == 0 or polar.shape[0] > 1:
            _spread(polar[t], rows, columns, down)
        o = out[t]
        one, c1, s1, c2, s2 = around[0], around[1], around[2], around[3], around[4]
        _product(down[0], one, o[0])
        _product(down[1], c1, o[1])
        _product(down[1], s1, o[2])
        _product(down[2], one, o[3])
        _sum(down[3], one, down[4], c2, o[4])
        _difference(down[3], one, down[4], c2, o[5])
        _product(down[5], one, o[6])
        _product(down[4], s2, o[7])
        _product(down[6], c1, o[8])
        _product(down[6], s1, o[9])
    return out


# One array written per loop: with more, LLVM gives up proving that they do not overlap.
@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _product(a, b, out):
    for d in range(out.size):
        out[d] = a[d] * b[d]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum(a, b, c, d, out):
    for i in range(out.size):
        out[i] = a[i] * b[i] + c[i] * d[i]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _difference(a, b, c, d, out):
    for i in range(out.size):
        out[i] = a[i] * b[i] - c[i] * d[i]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _spread(table, rows, columns, out):
    for i in range(table.shape[0]):
        for p in range(rows):
            row = table[i, p if table.shape[1] > 1 else 0]
            line = out[i, p * columns : (p + 1) * columns]
            if row.size > 1:
                for q in range(columns):
                    line[q] = row[q]
            else:
                line[:] = row[0]
