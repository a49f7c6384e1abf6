"""DSCOVR magnetometer: 1 s."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter

FILES = "dscovr_h0_mag_{start:%Y%m%d}_v{version}.cdf"
FRAMES = ("gse", "rtn")


def field(frame: str) -> VectorAdapter:
    """Return the adapter for the magnetic field in one frame."""
    name = frame.upper()
    return VectorAdapter(f"B1{name}", "nT", name, f"magnetic field ({name})")


def datasets() -> tuple[Dataset, ...]:
    """Return everything of the magnetometer."""
    return tuple(
        raw(f"dscovr.mag.1s.b_{frame}", VectorSeries,
            FileSource(FILES, field(frame), remote=on_cdaweb("DSCOVR_H0_MAG")), granule="1d",
            cadence="1s", description=f"magnetic field, {frame.upper()}, 1 s")
        for frame in FRAMES
    )  # fmt: skip
