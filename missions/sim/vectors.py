"""Vector algebra on (time, 3) arrays, element by element.

No einsum, no matrix product: their last bit may depend on how many records are computed together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def dot(a: Array, b: Array) -> Array:
    """Return scalar products, (time)."""
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def length(v: Array) -> Array:
    """Return lengths, (time)."""
    return np.sqrt(dot(v, v))


def unit(v: Array) -> Array:
    """Return unit vectors, (time, 3)."""
    return v / length(v)[:, None]


def split(v: Array, normal: Array) -> tuple[Array, Array]:
    """Return the component along a normal, (time), and the tangential vector, (time, 3)."""
    across = dot(v, normal)
    return across, v - across[:, None] * normal


def rotate(matrix: Array, v: Array) -> Array:
    """Return vectors in the axes that are the rows of a (3, 3) matrix, (time, 3)."""
    rows = [v[:, 0] * row[0] + v[:, 1] * row[1] + v[:, 2] * row[2] for row in matrix]
    return np.stack(rows, axis=1)
