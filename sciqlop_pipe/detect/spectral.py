"""Features of ion spectra and of how plasma and field fluctuate, for models that know more regions.

None of them is a position. Levels are those of the record; fluctuations those of REACH before and
after it, at the cadence of the data (4.5 s): they hardly change when a whole interval has another
density or field, which is why a model that has them does not learn the day it was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..constants import ELEMENTARY_CHARGE, PROTON_MASS, VACUUM_PERMEABILITY
from ..errors import DataTypeError
from ..granule import SECOND
from ..kernels.energies import geometric_edges
from ..kernels.shapes import fluctuations, spectrum_shapes

Array = NDArray[np.float64]

LEVELS = (
    "spectral_density", "spectral_temperature", "spectral_field", "spectral_beta",
    "spectral_mach", "spectral_width", "spectral_entropy", "spectral_centre", "suprathermal",
)  # fmt: skip
FLUCTUATIONS = (
    "spread_density", "spread_temperature", "spread_field",
    "roughness_density", "roughness_temperature", "roughness_field",
)  # fmt: skip
NAMES = LEVELS + FLUCTUATIONS
"""All features, in the order of the columns of a matrix."""

NEED_FIELD = ("spectral_field", "spectral_beta", "spread_field", "roughness_field")
"""Those that are not known without a magnetometer."""

CADENCE = 4.5
"""Of the data that fluctuations are made of [s]; roughness depends on it."""

REACH = 90 * SECOND
"""How far before and after a record fluctuations are taken."""

_APART = 10 * SECOND
_LEAST = 8
_FLOOR = 0.01  # of fluctuations in log10: below it they are noise of the instrument
_BETA = 2 * VACUUM_PERMEABILITY * 1e6 * ELEMENTARY_CHARGE * 1e18  # n [cm^-3] T [eV] / B^2 [nT^2]


@dataclass(frozen=True, slots=True)
class Spectra:
    """Ion spectra with what is measured beside them, on one clock.

    Parameters
    ----------
    flux : ndarray (record, energy)
        Omnidirectional differential energy flux [eV cm^-2 s^-1 sr^-1 eV^-1].
    energy : ndarray (energy) or (record, energy)
        [eV].
    temperature : ndarray (record)
        Of the ions [eV].
    magnetic_field : ndarray (record)
        |B| [nT]; NaN where there is none.
    """

    flux: NDArray[Any]
    energy: Array
    temperature: Array
    magnetic_field: Array


def levels(spectra: Spectra) -> Array:
    """Return the features of each record by itself, (record, level); NaN where unknown.

    log10 of n, T, |B| and beta; log10(<E> / 1.5 T), 0 where the plasma stands still and the
    square of a Mach number but for a factor where it streams; width, entropy and centre of the
    spectrum, the latter relative to T; share of the ions above three times the mean energy.

    Parameters
    ----------
    spectra : Spectra
        (record).
    """
    shape = _shapes(spectra.flux, spectra.energy)
    temperature, field = _log(spectra.temperature), _log(spectra.magnetic_field)
    density, mean, centre, width, entropy, high = shape.T
    beta = np.log10(_BETA) + density + temperature - 2 * field
    mach = mean - np.log10(1.5) - temperature
    return np.stack(
        [density, temperature, field, beta, mach, width, entropy, centre - temperature, high],
        axis=1,
    )


def fluctuating(
    logs: Array, time: NDArray[np.int64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> Array:
    """Return log10 of spread and roughness of log10 n, T and |B|, (range, fluctuation).

    Parameters
    ----------
    logs : ndarray (record, 3)
        log10 of n, T and |B|.
    time : ndarray of int64 (record)
        Ascending [ns].
    first, stop : ndarray of int64 (range)
        Which records each range has.
    """
    spread, roughness = fluctuations(np.ascontiguousarray(logs), time, first, stop, _APART, _LEAST)
    return np.log10(np.concatenate([spread, roughness], axis=1) + _FLOOR)


@dataclass(frozen=True, slots=True)
class Around:
    """What fluctuations are made of: a series that reaches REACH beyond the spectra.

    Parameters
    ----------
    time : ndarray of int64 (record)
        Ascending [ns].
    density, temperature, magnetic_field : ndarray (record)
        [cm^-3], [eV], [nT].
    """

    time: NDArray[np.int64]
    density: Array
    temperature: Array
    magnetic_field: Array


def matrix(spectra: Spectra, time: NDArray[np.int64], around: Around) -> Array:
    """Return all features of a series, (record, feature) in the order of NAMES.

    Parameters
    ----------
    spectra : Spectra
        (record).
    time : ndarray of int64 (record)
        Ascending [ns].
    around : Around
        Where fluctuations are seen.
    """
    logs = np.stack(
        [_log(around.density), _log(around.temperature), _log(around.magnetic_field)], axis=1
    )
    first = np.searchsorted(around.time, time - REACH)
    stop = np.searchsorted(around.time, time + REACH, side="right")
    return np.concatenate([levels(spectra), fluctuating(logs, around.time, first, stop)], axis=1)


def of_windows(spectra: Spectra, length: int) -> Array:
    """Return all features of windows that follow one another, (record, feature).

    Fluctuations are those of the whole window a record is in.

    Parameters
    ----------
    spectra : Spectra
        (window x record), every window CADENCE apart inside.
    length : int
        Records of a window.
    """
    level = levels(spectra)
    time = np.arange(len(level), dtype=np.int64) * round(CADENCE * SECOND)
    first = np.arange(0, len(level), length, dtype=np.int64)
    each = fluctuating(level[:, :3], time, first, first + length)
    return np.concatenate([level, np.repeat(each, length, axis=0)], axis=1)


def _log(x: Array) -> Array:
    return np.asarray(np.log10(np.where(x > 0, x, np.nan), dtype=np.float64))


def _shapes(flux: NDArray[Any], energy: Array) -> Array:
    energy = np.asarray(energy, np.float64)
    if energy.shape[-1] != flux.shape[-1]:
        raise DataTypeError(f"{flux.shape[-1]} fluxes but {energy.shape[-1]} energies", "spectrum")
    if energy.ndim == 1:
        return _of_table(flux, energy)
    tables, which = np.unique(energy, axis=0, return_inverse=True)
    shapes = np.full((len(flux), 6), np.nan)
    for k, table in enumerate(tables):
        mine = which.ravel() == k
        shapes[mine] = _of_table(flux[mine], table)
    return shapes


def _of_table(flux: NDArray[Any], energy: Array) -> Array:
    lower, upper = geometric_edges(energy)
    width = np.log(upper / lower)
    used = np.isfinite(width) & (width > 0)
    speed = 100 * np.sqrt(2 * energy[used] * ELEMENTARY_CHARGE / PROTON_MASS)  # cm/s
    return spectrum_shapes(
        np.ascontiguousarray(flux[:, used]), np.log10(energy[used]),
        4 * np.pi * width[used] / speed, np.log(width[used]),
    )  # fmt: skip
