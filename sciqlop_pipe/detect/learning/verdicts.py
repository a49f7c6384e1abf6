"""What people said of events, as labels to learn from, and which events to ask them about next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...catalog import Catalog
from ...granule import DAY
from ...store.events import Verdict
from ...store.records import Event
from ..evaluation.matching import Mark, iou, mark

WEIGHT = 3.0
"""How much an hour somebody looked at counts, against one of a list."""


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of time about which somebody said whether there is an event.

    Parameters
    ----------
    start, stop : int
        [ns since 1970 UTC].
    true : bool
        Whether there is one.
    weight : float
        How much it counts: less where people disagree.
    kind : str
        Of the event.
    """

    start: int
    stop: int
    true: bool
    weight: float = WEIGHT
    kind: str = ""


def said_of(catalog: Catalog) -> tuple[Said, ...]:
    """Return what verdicts on a catalog say of stretches of time, in time order.

    The last verdict of each author counts. Accepted events are true where they are, moved ones
    where they were moved to, and not true where they were before outside of that; rejected ones are
    not true; missed ones are true. Authors who disagree on an event weigh as the difference of
    their numbers over all of them; a tie says nothing.

    Parameters
    ----------
    catalog : Catalog
        With its verdicts.
    """
    found: list[Said] = []
    for event in catalog.events:
        latest = _latest(catalog.verdicts.get(event.id, ()))
        if not latest:
            continue
        against = sum(v.verdict == "reject" for v in latest)
        weight = WEIGHT * abs(len(latest) - 2 * against) / len(latest)
        if weight == 0.0:
            continue
        if 2 * against > len(latest):
            found.append(Said(event.start, event.stop, False, weight, event.kind))
            continue
        moved = [v for v in latest if v.verdict == "moved" and v.start is not None]
        start, stop = event.start, event.stop
        if moved and moved[-1].start is not None and moved[-1].stop is not None:
            start, stop = moved[-1].start, moved[-1].stop
            found += [Said(a, b, False, weight, event.kind) for a, b in
                      _outside((event.start, event.stop), (start, stop))]  # fmt: skip
        found.append(Said(start, stop, True, weight, event.kind))
    found += [
        Said(v.start, v.stop, True)
        for v in _latest(catalog.unmatched)
        if v.verdict == "missed" and v.start is not None and v.stop is not None
    ]
    return tuple(sorted(found, key=lambda s: (s.start, s.stop)))


def _latest(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the last verdict of each author, on each event, in the order they were given."""
    last = {(v.event, v.author): v for v in sorted(verdicts, key=lambda v: v.at)}
    return sorted(last.values(), key=lambda v: v.at)


def _outside(old: tuple[int, int], new: tuple[int, int]) -> list[tuple[int, int]]:
    pieces = [(old[0], min(old[1], new[0])), (max(old[0], new[1]), old[1])]
    return [(a, b) for a, b in pieces if b > a]


def taught(marks: Sequence[Mark], said: Sequence[Said]) -> tuple[Mark, ...]:
    """Return the events of lists as corrected by verdicts: without the refuted, with the added.

    Parameters
    ----------
    marks : sequence of Mark
        Of the lists.
    said : sequence of Said
        From `said_of`.
    """
    spans = [(Mark(s.start, s.stop), s.true) for s in said]
    kept = [
        m for m in marks
        if not any(iou(m, s) > 0.5 if not true else iou(m, s) > 0 for s, true in spans)
    ]  # fmt: skip
    added = [s for s, true in spans if true]
    return tuple(sorted([*kept, *added], key=lambda m: (m.start, m.stop)))


@dataclass(frozen=True, slots=True)
class Question:
    """An event worth looking at, how much, and why."""

    event: Event
    worth: float
    why: str


def next_questions(
    catalog: Catalog, count: int = 10, *, others: Sequence[Catalog] = ()
) -> list[Question]:
    """Return the events whose verdict would teach most, at most one a day, best first.

    Worth is the sum of how unsure the detector is, 1 - |2p - 1| (Lewis and Gale, SIGIR 3, 1994);
    of how far the event is from what it has seen, up to 1; and of 0.5 where another detector of
    the same thing disagrees, or people do.

    Parameters
    ----------
    catalog : Catalog
        With its verdicts: events that somebody judged, and nobody disputed, are left out.
    count : int
        How many.
    others : sequence of Catalog
        Of other detectors of the same events.
    """
    known = [[mark(e) for e in other.events] for other in others]
    questions = []
    for event in catalog.events:
        latest = _latest(catalog.verdicts.get(event.id, ()))
        words = {"reject" if v.verdict == "reject" else "accept" for v in latest}
        if len(words) == 1:
            continue
        questions.append(_question(event, len(words) > 1, known))
    questions.sort(key=lambda q: (-q.worth, q.event.start, q.event.id))
    days: set[int] = set()
    chosen = []
    for q in questions:
        if q.event.start // DAY not in days:
            days.add(q.event.start // DAY)
            chosen.append(q)
    return chosen[:count]


def _question(event: Event, disputed: bool, others: Sequence[Sequence[Mark]]) -> Question:
    about: dict[str, Any] = dict(event.attributes)
    worth, why = 0.0, []
    p = about.get("probability")
    if isinstance(p, (int, float)) and np.isfinite(p):
        worth += 1 - abs(2 * float(p) - 1)
        why.append(f"probability {p:.2f}")
    far = about.get("distance")
    if isinstance(far, (int, float)) and np.isfinite(far) and far > 0.5:
        worth += min(float(far), 2.0) / 2
        why.append(f"distance {far:.1f} from what was seen")
    mine = mark(event)
    if any(not any(iou(mine, m) > 0 for m in marks) for marks in others):
        worth += 0.5
        why.append("another detector has nothing here")
    if disputed:
        worth += 0.5
        why.append("people disagree")
    return Question(event, round(worth, 3), ", ".join(why) or "nothing is known of its certainty")
