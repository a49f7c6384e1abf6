"""Cluster STAFF spectrum analyser: power of the magnetic and electric field, 8 Hz to 4 kHz.

No file was at hand: names as public readers use them (README of this folder).
"""

from __future__ import annotations

from sciqlop_pipe.datatypes import WaveSpectrum
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.frequency import WaveAdapter

from .names import patterns

# Field: variable, unit, components, words.
FIELDS = {
    "b": ("BB_xxyyzz_sr2", "(nT)^2 Hz^-1", ("x", "y", "z"), "power of the magnetic field"),
    "e": ("EE_xxyy_sr2", "(mV m^-1)^2 Hz^-1", ("x", "y"), "power of the electric field"),
}


def power(probe: str, field: str) -> WaveAdapter:
    """Return the adapter for the power of one field along the axes of SR2."""
    variable, units, components, words = FIELDS[field]
    product = f"C{probe}_CP_STA_PSD"
    return WaveAdapter(
        power=f"{variable}__{product}",
        frequency=f"Frequency__{product}",
        units=units,
        components=components,
        long_name=f"{words} (SR2)",
        method="on board (STAFF-SA)",
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the spectra of one spacecraft."""
    files = patterns(probe, "STA_PSD")
    return tuple(
        raw(f"cluster{probe}.staff.{field}_spectrum", WaveSpectrum,
            FileSource(files, power(probe, field)), granule="1d",
            description=f"{FIELDS[field][-1]}, STAFF-SA")
        for field in FIELDS
    )  # fmt: skip
