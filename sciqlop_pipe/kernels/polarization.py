"""Spectral matrices of three components, and what they say about a wave."""

from __future__ import annotations

import numpy as np
from numba import njit

_SWEEPS = 12
_NEGLIGIBLE = 1e-17


@njit(nogil=True, cache=True)
def mean_products(a, b, start, scale):
    """Mean products a_i b_j* of transforms over the frames of each record, scaled.

    Parameters
    ----------
    a, b : ndarray complex128 (frame, frequency_bin, component)
        Transforms of frames.
    start : ndarray int64 (record + 1)
        First frame of each record, and the end.
    scale : ndarray float64 (record, frequency_bin)
        Factor of the sum.

    Returns
    -------
    matrix : ndarray complex128 (record, frequency_bin, component, component)
    """
    records, bins, n, m = start.size - 1, a.shape[1], a.shape[2], b.shape[2]
    out = np.zeros((records, bins, n, m), np.complex128)
    for r in range(records):
        for frame in range(start[r], start[r + 1]):
            for f in range(bins):
                for i in range(n):
                    for j in range(m):
                        out[r, f, i, j] += a[frame, f, i] * np.conj(b[frame, f, j])
        for f in range(bins):
            for i in range(n):
                for j in range(m):
                    out[r, f, i, j] *= scale[r, f]
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def polarizations(matrix, along):
    """Power, degree of polarization, ellipticity, planarity, handedness, wave-normal angle [deg].

    Parameters
    ----------
    matrix : ndarray complex128 (record, frequency_bin, 3, 3)
        Spectral matrices.
    along : ndarray float64 (record, 3)
        Unit vectors of the background field, NaN where there is none.

    Returns
    -------
    found : ndarray float32 (6, record, frequency_bin)
        NaN without power; the last two also without a field.
    """
    records, bins = matrix.shape[:2]
    out = np.full((6, records, bins), np.float32(np.nan))
    s, v = np.empty((3, 3)), np.empty((3, 3))
    for r in range(records):
        bx, by, bz = along[r]
        for f in range(bins):
            m = matrix[r, f]
            power = m[0, 0].real + m[1, 1].real + m[2, 2].real
            out[0, r, f] = power
            if not 0 < power < np.inf:
                continue
            unit, squared = 1 / power, 0.0
            for i in range(3):
                for j in range(i, 3):
                    total = 0.0
                    for k in range(3):
                        total += m[k, i].real * m[k, j].real + m[k, i].imag * m[k, j].imag
                    s[i, j] = s[j, i] = total * unit * unit
                squared += s[i, i]
            if not squared < np.inf:
                continue
            _diagonal(s, v)
            small, middle, large = _ascending(s)
            w1, w2, w3 = s[large, large], max(s[middle, middle], 0.0), max(s[small, small], 0.0)
            out[1, r, f] = np.sqrt(min(max((3 * squared - 1) / 2, 0.0), 1.0))
            out[2, r, f] = np.sqrt(w2 / w1)
            out[3, r, f] = 1 - np.sqrt(np.sqrt(w3 / w1))
            turning = m[1, 2].imag * bx + m[2, 0].imag * by + m[0, 1].imag * bz
            out[4, r, f] = np.sign(turning)
            cosine = abs(v[0, small] * bx + v[1, small] * by + v[2, small] * bz)
            out[5, r, f] = np.degrees(np.arccos(min(cosine, 1.0))) if cosine >= 0 else np.nan
    return out


@njit(nogil=True, cache=True)
def _diagonal(s, v):
    """Turn a symmetric matrix (3, 3) into its eigenvalues; columns of v become the vectors.

    Rotations of Jacobi (Golub and van Loan 2013, Matrix Computations, section 8.5): for nine
    numbers four times as fast as a library that is made for large matrices.
    """
    for i in range(3):
        for j in range(3):
            v[i, j] = 1.0 if i == j else 0.0
    size = s[0, 0] + s[1, 1] + s[2, 2]
    for _ in range(_SWEEPS):
        if abs(s[0, 1]) + abs(s[0, 2]) + abs(s[1, 2]) <= _NEGLIGIBLE * size:
            return
        _rotated(s, v, 0, 1, 2)
        _rotated(s, v, 0, 2, 1)
        _rotated(s, v, 1, 2, 0)


@njit(nogil=True, cache=True, inline="always")
def _rotated(s, v, p, q, o):
    off = s[p, q]
    if off == 0.0:
        return
    theta = (s[q, q] - s[p, p]) / (2 * off)
    t = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
    if theta < 0:
        t = -t
    c = 1.0 / np.sqrt(t * t + 1.0)
    sine = t * c
    s[p, p] -= t * off
    s[q, q] += t * off
    s[p, q] = s[q, p] = 0.0
    a, b = s[o, p], s[o, q]
    s[o, p] = s[p, o] = c * a - sine * b
    s[o, q] = s[q, o] = sine * a + c * b
    for i in range(3):
        a, b = v[i, p], v[i, q]
        v[i, p], v[i, q] = c * a - sine * b, sine * a + c * b


@njit(nogil=True, cache=True)
def _ascending(s):
    """Return which diagonal element is the smallest, the middle and the largest one."""
    small, middle, large = 0, 1, 2
    if s[small, small] > s[middle, middle]:
        small, middle = middle, small
    if s[middle, middle] > s[large, large]:
        middle, large = large, middle
    if s[small, small] > s[middle, middle]:
        small, middle = middle, small
    return small, middle, large
