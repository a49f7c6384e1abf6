"""Double Star TC-1 fluxgate magnetometer (FGM): the magnetic field, a vector per spin."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import VectorAdapter

from .names import pattern

DATASET = "D1_CP_FGM_SPIN"


def field() -> VectorAdapter:
    """Return the adapter for the magnetic field in GSE."""
    variable = f"B_vec_xyz_gse__{DATASET}"
    return VectorAdapter(variable, units="nT", frame="GSE", long_name="magnetic field (GSE)")


def datasets() -> tuple[Dataset, ...]:
    """Return everything of FGM."""
    source = FileSource(pattern(DATASET), field(), remote=from_csa(field().variable))
    about = "magnetic field, GSE, a vector per spin"
    return (raw("tc1.fgm.spin.b_gse", VectorSeries, source, granule="1d", description=about),)
