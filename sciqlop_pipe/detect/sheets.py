"""Events: current sheets and discontinuities of the field."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from ..datatypes import Events, VectorSeries
from ..granule import MINUTE, SECOND, Interval, duration
from ..model import Margin, recipe
from ..recipes.turbulence import pvi
from ..store.records import Event
from .describing import Detection, events, finite, score, sides, vector_numbers
from .normals import minimum_variance
from .series import (
    Array,
    Field,
    Times,
    best_of,
    field_of,
    require_cadence,
    stretches,
    within,
)

_LEAST = 3


@recipe(gives=Events, version=1, gaps_ok=True)
def current_sheets(
    b: Annotated[VectorSeries, Margin("lag"), Margin("average"), Margin("2min")],
    *,
    dataset: str,
    interval: Interval,
    threshold: float = 3.0,
    lag: str = "1s",
    average: str = "5min",
) -> tuple[Event, ...]:
    """Current sheets and other sharp changes of the field, where its PVI is high, in time order.

    A stretch where PVI = |dB| / sqrt(<|dB|^2>) exceeds `threshold`, dB over `lag` and the mean
    over `average`. Stretches less than a lag apart are one.

    Attributes: pvi (the largest), rotation [deg] between the medians of the field within three
    lags before and after, `normal` by minimum variance and its ratio, magnetic_field before,
    after and jump.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT], at least two records per lag.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    threshold : float
        [1]; 3 is common, unconfirmed in the first paper.
    lag, average : str
        Durations.

    Raises
    ------
    UsageError
        When records are slower than one per lag.

    References
    ----------
    Greco et al. (2008), Geophys. Res. Lett. 35, L19111, doi:10.1029/2008GL035454; Greco et al.
    (2018), Space Sci. Rev. 214, 1, doi:10.1007/s11214-017-0435-8.
    """
    field = field_of(b)
    require_cadence(field.time, lag, "the field", "current_sheets")
    step = duration(lag)
    clean = b.isel(time=np.searchsorted(b["time"].values.astype(np.int64), field.time))
    index = pvi.fn(clean, lag=lag, average=average)
    time, value = index["time"].values.astype(np.int64), index["value"].values
    found = []
    with np.errstate(invalid="ignore"):
        high = stretches(value > threshold, time, step)
    for first, last in _joined_runs(time, high, step):
        part = slice(first, last + 1)
        top = first + int(np.argmax(value[part]))
        start, stop = int(time[first]) - step // 2, int(time[last]) + step // 2
        before = Interval(start - 3 * step, start)
        after = Interval(stop, stop + 3 * step)
        found.append(
            Detection(
                "current_sheet", start, max(stop, start + 1), int(time[top]), step // 2,
                score(float(value[top]) / threshold),
                (
                    *finite({"pvi": float(value[top])}),
                    *finite({"rotation": _rotation(field, before, after)}),
                    *_normal(field, Interval(before.start, after.stop)),
                    *sides(None, field, before, after)[-3:],
                ),
            )
        )  # fmt: skip
    return events(found, current_sheets, dataset, interval)


@recipe(gives=Events, version=1, gaps_ok=True)
def discontinuities(
    b: Annotated[VectorSeries, Margin("10min")],
    *,
    dataset: str,
    interval: Interval,
    part: float = 0.5,
    fluctuations: float = 2.0,
) -> tuple[Event, ...]:
    """Directional discontinuities of the solar wind in 1 min means of the field, in time order.

    With B(i) the mean over a minute of UTC, |B(i) - B(i-3)| > `part` of the larger |B|, and above
    `fluctuations` times the standard deviation |dB| on both sides (3 min each). Of neighbours the
    largest counts; it is placed where the field itself turns most within these minutes.

    By minimum variance of the minutes around it the kind is, with Bn over and d|B| over the
    larger |B|: rotational_discontinuity (Bn at least 0.4, d|B| below 0.2),
    tangential_discontinuity (Bn below 0.4, d|B| at least 0.2), either_discontinuity (both
    below), neither_discontinuity (Smith 1973). A ratio of variances below 2 leaves Bn unknown:
    flag weak_normal.

    Attributes: change [nT] (|dB|), normal_field [1], field_change [1], rotation [deg], `normal`,
    its ratio, magnetic_field before, after and jump.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT], a record in 20 s or faster.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    part, fluctuations : float
        [1] (part: confirmed; fluctuations: unconfirmed).

    Raises
    ------
    UsageError
        When records are slower than one in 20 s.

    References
    ----------
    Tsurutani and Smith (1979), J. Geophys. Res. 84, 2773, doi:10.1029/JA084iA06p02773; Smith
    (1973), J. Geophys. Res. 78, 2054, doi:10.1029/JA078i013p02054.
    """
    field = field_of(b)
    require_cadence(field.time, "20s", "the field", "discontinuities")
    minute, mean = _minutes(field)
    if not minute.size:
        return ()
    low = np.searchsorted(minute, minute - 3 * MINUTE)
    low = np.minimum(low, minute.size - 1)
    paired = minute[low] == minute - 3 * MINUTE
    change = np.linalg.norm(mean - mean[low], axis=1)
    larger = np.maximum(np.linalg.norm(mean, axis=1), np.linalg.norm(mean[low], axis=1))
    at = np.flatnonzero(paired & (change > part * larger))
    # The minutes before minute i-2 and after i-1: the discontinuity lies between them.
    found = []
    for k in best_of(minute[at], change[at] / larger[at], 3 * MINUTE):
        i = int(at[k])
        inner = Interval(int(minute[i]) - 2 * MINUTE, int(minute[i]))
        made = _discontinuity(field, inner, float(change[i]), float(larger[i]), part, fluctuations)
        if made is not None:
            found.append(made)
    return events(found, discontinuities, dataset, interval)


def _joined_runs(time: Times, runs: list[slice], apart: int) -> list[tuple[int, int]]:
    joined_: list[tuple[int, int]] = []
    for run in runs:
        if joined_ and time[run.start] - time[joined_[-1][1]] <= apart:
            joined_[-1] = (joined_[-1][0], run.stop - 1)
        else:
            joined_.append((run.start, run.stop - 1))
    return joined_


def _rotation(field: Field, before: Interval, after: Interval) -> float:
    a, z = (field.vector[within(field.time, s)] for s in (before, after))
    if not (len(a) and len(z)):
        return float("nan")
    u, v = np.median(a, axis=0), np.median(z, axis=0)
    cosine = u @ v / (np.linalg.norm(u) * np.linalg.norm(v))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _normal(field: Field, span: Interval) -> tuple[tuple[str, Any], ...]:
    found = minimum_variance(field.vector[within(field.time, span)])
    direction = np.full(3, np.nan) if found is None else found.direction
    ratio = float("nan") if found is None else found.ratio
    return (*vector_numbers("normal", direction, field.frame), *finite({"normal_ratio": ratio}))


def _minutes(field: Field) -> tuple[Times, Array]:
    """Return the starts of full minutes with records, and the mean field of each."""
    minute, first = np.unique(field.time // MINUTE, return_index=True)
    if not minute.size:
        return minute, np.zeros((0, 3))
    count = np.diff(np.r_[first, field.time.size])
    return minute * MINUTE, np.add.reduceat(field.vector, first, axis=0) / count[:, None]


def _discontinuity(field: Field, inner: Interval, change: float, larger: float, part: float,
                   fluctuations: float) -> Detection | None:  # fmt: skip
    before = Interval(inner.start - 3 * MINUTE, inner.start)
    after = Interval(inner.stop, inner.stop + 3 * MINUTE)
    a, z = (field.vector[within(field.time, s)] for s in (before, after))
    if len(a) < _LEAST or len(z) < _LEAST:
        return None
    noise = max(float(np.sqrt(a.var(axis=0).sum())), float(np.sqrt(z.var(axis=0).sum())), 1e-9)
    if not change > fluctuations * noise:
        return None
    time, edge = _turning(field, inner, a.mean(axis=0), z.mean(axis=0))
    around = Interval(time - MINUTE, time + MINUTE)
    found = minimum_variance(field.vector[within(field.time, around)])
    weak = found is None or found.ratio < 2
    mean = 0.5 * (a.mean(axis=0) + z.mean(axis=0))
    normal_field = (
        float("nan") if found is None or weak else abs(float(mean @ found.direction)) / larger
    )
    field_change = (
        abs(float(np.linalg.norm(a.mean(axis=0)) - np.linalg.norm(z.mean(axis=0)))) / larger
    )
    kind = {(True, False): "rotational", (False, True): "tangential", (False, False): "either",
            (True, True): "neither"}[bool(normal_field >= 0.4), field_change >= 0.2]  # fmt: skip
    half = max(edge, SECOND)
    return Detection(
        f"{kind}_discontinuity", time - half, time + half, time, edge,
        score(change / larger / part, change / noise / fluctuations),
        (
            *finite({"change": change, "normal_field": normal_field, "field_change": field_change,
                     "rotation": _rotation(field, before, after)}),
            *_normal(field, around),
            *sides(None, field, before, after)[-3:],
        ),
        ("weak_normal",) if weak else (),
    )  # fmt: skip


def _turning(field: Field, inner: Interval, before: Array, after: Array) -> tuple[int, int]:
    """Return when the field is half way from before to after, and how long it takes [ns]."""
    part = within(field.time, inner.padded(MINUTE))
    time = field.time[part]
    way = after - before
    done = (field.vector[part] - before) @ way / float(way @ way)
    cost = np.cumsum(np.abs(np.clip(done, 0, 1)))[:-1]
    cost = cost + np.cumsum(np.abs(1 - np.clip(done, 0, 1))[::-1])[::-1][1:]
    k = int(np.argmin(cost)) + 1
    at = int(time[k - 1] + (time[k] - time[k - 1]) // 2)
    below, above = time[(done <= 0.2) & (time <= at)], time[(done >= 0.8) & (time >= at)]
    start = int(below[-1]) if below.size else int(time[0])
    stop = int(above[0]) if above.size else int(time[-1])
    return at, max(at - start, stop - at)
