"""MMS magnetic ephemeris and coordinates (MEC): where the spacecraft is, and how its frames lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sciqlop_pipe.datatypes import Attitude, Position
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.attitude import joined_attitude
from sciqlop_pipe.recipes.rotations import rotate_vector
from sciqlop_pipe.sources.attitude import AttitudeAdapter
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.standard.angles import rotated_products

if TYPE_CHECKING:
    import xarray as xr

    from sciqlop_pipe.sources.cdf import CdfFile

MODES = ("srvy", "brst")
GRANULE = {"srvy": "1d", "brst": "10min"}

FRAMES = ("dbcs", "dmpa", "dsl", "gse", "gsm", "sm", "geo")
"""What the files turn J2000 (ECI) to. Frames that spin with the body are not among them: at 30 s
a survey file sees them once per one and a half turns."""

DESPUN = ("dbcs", "dmpa", "dsl")
"""Frames of instruments, of which attitudes to GSE are made."""

# The mode of FPI that an attitude goes with.
_FPI = {"srvy": "fast", "brst": "brst"}
_SPAN = {"srvy": "1d", "brst": "15min"}
_STAMP = {"srvy": "{start:%Y%m%d}", "brst": "{start:%Y%m%d%H%M%S}"}
# The files differ in the magnetic model behind footpoints and L; the position is the same.
_MODELS = ("epht89q", "epht89d")


def position(probe: str, frame: str) -> PositionAdapter:
    """Return the adapter for the position and velocity of the spacecraft in one frame."""
    return PositionAdapter(
        position=f"mms{probe}_mec_r_{frame}",
        velocity=f"mms{probe}_mec_v_{frame}",
        frame=frame.upper(),
    )


def attitude(probe: str, frame: str) -> AttitudeAdapter:
    """Return the adapter for the quaternions that turn J2000 (ECI) to one frame."""
    return AttitudeAdapter(f"mms{probe}_mec_quat_eci_to_{frame}", "ECI", frame.upper())


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of MEC on one spacecraft."""
    return tuple(d for mode in MODES for d in _in_mode(probe, mode))


def _in_mode(probe: str, mode: str) -> tuple[Dataset, ...]:
    base, granule = f"mms{probe}.mec.{mode}", GRANULE[mode]

    def files(adapter: Callable[[CdfFile], xr.Dataset]) -> FileSource:
        return FileSource(
            _patterns(probe, mode),
            adapter,
            span=_SPAN[mode],
            remote=on_cdaweb(f"MMS{probe}_MEC_{mode}_L2_EPHT89D".upper()),
        )

    return (
        raw(f"{base}.position_gse", Position, files(position(probe, "gse")), granule=granule,
            description="position and velocity of the spacecraft, GSE"),
        *(raw(f"{base}.eci_to_{frame}", Attitude, files(attitude(probe, frame)), granule=granule,
              description=f"quaternions from J2000 to {frame.upper()}") for frame in FRAMES),
        *(product(f"{base}.{frame}_to_gse", joined_attitude, first=f"{base}.eci_to_{frame}",
                  second=f"{base}.eci_to_gse",
                  description=f"quaternions from {frame.upper()} to GSE") for frame in DESPUN),
        product(f"mms{probe}.fgm.{mode}.b_dbcs", rotate_vector,
                vector=f"mms{probe}.fgm.{mode}.b_gse", attitude=f"{base}.dbcs_to_gse",
                description="magnetic field, DBCS, by the quaternions of MEC"),
        *(d for sensor in ("dis", "des")
          for d in rotated_products(f"mms{probe}.fpi.{sensor}.{_FPI[mode]}.vdf",
                                    attitude=f"{base}.dbcs_to_gse")),
    )  # fmt: skip


def _patterns(probe: str, mode: str) -> tuple[str, ...]:
    return tuple(
        f"mms{probe}_mec_{mode}_l2_{model}_{_STAMP[mode]}_v{{version}}.cdf" for model in _MODELS
    )
