"""A granule that kills its process fails alone; the others are made, and are not charged."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import xarray as xr

from sciqlop_pipe.bundles import Bundles
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.execute import Bundle
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.isolated import run_isolated
from sciqlop_pipe.model import Mission, product, raw, recipe
from sciqlop_pipe.store.records import Failure, Record
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
