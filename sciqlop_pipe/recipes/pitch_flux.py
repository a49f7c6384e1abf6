"""What follows from intensities per pitch angle."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..datatypes import EnergySpectrum, PitchAngleFlux
from ..model import recipe


@recipe(gives=EnergySpectrum, version=1)
def omnidirectional_spectrum(flux: PitchAngleFlux) -> xr.Dataset:
    """Omnidirectional differential energy flux (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1].

        J_E(E) = E sum_k J(alpha_k, E) W_k / sum_k W_k,  W_k = cos(alpha_k-) - cos(alpha_k+)

    over the pitch angles that are measured, each weighted with the solid angle of its bin. Bins
    end halfway between centres; the first and the last are as wide outwards as inwards, within 0
    and 180 degrees. Nothing is assumed of what was not measured: `coverage` is the measured part
    of the sphere.

    Parameters
    ----------
    flux : PitchAngleFlux
        Intensity (time, pitch_angle_bin, energy_bin) [cm^-2 s^-1 sr^-1 keV^-1].

    Returns
    -------
    Dataset
        spectrum and coverage (time, energy_bin); energy [eV] as given. NaN where nothing was
        measured.

    Notes
    -----
    Source: definition of the mean over directions, e.g. Paschmann & Daly (eds.) 1998, Analysis
    Methods for Multi-Spacecraft Data, ISSI SR-001, chapter 5.
    """
    values = flux["flux"].values.astype(np.float64)
    weight = _solid_angles(np.atleast_2d(flux["pitch_angle"].values.astype(np.float64)))
    weight = np.broadcast_to(weight[:, :, None], values.shape)
    seen = np.isfinite(values) & np.isfinite(weight)
    measured = np.where(seen, weight, 0.0).sum(axis=1)
    total = np.where(seen, values * np.where(seen, weight, 0.0), 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(measured > 0, total / measured, np.nan)
    energy = flux["energy"].values.astype(np.float64)
    dims = ("time", "energy_bin")
    units = {"units": "eV cm^-2 s^-1 sr^-1 eV^-1"}
    found = {
        # Per keV, times keV: an energy flux per energy does not know which.
        "spectrum": (dims, (mean * energy / 1e3).astype(np.float32),
                     units | {"long_name": "omnidirectional differential energy flux"}),
        "energy": flux["energy"],
        "coverage": (dims, (measured / 2.0).astype(np.float32),
                     {"units": "1", "long_name": "measured part of the sphere"}),
    }  # fmt: skip
    if "quality" in flux:
        found["quality"] = flux["quality"]
    return xr.Dataset(found, {"time": flux["time"]}, {"species": flux.attrs["species"]})


def _solid_angles(centres: np.ndarray) -> np.ndarray:
    """Return cos a - cos b of bins around pitch angles [deg] (record, bin); a sphere has 2."""
    order = np.argsort(centres, axis=1)
    rising = np.take_along_axis(centres, order, axis=1)
    middle = (rising[:, 1:] + rising[:, :-1]) / 2
    first = 2 * rising[:, :1] - middle[:, :1]
    last = 2 * rising[:, -1:] - middle[:, -1:]
    edges = np.clip(np.concatenate([first, middle, last], axis=1), 0.0, 180.0)
    cosines = np.cos(np.deg2rad(edges))
    out = np.empty_like(centres)
    np.put_along_axis(out, order, cosines[:, :-1] - cosines[:, 1:], axis=1)
    return out
