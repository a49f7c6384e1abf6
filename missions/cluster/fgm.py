"""Cluster fluxgate magnetometers (FGM): the magnetic field, full resolution and spin average."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import VectorAdapter

from .names import patterns

# Dataset: what the archive calls it, variable, frame, granule.
_PRODUCTS = {
    "full.b_gse": ("FGM_FULL", "B_vec_xyz_gse", "GSE", "1d"),
    "full.b_isr2": ("FGM_FULL_ISR2", "B_vec_xyz_isr2", "ISR2", "1d"),
    "5vps.b_gse": ("FGM_5VPS", "B_vec_xyz_gse", "GSE", "1d"),
    "spin.b_gse": ("FGM_SPIN", "B_vec_xyz_gse", "GSE", "1d"),
}


def field(probe: str, quantity: str) -> VectorAdapter:
    """Return the adapter for the magnetic field of one product ("full.b_gse")."""
    product, variable, frame, _ = _PRODUCTS[quantity]
    return VectorAdapter(
        variable=f"{variable}__C{probe}_CP_{product}",
        units="nT",
        frame=frame,
        long_name=f"magnetic field ({frame})",
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FGM on one spacecraft."""
    return tuple(
        raw(
            f"cluster{probe}.fgm.{quantity}",
            VectorSeries,
            FileSource(
                patterns(probe, product),
                field(probe, quantity),
                remote=from_csa(field(probe, quantity).variable),
            ),
            granule=granule,
            description=f"magnetic field, {frame}",
        )
        for quantity, (product, _, frame, granule) in _PRODUCTS.items()
    )
