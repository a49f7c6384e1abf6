"""MMS fluxgate magnetometers (FGM): the magnetic field, survey (8/16 Hz) and burst (128 Hz)."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import FLAGS_MISSING, Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import VectorAdapter

MODES = ("srvy", "brst")
FRAMES = ("gse", "gsm", "dmpa")
GRANULE = {"srvy": "1d", "brst": "10min"}

_SPAN = {"srvy": "1d", "brst": "15min"}
_STAMP = {"srvy": "{start:%Y%m%d}", "brst": "{start:%Y%m%d%H%M%S}"}

FLAGS = Flags(
    "FGM flags",
    (
        Flag(2, "user_flagged", "flagged by hand"),
        Flag(4, "b1_saturated", "sensor axis 1 saturated"),
        Flag(5, "b2_saturated", "sensor axis 2 saturated"),
        Flag(6, "b3_saturated", "sensor axis 3 saturated"),
        Flag(7, "range_change", "glitch at a change of range"),
    ),
    # CATDESC: "0 = No identified problems, non-zero = blank out the data".
    masking=(1 << FLAGS_MISSING) - 1,
    source="CATDESC and VAR_NOTES of mms1_fgm_flag_brst_l2, v4.18.1 and v5.87.0",
)


def field(probe: str, mode: str, frame: str) -> VectorAdapter:
    """Return the adapter for the magnetic field in one frame; the fourth column is |B|."""
    return VectorAdapter(
        variable=f"mms{probe}_fgm_b_{frame}_{mode}_l2",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        quality=Quality(f"mms{probe}_fgm_flag_{mode}_l2", FLAGS),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FGM on one spacecraft."""
    return tuple(
        raw(
            f"mms{probe}.fgm.{mode}.b_{frame}",
            VectorSeries,
            FileSource(_patterns(probe, mode), field(probe, mode, frame), span=_SPAN[mode]),
            granule=GRANULE[mode],
            description=f"magnetic field, {frame.upper()}",
        )
        for mode in MODES
        for frame in FRAMES
    )


def _patterns(probe: str, mode: str) -> tuple[str, ...]:
    # Copies outside the archives go without a version.
    stem = f"mms{probe}_fgm_{mode}_l2_{_STAMP[mode]}"
    return (f"{stem}_v{{version}}.cdf", f"{stem}.cdf")
