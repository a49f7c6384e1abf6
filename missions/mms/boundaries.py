"""Plasma state, regions, boundaries and events of MMS, from the archive's fast ion moments."""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import detector_products, near_earth_events
from sciqlop_pipe.detect.diffusion import electron_diffusion_regions
from sciqlop_pipe.detect.products import BURST, boundary_products
from sciqlop_pipe.model import Dataset

from .plasma import WIND


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the datasets of one spacecraft; without a magnetometer they do without B."""
    mms, b = f"mms{probe}", f"mms{probe}.fgm.srvy.b_gse"
    return (
        *boundary_products(mms, moments=f"{mms}.fpi.dis.fast.moms", b=b),
        *boundary_products(
            f"{mms}.brst", moments=f"{mms}.fpi.dis.brst.moms", b=f"{mms}.fgm.brst.b_gse", **BURST
        ),
        *near_earth_events(
            mms,
            moments=f"{mms}.fpi.dis.fast.moms_gse",
            state=f"{mms}.plasma_state",
            labels=f"{mms}.region_labels",
            b=b,
            fast_b=b,
            b_gsm=f"{mms}.fgm.srvy.b_gsm",
            fast_b_gsm=f"{mms}.fgm.srvy.b_gsm",
            upstream=WIND,
            spectrum=f"{mms}.fpi.dis.fast.archive_spectrum",
            position=f"{mms}.mec.srvy.position_gse",
        ),
        *detector_products(
            f"{mms}.brst",
            (electron_diffusion_regions,),
            electrons=f"{mms}.fpi.des.brst.field_aligned",
            b=f"{mms}.fgm.brst.b_gse",
            # The work is that of the whole formation.
            conversion="mms.fgm.brst.energy_conversion",
        ),
    )
