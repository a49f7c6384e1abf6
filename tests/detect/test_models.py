from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skops", reason="trained models need the extra `detect`")

import skops.io
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sciqlop_pipe.detect.model_files import ModelError
from sciqlop_pipe.detect.models import REGIONS, Card, RegionModel, load_model, save_model
from sciqlop_pipe.detect.promoted import SHIPPED, shipped
from sciqlop_pipe.detect.trained import content_hash
from sciqlop_pipe.detect.training import VARIANTS

ALL = VARIANTS["core_field"]
CARD = Card("regions", "numbers drawn at random", {"accuracy": 0.5}, "a test")


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    fitted = {}
    for name, features in VARIANTS.items():
        x = rng.normal(size=(300, len(features))) + y[:, None]
        fitted[name] = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    return fitted


@pytest.fixture
def folder(tmp_path: Path, pipelines: dict[str, Pipeline]) -> Path:
    save_model(tmp_path / "m", pipelines, VARIANTS, REGIONS, CARD, rows(6))
    return tmp_path / "m"


def rows(count: int, seed: int = 1) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(size=(count, len(ALL)))
    matrix[::2, ALL.index("log_field")] = np.nan
    matrix[::2, ALL.index("log_beta")] = np.nan
    matrix[::3, ALL.index("log_core_mach")] = np.nan
    return matrix


def test_a_model_answers_after_reading_as_before_writing(
    folder: Path, tmp_path: Path, pipelines: dict[str, Pipeline]
):
    before = save_model(tmp_path / "again", pipelines, VARIANTS, REGIONS, CARD, rows(3))
    after = load_model(folder)
    np.testing.assert_array_equal(before.probability(rows(50)), after.probability(rows(50)))
    assert (after.classes, after.card.training) == (REGIONS, CARD.training)


def test_it_answers_as_scikit_learn_does(folder: Path, pipelines: dict[str, Pipeline]):
    x = np.random.default_rng(2).normal(size=(40, len(ALL)))
    found = load_model(folder).probability(x)
    np.testing.assert_allclose(found, pipelines["core_field"].predict_proba(x), atol=1e-12)
    without = x.copy()
    without[:, [ALL.index("log_field"), ALL.index("log_beta")]] = np.nan
    expected = pipelines["core"].predict_proba(x[:, : len(VARIANTS["core"])])
    np.testing.assert_allclose(load_model(folder).probability(without), expected, atol=1e-12)


def test_nothing_known_gives_nothing(folder: Path):
    assert np.isnan(load_model(folder).probability(np.full((2, len(ALL)), np.nan))).all()


def test_an_answer_does_not_depend_on_what_else_is_asked(folder: Path):
    model, x = load_model(folder), rows(1000)
    whole = model.probability(x)
    for size in (1, 7, 64, 333):
        parts = [model.probability(x[i : i + size]) for i in range(0, len(x), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_content_hash_is_of_numbers_and_not_of_bytes(
    folder: Path, tmp_path: Path, pipelines: dict[str, Pipeline]
):
    other = tmp_path / "other"
    save_model(
        other, pipelines, VARIANTS, REGIONS, replace(CARD, training="in other words"), rows(2)
    )
    skops.io.dump(pipelines, other / "model.skops")
    assert (other / "model.skops").read_bytes() != (folder / "model.skops").read_bytes()
    assert content_hash(other) == content_hash(folder)


def test_other_numbers_have_another_hash(
    folder: Path, tmp_path: Path, pipelines: dict[str, Pipeline]
):
    changed = pickle.loads(pickle.dumps(pipelines))
    changed["plain"][-1].coef_[0, 0] += 1e-9
    save_model(tmp_path / "o", changed, VARIANTS, REGIONS, CARD, rows(2))
    assert content_hash(tmp_path / "o") != content_hash(folder)


class Foreign:
    """A pickle that would do harm when read."""

    def __reduce__(self):
        return Path.touch, (Path("harm.txt"),)


def test_a_foreign_pickle_is_refused_and_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (folder / "model.skops").write_bytes(pickle.dumps(Foreign()))
    with pytest.raises(ModelError, match="Pickles"):
        load_model(folder)
    assert not (tmp_path / "harm.txt").exists()


def test_a_type_that_is_not_trusted_is_refused_by_name(folder: Path):
    skops.io.dump({"plain": Foreign()}, folder / "model.skops")
    with pytest.raises(ModelError, match="Foreign"):
        load_model(folder)


def test_another_estimator_is_refused(folder: Path, pipelines: dict[str, Pipeline]):
    other = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
    skops.io.dump(pipelines | {"plain": other}, folder / "model.skops")
    with pytest.raises(ModelError, match="plain"):
        load_model(folder)


def test_numbers_that_are_not_those_of_the_card_are_refused(
    folder: Path, pipelines: dict[str, Pipeline]
):
    changed = pickle.loads(pickle.dumps(pipelines))
    changed["core"][-1].intercept_[0] += 0.1
    skops.io.dump(changed, folder / "model.skops")
    with pytest.raises(ModelError, match="not the one its card describes"):
        load_model(folder)


def test_reference_rows_that_do_not_come_out_again_are_refused(folder: Path):
    card = json.loads((folder / "card.json").read_text())
    card["reference"]["output"][1][0] += 1e-6
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="reference rows"):
        load_model(folder)


@pytest.mark.parametrize("name", ["card.json", "model.skops"])
def test_half_a_model_is_refused(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}'])
def test_a_card_that_is_none_is_refused(folder: Path, text: str):
    (folder / "card.json").write_text(text)
    with pytest.raises(ModelError, match=r"card\.json"):
        load_model(folder)


def test_features_of_another_version_are_refused(folder: Path):
    card = json.loads((folder / "card.json").read_text()) | {"features_version": 0}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="Train it again"):
        load_model(folder)


def test_the_shipped_model_is_whole_and_small(model: RegionModel):
    assert shipped()["regions"] == SHIPPED / "regions"
    assert sum(p.stat().st_size for p in (SHIPPED / "regions").iterdir()) < 100_000
    assert model.classes == REGIONS
    assert [v.name for v in model.variants] == list(VARIANTS)
    assert "simulated" in model.card.training
    assert model.card.command.startswith("python -m")


def test_the_card_of_the_shipped_model_says_how_well_crossings_are_found(model: RegionModel):
    for case, kinds in model.card.metrics["crossings_within_60_s"].items():
        assert kinds["magnetopause"]["f1"] >= 0.80, case
        assert kinds["bow_shock"]["f1"] >= 0.85, case
        assert kinds["bow_shock"]["median_timing_s"] <= 15, case
