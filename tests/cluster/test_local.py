"""Promises of a profile, on a real scheduler: memory, priority, spill, scaling, who is let in."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import PRIORITIES, Profile, open_cluster
from sciqlop_pipe.cluster.profile import Adaptive
from sciqlop_pipe.cluster.workers import memory_needs
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Options, Progress, Report, Turn
from tests import toy
from tests.conftest import ROOT
from tests.serial import Bench
from tests.toy import DAY, toy_graph
from tests.waiting import PATIENCE, until


class Reads:
    """What raw files were read in threads of this process: in which order, how many at once."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.now = self.most = 0
        self.wanted = 1  # reading takes until so many have read at once
        self.lock = threading.Lock()
        self.go_on = threading.Event()  # cleared: reading takes until it is set
        self.go_on.set()

    def __call__(self, kind: str, path: Path) -> None:
        with self.lock:
            self.order.append(f"{path.parent.name}/{path.name}")
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.15)
        until(lambda: self.most >= self.wanted)
        assert self.go_on.wait(PATIENCE)
        with self.lock:
            self.now -= 1


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    reads = Reads()
    monkeypatch.setattr(toy, "_trouble", reads)
    return reads


def needing(memory: str) -> Graph:
    """Return the toy mission whose raw granules declare how much memory they take."""
    graph = toy_graph()
    raw = replace(graph["toy.raw"], memory=memory)
    return replace(graph, nodes=dict(graph.nodes) | {"toy.raw": raw})


@pytest.mark.parametrize(("memory", "at_once"), [("600MB", 1), ("400MB", 2)])
def test_no_more_granules_at_once_than_fit_into_a_worker(
    bench: Bench, reads: Reads, memory: str, at_once: int
) -> None:
    bench.files(*range(6))
    reads.wanted = at_once
    with open_cluster(Profile(workers=0, threads=2, memory="1GB")) as client:
        assert bench.run("toy.raw", graph=needing(memory), client=client).status == 0
    assert reads.most == at_once


def test_a_worker_in_this_process_works_whatever_else_fills_its_limit(bench: Bench) -> None:
    bench.files(1)
    with open_cluster(Profile(workers=0, memory="20MB")) as client:  # Python alone takes more
        time.sleep(0.5)  # it looks at its memory five times
        assert bench.run("toy.raw", client=client).status == 0


def test_a_product_needs_what_reading_its_input_needs(bench: Bench, reads: Reads) -> None:
    bench.files(1)
    bench.run("toy.raw")
    with (
        open_cluster(Profile(workers=0, memory="1GB")) as client,
        pytest.raises(UsageError, match=r"toy\.double: it needs 2,000 MB.*--workers"),
    ):
        bench.run("toy.double", graph=needing("2GB"), client=client)
    assert len(reads.order) == 1, "something was read before it was refused"


def test_instruments_that_fill_memory_say_so() -> None:
    graph = Graph.discover()
    needs = memory_needs(
        graph,
        ["mms1.fpi.dis.brst.moments", "mms1.fpi.dis.brst.moments.overview_1min",
         "solar_orbiter.swa.pas.moments", "mms1.fgm.brst.b_gse", "cluster1.cis.hia.hs_mag.vdf"],
        Offering(4e9),  # type: ignore[arg-type]
    )  # fmt: skip
    assert needs["mms1.fpi.dis.brst.moments"] == pytest.approx(1573, abs=1)  # 4,000 x 16,384 bins
    assert needs["solar_orbiter.swa.pas.moments"] > 1000, "its distributions are made of others"
    assert set(needs) == {"mms1.fpi.dis.brst.moments", "solar_orbiter.swa.pas.moments",
                          "cluster1.cis.hia.hs_mag.vdf"}  # fmt: skip
    with pytest.raises(
        UsageError, match=r"brst\.vdf: it needs 1,573 MB, no worker has more than 1,0"
    ):
        memory_needs(graph, ["mms1.fpi.dis.brst.vdf"], Offering(1e9))  # type: ignore[arg-type]


class Offering:
    """Stands in for a client of a worker with so much memory."""

    def __init__(self, nbytes: float) -> None:
        self.worker = {"memory_limit": nbytes, "resources": {"MB": nbytes / 1e6}}

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {"a": self.worker}}


def test_this_machine_is_shared_where_a_profile_says_nothing_of_memory() -> None:
    with open_cluster(Profile(workers=0)) as client:
        (worker,) = client.scheduler_info()["workers"].values()
    assert worker["resources"]["MB"] * 1e6 == pytest.approx(worker["memory_limit"])


@pytest.mark.parametrize(("priority", "meanwhile"), [("interactive", 1), ("campaign", 2)])
def test_a_scheduler_gives_way_to_whoever_waits_for_an_answer(
    tmp_path: Path, reads: Reads, priority: str, meanwhile: int
) -> None:
    """Of the campaign's tasks that were there first, only the one that runs comes before."""
    for name, hours in (("campaign", 10), ("asked", 1)):
        for hour in range(hours):
            toy.write_file(tmp_path / name, f"2030-01-01T{hour:02d}")
    with open_cluster(Profile(workers=0)) as client:

        def run(name: str, how: str) -> Report:
            from sciqlop_pipe.sources.archive import list_archives
            from sciqlop_pipe.store import Store

            with Store.open(tmp_path / f"store-{name}", create=True, durable=False) as store:
                return run_campaign(
                    store, toy_graph(), ["toy.raw"], [DAY],
                    list_archives([str(tmp_path / name)]), lambda: client,
                    Options(priority=PRIORITIES[how]),
                )  # fmt: skip

        def runs() -> list[str]:
            """Of each task that the scheduler has, the run that wants it."""
            return [str(key).partition("@")[2] for key in list(client.cluster.scheduler.tasks)]

        # The campaign's first task runs until the other's is in the queue, however slow this machine is.
        reads.go_on.clear()
        with ThreadPoolExecutor(2) as threads:
            try:
                campaign = threads.submit(run, "campaign", "campaign")
                until(lambda: bool(reads.order) and len(runs()) > 3)
                time.sleep(0.3)  # Dask takes what comes within 0.1 s for equally old
                asked = threads.submit(run, "asked", priority)
                until(lambda: len(set(runs())) == 2)
            finally:
                reads.go_on.set()
            assert asked.result(PATIENCE).status == campaign.result(PATIENCE).status == 0
    mine = next(k for k, name in enumerate(reads.order) if name.startswith("asked/"))
    assert len(reads.order) == 11
    if meanwhile == 1:
        assert mine <= 2, "the one that ran, and one that the worker may have had already"
    else:  # the negative control: in the order of arrival
        assert mine > 2


class Counts(Progress):
    """How many workers a run has had."""

    def __init__(self) -> None:
        self.workers: list[int] = []

    def turn(self, turn: Turn) -> None:
        self.workers.append(turn.workers)


@pytest.mark.system
@pytest.mark.timeout(600)
def test_a_cluster_grows_with_the_work_and_shrinks_without(bench: Bench) -> None:
    bench.files(*range(20), trouble="slow0.5")
    seen = Counts()
    profile = Profile(adaptive=Adaptive(1, 2), memory="1GB")
    with open_cluster(profile) as client, bench.store() as store:
        assert len(client.nthreads()) == 1
        report = run_campaign(
            store, toy_graph(), ["toy.raw"], [DAY], bench.listing(), lambda: client, progress=seen
        )
        assert report.status == 0
        assert max(seen.workers) == 2
        until(lambda: len(client.nthreads()) == 1)


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.parametrize("spill", [True, False])
def test_what_does_not_fit_goes_to_the_scratch_folder_where_that_is_allowed(
    tmp_path: Path, spill: bool
) -> None:
    profile = Profile(workers=1, memory="1GB", scratch=str(tmp_path), spill=spill)
    with open_cluster(profile) as client:
        kept = [client.submit(np.ones, 12_500_000, pure=False) for _ in range(7)]  # 100 MB each
        for future in kept[:5]:
            future.result()  # type: ignore[no-untyped-call]

        def spilled() -> bool:
            return any(p.stat().st_size > 10**7 for p in tmp_path.rglob("storage/*"))

        if spill:
            until(spilled)
        time.sleep(1)
        assert spilled() == spill
        client.cancel(kept)


@contextmanager
def late_worker(address: str, folder: Path, **other: str) -> Iterator[subprocess.Popen[str]]:
    """Give a worker that joins a scheduler, with other versions of some distributions."""
    for name, version in other.items():
        about = folder / f"{name}-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny",
         "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait(10)


@pytest.mark.system
@pytest.mark.timeout(600)
def test_a_worker_that_comes_late_works_if_it_fits_and_is_turned_away_if_not(
    bench: Bench, tmp_path: Path
) -> None:
    from distributed import LocalCluster

    bench.files(*range(4, 16), trouble="slow0.5")
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        bench.store() as store,
    ):
        address = cluster.scheduler_address
        with (
            open_cluster(Profile(address=address), str(store.root)) as client,
            late_worker(address, tmp_path / "other", numpy="0.1") as odd,
            late_worker(address, tmp_path / "same"),
        ):
            report = run_campaign(
                store, toy_graph(), ["toy.raw"], [DAY], bench.listing(), lambda: client
            )
            said = odd.communicate(timeout=PATIENCE)[0]
            client.wait_for_workers(2, timeout=PATIENCE)
            assert len(client.nthreads()) == 2
    assert (report.status, report.done) == (0, 12)
    assert "this worker does not fit: numpy is 0.1 there" in said


@pytest.mark.parametrize("kind", ["ssh", "address"])
def test_a_cluster_of_given_workers_cannot_be_adaptive(kind: str) -> None:
    about: dict[str, Any] = {"address": "tcp://127.0.0.1:1"} if kind == "address" else {}
    with pytest.raises(UsageError, match="has the workers it has"):
        Profile(kind=kind, adaptive=Adaptive(), **about)
