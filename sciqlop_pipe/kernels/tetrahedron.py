"""Gradients of what four spacecraft measure, sample by sample."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH
from .joining import fill_between

BLOCK = 512
"""Samples that are joined at a time: 55 kB, which stay in the processor's cache."""


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
    first = 0
    for knot in range(knots.size - 1):
        last = _segment(time, first, knots, knot)
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


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def curls(b1, b2, b3, b4, time, knots, k):
    """Curl and divergence of a vector from four spacecraft; parameters as of `gradients`.

    Returns
    -------
    curl : ndarray float64 (sample, 4)
        curl_x, curl_y, curl_z, divergence, in the units of b times those of k.
    """
    out = np.empty((time.size, 4))
    _fill_curls(b1, b2, b3, b4, time, knots, k, out)
    return out


@njit(nogil=True, cache=True)
def currents(t1, b1, t2, b2, t3, b3, t4, b4, reach, knots, k, scale):
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

    Returns
    -------
    time : ndarray int64 (sample)
        Those of t1 within the knots at which all four are finite.
    current : ndarray float64 (sample, 3)
    along, divergence, ratio : ndarray float64 (sample)
        Current along the mean field, divergence as a current, |divergence| / |curl|; NaN where
        the field or the curl is zero.
    """
    first, last = np.searchsorted(t1, knots[0]), np.searchsorted(t1, knots[-1] + 1)
    n = max(last - first, 0)
    time, current = np.empty(n, np.int64), np.empty((n, 3))
    along, divergence, ratio = np.empty(n), np.empty(n), np.empty(n)
    fields, curl = np.empty((4, BLOCK, 3)), np.empty((BLOCK, 4))
    w, x, y, z = fields[0], fields[1], fields[2], fields[3]
    m = 0
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        at = t1[start:stop]
        fill_between(t2, b2, at, reach, (0, 0, 0), x)
        fill_between(t3, b3, at, reach, (0, 0, 0), y)
        fill_between(t4, b4, at, reach, (0, 0, 0), z)
        c = 0
        for i in range(stop - start):
            total = 0.0
            for j in range(3):
                w[c, j] = b1[start + i, j]
                x[c, j], y[c, j], z[c, j] = x[i, j], y[i, j], z[i, j]
                total += abs(w[c, j]) + abs(x[c, j]) + abs(y[c, j]) + abs(z[c, j])
            if total < np.inf:
                time[m + c] = at[i]
                c += 1
        here = slice(m, m + c)
        _fill_curls(w[:c], x[:c], y[:c], z[:c], time[here], knots, k, curl)
        _fill_currents(fields, curl, scale, current[here], along[here], divergence[here],
                       ratio[here])  # fmt: skip
        m += c
    return time[:m], current[:m], along[:m], divergence[:m], ratio[:m]


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _fill_currents(b, curl, scale, current, along, divergence, ratio):
    for t in range(len(current)):
        x, y, z = scale * curl[t, 0], scale * curl[t, 1], scale * curl[t, 2]
        bx = b[0, t, 0] + b[1, t, 0] + b[2, t, 0] + b[3, t, 0]
        by = b[0, t, 1] + b[1, t, 1] + b[2, t, 1] + b[3, t, 1]
        bz = b[0, t, 2] + b[1, t, 2] + b[2, t, 2] + b[3, t, 2]
        current[t, 0], current[t, 1], current[t, 2] = x, y, z
        along[t] = (x * bx + y * by + z * bz) / np.sqrt(bx * bx + by * by + bz * bz)
        divergence[t] = scale * curl[t, 3]
        ratio[t] = abs(divergence[t]) / np.sqrt(x * x + y * y + z * z)


@njit(nogil=True, cache=True)
def _fill_curls(b1, b2, b3, b4, time, knots, k, out):
    first = 0
    for knot in range(knots.size - 1):
        last = _segment(time, first, knots, knot)
        if last > first:
            _curls(
                b1[first:last], b2[first:last], b3[first:last], b4[first:last], time[first:last],
                knots[knot], knots[knot + 1], k[knot], k[knot + 1], out[first:last],
            )  # fmt: skip
        first = last


@njit(nogil=True, cache=True)
def _segment(time, first, knots, knot):
    """Return the end of the samples between a knot and the next; the last one takes all."""
    if knot == knots.size - 2:
        return time.size
    return first + np.searchsorted(time[first:], knots[knot + 1])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _curls(b1, b2, b3, b4, time, start, stop, k, after, out):
    scale = 1.0 / (stop - start)
    p0, p1, p2 = k[0, 0], k[0, 1], k[0, 2]
    q0, q1, q2 = k[1, 0], k[1, 1], k[1, 2]
    s0, s1, s2 = k[2, 0], k[2, 1], k[2, 2]
    dp0, dp1, dp2 = after[0, 0] - p0, after[0, 1] - p1, after[0, 2] - p2
    dq0, dq1, dq2 = after[1, 0] - q0, after[1, 1] - q1, after[1, 2] - q2
    ds0, ds1, ds2 = after[2, 0] - s0, after[2, 1] - s1, after[2, 2] - s2
    for t in range(time.size):
        w = (time[t] - start) * scale
        x0, x1, x2 = b1[t, 0] - b4[t, 0], b1[t, 1] - b4[t, 1], b1[t, 2] - b4[t, 2]
        y0, y1, y2 = b2[t, 0] - b4[t, 0], b2[t, 1] - b4[t, 1], b2[t, 2] - b4[t, 2]
        z0, z1, z2 = b3[t, 0] - b4[t, 0], b3[t, 1] - b4[t, 1], b3[t, 2] - b4[t, 2]
        pa, qa, sa = p0 + w * dp0, q0 + w * dq0, s0 + w * ds0
        pb, qb, sb = p1 + w * dp1, q1 + w * dq1, s1 + w * ds1
        pc, qc, sc = p2 + w * dp2, q2 + w * dq2, s2 + w * ds2
        out[t, 0] = pb * x2 - pc * x1 + qb * y2 - qc * y1 + sb * z2 - sc * z1
        out[t, 1] = pc * x0 - pa * x2 + qc * y0 - qa * y2 + sc * z0 - sa * z2
        out[t, 2] = pa * x1 - pb * x0 + qa * y1 - qb * y0 + sa * z1 - sb * z0
        out[t, 3] = (
            pa * x0 + pb * x1 + pc * x2 + qa * y0 + qb * y1 + qc * y2 + sa * z0 + sb * z1 + sc * z2
        )
