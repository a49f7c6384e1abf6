"""Events of the magnetotail: dipolarization fronts, and dipolarizations in slow data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Events, Moments, Position, VectorSeries
from ..errors import UsageError
from ..granule import MINUTE, SECOND, Interval
from ..kernels.windows import medians_between
from ..model import Margin, Without, recipe
from ..store.records import Event
from .describing import Detection, events, finite, score, sides
from .series import (
    NO_PLACE,
    Field,
    Ions,
    Times,
    best_of,
    beta_of,
    field_of,
    gap_fraction,
    place_of,
    require_cadence,
    sunward_ions,
    within,
)

_NO_FLOW = Without("neither a fast flow nor hot plasma around a front is asked for")

_STEP = SECOND
_APART = 30 * SECOND  # fronts nearer than this are one
_BESIDE = 10 * SECOND
_PLASMA_SHEET = 0.5  # least beta of the ions
_DURATIONS = np.geomspace(0.25, 16.0, 25)  # of fits [s]


@recipe(gives=Events, version=1, gaps_ok=True)
def dipolarization_fronts(
    b: Annotated[VectorSeries, Margin("5min")],
    moments: Annotated[Moments | None, Margin("5min"), _NO_FLOW] = None,
    position: Annotated[Position | None, Margin("10min"), NO_PLACE] = None,
    *,
    dataset: str,
    interval: Interval,
    amplitude: float = 4.0,
    longest: float = 8.0,
    speed: float = 150.0,
    residual: float = 0.5,
) -> tuple[Event, ...]:
    """Dipolarization fronts: sharp rises of B_z in the tail, in time order.

    Where the medians of B_z over 8 s before and after differ most, B_z is fitted within 15 s by

        B_z = (a/2) tanh( 2 (t - t0)/d ) + c

    and a front has a > amplitude, d < longest, a root mean square distance from the fit below
    `residual` times a, and V_x above `speed` within 30 s (towards the Earth). Where the ions are
    known, their beta reaches 0.5 within 3 min: the plasma sheet; where the position is known, it
    is on the night side beyond 5 R_E.

    Attributes: amplitude [nT], duration [s] (d), residual [nT], base [nT] (B_z before),
    elevation_before, elevation_after [deg], velocity_x [km/s] (the largest), and density, speed,
    temperature, magnetic_field before, after (10 s each) and jump. Fronts that move away from
    the Earth are not looked for.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT] in GSM, 4 records a second or faster.
    moments : Moments, optional
        Of the ions, with x to the Sun.
    position : Position, optional
        [km].
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    amplitude, longest, speed : float
        [nT], [s], [km/s] (speed: unconfirmed).
    residual : float
        [1] (as in the search of Richard et al. 2022).

    Raises
    ------
    UsageError
        When the field is slower than 4 Hz (a front takes 4 s on average; use
        `dipolarizations`), or not in GSM.

    References
    ----------
    Fu, Khotyaintsev, Vaivads, Andre and Huang (2012), Geophys. Res. Lett. 39, L10101,
    doi:10.1029/2012GL051784; Richard et al. (2022), Geophys. Res. Lett. 49, e2022GL101693,
    doi:10.1029/2022GL101693.
    """
    field = _tail_field(b, "250ms", "dipolarization_fronts")
    ions = None if moments is None else sunward_ions(moments, "15s", "dipolarization_fronts")
    span = interval.padded(2 * _APART)
    bz = np.ascontiguousarray(field.vector[:, 2:3])
    centre = _grid(field.time, span)
    before, _ = medians_between(field.time, bz, centre, -10 * SECOND, -2 * SECOND, 16)
    after, _ = medians_between(field.time, bz, centre, 2 * SECOND, 10 * SECOND, 16)
    jump = np.nan_to_num((after - before)[:, 0])
    at = np.flatnonzero(jump > 0.5 * amplitude)
    found = []
    for k in best_of(centre[at], jump[at], _APART):
        fit = _tanh(field, int(centre[at[k]]))
        if fit is None or not (fit.amplitude > amplitude and fit.duration < longest):
            continue
        if not (fit.residual < residual * fit.amplitude and _on_the_night_side(position, fit.time)):
            continue
        margins = [fit.amplitude / amplitude, longest / fit.duration]
        vx = float("nan")
        if ions is not None:
            vx, beta = _around(ions, field, fit.time)
            if not (vx > speed and beta > _PLASMA_SHEET):
                continue
            margins.append(vx / speed)
        found.append(_front(fit, field, ions, position, vx, score(*margins)))
    return events(found, dipolarization_fronts, dataset, interval)


@recipe(gives=Events, version=1, gaps_ok=True)
def dipolarizations(
    b: Annotated[VectorSeries, Margin("10min")],
    moments: Annotated[Moments | None, Margin("10min"), _NO_FLOW] = None,
    position: Annotated[Position | None, Margin("10min"), NO_PLACE] = None,
    *,
    dataset: str,
    interval: Interval,
    amplitude: float = 4.0,
    elevation: float = 45.0,
    turn: float = 10.0,
    speed: float = 150.0,
) -> tuple[Event, ...]:
    """Dipolarizations of the tail's field by its elevation, also in slow data, in time order.

    In windows of 3 min, half overlapping: the largest B_z comes after the smallest and is above
    it by `amplitude`; its elevation atan(B_z / |B_xy|) is above that at the smallest by `turn`;
    the largest elevation exceeds `elevation`. With ions, V_x exceeds `speed` and their beta 0.5
    in the window. Of overlapping windows the one with the largest rise counts.

    The event lasts from the smallest to the largest B_z; attributes as those of
    `dipolarization_fronts`, without a fit, and with `elevation_max` [deg].

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT] in GSM, a record every 12 s or faster.
    moments : Moments, optional
        Of the ions, with x to the Sun.
    position : Position, optional
        [km].
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    amplitude, elevation, turn, speed : float
        [nT], [deg], [deg], [km/s] (turn: 10 here, 11 in Richard et al. 2022; speed unconfirmed).

    Raises
    ------
    UsageError
        When the field is slower than a record in 12 s, or not in GSM.

    References
    ----------
    Schmid, Volwerk, Nakamura, Baumjohann and Heyn (2011), Ann. Geophys. 29, 1537,
    doi:10.5194/angeo-29-1537-2011.
    """
    field = _tail_field(b, "12s", "dipolarizations")
    ions = None if moments is None else sunward_ions(moments, "15s", "dipolarizations")
    length, half = 3 * MINUTE, 90 * SECOND
    span = interval.padded(length)
    rises = []
    for start in range(span.start // half * half, span.stop, half):
        part = within(field.time, Interval(start, start + length))
        if part.stop - part.start < 8:
            continue
        rise = _rise(field, part)
        if rise.amplitude > amplitude and rise.turn > turn and rise.highest > elevation:
            rises.append(rise)
    centre = np.array([r.start for r in rises], np.int64)
    order = np.argsort(centre, kind="stable")
    sizes = np.array([r.amplitude for r in rises])[order]
    found = []
    for k in best_of(centre[order], sizes, length):
        r = rises[int(order[k])]
        middle = (r.start + r.stop) // 2
        margins = [r.amplitude / amplitude, r.highest / elevation, r.turn / turn]
        vx = float("nan")
        if not _on_the_night_side(position, middle):
            continue
        if ions is not None:
            vx, beta = _around(ions, field, middle, half)
            if not (vx > speed and beta > _PLASMA_SHEET):
                continue
            margins.append(vx / speed)
        found.append(_dipolarization(r, field, ions, position, vx, score(*margins)))
    return events(found, dipolarizations, dataset, interval)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A rise of B_z: `time` [ns], `amplitude` [nT], `duration` [s], `base`, `residual` [nT]."""

    time: int
    amplitude: float
    duration: float
    base: float
    residual: float


@dataclass(frozen=True, slots=True)
class _Rise:
    start: int
    stop: int
    amplitude: float
    turn: float
    highest: float
    spacing: int


def _tail_field(b: xr.Dataset, slowest: str, detector: str) -> Field:
    field = field_of(b)
    if b.sizes["time"] and field.frame != "GSM":
        raise UsageError(f"the field is in '{field.frame}', B_z is wanted in GSM", detector,
                         "Give the field in GSM (recipe in_frame makes it)")  # fmt: skip
    require_cadence(field.time, slowest, "the field", detector)
    return field


def _grid(time: Times, span: Interval) -> Times:
    if not time.size:
        return np.zeros(0, np.int64)
    first, last = max(span.start, int(time[0])), min(span.stop, int(time[-1]))
    return np.arange(first // _STEP, last // _STEP + 1, dtype=np.int64) * _STEP


def _tanh(field: Field, middle: int) -> _Fit | None:
    """Return the best fit of a rise near a time: durations and times on a grid, the rest linear."""
    part = within(field.time, Interval(middle - 15 * SECOND, middle + 15 * SECOND))
    if part.stop - part.start < 60:
        return None
    since = (field.time[part] - middle) / SECOND
    z = field.vector[part, 2]
    best = (np.inf, 0.0, 0.0, 0.0, 0.0)
    for start in np.arange(-6.0, 6.01, 0.2):
        shape = np.tanh(2 * (since[:, None] - start) / _DURATIONS)
        apart = shape - shape.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (apart * (z - z.mean())[:, None]).sum(axis=0) / (apart**2).sum(axis=0)
        left = ((z - z.mean())[:, None] - slope * apart).std(axis=0)
        k = int(np.nanargmin(np.where(np.isfinite(left), left, np.inf)))
        if left[k] < best[0]:
            level = float(z.mean() - slope[k] * shape[:, k].mean())
            best = (float(left[k]), float(start), float(_DURATIONS[k]), float(slope[k]), level)
    residual, start, length, slope_, level = best
    return _Fit(middle + round(start * SECOND), 2 * slope_, length, level - slope_, residual)


def _rise(field: Field, part: slice) -> _Rise:
    v, time = field.vector[part], field.time[part]
    angle = np.degrees(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))
    low = int(np.argmin(v[:, 2]))
    high = low + int(np.argmax(v[low:, 2]))
    return _Rise(int(time[low]), int(time[high]), float(v[high, 2] - v[low, 2]),
                 float(angle[high] - angle[low]), float(angle[low : high + 1].max()),
                 int(np.median(np.diff(time))))  # fmt: skip


def _around(ions: Ions, field: Field, time: int, reach: int = 30 * SECOND) -> tuple[float, float]:
    """Return the largest V_x within a reach of a time, and the largest beta within 3 min."""
    near = within(ions.time, Interval(time - reach, time + reach + 1))
    wide = within(ions.time, Interval(time - 3 * MINUTE, time + 3 * MINUTE))
    if near.stop == near.start:
        return float("nan"), float("nan")
    beta = beta_of(ions, field)[wide]
    known = beta[np.isfinite(beta)]
    largest = float(known.max()) if known.size else float("nan")
    return float(ions.velocity[near, 0].max()), largest


def _on_the_night_side(position: xr.Dataset | None, time: int) -> bool:
    if position is None:
        return True
    angle, distance = place_of(position, np.array([time]))
    return not (angle[0] <= 90 or distance[0] <= 5)  # unknown places pass


def _front(fit: _Fit, field: Field, ions: Ions | None, position: xr.Dataset | None, vx: float,
           how_sure: float) -> Detection:  # fmt: skip
    half = max(round(fit.duration * SECOND / 2), SECOND)
    start, stop = fit.time - half, fit.time + half
    rise = round(0.35 * fit.duration * SECOND)  # artanh(0.6)/2: from the middle to 0.8
    return Detection(
        "dipolarization_front", start, stop, fit.time, rise, how_sure,
        (
            *finite({"amplitude": fit.amplitude, "duration": fit.duration,
                     "residual": fit.residual, "base": fit.base, "velocity_x": vx}),
            *_tilts(field, start, stop),
            *sides(ions, field, Interval(start - _BESIDE, start), Interval(stop, stop + _BESIDE)),
            ("gap_fraction", gap_fraction(field.time, Interval(start - _BESIDE, stop + _BESIDE))),
        ),
        (),
        _absent(ions, position),
    )  # fmt: skip


def _dipolarization(r: _Rise, field: Field, ions: Ions | None, position: xr.Dataset | None,
                    vx: float, how_sure: float) -> Detection:  # fmt: skip
    part = within(field.time, Interval(r.start, r.stop + 1))
    z = field.vector[part, 2]
    time = int(field.time[part.start + int(np.argmax(z >= (z[0] + z[-1]) / 2))])
    stop = max(r.stop, r.start + 1)
    return Detection(
        "dipolarization", r.start, stop, time, (stop - r.start) // 2, how_sure,
        (
            *finite({"amplitude": r.amplitude, "duration": (stop - r.start) / SECOND,
                     "elevation_max": r.highest, "velocity_x": vx}),
            *_tilts(field, r.start, stop),
            *sides(ions, field, Interval(r.start - MINUTE, r.start), Interval(stop, stop + MINUTE)),
        ),
        (),
        _absent(ions, position),
    )  # fmt: skip


def _absent(ions: Ions | None, position: xr.Dataset | None) -> tuple[str, ...]:
    named = (("moments", ions), ("position", position))
    return tuple(name for name, x in named if x is None)


def _tilts(field: Field, start: int, stop: int) -> tuple[tuple[str, float | None], ...]:
    """Return the elevation of the median field within 10 s before and after [deg]."""
    found = {}
    for name, span in (("elevation_before", Interval(start - _BESIDE, start)),
                       ("elevation_after", Interval(stop, stop + _BESIDE))):  # fmt: skip
        v = field.vector[within(field.time, span)]
        x, y, z = np.median(v, axis=0) if len(v) else (np.nan,) * 3
        found[name] = float(np.degrees(np.arctan2(z, np.hypot(x, y))))
    return finite(found)
