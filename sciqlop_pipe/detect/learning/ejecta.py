"""Training of the ICME model: hours, then intervals, each judged by years it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...granule import Interval
from .. import hourly, obstacles
from ..drift import Seen, learn_seen
from ..evaluation.events import EventScores, by_year, score_events
from ..evaluation.matching import Mark
from ..evaluation.points import reliability
from ..evaluation.stored import common
from ..icme_model import Forest, IcmeModel, Linear
from ..models import Card
from .labelled_hours import Labelled, blinded, years_of

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_STRENGTH = 0.001  # C of the regression
_NEAR = 48  # hours around events that are all trained on; of the others
_EVERY = 3  # every third
_TREES, _LEAF, _SHARE = 60, 5, 0.4
_THRESHOLDS = np.arange(0.15, 0.6, 0.025)
_SEEN = tuple(f"{n}_mean_7h" for n in ("field", "density", "speed", "temperature"))


@dataclass(frozen=True, slots=True)
class Spans:
    """Candidate intervals with their features, best overlap and year."""

    intervals: Numbers
    matrix: NDArray[np.float32]
    overlap: Array
    group: Numbers
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Validated:
    """What models say that have not seen the year, nor has anything that chose for them.

    Parameters
    ----------
    found : tuple of Mark
        Events of all years left out, each by the model of the others.
    scores : EventScores
        Of these.
    hourly : dict
        Area under the curves of the probability of hours, calibration.
    thresholds : dict
        Chosen for each year, on the others.
    """

    found: tuple[Mark, ...]
    scores: EventScores
    hourly: dict[str, Any]
    thresholds: dict[str, float]


def validate(data: Labelled, *, seed: int = 0) -> Validated:
    """Return how events are found in years that are left out in turn, everything nested.

    For each year: hours by a regression on the others; for the forest of intervals and for the
    threshold, hours of every other year by a regression on the rest.

    Parameters
    ----------
    data : Labelled
        Of at least three years with events.
    seed : int
        Of the forests.

    Raises
    ------
    UsageError
        When there are fewer years.
    """
    years = years_of(data)
    without = {pair: _probability(data, pair) for pair in _pairs(years)}
    found: list[Mark] = []
    sure = np.full(len(data.hours), np.nan)
    thresholds: dict[str, float] = {}
    for year in years:
        series = np.full(len(data.hours), np.nan)
        for other in years:
            part = data.group == other
            series[part] = without[tuple(sorted({year, other}))][part]
        mine = data.group == year
        sure[mine] = series[mine]
        spans = _spans(data, series)
        rest = [y for y in years if y != year]
        inner = _out_of_fold(spans, rest, seed)
        threshold = _threshold(data, spans, inner, rest)
        thresholds[str(year)] = round(threshold, 3)
        forest = _forest(spans, np.isin(spans.group, rest), seed)
        calibration = _calibrated(spans, inner)
        model = IcmeModel(Linear(*(np.zeros(0),) * 5), forest, threshold, calibration,
                          Card("", ""))  # fmt: skip
        there = _around(mine)
        events = model.intervals(data.hours[there], data.matrix[there], series[there])
        found += [
            Mark(e.start, e.stop, probability=e.probability)
            for e in events
            if by_year(Mark(e.start, e.stop)) == str(year)
        ]
    out = [Interval.of(f"{year}-01-01", f"{year + 1}-01-01") for year in years]
    seen = common(data.spans, out)
    scores = score_events(found, data.marks, seen, group=by_year, seed=seed)
    return Validated(tuple(found), scores, _hour_scores(data, sure), thresholds)


def fit(data: Labelled, card: Card, *, seed: int = 0) -> IcmeModel:
    """Return a model trained on all years.

    Parameters
    ----------
    data : Labelled
        Of at least three years with events.
    card : Card
        What is to be known of it.
    seed : int
        Of the forest.
    """
    poor = _fitted(blinded(data), card, seed)
    return replace(_fitted(data, card, seed), seen=_seen(data, years_of(data)), poor=poor)


def _fitted(data: Labelled, card: Card, seed: int) -> IcmeModel:
    years = years_of(data)
    series = np.full(len(data.hours), np.nan)
    for year in years:
        series[data.group == year] = _probability(data, (year,))[data.group == year]
    spans = _spans(data, series)
    inner = _out_of_fold(spans, list(years), seed)
    return IcmeModel(
        _linear(data, ()), _forest(spans, np.isin(spans.group, years), seed),
        round(_threshold(data, spans, inner, list(years)), 4), _calibrated(spans, inner), card,
    )  # fmt: skip


def _pairs(years: Sequence[int]) -> Iterator[tuple[int, ...]]:
    yield from ((y,) for y in years)
    yield from combinations(years, 2)


def _around(mine: NDArray[np.bool_]) -> slice:
    at = np.flatnonzero(mine)
    return slice(max(int(at[0]) - hourly.CONTEXT, 0), int(at[-1]) + hourly.CONTEXT)


def _training(data: Labelled, without: Sequence[int]) -> tuple[NDArray[np.bool_], Array]:
    """Return which hours are trained on, and how much each counts."""
    edges = np.flatnonzero(np.diff(data.inside.astype(np.int8)))
    near = data.inside.copy()
    for edge in edges.tolist():
        near[max(edge - _NEAR, 0) : edge + _NEAR] = True
    some = near | (np.arange(near.size) % _EVERY == 0)
    keep = data.known & some & ~np.isin(data.group, without)
    return keep, data.weight * np.where(near, 1.0, float(_EVERY))


def _linear(data: Labelled, without: Sequence[int]) -> Linear:
    from sklearn.linear_model import LogisticRegression

    keep, weight = _training(data, without)
    x, y = data.matrix[keep], data.inside[keep]
    if not y.any() or y.all():
        raise UsageError("the hours are all inside events, or all outside", "icme",
                         "Label both")  # fmt: skip
    with np.errstate(all="ignore"):
        median = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0
                           for c in x.T])  # fmt: skip
    filled = np.where(np.isfinite(x), x, median)
    mean, scale = filled.mean(axis=0), filled.std(axis=0) + 1e-9
    rows = np.clip((filled - mean) / scale, -5, 5)
    fitted = LogisticRegression(C=_STRENGTH, max_iter=80, tol=1e-3).fit(
        rows, y, sample_weight=weight[keep]
    )
    return Linear(median, mean, scale, fitted.coef_[0].astype(float),
                  fitted.intercept_.astype(float))  # fmt: skip


def _probability(data: Labelled, without: tuple[int, ...]) -> Array:
    """Return the probability of the hours of some years by a model of the others; NaN elsewhere."""
    linear = _linear(data, without)
    mine = np.isin(data.group, without)
    result = np.full(len(data.hours), np.nan)
    result[mine] = linear.probability(data.matrix[mine])
    return result


def _spans(data: Labelled, probability: Array) -> Spans:
    """Return the candidates of the labelled time, with what they are worth."""
    clear = np.where(obstacles.gaps(data.hours, data.matrix), np.nan, probability)
    intervals = obstacles.candidates(clear)
    true = np.array([(m.start, m.stop) for m in data.taught], np.float64).reshape(-1, 2)
    middle = intervals.mean(axis=1).astype(np.int64)
    return Spans(
        intervals, obstacles.interval_features(data.hours, clear, intervals),
        obstacles.overlaps(intervals, data.hours, true), data.group[middle],
        data.known[middle] | data.inside[middle],
    )  # fmt: skip


def _forest(spans: Spans, keep: NDArray[np.bool_], seed: int) -> Forest:
    from sklearn.ensemble import ExtraTreesRegressor

    keep = keep & spans.known
    fitted = ExtraTreesRegressor(
        _TREES, min_samples_leaf=_LEAF, max_features=_SHARE, random_state=seed
    ).fit(spans.matrix[keep], spans.overlap[keep])
    trees = [t.tree_ for t in fitted.estimators_]
    offset = np.cumsum([0, *(t.node_count for t in trees)])[:-1]

    def joined(name: str, shift: bool = False) -> NDArray[Any]:
        parts = [
            getattr(t, name) + (k * (getattr(t, name) >= 0) if shift else 0)
            for t, k in zip(trees, offset, strict=True)
        ]
        return np.concatenate(parts)

    return Forest(
        offset.astype(np.int64), joined("feature").astype(np.int64),
        joined("threshold").astype(np.float64), joined("children_left", True).astype(np.int64),
        joined("children_right", True).astype(np.int64),
        np.concatenate([t.value[:, 0, 0] for t in trees]).astype(np.float64),
    )  # fmt: skip


def _out_of_fold(spans: Spans, years: Sequence[int], seed: int) -> Array:
    """Return the expected overlap of candidates by forests of the other years; NaN elsewhere."""
    result = np.full(len(spans.intervals), np.nan)
    for year in years:
        mine = spans.group == year
        if mine.any():
            others = np.isin(spans.group, [y for y in years if y != year])
            result[mine] = _forest(spans, others, seed).overlap(spans.matrix[mine])
    return result


def _threshold(data: Labelled, spans: Spans, overlap: Array, years: Sequence[int]) -> float:
    """Return the least overlap that does best on some years, by F1 above 0 and above 0.3."""
    best, chosen = -1.0, float(_THRESHOLDS[0])
    marks = [m for m in data.marks if int(by_year(m)) in years]
    for threshold in _THRESHOLDS.tolist():
        events: list[Mark] = []
        for year in years:
            mine = np.flatnonzero((spans.group == year) & spans.known)
            taken = mine[obstacles.chosen(spans.intervals[mine], overlap[mine], threshold)]
            events += [_mark(data, *spans.intervals[i]) for i in taken]
        rules = _both_scores(events, marks)
        if rules > best:
            best, chosen = rules, threshold
    return chosen


def _both_scores(found: Sequence[Mark], true: Sequence[Mark]) -> float:
    """Return the sum of F1 with any overlap and with one above 0.3."""
    from ..evaluation.matching import Overlap, match

    both = len(found) + len(true)
    return sum(2 * len(match(found, true, Overlap(x))) / both for x in (0.0, 0.3)) if both else 0.0


def _mark(data: Labelled, first: int, stop: int) -> Mark:
    half = (data.hours.time[1] - data.hours.time[0]) // 2
    return Mark(int(data.hours.time[first] - half), int(data.hours.time[stop - 1] + half))


def _calibrated(spans: Spans, overlap: Array) -> Array:
    """Return intercept and slope of the log odds of being true over the expected overlap.

    Platt, in Advances in Large Margin Classifiers, 61, 1999, on events that would be taken.
    """
    from sklearn.linear_model import LogisticRegression

    known = np.flatnonzero(np.isfinite(overlap) & spans.known)
    taken = known[obstacles.chosen(spans.intervals[known], overlap[known], _THRESHOLDS[0])]
    right = spans.overlap[taken] > 0
    if right.all() or not right.any():
        return np.array([0.0, 1.0])
    fitted = LogisticRegression(C=100.0).fit(overlap[taken][:, None], right)
    return np.array([fitted.intercept_[0], fitted.coef_[0, 0]])


def _seen(data: Labelled, years: Sequence[int]) -> Seen:
    columns = [hourly.names().index(n) for n in _SEEN]
    x = data.matrix[:, columns]
    keep = np.flatnonzero(data.known & np.isfinite(x).all(axis=1) & np.isin(data.group, years))[::3]
    return learn_seen(_SEEN, x[keep], data.inside[keep].astype(np.int64), data.group[keep])


def _hour_scores(data: Labelled, probability: Array) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    keep = data.scored & np.isfinite(probability)
    truth, said = data.truth[keep], probability[keep]
    guess = said > 0.5
    return {
        "hours": int(keep.sum()), "inside": int(truth.sum()),
        "roc_auc": round(float(roc_auc_score(truth, said)), 4),
        "average_precision": round(float(average_precision_score(truth, said)), 4),
        "ece": round(reliability(np.maximum(said, 1 - said), guess == truth).error, 4),
    }  # fmt: skip
