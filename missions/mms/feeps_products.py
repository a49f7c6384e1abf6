"""What follows from the eyes of MMS FEEPS: spectra, means over spins, pitch angles."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType, Var
from sciqlop_pipe.datatypes import EnergySpectrum, PitchAngleFlux, VectorSeries
from sciqlop_pipe.model import Margin, recipe
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.recipes.joining import nearby
from sciqlop_pipe.recipes.rays import require_same_frame

FLUX = "cm^-2 s^-1 sr^-1 keV^-1"
UNKNOWN = 255
"""Quality indicator where the file has none."""

_SAME_ENERGY = 0.1

FLAGS = Flags(
    "FEEPS quality of the eyes that are used: bits are set if one eye has them",
    (
        Flag(0, "clean", "indicator 0: no spin sector contaminated or masked"),
        Flag(1, "masked_on_board", "indicator 1: 1 to 7 of 8 spin sectors masked on board"),
        Flag(2, "contaminated", "indicator 2: up to half of the sectors not masked have sunlight"),
        Flag(3, "mostly_contaminated", "indicator 3: half of them or more, or all masked"),
        Flag(4, "calibration", "indicator 4: made by the instrument itself"),
        Flag(5, "sunlit_eye", "an eye is lit by the Sun and left out"),
        Flag(6, "no_eye", "no eye is left"),
    ),
    source="quality_indicator of the L2 files, as mms_feeps_omni.py of pyspedas 2.2.2 tells it",
)

Eyes = DataType(
    "FeepsEyes",
    (
        Var("flux", (("time", "eye", "energy_bin"),), FLUX),
        Var("energy", (("energy_bin",),), "eV"),
        Var("eye_energy", (("eye", "energy_bin"),), "eV"),
        Var("flight", (("eye", "component"),), "1", framed=True),
        Var("indicator", (("time", "eye"),), "1"),
        Var("sector", (("time",),), "1"),
        Var("quality", (("time",),), "1"),
    ),
    attrs=("species", "mass", "charge"),
    main="flux",
    description="differential intensity of each eye at its own energies; NaN is not to be used",
)


@recipe(gives=EnergySpectrum, version=1)
def mean_over_eyes(eyes: Eyes, *, worst: int = 2, gain: float = 1.0) -> xr.Dataset:
    """Differential energy flux (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1], mean over the eyes.

    The plain mean of the eyes that look at different parts of the sky, as the team makes it. A
    channel of an eye counts at the spacecraft's energy where its own is within 10 % of that. Zeros
    count: no particle is a measurement. `coverage` is the part of the eyes that count.

    Parameters
    ----------
    eyes : Eyes
        Intensity per eye (time, eye, energy_bin) [cm^-2 s^-1 sr^-1 keV^-1].
    worst : int
        Highest quality indicator of a record of an eye that counts; unknown ones do.
    gain : float
        What the mean is multiplied with: 0.84 for ions of MMS1.

    Notes
    -----
    Source: mms_feeps_omni.py of pyspedas 2.2.2.
    """
    return _spectrum(eyes, accepted(eyes, worst), eyes["time"].values, eyes["quality"], gain)


@recipe(gives=EnergySpectrum, version=1)
def mean_over_spins(
    eyes: Annotated[Eyes, Margin("longest")], *, worst: int = 2, gain: float = 1.0,
    longest: str = "25s",
) -> xr.Dataset:  # fmt: skip
    """Differential energy flux (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1], mean over spins.

    A spin begins where the number of the sector falls; its time is the middle of its first and last
    record. All eyes of all its records count alike, as in `mean_over_eyes`. Spins that are cut by
    the ends of the data or take longer than `longest` are left out.

    Parameters
    ----------
    eyes : Eyes
        Intensity per eye (time, eye, energy_bin) [cm^-2 s^-1 sr^-1 keV^-1].
    worst : int
        Highest quality indicator of a record of an eye that counts; unknown ones do.
    gain : float
        What the mean is multiplied with: 0.84 for ions of MMS1.
    longest : str
        Longest time from the first to the last record of a spin; a spin takes 20 s.
    """
    sector, t = eyes["sector"].values, eyes["time"].values
    starts = np.flatnonzero(sector[1:] <= sector[:-1]) + 1
    first, last = starts[:-1], starts[1:] - 1
    within = np.timedelta64(Margin(longest).ns({}), "ns")
    whole = t[last] - t[first] <= within if first.size else np.zeros(0, bool)
    first, last = first[whole], last[whole]
    flux = accepted(eyes, worst)
    per_spin = np.zeros((first.size, (last - first).max(initial=-1) + 1, *flux.shape[1:]), "f4")
    per_spin[:] = np.nan
    words = np.zeros(first.size, np.uint32)
    for k, (a, b) in enumerate(zip(first, last, strict=True)):
        per_spin[k, : b + 1 - a] = flux[a : b + 1]
        words[k] = np.bitwise_or.reduce(eyes["quality"].values[a : b + 1])
    quality = xr.DataArray(words, dims="time", attrs=eyes["quality"].attrs)
    records = per_spin.reshape(first.size, -1, flux.shape[2])
    return _spectrum(eyes, records, t[first] + (t[last] - t[first]) // 2, quality, gain)


@recipe(gives=PitchAngleFlux, version=1)
def eyes_by_pitch_angle(
    eyes: Eyes, b: Annotated[VectorSeries, Margin("reach")], *, worst: int = 2, reach: str = "1s"
) -> xr.Dataset:
    """Intensity per eye, each at its pitch angle (time, pitch_angle_bin, energy_bin) [per keV].

        cos alpha = v . B / |B|,  v = where the particles fly that the eye counts

    in axes of the spinning body, with the field at the time of the record. An eye turns by 45
    degrees while a record of survey data is taken; its pitch angle is that of the middle.

    Parameters
    ----------
    eyes : Eyes
        Intensity per eye (time, eye, energy_bin) [cm^-2 s^-1 sr^-1 keV^-1].
    b : VectorSeries
        Magnetic field (time, component) [nT] in axes of the body (BCS).
    worst : int
        Highest quality indicator of a record of an eye that counts; unknown ones do.
    reach : str
        Longest distance between two samples of the field around a record.

    Raises
    ------
    DataTypeError
        When the field is not in axes of the body.

    Notes
    -----
    Source: mms_feeps_pitch_angles.py of pyspedas 2.2.2, which has the directions of the eyes.
    """
    require_same_frame(str(eyes["flight"].attrs["frame"]), b)
    field = nearby(b["time"].values, b["vector"].values, eyes["time"].values, reach)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = field / np.linalg.norm(field, axis=1, keepdims=True)
    cosine = np.clip(along @ eyes["flight"].values.T, -1, 1)
    flux = accepted(eyes, worst)
    flux[~np.isfinite(cosine)] = np.nan
    dims = ("time", "pitch_angle_bin")
    angle = np.rad2deg(np.arccos(cosine)).astype(np.float32)
    found = {
        "flux": ((*dims, "energy_bin"), flux, dict(eyes["flux"].attrs)),
        "pitch_angle": (dims, angle, {"units": "deg", "long_name": "pitch angle of each eye"}),
        "energy": eyes["energy"],
        "quality": eyes["quality"],
    }
    return xr.Dataset(found, {"time": eyes["time"]}, dict(eyes.attrs))


def accepted(eyes: xr.Dataset, worst: int) -> np.ndarray:
    """Return the intensities (time, eye, energy_bin) that count at the spacecraft's energies."""
    common = eyes["energy"].values
    near = np.abs(eyes["eye_energy"].values - common) <= _SAME_ENERGY * common
    indicator = eyes["indicator"].values
    good = (indicator <= worst) | (indicator == UNKNOWN)
    counts: np.ndarray = np.where(near & good[..., None], eyes["flux"].values, np.float32(np.nan))
    return counts


def _spectrum(eyes: xr.Dataset, flux: np.ndarray, time: np.ndarray, quality: xr.DataArray,
              gain: float) -> xr.Dataset:  # fmt: skip
    """Return the mean (time, energy_bin) of intensities (time, whatever, energy_bin)."""
    seen = np.isfinite(flux)
    count = seen.sum(axis=1)
    total = np.where(seen, flux, 0.0).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = gain * np.where(count > 0, total / count, np.nan)
    dims = ("time", "energy_bin")
    # Per keV, times keV: an energy flux per energy does not know which.
    spectrum = (mean * eyes["energy"].values / 1e3).astype(np.float32)
    part = (count / max(flux.shape[1], 1)).astype(np.float32)
    found = {
        "spectrum": (dims, spectrum, {"units": "eV cm^-2 s^-1 sr^-1 eV^-1",
                                      "long_name": "differential energy flux, mean over eyes"}),
        "energy": eyes["energy"],
        "coverage": (dims, part, {"units": "1", "long_name": "part of the eyes that count"}),
        "quality": quality.drop_vars("time", errors="ignore"),
    }  # fmt: skip
    return xr.Dataset(found, {"time": time}, {"species": eyes.attrs["species"]})
