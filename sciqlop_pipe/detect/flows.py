"""Events of fast flows: of the plasma sheet, of the magnetopause, of the solar wind."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ..constants import PROTON_MASS
from ..datatypes import Events, Labels, Moments, PlasmaState, Position, VectorSeries
from ..errors import UsageError
from ..granule import DAY, HOUR, MINUTE, SECOND, Interval, duration
from ..kernels.windows import group_means, means_around, medians_between
from ..model import Margin, Without, recipe
from ..recipes.plasma import alfven_velocity
from ..store.records import Event
from .describing import Detection, events, finite, inside, median, score
from .series import (
    NO_PLACE,
    Array,
    Field,
    Ions,
    Times,
    best_of,
    beta_of,
    edges_of,
    field_of,
    gap_fraction,
    ions_of,
    label_probability,
    nearest,
    place_of,
    require_cadence,
    stretches,
    sunward_ions,
)

_NO_LABELS = Without("fast flows of the magnetosheath are let through")
_GAP = 20 * SECOND
_AROUND = 10 * MINUTE  # of the magnetosheath that a flow is compared with
_USUAL_FIELD = 25.0  # [nT] of the magnetosheath at the Earth, where none is measured


@recipe(gives=Events, version=1, gaps_ok=True)
def bursty_bulk_flows(
    moments: Annotated[Moments, Margin("1h")],
    b: Annotated[
        VectorSeries | None,
        Margin("1h"),
        Without("it is not asked whether beta is that of a sheet"),
    ] = None,
    labels: Annotated[Labels | None, Margin("1h"), _NO_LABELS] = None,
    position: Annotated[Position | None, Margin("1h"), NO_PLACE] = None,
    *,
    dataset: str,
    interval: Interval,
    flow: float = 100.0,
    peak: float = 400.0,
    apart: str = "10min",
    beta: float = 0.5,
) -> tuple[Event, ...]:
    """Bursty bulk flows of the plasma sheet, in time order.

    Stretches of |V| above `flow` with a sample above `peak`; those whose samples above `peak` are
    less than `apart` from each other are one, also where |V| falls below `flow` between them.
    Samples count where the beta of the ions is above `beta`, in the magnetosphere by its label,
    and on the night side beyond 5 R_E, as far as these are known.

    Attributes: speed_max [km/s], velocity_x_max (the one of largest size), duration [s], bursts
    (how many stretches above `peak`), earthward (1 where V_x at the peak is positive), and
    density, speed, temperature, magnetic_field during the flow.

    Parameters
    ----------
    moments : Moments
        Of the ions, x to the Sun, a record every 15 s or faster.
    b : VectorSeries, optional
        Magnetic field [nT].
    labels : Labels, optional
        Of regions.
    position : Position, optional
        [km].
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned. A flow of more than half an hour may be cut.
    flow, peak : float
        [km/s] (these, `apart` and `beta`: unconfirmed, no text of the paper was at hand).
    apart : str
        Longest time between samples above `peak`, at most 15 min.
    beta : float
        [1].

    Raises
    ------
    UsageError
        When records are slower, x does not point to the Sun, or `apart` is longer.

    References
    ----------
    Angelopoulos et al. (1994), J. Geophys. Res. 99, 21257, doi:10.1029/94JA01263.
    """
    if duration(apart) > 15 * MINUTE:
        raise UsageError(f"apart={apart} is above 15min", "bursty_bulk_flows",
                         "Flows are seen within an hour of the granule only")  # fmt: skip
    ions = sunward_ions(moments, "15s", "bursty_bulk_flows")
    field = None if b is None else field_of(b)
    sheet = np.ones(ions.time.size, bool)
    if field is not None:
        sheet &= beta_of(ions, field) > beta
    if labels is not None:
        sheet &= label_probability(labels, ions.time, "magnetosphere") > 0
    if position is not None:
        angle, distance = place_of(position, ions.time)
        sheet &= (angle > 90) & (distance > 5)
    speed = np.where(sheet, ions.speed, 0.0)
    absent = [
        name for name, x in (("b", b), ("labels", labels), ("position", position)) if x is None
    ]
    groups = _merged(ions.time, stretches(speed > peak, ions.time, _GAP), duration(apart))
    found = (_flow(ions, field, speed, group, flow, peak, absent) for group in groups)
    return events(found, bursty_bulk_flows, dataset, interval)


@recipe(gives=Events, version=1, gaps_ok=True)
def magnetopause_flows(
    state: Annotated[PlasmaState, Margin("30min")],
    labels: Annotated[Labels, Margin("30min")],
    *,
    dataset: str,
    interval: Interval,
    part: float = 1.0,
    near: str = "5min",
) -> tuple[Event, ...]:
    """Fast flows at the magnetopause, faster than the magnetosheath beside it, in time order.

    A stretch of 3 records or more where the velocity differs from the median one of the
    magnetosheath, within 10 min, by more than `part` of the Alfven speed there, and that is faster
    than both; with the magnetosphere, by its label, within `near` before or after, so that jets
    far out in the magnetosheath do not count. Where |B| is not known the Alfven speed is that of
    25 nT. Such flows are what reconnection makes; whether they fulfil the Walen relation is for
    `de_hoffmann_teller` to say.

    Attributes: excess [km/s] (the largest difference), alfven_speed [km/s], velocity_x, _y, _z at
    that time, duration [s], and density, speed, temperature, magnetic_field during the flow.

    Parameters
    ----------
    state : PlasmaState
        density, velocity, temperature, magnetic_field where known; a record in 15 s or faster.
    labels : Labels
        Of magnetosphere, magnetosheath, solar wind.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    part : float
        [1]: the whole Alfven speed. With half of it the flanks have tens of flows a day where the
        list of Nguyen et al. (2022) has none.
    near : str
        At most 15 min.

    Raises
    ------
    UsageError
        When records are slower, or `near` is longer.

    References
    ----------
    Paschmann et al. (1986), J. Geophys. Res. 91, 11099, doi:10.1029/JA091iA10p11099; Phan et al.
    (2000), Nature 404, 848, doi:10.1038/35009050.
    """
    if duration(near) > 15 * MINUTE:
        raise UsageError(f"near={near} is above 15min", "magnetopause_flows")
    ions = ions_of(state)
    require_cadence(ions.time, "15s", "the plasma", "magnetopause_flows")
    if ions.time.size < 3:
        return ()
    sheath = label_probability(labels, ions.time, "magnetosheath") > 0
    inner = label_probability(labels, ions.time, "magnetosphere") > 0
    known = state["magnetic_field"].values if "magnetic_field" in state else np.zeros(0)
    b = np.full(ions.time.size, np.nan)
    if known.size:
        at = np.searchsorted(state["time"].values.astype(np.int64), ions.time)
        b = known[at].astype(np.float64)
    columns = np.column_stack((ions.velocity, ions.density, b))
    columns[~sheath] = np.nan
    around, _ = medians_between(ions.time, columns, ions.time, -_AROUND, _AROUND, 10)
    strength = np.where(np.isfinite(around[:, 4]), around[:, 4], _USUAL_FIELD)
    alfven = alfven_velocity(strength, np.nan_to_num(around[:, 3], nan=-1.0), PROTON_MASS)
    excess = np.linalg.norm(ions.velocity - around[:, :3], axis=1)
    reach = duration(near)
    inside_ = ions.time[inner]
    beside = np.zeros(ions.time.size, bool)
    if inside_.size:
        beside = np.abs(inside_[nearest(inside_, ions.time)] - ions.time) <= reach
    with np.errstate(invalid="ignore"):
        fast = beside & (excess > part * alfven) & (alfven > 0)
        # Plasma at rest beside a flowing magnetosheath is no flow.
        fast &= ions.speed > np.maximum(np.linalg.norm(around[:, :3], axis=1), part * alfven)
    absent = () if np.isfinite(b).any() else ("magnetic_field",)
    found = []
    for run in stretches(fast, ions.time, _GAP):
        if run.stop - run.start < 3:
            continue
        top = run.start + int(np.argmax(excess[run]))
        start, stop, edge = edges_of(ions.time, run, _GAP)
        vx, vy, vz = (float(x) for x in ions.velocity[top])
        numbers = {"excess": float(excess[top]), "alfven_speed": float(alfven[top]),
                   "velocity_x": vx, "velocity_y": vy, "velocity_z": vz,
                   "duration": round((stop - start) / SECOND, 1)}  # fmt: skip
        found.append(
            Detection(
                "magnetopause_flow", start, stop, int(ions.time[top]), edge,
                score(float(excess[top] / alfven[top]) / part),
                (
                    *finite(numbers),
                    *inside(ions, None, Interval(start, stop))[:3],
                    ("magnetic_field", median(b[run])),
                ),
                (),
                absent,
            )
        )  # fmt: skip
    return events(found, magnetopause_flows, dataset, interval)


@recipe(gives=Events, version=1, gaps_ok=True)
def high_speed_streams(
    moments: Annotated[Moments, Margin("7d")],
    *,
    dataset: str,
    interval: Interval,
    peak: float = 400.0,
    rise: float = 60.0,
    climb: str = "4d",
) -> tuple[Event, ...]:
    """High-speed streams of the solar wind in hourly speeds, in time order.

    A maximum of the speed, smoothed over 5 h, of at least `peak`, that lies above the smallest
    speed of the time `climb` before it, and since the last higher speed, by at least `rise`;
    within 3 days the highest maximum counts. The event lasts from that smallest speed to where the
    speed has fallen half way back, or 4 days. Fast coronal mass ejections look alike: compare
    with the catalog of ICMEs.

    Attributes: speed_max, speed_min (before) [km/s], rise [km/s], duration [h], density and
    temperature inside. `time` is that of the maximum.

    Parameters
    ----------
    moments : Moments
        Density and velocity, a record in 1 h or faster; means over hours of UTC are taken.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    peak, rise : float
        [km/s] (unconfirmed; smoothing and lengths are ours, the
        3 days chosen on their list).
    climb : str
        At most 5 d.

    Raises
    ------
    UsageError
        When records are slower than one in an hour, or `climb` is longer.

    References
    ----------
    Owens et al. (2005), J. Geophys. Res. 110, A12105, doi:10.1029/2005JA011343; Reiss et al.
    (2016), Space Weather 14, 495, doi:10.1002/2016SW001390.
    """
    reach = duration(climb)
    if reach > 5 * DAY:
        raise UsageError(f"climb={climb} is above 5d", "high_speed_streams")
    ions = ions_of(moments)
    require_cadence(ions.time, "61min", "the plasma", "high_speed_streams")
    hour, first = np.unique(ions.time // HOUR, return_index=True)
    if hour.size < 12:
        return ()
    hourly = group_means(ions.speed[:, None], first)[:, 0]
    time = hour * HOUR + HOUR // 2
    smooth = means_around(time, hourly, time, 5 * HOUR // 2)
    found = []
    for k in best_of(time, smooth, 3 * DAY):
        low = int(np.searchsorted(time, time[k] - reach))
        before = smooth[low:k]
        higher = np.flatnonzero(before > smooth[k])
        low += int(higher[-1]) + 1 if higher.size else 0
        if smooth[k] < peak or low >= k:
            continue
        foot = low + int(np.argmin(smooth[low:k]))
        height = float(smooth[k] - smooth[foot])
        if height < rise:
            continue
        after = np.flatnonzero(smooth[k:] < smooth[k] - 0.5 * height)
        last = k + int(after[0]) if after.size else smooth.size - 1
        stop = min(int(time[last]), int(time[k]) + 4 * DAY)
        start = int(time[foot])
        span = Interval(start, stop)
        numbers = {"speed_max": float(smooth[k]), "speed_min": float(smooth[foot]), "rise": height,
                   "duration": (stop - start) / HOUR}  # fmt: skip
        found.append(
            Detection(
                "high_speed_stream", start, stop, int(time[k]), 5 * HOUR // 2,
                score(height / rise, float(smooth[k]) / peak),
                (*finite(numbers), *inside(ions, None, span)),
                ("near_gap",) if gap_fraction(time, span) > 0.2 else (),
            )
        )  # fmt: skip
    return events(found, high_speed_streams, dataset, interval)


def _merged(time: Times, runs: list[slice], apart: int) -> list[list[slice]]:
    """Return runs in groups whose neighbours are less than `apart` from each other."""
    groups: list[list[slice]] = []
    for run in runs:
        if groups and time[run.start] - time[groups[-1][-1].stop - 1] < apart:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _flow(ions: Ions, field: Field | None, speed: Array, group: list[slice], flow: float,
          peak: float, absent: list[str]) -> Detection:  # fmt: skip
    """Return a flow: from where it first exceeds `flow` to where it no longer does."""
    time = ions.time
    first, last = group[0].start, group[-1].stop - 1
    while first > 0 and speed[first - 1] > flow and time[first] - time[first - 1] <= _GAP:
        first -= 1
    while last + 1 < time.size and speed[last + 1] > flow and time[last + 1] - time[last] <= _GAP:
        last += 1
    top = group[0].start + int(np.argmax(speed[group[0].start : group[-1].stop]))
    start, stop, edge = edges_of(time, slice(first, last + 1), _GAP)
    vx = ions.velocity[first : last + 1, 0]
    fastest = float(vx[np.argmax(np.abs(vx))])
    span = Interval(start, stop)
    gaps = gap_fraction(time, span)
    said = {
        "speed_max": float(speed[top]),
        "velocity_x_max": fastest,
        "duration": round((stop - start) / SECOND, 1),
    }
    return Detection(
        "bursty_bulk_flow", start, stop, int(time[top]), edge, score(float(speed[top]) / peak),
        (
            *finite(said),
            ("bursts", len(group)),
            ("earthward", int(ions.velocity[top, 0] > 0)),
            *inside(ions, field, span),
            ("gap_fraction", gaps),
        ),
        ("near_gap",) if gaps > 0.2 else (),
        tuple(absent),
    )  # fmt: skip
