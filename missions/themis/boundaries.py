"""What follows from field, moments and position of THEMIS: other frames, plasma, boundaries.

Regions and crossings are those of whole orbits and of single events.
"""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import near_earth_events
from sciqlop_pipe.detect.products import boundary_products
from sciqlop_pipe.model import Dataset
from sciqlop_pipe.standard.fields import field_products, plasma_products, position_products

# Mode of FGM: window and step of minimum variance, lag of PVI, windows of structure functions.
_FIELDS = {
    "fgs": ("5min", "1min", "6s", "1h"),
    "fgl": ("1min", "30s", "1s", "10min"),
    "fgh": ("30s", "10s", "1s", "10min"),
}


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the datasets of one spacecraft: from the moments on board, and from the tables."""
    base = f"themis{probe}"
    b, ions = f"{base}.fgm.fgs.b_gse", f"{base}.mom.peim.moms_gse"
    fields = (
        made
        for mode, (window, step, lag, scales) in _FIELDS.items()
        for made in field_products(f"{base}.fgm.{mode}.b_gse", frames=("SM", "GEO"), window=window,
                                   step=step, lag=lag, scaling=(scales, "5min", lag))
    )  # fmt: skip
    return (
        *fields,
        *plasma_products(ions, b=b, accumulation="3s", reach="9s", window="5min", step="1min"),
        *position_products(f"{base}.state.position_gse", frames=("SM", "GEO"),
                           wind_b="omni.hro.1min.b_gse", wind="omni.hro.1min.plasma"),
        *_boundaries(base, ions, b, fast_b=f"{base}.fgm.fgl.b_gse", lag="1s",
                     b_gsm=f"{base}.fgm.fgs.b_gsm", fast_b_gsm=f"{base}.fgm.fgl.b_gsm",
                     position=f"{base}.state.position_gse"),
        *_boundaries(f"{base}.events", f"{base}.events.moms", f"{base}.events.b_gsm",
                     b_gsm=f"{base}.events.b_gsm"),
    )  # fmt: skip


def _boundaries(name: str, ions: str, b: str, **more: str) -> tuple[Dataset, ...]:
    return (
        *boundary_products(name, moments=ions, b=b),
        *near_earth_events(name, moments=ions, state=f"{name}.plasma_state",
                           labels=f"{name}.region_labels", b=b, upstream="omni.hro.1min.plasma",
                           **more),
    )  # fmt: skip
