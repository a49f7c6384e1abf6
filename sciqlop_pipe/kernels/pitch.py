"""Means of f over pitch angle, energy by energy."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST, TINY
from .rays import add_row, cosines_of_grid, cosines_of_list, without_denormals

PARTS = 2
"""Rays per direction along either angle: with one, bins of 10 degrees alias with those of 11.

A constant, not an argument: known to the compiler it halves the time of all of it.
"""


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def pitch_means_of_grid(f, b, azimuth, polar, solid_angle, bins):
    """Solid-angle means of f in equal bins of pitch angle, and the part of each bin measured.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        NaN = not measured. Directions are rows of equal azimuth one after the other.
    b : ndarray float64 (time, 3)
        Unit vector of the field; NaN = undefined.
    azimuth : ndarray float32 (time or 1, 2, row x part)
        From `azimuth_rays`.
    polar : ndarray float32 (time or 1, 2, column x part)
        From `polar_rays`.
    solid_angle : ndarray float32 (time or 1, direction)
        [sr]; 0 = the direction does not exist.
    bins : int
        From 0 to 180 degrees.

    Returns
    -------
    mean, coverage : ndarray float32 (time, bin, energy)
        In the units of f, NaN where nothing is measured or b is undefined; and 0 to 1.
    """
    times, _, energies = f.shape
    mean = np.full((times, bins, energies), np.float32(np.nan))
    coverage = np.zeros((times, bins, energies), np.float32)
    cosine = np.empty((azimuth.shape[2], polar.shape[2]), np.float32)
    which = np.empty(cosine.shape, np.int32)
    clean = np.empty(f.shape[1:], np.float32)
    for t in range(times):
        if abs(b[t, 0]) <= LARGEST:
            a = azimuth[t if azimuth.shape[0] > 1 else 0]
            p = polar[t if polar.shape[0] > 1 else 0]
            cosines_of_grid(a, p, b[t], cosine)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            _pitch_means(f[t], clean, cosine, which, omega, mean[t], coverage[t])
    return mean, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def pitch_means_of_list(f, b, vectors, solid_angle, bins):
    """The means of `pitch_means_of_grid` for rays anywhere.

    Parameters
    ----------
    f, b, solid_angle, bins
        As there.
    vectors : ndarray float32 (time or 1, 3, row x part, column x part)
        Unit vectors of the rays.
    """
    times, _, energies = f.shape
    mean = np.full((times, bins, energies), np.float32(np.nan))
    coverage = np.zeros((times, bins, energies), np.float32)
    cosine = np.empty(vectors.shape[2:], np.float32)
    which = np.empty(cosine.shape, np.int32)
    clean = np.empty(f.shape[1:], np.float32)
    for t in range(times):
        if abs(b[t, 0]) <= LARGEST:
            cosines_of_list(vectors[t if vectors.shape[0] > 1 else 0], b[t], cosine)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            _pitch_means(f[t], clean, cosine, which, omega, mean[t], coverage[t])
    return mean, coverage


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _pitch_means(f, clean, cosine, which, omega, mean, coverage):
    bins, energies = mean.shape
    _pitch_bins(cosine, bins, which)
    seen = np.empty((bins, energies), np.float32)
    # A NaN anywhere makes the sum NaN: only then look at every bin.
    if without_denormals(f, clean):
        _add_all(clean, which, omega, mean, seen)
    else:
        _add_measured(f, which, omega, mean, seen)
    for k in range(bins):
        whole = 2 * np.pi * (np.cos(np.pi * k / bins) - np.cos(np.pi * (k + 1) / bins))
        _divide(mean[k], seen[k], np.float32(1 / whole), coverage[k])


# 0/0 is the NaN that is wanted.
@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _divide(total, seen, scale, coverage):
    for e in range(total.size):
        total[e] = total[e] / seen[e]
    for e in range(total.size):
        coverage[e] = min(seen[e] * scale, np.float32(1))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _pitch_bins(cosine, bins, which):
    """Fill `which` with the bin of every ray; edges belong to the bin above.

    arccos(x) = sqrt(1 - x) times a polynomial for x >= 0, to 7e-5 rad: a library call per ray
    would cost more than reading f. Abramowitz & Stegun (1964), 4.4.45.
    """
    scale = np.float32(bins / np.pi)
    for p in range(cosine.shape[0]):
        line, out = cosine[p], which[p]
        for q in range(line.size):
            c = line[q]
            x = min(abs(c), np.float32(1))
            near = np.sqrt(np.float32(1) - x) * (
                np.float32(1.5707288)
                + x * (np.float32(-0.2121144) + x * (np.float32(0.0742610)
                                                     + x * np.float32(-0.0187293)))
            )  # fmt: skip
            angle = near if c >= 0 else np.float32(np.pi) - near
            out[q] = min(np.int32(angle * scale), np.int32(bins - 1))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _share(which, row, column, part, weight):
    """Add the solid angle of a direction to the bins of its rays; return first and last bin."""
    low = high = which[row, column]
    for i in range(row, row + PARTS):
        for j in range(column, column + PARTS):
            k = which[i, j]
            weight[k] += part
            low, high = min(low, k), max(high, k)
    return low, high


# Rows and columns are counted: a division per direction would cost as much as adding its row.
@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_all(f, which, omega, total, seen):
    total[:] = 0
    bins = total.shape[0]
    weight = np.zeros(bins, np.float32)
    solid = np.zeros(bins, np.float32)
    each = np.float32(1.0 / (PARTS * PARTS))
    d = 0
    for row in range(0, which.shape[0], PARTS):
        for column in range(0, which.shape[1], PARTS):
            low, high = _share(which, row, column, omega[d] * each, weight)
            for k in range(low, high + 1):
                w = weight[k]
                if w > 0:
                    weight[k] = 0
                    solid[k] += w
                    add_row(f[d], w, total[k])
            d += 1
    for k in range(bins):
        seen[k] = solid[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_measured(f, which, omega, total, seen):
    total[:] = 0
    seen[:] = 0
    bins, energies = total.shape
    weight = np.zeros(bins, np.float32)
    each = np.float32(1.0 / (PARTS * PARTS))
    d = 0
    for row in range(0, which.shape[0], PARTS):
        for column in range(0, which.shape[1], PARTS):
            low, high = _share(which, row, column, omega[d] * each, weight)
            for k in range(low, high + 1):
                w = weight[k]
                weight[k] = 0
                for e in range(energies):
                    x = f[d, e]
                    measured = abs(x) <= LARGEST
                    total[k, e] += w * x if measured and not abs(x) < TINY else np.float32(0)
                    seen[k, e] += w if measured else np.float32(0)
            d += 1
