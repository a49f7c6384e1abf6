"""Solar Orbiter Proton and Alpha Sensor (SWA-PAS): distributions and ground moments of protons.

The signs of the angles are argued for in the README of this folder and checked by `pas_signs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from sciqlop_pipe.datatypes import VDF, Moments
from sciqlop_pipe.detect.products import solar_wind_products
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import Quality, require
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen, Symmetric
from sciqlop_pipe.standard.memory import of_distributions

from .pas_signs import UNCONFIRMED, signs_confirmed

FLAGS = Flags(
    "PAS sampling and validity",
    (
        Flag(0, "ground", "Info 0: sampled on the ground"),
        Flag(1, "normal", "Info 1: normal sampling"),
        Flag(2, "snapshot", "Info 2: snapshot"),
        Flag(3, "burst", "Info 3: burst"),
        Flag(4, "engineering", "Info 4: engineering"),
        Flag(5, "calibration", "Info 5: calibration"),
        Flag(UNCONFIRMED, "signs_unconfirmed", "no ground moments here to hold the angles against"),
        Flag(17, "too_low", "validity 1: density and pressure may be too low, not to be used"),
        Flag(18, "noisy", "validity 2: may be noisy"),
        Flag(19, "valid", "validity 3"),
    ),
    # "User shall use only records of the categories 1, 2, 3"; "Do not use the data labeled as 1".
    masking=1 << 0 | 1 << 4 | 1 << 5 | 1 << 17,
    source="SWA-PAS Data User Guide, PAS L2 Data Products",
)
_QUALITY = Quality("flags", FLAGS)

# Extent of the bins [deg]: 66 deg in 11 azimuths, 45 deg in 9 elevations (guide, table 1).
_HALF_AZIMUTH, _HALF_ELEVATION = 3.0, 2.5
_AXES = ("CEM", "elevation", "energy")


@dataclass(frozen=True, slots=True)
class Words:
    """The flag word: the category of sampling, and the validity where the file has one."""

    name: str = "flags"
    like: str = "Info"
    units: str = "1"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the words (record,) as uint32."""
        require(cdf, ["Info"])
        words = np.uint32(1) << np.minimum(cdf.raw("Info"), 7).astype(np.uint32)
        if cdf.has("validity"):
            words |= np.uint32(1) << (16 + np.minimum(cdf.raw("validity"), 7).astype(np.uint32))
        return words


@dataclass(frozen=True, slots=True)
class InSpacecraftFrame:
    """An angle of the velocity in SRF [deg], of azimuth and elevation as the file has them.

    V = (-cos El cos Az, cos El sin Az, -sin El), so phi = 180 - Az and theta = 90 + El. The
    elevation of a bin depends on the energy by `Elevation_correction`.
    """

    name: str
    like: str
    units: str = "deg"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return phi (azimuth,) or theta (elevation, energy)."""
        require(cdf, [self.like, "Elevation_correction"])
        angle = np.asarray(cdf.values(self.like), np.float64)
        if self.like == "Azimuth":
            return 180.0 - angle
        return 90.0 + angle[:, None] + np.asarray(cdf.values("Elevation_correction"), np.float64)


@dataclass(frozen=True, slots=True)
class WindowedAdapter:
    """Reads a VDF of which every record has swept a window: what lies outside is unmeasured."""

    adapter: Seen

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return self.adapter.extent(cdf)

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF."""
        names = [f"{word}_{axis}" for axis in _AXES for word in ("start", "nb")]
        require(cdf, names)
        ds = self.adapter(cdf)
        f = ds["f"].values
        windows = np.stack([np.ravel(cdf.raw(name)).astype(np.int64) for name in names], axis=1)
        dated = pd.DataFrame(windows[~np.isnat(cdf.times("Epoch"))])
        for window, rows in dated.groupby([*dated], sort=False).indices.items():
            for axis, (start, count) in enumerate(np.array(window).reshape(3, 2)):
                for outside in (slice(0, max(start, 0)), slice(start + count, None)):
                    f[(rows, *(slice(None),) * axis, outside)] = np.nan
        return ds


def distribution() -> WindowedAdapter:
    """Return the adapter for the distributions, in SRF."""
    adapter = SkymapAdapter(
        f="vdf",
        phi=Angle("phi_srf", _HALF_AZIMUTH, ("phi_bin",)),
        theta=Angle("theta_srf", _HALF_ELEVATION, ("theta_bin", "energy_bin")),
        energy="Energy",
        energy_half_widths=("delta_m_Energy", "delta_p_Energy"),
        axes=("phi_bin", "theta_bin", "energy_bin"),
        species=PROTON,
        frame="SRF",
        directions="flow",
        energy_kind="energy_per_charge",
        declared="s^3 m^-6",
        quality=_QUALITY,
    )
    in_ev = (("UNITS", "eV"),)
    seen = Seen(
        adapter,
        restated=tuple((name, in_ev) for name in ("Energy", "delta_m_Energy", "delta_p_Energy")),
        made=(
            InSpacecraftFrame("phi_srf", "Azimuth"),
            InSpacecraftFrame("theta_srf", "Elevation"),
            Words(),
        ),
    )
    return WindowedAdapter(seen)


def moments(frame: str) -> Seen:
    """Return the adapter for the ground moments with velocity in "rtn" or "srf"."""
    adapter = MomentsAdapter(
        density="N",
        velocity=f"V_{frame.upper()}",
        pressure="pressure",
        temperature="T",
        species=PROTON,
        frame=frame.upper(),
        quality=_QUALITY,
    )
    six = f"P_{frame.upper()}"
    units = (("N", "cm-3"), (f"V_{frame.upper()}", "km/s"), ("T", "eV"), (six, "J/cm3"))
    return Seen(
        adapter,
        restated=tuple((name, (("UNITS", u),)) for name, u in units),
        made=(Words(), Symmetric("pressure", six, "nPa")),
    )  # fmt: skip


def datasets() -> tuple[Dataset, ...]:
    """Return everything of PAS."""
    base = "solar_orbiter.swa.pas"

    def files(kind: str, adapter: Callable[[CdfFile], xr.Dataset]) -> FileSource:
        patterns = tuple(
            f"solo_{level}_swa-pas-{kind}_{{start:%Y%m%d}}_{v}{{version}}.cdf"
            for level, v in (("L2", "V"), ("l2", "v"))
        )
        remote = on_cdaweb(f"SOLO_L2_SWA-PAS-{kind}".upper())
        return FileSource(patterns, adapter, remote=remote)

    return (
        raw(f"{base}.vdf_unchecked", VDF, files("vdf", distribution()), granule="6h",
            transient=True, memory=of_distributions(5400, 11 * 9 * 96),
            description="protons: velocity distribution, SRF, signs of the angles not yet checked"),
        product(f"{base}.vdf", signs_confirmed, vdf=f"{base}.vdf_unchecked",
                moms=f"{base}.moms_srf"),
        *(raw(f"{base}.{name}", Moments, files("grnd-mom", moments(frame)), granule="1d",
              description=f"protons: ground moments, {frame.upper()}")
          for name, frame in (("moms", "rtn"), ("moms_srf", "srf"))),
        *solar_wind_products(f"{base}.vdf", b="solar_orbiter.mag.normal.b_srf",
                             accumulation="1s", v_max=1500.0),
    )  # fmt: skip
