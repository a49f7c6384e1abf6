"""Events: interplanetary shocks, fast forward and fast reverse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..datatypes import Events, Moments, VectorSeries
from ..granule import MINUTE, SECOND, Interval
from ..kernels.windows import medians_between
from ..model import Margin, recipe
from ..recipes.plasma import MAGNETIC, NPA_PER_EV_CC, mass_of
from ..recipes.rays import require_same_frame
from ..recipes.shocks import Side, shock_analysis
from ..store.records import Event
from .describing import Detection, events, finite, score, short, sides, vector_numbers
from .series import (
    Array,
    Field,
    Ions,
    Times,
    best_of,
    field_of,
    gap_fraction,
    ions_of,
    require_cadence,
    within,
)

KINDS = ("fast_forward_shock", "fast_reverse_shock")

SLOWEST = "2min"
"""Slower records cannot tell a shock from a stream interaction."""

UPSTREAM = (MINUTE, 9 * MINUTE)
DOWNSTREAM = (2 * MINUTE, 10 * MINUTE)
"""How far from the shock the stretches of both sides begin and end."""

_STEP = 10 * SECOND  # between times looked at
_RAMP = (30 * SECOND, 210 * SECOND)  # the near sides, within which the jump must happen
_SEARCH = 4 * MINUTE  # how far from the best window the ramp may be
_CLEAR = 3.0  # jump over scatter from which the field alone tells the time
_APART = 10 * MINUTE  # two shocks nearer than this are one
_SHORTEST = 15 * SECOND  # half length of an event, at least
_LEAST = 3  # records of a side
_SLOWEST_RAMP = 5  # records from which a series can tell when the ramp is
ELECTRONS = 12.6
"""[eV] T of electrons in the solar wind at 1 AU: 1.46e5 K, which hardly changes (IPShocks)."""


@recipe(gives=Events, version=1, gaps_ok=True)
def interplanetary_shocks(
    moments: Annotated[Moments, Margin("30min")],
    b: Annotated[VectorSeries, Margin("30min")],
    *,
    dataset: str,
    interval: Interval,
    field_ratio: float = 1.2,
    density_ratio: float = 1.2,
    speed_jump: float = 20.0,
    sharpness: float = 0.5,
    significance: float = 1.5,
) -> tuple[Event, ...]:
    """Fast forward and fast reverse interplanetary shocks that begin in the interval.

    Upstream is 1 to 9 min from the shock, downstream 2 to 10 min; a forward shock is met from
    upstream, a reverse one from downstream. Medians of both sides must fulfil

        B_d/B_u >= field_ratio,  n_d/n_u >= density_ratio,  T_d/T_u > 1/1.2,
        V rises in time by speed_jump at least

    (IPShocks takes means; a fill that slipped through moves them). So that a slow compression or
    turbulence is none: at least `sharpness` of the jumps of ln B, ln n and V happens between
    stretches of 3 min that end and begin 30 s from the shock, and each jump is at least
    `significance` times the scatter of both sides together. Of candidates within 10 min the best
    one is kept. The time is that of the step of |B| (of n and V, where B is slower).

    Kinds: fast_forward_shock, fast_reverse_shock. Attributes beside `time`, `uncertainty` [s] (of
    the ramp), `score` (the weakest of the margins over the thresholds, see `describing.score`):
    density, speed, temperature, magnetic_field before, after and jump; ratios downstream over
    upstream; `normal` by the third mixed method, towards upstream; `theta_bn` [deg];
    `shock_speed` [km/s] along the direction of motion away from the Sun; `alfven_mach`,
    `fast_mach` (T of ions plus 12.6 eV of electrons); `momentum_residual` [1]: what is missing in
    the balance of momentum along the normal. `flags`: subfast (fast Mach number below 1),
    momentum (residual above 0.5), near_gap.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s], temperature [eV], a record every 2 min or faster.
    b : VectorSeries
        Magnetic field [nT] in their frame, likewise.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    field_ratio, density_ratio, speed_jump : float
        Thresholds [1], [1], [km/s] of IPShocks (confirmed in its toolkit; the stretches are those
        of its documentation, not confirmed).
    sharpness, significance : float
        Ours [1].

    Raises
    ------
    UsageError
        When records are slower than one every 2 min: hourly averages have no shocks.
    DataTypeError
        When the frames differ.

    References
    ----------
    Kilpua et al. (2015), J. Geophys. Res. 120, 4112, doi:10.1002/2015JA021138, and the Heliospheric
    Shock Database: criteria; Schwartz (1998), ISSI SR-001, chapter 10: normals and speeds.
    """
    ions, field = ions_of(moments), field_of(b)
    require_cadence(ions.time, SLOWEST, "the plasma", "interplanetary_shocks")
    require_cadence(field.time, SLOWEST, "the field", "interplanetary_shocks")
    require_same_frame(ions.frame, b)
    limits = _Limits(field_ratio, density_ratio, speed_jump, sharpness, significance)
    span = interval.padded(_APART + 2 * _SEARCH)
    found = (
        _described(c, ions, field, mass_of(moments)) for c in _candidates(ions, field, span, limits)
    )
    return events(found, interplanetary_shocks, dataset, interval)


@dataclass(frozen=True, slots=True)
class _Limits:
    field: float
    density: float
    speed: float
    sharpness: float
    significance: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    time: int
    forward: bool
    score: float


def _columns(
    ions: Ions, field: Field, centre: Times, start: int, stop: int, least: int = _LEAST
) -> tuple[Array, Array]:
    """Return medians and scatter of ln B, ln n, V, ln T from start to stop around each centre."""
    plasma = np.stack([np.log(ions.density), ions.speed, np.log(ions.temperature)], axis=1)
    magnetic = np.log(field.strength)[:, None]
    m, ms = medians_between(field.time, magnetic, centre, start, stop, least)
    p, ps = medians_between(ions.time, plasma, centre, start, stop, least)
    return np.concatenate([m, p], axis=1), np.concatenate([ms, ps], axis=1)


def _candidates(ions: Ions, field: Field, span: Interval, limits: _Limits) -> Iterator[_Candidate]:
    """Yield the best candidates, forward and reverse ones in one competition."""
    if ions.time.size < 2 * _LEAST or field.time.size < 2 * _LEAST:
        return
    first = max(span.start, int(ions.time[0])) // _STEP
    last = min(span.stop, int(ions.time[-1])) // _STEP
    centre = np.arange(first, last + 1, dtype=np.int64) * _STEP
    if not centre.size:
        return
    near_before, _ = _columns(ions, field, centre, -_RAMP[1], -_RAMP[0], 1)
    near_after, _ = _columns(ions, field, centre, _RAMP[0], _RAMP[1], 1)
    scores = []
    for forward in (True, False):
        far, near = (UPSTREAM, DOWNSTREAM) if forward else (DOWNSTREAM, UPSTREAM)
        before, before_scatter = _columns(ions, field, centre, -far[1], -far[0])
        after, after_scatter = _columns(ions, field, centre, near[0], near[1])
        sign = np.array([1.0, 1.0, 1.0, 1.0]) if forward else np.array([-1.0, -1.0, 1.0, -1.0])
        jump, ramp = sign * (after - before), sign * (near_after - near_before)
        scatter = before_scatter + after_scatter
        least = np.log([limits.field, limits.density])
        with np.errstate(divide="ignore", invalid="ignore"):
            margins = np.column_stack(
                (
                    jump[:, :2] / least,
                    jump[:, 2] / limits.speed,
                    ramp[:, :3] / jump[:, :3] / limits.sharpness,
                    jump[:, :3] / scatter[:, :3] / limits.significance,
                )
            )
            weakest = margins.min(axis=1)
            sound = (weakest >= 1.0) & (jump[:, 3] > -np.log(1.2))
        scores.append(np.where(sound, weakest, -np.inf))
    best = np.maximum(*scores)
    at = np.flatnonzero(best > 0)
    # Equal neighbours are one plateau; a whole jump beats the edge of one.
    for k in best_of(centre[at], best[at], _APART):
        forward = bool(scores[0][at[k]] >= scores[1][at[k]])
        yield _Candidate(int(centre[at[k]]), forward, score(float(best[at[k]])))


def _ramp(ions: Ions, field: Field, c: _Candidate) -> tuple[int, int]:
    """Return the time of the step, and the longer part of its rise from 0.2 to 0.8 [ns].

    That of ln B where the field is fast and steps clearly, otherwise that of ln n and V.
    """
    far, near = (UPSTREAM, DOWNSTREAM) if c.forward else (DOWNSTREAM, UPSTREAM)
    before = Interval(c.time - far[1], c.time - far[0])
    after = Interval(c.time + near[0], c.time + near[1])
    span = Interval(c.time - _SEARCH, c.time + _SEARCH)
    part, strength = within(field.time, span), np.log(field.strength)
    rise, clear = _risen(field.time, strength, before, after)
    if part.stop - part.start >= _SLOWEST_RAMP and clear >= _CLEAR:
        return _step(field.time[part], rise[part], c.time)
    part = within(ions.time, span)
    rises = [_risen(ions.time, x, before, after)[0] for x in (np.log(ions.density), ions.speed)]
    return _step(ions.time[part], 0.5 * (rises[0] + rises[1])[part], c.time)


def _risen(time: Times, x: Array, before: Interval, after: Interval) -> tuple[Array, float]:
    """Return how far x is from its level before to that after, and the jump over its scatter."""
    low, high = x[within(time, before)], x[within(time, after)]
    jump = float(np.median(high) - np.median(low))
    scatter = sum(float(np.median(np.abs(s - np.median(s)))) for s in (low, high))
    return (x - np.median(low)) / jump if jump else np.zeros(x.size), abs(jump) / max(scatter, 1e-9)


def _step(time: Times, rise: Array, middle: int) -> tuple[int, int]:
    """Return when a rise from 0 to 1 is half way, and the longer part of 0.2 to 0.8 [ns]."""
    if time.size < 2:
        return middle, _SEARCH
    part = np.clip(rise, 0.0, 1.0)
    cost = np.cumsum(part)[:-1] + np.cumsum((1.0 - part)[::-1])[::-1][1:]
    k = int(np.argmin(cost)) + 1
    a, c = part[k - 1], part[k]
    share = (0.5 - a) / (c - a) if a < 0.5 < c else 0.5
    at = int(time[k - 1]) + round(share * float(time[k] - time[k - 1]))
    below, above = time[(part <= 0.2) & (time <= at)], time[(part >= 0.8) & (time >= at)]
    start = int(below[-1]) if below.size else int(time[0])
    stop = int(above[0]) if above.size else int(time[-1])
    return at, max(at - start, stop - at)


def _described(c: _Candidate, ions: Ions, field: Field, mass: float) -> Detection:
    time, uncertainty = _ramp(ions, field, c)
    far, near = (UPSTREAM, DOWNSTREAM) if c.forward else (DOWNSTREAM, UPSTREAM)
    before = Interval(time - far[1], time - far[0])
    after = Interval(time + near[0], time + near[1])
    up, down = (before, after) if c.forward else (after, before)
    numbers, flags = _physics(_side(ions, field, up, mass), _side(ions, field, down, mass),
                              ions.frame)  # fmt: skip
    gaps = gap_fraction(ions.time, Interval(before.start, after.stop))
    if gaps > 0.2:
        flags = (*flags, "near_gap")
    half = max(uncertainty, _SHORTEST)
    return Detection(
        KINDS[0] if c.forward else KINDS[1],
        time - half,
        time + half,
        time,
        uncertainty,
        c.score,
        (*sides(ions, field, before, after), *numbers, ("gap_fraction", gaps)),
        flags,
    )


def _side(ions: Ions, field: Field, span: Interval, mass: float) -> Side:
    plasma, magnetic = within(ions.time, span), within(field.time, span)
    temperature = float(np.median(ions.temperature[plasma])) + ELECTRONS
    return Side(
        np.median(field.vector[magnetic], axis=0),
        float(np.median(ions.density[plasma])),
        np.median(ions.velocity[plasma], axis=0),
        temperature,
        mass,
        plasma.stop - plasma.start,
    )


def _physics(up: Side, down: Side, frame: str) -> tuple[tuple, tuple[str, ...]]:  # type: ignore[type-arg]
    shock = next(s for s in shock_analysis(up, down) if s.method == "mixed_3")
    residual = _momentum(up, down, shock.normal, shock.speed)
    # The normal points upstream: away from the Sun in front of a forward shock.
    out = np.sign(float(up.velocity @ shock.normal))
    ratio = {
        "field_ratio": float(np.linalg.norm(down.b) / np.linalg.norm(up.b)),
        "density_ratio": down.density / up.density,
        "temperature_ratio": (down.temperature - ELECTRONS) / (up.temperature - ELECTRONS),
        "theta_bn": shock.theta_bn,
        "shock_speed": shock.speed * out,
        "alfven_mach": shock.alfven_mach,
        "fast_mach": shock.fast_mach,
        "momentum_residual": residual,
    }
    flags = []
    if not shock.fast_mach >= 1.0:
        flags.append("subfast")
    if not residual <= 0.5:
        flags.append("momentum")
    return (*finite(ratio), *vector_numbers("normal", shock.normal, frame)), tuple(flags)


def _momentum(up: Side, down: Side, normal: Array, speed: float) -> float:
    """Return the imbalance of momentum along the normal over the dynamic pressure upstream [1].

    rho u_n^2 + n T + B_t^2/2 mu0 is equal on both sides (Schwartz 1998, equation 10.4).
    """

    def flux(side: Side) -> tuple[float, float]:
        u = float(side.velocity @ normal) - speed
        dynamic = side.mass * side.density * 1e6 * u**2 * 1e6 * 1e9
        tangential = float(side.b @ side.b - (side.b @ normal) ** 2)
        rest = side.density * side.temperature * NPA_PER_EV_CC + MAGNETIC * tangential
        return dynamic, dynamic + rest

    dynamic, before = flux(up)
    _, after = flux(down)
    return short(abs(after - before) / dynamic) if dynamic > 0 else float("nan")
