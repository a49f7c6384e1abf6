"""What is running, what is stuck and why, and when it will end."""

from __future__ import annotations

from dataclasses import dataclass

from ..granule import iso
from ..store import Store
from ..store import campaigns as book
from .frozen import Frozen
from .reprocess import frozen_of, unresolved

#: A task is called stuck beyond so many times what its dataset takes, and so many seconds.
PATIENCE, LEAST = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A task that was sent: its first granule, how long ago, and how long such a granule takes.

    The first ones run, one per thread; the others are `queued` on a worker.
    """

    granule: str
    seconds: float
    usual: float | None
    queued: bool = False

    @property
    def stuck(self) -> bool:
        """Tell whether it takes suspiciously long."""
        return not self.queued and self.seconds > max(LEAST, PATIENCE * (self.usual or 0.0))


@dataclass(frozen=True, slots=True)
class Status:
    """How a campaign goes.

    `settled` of `planned` granules are made (or found unchanged); `left` seconds remain at the
    present pace, None where it does not move. `problems` say what is wrong and what to do.
    """

    name: str
    state: str
    why: str
    planned: int
    settled: int
    failed: int
    quarantined: int
    excused: int
    pace: float
    left: float | None
    workers: int
    ready: int
    waiting: int
    outstanding: int
    running: tuple[Running, ...]
    problems: tuple[str, ...]
    rows: dict[str, dict[str, int]]
    created: str
    phase: str = ""


def status_of(store: Store, name: str) -> Status:
    """Return how a campaign goes, asked from anywhere that reaches the registry.

    Raises
    ------
    UsageError
        When the store knows of none of that name.
    """
    db = store.registry.db
    there = book.standing(db, name)
    frozen = frozen_of(there)
    limit = frozen.spec.limits.attempts
    rows = book.counts(db, name)
    good = ("done", "duplicate", "unchanged", "repeated")
    settled = sum(n for row in rows.values() for state, n in row.items() if state in good)
    bad = book.poison(db, name)
    open_ = unresolved(store, name)
    costs = book.costs(db)
    told = there.progress if there.alive else {}
    running = tuple(
        Running(
            granule,
            seconds + there.silent,
            costs.get(granule.split("/")[0], (None,))[0],
            queued=k >= told.get("threads", 1),
        )
        for k, (granule, seconds) in enumerate(told.get("running", ()))
    )
    pace = book.pace(db, name)
    remaining = max(frozen.granules - settled - len(bad), 0)
    left = remaining / pace if pace and there.alive else None
    return Status(
        name,
        there.state,
        there.why,
        frozen.granules,
        settled,
        len(bad),
        sum(p.quarantined(limit) for p in open_),
        sum(p.decided == "excused" for p in bad),
        pace,
        left,
        int(told.get("workers", 0)),
        int(told.get("ready", 0)),
        int(told.get("waiting", 0)),
        int(told.get("outstanding", 0)),
        running,
        tuple(_problems(there, frozen, running, len(open_), told)),
        rows,
        iso(there.created // 10**9 * 10**9),
        str(told.get("phase", "")),
    )


def _problems(
    there: book.Standing,
    frozen: Frozen,
    running: tuple[Running, ...],
    failing: int,
    told: dict[str, object],
) -> list[str]:
    name, said = there.name, list[str]()
    if there.state == "running" and not there.alive:
        said.append(
            f"its coordinator ({there.holder}) has been silent for {there.silent:.0f} s, so it is "
            f"taken for dead: 'sciqlop-pipe campaign resume {name}'"
        )
    if there.alive and told.get("workers") == 0:
        said.append("it has no worker: look at the queue of the cluster, or 'doctor --profile'")
    for r in running:
        if r.stuck:
            usual = f", usually {r.usual:.1f} s" if r.usual else ""
            said.append(f"{r.granule} has been running for {r.seconds:.0f} s{usual}")
    if failing:
        said.append(
            f"{failing} granules fail: 'sciqlop-pipe campaign quarantine {name}' lists them, "
            "'... retry' or '... excuse' decides"
        )
    if there.state == "paused" and there.why:
        said.append(f"paused: {there.why}")
    return said
