"""What follows from intensities per pitch angle."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..datatypes import EnergySpectrum, PitchAngleFlux
from ..errors import UsageError
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


@recipe(gives=PitchAngleFlux, version=1)
def pitch_angle_bins(flux: PitchAngleFlux, *, bins: int = 11, response: float = 0.0) -> xr.Dataset:
    """Intensity on a fixed grid of pitch angles (time, pitch_angle_bin, energy_bin) [per keV].

    For telescopes whose pitch angles change from record to record. A telescope counts in every bin
    that the pitch angles it sees touch, alpha - response to alpha + response; what counts in a bin
    is averaged plainly. NaN where none does.

    Parameters
    ----------
    flux : PitchAngleFlux
        Intensity (time, pitch_angle_bin, energy_bin) [cm^-2 s^-1 sr^-1 keV^-1].
    bins : int
        Bins of equal width from 0 to 180 degrees.
    response : float
        Half of what a telescope sees in pitch angle [deg]; 0 puts each into one bin.

    Raises
    ------
    UsageError
        For fewer than one bin.

    Notes
    -----
    Source: mms_feeps_pad.py of pyspedas 2.2.2, which averages energies and telescopes in one.
    """
    if bins < 1:
        raise UsageError(f"{bins} bins of pitch angle", "bins", "Take at least one")
    values = flux["flux"].values.astype(np.float64)
    angle = np.broadcast_to(flux["pitch_angle"].values.astype(np.float64), values.shape[:2])
    edges = np.linspace(0.0, 180.0, bins + 1)
    edges[-1] = np.inf  # 180 degrees belong to the last bin
    seen = np.isfinite(values)
    values = np.where(seen, values, 0.0)
    out = np.empty((len(values), bins, values.shape[2]), np.float32)
    for k in range(bins):
        counts = (angle + response >= edges[k]) & (angle - response < edges[k + 1])
        count = (counts[..., None] & seen).sum(axis=1)
        total = (counts[..., None] * values).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            out[:, k] = np.where(count > 0, total / count, np.nan)
    centres = (180.0 / bins * (np.arange(bins) + 0.5)).astype(np.float32)
    about = {"units": "deg", "long_name": "centre of the bin"}
    found = {
        "flux": (flux["flux"].dims, out, dict(flux["flux"].attrs)),
        "pitch_angle": (("pitch_angle_bin",), centres, about),
        "energy": flux["energy"],
    }
    if "quality" in flux:
        found["quality"] = flux["quality"]
    return xr.Dataset(found, {"time": flux["time"]}, dict(flux.attrs))


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
