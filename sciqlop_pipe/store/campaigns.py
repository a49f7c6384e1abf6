"""The registry's book of campaigns: what was frozen, how they stand, what keeps failing.

Who runs a campaign, and who asks it to stop, may be on different machines: they meet here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select, update

from ..errors import UsageError, near
from ..granule import Granule, Interval
from . import schema
from .database import Database

_K, _R, _A, _D, _S = (
    schema.campaign,
    schema.campaign_run,
    schema.attempt,
    schema.decision,
    schema.staged,
)

#: Without a sign of life for so long, whoever ran a campaign is taken for dead.
SILENCE = 60.0

STATES = (
    "planned",
    "running",
    "paused",
    "partial",
    "done",
    "cancelled",
    "published",
    "rolled back",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands.

    `asked` is what its coordinator is to do ("", "pause", "cancel"), `why` the reason of the
    state, `progress` what the coordinator said last, `seen` when (ns since 1970).
    """

    name: str
    frozen: str
    digest: str
    state: str
    asked: str
    why: str
    holder: str
    seen: int
    progress: dict[str, Any]
    created: int

    @property
    def silent(self) -> float:
        """Return the seconds since its coordinator gave a sign of life."""
        return (time.time_ns() - self.seen) / 1e9

    @property
    def alive(self) -> bool:
        """Tell whether a coordinator is at work on it."""
        return self.state == "running" and self.silent < SILENCE


@dataclass(frozen=True, slots=True)
class Poison:
    """A granule that fails: how often by its own fault, how it ended last, and what was decided."""

    granule: Granule
    attempts: int
    state: str
    error: str
    decided: str = ""
    why: str = ""

    def quarantined(self, limit: int) -> bool:
        """Tell whether it is not to be tried again."""
        return self.attempts >= limit and self.decided != "excused"


def campaigns(db: Database) -> list[Standing]:
    """Return every campaign of a store, newest first."""
    with db.read() as conn:
        return [_standing(r) for r in conn.execute(select(_K).order_by(_K.c.created.desc()))]


def standing(db: Database, name: str) -> Standing:
    """Return how a campaign stands.

    Raises
    ------
    UsageError
        When the store knows of none of that name.
    """
    with db.read() as conn:
        row = conn.execute(select(_K).where(_K.c.name == name)).first()
        known = [n for (n,) in conn.execute(select(_K.c.name))] if row is None else []
    if row is None:
        raise UsageError(
            f"the store knows of no campaign '{name}'",
            todo=near(name, known)
            or (f"There are: {', '.join(known)}" if known else "'campaign run FILE' begins one"),
        )
    return _standing(row)


def _standing(row: Row[Any]) -> Standing:
    values = dict(row._mapping)
    return Standing(**(values | {"progress": json.loads(values["progress"])}))


def enter(db: Database, name: str, frozen: str, digest: str, holder: str) -> None:
    """Begin, or go on with, a campaign: one coordinator at a time.

    Raises
    ------
    UsageError
        When another coordinator is at work on it, it is over, or it was frozen otherwise.
    """
    with db.write() as conn:
        row = conn.execute(select(_K).where(_K.c.name == name)).first()
        now = time.time_ns()
        if row is None:
            conn.execute(
                insert(_K).values(
                    name=name, frozen=frozen, digest=digest, state="running", asked="", why="",
                    holder=holder, seen=now, progress="{}", created=now,
                )
            )  # fmt: skip
            return
        there = _standing(row)
        if there.alive and there.holder != holder:
            raise UsageError(
                f"it is being run by {there.holder} ({there.silent:.0f} s ago)",
                f"campaign {name}",
                f"Watch it: 'sciqlop-pipe campaign status {name}'; or stop it: '... pause {name}'",
            )
        if there.state in ("cancelled", "published", "rolled back"):
            raise UsageError(
                f"it is {there.state}", f"campaign {name}", "Give a new campaign a new name"
            )
        if there.digest != digest:
            raise UsageError(
                "a campaign of this name was frozen otherwise",
                f"campaign {name}",
                f"Go on with that: 'sciqlop-pipe campaign resume {name}'; or cancel it, and give "
                "this one a new name",
            )
        conn.execute(
            update(_K)
            .where(_K.c.name == name)
            .values(state="running", asked="", why="", holder=holder, seen=now)
        )


def add_run(db: Database, name: str, run: str) -> None:
    """Record that a run belongs to a campaign."""
    with db.write() as conn:
        conn.execute(insert(_R).values(run=run, campaign=name))


def report_life(db: Database, name: str, progress: dict[str, Any]) -> str:
    """Say how it goes; return what the coordinator is asked to do."""
    with db.write() as conn:
        conn.execute(
            update(_K)
            .where(_K.c.name == name)
            .values(seen=time.time_ns(), progress=json.dumps(progress))
        )
        return str(conn.execute(select(_K.c.asked).where(_K.c.name == name)).scalar() or "")


def ask(db: Database, name: str, what: str) -> Standing:
    """Ask the coordinator of a campaign to pause or cancel; return how it stood."""
    there = standing(db, name)
    with db.write() as conn:
        conn.execute(update(_K).where(_K.c.name == name).values(asked=what))
    return there


def settle(db: Database, name: str, state: str, why: str = "") -> None:
    """Record how a campaign stands now."""
    with db.write() as conn:
        conn.execute(update(_K).where(_K.c.name == name).values(state=state, why=why, asked=""))


def drop_staged(db: Database, name: str) -> int:
    """Forget everything staged under a name; return how many granules."""
    with db.write() as conn:
        count = conn.execute(select(func.count()).where(_S.c.stage == name)).scalar_one()
        conn.execute(delete(_S).where(_S.c.stage == name))
        return int(count)


def decide(
    db: Database, name: str, granules: Iterable[Granule], decided: str, why: str, author: str
) -> None:
    """Record that granules are to be tried again ("retry"), or done without ("excused")."""
    now = time.time_ns()
    rows = [
        {
            "campaign": name, "dataset": g.dataset, "start": g.interval.start,
            "decided": decided, "why": why, "author": author, "at": now,
        }
        for g in granules
    ]  # fmt: skip
    if rows:
        with db.write() as conn:
            conn.execute(insert(_D), rows)


def poison(db: Database, name: str) -> list[Poison]:
    """Return the granules of a campaign whose last attempt failed, with what was decided.

    What failed in a run where it was also tried because of network, disk or a lost worker is not
    charged to the granule, nor what only lacked its input.
    """
    with db.read() as conn:
        runs = select(_R.c.run).where(_R.c.campaign == name)
        decisions = {
            (d.dataset, d.start): d
            for d in conn.execute(select(_D).where(_D.c.campaign == name).order_by(_D.c.id))
        }
        bad = ("failed", "refused", "blocked", "transient", "conflict")
        failed = select(_A.c.dataset, _A.c.start).where(
            _A.c.run.in_(runs), _A.c.state.in_(bad)
        ).distinct().subquery()  # fmt: skip
        same = and_(_A.c.dataset == failed.c.dataset, _A.c.start == failed.c.start)
        query = (
            select(_A.c.dataset, _A.c.start, _A.c.stop, _A.c.run, _A.c.state, _A.c.error, _A.c.at)
            .join(failed, same)
            .where(_A.c.run.in_(runs))
            .order_by(_A.c.dataset, _A.c.start, _A.c.id)
        )
        rows: list[Row[Any]] = [*conn.execute(query)]
    return list(_judged(rows, decisions))


def _judged(
    rows: Iterable[Row[Any]], decisions: dict[tuple[str, int], Row[Any]]
) -> Iterator[Poison]:
    tried: dict[tuple[str, int], list[Row[Any]]] = {}
    for row in rows:
        tried.setdefault((row.dataset, row.start), []).append(row)
    for key, attempts in tried.items():
        decision = decisions.get(key)
        last = attempts[-1]
        if last.state not in ("failed", "refused", "blocked", "transient", "conflict"):
            continue
        since = decision.at if decision is not None and decision.decided == "retry" else 0
        passing = {a.run for a in attempts if a.state == "transient"}
        own = [
            a for a in attempts
            if a.state in ("failed", "refused") and a.run not in passing and a.at > since
        ]  # fmt: skip
        granule = Granule(last.dataset, Interval(last.start, last.stop))
        yield Poison(
            granule, len(own), last.state, last.error or "",
            decision.decided if decision is not None else "",
            decision.why if decision is not None else "",
        )  # fmt: skip


def counts(db: Database, name: str) -> dict[str, dict[str, int]]:
    """Return per dataset how many granules each outcome had in the runs of a campaign."""
    runs = select(_R.c.run).where(_R.c.campaign == name)
    newest = select(func.max(_A.c.id)).where(_A.c.run.in_(runs)).group_by(_A.c.dataset, _A.c.start)
    query = (
        select(_A.c.dataset, _A.c.state, func.count())
        .where(_A.c.id.in_(newest))
        .group_by(_A.c.dataset, _A.c.state)
    )
    table: dict[str, dict[str, int]] = {}
    with db.read() as conn:
        for dataset, state, count in conn.execute(query):
            table.setdefault(dataset, {})[state] = count
    return table


def costs(db: Database) -> dict[str, tuple[float, float]]:
    """Return per dataset the mean seconds of a success, and mean bytes of what is kept of one."""
    g = schema.granule
    seconds = (
        select(_A.c.dataset, func.avg(_A.c.seconds))
        .where(_A.c.state.in_(("done", "duplicate")))
        .group_by(_A.c.dataset)
    )
    nbytes = (
        select(g.c.dataset, func.avg(g.c.nbytes)).where(g.c.path.is_not(None)).group_by(g.c.dataset)
    )
    with db.read() as conn:
        size = {name: float(mean or 0) for name, mean in conn.execute(nbytes)}
        return {
            name: (float(mean or 0), size.get(name, 0.0)) for name, mean in conn.execute(seconds)
        }


def pace(db: Database, name: str, window: float = 600.0) -> float:
    """Return the granules per second that a campaign has made in its last so many seconds."""
    runs = select(_R.c.run).where(_R.c.campaign == name)
    good = (_A.c.run.in_(runs), _A.c.state.in_(("done", "duplicate", "unchanged")))
    with db.read() as conn:
        last = conn.execute(select(func.max(_A.c.at)).where(*good)).scalar()
        if last is None:
            return 0.0
        began = int(last - window * 1e9)
        began = max(
            began,
            int(
                conn.execute(
                    select(func.max(schema.run.c.started)).where(schema.run.c.id.in_(runs))
                ).scalar()
                or began
            ),
        )
        count = conn.execute(select(func.count()).where(*good, _A.c.at > began)).scalar_one()
    return float(int(count) / max((int(last) - began) / 1e9, 1e-3))
