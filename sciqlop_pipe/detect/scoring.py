"""How good found moments are against true ones: one to one, within a tolerance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..granule import SECOND, instant
from ..store.records import Event


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
    f, t = sorted(found, key=lambda p: p.time), sorted(true, key=lambda p: p.time)
    when = np.array([p.time for p in t], dtype=np.int64)
    pairs = []
    for i, p in enumerate(f):
        low, high = np.searchsorted(when, [p.time - tolerance, p.time + tolerance + 1])
        pairs += [
            (abs(p.time - t[j].time), i, j)
            for j in range(int(low), int(high))
            if (p.kind, p.sense) == (t[j].kind, t[j].sense)
        ]
    used_f: set[int] = set()
    used_t: set[int] = set()
    distances = []
    for distance, i, j in sorted(pairs):
        if i not in used_f and j not in used_t:
            used_f.add(i)
            used_t.add(j)
            distances.append(distance / SECOND)
    timing = float(np.median(distances)) if distances else float("nan")
    return Score(len(t), len(f), len(distances), timing)
