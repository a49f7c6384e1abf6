"""Watching over a store: what is broken, late, stalled, failing, or no longer answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from .errors import PipeError, near
from .granule import HOUR, SECOND, duration, iso
from .sources.access import Access
from .sources.archive import list_archives
from .sources.doors import needs_intervals, open_doors
from .store import Store, schema
from .store.check import check_store

#: A run that commits nothing for so long is called stalled unless a limit is given.
STALLED_AFTER = "2h"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that somebody should look at.

    Parameters
    ----------
    kind : str
        `damage`, `late`, `stalled`, `failed` or `archive`.
    where : str
        The granule, dataset, run or archive.
    said : str
        What is wrong, and what to do.
    """

    kind: str
    where: str
    said: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.said}"


def damaged(store: Store, *, content: bool = False) -> Iterator[Concern]:
    """Yield what `check_store` finds, but for the harmless remains of killed runs."""
    for problem in check_store(store, content=content):
        if not problem.harmless:
            yield Concern("damage", problem.where, f"{problem.kind}: {problem.said}")


def late(store: Store, limits: Mapping[str, str], now: int | None = None) -> Iterator[Concern]:
    """Yield the datasets whose newest record is older than it may be.

    Parameters
    ----------
    store : Store
        Open for reading.
    limits : mapping of str to str
        Name of a dataset -> how old its newest record may be, e.g. "36h".
    now : int, optional
        Time [ns since 1970 UTC]; the clock unless given.
    """
    now = time.time_ns() if now is None else now
    g, c = schema.granule, schema.currency
    newest = (
        select(c.c.dataset, func.max(g.c.last).label("newest"))
        .join(g, g.c.uid == c.c.uid)
        .where(c.c.tx_to.is_(None))
        .group_by(c.c.dataset)
    )
    with store.registry.db.read() as conn:
        last = {row.dataset: row.newest for row in conn.execute(newest)}
    for name, limit in limits.items():
        allowed = duration(limit)
        if name not in last:
            yield Concern("late", name, near(name, last) or "the store holds nothing of it")
        elif last[name] is None:
            yield Concern("late", name, "the store holds only empty granules of it")
        elif (age := now - last[name]) > allowed:
            yield Concern(
                "late",
                name,
                f"its newest record is of {iso(last[name])}, {age / HOUR:.1f} h old; "
                f"{limit} are allowed",
            )


def stalled(store: Store, after: str = STALLED_AFTER, now: int | None = None) -> Iterator[Concern]:
    """Yield runs that say they are running and have recorded nothing for too long.

    A coordinator that was killed leaves such a run; the same command resumes it.
    """
    now = time.time_ns() if now is None else now
    r, a = schema.run, schema.attempt
    newest = (
        select(r.c.id, r.c.command, func.coalesce(func.max(a.c.at), r.c.started).label("at"))
        .outerjoin(a, a.c.run == r.c.id)
        .where(r.c.finished.is_(None))
        .group_by(r.c.id, r.c.command, r.c.started)
    )
    with store.registry.db.read() as conn:
        rows = conn.execute(newest).all()
    for row in rows:
        if now - row.at > duration(after):
            yield Concern(
                "stalled",
                row.id,
                f"nothing was recorded since {iso(row.at // SECOND * SECOND)}; "
                f"the same command resumes it: {row.command}",
            )


def failed(store: Store, most: int = 20) -> Iterator[Concern]:
    """Yield granules whose last attempt did not succeed; of very many the first, and a count."""
    rows = [r for r in store.registry.unresolved() if r["state"] != "blocked"]
    for row in rows[:most]:
        yield Concern("failed", f"{row['dataset']}/{row['start']}", str(row["error"]))
    if len(rows) > most:
        yield Concern("failed", "and others", f"{len(rows) - most} more; see 'sciqlop-pipe status'")


def deaf(archives: Iterable[str], access: Access | None = None) -> Iterator[Concern]:
    """Yield archives that do not answer. Doors that only know intervals are not asked."""
    for archive in archives:
        if needs_intervals(archive):
            continue
        try:
            listing = (
                open_doors([archive], [], access) if "://" in archive else list_archives([archive])
            )
        except (PipeError, OSError) as error:
            yield Concern("archive", archive, str(error))
            continue
        for said in listing.gone:
            yield Concern("archive", archive, said)
