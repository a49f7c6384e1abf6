"""Records that detectors by rule look at: clean ones, in stretches, with place and label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import UsageError
from ..granule import MINUTE, SECOND, Interval, duration
from ..recipe import Without
from ..recipes.joining import joined
from ..recipes.plasma import MAGNETIC, NPA_PER_EV_CC, temperature_of

Array = NDArray[np.float64]
Times = NDArray[np.int64]

DENSEST, FASTEST, HOTTEST, STRONGEST = 1e4, 3000.0, 1e6, 1e5
"""[cm^-3], [km/s], [eV], [nT]: beyond these a number is a fill or a failure, not a plasma."""

EARTH_RADIUS = 6371.2
"""[km]."""

NO_FIELD = Without("no magnetic field around an event is told")

NO_PLACE = Without("it is not asked where in space this is")

SUNWARD = ("GSE", "GSM", "DBCS", "DMPA", "DSL", "ISR2")
"""Frames near the Earth whose x points to the Sun, within the few degrees of a spin axis."""


@dataclass(frozen=True, slots=True)
class Ions:
    """Records of moments that carry information, ascending in `time` [ns].

    `density` [cm^-3], `velocity` (time, 3) [km/s], `temperature` [eV] (NaN where there is none).
    """

    time: Times
    density: Array
    velocity: Array
    temperature: Array
    frame: str

    @property
    def speed(self) -> Array:
        """Return |V| (time) [km/s]."""
        return np.sqrt((self.velocity**2).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Field:
    """Vectors of a magnetic field that are measurements: `time` [ns], `vector` (time, 3) [nT]."""

    time: Times
    vector: Array
    frame: str

    @property
    def strength(self) -> Array:
        """Return |B| (time) [nT]."""
        return np.sqrt((self.vector**2).sum(axis=1))


def ions_of(moments: xr.Dataset) -> Ions:
    """Return the records of Moments or of a PlasmaState whose n, V, and T where known, are sound.

    Parameters
    ----------
    moments : Dataset
        density [cm^-3], velocity [km/s] and, in any form, a temperature [eV], (time).
    """
    n = moments["density"].values.astype(np.float64)
    v = moments["velocity"].transpose("time", "component").values[:, :3].astype(np.float64)
    forms = ("temperature", "temperature_tensor", "pressure")
    known = any(name in moments for name in forms)
    t = temperature_of(moments) if known else np.full(n.size, np.nan)
    with np.errstate(invalid="ignore"):
        keep = (n > 0) & (n < DENSEST) & (np.sqrt((v**2).sum(axis=1)) < FASTEST)
        if known:
            keep &= (t > 0) & (t < HOTTEST)
    time = moments["time"].values.astype(np.int64)
    frame = str(moments["velocity"].attrs.get("frame", ""))
    return Ions(time[keep], n[keep], v[keep], t[keep], frame)


def field_of(b: xr.Dataset) -> Field:
    """Return the vectors of a VectorSeries [nT] that are neither fills nor all zero.

    Parameters
    ----------
    b : VectorSeries
        (time, component) [nT].
    """
    v = b["vector"].transpose("time", "component").values[:, :3].astype(np.float64)
    with np.errstate(invalid="ignore"):
        strength = np.sqrt((v**2).sum(axis=1))
        keep = (strength > 0) & (strength < STRONGEST)
    time = b["time"].values.astype(np.int64)
    return Field(time[keep], v[keep], str(b["vector"].attrs.get("frame", "")))


def sunward_ions(moments: xr.Dataset, slowest: str, detector: str) -> Ions:
    """Return the sound records of moments whose x points to the Sun.

    Raises
    ------
    UsageError
        When it does not, or the records are slower than one in `slowest`.
    """
    ions = ions_of(moments)
    require_cadence(ions.time, slowest, "the plasma", detector)
    if moments.sizes["time"] and ions.frame not in SUNWARD:
        raise UsageError(
            f"the velocity is in '{ions.frame}', whose x does not point to the Sun",
            detector,
            f"Rotate the moments to one of {', '.join(SUNWARD)}",
        )
    return ions


def beta_of(ions: Ions, field: Field) -> Array:
    """Return n T / (B^2/2 mu0) of the ions (time) [1]; NaN where there is no field within 30 s."""
    b = joined(field.time, field.strength, ions.time, "4s", "30s")
    with np.errstate(divide="ignore", invalid="ignore"):
        return NPA_PER_EV_CC * ions.density * ions.temperature / (MAGNETIC * b**2)


def require_cadence(time: Times, slowest: str, what: str, detector: str) -> None:
    """Refuse records that are farther apart than a detector can bear.

    Parameters
    ----------
    time : int64 array (record)
        [ns]; the median spacing counts, so that gaps do not.
    slowest : str
        Longest time between records ("2min").
    what, detector : str
        For the message.

    Raises
    ------
    UsageError
        When they are.
    """
    if time.size < 3:
        return
    every = float(np.median(np.diff(time)))
    if every > duration(slowest):
        raise UsageError(
            f"{what} has a record every {every / SECOND:g} s, {detector} needs one every "
            f"{slowest} or faster",
            detector,
            "Give data of higher cadence",
        )


def within(time: Times, span: Interval) -> slice:
    """Return the records in a span of time."""
    low, high = np.searchsorted(time, [span.start, span.stop])
    return slice(int(low), int(high))


def edges_of(time: Times, run: slice, longest: int) -> tuple[int, int, int]:
    """Return start and stop of a run of records, half way to its neighbours, and how far that is.

    Parameters
    ----------
    time : int64 array (record)
        [ns].
    run : slice
        The records.
    longest : int
        Spacings count up to this [ns].
    """
    first, last = run.start, run.stop - 1
    before = int(time[first] - time[first - 1]) if first else 0
    after = int(time[last + 1] - time[last]) if last + 1 < time.size else 0
    ahead, behind = min(before, longest) // 2, min(after, longest) // 2
    start, stop = int(time[first]) - ahead, int(time[last]) + behind
    return start, max(stop, start + 1), max(ahead, behind)


def place_of(position: xr.Dataset, at: Times) -> tuple[Array, Array]:
    """Return the angle to the line to the Sun [deg] and the distance [R_E] at some times.

    NaN farther than 5 min from known positions.
    """
    time = position["time"].values.astype(np.int64)
    r = position["position"].transpose("time", "component").values[:, :3].astype(np.float64)
    if not time.size:
        return np.full(at.size, np.nan), np.full(at.size, np.nan)
    x, y, z = (np.interp(at, time, r[:, k]) for k in range(3))
    far = (at < time[0] - 5 * MINUTE) | (at > time[-1] + 5 * MINUTE)
    distance = np.where(far, np.nan, np.sqrt(x**2 + y**2 + z**2))
    return np.degrees(np.arctan2(np.hypot(y, z), x)) + 0 * distance, distance / EARTH_RADIUS


def label_probability(labels: xr.Dataset, at: Times, name: str) -> Array:
    """Return the probability of a label where it is the highest of all, 0 elsewhere, (at).

    The label nearest in time counts, within 10 s.
    """
    time = labels["time"].values.astype(np.int64)
    names = [str(n) for n in labels["label"].values]
    p = np.nan_to_num(labels["probability"].values.astype(np.float64))
    wanted = p[:, names.index(name)]
    wanted = np.where(wanted >= p.max(axis=1, initial=0.0), wanted, 0.0)
    if not time.size:
        return np.zeros(at.size)
    near = nearest(time, at)
    return np.where(np.abs(time[near] - at) <= 10 * SECOND, wanted[near], 0.0)


def nearest(time: Times, at: Times) -> NDArray[np.int64]:
    """Return which of some ascending times, at least one, is nearest to each of others."""
    after = np.clip(np.searchsorted(time, at), 0, time.size - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(time[before] - at) <= np.abs(time[after] - at), before, after)


def gap_fraction(time: Times, span: Interval, factor: float = 3.0) -> float:
    """Return the part of a span that lies in gaps: spacings above `factor` times the median one."""
    low, high = np.searchsorted(time, [span.start, span.stop])
    near = time[max(int(low) - 1, 0) : int(high) + 1]
    if near.size < 3:
        return 1.0
    edges = np.clip(near, span.start, span.stop)
    spacing = np.diff(near)
    gaps = spacing > factor * np.median(spacing)
    bare = float(np.diff(edges)[gaps].sum()) + max(0, int(near[0]) - span.start)
    bare += max(0, span.stop - int(near[-1]))
    return round(min(bare / max(span.stop - span.start, 1), 1.0), 4)


def stretches(mask: NDArray[np.bool_], time: Times, gap: int) -> list[slice]:
    """Return the runs of consecutive true records, cut where records are farther apart than `gap`.

    Parameters
    ----------
    mask : ndarray bool (record)
        Which records belong.
    time : int64 array (record)
        [ns].
    gap : int
        [ns].
    """
    if not mask.any():
        return []
    on = np.flatnonzero(mask)
    cut = np.flatnonzero((np.diff(on) > 1) | (np.diff(time[on]) > gap)) + 1
    firsts, lasts = on[np.r_[0, cut]], on[np.r_[cut - 1, on.size - 1]]
    return [slice(int(a), int(b) + 1) for a, b in zip(firsts, lasts, strict=True)]


def best_of(times: Times, values: Array, apart: int) -> list[int]:
    """Return those candidates that no better one within `apart` [ns] outdoes; ties go to the first.

    Each is judged by its neighbours alone, so that it does not matter how time is cut.

    Parameters
    ----------
    times : int64 array (candidate)
        Ascending [ns].
    values : ndarray (candidate)
        How good each is.
    apart : int
        [ns].
    """
    kept = []
    for k in range(times.size):
        low, high = np.searchsorted(times, [times[k] - apart + 1, times[k] + apart])
        near = values[low:high]
        if k == low + int(np.argmax(near)):
            kept.append(k)
    return kept
