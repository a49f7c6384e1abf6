"""ELFIN energetic particle detector (EPD): electrons of 50 keV to 7 MeV by pitch angle."""

from __future__ import annotations

from sciqlop_pipe.datatypes import PitchAngleFlux, ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.pitch_flux import PitchFluxAdapter
from sciqlop_pipe.sources.series import ScalarAdapter
from sciqlop_pipe.sources.species import ELECTRON
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard import flux_products

RESOLUTIONS = {"half_spin": "hs", "full_spin": "fs"}


def flux(probe: str, resolution: str) -> Seen:
    """Return the adapter for the intensity of electrons, per half or full spin."""
    name = f"el{probe}_pef_{RESOLUTIONS[resolution]}_{{}}".format
    energy = f"el{probe}_pef_energies_mean"
    adapter = PitchFluxAdapter(name("Epat_nflux"), name("epa_spec"), energy, ELECTRON)
    # The file calls the pitch angles intensities.
    return Seen(adapter, restated=((name("epa_spec"), (("UNITS", "deg"),)),))


def loss_cone(probe: str, resolution: str) -> ScalarAdapter:
    """Return the adapter for the edge of the loss cone."""
    variable = f"el{probe}_pef_{RESOLUTIONS[resolution]}_LCdeg"
    return ScalarAdapter(variable, "deg", "pitch angle of the loss cone", declared="deg")


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of EPD on one spacecraft."""
    pattern = f"el{probe}_l2_epdef_{{start:%Y%m%d}}_v{{version}}.cdf"
    return tuple(d for resolution in RESOLUTIONS for d in _of(probe, resolution, pattern))


def _of(probe: str, resolution: str, pattern: str) -> tuple[Dataset, ...]:
    base, words = f"elfin{probe}.epd.{resolution}", resolution.replace("_", " ")
    return (
        raw(f"{base}.pad_flux", PitchAngleFlux, FileSource(pattern, flux(probe, resolution)),
            granule="1d", description=f"electrons: intensity by pitch angle and energy, {words}"),
        raw(f"{base}.loss_cone", ScalarSeries, FileSource(pattern, loss_cone(probe, resolution)),
            granule="1d", description=f"pitch angle of the loss cone, {words}"),
        *flux_products(f"{base}.pad_flux"),
    )  # fmt: skip
