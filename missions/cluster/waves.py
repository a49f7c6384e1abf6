"""Waves of the internal bursts of EFW: spectra, polarization, Poynting flux (ISR2)."""

from __future__ import annotations

from sciqlop_pipe.model import Dataset
from sciqlop_pipe.standard import wave_products


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return what is made of the burst waveforms of one spacecraft."""
    burst = f"cluster{probe}.efw.burst"
    return wave_products(
        burst,
        f"{burst}.b_isr2",
        b=f"cluster{probe}.fgm.full.b_isr2",
        e=f"{burst}.e_isr2",
        samples=512,
        step="500ms",
        octaves=(10.0, 2000.0),
    )
