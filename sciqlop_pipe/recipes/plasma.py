"""Formulas of magnetized plasmas in house units, and a plasma with the field on its clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..constants import (
    ALPHA_MASS,
    ATOMIC_MASS,
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    PROTON_MASS,
    VACUUM_PERMEABILITY,
)
from ..errors import DataTypeError
from .joining import joined
from .rays import require_same_frame

MASSES = {"H+": PROTON_MASS, "e-": ELECTRON_MASS, "He++": ALPHA_MASS, "He+": ALPHA_MASS,
          "O+": 15.9944 * ATOMIC_MASS}  # fmt: skip

NPA_PER_EV_CC = ELEMENTARY_CHARGE * 1e15
"""n T [cm^-3 eV] to P [nPa]."""

EV_CC_PER_NPA = 1e-15 / ELEMENTARY_CHARGE
"""P [nPa] to n T [cm^-3 eV]."""

MAGNETIC = 1e-9 / (2 * VACUUM_PERMEABILITY)
"""B^2 [nT^2] to B^2/2 mu0 [nPa]."""


def mass_of(moments: xr.Dataset, per_ion: float = 1.0) -> float:
    """Mass of a particle [kg] by the species of its moments, times `per_ion`.

    Raises
    ------
    DataTypeError
        When the species is not known.
    """
    species = str(moments.attrs.get("species", ""))
    if species not in MASSES:
        raise DataTypeError(f"the mass of species '{species}' is not known", "moments",
                            f"Known: {', '.join(MASSES)}")  # fmt: skip
    return MASSES[species] * per_ion


def alfven_velocity(b: np.ndarray, density: np.ndarray, mass: float) -> np.ndarray:
    """B / sqrt(mu0 n m) [km/s] in the shape of b [nT], with n [cm^-3] along its first axis."""
    n = np.asarray(density, np.float64).reshape(-1, *(1,) * (np.ndim(b) - 1))
    rho = 1e6 * mass * np.where(n > 0, n, np.nan)
    return np.asarray(b, np.float64) * 1e-12 / np.sqrt(VACUUM_PERMEABILITY * rho)


def temperature_of(moments: xr.Dataset) -> np.ndarray:
    """Temperature (time,) [eV] from whatever form the moments have.

    Raises
    ------
    DataTypeError
        When they have none.
    """
    if "temperature" in moments:
        return ordered(moments, "temperature")
    if (tensor := temperature_tensor_of(moments)) is not None:
        return np.trace(tensor, axis1=1, axis2=2) / 3
    if {"temperature_parallel", "temperature_perpendicular"} <= set(moments.data_vars):
        across = ordered(moments, "temperature_perpendicular")
        return (ordered(moments, "temperature_parallel") + 2 * across) / 3
    raise DataTypeError("the moments have no temperature", "moments",
                        "Give temperature, temperature_tensor or pressure")  # fmt: skip


def temperature_tensor_of(moments: xr.Dataset) -> np.ndarray | None:
    """Temperature tensor (time, 3, 3) [eV] from the form there is, None where there is none."""
    if "temperature_tensor" in moments:
        return ordered(moments, "temperature_tensor", "component", "component_2")
    if "pressure" in moments:
        density = ordered(moments, "density")
        with np.errstate(divide="ignore", invalid="ignore"):
            per_ion = EV_CC_PER_NPA / np.where(density > 0, density, np.nan)
            return ordered(moments, "pressure", "component", "component_2") * per_ion[:, None, None]
    return None


def ordered(moments: xr.Dataset, name: str, *inner: str) -> np.ndarray:
    """Values (time, *inner) of a moment, contiguous float64."""
    return np.ascontiguousarray(moments[name].transpose("time", *inner).values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Plasma:
    """Moments with the field on their clock, float64: one row per record.

    `time` [ns], `density` [cm^-3], `velocity` [km/s] and `b` [nT] (time, 3) in `frame`, `mass`
    [kg] of a particle.
    """

    time: np.ndarray
    density: np.ndarray
    velocity: np.ndarray
    b: np.ndarray
    mass: float
    frame: str

    @property
    def whole(self) -> np.ndarray:
        """Return which records have a positive density, a velocity and a field."""
        return (
            (self.density > 0)
            & np.isfinite(self.velocity).all(axis=1)
            & np.isfinite(self.b).all(axis=1)
        )


def plasma_of(
    moments: xr.Dataset, b: xr.Dataset, accumulation: str, reach: str, per_ion: float = 1.0
) -> Plasma:
    """Return moments with the mean field over their accumulation, or between near neighbours.

    Parameters
    ----------
    moments : Dataset
        Moments.
    b : Dataset
        VectorSeries [nT] in their frame.
    accumulation, reach : str
        As of `joining.joined`.
    per_ion : float
        Mean mass per particle, in masses of the species.

    Raises
    ------
    DataTypeError
        When the frames differ or the species is not known.
    """
    frame = str(moments["velocity"].attrs["frame"])
    require_same_frame(frame, b)
    at = moments["time"].values
    return Plasma(
        at.astype(np.int64),
        np.asarray(moments["density"].values, np.float64),
        np.asarray(moments["velocity"].values, np.float64),
        joined(b["time"].values, b["vector"].values, at, accumulation, reach),
        mass_of(moments, per_ion),
        frame,
    )
