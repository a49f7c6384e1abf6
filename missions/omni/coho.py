"""COHOWeb hourly merged data of OMNI: magnetic field and plasma near the Earth, in RTN."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, VectorAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen, Stacked

from .flow import Flow

FILES = "omni_coho1hr_merged_mag_plasma_{start:%Y%m%d}_v{version}.cdf"

_ID = "OMNI_COHO1HR_MERGED_MAG_PLASMA"

# The tag is the beginning of the hour, whatever the file says (README).
_TAG = begin("1h")


def field() -> Seen:
    """Return the adapter for the magnetic field."""
    adapter = VectorAdapter(
        variable="b", units="nT", frame="RTN", long_name="magnetic field (RTN)", time_tag=_TAG
    )
    return Seen(adapter, made=(Stacked("b", ("BR", "BT", "BN"), "nT"),))


def plasma() -> Seen:
    """Return the adapter for density, velocity and temperature."""
    adapter = MomentsAdapter(
        density="N",
        velocity="velocity",
        temperature="T",
        species=PROTON,
        frame="RTN",
        time_tag=_TAG,
    )
    degrees = (("UNITS", "deg"),)
    return Seen(
        adapter,
        restated=(
            ("N", (("UNITS", "cm-3"),)),
            ("T", (("UNITS", "K"),)),
            ("elevAngle", degrees),
            ("azimuthAngle", degrees),
        ),
        made=(Flow("velocity", "V", "elevAngle", "azimuthAngle"),),
    )


def datasets() -> tuple[Dataset, ...]:
    """Return everything of the hourly merged data."""
    return (
        raw("omni.coho.1h.b_rtn", VectorSeries, FileSource(FILES, field(), span="31d",
                       remote=on_cdaweb(_ID, "BR", "BT", "BN")),
            granule="month", cadence="1h", description="magnetic field near the Earth, RTN, 1 h"),
        raw("omni.coho.1h.plasma", Moments, FileSource(FILES, plasma(), span="31d",
                       remote=on_cdaweb(_ID, "N", "V", "elevAngle", "azimuthAngle", "T")),
            granule="month", cadence="1h",
            description="ions near the Earth: density, velocity (RTN), T, 1 h"),
    )  # fmt: skip
