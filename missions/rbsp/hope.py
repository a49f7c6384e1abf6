"""Van Allen Probes HOPE: protons and electrons by pitch angle (level 3), 1 eV to 50 keV."""

from __future__ import annotations

from sciqlop_pipe.datatypes import PitchAngleFlux, Position
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import Deltas
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.pitch_flux import PitchFluxAdapter
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard import flux_products

# Species: variable, table of energies, words.
SPECIES = {
    "protons": ("FPDU", "HOPE_ENERGY_Ion", PROTON),
    "electrons": ("FEDU", "HOPE_ENERGY_Ele", ELECTRON),
}


def flux(species: str) -> Seen:
    """Return the adapter for the intensity of one species by pitch angle and energy."""
    variable, energy, kind = SPECIES[species]
    adapter = PitchFluxAdapter(variable, "PITCH_ANGLE", energy, kind, time_tag=Deltas())
    return Seen(adapter, restated=(("PITCH_ANGLE", (("UNITS", "deg"),)),))


def position() -> PositionAdapter:
    """Return the adapter for the position of the spacecraft, on the times of the ions."""
    return PositionAdapter(position="Position_Ion", frame="GEO", time_tag=Deltas())


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of HOPE on one spacecraft."""
    # Written in capitals and in small letters; releases 3 and 4 lie side by side.
    patterns = tuple(
        f"rbsp{probe}_{release}_ect-hope-{level}_{{start:%Y%m%d}}_v{{version}}.cdf"
        for release in ("rel04", "rel03")
        for level in ("PA-L3", "pa-l3")
    )
    base = f"rbsp{probe}.hope"
    return (
        *(
            raw(f"{base}.{species}.pad_flux", PitchAngleFlux, FileSource(patterns, flux(species)),
                granule="1d", description=f"{species}: intensity by pitch angle and energy")
            for species in SPECIES
        ),
        raw(f"{base}.position_geo", Position, FileSource(patterns, position()), granule="1d",
            description="position of the spacecraft, GEO"),
        *(d for species in SPECIES for d in flux_products(f"{base}.{species}.pad_flux")),
    )  # fmt: skip
