"""Several products of a distribution in one reading of f."""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

from .moments import MomentsWork
from .pitch import PitchWork
from .spectra import SpectrumWork

BLOCK = 16
"""Distributions per block: 1 MB of FPI, which stays in the cache of a core between products."""


class Fused(NamedTuple):
    """What the recipes of these names return; `pitch_angles` is None without a field."""

    moments: xr.Dataset
    energy_spectrum: xr.Dataset
    pitch_angles: xr.Dataset | None


def fused(
    vdf: xr.Dataset,
    b: xr.Dataset | None = None,
    sc_pot: xr.Dataset | None = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
    bins: int = 18,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> Fused:
    """Moments [cm^-3, km/s, nPa, eV], spectrum and pitch angles (time, ...), from one pass over f.

    The same kernels on the same records as in `moments`, `energy_spectrum` and
    `pitch_angle_distribution`, so that the numbers are equal to the last bit. Every block of f
    comes from memory once and serves all of them while it is in cache.

    Parameters
    ----------
    vdf : Dataset
        A VDF, f [s^3 m^-6].
    b : Dataset, optional
        Magnetic field [nT] in its frame, a VectorSeries.
    sc_pot : Dataset, optional
        Potential of the spacecraft [V], a ScalarSeries; for the moments.
    energy_min, energy_max : float
        As in `moments` [eV].
    bins, accumulation, reach : int, str, str
        As in `pitch_angle_distribution`.

    Raises
    ------
    DataTypeError, UsageError
        As these recipes.
    """
    bulk = MomentsWork(vdf, sc_pot, energy_min, energy_max)
    spectrum = SpectrumWork(vdf)
    pitch = None if b is None else PitchWork(vdf, b, bins, accumulation, reach)
    for block in bulk.view.blocks(BLOCK):
        f = bulk.view.values(block)
        bulk.add(block, f)
        spectrum.add(block, f)
        if pitch is not None:
            pitch.add(block, f)
    return Fused(bulk.result(), spectrum.result(), None if pitch is None else pitch.result())
