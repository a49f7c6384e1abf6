"""Field and plasma of Wind together, the field in RTN, events, and the connection to the Sun."""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import detector_products, solar_wind_events
from sciqlop_pipe.detect.shocks import interplanetary_shocks
from sciqlop_pipe.model import Dataset
from sciqlop_pipe.standard.fields import field_products, heliospheric_products, plasma_products


def datasets() -> tuple[Dataset, ...]:
    """Return what follows from MFI and SWE."""
    b, position = "wind.mfi.3s.b_gse", "wind.mfi.position_gse"
    return (
        *field_products(b, frames=("RTN",), position=position,
                        window="10min", step="5min", lag="12s",
                        average="1h", scaling=("1h", "30min", "3s")),
        *plasma_products("wind.swe.fit", b=b, accumulation="92s", reach="5min", window="1h",
                         step="10min", shocks=False),
        *heliospheric_products("wind", position, plasma="wind.swe.fit", b="wind.mfi.1min.b_gse"),
        *solar_wind_events("wind", moments="wind.swe.fit", b=b, fast_b=b, lag="12s",
                           fast_moments="wind.3dp.pm.protons"),
        # Key parameters come days before the final field.
        *detector_products("wind.k0", (interplanetary_shocks,), moments="wind.swe.fit",
                           b="wind.mfi.k0.b_gse"),
    )  # fmt: skip
