"""Features of the solar wind in hourly averages: of an hour and of what surrounds it.

No index of geomagnetic activity and no flux of the Sun is used: those know of an ICME from its
effects, or from nothing but the phase of the cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..constants import BOLTZMANN, ELEMENTARY_CHARGE, VACUUM_PERMEABILITY
from ..errors import DataTypeError
from ..granule import DAY, HOUR
from ..kernels.windows import moments_between

Array = NDArray[np.float64]

VERSION = 1
"""Raise it whenever the numbers of a feature move: a model belongs to one version."""

CONTEXT = 46 * 24
"""How many hours before and after one its features look at, the background included."""

_HALVES = (1, 3, 6, 12, 24)
_SIDES = (6, 12, 24)
_LAGS = (-24, -12, -6, 6, 12, 24)
_RELATIVE = (3, 6, 12, 24)  # halves of the means that are compared with half a month around
_NEAR_DAYS, _FAR_DAYS = 14, 45  # before and after a day
_LEAST_DAYS = 5
_EV = BOLTZMANN / ELEMENTARY_CHARGE  # K -> eV
_BETA = 2 * VACUUM_PERMEABILITY * 1e6 * ELEMENTARY_CHARGE * 1e18  # n [cm^-3] T [eV] / B^2 [nT^2]
_ALFVEN = 21.81  # km/s, of 1 nT in 1 proton per cm^3

BASE = (
    "field", "density", "speed", "temperature", "temperature_ratio", "beta", "mach",
    "field_spread", "field_steadiness", "alpha", "turn", "flow_azimuth", "flow_elevation",
)  # fmt: skip
_STEPS = ("field", "speed", "density", "temperature_ratio", "beta")
_AT = [BASE.index(n) for n in _STEPS]


@dataclass(frozen=True, slots=True)
class Hours:
    """The solar wind hour by hour without a hole in time, each array (hour); NaN where unknown.

    Parameters
    ----------
    time : ndarray of int64
        Middle of the hour [ns since 1970 UTC].
    b : ndarray (hour, 3)
        Mean field [nT], GSE.
    strength : ndarray
        Mean of |B| [nT].
    spread : ndarray
        Standard deviation of the field vector within the hour [nT].
    density, temperature : ndarray
        Of protons [cm^-3], [eV].
    velocity : ndarray (hour, 3)
        [km/s], GSE.
    alpha : ndarray
        Density of alpha particles over that of protons [1].
    """

    time: NDArray[np.int64]
    b: Array
    strength: Array
    spread: Array
    density: Array
    temperature: Array
    velocity: Array
    alpha: Array

    def __len__(self) -> int:
        return self.time.size

    def __getitem__(self, part: slice | NDArray[np.bool_]) -> Hours:
        return Hours(*(getattr(self, f.name)[part] for f in fields(self)))


def hours(
    plasma: xr.Dataset,
    b: xr.Dataset,
    strength: xr.Dataset | None = None,
    spread: xr.Dataset | None = None,
    alpha: xr.Dataset | None = None,
) -> Hours:
    """Return hourly series as one table without holes.

    Parameters
    ----------
    plasma : Moments
        density [cm^-3], velocity [km/s], temperature [eV], (time) at one hour.
    b : VectorSeries
        Magnetic field [nT].
    strength, spread, alpha : ScalarSeries, optional
        Mean of |B| [nT], spread of B within the hour [nT], ratio of alphas to protons [1].

    Raises
    ------
    DataTypeError
        When the series are not hourly.
    """
    series = [s for s in (plasma, b, strength, spread, alpha) if s is not None]
    stamps = [s["time"].values.astype("M8[ns]").astype(np.int64) for s in series]
    known = [t for t in stamps if t.size]
    if not known:
        return Hours(np.zeros(0, np.int64), np.zeros((0, 3)), *(np.zeros(0),) * 4,
                     np.zeros((0, 3)), np.zeros(0))  # fmt: skip
    for t in known:
        if t.size > 1 and not 0.9 * HOUR <= float(np.median(np.diff(t))) <= 1.1 * HOUR:
            raise DataTypeError("these are no hourly averages", "icme", "Give series of 1 h")
    first = min(int(t[0]) for t in known) // HOUR
    last = max(int(t[-1]) for t in known) // HOUR
    size = last - first + 1

    def placed(ds: xr.Dataset | None, name: str, width: int = 0) -> Array:
        out = np.full((size, width) if width else size, np.nan)
        if ds is not None and name in ds:
            at = ds["time"].values.astype("M8[ns]").astype(np.int64) // HOUR - first
            out[at] = ds[name].values
        return out

    field = placed(b, "vector", 3)
    mean = placed(strength, "value")
    mean = np.where(np.isfinite(mean), mean, np.sqrt((field**2).sum(axis=1)))
    return Hours(
        (first + np.arange(size)) * HOUR + HOUR // 2, field, mean, placed(spread, "value"),
        placed(plasma, "density"), placed(plasma, "temperature"), placed(plasma, "velocity", 3),
        placed(alpha, "value"),
    )  # fmt: skip


def base_features(h: Hours) -> Array:
    """Return what is said of each hour by itself, (hour, BASE); NaN where unknown.

    `temperature_ratio` is log10 T / T_expected(V), with the expected temperature of Lopez (J.
    Geophys. Res. 92, 11189, 1987) in 1000 K: (0.031 V - 5.1)^2 below 500 km/s, 0.51 V - 142 above;
    below about 0.5 it marks ejecta (Richardson and Cane, J. Geophys. Res. 100, 23397, 1995).

    Parameters
    ----------
    h : Hours
        (hour).
    """
    speed = np.sqrt((h.velocity**2).sum(axis=1))
    slow = np.maximum(0.031 * speed - 5.1, 0.5) ** 2
    expected = 1e3 * _EV * np.where(speed < 500, slow, 0.51 * speed - 142)
    turn = np.r_[np.nan, np.sqrt((np.diff(h.b, axis=0) ** 2).sum(axis=1))]
    mean_vector = np.sqrt((h.b**2).sum(axis=1))
    planar = np.sqrt(h.velocity[:, 0] ** 2 + h.velocity[:, 1] ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.stack([
            np.log10(h.strength),
            np.log10(np.maximum(h.density, 0.05)),
            speed / 100,
            np.log10(h.temperature),
            np.log10(h.temperature / expected),
            np.log10(_BETA * h.density * h.temperature / h.strength**2),
            np.log10(speed * np.sqrt(h.density) / (_ALFVEN * h.strength)),
            np.log10((h.spread + 0.05) / h.strength),
            np.log10(1.02 - np.minimum(mean_vector / h.strength, 1.0)),
            np.log10(h.alpha + 0.003),
            np.log10((turn + 0.1) / h.strength),
            np.rad2deg(np.abs(np.arctan2(h.velocity[:, 1], -h.velocity[:, 0]))),
            np.rad2deg(np.abs(np.arctan2(h.velocity[:, 2], planar))),
        ], axis=1)  # fmt: skip
    out[~np.isfinite(out)] = np.nan
    return out


def names() -> tuple[str, ...]:
    """Return the names of the columns of `hourly_matrix`."""
    found = list(BASE)
    for half in _HALVES:
        found += [f"{n}_mean_{2 * half + 1}h" for n in BASE]
        if half >= 3:
            found += [f"{n}_spread_{2 * half + 1}h" for n in _STEPS]
        found.append(f"coherence_{2 * half + 1}h")
        if half >= 6:
            found += [f"variance_{k}_{2 * half + 1}h" for k in ("largest", "middle", "smallest")]
    for side in _SIDES:
        found += [f"{n}_step_{side}h" for n in _STEPS]
    for lag in _LAGS:
        found += [f"{n}_{lag:+d}h" for n in _STEPS]
    for half in _RELATIVE:
        found += [f"{n}_relative_{2 * half + 1}h" for n in BASE]
    return (*found, *(f"{n}_background" for n in BASE))


def hourly_matrix(h: Hours) -> Array:
    """Return features of each hour and its surroundings, (hour, feature); NaN where unknown.

    Parameters
    ----------
    h : Hours
        (hour), CONTEXT hours more on both sides than are wanted, where data exist. The background
        is the mean over 45 days: events are rarer and weaker when the Sun is quiet.
    """
    base = base_features(h)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = h.b / h.strength[:, None]
    unit[~np.isfinite(unit)] = np.nan
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    vectors = np.concatenate([unit, np.stack([unit[:, i] * unit[:, j] for i, j in pairs], 1)], 1)
    parts = [base]
    means = {}
    for half in _HALVES:
        least = max(1, (2 * half + 1) // 3)
        mean, spread = moments_between(base, -half, half, least)
        parts.append(mean)
        means[half] = mean
        if half >= 3:
            parts.append(spread[:, _AT])
        v, _ = moments_between(vectors, -half, half, least)
        parts.append(np.sqrt((v[:, :3] ** 2).sum(axis=1))[:, None])
        if half >= 6:
            parts.append(_variances(v, pairs))
    some = base[:, _AT]
    for side in _SIDES:
        after, _ = moments_between(some, 0, side - 1, 2)
        before, _ = moments_between(some, -side, -1, 2)
        parts.append(after - before)
    parts += [moments_between(some, lag - 2, lag + 2, 2)[0] for lag in _LAGS]
    month = background(h.time, base, _NEAR_DAYS)
    parts += [means[half] - month for half in _RELATIVE]
    parts.append(background(h.time, base, _FAR_DAYS))
    return np.concatenate(parts, axis=1)


def background(time: NDArray[np.int64], base: Array, days: int) -> Array:
    """Return the mean over whole days of UTC around that of each hour, (hour, column).

    Parameters
    ----------
    time : ndarray of int64 (hour)
        [ns].
    base : ndarray (hour, column)
        NaN where unknown; a day counts when a quarter of it is known.
    days : int
        How many before and after.
    """
    if not time.size:
        return base
    day = time // DAY - time[0] // DAY
    known = np.isfinite(base)
    size = int(day[-1]) + 1
    total, count = np.zeros((size, base.shape[1])), np.zeros((size, base.shape[1]))
    np.add.at(total, day, np.where(known, base, 0.0))
    np.add.at(count, day, known)
    with np.errstate(invalid="ignore", divide="ignore"):
        daily = np.where(count >= DAY // HOUR // 4, total / count, np.nan)
    mean, _ = moments_between(daily, -days, days, _LEAST_DAYS)
    return np.asarray(mean[day])


def _variances(v: Array, pairs: list[tuple[int, int]]) -> Array:
    """Return log10 of the largest variance of the direction of B and the others relative to it."""
    matrix = np.empty((len(v), 3, 3))
    for k, (i, j) in enumerate(pairs):
        matrix[:, i, j] = matrix[:, j, i] = v[:, 3 + k] - v[:, i] * v[:, j]
    known = np.isfinite(matrix).all(axis=(1, 2))
    values = np.full((len(v), 3), np.nan)
    values[known] = np.linalg.eigvalsh(matrix[known])
    scale = values[:, 2] + 1e-3
    return np.stack([np.log10(scale), values[:, 1] / scale, values[:, 0] / scale], axis=1)
