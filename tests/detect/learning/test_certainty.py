"""How often a rule's events are right: learned from a list, held by a store, shown in catalogs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.catalog import import_catalog, load_catalog
from sciqlop_pipe.detect.trained import load_trained
from sciqlop_pipe.granule import DAY, HOUR, MINUTE, instant, iso
from sciqlop_pipe.store import Store
from tests.detect.learning.jets import run

pytest.importorskip("skops", reason="trained models need the extra `detect`")

NAME = "lists.rule"
START = instant("2020-01-01")


@pytest.fixture
def rule(tmp_path: Path) -> tuple[Path, Path]:
    """Make a store with 300 events whose score s is right with probability s^2, and the truth."""
    rng = np.random.default_rng(1)
    score = rng.uniform(0.3, 0.99, 300)
    right = rng.random(300) < score**2
    rows, truth = ["start,stop,kind,score"], ["start,stop"]
    for k, s in enumerate(score):
        start = START + k // 20 * DAY + k % 20 * HOUR
        rows.append(f"{iso(start)},{iso(start + MINUTE)},jet,{s:.4f}")
        if right[k]:
            truth.append(f"{iso(start + MINUTE // 4)},{iso(start + MINUTE)}")
    (tmp_path / "found.csv").write_text("\n".join(rows))
    (tmp_path / "truth.csv").write_text("\n".join(truth))
    with Store.open(tmp_path / "store", create=True) as store:
        import_catalog(store, NAME, tmp_path / "found.csv")
    return tmp_path / "store", tmp_path / "truth.csv"


def told(store: Path) -> list[dict]:
    with Store.open(store, read_only=True) as opened:
        return [dict(e.attributes) for e in load_catalog(opened, NAME).events]


def test_a_score_becomes_a_probability_that_holds(rule: tuple[Path, Path], tmp_path: Path):
    store, truth = rule
    at = ("--store", store)
    before = told(store)
    assert {(a["probability"], a["calibration"]) for a in before} == {(None, "none")}
    run("train", NAME, "--labels", truth, "-o", tmp_path / "m", "--json", tmp_path / "o.json", *at)
    numbers = json.loads((tmp_path / "o.json").read_text())
    assert numbers["summary"]["brier_skill"] > 0.1 and numbers["summary"]["ece"] < 0.08
    run("model", "promote", NAME, tmp_path / "m", *at)
    after = told(store)
    assert [a["score"] for a in after] == [a["score"] for a in before]
    off = [a["probability"] - a["score"] ** 2 for a in after]
    assert np.sqrt(np.mean(np.square(off))) < 0.08
    assert {a["calibration"] for a in after} == {load_trained(tmp_path / "m").content[:16]}
    assert NAME in run("model", "list", *at)


def test_what_is_shown_beside_an_event_is_nobodys_edit(rule: tuple[Path, Path], tmp_path: Path):
    store, truth = rule
    at = ("--store", store)
    run("catalog", "export", NAME, "-o", tmp_path / "out.json", *at)
    run("train", NAME, "--labels", truth, "-o", tmp_path / "m", "--promote", *at)
    said = run("catalog", "merge", NAME, tmp_path / "out.json", "--author", "me", "--json", *at)
    assert json.loads(said)["edits"] == [], said


def test_without_a_probability_the_curve_is_over_the_score(rule: tuple[Path, Path], tmp_path: Path):
    store, truth = rule
    run("evaluate", NAME, "--catalog", truth, "--json", tmp_path / "o.json", "--store", store)
    scores = json.loads((tmp_path / "o.json").read_text())["events"][NAME]
    assert scores["ordered_by"] == "score" and len(scores["pr_curve"]) == 200
    assert scores["calibration"]["bins"] == []
    first, last = scores["pr_curve"][0], scores["pr_curve"][-1]
    assert first[1] > last[1] + 0.2 and last[2] == 1.0
    assert scores["average_precision"] > last[1] + 0.1


def test_too_few_events_and_unknown_ones_are_refused(rule: tuple[Path, Path], tmp_path: Path):
    store, truth = rule
    at = ("--store", store)
    few = run("train", NAME, "--labels", truth, "--stop", "2020-01-01T06:00", "-o", tmp_path / "m",
              *at, fails=True)  # fmt: skip
    assert "at least 10" in few
    assert "lists.rule" in run("train", "lists.rul", "--labels", truth, *at, fails=True)
    assert "random splits" in run("train", NAME, "--labels", truth, "--split", "random", *at,
                                  fails=True)  # fmt: skip
