"""The magnetometer, and what is made of its field."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import VectorAdapter

from .rotations import rotations
from .roughness import roughness

FIELD = VectorAdapter("demo_fgm_b", "nT", "DSL", "magnetic field")


def datasets(granule: str = "1h") -> tuple[Dataset, ...]:
    """Return the field, its roughness and its rotations."""
    files = FileSource("demo_fgm_l2_{start:%Y%m%d}_v{version}.cdf", FIELD)
    b = "demo_probe.fgm.b"
    return (
        raw(b, VectorSeries, files, granule=granule, description="magnetic field at 4 Hz, DSL"),
        product("demo_probe.fgm.roughness", roughness, b=b, window="20s"),
        product("demo_probe.fgm.rotations", rotations, b=b, granule="1d"),
    )
