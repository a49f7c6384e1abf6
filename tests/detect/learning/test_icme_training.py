from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from sciqlop_pipe.detect.icme_model import load_icme_model
from sciqlop_pipe.detect.learning.icme import _narrowed, read_hours
from sciqlop_pipe.detect.learning.labelled_hours import labelled
from sciqlop_pipe.errors import PipeError, SourceError, UsageError
from sciqlop_pipe.granule import HOUR, Interval, instant

pytest.importorskip("skops", reason="trained models need the extra `detect`")


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    if isinstance(done.exception, PipeError):
        return f"error: {done.exception}"
    assert done.exit_code == 0, done.output
    return done.output


def omni_year(
    folder: Path, year: int, seed: int = 0, days: int = 366, **fixed: float
) -> tuple[Path, list[str]]:
    """Write a year of OMNI 2 text with a magnetic cloud every 20 days; return it and their rows."""
    rng = np.random.default_rng([seed, year])
    first, last = (instant(f"{y}-01-01") // HOUR for y in (year, year + 1))
    n = min(last - first, days * 24)
    speed = 400 + 50 * np.sin(np.arange(n) / 90) + 10 * rng.normal(size=n)
    kelvin = 6e4 * (speed / 400) ** 3 * np.exp(0.2 * rng.normal(size=n))
    b, density = 3 * rng.normal(size=(n, 3)), 6 * np.exp(0.3 * rng.normal(size=n))
    spread, alpha = 2 * np.exp(0.3 * rng.normal(size=n)), np.full(n, 0.03)
    rows = []
    for start in range(12 * 24, n - 48, 20 * 24):
        part = slice(start, start + 24)
        turn = np.linspace(0, np.pi, 24)
        b[part] = 14 * np.stack([0.2 * turn, np.cos(turn), np.sin(turn)], axis=1)
        kelvin[part], density[part], spread[part], alpha[part] = 1.5e4, 3.0, 0.4, 0.08
        times = [np.datetime64(int(first + h), "h") for h in (start, start + 24)]
        rows.append(",".join(map(str, times)))
    values = {
        8: np.linalg.norm(b, axis=1) + 0.2, 12: b[:, 0], 13: b[:, 1], 14: b[:, 2], 15: b[:, 1],
        16: b[:, 2], 18: spread, 22: kelvin, 23: density, 24: speed, 25: rng.normal(0, 2, n),
        26: rng.normal(0, 2, n), 27: alpha,
    }  # fmt: skip
    values |= {int(k.removeprefix("word")): np.full(n, v) for k, v in fixed.items()}
    words = np.full((n, 55), "0", object)
    for k, column in values.items():
        words[:, k] = [f"{x:.3f}" for x in column]
    for h in range(n):
        words[h, :3] = (str(year), str(h // 24 + 1), str(h % 24))
    path = folder / f"omni2_{year}.dat"
    path.write_text("\n".join(" ".join(row) for row in words) + "\n")
    return path, rows


def catalog(folder: Path, rows: list[str]) -> Path:
    path = folder / "events.csv"
    path.write_text("\n".join(["begin,end", *rows]) + "\n")
    return path


@pytest.mark.long
def test_icmes_are_trained_and_judged_on_years_they_have_not_seen(tmp_path: Path):
    years = [omni_year(tmp_path, y) for y in (2011, 2012, 2013)]
    files, truth = [f for f, _ in years], catalog(tmp_path, [r for _, rows in years for r in rows])
    out = tmp_path / "model"
    run("train", "icme", "--input", *files, "--labels", truth, "-o", out, "--json",
        tmp_path / "o.json", "--table", tmp_path / "page.md")  # fmt: skip
    summary = json.loads((tmp_path / "o.json").read_text())["summary"]
    assert summary["f1_iou_0"] > 0.8
    card = load_icme_model(out).card
    assert sorted(card.metrics["events"]["by_group"]) == ["2011", "2012", "2013"]
    assert "| icme | iou>0.3 |" in (tmp_path / "page.md").read_text()
    other, rows = omni_year(tmp_path, 2014, seed=5)
    said = run("evaluate", "icme", "--input", other, "--catalog", catalog(tmp_path, rows), "--model",
               out, "--json", tmp_path / "new.json", "--predictions", tmp_path / "p.csv")  # fmt: skip
    assert "very hours" not in said
    assert json.loads((tmp_path / "new.json").read_text())["summary"]["f1_iou_0.3"] > 0.8
    again = run(
        "evaluate", "icme", "--input", other, "--catalog", tmp_path / "p.csv", "--model", out
    )
    assert "f1_iou_0.5 1.0" in again


def test_a_year_of_omni_is_read_as_its_mission_declares(tmp_path: Path):
    path, _ = omni_year(tmp_path, 2012, days=30)
    h = read_hours([path])
    assert len(h) == 720 and h.time[0] == instant("2012-01-01T00:30")
    assert np.isfinite(h.alpha).all() and 1 < np.median(h.temperature) < 10


def test_of_a_list_of_several_spacecraft_the_one_near_the_earth_is_taken(tmp_path: Path):
    path = tmp_path / "cat.csv"
    path.write_text(
        "sc_insitu,mo_start_time,mo_end_time\n"
        "Wind,2012-01-01T00:00Z,2012-01-02T00:00Z\nPSP,2012-01-05T00:00Z,2012-01-06T00:00Z\n"
    )
    assert [m.source for m in _narrowed(path, "").marks] == ["Wind"]
    assert [m.source for m in _narrowed(path, "PSP").marks] == ["PSP"]


def test_hours_may_come_as_csv_without_a_temperature(tmp_path: Path):
    path = tmp_path / "h.csv"
    path.write_text("ts,b,bz,n,v\n1998-01-01 00:00,3,1,7,366\n1998-01-01 01:00,999.9,1,7,366\n")
    h = read_hours([path])
    assert len(h) == 2 and np.isnan(h.strength[1]) and np.isnan(h.temperature).all()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="no hourly table"):
        read_hours([path])


def test_what_cannot_be_learned_from_is_refused(tmp_path: Path):
    path, rows = omni_year(tmp_path, 2012, days=60)
    truth = catalog(tmp_path, rows)
    out = ("-o", tmp_path / "model")
    assert "there are no hours" in run("train", "icme", "--labels", truth, *out)
    assert "no events to compare" in run("train", "icme", "--input", path, *out)
    assert "random splits are refused" in run(
        "train", "icme", "--input", path, "--labels", truth, "--split", "random", *out)  # fmt: skip
    assert "last longer than a day" in run(
        "train", "icme", "--input", path, "--labels", truth, "--split", "day", *out)  # fmt: skip
    assert "at least 3 are needed" in run(
        "train", "icme", "--input", path, "--labels", truth, *out)  # fmt: skip
    elsewhere = catalog(tmp_path, ["1999-01-01,1999-01-02"])
    assert "no event of the lists lies within the data" in run(
        "train", "icme", "--input", path, "--labels", elsewhere, *out)  # fmt: skip
    backwards = catalog(tmp_path, ["2012-01-02,2012-01-01"])
    assert "before it starts" in run("train", "icme", "--input", path, "--labels", backwards, *out)


def test_a_constant_channel_is_no_measurement(tmp_path: Path):
    path, rows = omni_year(tmp_path, 2012, days=60, word24=420.0, word25=0.0, word26=0.0)
    h = read_hours([path])
    with pytest.raises(UsageError, match="'speed' has one value in all hours"):
        labelled(h, _marks(rows), [], [_all()])


def test_an_unknown_detector_is_named_with_those_there_are(tmp_path: Path):
    assert "no detector" in run("evaluate", "cme2", "--input", tmp_path / "x")


def _all() -> Interval:
    return Interval.of("2012-01-01", "2013-01-01")


def _marks(rows: list[str]):
    from sciqlop_pipe.detect.evaluation import Mark

    return [Mark(*(instant(t) for t in row.split(","))) for row in rows]
