"""Wind 3-D Plasma and Energetic Particles (3DP): ion spectra of PESA Low."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciqlop_pipe.datatypes import EnergySpectrum
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import require
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import SpectrumAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen

FILES = "wi_plsp_3dp_{start:%Y%m%d}_v{version}.cdf"


@dataclass(frozen=True, slots=True)
class Measured:
    """A spectrum with NaN where its energy is none: the table has one place more than energies."""

    name: str
    like: str
    energy: str
    units: str

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the spectrum (record, energy)."""
        require(cdf, [self.like, self.energy])
        flux = cdf.values(self.like)
        return np.where(np.isfinite(cdf.values(self.energy)), flux, flux.dtype.type(np.nan))


def spectrum() -> Seen:
    """Return the adapter for the spectra of PESA Low; the files say neither units nor times."""
    units = "eV/cm2-s-sr-eV"
    adapter = SpectrumAdapter(
        spectrum="spectrum",
        energy="ENERGY",
        species=PROTON,
        long_name="ion differential energy flux, mean over the field of view of PESA Low",
    )
    return Seen(
        adapter,
        restated=(
            ("FLUX", (("UNITS", units), ("DEPEND_0", "Epoch"))),
            ("ENERGY", (("UNITS", "eV"), ("DEPEND_0", "Epoch"))),
        ),
        limits=(("ENERGY", 1e-3, np.inf),),
        made=(Measured("spectrum", "FLUX", "ENERGY", units),),
    )


def datasets() -> tuple[Dataset, ...]:
    """Return everything of 3DP."""
    return (
        raw("wind.3dp.plsp.archive_spectrum", EnergySpectrum, FileSource(FILES, spectrum()),
            granule="1d", description="ions: energy spectrum of PESA Low"),
    )  # fmt: skip
