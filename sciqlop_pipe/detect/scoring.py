"""How good found moments are against true ones: one to one, within a tolerance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..granule import SECOND, instant
from ..store.records import Event
from .evaluation.matching import Mark, Within, match


@dataclass(frozen=True, slots=True)
class Point:
    """Something that happens at one moment: when [ns since 1970 UTC], and what."""

    time: int
    kind: str
    sense: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """How many were found, how many of those are true, and how far off in time [s]."""

    true: int
    found: int
    matched: int
    timing: float

    @property
    def precision(self) -> float:
        """Return the part of the found ones that are true."""
        return self.matched / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Return the part of the true ones that were found."""
        return self.matched / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        both = self.true + self.found
        return 2 * self.matched / both if both else float("nan")

    def as_numbers(self) -> dict[str, Any]:
        """Return what a model card says of it; None where there is nothing to divide by."""
        numbers = {"precision": self.precision, "recall": self.recall, "f1": self.f1,
                   "median_timing_s": self.timing}  # fmt: skip
        rounded = {k: round(v, 3) if np.isfinite(v) else None for k, v in numbers.items()}
        return {"true": self.true, "found": self.found, **rounded}


def points(events: Iterable[Event]) -> list[Point]:
    """Return the moments of events: attribute `time`, or the middle where there is none."""
    found = []
    for e in events:
        known = dict(e.attributes)
        time = instant(known["time"]) if "time" in known else (e.start + e.stop) // 2
        found.append(Point(time, e.kind, str(known.get("sense", ""))))
    return found


def score(found: Iterable[Point], true: Iterable[Point], tolerance: int = 60 * SECOND) -> Score:
    """Return precision, recall, F1 and median timing error of found moments.

    Pairs are of one kind and sense, made nearest first, each moment used once.

    Parameters
    ----------
    found, true : iterables of Point
        In any order.
    tolerance : int
        Largest distance of a pair [ns].
    """
    f = [Mark(p.time, p.time, p.kind, p.sense) for p in found]
    t = [Mark(p.time, p.time, p.kind, p.sense) for p in true]
    off = [abs(f[i].moment - t[j].moment) / SECOND for i, j in match(f, t, Within(tolerance))]
    return Score(len(t), len(f), len(off), float(np.median(off)) if off else float("nan"))
