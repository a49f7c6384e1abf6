"""Garbage collection: only what nothing refers to any more, and not before the grace period."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from ..granule import Granule, Interval, duration
from . import schema
from .bucket import Place, measure, name_in, trees
from .granules import remove_granule
from .leases import live
from .store import Store

_G, _C, _S = schema.granule, schema.currency, schema.staged


@dataclass(frozen=True, slots=True)
class Garbage:
    """A file that may go: a superseded granule (with its uid) or an orphan (without)."""

    path: str
    nbytes: int
    uid: str = ""


def find_garbage(store: Store, grace: str = "7d", *, now: int | None = None) -> list[Garbage]:
    """Return what garbage collection would take.

    Parameters
    ----------
    store : Store
        Open for reading or writing.
    grace : str
        How long ago something must have been superseded (an orphan: written); longer than the
        longest task and the longest reading session.
    now : int
        The time [ns] to judge by; the clock's by default.
    """
    limit = (time.time_ns() if now is None else now) - duration(grace)
    return [*_superseded(store, limit), *_orphans(store, limit)]


def collect(store: Store, garbage: list[Garbage]) -> int:
    """Remove garbage; return the bytes freed. Rows stay, marked collected.

    What is referred to again since it was found stays. The registry forgets the path first, so
    that a crash leaves an orphan, never a hole.
    """
    taken: list[Garbage] = []
    with store.registry.db.write() as conn:
        tx = store.registry.db.now(conn)
        kept = _referred(conn)
        known = _known(conn)
        for item in garbage:
            if item.uid and item.uid not in kept:
                conn.execute(update(_G).where(_G.c.uid == item.uid).values(path=None, collected=tx))
                taken.append(item)
            elif not item.uid and item.path not in known:
                taken.append(item)
    for item in taken:
        remove_granule(store.root, item.path)
    return sum(item.nbytes for item in taken)


def _superseded(store: Store, limit: int) -> Iterator[Garbage]:
    db = store.registry.db
    leased = live(db)
    ended = select(_C.c.uid, func.max(_C.c.tx_to).label("until")).group_by(_C.c.uid).subquery()
    query = (
        select(
            _G.c.uid, _G.c.dataset, _G.c.start, _G.c.path, _G.c.nbytes, _G.c.written, ended.c.until
        )
        .outerjoin(ended, ended.c.uid == _G.c.uid)
        .where(_G.c.path.is_not(None))
    )
    with db.read() as conn:
        kept = _referred(conn)
        rows = conn.execute(query).all()
    for row in rows:
        since = row.until if row.until is not None else row.written
        if since < limit and row.uid not in kept and (row.dataset, row.start) not in leased:
            yield Garbage(row.path, row.nbytes, row.uid)


def _referred(conn: Connection) -> set[str]:
    """Return the uids of everything current, staged or part of a release."""
    kept = {uid for (uid,) in conn.execute(select(_C.c.uid).where(_C.c.tx_to.is_(None)))}
    kept.update(uid for (uid,) in conn.execute(select(_S.c.uid)))
    for (tx,) in conn.execute(select(schema.release.c.tx)).all():
        then = select(_C.c.uid).where(_C.c.tx_from <= tx, _C.c.tx_to > tx)
        kept.update(uid for (uid,) in conn.execute(then))
    return kept


def _known(conn: Connection) -> set[str]:
    return {path for (path,) in conn.execute(select(_G.c.path).where(_G.c.path.is_not(None)))}


def _orphans(store: Store, limit: int) -> Iterator[Garbage]:
    """Yield files that were never committed, unless somebody is at work on their granule."""
    leased = {
        (dataset, Granule(dataset, Interval(start, start)).stamp)
        for dataset, start in live(store.registry.db)
    }
    files = [(path, measure(path)) for path in trees(store.root)]
    with store.registry.db.read() as conn:
        known = _known(conn)
    for path, (size, written) in files:
        name = name_in(store.root, path)
        at_work = (path.parent.parent.name, _stamp(path)) in leased
        if name not in known and written < limit and not at_work:
            yield Garbage(name, size)


def _stamp(path: Place) -> str:
    return path.name.removeprefix(".part-").split("-", 1)[0]


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of one dataset on disk: what is current, and what is kept besides."""

    dataset: str
    current: int
    other: int
    granules: int


def usage(store: Store) -> list[Usage]:
    """Return the disk usage per dataset."""
    open_ = select(_C.c.uid).where(_C.c.tx_to.is_(None))
    query = select(_G.c.dataset, _G.c.uid.in_(open_), func.sum(_G.c.nbytes), func.count()).where(
        _G.c.path.is_not(None)
    )
    found: dict[str, Usage] = {}
    with store.registry.db.read() as conn:
        for name, current, size, count in conn.execute(
            query.group_by(_G.c.dataset, _G.c.uid.in_(open_))
        ):
            old = found.get(name, Usage(name, 0, 0, 0))
            found[name] = (
                Usage(name, old.current + size, old.other, old.granules + count)
                if current
                else Usage(name, old.current, old.other + size, old.granules)
            )
    return sorted(found.values(), key=lambda u: u.dataset)
