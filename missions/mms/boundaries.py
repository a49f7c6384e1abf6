"""Plasma state, regions and boundary crossings of MMS, from the archive's fast ion moments."""

from __future__ import annotations

from sciqlop_pipe.detect.products import boundary_products
from sciqlop_pipe.model import Dataset


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the datasets of one spacecraft; without a magnetometer they do without B."""
    return boundary_products(
        f"mms{probe}",
        moments=f"mms{probe}.fpi.dis.fast.moms",
        b=f"mms{probe}.fgm.srvy.b_gse",
    )
