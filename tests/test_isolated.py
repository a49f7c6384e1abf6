"""A granule that kills its process fails alone; the others are made, and are not charged."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
import xarray as xr
from distributed import Client

from sciqlop_pipe.bundles import Bundles
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.isolated import run_isolated
from sciqlop_pipe.model import Mission, product, raw, recipe
from sciqlop_pipe.store.records import Failure, Record
from sciqlop_pipe.task import Bundle
from tests.serial import Bench
from tests.toy import ToySource, doubled


@recipe(gives=ScalarSeries, version=1)
def deadly(x: ScalarSeries) -> xr.Dataset:
    """Kill the process, as a fault in compiled code would."""
    os.kill(os.getpid(), 11)
    return x


@recipe(gives=ScalarSeries, version=1)
def either(x: ScalarSeries, other: ScalarSeries | None = None) -> xr.Dataset:
    """Return what is required."""
    return x


def deadly_graph() -> Graph:
    return Graph.of(
        [
            Mission(
                "toy",
                [
                    raw("toy.raw", ScalarSeries, ToySource(), granule="1h"),
                    product("toy.deadly", deadly, x="toy.raw"),
                    product("toy.after", doubled, x="toy.deadly"),
                    product("toy.either", either, x="toy.raw", other="toy.deadly"),
                ],
            )
        ]
    )


def bundle(bench: Bench, graph: Graph, *targets: str) -> Bundle:
    bundles = Bundles(bench.plan(*targets, graph=graph))
    (work,) = bundles.work.values()
    return bundles.spec(work, str(bench.folder / "store"), salvage=False, durable=False)


def test_a_member_that_kills_its_process_fails_alone(bench: Bench) -> None:
    bench.files(3)
    asked = bundle(bench, deadly_graph(), "toy.after", "toy.either")
    outcomes = {o.granule.dataset: o for o in run_isolated(asked)}
    assert isinstance(outcomes["toy.raw"], Record)
    assert isinstance(outcomes["toy.either"], Record)
    dead, after = outcomes["toy.deadly"], outcomes["toy.after"]
    assert isinstance(dead, Failure)
    assert isinstance(after, Failure)
    assert (dead.state, after.state) == ("failed", "blocked")
    assert "the process that made it died (SIGSEGV)" in dead.error
    assert "toy.deadly/20300101T0300" in after.error
    with bench.store() as store:
        done = store.commit(list(outcomes.values()), "run")
        assert {r.granule.dataset for r in done.committed} == {"toy.raw", "toy.either"}
        assert store.read("toy.either").sizes["time"] == 60
    left = list((bench.folder / "store" / "data").rglob("*.zip"))
    assert len(left) == 2, "what a member needs in front of it is made in memory only"


def test_a_file_that_kills_is_recorded_and_blocks_what_requires_it(bench: Bench) -> None:
    bench.file(3, trouble="kill")
    raw_, deadly_ = run_isolated(bundle(bench, deadly_graph(), "toy.deadly"))
    assert isinstance(raw_, Failure)
    assert "SIGKILL" in raw_.error
    assert isinstance(deadly_, Failure)
    assert deadly_.state == "blocked"


def test_a_mission_from_a_folder_of_its_own_is_found(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fresh process looks where this one does."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "private_recipes.py").write_text(
        "from sciqlop_pipe.datatypes import ScalarSeries\n"
        "from sciqlop_pipe.model import recipe\n"
        "@recipe(gives=ScalarSeries, version=1)\n"
        "def same(x: ScalarSeries):\n    '''Return it.'''\n    return x\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    same = __import__("private_recipes").same
    graph = Graph.of(
        [
            Mission(
                "toy",
                [
                    raw("toy.raw", ScalarSeries, ToySource(), granule="1h"),
                    product("toy.same", same, x="toy.raw"),
                ],
            )
        ]
    )
    bench.files(3)
    outcomes = run_isolated(bundle(bench, graph, "toy.same"))
    assert all(isinstance(o, Record) for o in outcomes), outcomes
    sys.modules.pop("private_recipes")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Two worker processes."""
    method = {"distributed.worker.multiprocessing-method": "forkserver"}
    multiprocessing.set_forkserver_preload(["tests.torture", "distributed"])
    with dask.config.set(method), open_cluster(Profile(workers=2)) as client:
        yield client


def test_on_a_cluster_a_file_that_kills_its_worker_fails_alone(
    bench: Bench, cluster: Client
) -> None:
    """The worker dies twice, then what it was at is made alone; nobody else is charged."""
    bench.files(2, 4, 5, 6)
    bench.file(3, trouble="kill")
    report = bench.run("toy.day", client=cluster)
    states = {str(f.granule): f.state for f in report.failures}
    assert states == {
        "toy.raw/20300101T0300": "failed",
        "toy.double/20300101T0300": "blocked",
    }
    assert "SIGKILL" in report.failures[0].error
    assert report.rows["toy.raw"]["done"] == report.rows["toy.double"]["done"] == 4
    with bench.store() as store:
        (day,) = store.registry.current("toy.day")
        assert day.completeness == 0.8
        (attempt,) = store.registry.attempts("toy.raw", states=["failed"])
        assert "died (SIGKILL)" in attempt["error"]
    (bench.raw / "toy_2030010103_v1.npz").unlink()
    bench.file(3, version="2")
    assert bench.run("toy.day", client=cluster).status == 0
