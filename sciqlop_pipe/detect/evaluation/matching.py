"""Pairs of found and true events: one to one, by overlap or by distance in time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...granule import instant
from ...pairing import iou, one_to_one
from ...store.records import Event

Pair = tuple[int, int]
"""Number of a found event, number of the true one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event as far as scoring goes; times in ns since 1970 UTC.

    Parameters
    ----------
    start, stop : int
        Where it begins and ends; equal for a moment.
    kind, sense : str
        What it is; empty matches anything.
    probability : float
        How sure its finder was, NaN when it did not say.
    time : int, optional
        The moment it is about, e.g. of a crossing; its middle when left out.
    source : str
        Where it comes from, e.g. the origin that a list names.
    score : float
        What orders its finder's events where that gave no probability, NaN when it did not say.
    """

    start: int
    stop: int
    kind: str = ""
    sense: str = ""
    probability: float = float("nan")
    time: int | None = None
    source: str = ""
    score: float = float("nan")

    @property
    def moment(self) -> int:
        """Return the moment that it is about."""
        return (self.start + self.stop) // 2 if self.time is None else self.time


def mark(event: Event) -> Mark:
    """Return an event of a store as a mark: moment, probability and score from its attributes."""
    known: dict[str, Any] = dict(event.attributes)

    def said(name: str) -> float:
        return float("nan") if known.get(name) is None else float(known[name])

    return Mark(
        event.start,
        event.stop,
        event.kind,
        str(known.get("sense") or ""),
        said("probability"),
        instant(known["time"]) if known.get("time") else None,
        score=said("score"),
    )


class Rule(Protocol):
    """Says which found events are which true ones."""

    @property
    def name(self) -> str:
        """Return how the rule is called in a report."""

    def reach(self, m: Mark) -> tuple[int, int]:
        """Return the first and last time at which a partner of a mark may lie."""

    def near(self, m: Mark) -> tuple[int, int]:
        """Return what of a mark must touch the reach of another."""

    def closeness(self, found: Mark, true: Mark) -> float | None:
        """Return how well two fit, greater is better; None when they do not."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two events are the same if intersection over union exceeds `above` (0: any overlap)."""

    above: float = 0.0

    @property
    def name(self) -> str:
        """Return for example "iou>0.3"."""
        return f"iou>{self.above:g}"

    def reach(self, m: Mark) -> tuple[int, int]:
        """Return the event itself."""
        return m.start, m.stop

    def near(self, m: Mark) -> tuple[int, int]:
        """Return the event itself."""
        return m.start, m.stop

    def closeness(self, found: Mark, true: Mark) -> float | None:
        """Return the intersection over union when it is large enough."""
        value = iou(found, true)
        return value if value > self.above else None


@dataclass(frozen=True, slots=True)
class Within:
    """Two events are the same if their moments are at most `tolerance` apart [ns]."""

    tolerance: int

    @property
    def name(self) -> str:
        """Return for example "within 60 s"."""
        return f"within {self.tolerance / 1e9:g} s"

    def reach(self, m: Mark) -> tuple[int, int]:
        """Return the moment, widened by the tolerance."""
        return m.moment - self.tolerance, m.moment + self.tolerance

    def near(self, m: Mark) -> tuple[int, int]:
        """Return the moment."""
        return m.moment, m.moment

    def closeness(self, found: Mark, true: Mark) -> float | None:
        """Return minus the distance [ns]."""
        apart = abs(found.moment - true.moment)
        return -float(apart) if apart <= self.tolerance else None


def candidates(
    found: Sequence[Mark], true: Sequence[Mark], rule: Rule
) -> list[tuple[float, int, int]]:
    """Return every pair that a rule allows: closeness, number found, number true.

    Parameters
    ----------
    found, true : sequences of Mark
        In any order; kinds and senses that contradict each other never pair.
    rule : Rule
        What counts as the same.
    """
    spans = [rule.near(t) for t in true]
    order = sorted(range(len(true)), key=lambda j: spans[j])
    firsts = [spans[j][0] for j in order]
    longest = max((b - a for a, b in spans), default=0)
    pairs = []
    for i, f in enumerate(found):
        low, high = rule.reach(f)
        pairs += [
            (value, i, j)
            for j in order[bisect_left(firsts, low - longest) : bisect_right(firsts, high)]
            if _alike(f, true[j]) and (value := rule.closeness(f, true[j])) is not None
        ]
    return pairs


def match(found: Sequence[Mark], true: Sequence[Mark], rule: Rule) -> list[Pair]:
    """Return the pairs of a one-to-one matching, best first: each event is used once.

    Parameters
    ----------
    found, true : sequences of Mark
        In any order.
    rule : Rule
        What counts as the same.
    """
    return one_to_one(candidates(found, true, rule))


def _alike(a: Mark, b: Mark) -> bool:
    return all(not x or not y or x == y for x, y in ((a.kind, b.kind), (a.sense, b.sense)))
