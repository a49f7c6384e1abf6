"""Adapters for spectra over frequency that an archive offers ready made: of waves, and of radio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import SourceError
from .conventions import (
    CENTRED,
    Quality,
    TimeTag,
    converted,
    extent_of,
    finished,
    require,
    table,
    time_of,
)

if TYPE_CHECKING:
    from .cdf import CdfFile

_FLUX = "W m^-2 Hz^-1"


@dataclass(frozen=True, slots=True)
class RadioAdapter:
    """Reads a RadioSpectrum.

    Parameters
    ----------
    flux : str
        Spectral flux density, (n, frequencies) or (n, frequencies, 1).
    frequency : str
        Its frequencies, fixed or per record.
    time_tag, quality
        As for `VectorAdapter`.
    """

    flux: str
    frequency: str
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.flux])
        return extent_of(time_of(cdf, self.flux, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a RadioSpectrum."""
        require(cdf, [self.flux, self.frequency])
        values = np.array(converted(cdf, self.flux, _FLUX))
        lone = [axis for axis in range(1, values.ndim) if values.shape[axis] == 1]
        values = values.squeeze(tuple(lone)) if values.ndim > 2 else values
        if values.ndim != 2:
            raise SourceError(
                f"{self.flux} has shape {values.shape}, expected time and frequency", str(cdf.path)
            )
        about = {"units": _FLUX, "long_name": "spectral flux density"}
        flux = xr.DataArray(values, dims=("time", "frequency_bin"), attrs=about)
        found = {"flux": flux, "frequency": _frequency(cdf, self.frequency, flux.sizes)}
        ds = xr.Dataset(found, {"time": time_of(cdf, self.flux, self.time_tag)})
        return finished(ds, cdf, self.quality, ["flux"])


@dataclass(frozen=True, slots=True)
class WaveAdapter:
    """Reads a WaveSpectrum: the power of each component, and their sum.

    Parameters
    ----------
    power : str
        Power spectral density, (n, components, frequencies) or (n, frequencies, components).
    frequency : str
        Its frequencies, fixed or per record.
    units : str
        The house unit, "(nT)^2 Hz^-1".
    components : tuple of str
        Their names.
    long_name, method : str
        What it is, and how it was made.
    time_tag, quality
        As for `VectorAdapter`.
    """

    power: str
    frequency: str
    units: str
    components: tuple[str, ...]
    long_name: str
    method: str
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.power])
        return extent_of(time_of(cdf, self.power, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a WaveSpectrum; `coverage` is 1 where a power is there."""
        require(cdf, [self.power, self.frequency])
        values = np.array(converted(cdf, self.power, self.units), np.float32)
        n = len(self.components)
        if values.ndim != 3 or (values.shape[1] == n) == (values.shape[2] == n):
            raise SourceError(
                f"{self.power} has shape {values.shape}, expected time, {n} components and "
                "frequencies",
                str(cdf.path),
            )
        if values.shape[1] == n:
            values = np.ascontiguousarray(values.transpose(0, 2, 1))
        series = ("time", "frequency_bin")
        about = {"units": self.units, "long_name": self.long_name}
        power = xr.DataArray(values, dims=(*series, "component"), attrs=about)
        # A component that was not measured leaves no sum.
        total = values.sum(axis=2)
        known = np.isfinite(total).astype(np.float32)
        found = {
            "power": power,
            "total": (series, total, about | {"long_name": f"{self.long_name}, sum"}),
            "frequency": _frequency(cdf, self.frequency, power.sizes),
            "coverage": (series, known, {"units": "1", "long_name": "whether it was measured"}),
        }
        time = time_of(cdf, self.power, self.time_tag)
        coords = {"time": time, "component": list(self.components)}
        ds = xr.Dataset(found, coords, {"method": self.method})
        return finished(ds, cdf, self.quality, ["power", "total"])


def _frequency(cdf: CdfFile, name: str, sizes: Mapping) -> xr.DataArray:
    frequency = table(cdf, name, ("frequency_bin",), "Hz", sizes)
    frequency.attrs = {"units": "Hz", "long_name": "frequency"}
    return frequency
