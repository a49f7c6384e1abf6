"""Plasma state, regions and boundary crossings of THEMIS, of whole orbits and of single events."""

from __future__ import annotations

from sciqlop_pipe.detect.products import boundary_products
from sciqlop_pipe.model import Dataset


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the datasets of one spacecraft: from the moments on board, and from the tables."""
    base = f"themis{probe}"
    return (
        *boundary_products(base, moments=f"{base}.mom.peim.moms_gse", b=f"{base}.fgm.fgs.b_gse"),
        *boundary_products(
            f"{base}.events", moments=f"{base}.events.moms", b=f"{base}.events.b_gsm"
        ),
    )
