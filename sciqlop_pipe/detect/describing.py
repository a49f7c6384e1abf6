"""What detectors by rule share: clean records, and the numbers that describe an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..catalog import event_id
from ..errors import UsageError
from ..granule import SECOND, Interval, duration, iso
from ..recipe import Recipe, Without
from ..recipes.plasma import temperature_of
from ..store.records import Event

Array = NDArray[np.float64]
Times = NDArray[np.int64]

DENSEST, FASTEST, HOTTEST, STRONGEST = 1e4, 3000.0, 1e6, 1e5
"""[cm^-3], [km/s], [eV], [nT]: beyond these a number is a fill or a failure, not a plasma."""

GRAIN = SECOND // 10
"""Times of events are multiples of it."""

NO_FIELD = Without("no magnetic field around an event is told")

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


def score(*margins: float) -> float:
    """Return how far the weakest criterion is beyond its threshold, 0.5 at it, below 1.

    Each margin is a number over its threshold. The score is 1 - 2^-m of the smallest: 0.75 at
    twice the threshold, 0.94 at four times. It orders events of one detector; it is no
    probability, and not calibrated.
    """
    least = min(margins)
    return short(1.0 - 0.5 ** max(least, 0.0))


def short(value: float) -> float:
    """Return a number with six digits: more say nothing, and differ between processors."""
    return float(f"{value:.6g}")


def median(values: Array) -> float | None:
    """Return the median of what is finite, None where nothing is."""
    known = values[np.isfinite(values)]
    return short(float(np.median(known))) if known.size else None


def within(time: Times, span: Interval) -> slice:
    """Return the records in a span of time."""
    low, high = np.searchsorted(time, [span.start, span.stop])
    return slice(int(low), int(high))


def levels(
    columns: Iterable[tuple[str, Array, slice, slice]],
) -> tuple[tuple[str, float | None], ...]:
    """Return NAME_before, NAME_after and NAME_jump of some series: medians and their difference.

    Parameters
    ----------
    columns : iterable of (name, values, before, after)
        Each series with the records of both sides.
    """
    found: list[tuple[str, float | None]] = []
    for name, x, before, after in columns:
        a, b = median(x[before]), median(x[after])
        jump = None if a is None or b is None else short(b - a)
        found += [(f"{name}_before", a), (f"{name}_after", b), (f"{name}_jump", jump)]
    return tuple(found)


def sides(
    ions: Ions | None, field: Field | None, before: Interval, after: Interval
) -> tuple[tuple[str, float | None], ...]:
    """Return density, speed, temperature and |B| on both sides of an event: see `levels`.

    Parameters
    ----------
    ions : Ions, optional
        Their numbers are None without.
    field : Field, optional
        Likewise.
    before, after : Interval
        The two stretches.
    """
    none, nowhere = np.zeros(0), slice(0, 0)

    def of(name: str, time: Times | None, x: Array) -> tuple[str, Array, slice, slice]:
        if time is None:
            return name, none, nowhere, nowhere
        return name, x, within(time, before), within(time, after)

    plasma = None if ions is None else ions.time
    magnetic = None if field is None else field.time
    return levels(
        (
            of("density", plasma, none if ions is None else ions.density),
            of("speed", plasma, none if ions is None else ions.speed),
            of("temperature", plasma, none if ions is None else ions.temperature),
            of("magnetic_field", magnetic, none if field is None else field.strength),
        )
    )


def inside(
    ions: Ions | None, field: Field | None, span: Interval
) -> tuple[tuple[str, float | None], ...]:
    """Return the medians of density, speed, temperature and |B| during an event."""
    numbers: list[tuple[str, float | None]] = []
    for name in ("density", "speed", "temperature"):
        x = None if ions is None else getattr(ions, name)[within(ions.time, span)]
        numbers.append((name, None if x is None else median(x)))
    x = None if field is None else field.strength[within(field.time, span)]
    numbers.append(("magnetic_field", None if x is None else median(x)))
    return tuple(numbers)


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
    return short(min(bare / max(span.stop - span.start, 1), 1.0))


@dataclass(frozen=True, slots=True)
class Detection:
    """An event before it has a name: when, how sure, and what describes it.

    `time` and `uncertainty` [ns]; `score` as of `score`; `flags` are words that warn.
    """

    kind: str
    start: int
    stop: int
    time: int
    uncertainty: int
    score: float
    numbers: tuple[tuple[str, Any], ...] = ()
    flags: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def events(
    found: Iterable[Detection], recipe: Recipe, dataset: str, interval: Interval
) -> tuple[Event, ...]:
    """Return the events that begin in an interval, in time order, with the attributes all have.

    These are `time` (UTC), `uncertainty` [s], `score`, then what the detector says, then `flags`
    and `absent` (words, joined by a comma), `detector` (name and version) and `model` (of rules
    there is none).

    Parameters
    ----------
    found : iterable of Detection
        In any order; those outside of the interval are left out.
    recipe : Recipe
        The detector.
    dataset : str
        Enters the ids.
    interval : Interval
        The granule.
    """
    made = []
    for d in found:
        start, stop = d.start // GRAIN * GRAIN, -(-d.stop // GRAIN) * GRAIN
        if not interval.start <= start < interval.stop:
            continue
        attributes: tuple[tuple[str, Any], ...] = (
            ("time", iso(round(d.time / GRAIN) * GRAIN)),
            ("uncertainty", short(-(-d.uncertainty // GRAIN) * GRAIN / SECOND)),
            ("score", d.score),
            *d.numbers,
            ("flags", ", ".join(d.flags)),
            ("absent", ", ".join(d.absent)),
            ("detector", f"{recipe.name}@{recipe.version}"),
            ("model", ""),
        )
        made.append(Event(event_id(dataset, d.kind, start, stop), d.kind, start, stop, attributes))
    return tuple(sorted(made, key=lambda e: (e.start, e.kind, e.id)))


def vector_numbers(
    name: str, vector: Sequence[float] | Array, frame: str
) -> tuple[tuple[str, Any], ...]:
    """Return NAME_x, _y, _z and NAME_frame; numbers that are not finite are None."""
    parts = [short(float(x)) if np.isfinite(x) else None for x in vector]
    known = frame if all(p is not None for p in parts) else None
    return (*zip((f"{name}_x", f"{name}_y", f"{name}_z"), parts, strict=True),
            (f"{name}_frame", known))  # fmt: skip


def finite(numbers: Mapping[str, float]) -> tuple[tuple[str, float | None], ...]:
    """Return numbers as attributes, None where they are not finite."""
    return tuple((k, short(float(v)) if np.isfinite(v) else None) for k, v in numbers.items())


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
