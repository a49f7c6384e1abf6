"""Staged runs: kept aside, published in one transaction, rolled back in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..errors import Conflict, UsageError, near
from ..granule import Granule, Interval
from . import schema, spans
from .events import record_succession
from .registry import Registry

_G, _C, _S, _L, _P = (
    schema.granule,
    schema.currency,
    schema.staged,
    schema.lineage,
    schema.publication,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A staged granule whose base is no longer what it was computed from."""

    granule: Granule
    why: str

    def __str__(self) -> str:
        return f"{self.granule}: {self.why}"


class BaseMoved(Conflict):
    """A publication was refused because its base moved."""

    def __init__(self, stage: str, moved: list[Moved]) -> None:
        shown = "; ".join(map(str, moved[:5])) + ("; ..." if len(moved) > 5 else "")
        super().__init__(
            f"{len(moved)} granules changed since they were staged ({shown})",
            f"staged run {stage}",
            "Nothing was published; 'store publish --rebase' recomputes just those",
        )
        self.moved = moved


def stages(registry: Registry) -> dict[str, int]:
    """Return how many granules each staged run holds."""
    count = func.count().label("granules")
    query = select(_S.c.stage, count).group_by(_S.c.stage).order_by(_S.c.stage)
    with registry.db.read() as conn:
        return {row.stage: row.granules for row in conn.execute(query)}


def publish(registry: Registry, stage: str) -> int:
    """Make a staged run current, all of it or nothing; return how many granules became current.

    Raises
    ------
    UsageError
        When there is no such staged run.
    BaseMoved
        When a granule that would be replaced, or one that was read, is no longer current.
    """
    with registry.db.write() as conn:
        rows = conn.execute(select(_S).where(_S.c.stage == stage)).all()
        if not rows:
            known = [s for (s,) in conn.execute(select(_S.c.stage).distinct())]
            raise UsageError(
                f"there is no staged run '{stage}'",
                todo=near(stage, known) or f"There are: {', '.join(known) or 'none'}",
            )
        if moved := _moved(conn, stage, rows):
            raise BaseMoved(stage, moved)
        tx = registry.db.now(conn)
        for row in rows:
            spans.make_current(conn, row.uid, _granule(row), tx)
        for dataset in {row.dataset for row in rows}:
            record_succession(conn, dataset, tx)
        conn.execute(delete(_S).where(_S.c.stage == stage))
        conn.execute(insert(_P).values(stage=stage, tx=tx))
    return len(rows)


def _moved(conn: Connection, stage: str, rows: Sequence[Row[Any]]) -> list[Moved]:
    moved: list[Moved] = []
    for row in rows:
        granule = _granule(row)
        now = {span.uid for span in spans.current_over(conn, row.dataset, granule.interval)}
        if not now <= set(row.replaces.split()):
            moved.append(Moved(granule, "what it replaces was replaced by another run"))
        elif name := _input_gone(conn, row.uid, stage):
            moved.append(Moved(granule, f"its input {name} is no longer current"))
    return moved


def _input_gone(conn: Connection, uid: str, stage: str) -> str:
    """Return the input whose content is neither staged nor current, '' when all are."""
    query = select(_L.c.name, _L.c.start, _L.c.content).where(
        _L.c.uid == uid, _L.c.kind == "granule"
    )
    for used in conn.execute(query).all():
        now = spans.seen_at(conn, stage, used.name, used.start)
        if now is None or now.content != used.content:
            return str(used.name)
    return ""


def _granule(row: Row[Any]) -> Granule:
    return Granule(row.dataset, Interval(row.start, row.stop))


def unstage(registry: Registry, stage: str, granules: list[Granule]) -> None:
    """Forget staged granules, so that a run stages them anew on what is current now."""
    with registry.db.write() as conn:
        for g in granules:
            conn.execute(
                delete(_S).where(
                    _S.c.stage == stage, _S.c.dataset == g.dataset, _S.c.start == g.interval.start
                )
            )


def rollback(registry: Registry, stage: str) -> int:
    """Undo the last publication of a staged run; return how many granules are current again.

    Raises
    ------
    UsageError
        When it was not published, or is undone already.
    Conflict
        When newer granules followed, with the list; then nothing changes.
    """
    with registry.db.write() as conn:
        query = (
            select(_P).where(_P.c.stage == stage, _P.c.undone.is_(None)).order_by(_P.c.id.desc())
        )
        found = conn.execute(query).first()
        if found is None:
            raise UsageError(f"the run '{stage}' is not published", todo="Nothing to roll back")
        opened = conn.execute(select(_C).where(_C.c.tx_from == found.tx)).all()
        closed = conn.execute(select(_C).where(_C.c.tx_to == found.tx)).all()
        if newer := _newer(conn, opened, closed):
            shown = ", ".join(map(str, newer[:5])) + (", ..." if len(newer) > 5 else "")
            raise Conflict(
                f"newer granules followed ({shown})",
                f"publication of {stage}",
                "Nothing was rolled back; reprocess those granules instead",
            )
        collected = (
            select(_G.c.uid)
            .join(_C, _C.c.uid == _G.c.uid)
            .where(_C.c.tx_to == found.tx, _G.c.collected.is_not(None))
        )
        if conn.execute(collected).first() is not None:
            raise Conflict(
                "garbage collection has taken what was current before",
                f"publication of {stage}",
                "Reprocess instead",
            )
        tx = registry.db.now(conn)
        ours = _C.c.uid.in_(select(_C.c.uid).where(_C.c.tx_from == found.tx))
        conn.execute(update(_C).where(ours, _C.c.tx_to.is_(None)).values(tx_to=tx))
        for c in closed:
            conn.execute(
                insert(_C).values(
                    uid=c.uid, dataset=c.dataset, start=c.start, stop=c.stop, tx_from=tx
                )
            )
        for dataset in {c.dataset for c in closed}:
            record_succession(conn, dataset, tx)
        conn.execute(update(_P).where(_P.c.id == found.id).values(undone=tx))
    return len(closed)


def _newer(
    conn: Connection, opened: Sequence[Row[Any]], closed: Sequence[Row[Any]]
) -> list[Granule]:
    """Return the granules where something else is current now than what a publication opened."""
    ours = {c.uid for c in opened}
    newer: set[Granule] = set()
    for c in (*opened, *closed):
        there = spans.current_over(conn, c.dataset, Interval(c.start, c.stop))
        newer.update(
            Granule(c.dataset, Interval(t.start, t.stop)) for t in there if t.uid not in ours
        )
        if c.uid in ours and c.uid not in {t.uid for t in there}:
            newer.add(_granule(c))
    return sorted(newer)


def make_release(registry: Registry, name: str) -> int:
    """Give what is current now a name that `as_of` and garbage collection respect.

    Raises
    ------
    UsageError
        When the name is taken.
    """
    t = schema.release
    with registry.db.write() as conn:
        if conn.execute(select(t.c.name).where(t.c.name == name)).first() is not None:
            raise UsageError(f"there is a release '{name}' already", todo="Choose another name")
        tx = registry.db.now(conn)
        conn.execute(insert(t).values(name=name, tx=tx))
    return tx
