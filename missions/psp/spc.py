"""Parker Solar Probe SWEAP: the Solar Probe Cup (SPC), protons by fits and by moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import FLAGS_MISSING, Flag, Flags
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import Quality, require
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import Remote, on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen, Thermal

FILES = "psp_swp_spc_l3i_{start:%Y%m%d}_v{version}.cdf"
KINDS = {"fit": "fit", "moms": "moment"}

FLAGS = Flags(
    "SPC data quality flags",
    (Flag(0, "not_good", "general flag: not to be used without caveat"),),
    masking=0,
    source="VAR_NOTES of DQF, spc_l3i v02",
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """A flag word of a row of conditions (record, 32): above 0 is set, below 0 does not matter."""

    name: str
    like: str
    units: str = "1"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the words (record,) as uint32; the last place is bit 31 and left free."""
        require(cdf, [self.like])
        rows = cdf.raw(self.like)[:, :FLAGS_MISSING] > 0
        return (
            (rows.astype(np.uint64) << np.arange(rows.shape[1], dtype=np.uint64))
            .sum(axis=1, dtype=np.uint64)
            .astype(np.uint32)
        )


def protons(kind: str) -> Seen:
    """Return the adapter for all protons, of "fit"s or "moms" of the reduced distribution."""
    suffix = KINDS[kind]
    velocity = f"vp_{suffix}_RTN"
    adapter = MomentsAdapter(
        density=f"np_{suffix}",
        velocity=velocity,
        temperature="temperature",
        species=PROTON,
        frame="RTN",
        quality=Quality("flags", FLAGS),
    )
    return Seen(
        adapter,
        restated=((velocity, (("UNITS", "km/s"),)),),
        made=(Thermal("temperature", f"wp_{suffix}", PROTON), Conditions("flags", "DQF")),
    )


def _remote(kind: str) -> tuple[Remote, ...]:
    names = (f"{letter}_{KINDS[kind]}" for letter in ("np", "wp", "vp"))
    density, speed, velocity = names
    return on_cdaweb("PSP_SWP_SPC_L3I", density, speed, f"{velocity}_RTN", "DQF")


def datasets() -> tuple[Dataset, ...]:
    """Return everything of SPC."""
    return tuple(
        raw(
            f"psp.spc.{kind}",
            Moments,
            FileSource(FILES, protons(kind), remote=_remote(kind)),
            granule="1d",
            description=f"protons: density, velocity (RTN), radial temperature, {KINDS[kind]}s",
        )
        for kind in KINDS
    )
