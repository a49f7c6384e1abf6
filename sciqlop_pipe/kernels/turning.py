"""Vectors turned by matrices that change slowly with time."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def turned(vector, time, slot, steps, matrices):
    """Vectors multiplied by the matrix of their time, linear between two matrices.

    Parameters
    ----------
    vector : ndarray float64 (record, 3)
        Of any unit; NaN stays NaN.
    time : ndarray int64 (record)
        [ns].
    slot : ndarray int64 (record)
        Which matrix is the last one before a record; it has a following one.
    steps : ndarray int64 (matrix)
        Times of the matrices [ns].
    matrices : ndarray float64 (matrix, 3, 3)
        Rotations.

    Returns
    -------
    turned : ndarray float64 (record, 3)
        In the units of the vectors.
    """
    out = np.empty((time.size, 3))
    for t in range(time.size):
        k = slot[t]
        w = (time[t] - steps[k]) / (steps[k + 1] - steps[k])
        x, y, z = vector[t, 0], vector[t, 1], vector[t, 2]
        for i in range(3):
            before = matrices[k, i, 0] * x + matrices[k, i, 1] * y + matrices[k, i, 2] * z
            after = (
                matrices[k + 1, i, 0] * x + matrices[k + 1, i, 1] * y + matrices[k + 1, i, 2] * z
            )
            out[t, i] = before + w * (after - before)
    return out
