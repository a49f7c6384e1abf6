"""Cluster STAFF: spectra of the analyser (8 Hz to 4 kHz), waveforms of the search coil.

The waveform is merged with the fluxgate's field.

No file was at hand: names as public readers use them (README of this folder).
"""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries, WaveSpectrum
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.frequency import WaveAdapter
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.standard import wave_products

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


def waveform(probe: str) -> VectorAdapter:
    """Return the adapter for the waveform, 25 Hz in normal and 450 Hz in burst telemetry."""
    return VectorAdapter(
        variable=f"B_vec_xyz_Instrument__C{probe}_CP_STA_CWF_GSE",
        units="nT",
        frame="GSE",
        long_name="waveform of the search coil (GSE)",
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return spectra and waveforms of one spacecraft, and the field of both magnetometers."""
    files, base = patterns(probe, "STA_PSD"), f"cluster{probe}.staff"
    wave, fluxgate = f"{base}.cwf.b_gse", f"cluster{probe}.fgm.full.b_gse"
    adapter = waveform(probe)
    source = FileSource(patterns(probe, "STA_CWF_GSE"), adapter, remote=from_csa(adapter.variable))
    return (
        *(raw(f"{base}.{field}_spectrum", WaveSpectrum, FileSource(files, power(probe, field)),
              granule="1d", description=f"{FIELDS[field][-1]}, STAFF-SA") for field in FIELDS),
        # 450 Hz for hours of burst telemetry.
        raw(wave, VectorSeries, source, granule="2h", description="search coil, GSE"),
        # Frames of 5 s at 25 Hz, seven in a step.
        *wave_products(f"{base}.cwf", wave, b=fluxgate, samples=128, step="20s", reach="20s",
                       octaves=(0.25, 100.0)),
        product(f"{base}.cwf.b_merged", merged_field, fluxgate=fluxgate, search_coil=wave),
    )  # fmt: skip
