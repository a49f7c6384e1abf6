"""Solar Orbiter Electron Analyser System (SWA-EAS): distributions of both heads.

No file was at hand: names, shapes and signs are those of public readers (README of this folder).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF, Attitude
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.kernels.quaternions import of_matrices
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.quality import Flags
from sciqlop_pipe.recipes.attitude import attitude_dataset
from sciqlop_pipe.recipes.rotations import rotate_distribution
from sciqlop_pipe.sources.conventions import (
    CENTRED,
    Quality,
    converted,
    extent_of,
    require,
    table,
    time_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import ELECTRON
from sciqlop_pipe.sources.view import Seen, Words
from sciqlop_pipe.standard import particle_products
from sciqlop_pipe.standard.memory import of_distributions

from .mag import FLAGS as MAG_FLAGS

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

HEADS = ("1", "2")

FLAGS = Flags(
    "EAS quality",
    tuple(flag for flag in MAG_FLAGS.flags if flag.bit >= 16),
    masking=1 << 16,
    source="QUALITY_FLAG of Solar Orbiter; the bits of EAS's QUALITY_BITMASK are not published",
)

_DEG = (("UNITS", "deg"),)
_EV = (("UNITS", "eV"),)


@dataclass(frozen=True, slots=True)
class Colatitude:
    """Colatitude of the velocity [deg]: the way is (cos El cos Az, cos El sin Az, -sin El)."""

    name: str = "theta"
    like: str = "SWA_EAS_ELEVATION"
    units: str = "deg"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return 90 + El."""
        require(cdf, [self.like])
        return 90 + converted(cdf, self.like, "deg")


@dataclass(frozen=True, slots=True)
class HalfWidth:
    """Half the width [deg] of the bins of an angle, of the distances to their two edges."""

    name: str
    like: str
    units: str = "deg"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the mean of the two distances."""
        edges = [f"{self.like}_delta_{side}" for side in ("lower", "upper")]
        require(cdf, edges)
        lower, upper = (converted(cdf, edge, "deg") for edge in edges)
        half: np.ndarray = (lower + upper) / 2
        return half


@dataclass(frozen=True, slots=True)
class HeadAdapter:
    """Reads how a head lies in the spacecraft: the matrix M of v(SRF) = M v(head)."""

    head: str

    @property
    def _data(self) -> str:
        return f"SWA_EAS{self.head}_Data"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self._data])
        return extent_of(time_of(cdf, self._data, CENTRED))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as an Attitude from EAS1 or EAS2 to SRF."""
        name = f"EAS{self.head}_TO_SRF"
        require(cdf, [self._data, name])
        time = time_of(cdf, self._data, CENTRED)
        found = table(cdf, name, ("row", "column"), "1", {"time": time.size, "row": 3, "column": 3})
        m = np.broadcast_to(found.values.astype(np.float64), (time.size, 3, 3))
        off = np.abs(m @ m.swapaxes(1, 2) - np.eye(3)).max(initial=0.0, axis=(1, 2))
        if (off > 1e-3).any() or (np.linalg.det(m) < 0).any():
            raise SourceError(f"{name} is no rotation of a right-handed frame", str(cdf.path))
        return attitude_dataset(time, of_matrices(m), f"EAS{self.head}", "SRF")


def distribution(head: str) -> Seen:
    """Return the adapter for the distributions of one head, in its own frame."""
    energy = f"SWA_EAS{head}_ENERGY"
    widths = (f"{energy}_delta_lower", f"{energy}_delta_upper")
    angles = ("SWA_EAS_ELEVATION", "SWA_EAS_AZIMUTH")
    edges = tuple(f"{angle}_delta_{side}" for angle in angles for side in ("lower", "upper"))
    adapter = SkymapAdapter(
        f=f"SWA_EAS{head}_Data",
        phi=Angle("SWA_EAS_AZIMUTH", "half_azimuth", ("phi_bin",)),
        theta=Angle("theta", "half_elevation", ("theta_bin",)),
        energy=energy,
        energy_half_widths=widths,
        axes=("theta_bin", "energy_bin", "phi_bin"),
        species=ELECTRON,
        frame=f"EAS{head}",
        directions="flow",
        quality=Quality("flags", FLAGS),
    )
    return Seen(
        adapter,
        restated=(
            *((name, _DEG) for name in (*angles, *edges)),
            *((name, _EV) for name in (energy, *widths)),
        ),
        made=(
            Colatitude(),
            HalfWidth("half_elevation", "SWA_EAS_ELEVATION"),
            HalfWidth("half_azimuth", "SWA_EAS_AZIMUTH"),
            Words("flags", code="QUALITY_FLAG", offset=16),
        ),
    )


def attitude(head: str) -> Seen:
    """Return the adapter for how one head lies in the spacecraft."""
    return Seen(HeadAdapter(head), restated=((f"EAS{head}_TO_SRF", (("UNITS", "1"),)),))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of EAS."""
    return tuple(d for head in HEADS for d in _of(head))


def _of(head: str) -> tuple[Dataset, ...]:
    base = f"solar_orbiter.swa.eas{head}"
    patterns = tuple(
        f"solo_{level}_swa-eas{head}-nm3d-psd_"
        f"{{start:%Y%m%dT%H%M%S}}-{{stop:%Y%m%dT%H%M%S}}_{v}{{version}}.cdf"
        for level, v in (("L2", "V"), ("l2", "v"))
    )
    remote = on_cdaweb(f"SOLO_L2_SWA-EAS{head}-NM3D-PSD")
    return (
        raw(f"{base}.vdf_head", VDF, FileSource(patterns, distribution(head), remote=remote),
            granule="6h", transient=True, memory=of_distributions(2160, 32 * 16 * 64),
            description=f"electrons: velocity distribution of head {head}, in its own frame"),
        raw(f"{base}.to_srf", Attitude, FileSource(patterns, attitude(head), remote=remote),
            granule="6h", description=f"how head {head} lies in the spacecraft"),
        product(f"{base}.vdf", rotate_distribution, vdf=f"{base}.vdf_head",
                attitude=f"{base}.to_srf"),
        *particle_products(f"{base}.vdf", b="solar_orbiter.mag.normal.b_srf", accumulation="1s",
                           v_max=40000.0),
    )  # fmt: skip
