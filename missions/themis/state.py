"""THEMIS state: where the spacecraft are, 1 min."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.sources.view import Seen

from .flags import CENTRED_UNIX, dated

FRAMES = ("gse", "gsm")


def position(probe: str, frame: str) -> Seen:
    """Return the adapter for position and velocity of the spacecraft in one frame."""
    position, velocity = (f"th{probe}_{what}_{frame}" for what in ("pos", "vel"))
    adapter = PositionAdapter(
        position=position, velocity=velocity, frame=frame.upper(), time_tag=CENTRED_UNIX
    )
    return Seen(adapter, restated=(dated(position, f"th{probe}_state_time"),))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the positions of one spacecraft."""
    # The mission's server also has a link without version to the newest one.
    stem = f"th{probe}_l1_state_{{start:%Y%m%d}}"
    patterns = (f"{stem}_v{{version}}.cdf", f"{stem}.cdf")
    return tuple(
        raw(f"themis{probe}.state.position_{frame}", Position,
            FileSource(patterns, position(probe, frame),
                       remote=on_cdaweb(f"TH{probe}_L1_STATE".upper())), granule="1d",
            cadence="1min",
            description=f"position and velocity of the spacecraft, {frame.upper()}, 1 min")
        for frame in FRAMES
    )  # fmt: skip
