"""Waves: up to 8 Hz and 64 Hz by the fluxgates, up to 4 kHz by the search coil and EDP in burst."""

from __future__ import annotations

from sciqlop_pipe.model import Dataset, product
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.standard import wave_products

# Frames of 512 samples: 64 or 32 s in survey (8 or 16 Hz), 4 s in burst (128 Hz).
_CUT = {"srvy": ("2min", "2min", (0.01, 4.0)), "brst": ("10s", "10s", (0.25, 64.0))}
_PLASMA = {"srvy": "fast", "brst": "brst"}


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return what is made of the fields of one spacecraft."""
    fgm, coil = f"mms{probe}.fgm", f"mms{probe}.scm.scb"
    moments = {m: f"mms{probe}.fpi.dis.{p}.moms" for m, p in _PLASMA.items()}
    return (
        # The background of a fluxgate's waves is its own mean.
        *(
            d
            for mode, (step, reach, octaves) in _CUT.items()
            for d in wave_products(
                f"{fgm}.{mode}",
                f"{fgm}.{mode}.b_gse",
                b=f"{fgm}.{mode}.b_gse",
                moments=moments[mode],
                samples=512,
                step=step,
                reach=reach,
                octaves=octaves,
            )
        ),
        # 8192 Hz: frames of 125 ms.
        *wave_products(
            coil,
            f"{coil}.b_gse",
            b=f"{fgm}.brst.b_gse",
            e=f"mms{probe}.edp.brst.e_gse",
            moments=moments["brst"],
            samples=1024,
            step="1s",
            octaves=(16.0, 3000.0),
        ),
        product(
            f"{coil}.b_merged",
            merged_field,
            fluxgate=f"{fgm}.brst.b_gse",
            search_coil=f"{coil}.b_gse",
        ),
    )
