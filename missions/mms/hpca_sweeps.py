"""The adapter for the distributions of MMS HPCA: sweeps put together to half spins.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import (
    Deltas,
    extent_of,
    require,
    table,
    time_of,
    unit_factor,
    units_of,
)
from sciqlop_pipe.sources.in_place import opposite, settled
from sciqlop_pipe.sources.skymap import VDF_WORDS, solid_angles
from sciqlop_pipe.sources.species import ALPHA, HELIUM, OXYGEN, PROTON

IONS = {"hplus": PROTON, "heplusplus": ALPHA, "heplus": HELIUM, "oplus": OXYGEN}

_AZIMUTHS = 16
_BINS = ("phi_bin", "theta_bin", "energy_bin")


@dataclass(frozen=True, slots=True)
class HalfSpinAdapter:
    """Reads a VDF: every 16 sweeps of half a spin, with azimuths per energy and anode.

    The file has a record per sweep, (anode, energy), and a record per half spin with the azimuths
    the anodes look at. Half spins that are not whole, or without azimuths, are left out.

    Parameters
    ----------
    prefix : str
        What variables begin with ("mms1_hpca").
    ion : str
        The ion as the variables write it ("hplus").
    """

    prefix: str
    ion: str

    @property
    def _f(self) -> str:
        return f"{self.prefix}_{self.ion}_phase_space_density"

    @property
    def _azimuth(self) -> str:
        return f"{self.prefix}_azimuth_angles_per_ev_degrees"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return extent_of(self._half_spins(cdf)[2])

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF on a grid of azimuth steps and anodes."""
        anodes, energies = (f"{self.prefix}_centroid_elevation_angle", f"{self.prefix}_ion_energy")
        require(cdf, [anodes, energies])
        first, angles, time = self._half_spins(cdf)
        factor = unit_factor(units_of(cdf, self._f), "s^3 m^-6", f"{cdf.path}: {self._f}")
        f = settled(
            _grouped(cdf.take(self._f), first), (1, 2, 3), factor,
            cdf.attrs(self._f).get("FILLVAL"),
        )  # fmt: skip
        sizes: dict[Hashable, int] = dict(zip(("time", *_BINS), f.shape, strict=True))
        # Anodes look at these azimuths; their polar angles are those of the velocity (README).
        looking = cdf.take(self._azimuth)
        if looking.shape[1:] != f.shape[1:]:
            raise SourceError(f"azimuths have {looking.shape}, half spins {f.shape}", str(cdf.path))
        phi = opposite(looking, angles, cdf.attrs(self._azimuth).get("FILLVAL"))
        theta = table(cdf, anodes, ("theta_bin",), "deg", sizes).astype(np.float64)
        half_theta, half_phi = xr.DataArray(11.25), xr.DataArray(90.0 / _AZIMUTHS)
        found = {
            "f": xr.DataArray(f, dims=("time", *_BINS)),
            "energy": table(cdf, energies, ("energy_bin",), "eV", sizes),
            "phi": xr.DataArray(phi, dims=("time", *_BINS)),
            "theta": theta.astype(np.float32),
            "phi_width": (2 * half_phi).astype(np.float32),
            "theta_width": (2 * half_theta).astype(np.float32),
            "solid_angle": solid_angles(theta, half_theta, half_phi).astype(np.float32),
        }
        for name, (units, words) in VDF_WORDS.items():
            found[name].attrs = {"units": units, "long_name": words}
        ion = IONS[self.ion]
        attrs = {"species": ion.name, "mass": ion.mass, "charge": ion.charge,
                 "energy_kind": "energy_per_charge", "frame": "DBCS"}  # fmt: skip
        return xr.Dataset(found, coords={"time": time}, attrs=attrs)

    def _half_spins(self, cdf: CdfFile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return of each half spin its first sweep, its record of azimuths, and its centre."""
        steps = f"{self.prefix}_start_azimuth"
        require(cdf, [self._f, self._azimuth, steps])
        step = np.ravel(cdf.raw(steps)).astype(np.int64)
        tags = cdf.times(cdf.depend(self._f, 0) or "").astype(np.int64)
        named = cdf.times(cdf.depend(self._azimuth, 0) or "").astype(np.int64)
        none = np.empty(0, np.int64)
        if step.size < _AZIMUTHS or named.size == 0:
            return none, none, none.astype("M8[ns]")
        sweep = int(np.median(np.diff(tags)))
        first = np.flatnonzero(step[: 1 - _AZIMUTHS] == 0)
        rows = first[:, None] + np.arange(_AZIMUTHS)
        whole = (step[rows] == np.arange(_AZIMUTHS)).all(axis=1)
        whole &= tags[rows[:, -1]] - tags[rows[:, 0]] < _AZIMUTHS * sweep
        first, rows = first[whole], rows[whole]
        # Azimuths carry the time of the first sweep of their half spin.
        after = np.clip(np.searchsorted(named, tags[first]), 0, named.size - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(named[before] - tags[first]) < np.abs(named[after] - tags[first])
        angles = np.where(nearer, before, after)
        known = np.abs(named[angles] - tags[first]) < sweep // 2
        centre = time_of(cdf, self._f, Deltas()).astype(np.int64)[rows[known]]
        middle = centre[:, 0] + (centre[:, -1] - centre[:, 0]) // 2
        return first[known], angles[known], middle.astype("M8[ns]")


def _grouped(sweeps: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return half spins (half spin, sweep, ...) of sweeps; a view where none is left out."""
    if first.size and (np.diff(first) == _AZIMUTHS).all():
        whole = sweeps[first[0] : first[-1] + _AZIMUTHS]
        return whole.reshape(-1, _AZIMUTHS, *sweeps.shape[1:])
    chosen: np.ndarray = sweeps[first[:, None] + np.arange(_AZIMUTHS)]
    return chosen
