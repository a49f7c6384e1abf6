"""Adapter for attitudes: a unit quaternion per record, as an archive gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import SourceError
from .conventions import CENTRED, Quality, TimeTag, extent_of, finished, require, time_of

if TYPE_CHECKING:
    from .cdf import CdfFile

_PARTS = ("x", "y", "z", "w")


@dataclass(frozen=True, slots=True)
class AttitudeAdapter:
    """Reads an Attitude: four columns of one variable.

    Parameters
    ----------
    variable : str
        The quaternions, (n, 4).
    from_frame, to_frame : str
        v(to_frame) = R(q) v(from_frame), R the rotation matrix of q. Archives differ in what they
        mean by a rotation: check it with a vector that they give in both frames.
    order : str
        Which columns are x, y, z, w ("wxyz" where the scalar comes first).
    time_tag, quality
        As for `VectorAdapter`.
    """

    variable: str
    from_frame: str
    to_frame: str
    order: str = "xyzw"
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.variable])
        return extent_of(time_of(cdf, self.variable, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as an Attitude."""
        require(cdf, [self.variable])
        values = np.asarray(cdf.values(self.variable), np.float64)
        if values.ndim != 2 or values.shape[1] != 4:
            raise SourceError(
                f"{self.variable} has shape {values.shape}, expected (time, 4)", str(cdf.path)
            )
        about = {
            "units": "1",
            "long_name": f"rotation from {self.from_frame} to {self.to_frame} (x, y, z, w)",
        }
        quaternion = values[:, [self.order.index(p) for p in _PARTS]]
        ds = xr.Dataset(
            {"quaternion": (("time", "part"), quaternion, about)},
            {"time": time_of(cdf, self.variable, self.time_tag), "part": list(_PARTS)},
            {"from_frame": self.from_frame, "to_frame": self.to_frame},
        )
        return finished(ds, cdf, self.quality, ["quaternion"])
