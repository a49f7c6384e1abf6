"""MMS fluxgate magnetometers (FGM): the magnetic field, survey (8/16 Hz) and burst (128 Hz)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import FLAGS_MISSING, Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter

if TYPE_CHECKING:
    import xarray as xr

    from sciqlop_pipe.sources.cdf import CdfFile

MODES = ("srvy", "brst")
FRAMES = ("gse", "gsm", "dmpa", "bcs")
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


@dataclass(frozen=True, slots=True)
class LikeDbcs:
    """A field in DMPA that says it will do for particles in DBCS.

    Both are despun; z is the major principal axis of inertia in DMPA and the axis of the body in
    DBCS. They are 0.049 degrees apart in the quaternions of MEC (mms1, 2016-12-09), and FPI itself
    ignores "the differences (fractions of a degree) between DBCS, DMPA and DSL" (FPI Data Products
    Guide, section 1.5); a direction of FPI is 11.25 degrees wide.
    """

    adapter: VectorAdapter

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return self.adapter.extent(cdf)

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VectorSeries."""
        ds = self.adapter(cdf)
        ds["vector"].attrs["frame_equivalent"] = "DBCS"
        return ds


def field(probe: str, mode: str, frame: str) -> Callable[[CdfFile], xr.Dataset]:
    """Return the adapter for the magnetic field in one frame; the fourth column is |B|."""
    adapter = VectorAdapter(
        variable=f"mms{probe}_fgm_b_{frame}_{mode}_l2",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        quality=Quality(f"mms{probe}_fgm_flag_{mode}_l2", FLAGS),
    )
    return LikeDbcs(adapter) if frame == "dmpa" else adapter


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FGM on one spacecraft."""
    return tuple(
        raw(
            f"mms{probe}.fgm.{mode}.b_{frame}",
            VectorSeries,
            FileSource(
                _patterns(probe, mode),
                field(probe, mode, frame),
                # 2: the field in DMPA names DBCS as equivalent.
                version=2 if frame == "dmpa" else 1,
                span=_SPAN[mode],
                remote=on_cdaweb(f"MMS{probe}_FGM_{mode}_L2".upper()),
            ),
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
