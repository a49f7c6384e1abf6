"""The normal of a boundary from the magnetic field of one spacecraft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST = 8  # vectors; fewer cannot tell three variances apart
_PARALLEL = 5.0  # [deg]: fields nearer to each other span no plane


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


@dataclass(frozen=True, slots=True)
class ShockNormal:
    """A unit normal (3), its x not negative, and its angle to the upstream field [deg]."""

    direction: NDArray[np.float64]
    theta_bn: float


def coplanarity(before: NDArray[np.float64], after: NDArray[np.float64]) -> ShockNormal | None:
    """Return the normal of a shock from the fields of both sides, None where they are parallel.

        n = (B2 x B1) x (B2 - B1)

    Both fields and the normal lie in a plane, and the component along the normal does not change:
    Schwartz, ISSI SR-001, chapter 10, equation 10.13, 1998. Upstream is where the field is weaker.

    Parameters
    ----------
    before, after : ndarray (3)
        Mean or median fields [nT]; within 5 deg of each other they span no plane.
    """
    size = float(np.linalg.norm(before) * np.linalg.norm(after))
    across = np.cross(after, before)
    if not np.linalg.norm(across) > np.sin(np.radians(_PARALLEL)) * size:
        return None
    raw = np.cross(across, after - before)
    if not np.linalg.norm(raw) > 0:
        return None
    normal = raw / np.linalg.norm(raw)
    normal = normal if normal[0] >= 0 else -normal
    upstream = min(before, after, key=lambda v: float(np.linalg.norm(v)))
    cosine = abs(float(upstream @ normal)) / float(np.linalg.norm(upstream))
    return ShockNormal(normal, float(np.degrees(np.arccos(min(cosine, 1.0)))))
