"""Killed at any moment and run again, a campaign leaves the store that an undisturbed one leaves.

The workers, the coordinator, or both are killed; what must come out the same is what is current
(dataset, bounds, fingerprint, number of records, hash of what is really on disk) and the events.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from sciqlop_pipe.store import Store
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.compare import Content, contents_on_disk, digest
from tests.conftest import ROOT, Effort
from tests.serial import Bench, SerialClient
from tests.torture import JOBS, POINTS, TARGETS, WRONG, campaign, place

HOURS = range(15, 22)


def same_store(first: Path, second: Path) -> bool:
    """Tell whether the same is current in two stores, by what is on disk."""
    with Store.open(first) as a, Store.open(second) as b:
        return digest(contents_on_disk(a)) == digest(contents_on_disk(b))


def harm(store: Path) -> list[str]:
    """Return everything that is wrong in a store; what killed runs left behind is not."""
    with Store.open(store) as opened:
        return [f"{p.kind} {p.where}" for p in check_store(opened, content=True) if not p.harmless]


# -- the worst moments, one by one -------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a killed coordinator ended, and the one after it."""

    folder: Path
    statuses: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("points")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.torture", "points", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    statuses = {}
    for line in ran.stdout.splitlines()[1:]:
        died, again, name = line.split(" ", 2)
        statuses[name] = (int(died), int(again))
    assert set(statuses) == {*POINTS, *WRONG}, ran.stderr
    return Ended(folder, statuses)


@pytest.mark.parametrize("moment", POINTS)
def test_a_coordinator_killed_at_its_worst_moment_leaves_the_same_store(
    ended: Ended, moment: str
) -> None:
    assert ended.statuses[moment] == (-9, 0)
    store = ended.folder / place(moment)
    assert harm(store) == []
    assert same_store(store, ended.folder / "undisturbed")


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_engine_does_not_pass(ended: Ended, fault: str) -> None:
    """The negative control: the comparison can fail."""
    assert ended.statuses[fault][0] == -9
    assert not same_store(ended.folder / place(fault), ended.folder / "undisturbed")


# -- random moments, real processes ------------------------------------------------------------


@dataclass
class Torturer:
    """Runs the same command until it is done, and kills workers and coordinators meanwhile."""

    bench: Bench
    workers: int
    seed: int
    coordinators: int
    victims: int
    method: str = "spawn"
    job: str = "toy"
    seen: set[psutil.Process] = field(default_factory=set)
    killed: list[str] = field(default_factory=list)

    def run(self) -> None:
        chance = random.Random(self.seed)
        plan = ["coordinator"] * self.coordinators + ["worker"] * self.victims
        chance.shuffle(plan)
        for _ in range(len(plan) + 5):
            if self._once(chance, plan) == 0 and not plan:
                return
        raise AssertionError(f"never done: {self.killed}")

    def _once(self, chance: random.Random, plan: list[str]) -> int:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.torture", "run",
                str(self.bench.folder / "store"), str(self.bench.raw), str(self.workers), self.job,
            ],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": self.method},
        )  # fmt: skip
        assert process.stdout
        wait = chance.randint(1, 6)
        for _ in process.stdout:
            wait -= 1
            if wait > 0 or not plan:
                continue
            time.sleep(chance.random() * 0.1)
            self._kill(psutil.Process(process.pid), plan.pop(), chance)
            wait = chance.randint(2, 6)
        status = process.wait()
        if not plan:
            return status
        if status == 0:  # it was done before its turn came
            plan.pop()
        return 1

    def _kill(self, coordinator: psutil.Process, what: str, chance: random.Random) -> None:
        children = [c for c in coordinator.children(recursive=True) if _is_worker(c)]
        self.seen.update(children)
        if what == "worker" and not children:
            return
        victim = coordinator if what == "coordinator" else chance.choice(children)
        self.killed.append(what)
        victim.kill()

    def strays(self) -> list[psutil.Process]:
        """Return processes that outlive their coordinator."""
        return psutil.wait_procs(self.seen, timeout=30)[1]


def _is_worker(process: psutil.Process) -> bool:
    """Tell a worker from the helpers of multiprocessing, whose death nobody need survive."""
    try:
        command, parent = " ".join(process.cmdline()), process.parent()
        forked = "forkserver" in command and parent and "forkserver" in " ".join(parent.cmdline())
        return "spawn_main" in command or bool(forked)
    except psutil.Error:
        return False


def prepared(bench: Bench) -> list[Content]:
    """Write raw files that take a moment to read; return what an undisturbed run makes of them."""
    bench.files(*HOURS, trouble="slow0.05")
    assert bench.run(*TARGETS, name="undisturbed").status == 0
    with bench.store("undisturbed") as store:
        found = contents_on_disk(store)
    assert any(c.dataset == "toy.rises" and c.n == 0 for c in found), "no event to lose"
    return found


def test_workers_and_coordinators_killed_at_random_leave_the_same_store(bench: Bench) -> None:
    wanted = prepared(bench)
    torturer = Torturer(bench, 2, seed=14, coordinators=1, victims=2, method="forkserver")
    torturer.run()
    assert torturer.killed
    assert harm(bench.folder / "store") == []
    with bench.store() as store:
        assert contents_on_disk(store) == wanted
    assert torturer.strays() == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_many_kills_leave_the_same_store(bench: Bench, effort: Effort, workers: int) -> None:
    wanted = prepared(bench)
    tortured(Torturer(bench, workers, effort.seed, *kills(effort)), wanted)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_many_kills_of_a_simulated_mission_leave_the_same_store(
    bench: Bench, effort: Effort, simulated: Bench, workers: int
) -> None:
    with simulated.store("undisturbed") as store:
        wanted = contents_on_disk(store)
    assert any(c.dataset == "sim.boundary_crossings" and c.n == 0 for c in wanted), "no event"
    bench.raw.symlink_to(simulated.raw)
    tortured(Torturer(bench, workers, effort.seed, *kills(effort), job="sim"), wanted)


def kills(effort: Effort) -> tuple[int, int]:
    """Return how many coordinators and workers are killed."""
    return (1, 2) if effort.short else (12, 12)


def tortured(torturer: Torturer, wanted: list[Content]) -> None:
    torturer.run()
    assert len(torturer.killed) > 1
    assert harm(torturer.bench.folder / "store") == []
    with torturer.bench.store() as store:
        assert contents_on_disk(store) == wanted
    assert torturer.strays() == []


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An hour's archive of the simulated mission, and the store that an undisturbed run makes."""
    from sciqlop_missions.sim.simulate import simulate

    bench, job = Bench(tmp_path_factory.mktemp("sim")), JOBS["sim"]()
    simulate(bench.raw, job.interval)
    assert campaign(bench.folder / "undisturbed", bench.raw, SerialClient, job) == 0
    return bench
