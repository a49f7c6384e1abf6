"""From what people said of real events to a model that a store uses: every step by its command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from sciqlop_pipe.detect.icme_model import load_icme_model
from sciqlop_pipe.detect.learning.promotion import NotPromoted
from sciqlop_pipe.detect.learning.windows import read_windows
from sciqlop_pipe.detect.models import load_model
from sciqlop_pipe.store import Store
from tests.conftest import Effort

pytest.importorskip("skops", reason="trained models need the extra `detect`")
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

ICMES = "omni.omni2.1h.icmes"
STRETCHES = "mms1.region_stretches"


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    if isinstance(done.exception, NotPromoted):
        return f"error: {done.exception}"
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.output


def shown(name: str, store: Path) -> list[dict]:
    file = store.parent / "shown.json"
    run("catalog", "export", name, "-o", file, "--store", store)
    return json.loads(file.read_text())["events"]


def of(store: Path, model: str) -> str:
    with Store.open(store, read_only=True) as opened:
        return opened.models()[model][0]


def test_icmes_are_learned_again_from_what_people_said(
    shared_data: Path, tmp_path: Path, effort: Effort
):
    archive, store = shared_data / "icme" / "omni2_hourly", tmp_path / "store"
    at = ("--store", store)
    find = (
        "run",
        ICMES,
        "--start",
        "2016-07-01",
        "--stop",
        "2016-09-01",
        "--archive",
        archive,
        *at,
    )
    run(*find)
    first, second = shown(ICMES, store)
    asked = json.loads(run("catalog", "next", ICMES, "-n", "2", "--json", *at))
    assert {q["id"] for q in asked} == {first["id"], second["id"]}
    run("catalog", "verdict", first["id"], "accept", "--author", "me", *at)
    run("catalog", "verdict", second["id"], "moved", "--author", "me", "--start",
        "2016-08-02T20:00", *at)  # fmt: skip
    run("catalog", "verdict", ICMES, "missed", "--author", "me", "--start", "2016-07-20T02:00",
        "--stop", "2016-07-20T12:00", *at)  # fmt: skip
    before, years = of(store, "icme"), (2016, 2017, 2018) if effort.short else range(2011, 2021)
    lists = [shared_data / "icme" / "HELIO4CAST_ICMECAT_v23_2016_2020-06.csv"]
    if not effort.short:
        lists.append(shared_data / "ml" / "event_lists" / "icme" / "wind_icme_1997_2013.csv")
    better = tmp_path / "better"
    said = run("train", "icme", "--input", *(archive / f"omni2_{y}.dat.gz" for y in years),
               "--labels", *lists, "--source", "Wind", "-o", better, "--verdicts", ICMES,
               "--promote", *at)  # fmt: skip
    candidate = load_icme_model(better)
    assert "4 stretches by verdicts of people" in candidate.card.training
    if "error" in said:  # worse on years it has not seen: the store is as it was
        assert "is not promoted" in said and of(store, "icme") == before
        run("model", "promote", "icme", better, *at)
    else:
        assert f"icme is now {candidate.content[:12]}" in said
    assert of(store, "icme") == candidate.content != before
    run(*find)  # with the new model; what was said follows the events
    words = [v["verdict"] for e in shown(ICMES, store) for v in e["verdicts"]]
    assert sorted(words) == ["accept", "moved"]


def test_regions_are_learned_again_from_what_people_said(
    quick: None, shared_data: Path, tmp_path: Path
):
    store, better = tmp_path / "store", tmp_path / "better"
    at = ("--store", store)
    find = ("run", STRETCHES, "--start", "2015-12-01T08:00", "--stop", "2015-12-01T10:00",
            "--archive", shared_data / "mms" / "fast_20151201", "--salvage", *at)  # fmt: skip
    run(*find)
    found = shown(STRETCHES, store)
    sheath = max((e for e in found if e["kind"] == "magnetosheath"), key=lambda e: e["start"])
    run("catalog", "verdict", sheath["id"], "accept", "--author", "me", *at)
    run("catalog", "verdict", STRETCHES, "missed", "--author", "me", "--start",
        "2015-12-01T09:24", "--stop", "2015-12-01T09:30", "--comment", "foreshock", *at)  # fmt: skip
    said = run("train", "regions", "--labels", few(shared_data, tmp_path), "-o", better,
               "--verdicts", STRETCHES, "--promote", *at)  # fmt: skip
    candidate = load_model(better)
    assert "2 stretches by verdicts of people" in candidate.card.training
    kept = of(store, "plasma_regions")
    assert kept != candidate.content if "is not promoted" in said else kept == candidate.content


def few(shared_data: Path, folder: Path) -> Path:
    """Write some windows of three passes of each class, and return the file."""
    whole = shared_data / "ml" / "mms_regions" / "train.npz"
    windows = read_windows([whole])
    rows = []
    for k in range(6):
        passes = np.unique(windows.group[windows.label == k])[:3]
        for p in passes:
            rows += np.flatnonzero((windows.label == k) & (windows.group == p))[:4].tolist()
    with np.load(whole) as data:
        some = {n: data[n][sorted(rows)] for n in ("flux", "params", "label")}
    np.savez(folder / "few.npz", group=windows.group[sorted(rows)], **some)
    return folder / "few.npz"
