"""Workers, scheduler, coordinator and database connections die at random, disks fill, archives
fail: a campaign that is resumed until it is done leaves the store that an undisturbed one leaves.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select, text

from sciqlop_pipe.campaign import launch, plan_campaign, publish_campaign
from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.compare import contents_on_disk
from tests.chaos import SPEC
from tests.cluster.slurm import free_port
from tests.conftest import ROOT, Effort
from tests.serial import Bench, SerialClient
from tests.store.test_postgres import registry, server  # noqa: F401
from tests.toy import toy_graph

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

#: What befalls a campaign, and how often: short, and at length.
TROUBLE = {"worker": (2, 12), "scheduler": (1, 5), "coordinator": (2, 10), "database": (2, 10)}
HOURS = range(6, 18)


@dataclass
class Chaos:
    """A scheduler, two workers and a coordinator, started again whenever one is gone."""

    folder: Path
    registry: str
    chance: random.Random
    plan: list[str]
    wrong: bool = False
    happened: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    processes: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    done: bool = False

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str) -> None:
        if (there := self.processes.get(name)) is not None and there.poll() is None:
            return
        env = os.environ | {
            "CHAOS": str(self.folder), "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        }  # fmt: skip
        self.processes[name] = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def keep_alive(self) -> None:
        """Start what is gone: a machine room with a patient operator."""
        self.start(
            "scheduler", "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port",
            str(self.port), "--no-dashboard",
        )  # fmt: skip
        for name in ("worker-0", "worker-1"):
            self.start(
                name, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1",
                "--no-nanny", "--no-dashboard", "--memory-limit", "0", "--preload",
                str(ROOT / "tests" / "chaos.py"), "--local-directory", str(self.folder / name),
                "--death-timeout", "60",
            )  # fmt: skip

    def run(self) -> None:
        watcher = threading.Thread(target=self.watch, daemon=True)
        keeper = threading.Thread(target=self.keep, daemon=True)
        watcher.start()
        keeper.start()
        try:
            for _ in range(10 + 3 * len(self.plan)):
                if self.once() == 0:
                    return
            raise AssertionError(f"never done: {self.happened}")
        finally:
            self.done = True
            watcher.join()
            keeper.join()
            for process in self.processes.values():
                process.kill()
                process.wait()

    def keep(self) -> None:
        while not self.done:
            self.keep_alive()
            time.sleep(0.3)

    def once(self) -> int:
        """Run the coordinator until it ends; bring trouble as granules are made."""
        command = [
            sys.executable,
            "-m",
            "tests.chaos",
            str(self.folder),
            self.registry,
            self.address,
        ]
        coordinator = subprocess.Popen(
            [*command, *(["row-by-row"] if self.wrong else [])], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=(self.folder / "errors").open("a"),
        )  # fmt: skip
        assert coordinator.stdout is not None
        wait = self.chance.randint(1, 4)
        for line in coordinator.stdout:
            verdict, uid, *_ = line.split()
            if verdict == "done":
                self.acknowledged.add(uid)
            wait -= 1
            if wait <= 0 and self.plan:
                time.sleep(self.chance.random() * 0.1)
                self.befall(self.plan.pop(), coordinator)
                wait = self.chance.randint(2, 5)
        return coordinator.wait()

    def befall(self, what: str, coordinator: subprocess.Popen[Any]) -> None:
        self.happened.append(what)
        if what == "coordinator":
            coordinator.kill()
        elif what == "database":
            with Store.open(self.folder / "store", registry=self.registry) as store:
                if not store.registry.db.is_sqlite:
                    with store.registry.db.engine.connect() as conn:
                        conn.execute(text(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                            "datname = current_database() AND pid <> pg_backend_pid()"
                        ))  # fmt: skip
        else:
            name = f"worker-{self.chance.randint(0, 1)}" if what == "worker" else what
            self.processes[name].kill()

    def watch(self) -> None:
        """Look all the time which params are current: a publication must be seen whole."""
        g, c = schema.granule, schema.currency
        query = (
            select(g.c.params).join(c, c.c.uid == g.c.uid)
            .where(c.c.tx_to.is_(None), c.c.dataset == "toy.double").distinct()
        )  # fmt: skip
        while not self.done:
            try:
                with (
                    Store.open(self.folder / "store", read_only=True, registry=self.registry) as s,
                    s.registry.db.read() as conn,
                ):
                    self.seen.add(tuple(sorted(p for (p,) in conn.execute(query))))
            except StoreError:
                pass  # a connection that was killed: look again
            time.sleep(0.002)


def prepared(bench: Bench, where: str) -> None:
    """Make the day with the declared params current, on a quiet day."""
    bench.files(*HOURS, trouble="slow0.1")
    for hour in list(HOURS)[::4]:  # an archive that answers with an error at first
        bench.file(hour, trouble="once")
    from sciqlop_pipe.campaign import run_campaign
    from tests.toy import DAY

    with Store.open(bench.folder / "store", create=True, durable=False, registry=where) as store:
        report = run_campaign(
            store, toy_graph(), ["toy.both", "toy.rises"], [DAY], bench.listing(),
            cast(Any, SerialClient),
        )  # fmt: skip
    assert report.status == 0
    for mark in bench.raw.glob("*.seen"):
        mark.unlink()
    bench.files(18, 19, 20, trouble="slow0.1")  # and more that is new
    bench.file(21, trouble="once")


def undisturbed(bench: Bench) -> list[Any]:
    """Return what the same campaign leaves when nothing happens to it."""
    with bench.store("quiet") as store:
        frozen = plan_campaign(store, toy_graph(), SPEC, bench.folder)
        assert launch(store, toy_graph(), frozen, cast(Any, SerialClient)).status == 0
        publish_campaign(store, toy_graph(), SPEC.name)
        return contents_on_disk(store)


def chaos(bench: Bench, where: str, effort: Effort, *, wrong: bool = False) -> Chaos:
    chance = random.Random(effort.seed)
    count = 0 if effort.short else 1
    plan = [what for what, times in TROUBLE.items() for _ in range(0 if wrong else times[count])]
    chance.shuffle(plan)
    (bench.folder / "full").mkdir()
    for i in range(0 if wrong else (3 if effort.short else 12)):
        (bench.folder / "full" / str(i)).touch()
    found = Chaos(bench.folder, where, chance, plan, wrong)
    found.run()
    return found


def lost(store: Store, acknowledged: set[str]) -> set[str]:
    """Return the granules that were told to be committed and are not there."""
    with store.registry.db.read() as conn:
        there = {uid for (uid,) in conn.execute(select(schema.granule.c.uid))}
    return acknowledged - there


def judged(bench: Bench, found: Chaos, where: str) -> None:
    with Store.open(bench.folder / "store", registry=where) as store:
        assert contents_on_disk(store) == undisturbed(bench)
        assert [p for p in check_store(store, content=True) if not p.harmless] == []
        assert found.acknowledged and lost(store, found.acknowledged) == set()
    assert {len(params) for params in found.seen} == {1}, "a publication was seen half done"
    assert len(found.seen) == 2
    print(f"happened: {found.happened}, {len(found.acknowledged)} acknowledged")


def test_a_campaign_among_dying_machines_leaves_the_same_store(
    bench: Bench, effort: Effort
) -> None:
    where = f"sqlite:///{bench.folder / 'registry.sqlite'}"
    prepared(bench, where)
    found = chaos(bench, where, effort)
    assert {"worker", "scheduler", "coordinator"} <= set(found.happened)
    judged(bench, found, where)


def test_connections_to_postgresql_are_killed_too(
    bench: Bench, effort: Effort, registry: str  # noqa: F811
) -> None:  # fmt: skip
    prepared(bench, registry)
    found = chaos(bench, registry, effort)
    assert "database" in found.happened
    judged(bench, found, registry)


def test_a_publication_of_many_transactions_is_seen_half_done(bench: Bench, effort: Effort) -> None:
    """The negative control: whoever looks can see it."""
    where = f"sqlite:///{bench.folder / 'registry.sqlite'}"
    prepared(bench, where)
    found = chaos(bench, where, effort, wrong=True)
    assert {len(params) for params in found.seen} != {1}


@pytest.fixture(autouse=True)
def _quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sciqlop_pipe.coordinator.RETRY_SECONDS", 0.05)
