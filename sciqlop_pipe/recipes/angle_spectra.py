"""Spectra over angles and along the magnetic field, as f, DEF or DPF."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..datatypes import (
    AngleDistribution,
    AngleSpectrum,
    EnergySpectrum,
    ParticleSpectrum,
    PitchAngle,
    PitchCuts,
)
from ..errors import DataTypeError, UsageError
from ..kernels.energies import geometric_edges
from ..model import recipe
from .units import UNITS, WORDS, converted, per_f

CUTS = ("parallel", "perpendicular", "antiparallel")


@recipe(gives=AngleSpectrum, version=1)
def angle_spectrum(
    distribution: AngleDistribution,
    *,
    quantity: str = "def",
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Mean over energies (time, angle) per colatitude, azimuth or gyrophase, as f, DEF or DPF.

        <X>(angle) = sum X dlnE / sum dlnE,  X = f, J or J_E of the bin

    Parameters
    ----------
    distribution : AngleDistribution
        f and coverage (time, angle, energy_bin) [s^3 m^-6].
    quantity : str
        "def" [eV cm^-2 s^-1 sr^-1 eV^-1], "dpf" [cm^-2 s^-1 sr^-1 eV^-1] or "f" [s^3 m^-6].
    energy_min, energy_max : float
        Over bins with centres in this range [eV].

    Returns
    -------
    Dataset
        spectrum and coverage (time, angle), angle [deg]. NaN where no energy was measured.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5; see `recipes.units`.
    """
    return _over_energies(
        distribution, "angle", str(distribution.attrs["angle"]), quantity, energy_min, energy_max
    )


@recipe(gives=AngleSpectrum, version=1)
def pitch_angle_spectrum(
    pitch_angles: PitchAngle,
    *,
    quantity: str = "def",
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Mean over energies (time, angle) per pitch angle, as f, DEF or DPF.

        <X>(alpha) = sum X dlnE / sum dlnE,  X = f, J or J_E of the bin

    Parameters
    ----------
    pitch_angles : PitchAngle
        f and coverage (time, pitch_angle, energy_bin) [s^3 m^-6].
    quantity, energy_min, energy_max
        As for `angle_spectrum`.

    Returns
    -------
    Dataset
        spectrum and coverage (time, angle), angle being the pitch angle [deg].

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5; see `recipes.units`.
    """
    return _over_energies(
        pitch_angles, "pitch_angle", "pitch_angle", quantity, energy_min, energy_max
    )


@recipe(gives=PitchCuts, version=1)
def pitch_angle_cuts(
    pitch_angles: PitchAngle,
    *,
    quantity: str = "def",
    parallel: float = 20.0,
    perpendicular: float = 20.0,
) -> xr.Dataset:
    """Spectra along, across and against b (time, cut, energy_bin), as f, DEF or DPF.

        <X>(E) = sum X Omega / sum Omega

    over pitch angles from 0 to `parallel`, 90 +- `perpendicular`, and 180 - `parallel` to 180.
    Omega is the measured solid angle that a bin of pitch angle shares with the cut, so that cuts
    need not end where bins do.

    Parameters
    ----------
    pitch_angles : PitchAngle
        f and coverage (time, pitch_angle, energy_bin) [s^3 m^-6].
    quantity : str
        As for `angle_spectrum`.
    parallel, perpendicular : float
        Half widths of the cuts [deg].

    Returns
    -------
    Dataset
        spectrum and coverage (time, cut, energy_bin), cuts "parallel", "perpendicular",
        "antiparallel"; energy [eV]. NaN where nothing was measured or b is undefined.

    Raises
    ------
    UsageError
        For half widths beyond 0 to 90 degrees.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5; see `recipes.units`.
    """
    if not (0 < parallel <= 90 and 0 < perpendicular <= 90):
        raise UsageError(
            f"half widths of {parallel:g} and {perpendicular:g} degrees",
            "parallel, perpendicular",
            "Take more than 0 and at most 90",
        )
    ranges = ((0.0, parallel), (90 - perpendicular, 90 + perpendicular), (180 - parallel, 180.0))
    f = np.asarray(pitch_angles["f"].values, np.float64)
    part = pitch_angles["coverage"].values.astype(np.float64)
    edges = np.linspace(0, 180, f.shape[1] + 1)
    found, seen = [], []
    for low, high in ranges:
        a, c = (np.cos(np.radians(np.clip(e, low, high))) for e in (edges[:-1], edges[1:]))
        shared = (a - c)[:, None] * part
        total, omega = np.zeros((2, f.shape[0], f.shape[2]))
        # Bin by bin: the order of a sum must not depend on how many records there are.
        for k in range(f.shape[1]):
            there = np.isfinite(f[:, k]) & (shared[:, k] > 0)
            total += np.where(there, f[:, k] * shared[:, k], 0.0)
            omega += np.where(there, shared[:, k], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(total / omega)
        seen.append(np.minimum(omega / (a - c).sum(), 1.0))
    energy = np.asarray(pitch_angles["energy"].values, np.float64)
    factor = per_f(quantity, energy, float(pitch_angles.attrs["mass"]))
    values = np.stack(found, axis=1) * (factor[:, None] if factor.ndim == 2 else factor)
    species, dims = pitch_angles.attrs["species"], ("time", "cut", "energy_bin")
    about = {"units": UNITS[quantity], "long_name": f"{species} {WORDS[quantity]} along b"}
    measured = {"units": "1", "long_name": "measured part of the cut"}
    variables: dict[str, object] = {
        "spectrum": (dims, values.astype(np.float32), about),
        "energy": pitch_angles["energy"].variable,
        "coverage": (dims, np.stack(seen, axis=1).astype(np.float32), measured),
    }
    if "quality" in pitch_angles:
        variables["quality"] = pitch_angles["quality"].variable
    attrs = dict(pitch_angles.attrs) | {"quantity": quantity}
    return xr.Dataset(variables, {"time": pitch_angles["time"], "cut": list(CUTS)}, attrs)


@recipe(gives=ParticleSpectrum, version=1)
def particle_spectrum(spectrum: EnergySpectrum, *, quantity: str = "dpf") -> xr.Dataset:
    """Omnidirectional spectrum (time, energy_bin) as DPF, f or DEF.

        J = J_E / E,  f = m^2 J_E / (2 E^2)

    Parameters
    ----------
    spectrum : EnergySpectrum
        J_E (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1], with the attribute `mass` [kg].
    quantity : str
        As for `angle_spectrum`.

    Returns
    -------
    Dataset
        spectrum (time, energy_bin); energy, coverage and quality as in the input.

    Raises
    ------
    DataTypeError
        When the spectrum does not say the mass of its particles.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5; see `recipes.units`.
    """
    if "mass" not in spectrum.attrs:
        raise DataTypeError(
            "the spectrum has no attribute 'mass'",
            "spectrum",
            "Take one that is made from a distribution",
        )
    energy = np.asarray(spectrum["energy"].values, np.float64)
    mass, species = float(spectrum.attrs["mass"]), spectrum.attrs["species"]
    values = converted(spectrum["spectrum"].values, energy, mass, "def", quantity)
    about = {
        "units": UNITS[quantity],
        "long_name": f"{species} omnidirectional {WORDS[quantity]}",
    }
    return spectrum.assign(
        spectrum=(("time", "energy_bin"), values.astype(np.float32), about)
    ).assign_attrs(quantity=quantity)


def _over_energies(
    ds: xr.Dataset, dim: str, angle: str, quantity: str, energy_min: float, energy_max: float
) -> xr.Dataset:
    energy = np.asarray(ds["energy"].values, np.float64)
    lower, upper = geometric_edges(np.atleast_2d(energy))
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.log(upper / lower) if energy.shape[-1] > 1 else np.ones_like(lower)
    rows = np.atleast_2d(energy)
    use = (rows >= energy_min) & (rows <= energy_max)
    width = np.where(use & np.isfinite(width), width, 0.0)
    factor = per_f(quantity, rows, float(ds.attrs["mass"]))
    f, part = ds["f"].values, ds["coverage"].values
    total, weight, seen, whole = np.zeros((4, *f.shape[:2]))
    for e in range(f.shape[2]):
        w = width[:, e, None]
        x = f[:, :, e].astype(np.float64)
        there = np.isfinite(x)
        total += np.where(there, x, 0.0) * factor[:, e, None] * w
        weight += there * w
        seen += np.where(there, part[:, :, e], 0.0) * w
        whole += w
    with np.errstate(invalid="ignore", divide="ignore"):
        values, coverage = total / weight, np.where(whole > 0, seen / whole, 0.0)
    species = ds.attrs["species"]
    about = {"units": UNITS[quantity], "long_name": f"{species} {WORDS[quantity]} per {angle}"}
    measured = {"units": "1", "long_name": "measured part of the bin and of ln E"}
    variables: dict[str, object] = {
        "spectrum": (("time", "angle"), values.astype(np.float32), about),
        "coverage": (("time", "angle"), coverage.astype(np.float32), measured),
    }
    if "quality" in ds:
        variables["quality"] = ds["quality"].variable
    attrs = dict(ds.attrs) | {"quantity": quantity, "angle": angle}
    attrs |= {"energy_min": energy_min, "energy_max": energy_max}
    coords = {"time": ds["time"], "angle": ("angle", ds[dim].values, dict(ds[dim].attrs))}
    return xr.Dataset(variables, coords, attrs)
