"""Geotail Comprehensive Plasma Instrument (CPI): key parameters of its two ion analysers."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, ScalarAdapter
from sciqlop_pipe.sources.species import PROTON

FILES = "ge_k0_cpi_{start:%Y%m%d}_v{version}.cdf"
_ID = "GE_K0_CPI"

# Variable, unit, its unit in the file, words.
SCALARS = {
    "swa.mean_energy": ("SW_P_AVGE", "eV", "eV", "mean energy of solar-wind ions"),
    "hpa.density": ("HP_P_Den", "cm^-3", "/cm3", "density of hot ions"),
    "hpa.mean_energy": ("HP_P_AVGE", "eV", "eV", "mean energy of hot ions"),
    "hpa.electron_mean_energy": ("HP_E_AVGE", "eV", "eV", "mean energy of hot electrons"),
    "hpa.pressure": ("W", "nPa", "Pa", "pressure of the hot plasma"),
}


def moments() -> MomentsAdapter:
    """Return the adapter for density and velocity of the solar-wind analyser."""
    return MomentsAdapter(density="SW_P_Den", velocity="SW_V", species=PROTON, frame="GSE")


def scalar(quantity: str) -> ScalarAdapter:
    """Return the adapter for one number per record ("hpa.pressure")."""
    variable, units, declared, words = SCALARS[quantity]
    return ScalarAdapter(variable, units, words, declared=declared)


def datasets() -> tuple[Dataset, ...]:
    """Return everything of CPI."""
    return (
        raw("geotail.cpi.swa.moms", Moments,
            FileSource(FILES, moments(), remote=on_cdaweb(_ID, "SW_P_Den", "SW_V")), granule="1d",
            description="solar-wind ions: density, velocity (about GSE), key parameters"),
        *(raw(f"geotail.cpi.{quantity}", ScalarSeries,
              FileSource(FILES, scalar(quantity), remote=on_cdaweb(_ID, variable)), granule="1d",
              description=f"{words}, key parameters")
          for quantity, (variable, _, _, words) in SCALARS.items()),
    )  # fmt: skip
