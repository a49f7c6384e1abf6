"""Cluster PEACE: electrons by pitch angle and energy, and their moments, one spin each.

No file was at hand: names as public readers use them (README of this folder).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sciqlop_pipe.datatypes import Moments, PitchAngleFlux
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import Deltas
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.pitch_flux import PitchFluxAdapter
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import ELECTRON
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard import flux_products

from .names import patterns

PRODUCT = "PEA_PITCH_SPIN_DPFlux"
MOMENTS = "PEA_MOMENTS"


def flux(probe: str) -> Seen:
    """Return the adapter for the differential particle flux by pitch angle."""
    name = f"{{}}__C{probe}_CP_{PRODUCT}".format
    adapter = PitchFluxAdapter(
        name("Data"), name("Sweep_PitchAngle"), name("Sweep_Energy"), ELECTRON, time_tag=Deltas()
    )
    # Readers take what is negative for nothing measured, beside the declared fill.
    return Seen(
        adapter,
        restated=((name("Sweep_PitchAngle"), (("UNITS", "deg"),)), _edges(name)),
        limits=((name("Data"), 0.0, np.inf),),
    )


def moments(probe: str) -> Seen:
    """Return the adapter for density and velocity (GSE); temperatures have no sure name."""
    name = f"{{}}__C{probe}_CP_{MOMENTS}".format
    adapter = MomentsAdapter(
        density=name("Data_Density"),
        velocity=name("Data_Velocity_GSE"),
        species=ELECTRON,
        frame="GSE",
        time_tag=Deltas(),
    )
    return Seen(adapter, restated=(_edges(name),))


def _edges(name: Callable[[str], str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return where the ends of a record are written."""
    return name("time_tags"), (
        ("DELTA_MINUS_VAR", name("time_tags_DeltaLower")),
        ("DELTA_PLUS_VAR", name("time_tags_DeltaUpper")),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return pitch angle distributions and moments of one spacecraft."""
    base = f"cluster{probe}.peace"
    return (
        raw(f"{base}.pad_flux", PitchAngleFlux, FileSource(patterns(probe, PRODUCT), flux(probe)),
            granule="1d", description="electrons: intensity by pitch angle and energy, spin"),
        *flux_products(f"{base}.pad_flux"),
        raw(f"{base}.moms", Moments, FileSource(patterns(probe, MOMENTS), moments(probe)),
            granule="1d", description="electrons: density and velocity, GSE, spin"),
    )  # fmt: skip
