"""Gradients of what four spacecraft measure, sample by sample."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH


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
    first = 0
    for knot in range(knots.size - 1):
        last = _segment(time, first, knots, knot)
        _curls(
            b1[first:last], b2[first:last], b3[first:last], b4[first:last], time[first:last],
            knots[knot], knots[knot + 1], k[knot], k[knot + 1], out[first:last],
        )  # fmt: skip
        first = last
    return out


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
