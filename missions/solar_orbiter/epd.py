"""Solar Orbiter Energetic Particle Detector (EPD): EPT, ions and electrons in four directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import DirectionalFlux
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import (
    Quality,
    converted,
    extent_of,
    finished,
    require,
    time_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.tags import Lasting
from sciqlop_pipe.sources.view import Seen, Words

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

APERTURES = ("sun", "asun", "north", "south")
SPECIES = {"ion": ("Ion", "ions"), "electron": ("Electron", "e-")}

_FLUX = "cm^-2 s^-1 sr^-1 MeV^-1"

FLAGS = Flags(
    "EPD quality",
    (
        Flag(0, "bad_value", "bad value"),
        Flag(1, "close_mode", "close mode"),
        Flag(2, "high_flux_mode", "high flux mode"),
        Flag(16, "bad", "QUALITY_FLAG 0: bad"),
        Flag(17, "known_problems", "QUALITY_FLAG 1: known problems"),
        Flag(18, "survey", "QUALITY_FLAG 2: survey data"),
        Flag(19, "good", "QUALITY_FLAG 3: good"),
        Flag(20, "excellent", "QUALITY_FLAG 4: excellent"),
    ),
    masking=1 << 0 | 1 << 16,
    source="VAR_NOTES of QUALITY_BITMASK and QUALITY_FLAG, epd-ept hcad V02",
)


@dataclass(frozen=True, slots=True)
class FluxAdapter:
    """Reads the intensity of one species; energies are the edges of the bins."""

    letter: str
    species: str

    @property
    def time_tag(self) -> Lasting:
        """What the time tag means: the beginning of an accumulation."""
        return Lasting(duration="DELTA_EPOCH", declared="s")

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return extent_of(time_of(cdf, f"{self.letter}_Flux", self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a DirectionalFlux."""
        names = [f"{self.letter}_{word}" for word in
                 ("Flux", "Uncertainty", "Bins_Low_Energy", "Bins_Width")]  # fmt: skip
        require(cdf, names)
        flux, error = (converted(cdf, name, _FLUX) for name in names[:2])
        low, width = (converted(cdf, name, "eV") for name in names[2:])
        edges = np.stack([low, low + width]).reshape(2, -1)
        series, bins = ("time", "energy_bin"), ("energy_bin",)
        ds = xr.Dataset(
            {
                "flux": (series, np.array(flux), _named("differential intensity", _FLUX)),
                "flux_error": (series, np.array(error), _named("its uncertainty", _FLUX)),
                "energy_lower": (bins, edges[0], _named("lower edge of energy", "eV")),
                "energy_upper": (bins, edges[1], _named("upper edge of energy", "eV")),
            },
            coords={"time": time_of(cdf, names[0], self.time_tag)},
            attrs={"species": self.species},
        )
        return finished(ds, cdf, Quality("flags", FLAGS), ["flux", "flux_error"])


def flux(kind: str) -> Seen:
    """Return the adapter for the intensity of "ion"s or "electron"s of EPT."""
    words = Words("flags", bits="QUALITY_BITMASK", code="QUALITY_FLAG", offset=16)
    return Seen(FluxAdapter(*SPECIES[kind]), made=(words,))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of EPD."""
    return tuple(
        raw(f"solar_orbiter.epd.ept_{aperture}.{kind}", DirectionalFlux,
            FileSource(_patterns(aperture), flux(kind)), granule="1d",
            description=f"EPT {aperture}: intensity of {kind}s")
        for aperture in APERTURES for kind in SPECIES
    )  # fmt: skip


def _patterns(aperture: str) -> tuple[str, ...]:
    return tuple(
        f"solo_{level}_epd-ept-{aperture}-hcad_{{start:%Y%m%d}}_{v}{{version}}.cdf"
        for level, v in (("L2", "V"), ("l2", "v"))
    )


def _named(long_name: str, units: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
