"""MMS Fly's Eye Energetic Particle Sensor (EPD-FEEPS): electrons and ions of 24 eyes.

Each eye has energies, a gain and bad channels of its own, and is lit by the Sun in some sectors of
the spin: `feeps_eyes`. No file was at hand; what is known of the files is in the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType, Var
from sciqlop_pipe.datatypes import EnergySpectrum, PitchAngleFlux, VectorSeries
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, Margin, product, raw, recipe
from sciqlop_pipe.quality import FLAGS_MISSING, Flag, Flags
from sciqlop_pipe.recipes.joining import nearby
from sciqlop_pipe.recipes.pitch_flux import pitch_angle_bins
from sciqlop_pipe.recipes.rays import require_same_frame
from sciqlop_pipe.sources.conventions import (
    CENTRED,
    converted,
    extent_of,
    finished,
    require,
    time_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.species import ELECTRON, PROTON

from .feeps_eyes import CHANNELS, COMMON_GAIN, COMMON_SHIFT, Eye, eyes

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

SPECIES = {"electron": ELECTRON, "ion": PROTON}
MODES = {"srvy": "1d", "brst": "10min"}

_SPAN = {"srvy": "1d", "brst": "15min"}
_FLUX = "cm^-2 s^-1 sr^-1 keV^-1"
# Half of what an eye sees in pitch angle [deg] (D. L. Turner, in mms_feeps_pad.py of pyspedas).
_RESPONSE = {"electron": 21.4, "ion": 10.0}
_SAME_ENERGY = 0.1
_UNKNOWN = 255

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
        Var("flux", (("time", "eye", "energy_bin"),), _FLUX),
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


@dataclass(frozen=True, slots=True)
class EyesAdapter:
    """Reads intensities per eye, corrected by the team's tables; NaN where these say so."""

    probe: str
    species: str
    mode: str

    @property
    def _base(self) -> str:
        return f"mms{self.probe}_epd_feeps_{self.mode}_l2_{self.species}"

    @property
    def _sector(self) -> str:
        return f"{self._base}_spinsectnum"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self._sector])
        return extent_of(time_of(cdf, self._sector, CENTRED))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as Eyes: all eyes of the species, whichever it has."""
        require(cdf, [self._sector])
        time = time_of(cdf, self._sector, CENTRED)
        sector = np.ravel(cdf.raw(self._sector)).astype(np.int16)
        every = eyes(self.probe, self.species)
        flux = np.full((time.size, len(every), len(CHANNELS[self.species])), np.nan, np.float32)
        indicator = np.full(flux.shape[:2], _UNKNOWN, np.uint8)
        sunlit = np.zeros(flux.shape[:2], bool)
        there = [eye for eye in every if cdf.has(self._name(eye, "intensity"))]
        if not there:
            require(cdf, [self._name(every[0], "intensity")])
        for k, eye in enumerate(every):
            if eye not in there:
                continue
            flux[:, k] = self._intensity(cdf, eye, time)
            works = eye.works(time, self.mode)
            sunlit[:, k] = works & eye.sees_the_sun(time, sector)
            flux[~works | sunlit[:, k], k] = np.nan
            if cdf.has(name := self._name(eye, "quality_indicator")):
                known = np.ravel(cdf.raw(name)).astype(np.int64)
                indicator[:, k] = np.where((known >= 0) & (known <= 4), known, _UNKNOWN)
        return finished(self._dataset(every, time, sector, flux, indicator, sunlit), cdf, None, [])

    def _name(self, eye: Eye, quantity: str) -> str:
        return f"{self._base}_{eye.head}_{quantity}_sensorid_{eye.number}"

    def _intensity(self, cdf: CdfFile, eye: Eye, time: np.ndarray) -> np.ndarray:
        name, channels = self._name(eye, "intensity"), len(CHANNELS[self.species])
        values = converted(cdf, name, _FLUX)
        # The last channel is an integral one.
        if values.shape != (time.size, channels + 1):
            raise SourceError(
                f"{name} has shape {values.shape}, expected ({time.size}, {channels + 1})",
                str(cdf.path),
            )
        corrected: np.ndarray = values[:, :channels] * np.float32(eye.gain)
        corrected[:, : eye.bad_channels] = np.nan
        return corrected

    def _dataset(self, every: tuple[Eye, ...], time: np.ndarray, sector: np.ndarray,
                 flux: np.ndarray, indicator: np.ndarray,
                 sunlit: np.ndarray) -> xr.Dataset:  # fmt: skip
        shift = COMMON_SHIFT[self.species].get(self.probe, 0.0)
        common = np.array(CHANNELS[self.species]) + shift
        own = np.array([eye.energies for eye in every])
        flight = np.array([eye.flight for eye in every])
        quality = xr.DataArray(_words(flux, indicator, sunlit), dims="time", attrs=FLAGS.attrs)
        parts = {
            "flux": (("time", "eye", "energy_bin"), flux, _FLUX, "differential intensity per eye"),
            "energy": (("energy_bin",), 1e3 * common, "eV", "energy of the spacecraft's channels"),
            "eye_energy": (("eye", "energy_bin"), 1e3 * own, "eV", "energy of each eye's channels"),
            "flight": (("eye", "component"), flight, "1", "where the particles of an eye fly"),
            "indicator": (("time", "eye"), indicator, "1", "quality indicator; 255 is unknown"),
            "sector": (("time",), sector, "1", "spin sector, 0 to 63"),
        }
        found = {
            name: xr.DataArray(v, dims=dims, attrs={"units": units, "long_name": words})
            for name, (dims, v, units, words) in parts.items()
        }
        found["flight"].attrs["frame"] = "BCS"
        who = SPECIES[self.species]
        attrs = {"species": who.name, "mass": who.mass, "charge": who.charge}
        coords = {"time": time, "eye": [e.name for e in every], "component": ["x", "y", "z"]}
        return xr.Dataset(found | {"quality": quality}, coords=coords, attrs=attrs)


def _words(flux: np.ndarray, indicator: np.ndarray, sunlit: np.ndarray) -> np.ndarray:
    """Return the flag words (n,) of the eyes (n, eye) that have data."""
    used = np.isfinite(flux).any(axis=2)
    word = np.zeros(len(flux), np.uint32)
    for code in range(5):
        word |= ((indicator == code) & used).any(axis=1).astype(np.uint32) << np.uint32(code)
    unknown = ((indicator == _UNKNOWN) & used).any(axis=1)
    word |= sunlit.any(axis=1).astype(np.uint32) << np.uint32(5)
    word |= (~used.any(axis=1)).astype(np.uint32) << np.uint32(6)
    word |= unknown.astype(np.uint32) << np.uint32(FLAGS_MISSING)
    return word


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
    whole = t[last] - t[first] <= Margin(longest).ns({}) if first.size else np.zeros(0, bool)
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
    good = (indicator <= worst) | (indicator == _UNKNOWN)
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


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FEEPS on one spacecraft."""
    return tuple(d for mode in MODES for species in SPECIES for d in _of(probe, mode, species))


def _of(probe: str, mode: str, species: str) -> tuple[Dataset, ...]:
    base, words = f"mms{probe}.feeps.{species}.{mode}", f"{species}s"
    gain = COMMON_GAIN[species].get(probe, 1.0)
    source = FileSource(
        f"mms{probe}_feeps_{mode}_l2_{species}_{{start:%Y%m%d%H%M%S}}_v{{version}}.cdf",
        EyesAdapter(probe, species, mode),
        span=_SPAN[mode],
        remote=on_cdaweb(f"MMS{probe}_FEEPS_{mode}_L2_{species}".upper()),
    )
    return (
        raw(f"{base}.eyes", Eyes, source, granule=MODES[mode],
            description=f"{words}: intensity of each eye, without sunlight and bad channels"),
        product(f"{base}.energy_spectrum", mean_over_eyes, eyes=f"{base}.eyes", gain=gain),
        product(f"{base}.spin_spectrum", mean_over_spins, eyes=f"{base}.eyes", gain=gain),
        product(f"{base}.pad_flux", eyes_by_pitch_angle, eyes=f"{base}.eyes",
                b=f"mms{probe}.fgm.{mode}.b_bcs"),
        product(f"{base}.pad_flux_binned", pitch_angle_bins, flux=f"{base}.pad_flux",
                response=_RESPONSE[species]),
    )  # fmt: skip
