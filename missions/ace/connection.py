"""Field and plasma of ACE together, the field in RTN, and what ties its wind to the Sun."""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import detector_products, solar_wind_events
from sciqlop_pipe.detect.sheets import discontinuities
from sciqlop_pipe.model import Dataset
from sciqlop_pipe.standard.fields import field_products, heliospheric_products, plasma_products


def datasets() -> tuple[Dataset, ...]:
    """Return what follows from MFI and SWEPAM."""
    b, position = "ace.mfi.16s.b_gse", "ace.mfi.position_gse"
    return (
        *field_products(b, frames=("RTN",), position=position,
                        window="30min", step="10min", lag="1min",
                        average="2h", scaling=("3h", "1h", "16s")),
        *plasma_products("ace.swepam.64s.moms", b=b, accumulation="64s", reach="3min", window="1h",
                         step="10min", shocks=False),
        *heliospheric_products("ace", position, plasma="ace.swepam.64s.moms", b=b),
        *solar_wind_events("ace", moments="ace.swepam.64s.moms", b=b),
        # 16 s: fast enough for discontinuities in minutes, not for sheets and ropes.
        *detector_products("ace", (discontinuities,), b=b),
    )  # fmt: skip
