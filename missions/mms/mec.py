"""MMS magnetic ephemeris and coordinates (MEC): where the spacecraft is."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter

MODES = ("srvy", "brst")
GRANULE = {"srvy": "1d", "brst": "10min"}

_SPAN = {"srvy": "1d", "brst": "15min"}
_STAMP = {"srvy": "{start:%Y%m%d}", "brst": "{start:%Y%m%d%H%M%S}"}
# The files differ in the magnetic model behind footpoints and L; the position is the same.
_MODELS = ("epht89q", "epht89d")


def position(probe: str, frame: str) -> PositionAdapter:
    """Return the adapter for the position and velocity of the spacecraft in one frame."""
    return PositionAdapter(
        position=f"mms{probe}_mec_r_{frame}",
        velocity=f"mms{probe}_mec_v_{frame}",
        frame=frame.upper(),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of MEC on one spacecraft."""
    return tuple(
        raw(
            f"mms{probe}.mec.{mode}.position_gse",
            Position,
            FileSource(_patterns(probe, mode), position(probe, "gse"), span=_SPAN[mode]),
            granule=GRANULE[mode],
            description="position and velocity of the spacecraft, GSE",
        )
        for mode in MODES
    )


def _patterns(probe: str, mode: str) -> tuple[str, ...]:
    return tuple(
        f"mms{probe}_mec_{mode}_l2_{model}_{_STAMP[mode]}_v{{version}}.cdf" for model in _MODELS
    )
