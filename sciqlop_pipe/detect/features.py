"""Features of the plasma state: numbers a model learns from, each declaring what it needs.

Records that carry no information (fewer counts than moments can be made of) are told apart here,
once for every detector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..constants import ELEMENTARY_CHARGE, PROTON_MASS, VACUUM_PERMEABILITY
from ..errors import UnknownName, near

Array = NDArray[np.float64]

VERSION = 1
"""Raise it whenever the numbers of a feature move: a model belongs to one version."""

FASTEST = 1000.0
"""[km/s]. A faster bulk velocity is that of a few counts in a high bin, not of a plasma."""

_EV_PER_KMS2 = PROTON_MASS * 1e6 / ELEMENTARY_CHARGE  # m V^2 [eV], V in km/s
_BETA = 2 * VACUUM_PERMEABILITY * 1e6 * ELEMENTARY_CHARGE * 1e18  # n [cm^-3] T [eV] / B^2 [nT^2]


@dataclass(frozen=True, slots=True)
class Feature:
    """A number per record, from variables of a PlasmaState; NaN where one of them is."""

    name: str
    needs: tuple[str, ...]
    of: Callable[..., Array]

    def __call__(self, state: xr.Dataset) -> Array:
        """Return the feature of a plasma state, (time)."""
        size = state.sizes["time"]
        if any(n not in state for n in self.needs):
            return np.full(size, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = self.of(*(state[n].values.astype(np.float64) for n in self.needs))
        return np.where(np.isfinite(values), values, np.nan)


def log_density(density: Array) -> Array:
    """Return log10 of the density [cm^-3]."""
    return np.log10(density)


def log_temperature(temperature: Array) -> Array:
    """Return log10 of the temperature [eV]."""
    return np.log10(temperature)


def log_mach(speed: Array, temperature: Array) -> Array:
    """Return log10(1 + m V^2 / 3T): total over thermal energy of protons, a Mach-like number.

    m V^2 / T is the square of the Mach number but for a factor. The sum with 1 makes it stand
    still where plasma is at rest and V is noise.

    Parameters
    ----------
    speed : ndarray (time)
        Bulk speed [km/s].
    temperature : ndarray (time)
        [eV].
    """
    return np.log10(1 + _EV_PER_KMS2 * speed**2 / (3 * temperature))


def log_field(magnetic_field: Array) -> Array:
    """Return log10 of |B| [nT]."""
    return np.log10(magnetic_field)


def log_beta(density: Array, temperature: Array, magnetic_field: Array) -> Array:
    """Return log10 of the ion beta, n T / (B^2 / 2 mu0) [1].

    Parameters
    ----------
    density : ndarray (time)
        [cm^-3].
    temperature : ndarray (time)
        [eV].
    magnetic_field : ndarray (time)
        |B| [nT].
    """
    return np.log10(_BETA * density * temperature / magnetic_field**2)


FEATURES = (
    Feature("log_density", ("density",), log_density),
    Feature("log_temperature", ("temperature",), log_temperature),
    Feature("log_mach", ("speed", "temperature"), log_mach),
    # The Mach-like number of the core: it stays high in a foreshock, where reflected ions heat
    # the moments along their beam, and falls at the shock, which heats in all directions.
    Feature("log_core_mach", ("speed", "core_temperature"), log_mach),
    Feature("log_field", ("magnetic_field",), log_field),
    Feature("log_beta", ("density", "temperature", "magnetic_field"), log_beta),
)

_BY_NAME = {f.name: f for f in FEATURES}


def informative(state: xr.Dataset) -> NDArray[np.bool_]:
    """Return which records say anything about the plasma, (time).

    A record does not when n, T or V is missing, n or T is not positive, or |V| is above 1000 km/s:
    moments of almost no counts look like that (T = 0, V of the bin that had one).

    Parameters
    ----------
    state : PlasmaState
        density [cm^-3], speed [km/s], temperature [eV], (time).
    """
    n, v, t = (state[k].values for k in ("density", "speed", "temperature"))
    with np.errstate(invalid="ignore"):
        sound = (n > 0) & (t > 0) & (v <= FASTEST)
    return sound & np.isfinite(n) & np.isfinite(v) & np.isfinite(t)


def feature_matrix(state: xr.Dataset, names: Iterable[str]) -> Array:
    """Return features side by side, (time, feature); NaN where unknown or without information.

    Parameters
    ----------
    state : PlasmaState
        (time).
    names : iterable of str
        Which features, in this order.

    Raises
    ------
    UnknownName
        For a feature that does not exist.
    """
    names = tuple(names)
    for name in names:
        if name not in _BY_NAME:
            todo = near(name, _BY_NAME) or f"There are: {', '.join(_BY_NAME)}"
            raise UnknownName(f"there is no feature '{name}'", "features", todo)
    matrix = np.stack([_BY_NAME[n](state) for n in names], axis=1)
    matrix[~informative(state)] = np.nan
    return matrix
