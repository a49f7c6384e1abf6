"""Gradients of what four spacecraft measure, sample by sample."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH
from .joining import BLOCK, fill_between, fill_columns

_XYZ = (0, 0, 0)
_PART, _TOTAL, _CURL = 12, 13, 16
"""Rows of a sheet: below these the four vectors, then time, their sum, curl and divergence.

A sheet is one array, and kernels know how far apart its rows are: of many arrays, each of which
could overlap the others, the compiler vectorises nothing.
"""
_ROWS = 20


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def reciprocal(r, out):
    """Six times the volume of a tetrahedron, whose reciprocal vectors k_a are filled in.

    The gradient of f is sum_a k_a f_a.

    Parameters
    ----------
    r : ndarray float64 (spacecraft, 3)
        Positions of four spacecraft.
    out : ndarray float64 (spacecraft, 3)
        Filled with k_a, in 1 / unit of r; NaN for four spacecraft in a plane.
    """
    six = 0.0
    for a in range(4):
        b, c, d = (a + 1) % 4, (a + 2) % 4, (a + 3) % 4
        ux, uy, uz = r[c, 0] - r[b, 0], r[c, 1] - r[b, 1], r[c, 2] - r[b, 2]
        vx, vy, vz = r[d, 0] - r[b, 0], r[d, 1] - r[b, 1], r[d, 2] - r[b, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        six = (r[a, 0] - r[b, 0]) * x + (r[a, 1] - r[b, 1]) * y + (r[a, 2] - r[b, 2]) * z
        inverse = 1.0 / six if six != 0.0 else np.nan
        out[a, 0], out[a, 1], out[a, 2] = x * inverse, y * inverse, z * inverse
    return abs(six)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def gradients(b1, b2, b3, b4, time, knots, k):
    """Gradient of a vector from four spacecraft, G_ij = dB_j/dx_i.

    Parameters
    ----------
    b1, b2, b3, b4 : ndarray float64 (sample, 3)
        The vector at each spacecraft, at the same times.
    time : ndarray int64 (sample)
        [ns], ascending.
    knots : ndarray int64 (knot)
        Times of the reciprocal vectors [ns], at least two, around all samples.
    k : ndarray float64 (knot, spacecraft, 3)
        Reciprocal vectors, linear between knots.

    Returns
    -------
    gradient : ndarray float64 (sample, 3, 3)
        In the units of b times those of k.
    """
    out = np.empty((time.size, 3, 3))
    first = knot = 0
    while first < time.size:
        knot, last = _between_knots(time, first, knots, knot)
        x, y, z, origin = b1[first:last], b2[first:last], b3[first:last], b4[first:last]
        g = out[first:last]
        for t in range(last - first):
            w = (time[first + t] - knots[knot]) / (knots[knot + 1] - knots[knot])
            for i in range(3):
                # k_1 + k_2 + k_3 + k_4 = 0: differences to the fourth keep all digits.
                p = k[knot, 0, i] + w * (k[knot + 1, 0, i] - k[knot, 0, i])
                q = k[knot, 1, i] + w * (k[knot + 1, 1, i] - k[knot, 1, i])
                s = k[knot, 2, i] + w * (k[knot + 1, 2, i] - k[knot, 2, i])
                for j in range(3):
                    last_one = origin[t, j]
                    g[t, i, j] = (
                        p * (x[t, j] - last_one)
                        + q * (y[t, j] - last_one)
                        + s * (z[t, j] - last_one)
                    )
        first = last
    return out


@njit(nogil=True, cache=True)
def curls(b1, b2, b3, b4, time, knots, k):
    """Curl and divergence of a vector from four spacecraft; parameters as of `gradients`.

    Returns
    -------
    curl : ndarray float64 (sample, 4)
        curl_x, curl_y, curl_z, divergence, in the units of b times those of k.
    """
    out = np.empty((time.size, 4))
    first = knot = 0
    while first < time.size:
        knot, last = _between_knots(time, first, knots, knot)
        here, steps = slice(first, last), _steps(k[knot], k[knot + 1])
        scale = 1.0 / (knots[knot + 1] - knots[knot])
        _curls_of(b1[here], b2[here], b3[here], b4[here], time[here], knots[knot], scale, steps,
                  out[here])  # fmt: skip
        first = last
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _curls_of(b1, b2, b3, b4, time, start, scale, steps, out):
    for t in range(time.size):
        x = b1[t, 0] - b4[t, 0], b1[t, 1] - b4[t, 1], b1[t, 2] - b4[t, 2]
        y = b2[t, 0] - b4[t, 0], b2[t, 1] - b4[t, 1], b2[t, 2] - b4[t, 2]
        z = b3[t, 0] - b4[t, 0], b3[t, 1] - b4[t, 1], b3[t, 2] - b4[t, 2]
        found = _curl(x, y, z, (time[t] - start) * scale, steps)
        out[t, 0], out[t, 1], out[t, 2], out[t, 3] = found


@njit(nogil=True, cache=True)
def currents(t1, b1, t2, b2, t3, b3, t4, b4, reach, knots, k, scale, words, poor, word, out):
    """Currents from four fields of their own clocks, at the times of the first.

    A block of samples is put on one clock, freed of those that one spacecraft lacks and turned
    into currents before the next: nothing but the results goes through memory.

    Parameters
    ----------
    t1, t2, t3, t4 : ndarray int64 (record of each)
        [ns], ascending.
    b1, b2, b3, b4 : ndarray float32 or float64 (record, 3)
        The field at each spacecraft.
    reach : int
        Longest distance between two neighbours that are interpolated [ns].
    knots : ndarray int64 (knot)
        Times of the reciprocal vectors [ns], at least two.
    k : ndarray float64 (knot, spacecraft, 3)
        Reciprocal vectors, linear between knots.
    scale : float
        Current per curl.
    words : ndarray uint32 (knot - 1)
        Flags of the samples between a knot and the next.
    poor : float
        |divergence| / |curl| above which `word` (uint32) is added to the flags.
    out : tuple of ndarray (record of the first)
        To be filled with time int64 [ns], current float64 (record, 3), current along the mean
        field, divergence as a current, |divergence| / |curl| float64, NaN where the field or the
        curl is zero, and flags uint32.

    Returns
    -------
    samples : int
        How many were filled in: those of t1 within the knots at which all four are finite.
    """
    first, last = np.searchsorted(t1, knots[0]), np.searchsorted(t1, knots[-1] + 1)
    time, current, along, divergence, ratio, flags = out
    sheet, spare = np.zeros((_ROWS, BLOCK)), np.empty((4, BLOCK + 1))
    m = p2 = p3 = p4 = knot = 0
    for start in range(first, last, BLOCK):
        at = t1[start : min(start + BLOCK, last)]
        fill_columns(b1[start : start + at.size], _XYZ, sheet[0:3])
        p2 = fill_between(t2, b2, at, reach, _XYZ, p2, spare, sheet[3:6])
        p3 = fill_between(t3, b3, at, reach, _XYZ, p3, spare, sheet[6:9])
        p4 = fill_between(t4, b4, at, reach, _XYZ, p4, spare, sheet[9:12])
        here = time[m : m + at.size]
        for i in range(at.size):
            here[i] = at[i]
        if _fill_totals(sheet.ravel(), at.size):
            here = here[: _keep_whole(sheet, here)]
        begin = 0
        while begin < here.size:
            knot, end = _between_knots(here, begin, knots, knot)
            _fill_curls(sheet, here, begin, end, knots, knot, k)
            for i in range(begin, end):
                flags[m + i] = words[knot]
            begin = end
        stop = m + here.size
        _fill_currents(sheet.ravel(), scale, current[m:stop], along[m:stop], divergence[m:stop],
                       ratio[m:stop])  # fmt: skip
        for i in range(m, stop):
            flags[i] |= word * np.uint32(ratio[i] > poor)
        m = stop
    return m


@njit(nogil=True, cache=True)
def _fill_totals(s, size):
    """Fill in four times the mean field; tell how many numbers of it are not finite."""
    holes = 0
    for t in range(size):
        x = s[t] + s[3 * BLOCK + t] + s[6 * BLOCK + t] + s[9 * BLOCK + t]
        y = s[BLOCK + t] + s[4 * BLOCK + t] + s[7 * BLOCK + t] + s[10 * BLOCK + t]
        z = s[2 * BLOCK + t] + s[5 * BLOCK + t] + s[8 * BLOCK + t] + s[11 * BLOCK + t]
        c = _TOTAL * BLOCK + t
        s[c], s[c + BLOCK], s[c + 2 * BLOCK] = x, y, z
        holes += not abs(x) + abs(y) + abs(z) < np.inf
    return holes


@njit(nogil=True, cache=True)
def _keep_whole(sheet, time):
    """Move samples at which all is finite to the front; return their number."""
    m = 0
    for t in range(time.size):
        if abs(sheet[_TOTAL, t]) + abs(sheet[_TOTAL + 1, t]) + abs(sheet[_TOTAL + 2, t]) < np.inf:
            time[m] = time[t]
            for row in range(_CURL):
                sheet[row, m] = sheet[row, t]
            m += 1
    return m


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _fill_currents(s, scale, current, along, divergence, ratio):
    for t in range(len(along)):
        b, c = _TOTAL * BLOCK + t, _CURL * BLOCK + t
        x, y, z = scale * s[c], scale * s[c + BLOCK], scale * s[c + 2 * BLOCK]
        bx, by, bz = s[b], s[b + BLOCK], s[b + 2 * BLOCK]
        along[t] = (x * bx + y * by + z * bz) / np.sqrt(bx * bx + by * by + bz * bz)
        d = scale * s[c + 3 * BLOCK]
        divergence[t] = d
        ratio[t] = abs(d) / np.sqrt(x * x + y * y + z * z)
    for t in range(len(current)):
        c = _CURL * BLOCK + t
        current[t, 0], current[t, 1] = scale * s[c], scale * s[c + BLOCK]
        current[t, 2] = scale * s[c + 2 * BLOCK]


@njit(nogil=True, cache=True)
def _between_knots(time, first, knots, knot):
    """Return the knot before a time, and the end of the times before the next knot."""
    while knot < knots.size - 2 and time[first] >= knots[knot + 1]:
        knot += 1
    if knot == knots.size - 2 or time[-1] < knots[knot + 1]:
        return knot, time.size
    return knot, first + np.searchsorted(time[first:], knots[knot + 1])


@njit(nogil=True, cache=True)
def _fill_curls(sheet, time, first, last, knots, knot, k):
    part, scale = sheet[_PART, first:last], 1.0 / (knots[knot + 1] - knots[knot])
    at, start = time[first:last], knots[knot]
    for t in range(at.size):
        part[t] = (at[t] - start) * scale
    _curls(sheet.ravel()[first:], at.size, _steps(k[knot], k[knot + 1]))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _curls(s, size, steps):
    for t in range(size):
        b0, b1, b2 = s[9 * BLOCK + t], s[10 * BLOCK + t], s[11 * BLOCK + t]
        x = s[t] - b0, s[BLOCK + t] - b1, s[2 * BLOCK + t] - b2
        y = s[3 * BLOCK + t] - b0, s[4 * BLOCK + t] - b1, s[5 * BLOCK + t] - b2
        z = s[6 * BLOCK + t] - b0, s[7 * BLOCK + t] - b1, s[8 * BLOCK + t] - b2
        found, c = _curl(x, y, z, s[_PART * BLOCK + t], steps), _CURL * BLOCK + t
        s[c], s[c + BLOCK], s[c + 2 * BLOCK], s[c + 3 * BLOCK] = found


@njit(nogil=True, cache=True)
def _steps(k, after):
    """Return three reciprocal vectors and how they change to those after, as six tuples."""
    p, q, s = (k[0, 0], k[0, 1], k[0, 2]), (k[1, 0], k[1, 1], k[1, 2]), (k[2, 0], k[2, 1], k[2, 2])
    dp = after[0, 0] - p[0], after[0, 1] - p[1], after[0, 2] - p[2]
    dq = after[1, 0] - q[0], after[1, 1] - q[1], after[1, 2] - q[2]
    ds = after[2, 0] - s[0], after[2, 1] - s[1], after[2, 2] - s[2]
    return p, q, s, dp, dq, ds


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _curl(x, y, z, w, steps):
    """Return curl and divergence of differences to the fourth spacecraft.

    k_1 + k_2 + k_3 + k_4 = 0: differences keep all digits.
    """
    p, q, s, dp, dq, ds = steps
    pa, qa, sa = p[0] + w * dp[0], q[0] + w * dq[0], s[0] + w * ds[0]
    pb, qb, sb = p[1] + w * dp[1], q[1] + w * dq[1], s[1] + w * ds[1]
    pc, qc, sc = p[2] + w * dp[2], q[2] + w * dq[2], s[2] + w * ds[2]
    return (
        pb * x[2] - pc * x[1] + qb * y[2] - qc * y[1] + sb * z[2] - sc * z[1],
        pc * x[0] - pa * x[2] + qc * y[0] - qa * y[2] + sc * z[0] - sa * z[2],
        pa * x[1] - pb * x[0] + qa * y[1] - qb * y[0] + sa * z[1] - sb * z[0],
        pa * x[0] + pb * x[1] + pc * x[2]
        + qa * y[0] + qb * y[1] + qc * y[2]
        + sa * z[0] + sb * z[1] + sc * z[2],
    )  # fmt: skip
