"""Unit quaternions (x, y, z, w): interpolated on the sphere, joined, and applied to vectors.

A quaternion stands for the rotation matrix R that turns components in one frame into components in
another one: v' = R v. q and -q are the same rotation. Loops are written out, so that the last bit
of a result does not depend on what else is in the array.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NEARLY_EQUAL = 0.99999
"""Cosine of the half angle above which a chord is the arc to 1e-8 rad: 0.5 degrees."""


@njit(nogil=True, cache=True)
def quaternions_at(time, quaternion, at, reach):
    """Quaternions between their neighbours in time, spherically interpolated.

    Both neighbours within reach: the point on the arc between them (slerp). One: that one, held.
    None: NaN. So nothing is carried farther than reach, and the result does not depend on samples
    beyond it.

    Parameters
    ----------
    time : ndarray int64 (sample)
        Ascending [ns].
    quaternion : ndarray float64 (sample, 4)
        Finite and of length 1; signs need not be continuous.
    at : ndarray int64 (time)
        [ns], in any order.
    reach : int
        [ns].

    Returns
    -------
    quaternion : ndarray float64 (time, 4)
        Of length 1, or NaN.

    References
    ----------
    Shoemake, K. (1985), Animating rotation with quaternion curves, SIGGRAPH Computer Graphics 19,
    245, doi:10.1145/325165.325242.
    """
    out = np.full((at.size, 4), np.nan)
    for i in range(at.size):
        right = np.searchsorted(time, at[i])
        left = right - 1
        after = right < time.size and time[right] - at[i] <= reach
        before = left >= 0 and at[i] - time[left] <= reach
        if after and (not before or time[right] == at[i]):
            out[i] = quaternion[right]
        elif before and not after:
            out[i] = quaternion[left]
        elif before:
            part = (at[i] - time[left]) / (time[right] - time[left])
            _slerp(quaternion[left], quaternion[right], part, out[i])
    return out


@njit(nogil=True, cache=True)
def _slerp(p, q, part, out):
    cosine = p[0] * q[0] + p[1] * q[1] + p[2] * q[2] + p[3] * q[3]
    sign = 1.0 if cosine >= 0.0 else -1.0
    cosine = min(abs(cosine), 1.0)
    one, other = 1.0 - part, part
    if cosine < NEARLY_EQUAL:
        angle = np.arccos(cosine)
        one, other = np.sin(one * angle), np.sin(other * angle)
    total = 0.0
    for k in range(4):
        out[k] = one * p[k] + sign * other * q[k]
        total += out[k] * out[k]
    scale = 1.0 / np.sqrt(total)
    for k in range(4):
        out[k] *= scale


@njit(nogil=True, cache=True)
def rotated(quaternion, vector):
    """Vectors in the frame that quaternions turn to, float64 (time, 3), in their own units.

    Parameters
    ----------
    quaternion : ndarray float64 (time or 1, 4)
        Of length 1; NaN gives NaN.
    vector : ndarray float64 (time, 3)
    """
    out = np.empty(vector.shape)
    for i in range(vector.shape[0]):
        q = quaternion[i if quaternion.shape[0] > 1 else 0]
        x, y, z, w = q[0], q[1], q[2], q[3]
        a, b, c = vector[i, 0], vector[i, 1], vector[i, 2]
        # v + 2 w (q x v) + 2 q x (q x v)
        s, t, u = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
        out[i, 0] = a + w * s + y * u - z * t
        out[i, 1] = b + w * t + z * s - x * u
        out[i, 2] = c + w * u + x * t - y * s
    return out


def inverse(quaternion: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) of the rotations back."""
    return quaternion * np.array([-1.0, -1.0, -1.0, 1.0])


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) of the first rotation followed by the second one."""
    a, b, c, d = np.moveaxis(second, -1, 0)
    x, y, z, w = np.moveaxis(first, -1, 0)
    return np.stack(
        [
            d * x + a * w + b * z - c * y,
            d * y - a * z + b * w + c * x,
            d * z + a * y - b * x + c * w,
            d * w - a * x - b * y - c * z,
        ],
        axis=-1,
    )


def matrices(quaternion: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4)."""
    x, y, z, w = np.moveaxis(quaternion, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(r, axis=-1) for r in rows], axis=-2)


def of_matrices(matrix: np.ndarray) -> np.ndarray:
    """Quaternions (n, 4) of rotation matrices (n, 3, 3); w >= 0.

    Each of the four products q q_k follows from sums of elements; the largest is the safest.

    References
    ----------
    Shepperd, S. W. (1978), J. Guidance and Control 1, 223, doi:10.2514/3.55767b.
    """
    m = np.asarray(matrix, np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    xy, xz, yz = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    xw, yw, zw = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    products = np.stack(
        [
            np.stack([1 + xx - yy - zz, xy, xz, xw], -1),
            np.stack([xy, 1 - xx + yy - zz, yz, yw], -1),
            np.stack([xz, yz, 1 - xx - yy + zz, zw], -1),
            np.stack([xw, yw, zw, 1 + xx + yy + zz], -1),
        ],
        axis=1,
    )
    best = np.argmax(np.diagonal(products, axis1=1, axis2=2), axis=1)
    q = products[np.arange(m.shape[0]), best]
    q = np.where(q[:, 3:] < 0, -q, q)
    return q / np.sqrt((q**2).sum(axis=1, keepdims=True))
