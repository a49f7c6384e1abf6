"""Wind 3-D Plasma and Energetic Particles (3DP): spectra of ions and electrons, 3 s moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciqlop_pipe.datatypes import EnergySpectrum, Moments
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import converted, require, units_of
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, SpectrumAdapter
from sciqlop_pipe.sources.species import ALPHA, ELECTRON, PROTON, Species
from sciqlop_pipe.sources.view import Seen

FILES = "wi_plsp_3dp_{start:%Y%m%d}_v{version}.cdf"

# Spectra of number flux: whose, and what of them.
NUMBER_FLUX = {
    "elsp": (ELECTRON, "electrons: energy spectrum of EESA Low, about 5 eV to 1 keV"),
    "ehsp": (ELECTRON, "electrons: energy spectrum of EESA High, about 100 eV to 30 keV"),
    "sfsp": (ELECTRON, "electrons: energy spectrum of the SST foils, 27 to 520 keV"),
    "sosp": (PROTON, "ions: energy spectrum of the open SST, 70 keV to 6.8 MeV"),
}
MOMENTS = {"protons": ("P", PROTON), "alphas": ("A", ALPHA)}


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


@dataclass(frozen=True, slots=True)
class EnergyFlux:
    """An energy flux [eV cm^-2 s^-1 sr^-1 eV^-1]: the number flux per eV times the energy."""

    name: str
    like: str
    energy: str
    units: str = "eV/cm2-s-sr-eV"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the spectrum (record, energy)."""
        require(cdf, [self.like, self.energy])
        if any(prefix in units_of(cdf, self.like) for prefix in ("keV", "MeV")):
            raise SourceError(
                f"{self.like} is not per eV but in {units_of(cdf, self.like)}", str(cdf.path),
                "The README says what is known of these files: tell those who keep this adapter",
            )  # fmt: skip
        flux = cdf.values(self.like)
        return flux * converted(cdf, self.energy, "eV").astype(flux.dtype)


def number_flux_spectrum(kind: str) -> Seen:
    """Return the adapter for the spectra of one kind ("sfsp"), omnidirectional."""
    adapter = SpectrumAdapter(
        spectrum="spectrum",
        energy="ENERGY",
        species=NUMBER_FLUX[kind][0],
        long_name="omnidirectional differential energy flux (archive)",
    )
    about = (("UNITS", "eV"), ("DEPEND_0", "Epoch"))
    return Seen(
        adapter,
        restated=(("FLUX", (("DEPEND_0", "Epoch"),)), ("ENERGY", about)),
        limits=(("ENERGY", 1e-3, np.inf),),
        made=(EnergyFlux("spectrum", "FLUX", "ENERGY"),),
    )


def moments(letter: str, species: Species) -> Seen:
    """Return the adapter for the moments of PESA Low, 3 s, GSE."""
    adapter = MomentsAdapter(
        density=f"{letter}_DENS",
        velocity=f"{letter}_VELS",
        temperature=f"{letter}_TEMP",
        species=species,
        frame="GSE",
    )
    units = (("DENS", "cm-3"), ("VELS", "km/s"), ("TEMP", "eV"))
    about = tuple(
        (f"{letter}_{name}", (("UNITS", unit), ("DEPEND_0", "Epoch"))) for name, unit in units
    )
    return Seen(adapter, restated=about)


def datasets() -> tuple[Dataset, ...]:
    """Return everything of 3DP."""

    def files(kind: str, adapter: Seen) -> FileSource:
        return FileSource(
            f"wi_{kind}_3dp_{{start:%Y%m%d}}_v{{version}}.cdf",
            adapter,
            remote=on_cdaweb(f"WI_{kind.upper()}_3DP"),
        )

    return (
        raw(
            "wind.3dp.plsp.archive_spectrum",
            EnergySpectrum,
            FileSource(FILES, spectrum(), remote=on_cdaweb("WI_PLSP_3DP")),
            granule="1d",
            description="ions: energy spectrum of PESA Low",
        ),
        *(
            raw(
                f"wind.3dp.{kind}.archive_spectrum",
                EnergySpectrum,
                files(kind, number_flux_spectrum(kind)),
                granule="1d",
                description=words,
            )
            for kind, (_, words) in NUMBER_FLUX.items()
        ),
        *(
            raw(
                f"wind.3dp.pm.{who}",
                Moments,
                files("pm", moments(letter, species)),
                granule="1d",
                cadence="3s",
                description=f"{who}: density, velocity (GSE), temperature of PESA Low, 3 s",
            )
            for who, (letter, species) in MOMENTS.items()
        ),
    )
