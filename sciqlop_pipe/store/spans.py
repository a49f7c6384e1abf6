"""What is current, or staged, over a stretch of time.

Current granules of a dataset never overlap, nor do those of one staged run: of all that begin
before a stretch only the last can reach into it, so few rows are looked at however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ..granule import Granule, Interval
from . import schema

_G, _C, _S = schema.granule, schema.currency, schema.staged

Span = Row[Any]


def _spans(table: Table, where: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the rows that reach from `lo` to `hi`; made once, asked often."""
    t, lo = table.c, bindparam("lo", type_=BigInteger)
    before = select(func.max(t.start)).where(where, t.start <= lo).scalar_subquery()
    return (
        select(t.uid, t.start, t.stop, _G.c.fingerprint, _G.c.content)
        .join(_G, _G.c.uid == t.uid)
        .where(where, t.start >= func.coalesce(before, lo), t.start < bindparam("hi"))
        .order_by(t.start)
    )


_CURRENT = _spans(_C, (_C.c.dataset == bindparam("dataset")) & _C.c.tx_to.is_(None))
_STAGED = _spans(_S, (_S.c.stage == bindparam("stage")) & (_S.c.dataset == bindparam("dataset")))
_OPEN = insert(_C)


def current_over(conn: Connection, dataset: str, interval: Interval) -> list[Span]:
    """Return (uid, start, stop, fingerprint, content) of what is current over an interval."""
    return _over(conn, _CURRENT, interval, dataset=dataset)


def staged_over(conn: Connection, stage: str, dataset: str, interval: Interval) -> list[Span]:
    """Return (uid, start, stop, fingerprint, content) of what a staged run has over an interval."""
    return _over(conn, _STAGED, interval, dataset=dataset, stage=stage)


def seen_over(conn: Connection, stage: str, dataset: str, interval: Interval) -> list[Span]:
    """Return what a run sees over an interval: its staged granules hide what they would replace."""
    current = current_over(conn, dataset, interval)
    if not stage:
        return current
    shown = [c for c in current if not staged_over(conn, stage, dataset, _interval(c))]
    return [*staged_over(conn, stage, dataset, interval), *shown]


def seen_at(conn: Connection, stage: str, dataset: str, start: int) -> Span | None:
    """Return what a run sees that begins at an instant."""
    found = seen_over(conn, stage, dataset, Interval(start, start + 1))
    return next((span for span in found if span.start == start), None)


def make_current(
    conn: Connection, uid: str, granule: Granule, tx: int, there: Sequence[Span] | None = None
) -> None:
    """Close every current span that a granule overlaps (`there`, if known) and open its own."""
    where = granule.interval
    there = current_over(conn, granule.dataset, where) if there is None else there
    closed = [span.uid for span in there]
    if closed:
        open_ = _C.c.uid.in_(closed) & _C.c.tx_to.is_(None)
        conn.execute(update(_C).where(open_).values(tx_to=tx))
    row = {
        "uid": uid, "dataset": granule.dataset, "start": where.start, "stop": where.stop,
        "tx_from": tx,
    }  # fmt: skip
    conn.execute(_OPEN, row)


def make_staged(conn: Connection, uid: str, granule: Granule, stage: str) -> None:
    """Put a granule into a staged run, with what is current now in its place.

    One staged again still replaces what was current when the first was staged.
    """
    where = granule.interval
    earlier = staged_over(conn, stage, granule.dataset, where)
    base = [
        c.uid
        for c in current_over(conn, granule.dataset, where)
        if not any(_interval(c).overlaps(_interval(e)) for e in earlier)
    ]
    if earlier:
        again = (_S.c.stage == stage) & _S.c.uid.in_([e.uid for e in earlier])
        kept = " ".join(r for (r,) in conn.execute(select(_S.c.replaces).where(again)))
        inside = (_G.c.start < where.stop) & (_G.c.stop > where.start)
        query = select(_G.c.uid).where(_G.c.uid.in_(kept.split()), inside)
        base.extend(u for (u,) in conn.execute(query))
        conn.execute(delete(_S).where(again))
    conn.execute(
        insert(_S).values(
            stage=stage,
            dataset=granule.dataset,
            start=where.start,
            stop=where.stop,
            uid=uid,
            replaces=" ".join(sorted(base)),
        )
    )


def _over(conn: Connection, query: Select[Any], interval: Interval, **names: str) -> list[Span]:
    params = {"lo": interval.start, "hi": interval.stop, **names}
    rows: list[Span] = [*conn.execute(query, params)]
    return [span for span in rows if span.stop > interval.start]


def _interval(span: Span) -> Interval:
    return Interval(span.start, span.stop)
