"""Cluster electron densities: WHISPER (from the plasma frequency) and PEACE (moments)."""

from __future__ import annotations

from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import ScalarAdapter

from .names import patterns

# Instrument: what the archive calls the dataset, the variable in it, words.
PRODUCTS = {
    "whisper": ("WHI_ELECTRON_DENSITY", "Electron_Density", "electrons: density, WHISPER"),
    "peace": ("PEA_MOMENTS", "Data_Density", "electrons: density, moments of PEACE"),
}


def density(probe: str, instrument: str) -> ScalarAdapter:
    """Return the adapter for the density of electrons of one instrument."""
    product, variable, words = PRODUCTS[instrument]
    return ScalarAdapter(f"{variable}__C{probe}_CP_{product}", "cm^-3", words)


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the densities of one spacecraft."""
    return tuple(
        raw(f"cluster{probe}.{instrument}.density", ScalarSeries,
            FileSource(patterns(probe, product), density(probe, instrument),
                       remote=from_csa(density(probe, instrument).variable)),
            granule="1d", description=words)
        for instrument, (product, _, words) in PRODUCTS.items()
    )  # fmt: skip
