"""MMS Fly's Eye Energetic Particle Sensor (EPD-FEEPS): electrons and ions of 24 eyes.

Each eye has energies, a gain and bad channels of its own, and is lit by the Sun in some sectors of
the spin: `feeps_eyes`. No file was at hand; what is known of the files is in the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.quality import FLAGS_MISSING
from sciqlop_pipe.recipes.pitch_flux import pitch_angle_bins
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
from .feeps_products import (
    FLAGS,
    FLUX,
    UNKNOWN,
    Eyes,
    eyes_by_pitch_angle,
    mean_over_eyes,
    mean_over_spins,
)

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

SPECIES = {"electron": ELECTRON, "ion": PROTON}
MODES = {"srvy": "1d", "brst": "10min"}

_SPAN = {"srvy": "1d", "brst": "15min"}
# Half of what an eye sees in pitch angle [deg] (D. L. Turner, in mms_feeps_pad.py of pyspedas).
_RESPONSE = {"electron": 21.4, "ion": 10.0}


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
        indicator = np.full(flux.shape[:2], UNKNOWN, np.uint8)
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
                indicator[:, k] = np.where((known >= 0) & (known <= 4), known, UNKNOWN)
        return finished(self._dataset(every, time, sector, flux, indicator, sunlit), cdf, None, [])

    def _name(self, eye: Eye, quantity: str) -> str:
        return f"{self._base}_{eye.head}_{quantity}_sensorid_{eye.number}"

    def _intensity(self, cdf: CdfFile, eye: Eye, time: np.ndarray) -> np.ndarray:
        name, channels = self._name(eye, "intensity"), len(CHANNELS[self.species])
        values = converted(cdf, name, FLUX)
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
            "flux": (("time", "eye", "energy_bin"), flux, FLUX, "differential intensity per eye"),
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
    unknown = ((indicator == UNKNOWN) & used).any(axis=1)
    word |= sunlit.any(axis=1).astype(np.uint32) << np.uint32(5)
    word |= (~used.any(axis=1)).astype(np.uint32) << np.uint32(6)
    word |= unknown.astype(np.uint32) << np.uint32(FLAGS_MISSING)
    return word


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
