from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="training needs the extra `detect`")

from sciqlop_missions.sim.train import labelled_states, main, scores, various_world
from sciqlop_missions.sim.wind import World
from sciqlop_pipe.detect.models import REGIONS, RegionModel, load_model
from sciqlop_pipe.detect.training import (
    VARIANTS,
    LabelledStates,
    Randomisation,
    randomised,
    reflection,
    train_regions,
)
from sciqlop_pipe.granule import MINUTE

QUIET = Randomisation(1, 0.0, 0.0, 0.0, (0, 0, 0, 0), (0, 0, 0, 0), 0.0, (0, 0, 0, 0))


@pytest.fixture(scope="module")
def states() -> LabelledStates:
    return LabelledStates.joined([labelled_states(s, days=3, step=10 * MINUTE) for s in range(8)])


def test_simulated_orbits_see_all_regions(states: LabelledStates):
    assert (np.bincount(states.region, minlength=3) > 200).all()
    assert np.unique(states.group).size == 8
    typical = [np.median(states.density[states.region == k]) for k in range(3)]
    assert typical[1] > typical[2] > typical[0]


def test_without_randomisation_states_are_what_they_were(states: LabelledStates):
    same = randomised(states, QUIET, np.random.default_rng(0))
    np.testing.assert_allclose(same.state["density"], states.density)
    np.testing.assert_allclose(
        same.state["temperature"], (states.parallel + 2 * states.perpendicular) / 3
    )
    np.testing.assert_allclose(
        same.state["core_temperature"], np.minimum(states.parallel, states.perpendicular)
    )


def test_two_beams_have_the_moments_of_their_sum():
    share, v, u = 0.1, 500.0, 900.0
    slower, heat, _ = reflection(np.array([v]), np.array([share]), np.array([u]), 0.0)
    beams = np.array([v, v - u])
    weights = np.array([1 - share, share])
    mean = (weights * beams).sum()
    variance = (weights * (beams - mean) ** 2).sum()
    assert np.isclose(slower[0], mean)
    assert np.isclose(heat[0], 1.67262192595e-27 * 1e6 * variance / 1.602176634e-19)


def test_a_climate_scales_the_states_of_a_group_alike(states: LabelledStates):
    how = Randomisation(1, 0.0, 0.0, 0.0, (0.2, 0.1, 0, 0.1), (0, 0, 0, 0), 0.0, (0, 0, 0, 0))
    other = randomised(states, how, np.random.default_rng(0))
    mine = (states.group == 3) & (states.region == 1)
    ratio = other.state["density"].values[mine] / states.density[mine]
    assert np.ptp(ratio) < 1e-9
    assert abs(np.log(ratio[0])) > 1e-3
    # T and V^2 scale together: the Mach number stays
    before = (states.parallel + 2 * states.perpendicular) / 3
    heat = other.state["temperature"].values[mine] / before[mine]
    speed = other.state["speed"].values[mine] / states.speed[mine]
    np.testing.assert_allclose(heat, speed**2)
    kept = states.region == REGIONS.index("magnetosphere")
    np.testing.assert_allclose(other.state["density"].values[kept], states.density[kept])


def test_a_small_training_already_knows_unseen_orbits(states: LabelledStates):
    trained = train_regions(states, Randomisation(copies=1), folds=2)
    assert list(trained.pipelines) == list(VARIANTS)
    for name, numbers in trained.metrics.items():
        assert min(numbers[r] for r in REGIONS) > 0.8, name
        assert numbers["calibration_error"] < 0.06, name


def test_the_same_seed_trains_the_same_model(states: LabelledStates):
    a, b = (train_regions(states, Randomisation(copies=1), seed=4, folds=2) for _ in range(2))
    for name in VARIANTS:
        np.testing.assert_array_equal(a.pipelines[name][-1].coef_, b.pipelines[name][-1].coef_)


def test_the_command_writes_a_model_like_the_shipped_one(
    tmp_path,
    model: RegionModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr("sciqlop_missions.sim.train.TEST_SEEDS", (9001,))
    few = ["--orbits", "10", "--days", "3", "--score-days", "1"]
    main(["--out", str(tmp_path / "m"), *few])
    made = load_model(tmp_path / "m")
    assert made.content in capsys.readouterr().out
    assert (made.classes, made.features) == (model.classes, model.features)
    assert set(made.card.metrics) == set(model.card.metrics)
    asked = labelled_states(100, days=2, step=5 * MINUTE)
    matrix = model.matrix(randomised(asked, QUIET, np.random.default_rng(0)).state)
    agree = made.probability(matrix).argmax(axis=1) == model.probability(matrix).argmax(axis=1)
    assert agree.mean() > 0.97


@pytest.mark.parametrize("field", [True, False])
def test_the_shipped_model_finds_crossings_of_an_orbit_it_has_not_seen(
    model: RegionModel, field: bool
):
    found = scores(model, [World(seed=4242)], days=2, field=field, reflected=0.03)
    assert found["magnetopause"].f1 >= 0.80
    assert found["bow_shock"].f1 >= 0.85
    assert found["bow_shock"].timing <= 15


def test_worlds_differ_in_climate_and_orbit():
    a, b = various_world(1), various_world(2)
    assert a.density != b.density
    assert a.orbit.apogee_longitude != b.orbit.apogee_longitude
    assert various_world(1) == a
