"""Scores of events: precision, recall, F1, timing, false alarms, and their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...granule import DAY, SECOND, Interval, iso
from .groups import bootstrap
from .matching import Mark, Overlap, Rule, candidates, match
from .points import reliability

RULES: tuple[Rule, ...] = (Overlap(0.0), Overlap(0.3), Overlap(0.5))

Grouping = Callable[[Mark], str]


@dataclass(frozen=True, slots=True)
class RuleScore:
    """How events do under one rule. Intervals are 95 %, by group; None with one group only.

    Parameters
    ----------
    rule : str
        Its name.
    true, found, matched : int
        Counts; matched one to one.
    start_error, stop_error, moment_error : float
        Median absolute distances of matched pairs [s].
    start_bias, stop_bias : float
        Median signed ones, positive when found late [s].
    intervals : dict
        Of "precision", "recall", "f1".
    """

    rule: str
    true: int
    found: int
    matched: int
    start_error: float
    stop_error: float
    moment_error: float
    start_bias: float
    stop_bias: float
    intervals: dict[str, tuple[float, float] | None] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        """Return the part of the found ones that are true."""
        return ratio(self.matched, self.found)

    @property
    def recall(self) -> float:
        """Return the part of the true ones that were found."""
        return ratio(self.matched, self.true)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        return ratio(2 * self.matched, self.true + self.found)

    def as_numbers(self) -> dict[str, Any]:
        """Return everything by name, as JSON takes it."""
        errors = ("start_error", "stop_error", "moment_error", "start_bias", "stop_bias")
        return {
            "true": self.true, "found": self.found, "matched": self.matched,
            "precision": number(self.precision), "recall": number(self.recall),
            "f1": number(self.f1),
            **{f"{k}_s": number(getattr(self, k)) for k in errors},
            "interval_95": {k: [number(x) for x in v] if v else None
                            for k, v in self.intervals.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventScores:
    """Everything that is said of a set of found events.

    Parameters
    ----------
    rules : dict of RuleScore
        By the name of the rule.
    lenient : dict
        "precision", "recall": any overlap, many to many.
    days : float
        How long was both searched and labelled.
    false_alarms_per_day : float
        Found events without a partner under the first rule.
    curve : tuple
        (threshold, precision, recall) at falling thresholds on what `ordered_by` names.
    average_precision : float
        Area under it as a sum of steps; recall that is never reached counts 0.
    calibration : dict
        Expected calibration error of the probability of events, and its bins.
    by_group : dict
        true, found, matched and F1 per group, under the first rule.
    left_out : dict
        How many events were not scored, and why.
    observed : tuple of Interval
        What was scored.
    ordered_by : str
        "probability"; "score" where no event has one; "" where there is neither.
    """

    rules: dict[str, RuleScore]
    lenient: dict[str, float]
    days: float
    false_alarms_per_day: float
    curve: tuple[tuple[float, float, float], ...]
    average_precision: float
    calibration: dict[str, Any]
    by_group: dict[str, dict[str, Any]]
    left_out: dict[str, int]
    observed: tuple[Interval, ...] = ()
    ordered_by: str = "probability"

    def as_numbers(self) -> dict[str, Any]:
        """Return everything by name, as JSON takes it."""
        return {
            "rules": {k: v.as_numbers() for k, v in self.rules.items()},
            "lenient": {k: number(v) for k, v in self.lenient.items()},
            "days_scored": number(self.days),
            "scored": [[iso(s.start), iso(s.stop)] for s in self.observed],
            "false_alarms_per_day": number(self.false_alarms_per_day),
            "average_precision": number(self.average_precision),
            "pr_curve": [[number(x) for x in row] for row in self.curve],
            "ordered_by": self.ordered_by,
            "calibration": self.calibration,
            "by_group": self.by_group,
            "left_out": self.left_out,
        }


def by_year(m: Mark) -> str:
    """Return the year that an event begins in."""
    return iso(m.start)[:4]


def by_day(m: Mark) -> str:
    """Return the day that an event begins in."""
    return iso(m.start)[:10]


def score_events(
    found: Sequence[Mark],
    true: Sequence[Mark],
    observed: Sequence[Interval],
    *,
    rules: Sequence[Rule] = RULES,
    group: Grouping = by_year,
    seed: int = 0,
) -> EventScores:
    """Return how well events were found within what was both searched and labelled.

    A true event counts when more than half of it was observed; a found one when its middle was, or
    when it could be one of these.
    Matched pairs belong to the group of the true event.

    Parameters
    ----------
    found, true : sequences of Mark
        In any order.
    observed : sequence of Interval
        Where somebody looked and somebody labelled; they may touch, not overlap.
    rules : sequence of Rule
        The first is the one of curve, calibration and groups.
    group : callable
        The group of an event: intervals are made by drawing groups anew.
    seed : int
        Of these draws.
    """
    kept_true = [t for t in true if _covered(t, observed) > 0.5 or _is_seen_moment(t, observed)]
    fits = {i for r in rules for _, i, _ in candidates(found, kept_true, r)}
    kept_found = [f for i, f in enumerate(found) if i in fits or _seen(f.moment, observed)]
    pairs = {r.name: match(kept_found, kept_true, r) for r in rules}
    first = rules[0]
    days = sum(s.stop - s.start for s in observed) / DAY
    lone = len(kept_found) - len(pairs[first.name])
    ordered_by, order = _order(kept_found)
    curve = _curve(kept_found, order, kept_true, first)
    return EventScores(
        {r.name: _rule_score(r, kept_found, kept_true, pairs[r.name], group, seed) for r in rules},
        _lenient(kept_found, kept_true, first),
        days,
        ratio(lone, days),
        curve,
        _area(curve),
        _calibration(kept_found, pairs[first.name]),
        _by_group(kept_found, kept_true, pairs[first.name], group),
        {"found_unlabelled": len(found) - len(kept_found),
         "true_unobserved": len(true) - len(kept_true)},
        tuple(observed),
        ordered_by,
    )  # fmt: skip


def ratio(a: float, b: float) -> float:
    """Return a / b, NaN when there is nothing to divide by."""
    return a / b if b else float("nan")


def number(x: float, digits: int = 4) -> float | None:
    """Return a number as JSON takes it: rounded, None when it is none."""
    return round(float(x), digits) if np.isfinite(x) else None


def _seen(moment: int, observed: Sequence[Interval]) -> bool:
    return any(s.start <= moment < s.stop for s in observed)


def _is_seen_moment(t: Mark, observed: Sequence[Interval]) -> bool:
    return t.start == t.stop and _seen(t.moment, observed)


def _covered(t: Mark, observed: Sequence[Interval]) -> float:
    shared = sum(max(0, min(t.stop, s.stop) - max(t.start, s.start)) for s in observed)
    return shared / (t.stop - t.start) if t.stop > t.start else 0.0


def _rule_score(
    rule: Rule, found: Sequence[Mark], true: Sequence[Mark], pairs: list[tuple[int, int]],
    group: Grouping, seed: int,
) -> RuleScore:  # fmt: skip
    d = np.array(
        [(found[i].start - true[j].start, found[i].stop - true[j].stop,
          found[i].moment - true[j].moment) for i, j in pairs], dtype=np.float64,
    ).reshape(-1, 3) / SECOND  # fmt: skip
    size = np.median(np.abs(d), axis=0) if len(d) else np.full(3, np.nan)
    bias = np.median(d, axis=0) if len(d) else np.full(3, np.nan)
    counts = _counts(found, true, pairs, group)
    return RuleScore(
        rule.name, len(true), len(found), len(pairs), float(size[0]), float(size[1]),
        float(size[2]), float(bias[0]), float(bias[1]), _intervals(counts, seed),
    )  # fmt: skip


def _counts(
    found: Sequence[Mark], true: Sequence[Mark], pairs: list[tuple[int, int]], group: Grouping
) -> dict[str, NDArray[np.float64]]:
    """Return true, found and matched per group."""
    partner = dict(pairs)
    counts: dict[str, NDArray[np.float64]] = {}
    for t in true:
        counts.setdefault(group(t), np.zeros(3))[0] += 1
    for i, f in enumerate(found):
        mine = group(true[partner[i]]) if i in partner else group(f)
        counts.setdefault(mine, np.zeros(3))[1:] += (1, i in partner)
    return counts


def _intervals(
    counts: dict[str, NDArray[np.float64]], seed: int
) -> dict[str, tuple[float, float] | None]:
    table = np.stack(list(counts.values())) if counts else np.zeros((0, 3))

    def of(make: Callable[[float, float, float], float]) -> tuple[float, float] | None:
        return bootstrap(table, lambda total: make(*total.tolist()), seed=seed)

    return {
        "precision": of(lambda t, f, m: ratio(m, f)),
        "recall": of(lambda t, f, m: ratio(m, t)),
        "f1": of(lambda t, f, m: ratio(2 * m, t + f)),
    }


def _by_group(
    found: Sequence[Mark], true: Sequence[Mark], pairs: list[tuple[int, int]], group: Grouping
) -> dict[str, dict[str, Any]]:
    return {
        k: {"true": int(t), "found": int(f), "matched": int(m), "f1": number(ratio(2 * m, t + f))}
        for k, (t, f, m) in sorted(_counts(found, true, pairs, group).items())
    }


def _lenient(found: Sequence[Mark], true: Sequence[Mark], rule: Rule) -> dict[str, float]:
    pairs = candidates(found, true, rule)
    precision = ratio(len({i for _, i, _ in pairs}), len(found))
    recall = ratio(len({j for _, _, j in pairs}), len(true))
    both = precision + recall
    return {"precision": precision, "recall": recall, "f1": ratio(2 * precision * recall, both)}


def _order(found: Sequence[Mark]) -> tuple[str, NDArray[np.float64]]:
    """Return what found events are ordered by, and its values: probability, else score."""
    for name in ("probability", "score"):
        values = np.array([getattr(f, name) for f in found], np.float64)
        if np.isfinite(values).any():
            return name, values
    return "", np.full(len(found), np.nan)


def _curve(
    found: Sequence[Mark], sure: NDArray[np.float64], true: Sequence[Mark], rule: Rule
) -> tuple[tuple[float, float, float], ...]:
    """Return (threshold, precision, recall), the matching made anew at each threshold."""
    levels = np.unique(sure[np.isfinite(sure)])[::-1]
    if levels.size > 200:
        levels = levels[np.linspace(0, levels.size - 1, 200).astype(int)]
    rows = []
    for level in levels.tolist():
        kept = [f for f, value in zip(found, sure, strict=True) if value >= level]
        matched = len(match(kept, true, rule))
        rows.append((level, ratio(matched, len(kept)), ratio(matched, len(true))))
    return tuple(rows)


def _area(curve: Sequence[tuple[float, float, float]]) -> float:
    if not curve:
        return float("nan")
    area, before = 0.0, 0.0
    for _, precision, recall in curve:
        area += max(recall - before, 0.0) * precision
        before = max(before, recall)
    return area


def _calibration(found: Sequence[Mark], pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    right = np.zeros(len(found), bool)
    right[[i for i, _ in pairs]] = True
    sure = np.array([f.probability for f in found])
    known = np.isfinite(sure)
    return reliability(sure[known], right[known]).as_numbers()
