"""Wind Magnetic Field Investigation (MFI): 3 s, 1 min and 1 h averages, from one file a day."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import PositionAdapter, VectorAdapter
from sciqlop_pipe.sources.view import Scaled, Seen, Words

FILES = "wi_h0_mfi_{start:%Y%m%d}_v{version}.cdf"
FAST_FILES = "wi_h2_mfi_{start:%Y%m%d}_v{version}.cdf"
KEY_FILES = "wi_k0_mfi_{start:%Y%m%d}_v{version}.cdf"
CADENCES = {"3s": ("B3", "1d"), "1min": ("B", "1d"), "1h": ("B1", "month")}
FRAMES = ("gse", "gsm")

_EARTH_RADIUS = 6378.0  # km: "Define Re = 6378km", CATDESC

KEY_FLAGS = Flags(
    "MFI key parameter flags",
    (
        Flag(0, "good", "good data point"),
        Flag(1, "partial", "not a full major frame"),
        Flag(2, "missing", "missing data"),
    ),
    masking=1 << 2,
    source="CATDESC of DQF, wi_k0_mfi v01",
)


def field(cadence: str, frame: str) -> VectorAdapter:
    """Return the adapter for the magnetic field of one cadence in one frame."""
    return VectorAdapter(
        variable=f"{CADENCES[cadence][0]}{frame.upper()}",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
    )


def fast_field(frame: str) -> VectorAdapter:
    """Return the adapter for the magnetic field at 11 Hz in one frame."""
    words = f"magnetic field ({frame.upper()}), 11 Hz"
    return VectorAdapter(f"B{frame.upper()}", "nT", frame.upper(), words)


def key_field(frame: str) -> Seen:
    """Return the adapter for the key parameters (92 s), which come before the final data."""
    adapter = VectorAdapter(
        variable=f"B{frame.upper()}c",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field, key parameters ({frame.upper()})",
        quality=Quality("flags", KEY_FLAGS),
    )
    return Seen(adapter, made=(Words("flags", code="DQF"),))


def position(frame: str) -> Seen:
    """Return the adapter for the position of the spacecraft, 1 min."""
    variable = f"P{frame.upper()}"
    adapter = PositionAdapter(position="position", frame=frame.upper())
    return Seen(adapter, made=(Scaled("position", variable, _EARTH_RADIUS, "km"),))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of MFI."""
    return (
        *(
            raw(
                f"wind.mfi.{cadence}.b_{frame}",
                VectorSeries,
                FileSource(FILES, field(cadence, frame), remote=on_cdaweb("WI_H0_MFI")),
                granule=granule,
                cadence=cadence,
                description=f"magnetic field, {frame.upper()}, {cadence}",
            )
            for cadence, (_, granule) in CADENCES.items()
            for frame in FRAMES
        ),
        *(
            raw(
                f"wind.mfi.11hz.b_{frame}",
                VectorSeries,
                FileSource(FAST_FILES, fast_field(frame), remote=on_cdaweb("WI_H2_MFI")),
                granule="6h",
                description=f"magnetic field, {frame.upper()}, 11 Hz",
            )
            for frame in FRAMES
        ),
        *(
            raw(
                f"wind.mfi.k0.b_{frame}",
                VectorSeries,
                FileSource(
                    KEY_FILES,
                    key_field(frame),
                    remote=on_cdaweb("WI_K0_MFI", f"B{frame.upper()}c", "DQF"),
                ),
                granule="1d",
                description=f"magnetic field, {frame.upper()}, key parameters",
            )
            for frame in FRAMES
        ),
        raw(
            "wind.mfi.position_gse",
            Position,
            FileSource(FILES, position("gse"), remote=on_cdaweb("WI_H0_MFI")),
            granule="1d",
            cadence="1min",
            description="position of the spacecraft, GSE, 1 min",
        ),
    )
