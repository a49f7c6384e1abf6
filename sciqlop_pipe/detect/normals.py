"""The normal of a boundary from the magnetic field of one spacecraft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST = 8  # vectors; fewer cannot tell three variances apart


@dataclass(frozen=True, slots=True)
class Normal:
    """A direction, and how much better it is determined than any other.

    `direction` (3) is a unit vector in the frame of the field, its x not negative; `ratio` is the
    intermediate variance over the smallest.
    """

    direction: NDArray[np.float64]
    ratio: float


def minimum_variance(field: NDArray[np.float64]) -> Normal | None:
    """Return the direction along which the field varies least; None when it cannot be told.

    The eigenvector of the smallest eigenvalue of <B_i B_j> - <B_i><B_j>: Sonnerup and Cahill,
    J. Geophys. Res. 72, 171, 1967; Sonnerup and Scheible in Analysis Methods for Multi-Spacecraft
    Data, ISSI SR-001, chapter 8, 1998. A plane boundary has no variation of B along its normal.

    Parameters
    ----------
    field : ndarray (time, 3)
        Across the boundary [nT]; vectors with NaN are left out.
    """
    known = field[np.isfinite(field).all(axis=1)]
    if len(known) < _LEAST:
        return None
    apart = known - known.mean(axis=0)
    variances, axes = np.linalg.eigh(apart.T @ apart / len(known))
    if not variances[1] > 0:
        return None
    normal = axes[:, 0] if axes[0, 0] >= 0 else -axes[:, 0]
    return Normal(normal, float(variances[1] / max(variances[0], 1e-12 * variances[2])))
