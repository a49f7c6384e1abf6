"""Velocities that OMNI gives as speed and two angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import converted, require


@dataclass(frozen=True, slots=True)
class Flow:
    """A velocity of speed, elevation (towards z) and azimuth (towards y), away from the Sun.

    `x` is the sign of the component along x where both angles are zero: 1 in RTN, -1 in GSE.
    """

    name: str
    like: str
    elevation: str
    azimuth: str
    x: int = 1
    units: str = "km/s"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the velocity (record, 3)."""
        require(cdf, [self.like, self.elevation, self.azimuth])
        speed = converted(cdf, self.like, "km s^-1")
        up = np.deg2rad(converted(cdf, self.elevation, "deg"))
        side = np.deg2rad(converted(cdf, self.azimuth, "deg"))
        unit = (self.x * np.cos(up) * np.cos(side), np.cos(up) * np.sin(side), np.sin(up))
        return np.stack(unit, axis=1) * speed[:, None]
