"""Coordinators to be killed.

`python -m tests.torture run STORE RAW WORKERS JOB` is one, with worker processes; it prints a line
for every outcome. (With DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD=forkserver workers start fast.) `python -m tests.torture points FOLDER` kills one at each of the worst moments, then
runs it again to the end, each in a store of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert

from sciqlop_pipe import execute
from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.granule import GranuleLength, Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission
from sciqlop_pipe.report import Progress
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store, database, registry, schema
from sciqlop_pipe.store.granules import Written, write_granule
from sciqlop_pipe.store.leases import Leases
from sciqlop_pipe.store.records import Committed, Outcome, Record
from tests.serial import SerialClient
from tests.toy import DAY, toy_graph, write_file

TARGETS = ("toy.both", "toy.rises", "toy.smooth")


@dataclass(frozen=True)
class Job:
    """What a coordinator makes."""

    graph: Graph
    targets: tuple[str, ...]
    interval: Interval


def toy() -> Job:
    """Return the toy mission's day."""
    return Job(toy_graph(), TARGETS, DAY)


def sim() -> Job:
    """Return an hour of the simulated mission in short granules."""
    from sciqlop_missions.sim import mission

    short = {"sim.ion.vdf": GranuleLength("10min"), "sim.fgm.b": GranuleLength("30min")}
    datasets = [replace(d, granule=short.get(d.name, d.granule)) for d in mission.datasets]
    targets = ("sim.ion.moments", "sim.ion.energy_spectrum", "sim.boundary_crossings")
    return Job(
        Graph.of([Mission("sim", datasets)]), targets, Interval.of("2030-01-01", "2030-01-01T01")
    )


JOBS: dict[str, Callable[[], Job]] = {"toy": toy, "sim": sim}


def campaign(
    store: Path, raw: Path, client: Any, job: Job, progress: Progress | None = None
) -> int:
    """Return the exit status of one coordinator."""
    with Store.open(store, create=True, durable=False) as opened:
        listing = list_archives([str(raw)])
        return run_campaign(
            opened, job.graph, job.targets, [job.interval], listing, client, progress=progress
        ).status


class Lines(Progress):
    """Prints a line for every outcome, so that a killer knows how far a run is."""

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        print(verdict, outcome.granule, flush=True)


# -- the worst moments -------------------------------------------------------------------------


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), 9)


def after_calls(owner: Any, name: str, count: int, *, before: bool) -> None:
    """Die before (or after) the count-th call of a function."""
    real, calls = getattr(owner, name), iter(range(count))

    def counted(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == count - 1
        if last and before:
            die()
        result = real(*args, **kwargs)
        if last:
            die()
        return result

    setattr(owner, name, counted)


def events_in_a_transaction_of_their_own() -> None:
    """Make the engine wrong: granules of events become current before their events are there."""
    real = registry.Registry.commit

    def commit(self: registry.Registry, outcomes: Any, run: str, *, stage: str = "") -> Committed:
        events = [o for o in outcomes if isinstance(o, Record) and o.events]
        bare = [replace(o, events=()) if o in events else o for o in outcomes]
        done = real(self, bare, run, stage=stage)
        if events:
            die()
        with self.db.write() as conn:
            for record in events:
                for event in record.events:
                    conn.execute(insert(schema.event).values(**registry._event_row(record, event)))
        return done

    registry.Registry.commit = commit  # type: ignore[method-assign]


def told_before_it_is_written() -> None:
    """Make the engine wrong: a worker reports a granule whose bytes are on their way."""

    def write(root: Path, *args: Any, **kwargs: Any) -> Written:
        written = write_granule(root, *args, **kwargs)
        whole = (root / written.path).read_bytes()
        (root / written.path).write_bytes(whole[: len(whole) // 2])
        later = threading.Timer(5.0, (root / written.path).write_bytes, [whole])
        later.daemon = True
        later.start()
        return written

    execute.write_granule = write
    after_calls(Store, "commit", 3, before=False)


POINTS: dict[str, Callable[[], None]] = {
    "before a granule is renamed into place": lambda: after_calls(Path, "rename", 6, before=True),
    "after a granule is renamed into place": lambda: after_calls(Path, "rename", 6, before=False),
    "before a commit": lambda: after_calls(Store, "commit", 4, before=True),
    "in the middle of a commit": lambda: after_calls(registry, "_event_row", 1, before=False),
    "after a commit": lambda: after_calls(Store, "commit", 4, before=False),
    "with leases taken": lambda: after_calls(Leases, "acquire_each", 2, before=False),
    "before the first table is made": lambda: after_calls(database, "_making", 1, before=True),
    "before the store has its mark": lambda: after_calls(os, "fsync", 1, before=True),
}
WRONG: dict[str, Callable[[], None]] = {
    "events in a transaction of their own": events_in_a_transaction_of_their_own,
    "told before it is written": told_before_it_is_written,
}


def place(name: str) -> str:
    """Return the folder of the store for a moment."""
    return name.replace(" ", "-")


def in_child(work: Callable[[], int]) -> int:
    """Return how a forked process ended that did some work."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def at_all_points(folder: Path) -> None:
    """Kill a coordinator at each moment and run it again; print how each ended."""
    raw = folder / "raw"
    for hour in range(17, 20):  # an event lies in them
        write_file(raw, f"2030-01-01T{hour:02d}")

    def run(name: str, arm: Callable[[], None]) -> int:
        arm()
        return campaign(folder / place(name), raw, cast(Any, SerialClient), toy())

    def first() -> int:
        status = run("undisturbed", lambda: None)
        (folder / "modules").write_text("\n".join(sys.modules))
        return status

    print("undisturbed", in_child(first))
    # What the first had to import the others need too: once, here, is enough.
    for module in (folder / "modules").read_text().split():
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    for name, arm in {**POINTS, **WRONG}.items():
        died = in_child(lambda name=name, arm=arm: run(name, arm))  # type: ignore[misc]
        again = in_child(lambda name=name: run(name, lambda: None))  # type: ignore[misc]
        print(died, again, name, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "points":
        at_all_points(Path(sys.argv[2]))
    else:
        from sciqlop_pipe.cluster import Profile, open_cluster

        multiprocessing.set_forkserver_preload(["tests.torture", "distributed"])
        with open_cluster(Profile(workers=int(sys.argv[4]))) as found:
            job = JOBS[sys.argv[5]]()
            status = campaign(Path(sys.argv[2]), Path(sys.argv[3]), lambda: found, job, Lines())
        sys.exit(status)
