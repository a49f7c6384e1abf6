"""Solar Orbiter magnetometer (MAG): normal mode, its 1 min means, and burst; in RTN and SRF."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import Remote, on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.view import Seen, Words

# Frames, what file names call the cadence, granule.
CADENCES = {
    "normal": (("rtn", "srf"), "normal", "1d"),
    "1min": (("rtn",), "normal-1-minute", "1d"),
    "burst": (("rtn", "srf"), "burst", "2h"),
}

FLAGS = Flags(
    "MAG quality",
    (
        Flag(0, "inboard", "data of the inboard sensor"),
        Flag(1, "time_unsynchronised", "instrument time not synchronised"),
        Flag(2, "heater", "heater operating"),
        Flag(3, "tone_removed", "interference tones removed"),
        Flag(4, "thruster_removed", "influence of thrusters removed"),
        Flag(5, "interference", "spacecraft interference detected, not removed"),
        Flag(6, "solar_array", "solar array moved"),
        Flag(7, "instrument_removed", "field of another instrument removed"),
        Flag(16, "bad", "QUALITY_FLAG 0: bad data"),
        Flag(17, "known_problems", "QUALITY_FLAG 1: use at your own risk"),
        Flag(18, "survey", "QUALITY_FLAG 2: possibly not publication quality"),
        Flag(19, "good", "QUALITY_FLAG 3: good for publication, subject to the PI"),
        Flag(20, "excellent", "QUALITY_FLAG 4: specially treated"),
    ),
    masking=1 << 16,
    source="VAR_NOTES of QUALITY_BITMASK and QUALITY_FLAG, mag-rtn-normal-1-minute v01",
)


def field(frame: str) -> Seen:
    """Return the adapter for the magnetic field in one frame."""
    adapter = VectorAdapter(
        variable=f"B_{frame.upper()}",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        quality=Quality("flags", FLAGS),
    )
    words = Words("flags", bits="QUALITY_BITMASK", code="QUALITY_FLAG", offset=16)
    return Seen(adapter, made=(words,))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of MAG."""
    return tuple(
        raw(
            f"solar_orbiter.mag.{cadence}.b_{frame}",
            VectorSeries,
            FileSource(_patterns(frame, words), field(frame), remote=_remote(frame, words)),
            granule=granule,
            cadence={"normal": "125ms", "1min": "1min"}.get(cadence, ""),
            description=f"magnetic field, {frame.upper()}, {cadence}",
        )
        for cadence, (frames, words, granule) in CADENCES.items()
        for frame in frames
    )


def _remote(frame: str, words: str) -> tuple[Remote, ...]:
    return on_cdaweb(f"SOLO_L2_MAG-{frame}-{words}".upper(), f"B_{frame.upper()}",
                     "QUALITY_BITMASK", "QUALITY_FLAG")  # fmt: skip


def _patterns(frame: str, words: str) -> tuple[str, ...]:
    # The archive of the mission writes l2 and L2; burst files may say when in the day they begin.
    stamps = ("%Y%m%d", "%Y%m%dT%H%M%S") if words == "burst" else ("%Y%m%d",)
    return tuple(
        f"solo_{level}_mag-{frame}-{words}_{{start:{stamp}}}_{v}{{version}}.cdf"
        for level, v in (("l2", "v"), ("L2", "V"))
        for stamp in stamps
    )
