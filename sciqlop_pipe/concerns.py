"""Watching over a store: what is broken, late, stalled, failing, or no longer answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from .detect.drift import LEVEL
from .errors import PipeError, StoreError, near
from .granule import HOUR, SECOND, duration, iso
from .sources.access import Access
from .sources.archive import list_archives
from .sources.doors import needs_intervals, open_doors
from .store import Store, schema
from .store.check import check_store
from .store.events import current_events, event_datasets

#: A run that commits nothing for so long is called stalled unless a limit is given.
STALLED_AFTER = "2h"
#: How far back from the newest record drift is looked for, and how far from what a model has seen
#: its median record may be: 1 is as far as all but 1 - LEVEL of its training set.
DRIFT_OVER, DRIFT_ALLOWED = "90d", 2.0
#: Fewer records or events than these tell nothing.
_LEAST_RECORDS, _LEAST_EVENTS = 100, 5


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that somebody should look at.

    Parameters
    ----------
    kind : str
        `damage`, `late`, `stalled`, `failed`, `drift` or `archive`.
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
    for run in at_work(store):
        if now - run.last > duration(after):
            yield Concern(
                "stalled",
                run.id,
                f"nothing was recorded since {iso(run.last // SECOND * SECOND)}; "
                f"the same command resumes it: {run.command}",
            )


@dataclass(frozen=True, slots=True)
class AtWork:
    """A run that has not ended: when it began and last recorded something [ns], how many granules.

    `campaign` is the one that it belongs to, "" for a run of its own.
    """

    id: str
    command: str
    started: int
    last: int
    granules: int
    campaign: str


def at_work(store: Store) -> list[AtWork]:
    """Return the runs that have begun and not ended; of some the coordinator may be dead."""
    r, a, k = schema.run, schema.attempt, schema.campaign_run
    query = (
        select(
            r.c.id, r.c.command, r.c.started,
            func.coalesce(func.max(a.c.at), r.c.started), func.count(a.c.id),
            func.coalesce(func.max(k.c.campaign), ""),
        )
        .outerjoin(a, a.c.run == r.c.id)
        .outerjoin(k, k.c.run == r.c.id)
        .where(r.c.finished.is_(None))
        .group_by(r.c.id, r.c.command, r.c.started)
        .order_by(r.c.started)
    )  # fmt: skip
    with store.registry.db.read() as conn:
        return [AtWork(*row) for row in conn.execute(query)]


def failed(store: Store, most: int = 20) -> Iterator[Concern]:
    """Yield granules whose last attempt did not succeed; of very many the first, and a count."""
    rows = [r for r in store.registry.unresolved() if r["state"] != "blocked"]
    for row in rows[:most]:
        yield Concern("failed", f"{row['dataset']}/{row['start']}", str(row["error"]))
    if len(rows) > most:
        yield Concern("failed", "and others", f"{len(rows) - most} more; see 'sciqlop-pipe status'")


def drifting(
    store: Store, allowed: float = DRIFT_ALLOWED, over: str = DRIFT_OVER
) -> Iterator[Concern]:
    """Yield datasets of models that mostly see what they were not trained on.

    Labels tell it per record, events where the labels are not kept (`distance` of both). Models
    that do not know what they have seen are passed over.

    Parameters
    ----------
    store : Store
        Open for reading.
    allowed : float
        How far from what the model has seen the median record, or event, may be.
    over : str
        How far back from the newest record of each dataset.
    """
    for seen in _seen(store, duration(over)):
        if seen.median > allowed:
            yield Concern(
                "drift",
                seen.dataset,
                f"the median of {seen.count} up to {iso(seen.newest)} is {seen.median:.1f} from "
                f"what its model has seen ({allowed:g} is allowed), {seen.beyond:.0%} are beyond 1 "
                f"({1 - LEVEL:.0%} of its training set are): look at its events ('sciqlop-pipe "
                "catalog next'), and train anew from verdicts",
            )


@dataclass(frozen=True, slots=True)
class _Distance:
    """How far the records or events of a dataset are from what its model has seen."""

    dataset: str
    count: str
    median: float
    beyond: float
    newest: int

    @classmethod
    def of(cls, dataset: str, far: NDArray[np.floating], what: str, newest: int) -> _Distance:
        count = f"{far.size:,} {what}"
        return cls(dataset, count, float(np.median(far)), float((far > 1).mean()), newest)


def _seen(store: Store, over: int) -> Iterator[_Distance]:
    told: set[str] = set()
    for name, last in _label_datasets(store):
        newest = last // SECOND * SECOND
        try:
            labels = store.read(name, newest - over)
        except StoreError:  # not kept, or of several layouts: their events tell
            continue
        far = labels["distance"].values if "distance" in labels else np.zeros(0)
        far = far[np.isfinite(far)]
        if far.size >= _LEAST_RECORDS:
            told.add(str(labels.attrs.get("model", "")))
            yield _Distance.of(name, far, "records", newest)
    for name in event_datasets(store.registry.db):
        events = [
            (e.start, float(about["distance"]))
            for e in current_events(store.registry.db, name)
            if "extrapolated" in (about := dict(e.attributes))
            and about.get("distance") is not None
            and str(about.get("model", "")) not in told
        ]
        newest = max((start for start, _ in events), default=0) // SECOND * SECOND
        far = np.array([distance for start, distance in events if start >= newest - over])
        if far.size >= _LEAST_EVENTS:
            yield _Distance.of(name, far, "events", newest)


def _label_datasets(store: Store) -> list[tuple[str, int]]:
    """Return the datasets of labels that have records, with the time of the newest."""
    g, c = schema.granule, schema.currency
    query = (
        select(c.c.dataset, func.max(g.c.last))
        .join(g, g.c.uid == c.c.uid)
        .where(c.c.tx_to.is_(None), g.c.code.like("% Labels@%"), g.c.n > 0)
        .group_by(c.c.dataset)
        .order_by(c.c.dataset)
    )
    with store.registry.db.read() as conn:
        return [(name, newest) for name, newest in conn.execute(query)]


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
        for said in listing.remarks:
            yield Concern("archive", archive, said)


def concerns(
    store: Store,
    fresh: Mapping[str, str],
    archives: Iterable[str],
    access: Access | None = None,
    stalled_after: str = STALLED_AFTER,
    drift: float = DRIFT_ALLOWED,
    *,
    content: bool = False,
) -> Iterator[Concern]:
    """Yield everything that a person should look at.

    Parameters
    ----------
    store : Store
        Open for reading.
    fresh : mapping of str to str
        How old the newest record of a dataset may be.
    archives : iterable of str
        Which must answer.
    access : Access
        How they are asked.
    stalled_after : str
        How long a run may record nothing.
    drift : float
        How far from what a model has seen its median record may be.
    content : bool
        Read and hash every current granule, not just find it.
    """
    yield from damaged(store, content=content)
    yield from late(store, fresh)
    yield from stalled(store, stalled_after)
    yield from failed(store)
    yield from drifting(store, drift)
    yield from deaf(archives, access)
