"""Aditya-L1 ASPEX STEPS: energetic ions from the direction of the Parker spiral, 10 min."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import DirectionalFlux
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import (
    TimeTag,
    begin,
    converted,
    extent_of,
    finished,
    require,
    time_of,
)
from sciqlop_pipe.sources.files import FileSource

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

FILES = "AL1_AST91_L2_PS_{start:%Y%m%d}_V{version}.cdf"
DETECTORS = {"inner": "psinn", "outer": "psout"}

_TAG = begin("10min")
_FLUX = "cm^-2 s^-1 sr^-1 MeV^-1"


@dataclass(frozen=True, slots=True)
class StepsAdapter:
    """Reads the intensity of all species in one detector; the file's error is a relative one."""

    detector: str
    time_tag: TimeTag = _TAG

    @property
    def _flux(self) -> str:
        return f"PS_{self.detector.capitalize()}_allspecies"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self._flux])
        return extent_of(time_of(cdf, self._flux, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a DirectionalFlux."""
        error, bins = f"error_{DETECTORS[self.detector]}_allspecies", f"Ebin_{self.detector}"
        bins = f"{bins}_allspecies"
        require(cdf, [self._flux, error, bins])
        flux = np.array(converted(cdf, self._flux, _FLUX))
        edges = converted(cdf, bins, "eV").reshape(-1, 2).T
        series = ("time", "energy_bin")
        ds = xr.Dataset(
            {
                "flux": (series, flux, _about("differential intensity", _FLUX)),
                "flux_error": (series, flux * cdf.values(error), _about("its error", _FLUX)),
                "energy_lower": (series[1:], edges[0], _about("lower edge of energy", "eV")),
                "energy_upper": (series[1:], edges[1], _about("upper edge of energy", "eV")),
            },
            coords={"time": time_of(cdf, self._flux, self.time_tag)},
            attrs={"species": "ions"},
        )
        return finished(ds, cdf, None, ["flux", "flux_error"])


def _about(long_name: str, units: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def datasets() -> tuple[Dataset, ...]:
    """Return everything of STEPS."""
    return tuple(
        raw(f"aditya_l1.steps.parker_{detector}.ion", DirectionalFlux,
            FileSource(FILES, StepsAdapter(detector)), granule="1d",
            description=f"ions: intensity, {detector} detector, 10 min (experimental)")
        for detector in DETECTORS
    )  # fmt: skip
