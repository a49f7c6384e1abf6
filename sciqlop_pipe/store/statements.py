"""What people say of events: verdicts and edits, added all together or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from ..errors import UsageError
from . import schema
from .database import Database
from .events import VERDICTS, Verdict
from .records import Event

_V, _E = schema.verdict, schema.edit


@dataclass(frozen=True, slots=True)
class Edit:
    """An attribute of an event that somebody changed; `was` and `value` are JSON."""

    event: str
    dataset: str
    author: str
    name: str
    was: str
    value: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Added:
    """How many statements were new; the others had been made before."""

    verdicts: int
    edits: int


def edits(db: Database, dataset: str) -> list[Edit]:
    """Return what people changed of events of a dataset, oldest first."""
    with db.read() as conn:
        return _edits(conn, dataset)


def events_ever(db: Database, dataset: str) -> dict[str, Event]:
    """Return every event that a dataset has or had, by id."""
    t = schema.event
    query = select(t.c.id, t.c.kind, t.c.start, t.c.stop, t.c.attributes)
    with db.read() as conn:
        rows = conn.execute(query.where(t.c.dataset == dataset)).all()
    return {i: Event(i, k, a, b, tuple(json.loads(more).items())) for i, k, a, b, more in rows}


def add_statements(db: Database, verdicts: Sequence[Verdict], edited: Sequence[Edit]) -> Added:
    """Add what was not said before by the same author, in one transaction; return how many.

    Raises
    ------
    UsageError
        For a verdict that is none; then nothing is added.
    """
    for v in verdicts:
        if v.verdict not in VERDICTS:
            raise UsageError(
                f"'{v.verdict}' is no verdict", v.event, f"One of {', '.join(VERDICTS)}"
            )
    datasets = {v.dataset for v in verdicts} | {e.dataset for e in edited}
    new: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    with db.write() as conn:
        known = {_key(v) for d in datasets for v in _verdicts(conn, d)}
        last = {(e.event, e.author, e.name): e.value for d in datasets for e in _edits(conn, d)}
        for v in verdicts:
            if _key(v) in known:
                continue
            known.add(_key(v))
            row = {k: getattr(v, k) for k in Verdict.__slots__}
            new[0].append(row | {"at": v.at or time.time_ns()})
        for e in edited:
            where = (e.event, e.author, e.name)
            if last.get(where) == e.value:
                continue
            last[where] = e.value
            row = {k: getattr(e, k) for k in Edit.__slots__}
            new[1].append(row | {"at": e.at or time.time_ns()})
        for table, rows in zip((_V, _E), new, strict=True):
            if rows:
                conn.execute(insert(table), rows)
    return Added(len(new[0]), len(new[1]))


def _key(v: Verdict) -> tuple[Any, ...]:
    return v.event, v.author, v.verdict, v.start, v.stop, v.comment


def _verdicts(conn: Connection, dataset: str) -> list[Verdict]:
    columns = [_V.c[k] for k in Verdict.__slots__]
    return [Verdict(*r) for r in conn.execute(select(*columns).where(_V.c.dataset == dataset))]


def _edits(conn: Connection, dataset: str) -> list[Edit]:
    columns = [_E.c[k] for k in Edit.__slots__]
    query = select(*columns).where(_E.c.dataset == dataset).order_by(_E.c.id)
    return [Edit(*r) for r in conn.execute(query)]


def value_of(edit: Edit) -> Any:
    """Return what an attribute was changed to; None where it was taken away."""
    return json.loads(edit.value)
