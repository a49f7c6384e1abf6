"""Vectors of which only the part in the spin plane was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import converted, require


@dataclass(frozen=True, slots=True)
class SpinPlane:
    """A vector of two measured columns, x and y; z, along the spin axis, is NaN."""

    name: str
    variable: str
    units: str

    @property
    def like(self) -> str:
        """Return the variable with the two columns."""
        return self.variable

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the vector (record, 3)."""
        require(cdf, [self.variable])
        xy = converted(cdf, self.variable, self.units)
        return np.concatenate([xy, np.full_like(xy[:, :1], np.nan)], axis=1)
