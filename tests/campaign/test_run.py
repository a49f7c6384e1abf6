"""A run makes what is missing, says what failed, and resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store
from tests.toy import DAY, doubled_anew, toy_graph, write_day, write_file


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    with open_cluster(Profile(workers=0)) as found:
        yield found


Run = Callable[..., Report]


@pytest.fixture
def run(tmp_path: Path, client: object) -> Run:
    def go(*targets: str, graph: Graph | None = None, interval: Interval = DAY, **options: object):
        with Store.open(tmp_path / "store", create=True, durable=False) as store:
            return run_campaign(store, graph or toy_graph(), targets, [interval],
                                list_archives([str(tmp_path / "raw")]), lambda: client,
                                Options(**options))  # fmt: skip

    return go


def read(tmp_path: Path, name: str, **options: object) -> xr.Dataset:
    return xr.open_dataset(tmp_path / "store", engine="sciqlop", dataset=name, **options).load()


def test_a_day_of_files_becomes_all_products(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw")
    report = run("toy.both", "toy.rises")
    assert report.status == 0
    assert report.rows["toy.raw"] == {
        "done": 24,
        "records": 1440,
        "bytes": report.rows["toy.raw"]["bytes"],
    }
    double, raw = read(tmp_path, "toy.double"), read(tmp_path, "toy.raw")
    np.testing.assert_array_equal(double.value, 2 * raw.value)
    assert read(tmp_path, "toy.both").sizes["time"] == 24


def test_a_second_run_computes_nothing(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(3))
    run("toy.both")
    report = run("toy.both")
    assert (report.planned, report.done) == (0, 0)


def test_a_margin_makes_the_result_independent_of_the_granule_length(
    tmp_path: Path, run: Run
) -> None:
    write_day(tmp_path / "raw", range(6))
    run("toy.smooth")
    hourly = read(tmp_path, "toy.smooth")
    run("toy.smooth", graph=toy_graph(smooth_granule="6h"))
    np.testing.assert_array_equal(read(tmp_path, "toy.smooth").value, hourly.value)


def test_a_new_file_version_remakes_just_what_was_made_from_it(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(4))
    run("toy.day", "toy.double")
    write_file(tmp_path / "raw", "2030-01-01T02", version="2", offset=1.0)
    report = run("toy.day", "toy.double")
    assert {k: r["done"] for k, r in report.rows.items()} == {
        "toy.raw": 1,
        "toy.double": 1,
        "toy.day": 1,
    }


def test_a_file_of_new_name_and_equal_content_changes_nothing(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(4))
    run("toy.day")
    old = tmp_path / "raw" / "toy_2030010102_v1.npz"
    old.rename(old.with_name("toy_2030010102_v2.npz"))
    report = run("toy.day")
    assert (report.done, report.unchanged) == (0, 3)
    assert run("toy.day").planned == 0


def test_newer_code_and_other_params_make_a_granule_stale(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(2))
    run("toy.double")
    assert run("toy.double", graph=toy_graph(factor=3.0)).counts["toy.double"] == {"params": 2}
    assert (
        run("toy.double", graph=toy_graph(doubling=doubled_anew)).counts["toy.double"]["code"] == 2
    )


def test_a_bad_file_blocks_only_what_requires_it(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(4))
    write_file(tmp_path / "raw", "2030-01-01T01", version="2", trouble="bad")
    report = run("toy.double", "toy.day")
    assert report.status == 1
    states = {(f.granule.dataset, f.state) for f in report.failures}
    assert states == {("toy.raw", "refused"), ("toy.double", "blocked")}
    assert report.rows["toy.double"]["done"] == 3
    with Store.open(tmp_path / "store") as store:
        (day,) = store.registry.current("toy.day")
        assert day.completeness == pytest.approx(0.75)
        assert "toy.double/20300101T0100" in store.registry.row(day.uid)["waits_for"]


def test_the_missing_piece_completes_what_was_made_without_it(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(3))
    bad = write_file(tmp_path / "raw", "2030-01-01T01", version="2", trouble="bad")
    run("toy.day")
    bad.unlink()
    report = run("toy.day")
    assert report.status == 0
    with Store.open(tmp_path / "store") as store:
        assert store.registry.current("toy.day")[0].completeness == 1.0
    assert read(tmp_path, "toy.day").sizes["time"] == 3


def test_a_passing_fault_is_tried_again(tmp_path: Path, run: Run) -> None:
    write_file(tmp_path / "raw", "2030-01-01T00", trouble="once")
    report = run("toy.double")
    assert report.status == 0 and report.rows["toy.double"]["done"] == 1


def test_a_lasting_fault_is_recorded(tmp_path: Path, run: Run) -> None:
    write_file(tmp_path / "raw", "2030-01-01T00", trouble="network")
    report = run("toy.double")
    assert report.status == 1
    assert "does not answer" in report.failures[0].error


def test_an_empty_granule_is_remembered_as_empty(tmp_path: Path, run: Run) -> None:
    write_file(tmp_path / "raw", "2030-01-01T00", n=0)
    report = run("toy.double")
    assert report.status == 0 and report.records == 0
    assert run("toy.double").planned == 0


def test_an_interval_without_data_is_not_an_error(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(1))
    report = run("toy.double", interval=Interval.of("2031-01-01", "2031-01-02"))
    assert (report.status, report.planned) == (0, 0)


def test_a_withdrawn_file_is_reported_and_changes_nothing(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(2))
    run("toy.double")
    (tmp_path / "raw" / "toy_2030010101_v1.npz").unlink()
    report = run("toy.double")
    assert report.withdrawn == ["toy.raw/20300101T0100"] and report.done == 0
    assert read(tmp_path, "toy.double").sizes["time"] == 120


def test_a_transient_dataset_is_not_kept_but_its_products_are(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(2))
    graph = toy_graph(transient=True)
    run("toy.double", graph=graph)
    assert read(tmp_path, "toy.double").sizes["time"] == 120
    with pytest.raises(Exception, match="transient"):
        read(tmp_path, "toy.raw")
    assert run("toy.double", graph=graph).planned == 0
    twice = read(tmp_path, "toy.double")
    assert run("toy.double", graph=toy_graph(transient=True, factor=6.0)).status == 0
    np.testing.assert_allclose(read(tmp_path, "toy.double").value, 3 * twice.value)


def test_a_transient_input_with_a_margin_gives_the_same_product(tmp_path: Path, run: Run) -> None:
    write_day(tmp_path / "raw", range(3))
    run("toy.smooth")
    kept = read(tmp_path, "toy.smooth")
    (tmp_path / "store").rename(tmp_path / "first")
    run("toy.smooth", graph=toy_graph(transient=True))
    xr.testing.assert_identical(read(tmp_path, "toy.smooth"), kept)


def test_events_come_with_their_granule_and_only_once(tmp_path: Path, run: Run) -> None:
    from sciqlop_pipe.catalog import load_catalog

    write_day(tmp_path / "raw")
    run("toy.rises")
    with Store.open(tmp_path / "store") as store:
        before = load_catalog(store, "toy.rises").events
    assert before
    run("toy.rises", graph=toy_graph(level=0.001))
    with Store.open(tmp_path / "store") as store:
        after = load_catalog(store, "toy.rises").events
    assert len(after) == len(before)
