"""Double Star TC-1 hot ion analyser (HIA): moments, means over one minute."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import PROTON

from .names import pattern

DATASET = "D1_SP_HIA"
_NAMES = ("N_ion", "V_ion_xyz_gse", "T_ion", "T_ion_par", "T_ion_perp")


def moments() -> MomentsAdapter:
    """Return the adapter for the moments of the ions, taken for protons."""
    density, velocity, mean, parallel, perpendicular = (f"{n}__{DATASET}" for n in _NAMES)
    return MomentsAdapter(
        density=density,
        velocity=velocity,
        temperature=mean,
        temperature_parallel=parallel,
        temperature_perpendicular=perpendicular,
        species=PROTON,
        frame="GSE",
    )


def datasets() -> tuple[Dataset, ...]:
    """Return everything of HIA."""
    remote = from_csa(*(f"{name}__{DATASET}" for name in _NAMES))
    source = FileSource(pattern(DATASET), moments(), remote=remote)
    about = "ions: density, velocity (GSE), temperatures, 1 min"
    return (
        raw("tc1.hia.1min.moms", Moments, source, granule="1d", cadence="1min", description=about),
    )
