"""Events in the registry: current ones, their succession when they are replaced, verdicts."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from ..errors import UnknownName, UsageError
from ..granule import Interval
from ..pairing import iou, one_to_one
from . import schema
from .database import Database
from .records import Event

_E, _C = schema.event, schema.currency
_MATCH = 0.5
VERDICTS = ("accept", "reject", "moved", "missed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of an event."""

    event: str
    dataset: str
    author: str
    verdict: str
    start: int | None = None
    stop: int | None = None
    comment: str = ""
    at: int = 0


def successors(old: Sequence[Event], new: Sequence[Event]) -> list[tuple[str, str]]:
    """Return (old id, new id) of events of one kind that are the same: IoU >= 0.5, one to one."""
    return one_to_one(
        (iou(a, b), a.id, b.id)
        for a in old
        for b in new
        if a.kind == b.kind and iou(a, b) >= _MATCH
    )


def record_succession(conn: Connection, dataset: str, tx: int) -> None:
    """Link the events that a transaction made current to those they replace.

    These ended with it, or before it without a successor so far: granules of another length are
    replaced one by one, and an event may be found again by a later run.
    """
    opened = _events(conn, dataset, _C.c.tx_from == tx)
    if not opened:
        return
    longest = max(e.stop - e.start for e in opened)
    first, last = opened[0].start - longest, max(e.stop for e in opened) + longest
    near = (_C.c.dataset == dataset) & (_C.c.start <= last) & (_C.c.stop >= first)
    here = {e.id for e in _events(conn, dataset, near & _C.c.tx_to.is_(None))}
    ended = _ended(conn, near)
    old = [e for e, until, since in ended if e.id not in here and (since is None or since < until)]
    same = {e.id for e, until, _ in ended if until == tx}
    new = [e for e in opened if e.id not in same]
    known = schema.succession
    for a, b in successors(old, new):
        conn.execute(delete(known).where(known.c.old == a, known.c.new == b))
        conn.execute(insert(known).values(old=a, new=b, tx=tx))


def _ended(conn: Connection, near: ColumnElement[bool]) -> list[tuple[Event, int, int | None]]:
    """Return events that were current once, until when, and since when they have a successor."""
    s = schema.succession
    once = near & _C.c.tx_to.is_not(None)
    followed = (
        select(s.c.old, func.max(s.c.tx).label("tx"))
        .where(s.c.old.in_(select(_E.c.id).join(_C, _C.c.uid == _E.c.uid).where(once)))
        .group_by(s.c.old)
        .subquery()
    )
    query = (
        select(_E.c.id, _E.c.kind, _E.c.start, _E.c.stop, func.max(_C.c.tx_to), followed.c.tx)
        .join(_C, _C.c.uid == _E.c.uid)
        .outerjoin(followed, followed.c.old == _E.c.id)
        .where(once)
        .group_by(_E.c.id, _E.c.kind, _E.c.start, _E.c.stop, followed.c.tx)
    )
    return [
        (Event(id, kind, start, stop), until, since)
        for id, kind, start, stop, until, since in conn.execute(query)
    ]


def _events(conn: Connection, dataset: str, alive: Any) -> list[Event]:
    query = (
        select(_E.c.id, _E.c.kind, _E.c.start, _E.c.stop, _E.c.attributes)
        .join(_C, _C.c.uid == _E.c.uid)
        .where(_C.c.dataset == dataset, alive)
        .order_by(_E.c.start, _E.c.id)
    )
    return [
        Event(i, k, a, b, tuple(json.loads(attributes).items()))
        for i, k, a, b, attributes in conn.execute(query)
    ]


def current_events(
    db: Database, dataset: str, interval: Interval | None = None, as_of: int | None = None
) -> list[Event]:
    """Return the events of a dataset that are current (at `as_of`) and overlap an interval."""
    if as_of is None:
        alive: ColumnElement[bool] = _C.c.tx_to.is_(None)
    else:
        alive = (_C.c.tx_from <= as_of) & or_(_C.c.tx_to.is_(None), _C.c.tx_to > as_of)
    with db.read() as conn:
        found = _events(conn, dataset, alive)
    if interval is not None:
        found = [e for e in found if e.start < interval.stop and e.stop >= interval.start]
    return found


def event_datasets(db: Database) -> dict[str, int]:
    """Return how many current events each dataset of events has, found ones with none included."""
    g = schema.granule
    query = (
        select(_C.c.dataset, g.c.n)
        .join(g, g.c.uid == _C.c.uid)
        .where(_C.c.tx_to.is_(None), g.c.code.like("% Events@%"))
    )
    found: dict[str, int] = {}
    with db.read() as conn:
        for name, n in conn.execute(query):
            found[name] = found.get(name, 0) + n
    return found


def find_event(db: Database, id: str) -> tuple[str, Event]:
    """Return the dataset and the event with an id (or the unique start of one).

    Raises
    ------
    UnknownName
        When no event, current or past, has it.
    """
    query = select(_E.c.dataset, _E.c.id, _E.c.kind, _E.c.start, _E.c.stop, _E.c.attributes)
    with db.read() as conn:
        rows = conn.execute(query.where(_E.c.id.startswith(id, autoescape=True))).all()
    ids = {row.id for row in rows}
    if not ids:
        raise UnknownName(
            f"there is no event '{id}'", todo="'sciqlop-pipe catalog show' lists them"
        )
    if len(ids) > 1:
        raise UsageError(f"{len(ids)} events begin with '{id}'", todo="Give more of the id")
    row = rows[-1]
    return row.dataset, Event(
        row.id, row.kind, row.start, row.stop, tuple(json.loads(row.attributes).items())
    )


def add_verdict(db: Database, verdict: Verdict) -> None:
    """Store what somebody said of an event."""
    if verdict.verdict not in VERDICTS:
        raise UsageError(
            f"'{verdict.verdict}' is not a verdict", todo=f"One of {', '.join(VERDICTS)}"
        )
    with db.write() as conn:
        conn.execute(
            insert(schema.verdict).values(
                event=verdict.event,
                dataset=verdict.dataset,
                author=verdict.author,
                verdict=verdict.verdict,
                start=verdict.start,
                stop=verdict.stop,
                comment=verdict.comment,
                at=verdict.at or time.time_ns(),
            )
        )


def verdicts(db: Database, dataset: str) -> tuple[dict[str, list[Verdict]], list[Verdict]]:
    """Return the verdicts on the current events by id, and those whose event has no successor.

    Verdicts follow succession: what was said of an event holds for what replaced it.
    """
    t, s = schema.verdict, schema.succession
    columns = (
        t.c.event,
        t.c.dataset,
        t.c.author,
        t.c.verdict,
        t.c.start,
        t.c.stop,
        t.c.comment,
        t.c.at,
    )
    with db.read() as conn:
        now = {e.id for e in _events(conn, dataset, _C.c.tx_to.is_(None))}
        said = [
            Verdict(*r)
            for r in conn.execute(select(*columns).where(t.c.dataset == dataset).order_by(t.c.id))
        ]
        links = conn.execute(select(s.c.old, s.c.new).order_by(s.c.tx)).all()
        following = {link.old: link.new for link in links}
    found: dict[str, list[Verdict]] = {}
    lost: list[Verdict] = []
    for verdict in said:
        at = _follow(verdict.event, following, now)
        if at is None:
            lost.append(verdict)
        else:
            found.setdefault(at, []).append(verdict)
    return found, lost


def _follow(id: str, following: dict[str, str], now: set[str]) -> str | None:
    seen: set[str] = set()
    while id not in now:
        if id in seen or id not in following:
            return None
        seen.add(id)
        id = following[id]
    return id


def staged_events(db: Database, dataset: str, stage: str) -> list[Event]:
    """Return the events of a dataset as they would be were a staged run published."""
    s = schema.staged
    with db.read() as conn:
        rows = conn.execute(
            select(s.c.uid, s.c.start, s.c.stop).where(s.c.stage == stage, s.c.dataset == dataset)
        ).all()
        spans = [Interval(row.start, row.stop) for row in rows]
        now = _events(conn, dataset, _C.c.tx_to.is_(None))
        query = select(_E.c.id, _E.c.kind, _E.c.start, _E.c.stop, _E.c.attributes)
        made = [
            Event(i, k, a, b, tuple(json.loads(attributes).items()))
            for row in rows
            for i, k, a, b, attributes in conn.execute(query.where(_E.c.uid == row.uid))
        ]
    kept = [e for e in now if not any(s.contains(Interval(e.start, e.start + 1)) for s in spans)]
    return sorted([*kept, *made], key=lambda e: (e.start, e.id))


def changed_at(db: Database, dataset: str) -> list[int]:
    """Return the transaction times at which granules of a dataset became current, oldest first."""
    query = select(_C.c.tx_from).where(_C.c.dataset == dataset).distinct().order_by(_C.c.tx_from)
    with db.read() as conn:
        return [int(tx) for (tx,) in conn.execute(query)]
