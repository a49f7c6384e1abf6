"""Mistakes in declarations are found when the graph is made: what, where, expected, found."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import xarray as xr

import sciqlop_pipe.graph as graph_module
from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.datatypes import VDF, Events, Moments, ScalarSeries
from sciqlop_pipe.errors import GraphError, UnknownName
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Dataset, Margin, Mission, product, raw, recipe
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store
from tests.toy import DAY, ToySource, doubled, hourly, rises, series, toy_graph, write_day


def hours(name: str, gives: Any = ScalarSeries) -> Dataset:
    return raw(name, gives, ToySource(), granule="1h")


RAW = hours("toy.raw")


def refusal(*datasets: Dataset) -> str:
    with pytest.raises(GraphError) as found:
        Graph.of([Mission("toy", datasets)])
    return str(found.value)


@recipe(gives=ScalarSeries, version=1)
def smooth_without_margin(x: ScalarSeries, *, window: str = "10min") -> xr.Dataset:
    """Mean over a window; (time) [nT]."""
    return x


@recipe(gives=ScalarSeries, version=1)
def smooth_with_margin(
    x: Annotated[ScalarSeries, Margin("reach")], *, window: str = "10min", reach: str = "5min"
) -> xr.Dataset:
    """Mean over a window; (time) [nT]."""
    return x


# --- mistakes ------------------------------------------------------------------------------------


def test_an_input_of_the_wrong_type_names_product_argument_expected_and_found() -> None:
    text = refusal(hours("toy.vdf", VDF), product("toy.double", doubled, x="toy.vdf"))
    assert text == ("product toy.double, argument x: expected a ScalarSeries, but toy.vdf is a VDF")


def test_the_type_of_a_product_is_that_of_its_recipe() -> None:
    @recipe(gives=Moments, version=1)
    def moments_of(x: ScalarSeries) -> xr.Dataset:
        return x

    text = refusal(
        RAW, product("toy.m", moments_of, x="toy.raw"), product("toy.double", doubled, x="toy.m")
    )
    assert "expected a ScalarSeries, but toy.m is a Moments" in text


def test_an_unknown_input_comes_with_near_names() -> None:
    text = refusal(RAW, product("toy.double", doubled, x="toy.row"))
    assert "product toy.double, argument x: nobody declares its input 'toy.row'" in text
    assert "Did you mean toy.raw" in text


def test_a_circle_is_shown() -> None:
    text = refusal(
        product("toy.a", doubled, x="toy.b", granule="1h"),
        product("toy.b", doubled, x="toy.c", granule="1h"),
        product("toy.c", doubled, x="toy.a", granule="1h"),
    )
    assert "in a circle: toy.a <- toy.b <- toy.c <- toy.a" in text
    assert "product toy.a" in text


def test_a_dataset_made_from_itself_is_a_circle() -> None:
    assert "toy.a <- toy.a" in refusal(product("toy.a", doubled, x="toy.a", granule="1h"))


def test_a_name_declared_twice_is_refused() -> None:
    assert "two declarations claim the name 'toy.raw'" in refusal(RAW, RAW)
    with pytest.raises(GraphError, match=r"mission b: two declarations claim the name 'toy.raw'"):
        Graph.of([Mission("a", [RAW]), Mission("b", [RAW])])


def test_a_window_without_a_margin_is_refused() -> None:
    text = refusal(RAW, product("toy.smooth", smooth_without_margin, x="toy.raw"))
    assert "product toy.smooth, argument x: missing margin: param window=10min" in text
    assert "expected an input with a margin of at least half of it, found 0 s" in text
    assert 'Margin("window")' in text


def test_a_margin_that_is_too_short_for_its_window_is_refused() -> None:
    Graph.of([Mission("toy", [RAW, product("toy.smooth", smooth_with_margin, x="toy.raw")])])
    text = refusal(RAW, product("toy.smooth", smooth_with_margin, x="toy.raw", reach="4min"))
    assert "found 240 s" in text


def test_a_margin_that_is_no_duration_is_refused() -> None:
    text = refusal(RAW, product("toy.smooth", smooth_with_margin, x="toy.raw", reach="far"))
    assert "argument x: its margin cannot be told: 'far' is not a duration" in text


@pytest.mark.parametrize(
    "name", ["Toy.raw", "toy raw", "toy..raw", ".toy", "toy/../raw", "toy.1-2", "tøy.raw", ""]
)
def test_a_name_that_is_no_path_of_lower_case_words_is_refused(name: str) -> None:
    assert f"'{name}' is not a dataset name" in refusal(hours(name))


def test_a_product_of_nothing_is_refused() -> None:
    @recipe(gives=ScalarSeries, version=1)
    def of_nothing(x: ScalarSeries | None = None) -> xr.Dataset:
        return series(np.zeros(0, "M8[ns]"), np.zeros(0))

    assert "product toy.nothing: it has no inputs" in refusal(
        RAW, product("toy.nothing", of_nothing)
    )


def test_events_are_no_input() -> None:
    @recipe(gives=ScalarSeries, version=1)
    def of_events(x: Events) -> xr.Dataset:
        return x

    made = product("toy.later", of_events, x="toy.rises")
    text = refusal(RAW, product("toy.rises", rises, x="toy.raw"), made)
    assert "argument x: toy.rises is Events, which no recipe can be made from" in text


# --- what a good graph tells ---------------------------------------------------------------------


def test_inputs_come_first_whatever_the_order_of_declaration() -> None:
    second = product("toy.b", doubled, x="toy.a")
    first = product("toy.a", doubled, x="toy.raw")
    names = list(Graph.of([Mission("toy", [second, first, RAW])]).nodes)
    assert names.index("toy.raw") < names.index("toy.a") < names.index("toy.b")


def test_a_product_has_the_granules_of_its_first_input() -> None:
    graph = Graph.of([Mission("toy", [
        RAW, product("toy.day", hourly, x="toy.raw", granule="1d"),
        product("toy.both", hourly, other="toy.day", x="toy.raw"),
    ])])  # fmt: skip
    assert str(graph.length("toy.both")) == "1h"


def test_names_and_globs_select_in_the_order_of_the_graph() -> None:
    graph = toy_graph()
    assert graph.select(["toy.double", "toy.raw"]) == ("toy.raw", "toy.double")
    assert set(graph.select(["toy.d*"])) >= {"toy.double", "toy.day"}
    with pytest.raises(UnknownName, match="Did you mean toy.double"):
        graph.select(["toy.doubl"])
    with pytest.raises(UnknownName, match="sciqlop-pipe graph"):
        graph["quite.different"]


def test_ancestors_are_everything_something_is_made_from() -> None:
    assert toy_graph().ancestors(["toy.both"]) == (
        "toy.raw", "toy.double", "toy.smooth", "toy.day", "toy.both",
    )  # fmt: skip


def test_every_dataset_knows_its_mission() -> None:
    graph = toy_graph()
    assert set(graph.mission_of) == set(graph.nodes)
    assert {m.name for m in graph.mission_of.values()} == {"toy"}


# --- plugins -------------------------------------------------------------------------------------


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install missions as plugins: name -> mission, or anything else that is found in its place."""

    def install(**found: Any) -> None:
        points = []
        for name, mission in found.items():
            module = types.ModuleType(f"plugin_{name}")
            module.mission = mission  # type: ignore[attr-defined]
            monkeypatch.setitem(sys.modules, module.__name__, module)
            points.append(EntryPoint(name, f"{module.__name__}:mission", graph_module.GROUP))
        monkeypatch.setattr(graph_module, "entry_points", lambda group: points)

    return install


def test_a_plugin_that_holds_no_mission_is_broken(plugins: Any) -> None:
    plugins(good=Mission("good", [RAW]), bad="not a mission")
    with pytest.warns(UserWarning, match="(?s)plugin 'bad'.*TypeError: .* is a str, not a Mission"):
        graph = Graph.discover()
    assert set(graph.nodes) >= {"toy.raw"}
    assert [(b.name, b.value) for b in graph.broken] == [("bad", "plugin_bad:mission")]
    assert "Traceback" in graph.broken[0].error


def test_a_plugin_with_wrong_declarations_does_not_take_the_others_down(plugins: Any) -> None:
    plugins(
        good=Mission("good", [RAW]),
        typo=Mission("typo", [product("typo.x", doubled, x="toy.rwa")]),
        twice=Mission("twice", [hours("twice.raw"), hours("twice.raw")]),
        circle=Mission("circle", [product("circle.x", doubled, x="circle.x", granule="1h")]),
    )
    with pytest.warns(UserWarning, match="broken and left out"):
        graph = Graph.discover()
    assert {b.name for b in graph.broken} == {"typo", "twice", "circle"}
    assert [m.name for m in graph.missions] == ["good"]


def test_what_is_made_from_a_broken_plugin_is_broken_too(plugins: Any) -> None:
    plugins(
        base=Mission("base", [hours("base.raw"), product("base.x", doubled, x="base.rwa")]),
        upon=Mission("upon", [product("upon.x", doubled, x="base.raw")]),
        apart=Mission("apart", [RAW]),
    )
    with pytest.warns(UserWarning, match="broken and left out"):
        graph = Graph.discover()
    assert {b.name for b in graph.broken} == {"base", "upon"}
    assert "nobody declares its input 'base.raw'" in graph.broken[1].error


def test_a_plugin_may_build_on_another(plugins: Any) -> None:
    plugins(
        upon=Mission("upon", [product("upon.x", doubled, x="toy.raw")]), toy=Mission("toy", [RAW])
    )
    assert "upon.x" in Graph.discover().nodes


def test_two_plugins_that_claim_one_name_are_both_named(plugins: Any) -> None:
    plugins(one=Mission("one", [RAW]), two=Mission("two", [RAW]))
    with pytest.raises(GraphError, match="plugin_one:mission and plugin_two:mission: two plugins"):
        Graph.discover()


def test_a_mistake_of_your_own_is_an_error(plugins: Any) -> None:
    plugins(toy=Mission("toy", [RAW]))
    with pytest.raises(GraphError, match="nobody declares its input 'toy.rwa'"):
        Graph.discover(product("mine.x", doubled, x="toy.rwa"))


# --- notebooks -----------------------------------------------------------------------------------

CELL = '''
from __future__ import annotations
import numpy as np, xarray as xr
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.model import product, recipe

OFFSET = 5.0

@recipe(gives=ScalarSeries, version=1)
def shifted(x: ScalarSeries, *, by: float = OFFSET) -> xr.Dataset:
    """The value shifted; (time) [nT]."""
    about = {"units": "nT", "long_name": "shifted field"}
    return xr.Dataset({"value": ("time", x["value"].values + helper(by), about)},
                      coords={"time": x["time"]})

def helper(by):
    return np.float64(by)

mine = product("mine.shifted", shifted, x="toy.raw")
'''


@pytest.mark.parametrize("workers", [0, 1], ids=["in threads", "in another process"])
def test_a_recipe_of_a_notebook_runs_without_a_mission(
    workers: int, tmp_path: Path, plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(CELL, main.__dict__)
    plugins(toy=Mission("toy", [RAW]))
    write_day(tmp_path / "raw", range(2))
    listing = list_archives([tmp_path / "raw"])
    with (
        Store.open(tmp_path / "store", create=True, durable=False) as store,
        open_cluster(Profile(workers)) as client,
    ):
        graph = Graph.discover(main.mine)
        report = run_campaign(store, graph, ["mine.shifted"], [DAY], listing, lambda: client)
        assert (report.status, report.done) == (0, 4)
        made, source = (store.read(n).load() for n in ("mine.shifted", "toy.raw"))
    np.testing.assert_array_equal(made["value"], source["value"] + 5.0)
