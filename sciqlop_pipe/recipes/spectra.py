"""Spectra of any distribution."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import VDF, EnergySpectrum
from ..kernels.spectra import solid_angle_mean
from ..model import recipe
from .vdf import STREAM, Distributions, distributions, solid_angles


@recipe(gives=EnergySpectrum, version=1)
def energy_spectrum(vdf: VDF) -> xr.Dataset:
    """Omnidirectional differential energy flux (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1].

        J_E = 2 E^2 <f> / m^2

    with <f> the solid-angle mean over the measured directions, energy in joules and CODATA
    constants. In the frame of the distribution, at the energies of its table (no potential).

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].

    Returns
    -------
    Dataset
        spectrum (time, energy_bin), NaN where no direction was measured; energy [eV] as in the VDF
        (times the charge for per-charge tables); coverage (time, energy_bin): the part of the
        sphere that was measured; quality as in the VDF.

    References
    ----------
    Paschmann, G. et al. (1998), in: Analysis Methods for Multi-Spacecraft Data, ISSI SR-001,
    chapter 5: J = v^2 f / m per unit energy, J_E = E J.
    """
    work = SpectrumWork(vdf)
    for block in work.view.blocks(STREAM):
        work.add(block, work.view.values(block))
    return work.result()


class SpectrumWork:
    """`energy_spectrum`, block by block (see `MomentsWork`)."""

    def __init__(self, vdf: xr.Dataset) -> None:
        self.vdf, self.view, self.solid_angle = vdf, distributions(vdf), solid_angles(vdf)
        shape = self.view.f.shape[0], self.view.f.shape[2]
        self.mean, self.coverage = np.empty(shape, np.float32), np.empty(shape, np.float32)

    def add(self, block: slice, f: np.ndarray) -> None:
        """Take some records of f (time, direction, energy) float32 [s^3 m^-6], contiguous."""
        omega = self.solid_angle[block] if self.solid_angle.shape[0] > 1 else self.solid_angle
        self.mean[block], self.coverage[block] = solid_angle_mean(f, omega)

    def result(self) -> xr.Dataset:
        """Return what `energy_spectrum` returns."""
        return _dataset(self.vdf, self.view, self.mean, self.coverage)


def _dataset(
    vdf: xr.Dataset, view: Distributions, mean: np.ndarray, coverage: np.ndarray
) -> xr.Dataset:
    flux = 2e-4 * (view.energy * (ELEMENTARY_CHARGE / view.mass)) ** 2
    species = vdf.attrs["species"]
    energy = vdf.variables["energy"]
    rows = view.energy[0] if energy.ndim == 1 else np.broadcast_to(view.energy, energy.shape)
    about = {
        "units": "eV cm^-2 s^-1 sr^-1 eV^-1",
        "long_name": f"{species} omnidirectional differential energy flux",
    }
    variables: dict[str, object] = {
        "spectrum": (("time", "energy_bin"), (mean * flux).astype(np.float32), about),
        "energy": (energy.dims, rows, {"units": "eV", "long_name": f"{species} energy"}),
        "coverage": (
            ("time", "energy_bin"),
            coverage,
            {"units": "1", "long_name": "measured part of the sphere"},
        ),
    }
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, {"time": vdf["time"]}, attrs)
