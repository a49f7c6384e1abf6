"""Solar Orbiter magnetometer (MAG): the magnetic field in RTN, normal mode and its 1 min means."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.view import Seen, Words

CADENCES = {"normal": "normal", "1min": "normal-1-minute"}

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


def field() -> Seen:
    """Return the adapter for the magnetic field in RTN."""
    adapter = VectorAdapter(
        variable="B_RTN",
        units="nT",
        frame="RTN",
        long_name="magnetic field (RTN)",
        quality=Quality("flags", FLAGS),
    )
    words = Words("flags", bits="QUALITY_BITMASK", code="QUALITY_FLAG", offset=16)
    return Seen(adapter, made=(words,))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of MAG."""
    return tuple(
        raw(
            f"solar_orbiter.mag.{cadence}.b_rtn",
            VectorSeries,
            FileSource(_patterns(words), field()),
            granule="1d",
            description=f"magnetic field, RTN, {cadence}",
        )
        for cadence, words in CADENCES.items()
    )


def _patterns(words: str) -> tuple[str, ...]:
    # The archive of the mission writes l2 and L2.
    return tuple(
        f"solo_{level}_mag-rtn-{words}_{{start:%Y%m%d}}_{v}{{version}}.cdf"
        for level, v in (("l2", "v"), ("L2", "V"))
    )
