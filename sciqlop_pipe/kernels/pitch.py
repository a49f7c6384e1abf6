"""Means of f over pitch angle, energy by energy."""

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
)
from .rays import cosines_of_grid, cosines_of_list

PARTS = 2
"""Rays per direction along either angle: with one, bins of 10 degrees alias with those of 11.

A constant, not an argument: known to the compiler it halves the time of all of it.
"""


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def pitch_means_of_grid(f, b, azimuth, polar, solid_angle, mean, coverage):
    """Fill solid-angle means of f in equal bins of pitch angle, and the part of each bin measured.

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
    mean, coverage : ndarray float32 (time, bin, energy)
        To be filled, for bins from 0 to 180 degrees: in the units of f, NaN where nothing is
        measured or b is undefined; and 0 to 1.
    """
    times, bins, energies = mean.shape
    cosine = np.empty((azimuth.shape[2], polar.shape[2]), np.float32)
    which = np.empty(cosine.shape, np.int32)
    sheet = np.zeros((f.shape[1], LANES), np.float32)
    sums, solid, share = _scratch(bins, energies)
    for t in range(times):
        if abs(b[t, 0]) <= LARGEST:
            a = azimuth[t if azimuth.shape[0] > 1 else 0]
            p = polar[t if polar.shape[0] > 1 else 0]
            cosines_of_grid(a, p, b[t], cosine)
            _pitch_bins(cosine, bins, which)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            rows, following = at_least_lanes(f[t], sheet), f[min(t + 1, times - 1)].reshape(-1)
            # A NaN anywhere makes a sum NaN: only then look at every bin.
            if not _add_all(rows, following, which, omega, sums, solid):
                _add_measured(rows, which, omega, sums, solid)
            _divide(sums[0], solid[0], share, mean[t], coverage[t])
        else:
            mean[t], coverage[t] = np.nan, 0


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def pitch_means_of_list(f, b, vectors, solid_angle, mean, coverage):
    """Fill the means of `pitch_means_of_grid` for rays anywhere.

    Parameters
    ----------
    f, b, solid_angle, mean, coverage
        As there.
    vectors : ndarray float32 (time or 1, 3, row x part, column x part)
        Unit vectors of the rays.
    """
    times, bins, energies = mean.shape
    cosine = np.empty(vectors.shape[2:], np.float32)
    which = np.empty(cosine.shape, np.int32)
    sheet = np.zeros((f.shape[1], LANES), np.float32)
    sums, solid, share = _scratch(bins, energies)
    for t in range(times):
        if abs(b[t, 0]) <= LARGEST:
            cosines_of_list(vectors[t if vectors.shape[0] > 1 else 0], b[t], cosine)
            _pitch_bins(cosine, bins, which)
            omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
            rows, following = at_least_lanes(f[t], sheet), f[min(t + 1, times - 1)].reshape(-1)
            # A NaN anywhere makes a sum NaN: only then look at every bin.
            if not _add_all(rows, following, which, omega, sums, solid):
                _add_measured(rows, which, omega, sums, solid)
            _divide(sums[0], solid[0], share, mean[t], coverage[t])
        else:
            mean[t], coverage[t] = np.nan, 0


@njit(nogil=True, cache=True)
def _scratch(bins, energies):
    """Return sums and solid angles (part, bin, lanes), and 1 over the solid angle of whole bins."""
    sums = np.empty((4, bins + 1, -(-energies // LANES) * LANES), np.float32)
    share = np.empty(bins, np.float32)
    for k in range(bins):
        share[k] = 0.5 / np.pi / (np.cos(np.pi * k / bins) - np.cos(np.pi * (k + 1) / bins))
    return sums, np.empty(sums.shape, np.float32), share


# 0/0 is the NaN that is wanted.
@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _divide(total, seen, share, mean, coverage):
    for k in range(mean.shape[0]):
        x, s, m, c = total[k], seen[k], mean[k], coverage[k]
        for e in range(m.size):
            m[e] = x[e] * np.float32(1 / SCALE) / s[e]
        for e in range(c.size):
            c[e] = min(s[e] * share[k], np.float32(1))


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
def _share(which, row, column, omega):
    """Return the lowest bin of a direction's rays, and what falls there and into the next one.

    Rays of a direction narrower than a bin are in two neighbouring bins at most. Then two sums
    take it, else (third number true) each ray has to be added on its own.
    """
    a, b = which[row, column], which[row, column + 1]
    c, d = which[row + 1, column], which[row + 1, column + 1]
    low, high = min(a, b, c, d), max(a, b, c, d)
    above = omega * np.float32(0.25) * np.float32(a + b + c + d - 4 * low)
    return np.uint32(low), omega - above, above, high - low > 1


# Two pairs of sums in turn: a direction would have to wait for the one before to be stored.
@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_all(f, following, which, omega, sums, solid):
    """Fill sums and solid[0] (bin, energy); return whether all of f is finite."""
    size = f.shape[1]
    sums[:] = 0
    angle = np.zeros(sums.shape[:2], np.float32)
    d = 0
    for row in range(0, which.shape[0], PARTS):
        for column in range(0, which.shape[1], PARTS):
            low, w, above, wide = _share(which, row, column, omega[d])
            i = np.uint32(2 * (d & 1))
            if wide:
                w = omega[d] * np.float32(0.25)
                for part in range(4):
                    own = np.uint32(which[row + part // 2, column + part % 2])
                    angle[i, own] += w
                    for start in range(0, size, LANES):
                        value = cleaned(lanes(f[d], run_at(start, size)))
                        _add(sums[i, own], start, w, value)
            else:
                angle[i, low] += w
                angle[i + 1, low + 1] += above
                for start in range(0, size, LANES):
                    e = run_at(start, size)
                    fetch(following, d * size + e)
                    value = cleaned(lanes(f[d], e))
                    _add(sums[i, low], start, w, value)
                    _add(sums[i + 1, low + 1], start, above, value)
            d += 1
    for k in range(angle.shape[1]):
        solid[0, k] = angle[0, k] + angle[1, k] + angle[2, k] + angle[3, k]
    _add_parts(sums, size)
    return _sum_is_finite(sums[0])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_measured(f, which, omega, sums, solid):
    size = f.shape[1]
    sums[:] = 0
    solid[:] = 0
    d = 0
    for row in range(0, which.shape[0], PARTS):
        for column in range(0, which.shape[1], PARTS):
            low, w, above, wide = _share(which, row, column, omega[d])
            i = np.uint32(2 * (d & 1))
            for start in range(0, size, LANES):
                value, there = measured(cleaned(lanes(f[d], run_at(start, size))))
                if wide:
                    w = omega[d] * np.float32(0.25)
                    for part in range(4):
                        own = np.uint32(which[row + part // 2, column + part % 2])
                        _add(sums[i, own], start, w, value)
                        _add(solid[i, own], start, w, there)
                else:
                    _add(sums[i, low], start, w, value)
                    _add(solid[i, low], start, w, there)
                    _add(sums[i + 1, low + 1], start, above, value)
                    _add(solid[i + 1, low + 1], start, above, there)
            d += 1
    _add_parts(sums, size)
    _add_parts(solid, size)


@njit(nogil=True, cache=True, inline="always")
def _add(row, at, weight, value):
    put(row, at, multiply_add(weight, value, lanes(row, at)))


@njit(nogil=True, cache=True)
def _add_parts(sums, size):
    """Make sums[0] (bin, energy) the total of sums (part, bin, lanes)."""
    for k in range(sums.shape[1]):
        for start in range(0, size, LANES):
            total = lanes(sums[0, k], start)
            for part in range(1, sums.shape[0]):
                total = multiply_add(1.0, lanes(sums[part, k], start), total)
            put(sums[0, k], run_at(start, size), total)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_is_finite(sums):
    total = np.float32(0)
    for x in sums.reshape(-1):
        total += abs(x)
    return total <= LARGEST
