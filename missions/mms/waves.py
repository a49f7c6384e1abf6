"""Waves that the fluxgate magnetometers resolve: up to 8 Hz in survey, up to 64 Hz in burst."""

from __future__ import annotations

from sciqlop_pipe.model import Dataset
from sciqlop_pipe.standard import wave_products

# Frames of 512 samples: 64 or 32 s in survey (8 or 16 Hz), 4 s in burst (128 Hz).
_CUT = {"srvy": ("2min", "2min", (0.01, 4.0)), "brst": ("10s", "10s", (0.25, 64.0))}


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return what is made of the field of one spacecraft, whose background is its own mean."""
    return tuple(
        d
        for mode, (step, reach, octaves) in _CUT.items()
        for d in wave_products(
            f"mms{probe}.fgm.{mode}",
            f"mms{probe}.fgm.{mode}.b_gse",
            b=f"mms{probe}.fgm.{mode}.b_gse",
            moments=f"mms{probe}.fpi.dis.{'fast' if mode == 'srvy' else 'brst'}.moms",
            samples=512,
            step=step,
            reach=reach,
            octaves=octaves,
        )
    )
