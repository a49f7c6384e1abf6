from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from sciqlop_pipe.detect.learning import plasma_regions as six
from sciqlop_pipe.detect.learning.windows import CLASSES, read_windows
from sciqlop_pipe.detect.models import from_pipelines, load_model
from sciqlop_pipe.detect.promoted import shipped
from tests.detect.learning.conftest import made

pytest.importorskip("skops", reason="trained models need the extra `detect`")
Write = Callable[..., Path]


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        return f"error: {done.exception}"
    assert done.exit_code == 0, done.output
    return done.output


def test_a_model_is_trained_written_and_judged_on_windows_it_has_not_seen(
    quick: None, windows_file: Write, tmp_path: Path
):
    train, test = windows_file("train.npz", {"passes": 2}), windows_file("test.npz", {"seed": 7})
    out = tmp_path / "model"
    run("train", "regions", "--labels", train, "-o", out, "--json", tmp_path / "card.json")
    card = json.loads((out / "card.json").read_text())
    assert read_windows([train]).content in card["training"]
    assert card["metrics"]["split"]["passes"] == 12
    assert card["metrics"]["field"]["6 classes"]["interval_95"]["macro_f1"]
    said = run("evaluate", "regions", "--input", test, "--model", out, "--json",
               tmp_path / "o.json", "--predictions", tmp_path / "said.csv")  # fmt: skip
    assert "very windows" not in said
    summary = json.loads((tmp_path / "o.json").read_text())["summary"]
    assert summary["macro_f1_6"] > 0.9 and summary["accuracy_3"] == 1.0
    assert (tmp_path / "said.csv").read_text().count("\n") == 37
    assert "very windows" in run("evaluate", "regions", "--input", train, "--model", out)


def test_training_again_gives_the_same_model(
    quick: None, windows_file: Write, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(six, "_choose", lambda *_: 1.0)  # of one: it would only cost time
    windows = read_windows([windows_file("train.npz", {"passes": 2, "windows": 1})])
    models = []
    for _ in range(2):
        pipelines, card, seen = six.train(windows)
        models.append(from_pipelines(pipelines, six.VARIANTS, CLASSES, card, seen).content)
    assert models[0] == models[1]


def test_random_splits_are_refused(windows_file: Write, tmp_path: Path):
    said = run("train", "regions", "--labels", windows_file(), "--split", "random", "-o", tmp_path)
    assert "random splits are refused" in said and "Use pass or day or year or group" in said


def test_a_class_that_is_absent_or_of_one_pass_cannot_be_learned(
    windows_file: Write, tmp_path: Path
):
    said = run("train", "regions", "--labels", windows_file(how={"classes": 5}), "-o", tmp_path)
    assert "class 'lobe' has windows of 0 passes" in said
    said = run("train", "regions", "--labels", windows_file(how={"passes": 1}), "-o", tmp_path)
    assert "class 'solar_wind' has windows of 1 pass" in said


def test_classes_absent_from_a_test_are_named(windows_file: Write, tmp_path: Path):
    said = run("evaluate", "regions", "--input", windows_file(how={"classes": 4}))
    assert "No window is of plasma_sheet, lobe" in said


def test_windows_without_a_field_are_judged_by_what_is_left(windows_file: Write):
    arrays = made()
    arrays["params"][:, :, 0] = np.nan
    model = load_model(shipped()["plasma_regions"])
    windows = read_windows([windows_file(**arrays)])
    p = six.of_windows(model, windows.matrix())
    assert np.isfinite(p).all()
    windows.temperature[0] = np.nan  # nothing can be said of this one
    p = six.of_windows(model, windows.matrix())
    assert np.isnan(p[0]).all() and np.isfinite(p[1:]).all()


def test_a_model_of_other_regions_or_a_pickle_is_refused(windows_file: Write, tmp_path: Path):
    said = run("evaluate", "regions", "--input", windows_file(), "--model", shipped()["regions"])
    assert "the model knows magnetosphere, magnetosheath, solar_wind" in said
    (tmp_path / "model.skops").write_bytes(pickle.dumps({"a": 1}))
    card = json.loads((shipped()["plasma_regions"] / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(card))
    said = run("evaluate", "regions", "--input", windows_file(), "--model", tmp_path)
    assert "not a skops file" in said


def test_another_version_of_the_features_is_refused(windows_file: Write, tmp_path: Path):
    card = json.loads((shipped()["plasma_regions"] / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(card | {"features_version": 99}))
    (tmp_path / "model.skops").write_bytes(
        (shipped()["plasma_regions"] / "model.skops").read_bytes()
    )
    said = run("evaluate", "regions", "--input", windows_file(), "--model", tmp_path)
    assert "features of version 99" in said


def test_the_shipped_model_knows_the_windows_it_was_trained_on(shared_data: Path, tmp_path: Path):
    windows = shared_data / "ml" / "mms_regions" / "train.npz"
    said = run("evaluate", "regions", "--input", windows, "--json", tmp_path / "o.json")
    assert "very windows" in said
    summary = json.loads((tmp_path / "o.json").read_text())["summary"]
    assert summary["macro_f1_6"] > 0.98 and summary["macro_f1_6_worst_scaled"] > 0.96


def test_the_card_of_the_shipped_model_holds_what_was_asked_of_it():
    metrics = load_model(shipped()["plasma_regions"]).card.metrics
    assert metrics["field"]["5 classes"]["macro_f1"] >= 0.96
    assert metrics["field"]["6 classes"]["macro_f1"] >= 0.90
    assert metrics["field"]["3 regions"]["accuracy"] >= 0.99
    assert metrics["field"]["6 classes"]["calibration"]["ece"] <= 0.03
    for row in metrics["scaled"]:
        assert row["5 classes"]["macro_f1"] > metrics["field"]["5 classes"]["macro_f1"] - 0.02
        assert row["6 classes"]["macro_f1"] > metrics["field"]["6 classes"]["macro_f1"] - 0.02
