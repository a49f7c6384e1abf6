"""The adapter for intensities that an archive offers sorted by pitch angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import SourceError
from .conventions import CENTRED, TimeTag, converted, extent_of, finished, require, table, time_of
from .species import Species

if TYPE_CHECKING:
    from .cdf import CdfFile

_FLUX = "cm^-2 s^-1 sr^-1 keV^-1"
_DIMS = ("time", "pitch_angle_bin", "energy_bin")


@dataclass(frozen=True, slots=True)
class PitchFluxAdapter:
    """Reads a PitchAngleFlux.

    Parameters
    ----------
    flux : str
        Differential intensity, (n, pitch angles, energies).
    pitch_angle, energy : str
        The centres of the bins, fixed or per record.
    species : Species
        Whose intensity it is.
    time_tag : TimeTag
        What the time tag means.
    """

    flux: str
    pitch_angle: str
    energy: str
    species: Species
    time_tag: TimeTag = CENTRED

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.flux])
        return extent_of(time_of(cdf, self.flux, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a PitchAngleFlux."""
        require(cdf, [self.flux, self.pitch_angle, self.energy])
        values = np.array(converted(cdf, self.flux, _FLUX), np.float32)
        if values.ndim != len(_DIMS):
            raise SourceError(
                f"{self.flux} has shape {values.shape}, expected {', '.join(_DIMS)}", str(cdf.path)
            )
        about = {"units": _FLUX, "long_name": "differential intensity"}
        found = {"flux": xr.DataArray(values, dims=_DIMS, attrs=about)}
        sizes = found["flux"].sizes
        for name, variable, dim, units in (
            ("pitch_angle", self.pitch_angle, "pitch_angle_bin", "deg"),
            ("energy", self.energy, "energy_bin", "eV"),
        ):
            found[name] = table(cdf, variable, (dim,), units, sizes)
            found[name].attrs = {"units": units, "long_name": name.replace("_", " ")}
        attrs = {
            "species": self.species.name,
            "mass": self.species.mass,
            "charge": self.species.charge,
        }
        time = time_of(cdf, self.flux, self.time_tag)
        ds = xr.Dataset(found, coords={"time": time}, attrs=attrs)
        return finished(ds, cdf, None, ["flux"])
