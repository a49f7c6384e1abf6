"""Fluxgate and search coil merged into one waveform."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VectorSeries
from ..errors import UsageError
from ..granule import duration
from ..kernels.waveforms import smoothed
from ..model import Margin, recipe
from .joining import nearby
from .waveforms import require_frame_of, waveform

_EVEN = 1.5
"""Spacings of samples that differ by more than this have one missing between them."""


@recipe(gives=VectorSeries, version=2)
def merged_field(
    fluxgate: Annotated[VectorSeries, Margin("window"), Margin("reach")],
    search_coil: Annotated[VectorSeries, Margin("window"), Margin("reach")],
    *,
    window: str = "1s",
    reach: str = "100ms",
) -> xr.Dataset:
    """Field from zero to the search coil's highest frequency, (time, component) [nT].

        B = B_sc + L (B_fg - B_sc)

    on the times of the search coil, where L is a smooth low pass: two passes of a Hann-weighted
    mean over `window`. Whatever L takes of the fluxgate it leaves out of the search coil, so
    that the sum is complete at every frequency. L falls to one half at 1.44/window: below that
    the fluxgate counts, above it the search coil.

    The difference is taken at the times of the fluxgate, where the search coil is averaged over
    one spacing of the fluxgate; it is smoothed there and interpolated. Where either instrument
    has a gap within `window`, or the fluxgate's samples are farther apart than `reach`, there is
    NaN.

    Parameters
    ----------
    fluxgate, search_coil : VectorSeries
        (time, component) [nT], in one frame.
    window : str
        Width of the smoothing, both passes. 1 s puts the crossover at 1.4 Hz.
    reach : str
        Longest spacing of the fluxgate's samples.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        When the window is not longer than reach.

    References
    ----------
    Fischer, D. et al. (2016), Geosci. Instrum. Method. Data Syst. 5, 521,
    doi:10.5194/gi-5-521-2016, who merge these two instruments of MMS in the frequency domain.
    """
    if duration(window) <= 2 * duration(reach):
        raise UsageError(f"window={window} is too short for samples {reach} apart", "merged_field",
                         "Make window more than twice reach")  # fmt: skip
    frame = require_frame_of(search_coil, fluxgate, "fluxgate")
    slow, fast = waveform(fluxgate), waveform(search_coil)
    difference = slow.values - _means_between(fast.time, fast.values, slow.time, duration(reach))
    half, longest = duration(window) // 4, duration(reach)
    for _ in range(2):
        difference = smoothed(slow.time, difference, half, longest)
    values = fast.values + nearby(slow.time, difference, fast.time, reach)
    about = dict(search_coil["vector"].attrs) | {
        "frame": frame,
        "long_name": f"{fluxgate['vector'].attrs.get('long_name', 'B')}, merged with search coil",
    }
    time = fast.time.astype("datetime64[ns]")
    return xr.Dataset(
        {"vector": (("time", "component"), values.astype(np.float32), about)},
        {"time": time, "component": ["x", "y", "z"]},
    )


def _means_between(
    time: np.ndarray, values: np.ndarray, centres: np.ndarray, longest: int
) -> np.ndarray:
    """Means over the samples between the midpoints around each centre, NaN where any is lost.

    One is lost where samples there are farther apart than others there: their mean is of another
    part of a wave.
    """
    if centres.size < 2 or not time.size:
        return np.full((centres.size, values.shape[1]), np.nan)
    space = np.diff(centres)
    after, before = np.r_[space, space[-1]], np.r_[space[0], space]
    width = np.minimum(after, before)
    low = np.searchsorted(time, centres - width // 2)
    high = np.searchsorted(time, centres + width - width // 2)
    mean = np.full((centres.size, values.shape[1]), np.nan)
    near = (width <= longest) & (high > low)
    between = np.diff(time)
    for i in np.flatnonzero(near):
        spacing = between[max(low[i] - 1, 0) : high[i]]
        if not spacing.size or spacing.max() <= _EVEN * spacing.min():
            mean[i] = values[low[i] : high[i]].mean(axis=0)
    return mean
