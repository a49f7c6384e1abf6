"""Aditya-L1 ASPEX Solar Wind Ion Spectrometer (SWIS): bulk parameters, 5 s."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, Position, ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import MomentsAdapter, PositionAdapter, ScalarAdapter
from sciqlop_pipe.sources.species import ALPHA, PROTON
from sciqlop_pipe.sources.view import Seen, Stacked, Thermal

FILES = "AL1_ASW91_L2_BLK_{start:%Y%m%d}_UNP_9999_999999_V{version}.cdf"
ALPHAS = {
    "density": ("alpha_density", "cm^-3", "density of alphas"),
    "speed": ("alpha_bulk_speed", "km s^-1", "speed of alphas"),
    "temperature": ("temperature", "eV", "temperature of alphas"),
}

_TAG = begin("5s")
# DEPEND_0 names a variable that no file has, and units are spelt in a way of their own.
_CLOCK = ("DEPEND_0", "epoch_for_cdf_mod")
_SPEEDS = ("proton_xvelocity", "proton_yvelocity", "proton_zvelocity", "proton_thermal",
           "alpha_bulk_speed", "alpha_thermal")  # fmt: skip
_PLACES = ("spacecraft_xpos", "spacecraft_ypos", "spacecraft_zpos")
_RESTATED = (
    *((name, (_CLOCK, ("UNITS", "cm-3"))) for name in ("proton_density", "alpha_density")),
    *((name, (_CLOCK, ("UNITS", "km/s"))) for name in _SPEEDS),
    *((name, (_CLOCK, ("UNITS", "km"))) for name in _PLACES),
)


def protons() -> Seen:
    """Return the adapter for density, velocity and temperature of protons."""
    adapter = MomentsAdapter("proton_density", "velocity", PROTON, "GSE",
                             temperature="temperature", time_tag=_TAG)  # fmt: skip
    made = (
        Stacked("velocity", _SPEEDS[:3], "km s^-1"),
        Thermal("temperature", "proton_thermal", PROTON),
    )
    return Seen(adapter, restated=_RESTATED, made=made)


def alphas(quantity: str) -> Seen:
    """Return the adapter for one number per record of the alphas ("density")."""
    variable, units, words = ALPHAS[quantity]
    adapter = ScalarAdapter(variable, units, words, time_tag=_TAG)
    made = (Thermal("temperature", "alpha_thermal", ALPHA),)
    return Seen(adapter, restated=_RESTATED, made=made)


def position() -> Seen:
    """Return the adapter for the position of the spacecraft."""
    adapter = PositionAdapter(position="position", frame="GSE", time_tag=_TAG)
    return Seen(adapter, restated=_RESTATED, made=(Stacked("position", _PLACES, "km"),))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of SWIS."""
    base = "aditya_l1.swis"
    return (
        raw(f"{base}.protons.moms", Moments, FileSource(FILES, protons()), granule="1d",
            description="protons: density, velocity (GSE), temperature, 5 s (experimental)"),
        *(raw(f"{base}.alphas.{quantity}", ScalarSeries, FileSource(FILES, alphas(quantity)),
              granule="1d", description=f"{words}, 5 s (experimental)")
          for quantity, (_, _, words) in ALPHAS.items()),
        raw(f"{base}.position_gse", Position, FileSource(FILES, position()), granule="1d",
            description="position of the spacecraft, GSE"),
    )  # fmt: skip
