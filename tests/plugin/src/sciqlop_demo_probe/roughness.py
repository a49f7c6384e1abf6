"""A recipe of the mission's own."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import ScalarSeries, VectorSeries
from sciqlop_pipe.granule import duration
from sciqlop_pipe.model import Margin, recipe

from .windows import means


@recipe(gives=ScalarSeries, version=1)
def roughness(b: Annotated[VectorSeries, Margin("window")], *, window: str = "30s") -> xr.Dataset:
    """Standard deviation of a vector in a window around each record, (time) [units of b].

        sqrt(<|B - <B>|^2>)

    Parameters
    ----------
    b : VectorSeries
        vector (time, component).
    window : str
        Length of the window; half of it lies beyond the granule, so that much margin is needed.
    """
    t, half = b["time"].values.astype(np.int64), duration(window) // 2
    first, last = np.searchsorted(t, t - half), np.searchsorted(t, t + half, side="right")
    field = b["vector"].values.astype(np.float64)
    variance = means(field**2, first, last) - means(field, first, last) ** 2
    value = np.sqrt(variance.sum(axis=1).clip(min=0))
    about = {
        "units": b["vector"].attrs["units"],
        "long_name": f"roughness of the {b['vector'].attrs['long_name']}, {window}",
    }
    return xr.Dataset({"value": ("time", value.astype(np.float32), about)}, {"time": b["time"]})
