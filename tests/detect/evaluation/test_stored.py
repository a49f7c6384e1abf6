from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from sciqlop_pipe.catalog import import_catalog
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.store import Store


def test_events_of_a_store_are_scored_against_a_list_by_one_command(tmp_path: Path):
    found = tmp_path / "found.csv"
    found.write_text(
        "start,stop,kind,time,probability\n"
        "2012-01-01T00:00,2012-01-01T00:02,bow_shock,2012-01-01T00:01,0.9\n"
        "2012-01-01T06:00,2012-01-01T06:02,bow_shock,2012-01-01T06:01,0.4\n"
        "2012-01-02T06:00,2012-01-02T06:02,magnetopause,2012-01-02T06:01,0.4\n"
    )
    with Store.open(tmp_path / "store", create=True) as store:
        import_catalog(store, "lists.found", found)
    truth = tmp_path / "truth.csv"
    truth.write_text("start,stop\n2012-01-01T00:01:10,2012-01-01T00:01:10\n2012-01-02,2012-01-02\n")
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    command = ["evaluate", "lists.found", "--catalog", str(truth), "--kind", "bow_shock",
               "--tolerance", "60s", "--store", str(tmp_path / "store"), "--json", str(out),
               "--report", str(page)]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    scores = json.loads(out.read_text())["events"]["bow_shock"]
    got = scores["rules"]["within 60 s"]
    assert (got["true"], got["found"], got["matched"]) == (2, 2, 1)
    assert got["moment_error_s"] == 10.0
    text = page.read_text()
    assert text.count("data:image/png;base64,") >= 1 and "bow_shock" in text


def test_several_lists_may_follow_one_option(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("start,stop\n2012-01-01,2012-01-02\n")
    with Store.open(tmp_path / "store", create=True) as store:
        import_catalog(store, "lists.a", tmp_path / "a.csv")
    out = tmp_path / "out.json"
    command = ["evaluate", "lists.a", "--catalog", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"),
               "--store", str(tmp_path / "store"), "--json", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert len(json.loads(out.read_text())["about"]["catalogs"]) == 2


def test_gaps_within_granules_were_not_searched(tmp_path: Path):
    from sciqlop_pipe.datatypes import VectorSeries
    from sciqlop_pipe.detect.evaluation.stored import recorded, searched
    from sciqlop_pipe.granule import HOUR, SECOND, Interval
    from tests.fields import START, vector
    from tests.putting import put

    day = Interval.of("2020-01-01", "2020-01-02")
    field = vector([[1.0, 2.0, 3.0]] * 3600)
    part = field.isel(
        time=(field["time"] < START + np.timedelta64(600, "s"))
        | (field["time"] > START + np.timedelta64(3000, "s"))
    )
    with Store.open(tmp_path / "store", create=True) as store:
        put(store, "toy.b", part, VectorSeries, day)
        (whole,) = searched(store, "toy.b")
        assert whole.stop - whole.start > 0.99 * HOUR
        first, second = recorded(store, "toy.b", [whole])
    assert abs(first.stop - first.start - 600 * SECOND) <= SECOND
    assert abs(second.stop - second.start - 599 * SECOND) <= SECOND
