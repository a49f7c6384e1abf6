"""A plan says what is stale and why, and asks for no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Annotated

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.errors import PipeError, StoreError
from sciqlop_pipe.granule import HOUR, MINUTE, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Margin, Mission, product, raw, recipe
from sciqlop_pipe.plan import REASONS, Entry, Plan, Timeline, merged, needs
from sciqlop_pipe.store.records import Current, Rows
from tests.serial import Bench
from tests.toy import (
    DAY,
    ToySource,
    doubled,
    doubled_anew,
    hourly,
    toy_graph,
    toy_mission,
    write_file,
)


def stale(plan: Plan) -> dict[str, list[tuple[int, str]]]:
    """Return hour and reason of everything that is to be made, by dataset."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name, entry in plan.stale():
        hour = (entry.interval.start - DAY.start) // HOUR
        found.setdefault(name.removeprefix("toy."), []).append((hour, entry.reason))
    return found


def hours(*pairs: tuple[int, int]) -> list[Interval]:
    return [Interval(DAY.start + a * HOUR, DAY.start + b * HOUR) for a, b in pairs]


spans = st.lists(
    st.builds(lambda a, n: Interval(a, a + n), st.integers(0, 60), st.integers(1, 20)), max_size=8
)


@given(spans)
def test_the_union_of_intervals_is_disjoint_and_complete(given: list[Interval]) -> None:
    union = list(merged(given))
    assert all(a.stop < b.start for a, b in pairwise(union))
    covered = {t for i in union for t in range(i.start, i.stop)}
    assert covered == {t for i in given for t in range(i.start, i.stop)}


@given(spans, st.integers(-5, 80), st.integers(1, 30))
def test_a_timeline_finds_what_overlaps(given: list[Interval], start: int, length: int) -> None:
    asked = Interval(start, start + length)
    found = Timeline([Entry(i) for i in given]).over(asked)
    assert sorted(e.interval for e in found) == sorted(i for i in given if i.overlaps(asked))


@given(spans, st.integers(-5, 80), st.integers(1, 30))
def test_current_rows_are_found_by_time(given: list[Interval], start: int, length: int) -> None:
    rows = [_row(i) for i in merged(given)]
    asked = Interval(start, start + length)
    assert Rows.of(rows).over(asked) == [r for r in rows if r.interval.overlaps(asked)]


def _row(i: Interval) -> Current:
    return Current("u", "d", i.start, i.stop, 1, 0, 0, "f", "c", None, "x@1", 1, "{}", "k", 1.0)


def test_everything_is_missing_at_first_and_nothing_after_a_run(bench: Bench) -> None:
    bench.files(3, 4)
    plan = bench.plan("toy.day")
    assert stale(plan) == {
        "raw": [(3, "missing"), (4, "missing")],
        "double": [(3, "missing"), (4, "missing")],
        "day": [(0, "missing")],
    }
    bench.run("toy.day")
    assert len(bench.plan("toy.day")) == 0
    assert bench.plan("toy.day").counts()["toy.raw"] == {"current": 2}


def test_only_what_the_target_needs_is_planned(bench: Bench) -> None:
    bench.files(3)
    assert set(bench.plan("toy.double").timelines) == {"toy.raw", "toy.double"}


def test_new_code_is_a_reason_and_what_is_made_from_it_follows(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.day")
    plan = bench.plan("toy.day", graph=toy_graph(doubling=doubled_anew))
    assert stale(plan) == {"double": [(3, "code")], "day": [(0, "upstream")]}


def test_other_params_are_a_reason(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.double")
    assert stale(bench.plan("toy.double", graph=toy_graph(factor=5.0))) == {
        "double": [(3, "params")]
    }


def test_a_changed_file_is_a_reason(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.double")
    bench.file(4, offset=1.0)
    assert stale(bench.plan("toy.double")) == {"raw": [(4, "input")], "double": [(4, "upstream")]}


def test_an_input_that_another_run_replaced_is_a_reason(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.double")
    bench.file(3, offset=1.0)
    bench.run("toy.raw")
    assert stale(bench.plan("toy.double")) == {"double": [(3, "input")]}


def test_a_scheduled_run_takes_what_is_missing_and_leaves_new_code_to_a_campaign(
    bench: Bench,
) -> None:
    bench.files(3)
    bench.run("toy.double")
    bench.files(5)
    new = toy_graph(doubling=doubled_anew)
    plan = bench.plan("toy.double", graph=new, reasons=("missing", "input"))
    assert stale(plan) == {"raw": [(5, "missing")], "double": [(5, "missing")]}


def test_results_of_newer_code_are_never_replaced_by_older(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.double", graph=toy_graph(doubling=doubled_anew))
    with pytest.raises(StoreError, match=r"holds version 2, this installation makes 1.*Update"):
        bench.plan("toy.double", graph=toy_graph(doubling=replace(doubled_anew, version=1)))


def test_another_recipe_may_have_a_lower_version(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.double", graph=toy_graph(doubling=doubled_anew))
    assert stale(bench.plan("toy.double")) == {"double": [(3, "code")]}


@recipe(gives=ScalarSeries, version=1)
def judged(x: ScalarSeries, *, model: object) -> xr.Dataset:
    """Return it."""
    return x


def test_a_newly_promoted_model_is_a_reason(bench: Bench) -> None:
    mission = toy_mission()
    graph = Graph.of(
        [Mission("toy", [*mission.datasets, product("toy.j", judged, x="toy.raw", model="m")])]
    )
    bench.files(3)
    with pytest.raises(PipeError, match=r"no trained model 'm'"):
        bench.run("toy.j", graph=graph)
    model = {"m": ("hash", "models/m")}
    assert stale(bench.plan("toy.j", graph=graph, models=model))["j"] == [(3, "missing")]


def test_whole_granules_are_planned(bench: Bench) -> None:
    bench.files(3, 4, 5)
    part = Interval(DAY.start + 4 * HOUR + 5 * MINUTE, DAY.start + 4 * HOUR + 6 * MINUTE)
    assert stale(bench.plan("toy.double", intervals=[part]))["double"] == [(4, "missing")]
    assert len(stale(bench.plan("toy.day", intervals=[part]))["raw"]) == 3


def test_a_margin_asks_for_the_neighbours(bench: Bench) -> None:
    bench.files(3, 4, 5, 6)
    plan = bench.plan("toy.smooth", intervals=hours((4, 5)))
    assert stale(plan) == {
        "raw": [(3, "missing"), (4, "missing"), (5, "missing")],
        "smooth": [(4, "missing")],
    }


def test_a_changed_neighbour_makes_a_granule_with_a_margin_stale(bench: Bench) -> None:
    bench.files(3, 4, 5)
    bench.run("toy.smooth")
    bench.file(3, offset=1.0)
    assert stale(bench.plan("toy.smooth"))["smooth"] == [(3, "upstream"), (4, "upstream")]


def test_margins_add_up_along_the_graph() -> None:
    graph = toy_graph(smooth_granule="2h")
    wanted = needs(graph, ["toy.smooth"], hours((5, 6)))
    assert wanted["toy.smooth"] == tuple(hours((4, 6)))
    assert wanted["toy.raw"] == tuple(hours((3, 7)))


def two_sources() -> Graph:
    """Return a product of one raw dataset and, where there is one, another."""
    other = ToySource(pattern="other_{start:%Y%m%d%H}_v{version}.npz")
    return Graph.of(
        [
            Mission(
                "toy",
                [
                    raw("toy.raw", ScalarSeries, ToySource(), granule="1h"),
                    raw("toy.other", ScalarSeries, other, granule="1h"),
                    product("toy.mixed", hourly, x="toy.raw", other="toy.other"),
                ],
            )
        ]
    )


def test_an_optional_input_that_arrives_makes_a_granule_stale(bench: Bench) -> None:
    graph = two_sources()
    bench.files(3, 4)
    bench.run("toy.mixed", graph=graph)
    late = bench.file(4, version="9")
    late.rename(late.with_name("other_2030010104_v1.npz"))
    plan = bench.plan("toy.mixed", graph=graph)
    assert stale(plan) == {"other": [(4, "missing")], "mixed": [(4, "upstream")]}


def test_an_optional_input_alone_makes_no_product(bench: Bench) -> None:
    bench.file(4).rename(bench.raw / "other_2030010104_v1.npz")
    assert "mixed" not in stale(bench.plan("toy.mixed", graph=two_sources()))


@recipe(gives=ScalarSeries, version=1)
def passed(x: Annotated[ScalarSeries, Margin("1d")]) -> xr.Dataset:
    """Return it."""
    return x


def test_months_follow_the_calendar(bench: Bench) -> None:
    mission = Mission(
        "toy",
        [
            raw("toy.raw", ScalarSeries, ToySource(), granule="1d"),
            product("toy.month", passed, x="toy.raw", granule="month"),
        ],
    )
    graph = Graph.of([mission])
    for when in (
        "2027-12-31T23",
        "2028-01-31T00",
        "2028-02-01T00",
        "2028-02-29T23",
        "2028-03-01T00",
    ):
        write_file(bench.raw, when)
    plan = bench.plan("toy.month", graph=graph, intervals=[Interval.of("2028-02-10", "2028-02-11")])
    (month,) = [e.interval for e in plan.timelines["toy.month"].entries]
    assert month == Interval.of("2028-02-01", "2028-03-01")
    assert [e.interval.start for e in plan.timelines["toy.raw"].entries] == [
        instant(d) for d in ("2028-01-31", "2028-02-01", "2028-02-29", "2028-03-01")
    ]
    assert bench.run("toy.month", graph=graph, intervals=[month]).status == 0


def test_without_archives_only_what_the_store_has_is_planned(bench: Bench) -> None:
    bench.files(3)
    assert len(bench.plan("toy.double", listed=False)) == 0
    bench.run("toy.raw")
    plan = bench.plan("toy.double", listed=False)
    assert stale(plan) == {"double": [(3, "missing")]}
    assert plan.withdrawn == []


def test_only_what_was_asked_for_can_be_withdrawn(bench: Bench) -> None:
    """Between two intervals the store has granules that this plan has not looked for."""
    bench.files(*range(8))
    bench.run("toy.raw")
    assert bench.plan("toy.raw", intervals=hours((0, 1), (6, 8))).withdrawn == []
    for path in bench.raw.iterdir():
        path.unlink()
    gone = bench.plan("toy.raw", intervals=hours((0, 1), (6, 8))).withdrawn
    assert [str(g)[-5:] for g in gone] == ["T0000", "T0600", "T0700"]


def day_of_files() -> Graph:
    """Return a raw dataset whose granule is made from many files."""
    return Graph.of([Mission("toy", [raw("toy.raw", ScalarSeries, ToySource(), granule="1d")])])


def test_a_granule_is_not_made_anew_without_one_of_its_files(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.raw", graph=day_of_files())
    (bench.raw / "toy_2030010104_v1.npz").unlink()
    report = bench.run("toy.raw", graph=day_of_files())
    assert (report.planned, report.withdrawn) == (0, ["toy.raw/20300101T0000"])


def test_a_newer_version_of_a_file_withdraws_nothing(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.raw", graph=day_of_files())
    (bench.raw / "toy_2030010104_v1.npz").unlink()
    bench.files(4, version="2", offset=1.0)
    plan = bench.plan("toy.raw", graph=day_of_files())
    assert (stale(plan), plan.withdrawn) == ({"raw": [(0, "input")]}, [])


def test_a_withdrawal_that_is_accepted_is_acted_upon(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.double")
    (bench.raw / "toy_2030010104_v1.npz").unlink()
    report = bench.run("toy.double", reasons=(*REASONS, "withdrawn"))
    assert (report.status, report.done) == (0, 2)
    with bench.store() as store:
        assert store.read("toy.double").sizes["time"] == 60
    assert bench.run("toy.double").planned == 0


def test_a_failed_granule_is_planned_again(bench: Bench) -> None:
    bench.file(3, trouble="bad")
    assert bench.run("toy.double").status == 1
    assert stale(bench.plan("toy.double"))["raw"] == [(3, "missing")]


@pytest.mark.parametrize(("before", "after"), [("1h", "6h"), ("6h", "1h"), ("6h", "4h")])
def test_granules_of_another_length_replace_those_they_cover(
    bench: Bench, before: str, after: str
) -> None:
    bench.files(*range(12))
    first = bench.run("toy.smooth", graph=toy_graph(smooth_granule=before))
    again = bench.run("toy.smooth", graph=toy_graph(smooth_granule=after))
    assert (first.status, again.status, again.conflicts) == (0, 0, 0)
    with bench.store() as store:
        assert store.read("toy.smooth").sizes["time"] == 12 * 60
    assert len(bench.plan("toy.smooth", graph=toy_graph(smooth_granule=after))) == 0


@pytest.mark.parametrize(("before", "after"), [("1h", "6h"), ("6h", "1h")])
def test_raw_granules_of_another_length_are_read_once(
    bench: Bench, before: str, after: str
) -> None:
    def graph(length: str) -> Graph:
        source = raw("toy.raw", ScalarSeries, ToySource(), granule=length)
        return Graph.of([Mission("toy", [source, product("toy.p", doubled, x="toy.raw")])])

    bench.files(*range(12))
    bench.run("toy.p", graph=graph(before))
    again = bench.run("toy.p", graph=graph(after))
    assert (again.status, again.conflicts, again.withdrawn) == (0, 0, [])
    with bench.store() as store:
        assert store.read("toy.p").sizes["time"] == 12 * 60
        assert store.read("toy.raw").sizes["time"] == 12 * 60


def transient(**options: object) -> Graph:
    return toy_graph(transient=True, **options)


def test_what_was_not_kept_is_made_again_only_where_it_is_read(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.double", graph=transient())
    assert len(bench.plan("toy.double", graph=transient())) == 0
    bench.file(4, offset=1.0)
    plan = bench.plan("toy.double", graph=transient())
    assert stale(plan) == {"raw": [(4, "input")], "double": [(4, "upstream")]}
    plan = bench.plan("toy.double", graph=transient(factor=7.0))
    assert stale(plan)["raw"] == [(3, "transient"), (4, "input")]


def test_what_was_not_kept_and_has_lost_its_files_is_never_emptied(bench: Bench) -> None:
    """An archive that is not mounted must not empty the store."""
    bench.files(3, 4)
    bench.run("toy.double", graph=transient())
    with bench.store() as store:
        before = store.read("toy.double").load()
    bench.raw.rename(bench.folder / "unmounted")
    report = bench.run("toy.double", graph=transient(factor=7.0))
    assert report.status == 1
    assert "archive" in report.failures[0].error
    with bench.store() as store:
        xr.testing.assert_identical(store.read("toy.double").load(), before)
        assert [c.n for c in store.registry.current("toy.raw")] == [60, 60]


def test_a_staged_run_plans_on_what_it_has_staged(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.double")
    new = toy_graph(factor=5.0)
    assert bench.run("toy.double", graph=new, stage="s").done == 1
    assert len(bench.plan("toy.double", graph=new, stage="s")) == 0
    assert stale(bench.plan("toy.double", graph=new)) == {"double": [(3, "params")]}


def test_nothing_in_an_empty_archive(bench: Bench) -> None:
    assert len(bench.plan("toy.both", "toy.rises")) == 0


def test_the_same_plan_comes_out_whatever_the_order_of_targets(bench: Bench) -> None:
    bench.files(3, 4)

    def lines(targets: Sequence[str]) -> list[tuple[str, Interval, str]]:
        return [(n, e.interval, e.reason) for n, e in bench.plan(*targets).stale()]

    assert lines(["toy.both", "toy.rises"]) == lines(["toy.rises", "toy.both"])
