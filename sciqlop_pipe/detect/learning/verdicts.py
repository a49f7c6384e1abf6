"""What people said of events, as labels to learn from, and which events to ask them about next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...catalog import Catalog, find_event
from ...errors import UnknownName
from ...granule import DAY
from ...pairing import iou
from ...store import Store
from ...store.events import Verdict
from ...store.records import Event
from ..evaluation.matching import Mark, mark

WEIGHT = 3.0
"""How much an hour somebody looked at counts, against one of a list."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Records of a stretch.

    Parameters
    ----------
    time : ndarray of int64 (record)
        [ns].
    x : ndarray (record, feature)
        Their features.
    label : ndarray of int (record), optional
        Class of each, where the verdict leaves several open.
    share : ndarray (record), optional
        How probable that class is among them.
    """

    time: NDArray[np.int64]
    x: NDArray[np.float64]
    label: NDArray[np.int64] | None = None
    share: NDArray[np.float64] | None = None


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
        Of the event; of a missed one, its comment.
    measured : Measured, optional
        What is known of the stretch, for learners that cannot tell from their inputs.
    sense : str
        Of a crossing.
    """

    start: int
    stop: int
    true: bool
    weight: float = WEIGHT
    kind: str = ""
    measured: Measured | None = None
    sense: str = ""


def said_of(catalog: Catalog, past: Mapping[str, Event] | None = None) -> tuple[Said, ...]:
    """Return what verdicts on a catalog say of stretches of time, in time order.

    The last verdict of each author counts. Accepted events are true where they are, moved ones
    where they were moved to, and not true where they were before outside of that; rejected ones are
    not true; missed ones are true. Authors who disagree on an event weigh as the difference of
    their numbers over all of them; a tie says nothing.

    What was said of an event that is not found any more holds as well: a detector that has learned
    from a rejection would else forget it the next time.

    Parameters
    ----------
    catalog : Catalog
        With its verdicts.
    past : mapping of str to Event, optional
        Events that were found once, by id.
    """
    found: list[Said] = []
    gone: dict[str, list[Verdict]] = {}
    for v in catalog.unmatched:
        gone.setdefault(v.event, []).append(v)
    spoken = [(e, catalog.verdicts.get(e.id, ())) for e in catalog.events]
    spoken += [(e, gone[id_]) for id_, e in (past or {}).items() if id_ in gone]
    for event, verdicts in spoken:
        latest = [v for v in _latest(verdicts) if v.verdict != "missed"]
        if not latest:
            continue
        against = sum(v.verdict == "reject" for v in latest)
        weight = WEIGHT * abs(len(latest) - 2 * against) / len(latest)
        if weight == 0.0:
            continue
        sense = str(dict(event.attributes).get("sense") or "")
        if 2 * against > len(latest):
            found.append(Said(event.start, event.stop, False, weight, event.kind, sense=sense))
            continue
        moved = [v for v in latest if v.verdict == "moved" and v.start is not None]
        start, stop = event.start, event.stop
        if moved and moved[-1].start is not None and moved[-1].stop is not None:
            start, stop = moved[-1].start, moved[-1].stop
            found += [Said(a, b, False, weight, event.kind, sense=sense) for a, b in
                      _outside((event.start, event.stop), (start, stop))]  # fmt: skip
        found.append(Said(start, stop, True, weight, event.kind, sense=sense))
    found += [
        Said(v.start, v.stop, True, kind=v.comment.strip())
        for v in _latest(catalog.unmatched)
        if v.verdict == "missed" and v.start is not None and v.stop is not None
    ]
    return tuple(sorted(found, key=lambda s: (s.start, s.stop)))


def past_events(store: Store, catalog: Catalog) -> dict[str, Event]:
    """Return the events that are found no more, and that somebody judged, by id.

    Parameters
    ----------
    store : Store
        Where they are kept.
    catalog : Catalog
        Of it.
    """
    ids = {v.event for v in catalog.unmatched if v.verdict != "missed"}
    found = {}
    for id_ in sorted(ids):
        with suppress(UnknownName):  # of another store: a verdict that was merged
            found[id_] = find_event(store, id_)[1]
    return found


def told(said: Sequence[Said]) -> str:
    """Return what a card says of verdicts that were learned from; "" without any.

    Parameters
    ----------
    said : sequence of Said
        From `said_of`.
    """
    if not said:
        return ""
    digest = hashlib.blake2b(repr([(s.start, s.stop, s.true, s.weight, s.kind) for s in said])
                             .encode(), digest_size=16)  # fmt: skip
    return f"; {len(said)} stretches by verdicts of people, hash {digest.hexdigest()}"


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
