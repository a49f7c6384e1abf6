"""What can be made from one reading is one task, and a failure stays with those that need it."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cloudpickle
import pytest
import xarray as xr

from sciqlop_pipe.bundles import Bundles
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.execute import run_bundle
from sciqlop_pipe.granule import DAY
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Margin, Mission, product, raw, recipe
from sciqlop_pipe.store.records import Failure, Record
from sciqlop_pipe.task import Bundle
from tests.serial import Bench, SerialClient
from tests.toy import ToySource, doubled


@recipe(gives=ScalarSeries, version=1)
def broken(x: ScalarSeries) -> xr.Dataset:
    """Fail."""
    raise ValueError("a fault in the recipe")


@recipe(gives=ScalarSeries, version=1)
def shapeless(x: ScalarSeries) -> xr.Dataset:
    """Return something of another shape than promised."""
    return x.rename(value="other")


@recipe(gives=ScalarSeries, version=1)
def either(x: ScalarSeries, other: ScalarSeries | None = None) -> xr.Dataset:
    """Return the sum of what there is."""
    return x if other is None else x.assign(value=(x["value"] + other["value"]).assign_attrs(
        x["value"].attrs))  # fmt: skip


def shape(bundles: Sequence[Bundle]) -> list[list[str]]:
    """Return the granules of each task."""
    return [[str(m.granule).removeprefix("toy.")[:-2] for m in b.members] for b in bundles]


def test_a_raw_granule_and_its_products_are_read_once(bench: Bench) -> None:
    bench.files(3, 4)
    client = SerialClient()
    bench.run("toy.double", client=client)
    assert shape(client.bundles) == [
        ["raw/20300101T03", "double/20300101T03"],
        ["raw/20300101T04", "double/20300101T04"],
    ]


def test_a_day_waits_for_its_hours_and_what_is_made_of_the_day_comes_with_it(
    bench: Bench,
) -> None:
    bench.files(3, 4, 5)
    client = SerialClient()
    bench.run("toy.rises", "toy.day", client=client)
    tasks = shape(client.bundles)
    assert sorted(map(len, tasks)) == [1, 1, 2, 2, 2]
    assert sorted(t[0] for t in tasks[-2:]) == ["day/20300101T00", "rises/20300101T00"]


def test_a_product_with_a_margin_waits_for_the_neighbours(bench: Bench) -> None:
    bench.files(3, 4, 5)
    plan = bench.plan("toy.smooth")
    bundles = Bundles(plan)
    by_hour = {(k[0], (k[1] % DAY) // 3_600_000_000_000): w for k, w in bundles.work.items()}
    assert len(by_hour["toy.smooth", 4].waits) == 3
    assert len(by_hour["toy.smooth", 3].waits) == 2
    assert by_hour["toy.raw", 3].nodes == [by_hour["toy.raw", 3].key]


def test_a_lone_granule_with_a_margin_gives_the_same_alone_and_with_neighbours(
    bench: Bench,
) -> None:
    """In one bundle nothing is cut off, so the fingerprint is the same: no work when asked again."""
    bench.files(3)
    bench.run("toy.smooth", name="together")
    bench.run("toy.raw")
    bench.run("toy.smooth")
    with bench.store("together") as a, bench.store() as b:
        (first,) = a.registry.current("toy.smooth")
        (second,) = b.registry.current("toy.smooth")
    assert (first.fingerprint, first.content) == (second.fingerprint, second.content)


def test_products_of_what_is_there_are_tasks_of_their_own(bench: Bench) -> None:
    bench.files(3, 4)
    bench.run("toy.raw")
    client = SerialClient()
    bench.run("toy.double", client=client)
    assert [len(b.members) for b in client.bundles] == [1, 1]


@recipe(gives=ScalarSeries, version=1)
def together(x: ScalarSeries, other: Annotated[ScalarSeries, Margin("1min")]) -> xr.Dataset:
    """Return the sum of two series on the times of the first."""
    return x.assign(value=(x["value"] + float(other["value"][0])).assign_attrs(x["value"].attrs))


def fleeting(*, looping: bool = False) -> Graph:
    """Return a mission whose raw data are not kept, with a product that needs others as well."""
    other = "toy.double" if looping else "toy.other"
    return Graph.of([Mission("toy", [
        raw("toy.raw", ScalarSeries, ToySource(), granule="1h", transient=True),
        raw("toy.other", ScalarSeries, ToySource(), granule="1d"),
        product("toy.double", doubled, x="toy.raw"),
        product("toy.together", together, x="toy.raw", other=other),
        product("toy.after", doubled, x="toy.together"),
    ])])  # fmt: skip


def test_what_is_not_kept_is_made_once_for_all_that_read_it(bench: Bench) -> None:
    bench.files(3, 4)
    client = SerialClient()
    report = bench.run("toy.double", "toy.after", graph=fleeting(), client=client)
    assert report.done == len({str(m.granule) for b in client.bundles for m in b.members}) == 9
    assert sorted(shape(client.bundles)) == [
        ["other/20300101T00"],
        *(
            [f"{name}/20300101T0{hour}" for name in ("raw", "double", "together", "after")]
            for hour in (3, 4)
        ),
    ]
    pieces = [p for b in client.bundles for m in b.members for i in m.inputs for p in i.pieces]
    assert not any(p.maker for p in pieces)


def test_a_bundle_never_waits_for_itself(bench: Bench) -> None:
    """The other input is made of the same data, with a margin: made again, and not for ever."""
    bench.files(3, 4)
    report = bench.run("toy.after", graph=fleeting(looping=True))
    assert report.failures == []
    assert report.done == 8


def test_what_fails_beside_it_stops_only_its_own(bench: Bench) -> None:
    bench.file(3, trouble="bad")
    bench.file(4)
    report = bench.run("toy.double", "toy.after", graph=fleeting())
    assert report.rows["toy.double"]["done"] == 1
    assert {f.granule.dataset for f in report.failures if f.state == "blocked"} == {
        "toy.double",
        "toy.together",
        "toy.after",
    }


def test_a_task_knows_paths_and_hashes_and_never_the_registry(bench: Bench) -> None:
    bench.files(3)
    bench.run("toy.raw")
    client = SerialClient()
    bench.run("toy.double", client=client)
    (bundle,) = client.bundles
    text = cloudpickle.dumps(bundle)
    assert b"registry" not in text
    assert len(text) < 10_000
    (piece,) = bundle.members[0].inputs[0].pieces
    assert piece.path
    assert (bench.folder / "store" / piece.path).exists()


def test_a_failing_product_does_not_touch_its_siblings(bench: Bench) -> None:
    bench.files(3)
    source = raw("toy.raw", ScalarSeries, ToySource(), granule="1h")
    products = [
        product("toy.broken", broken, x="toy.raw"),
        product("toy.shapeless", shapeless, x="toy.raw"),
        product("toy.double", doubled, x="toy.raw"),
        product("toy.after", doubled, x="toy.broken"),
        product("toy.fine", doubled, x="toy.double"),
    ]
    graph = Graph.of([Mission("toy", [source, *products])])
    report = bench.run("toy.after", "toy.shapeless", "toy.fine", graph=graph)
    assert {f.granule.dataset: f.state for f in report.failures} == {
        "toy.broken": "failed",
        "toy.shapeless": "failed",
        "toy.after": "blocked",
    }
    said = {f.granule.dataset: f.error for f in report.failures}
    assert "ValueError: a fault in the recipe" in said["toy.broken"]
    assert "variable 'value' is missing" in said["toy.shapeless"]
    assert "input x = toy.broken/20300101T0300 could not be made" in said["toy.after"]
    assert report.rows["toy.fine"]["done"] == report.rows["toy.raw"]["done"] == 1


def optional(failing: object) -> Graph:
    source = raw("toy.raw", ScalarSeries, ToySource(), granule="1h")
    return Graph.of(
        [
            Mission(
                "toy",
                [
                    source,
                    product("toy.extra", failing, x="toy.raw"),  # type: ignore[arg-type]
                    product("toy.either", either, x="toy.raw", other="toy.extra"),
                ],
            )
        ]
    )


@pytest.mark.parametrize("bundled", [True, False])
def test_what_is_optional_and_fails_is_done_without(bench: Bench, bundled: bool) -> None:
    bench.files(3)
    if not bundled:
        bench.run("toy.raw")
    report = bench.run("toy.either", graph=optional(broken))
    assert [f.granule.dataset for f in report.failures] == ["toy.extra"]
    assert report.rows["toy.either"]["done"] == 1
    with bench.store() as store:
        (row,) = store.registry.current("toy.either")
        assert row.completeness == 0.5
        assert "toy.extra/20300101T0300" in store.registry.row(row.uid)["waits_for"]
    assert bench.run("toy.either", graph=optional(doubled)).rows["toy.either"]["done"] == 1
    with bench.store() as store:
        assert store.registry.current("toy.either")[0].completeness == 1.0


def test_a_file_that_got_worse_leaves_what_was_made_from_the_better_one(bench: Bench) -> None:
    """A corrupt new version is reported; the day keeps the hour that the store still has."""
    bench.files(3, 4)
    bench.run("toy.day")
    with bench.store() as store:
        before = store.read("toy.day").load()
    bench.file(4, version="2", trouble="bad")
    report = bench.run("toy.day")
    assert {f.granule.dataset: f.state for f in report.failures} == {
        "toy.raw": "refused",
        "toy.double": "blocked",
    }
    with bench.store() as store:
        xr.testing.assert_identical(store.read("toy.day").load(), before)
        assert store.read("toy.double").sizes["time"] == 120


def test_a_day_of_nothing_but_failures_is_not_an_empty_day(bench: Bench) -> None:
    bench.file(3, trouble="bad")
    report = bench.run("toy.day")
    assert {f.granule.dataset: f.state for f in report.failures} == {
        "toy.raw": "refused",
        "toy.double": "blocked",
        "toy.day": "blocked",
    }
    with bench.store() as store:
        assert store.registry.current("toy.day") == []


def test_the_siblings_of_a_granule_that_may_succeed_later_are_not_given_up(bench: Bench) -> None:
    bench.file(3, trouble="once")
    client = SerialClient()
    report = bench.run("toy.double", client=client)
    assert report.status == 0
    assert shape(client.bundles) == [["raw/20300101T03", "double/20300101T03"]] * 2


def test_a_bundle_runs_the_same_twice(bench: Bench) -> None:
    bench.files(3)
    plan = bench.plan("toy.double")
    bundles = Bundles(plan)
    (work,) = bundles.work.values()
    root = str(bench.folder / "elsewhere")
    spec = bundles.spec(work, root, salvage=False, durable=True)
    first, second = run_bundle(spec), run_bundle(spec)
    for a, b in zip(first, second, strict=True):
        assert isinstance(a, Record)
        assert isinstance(b, Record)
        assert (a.fingerprint, a.content, a.inputs_key) == (b.fingerprint, b.content, b.inputs_key)
        assert a.uid != b.uid


def test_a_full_disk_is_recorded_and_what_is_there_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.files(3)
    bench.run("toy.raw")
    real = Path.rename

    def full(self: Path, target: Path) -> Path:
        if "data" in self.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", full)
    report = bench.run("toy.double")
    monkeypatch.undo()
    (failure,) = report.failures
    assert isinstance(failure, Failure)
    assert "No space left on device" in failure.error
    assert report.status == 1
    with bench.store() as store:
        attempt, *_ = store.registry.attempts("toy.double")
        assert attempt["state"] == "failed"
        assert store.read("toy.raw").sizes["time"] == 60
    assert bench.run("toy.double").status == 0
