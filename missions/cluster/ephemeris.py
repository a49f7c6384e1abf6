"""Cluster auxiliary data (AUX): where the spacecraft is."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import PositionAdapter

from .names import patterns


def position(probe: str) -> PositionAdapter:
    """Return the adapter for the position and velocity of the spacecraft in GSE."""
    suffix = f"__C{probe}_CP_AUX_POSGSE_1M"
    return PositionAdapter(
        position=f"sc_r_xyz_gse{suffix}", velocity=f"sc_v_xyz_gse{suffix}", frame="GSE"
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of AUX on one spacecraft."""
    return (
        raw(
            f"cluster{probe}.ephemeris.position_gse",
            Position,
            FileSource(
                patterns(probe, "AUX_POSGSE_1M"),
                position(probe),
                remote=from_csa(position(probe).position, position(probe).velocity),
            ),
            granule="1d",
            cadence="1min",
            description="position and velocity of the spacecraft, GSE, 1 min",
        ),
    )
