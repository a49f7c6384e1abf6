"""Series on an even clock, and features of each bin at the scales of what is looked for.

Moments and field of any mission become means over bins anchored to UTC, so that what is learned at
one cadence holds at another. A feature is a level, how far a bin stands out of its surroundings,
how restless these are, or how vectors turn across it. Nothing knows a position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..granule import DAY, MINUTE, SECOND
from ..kernels.windows import moments_between
from ..recipes.plasma import MAGNETIC, NPA_PER_EV_CC
from .series import Array, Field, Ions, Times, field_of, ions_of

VERSION = 1
"""Raise it whenever the numbers of a feature move: a model belongs to one version."""

PLASMA = ("density", "speed", "temperature", "pressure")
FIELD = ("field",)
BOTH = ("beta", "alfven_mach")
"""Channels by what they need; all are logarithms to base 10."""

PARTS = (*PLASMA, *FIELD, *BOTH)
"""All of them."""

HALF_WIDTHS = (0.25, 1.0, 3.0)
"""Of the windows around a bin, in lengths of an event."""

PER_EVENT = 8
"""Bins that an event of median length should have, where the cadence allows."""

_STEPS = (
    *(k * SECOND // 1000 for k in (100, 200, 250, 500)),
    *(k * SECOND for k in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)),
    *(k * MINUTE for k in (1, 2, 3, 4, 5, 6, 10, 15, 20, 30, 60, 120, 180, 360)),
)
_AT_REST = 50.0  # [km/s] by which changes of V are measured where there is no flow
_QUIET = 1e-3


@dataclass(frozen=True, slots=True)
class Binned:
    """Means over bins, each array (bin) or (bin, 3); NaN where nothing was measured.

    Parameters
    ----------
    start, step : int
        Of the first bin, and length of all [ns]; bins are anchored to 1970 UTC.
    density, speed, temperature : ndarray
        [cm^-3], [km/s], [eV].
    velocity, field : ndarray
        [km/s], [nT].
    """

    start: int
    step: int
    density: Array
    speed: Array
    temperature: Array
    velocity: Array
    field: Array

    def __len__(self) -> int:
        return self.density.size

    @property
    def time(self) -> Times:
        """Return the middle of each bin [ns]."""
        return self.start + self.step // 2 + self.step * np.arange(len(self), dtype=np.int64)

    @property
    def strength(self) -> Array:
        """Return |B|, (bin) [nT]."""
        return np.sqrt((self.field**2).sum(axis=1))


def step_for(duration: int, cadence: float) -> int:
    """Return the length of bins for events of some length [ns].

    Parameters
    ----------
    duration : int
        Median length of the events [ns].
    cadence : float
        Of the data [ns]: bins are not shorter.
    """
    fine = [s for s in _STEPS if cadence <= s <= duration / PER_EVENT]
    return fine[-1] if fine else next((s for s in _STEPS if s >= cadence), DAY)


def cadence_of(moments: xr.Dataset | None, b: xr.Dataset | None) -> float:
    """Return the longer of the median spacings of the inputs [ns]; NaN without records."""
    spacings = [
        float(np.median(np.diff(ds["time"].values.astype(np.int64))))
        for ds in (moments, b)
        if ds is not None and ds.sizes["time"] > 2
    ]
    return max(spacings, default=float("nan"))


def binned(moments: xr.Dataset | None, b: xr.Dataset | None, step: int) -> Binned:
    """Return means over bins, from the first record to the last.

    Fills and failures are no records (`series.ions_of`, `series.field_of`).

    Parameters
    ----------
    moments : Moments or PlasmaState, optional
        density [cm^-3], velocity [km/s], temperature [eV].
    b : VectorSeries, optional
        Magnetic field [nT].
    step : int
        Length of a bin [ns].
    """
    ions = None if moments is None else ions_of(moments)
    field = None if b is None else field_of(b)
    times = [x.time for x in (ions, field) if x is not None and x.time.size]
    first = min((int(t[0]) for t in times), default=0) // step
    count = max((int(t[-1]) for t in times), default=-1) // step - first + 1 if times else 0

    def means(source: Ions | Field | None, columns: Array | None, width: int) -> Array:
        if source is None or columns is None:
            return np.full((count, width), np.nan)
        return _means(source.time // step - first, columns.reshape(len(columns), width), count)

    plasma = None
    if ions is not None:
        plasma = np.column_stack([ions.density, ions.speed, ions.temperature, ions.velocity])
    values = means(ions, plasma, 6)
    return Binned(
        first * step, step, values[:, 0], values[:, 1], values[:, 2], values[:, 3:],
        means(field, None if field is None else field.vector, 3),
    )  # fmt: skip


def _means(at: Times, columns: Array, count: int) -> Array:
    size = np.bincount(at, minlength=count)
    sums = np.stack([np.bincount(at, c, minlength=count) for c in columns.T], axis=1)
    return np.divide(sums, size[:, None], out=np.full(sums.shape, np.nan), where=size[:, None] > 0)


def names(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the features that some channels give, in the order of `matrix`.

    Parameters
    ----------
    parts : sequence of str
        Channels, of PLASMA, FIELD and BOTH.
    """
    found = [f"{c}_level" for c in parts]
    for k in range(len(HALF_WIDTHS)):
        found += [f"{c}_{what}_{k}" for c in parts for what in ("above", "restless")]
        for vector, channel in (("velocity", "speed"), ("field", "field")):
            if channel in parts:
                found += [f"{vector}_{what}_{k}" for what in ("turns", "restless_vector")]
    return tuple(found)


def matrix(series: Binned, duration: int, parts: Sequence[str]) -> Array:
    """Return the features of each bin, (bin, feature), in the order of `names`.

    A bin is compared with what lies within HALF_WIDTHS of the length of an event around it.

    Parameters
    ----------
    series : Binned
        What was measured.
    duration : int
        Length of an event [ns].
    parts : sequence of str
        Channels.
    """
    logs = np.stack([_channel(series, c) for c in parts], axis=1)
    columns = [logs]
    for half in reaches(duration, series.step):
        mean, spread = moments_between(logs, -half, half, 2)
        pairs = np.stack([logs - mean, np.log10(spread + _QUIET)], axis=2)
        columns.append(pairs.reshape(len(series), -1))
        for vector, rest, channel in ((series.velocity, _AT_REST, "speed"),
                                      (series.field, 0.0, "field")):  # fmt: skip
            if channel in parts:
                columns.append(_turning(vector, half, rest))
    found = np.concatenate(columns, axis=1)
    return np.where(np.isfinite(found), found, np.nan)


def reaches(duration: int, step: int) -> tuple[int, ...]:
    """Return the half widths of the windows [bin], for events of a length [ns]."""
    return tuple(max(1, round(k * duration / step)) for k in HALF_WIDTHS)


def _channel(s: Binned, name: str) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "density":
            found = np.log10(s.density)
        elif name == "speed":
            found = np.log10(s.speed + 1.0)
        elif name == "temperature":
            found = np.log10(s.temperature)
        elif name == "pressure":
            found = np.log10(s.density * (s.speed + 1.0) ** 2)
        elif name == "field":
            found = np.log10(s.strength)
        elif name == "beta":
            found = np.log10(NPA_PER_EV_CC * s.density * s.temperature / MAGNETIC / s.strength**2)
        else:
            found = np.log10((s.speed + 1.0) * np.sqrt(s.density) / s.strength)
    return np.where(np.isfinite(found), found, np.nan)


def _turning(vector: Array, half: int, rest: float) -> Array:
    """Return how far means before and after differ, and how much the vector varies, (bin, 2).

    Both over the mean size of the vector around, as logarithms.
    """
    mean, spread = moments_between(vector, -half, half, 2)
    before, _ = moments_between(vector, -half, -1, 1)
    after, _ = moments_between(vector, 1, half, 1)
    size = np.sqrt((mean**2 + spread**2).sum(axis=1)) + rest
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.sqrt(((after - before) ** 2).sum(axis=1)) / size
        restless = np.sqrt((spread**2).sum(axis=1)) / size
    return np.log10(np.stack([turn, restless], axis=1) + _QUIET)


def in_other_climate(x: Array, columns: Sequence[str], n: Array, t: Array, b: Array) -> Array:
    """Return features as if density, temperature and |B| were others: only levels move.

    Parameters
    ----------
    x : ndarray (row, feature)
        Features.
    columns : sequence of str
        Their names.
    n, t, b : ndarray (row)
        What is added to log10 of each.
    """
    moved = x.copy()
    change = {"density": n, "temperature": t, "pressure": n, "field": b, "beta": n + t - 2 * b,
              "alfven_mach": n / 2 - b}  # fmt: skip
    for channel, by in change.items():
        if (name := f"{channel}_level") in columns:
            moved[:, list(columns).index(name)] += by
    return moved
