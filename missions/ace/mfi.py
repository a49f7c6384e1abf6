"""ACE magnetometer (MFI): 16 s averages, and hourly key parameters."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality, begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import PositionAdapter, VectorAdapter
from sciqlop_pipe.sources.view import Seen, Words

FILES = "ac_h0_mfi_{start:%Y%m%d}_v{version}.cdf"
KEY_FILES = "ac_k2_mfi_{start:%Y%m%d}_v{version}.cdf"
FRAMES = {"gse": "BGSEc", "gsm": "BGSM"}

FLAGS = Flags(
    "MFI quality flag",
    (
        Flag(0, "good", "good"),
        Flag(1, "manoeuvre", "spacecraft manoeuvre and the nutation after it (about 4 h)"),
        Flag(2, "bad", "bad or missing data"),
    ),
    masking=1 << 2,
    source="VAR_NOTES of Q_FLAG, ac_h0_mfi v07",
)
_QUALITY = Quality("flags", FLAGS)
_FLAGS = (Words("flags", code="Q_FLAG"),)


def field(frame: str) -> Seen:
    """Return the adapter for the magnetic field in one frame, 16 s."""
    adapter = VectorAdapter(
        variable=FRAMES[frame],
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        time_tag=begin("16s"),
        quality=_QUALITY,
    )
    return Seen(adapter, made=_FLAGS)


def key_field() -> VectorAdapter:
    """Return the adapter for the hourly key parameters."""
    return VectorAdapter(
        variable="BGSEc",
        units="nT",
        frame="GSE",
        long_name="magnetic field, key parameters (GSE)",
        time_tag=begin("1h"),
    )


def position() -> PositionAdapter:
    """Return the adapter for the position of the spacecraft, 16 s."""
    return PositionAdapter(position="SC_pos_GSE", frame="GSE", time_tag=begin("16s"))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of MFI."""
    return (
        *(
            raw(
                f"ace.mfi.16s.b_{frame}",
                VectorSeries,
                FileSource(
                    FILES, field(frame), remote=on_cdaweb("AC_H0_MFI", FRAMES[frame], "Q_FLAG")
                ),
                granule="1d",
                cadence="16s",
                description=f"magnetic field, {frame.upper()}, 16 s",
            )
            for frame in FRAMES
        ),
        raw(
            "ace.mfi.k2.b_gse",
            VectorSeries,
            FileSource(KEY_FILES, key_field(), remote=on_cdaweb("AC_K2_MFI", "BGSEc")),
            granule="month",
            cadence="1h",
            description="magnetic field, GSE, 1 h, key parameters",
        ),
        raw(
            "ace.mfi.position_gse",
            Position,
            FileSource(FILES, position(), remote=on_cdaweb("AC_H0_MFI", "SC_pos_GSE")),
            granule="1d",
            cadence="16s",
            description="position of the spacecraft, GSE, 16 s",
        ),
    )
