from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.drift import learn_seen
from sciqlop_pipe.detect.learning.windows import CLASSES, ENERGIES
from sciqlop_pipe.detect.models import load_model
from sciqlop_pipe.detect.plasma_regions import plasma_regions, region_stretches
from sciqlop_pipe.detect.promoted import shipped
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.granule import HOUR, MINUTE, Interval, instant
from tests.detect.learning.conftest import made

pytest.importorskip("skops", reason="trained models need the extra `detect`")
NOON = instant("2020-01-01T12:00")


@pytest.fixture(scope="module")
def model():
    return load_model(shipped()["plasma_regions"])


def series(step: float = 4.5) -> tuple[xr.Dataset, xr.Dataset]:
    """Return spectra and states that pass through the six plasmas, 6 min each."""
    arrays = made(passes=1, windows=2, seed=3)
    flux, params = (arrays[k].reshape(-1, *arrays[k].shape[2:]) for k in ("flux", "params"))
    time = (NOON + np.arange(len(flux)) * round(step * 1e9)).astype("datetime64[ns]")
    n = np.repeat([5, 4, 25, 0.7, 0.2, 0.06], 80) * (1 + 0.01 * np.arange(len(flux)) % 0.02)
    spectrum = xr.Dataset(
        {"spectrum": (("time", "energy_bin"), flux), "energy": ("energy_bin", ENERGIES)},
        {"time": time},
    )
    state = xr.Dataset(
        {"density": ("time", n), "temperature": ("time", params[:, 1]),
         "magnetic_field": ("time", params[:, 0])}, {"time": time},
    )  # fmt: skip
    return spectrum, state


def labels_of(p: np.ndarray, start: int = NOON) -> xr.Dataset:
    time = (start + np.arange(len(p)) * 4_500_000_000).astype("datetime64[ns]")
    return xr.Dataset(
        {"probability": (("time", "label"), p)}, {"time": time, "label": list(CLASSES)}
    )


def sure(sequence: list[int], p: float = 0.95) -> np.ndarray:
    out = np.full((len(sequence), 6), (1 - p) / 5)
    out[np.arange(len(sequence)), sequence] = p
    return out


def test_each_record_has_probabilities_and_a_distance(model):
    spectrum, state = series()
    labels = plasma_regions(spectrum, state, model=model)
    assert labels.sizes == {"time": 480, "label": 6}
    np.testing.assert_allclose(labels["probability"].sum("label"), 1, rtol=1e-5)
    assert np.isfinite(labels["distance"]).all()


def test_without_a_field_another_variant_judges(model):
    spectrum, state = series()
    state["magnetic_field"][:] = np.nan
    labels = plasma_regions(spectrum, state, model=model)
    assert (labels["gap"] == 0).all()


def test_a_record_without_a_temperature_is_a_gap(model):
    spectrum, state = series()
    state["temperature"][5] = np.nan
    labels = plasma_regions(spectrum, state, model=model)
    assert labels["gap"].values.nonzero()[0].tolist() == [5]


def test_another_cadence_is_refused(model):
    with pytest.raises(DataTypeError, match=r"a record every 0\.15 s"):
        plasma_regions(*series(0.15), model=model)


def test_labels_do_not_depend_on_how_time_is_cut(model):
    spectrum, state = series()
    whole = plasma_regions(spectrum, state, model=model)
    part = plasma_regions(spectrum.isel(time=slice(100, 200)), state, model=model)
    xr.testing.assert_identical(whole.isel(time=slice(100, 200)), part)


def test_plasma_that_nobody_has_seen_is_far(model):
    spectrum, state = series()
    near = plasma_regions(spectrum, state, model=model)["distance"]
    state["temperature"] = state["temperature"] * 1000
    far = plasma_regions(spectrum, state, model=model)["distance"]
    assert np.median(far) > 1 and np.median(far) > 3 * np.median(near)


def test_stretches_are_sticky_and_cut_at_gaps_and_at_midnight():
    p = sure([0] * 200 + [2] * 3 + [0] * 100 + [2] * 200)
    start = instant("2020-01-01T23:50")
    labels = labels_of(p, start)
    labels = labels.isel(time=np.r_[0:400, 440:503])
    found = region_stretches(
        labels, dataset="x.y", interval=Interval(start - HOUR, start + 24 * HOUR)
    )
    kinds = [e.kind for e in found]
    assert kinds == ["solar_wind", "solar_wind", "magnetosheath", "magnetosheath"]
    assert found[1].start >= instant("2020-01-02")  # the cut at midnight
    assert found[3].start - found[2].stop > MINUTE  # the cut at the gap
    assert dict(found[0].attributes)["probability"] == pytest.approx(0.95, abs=0.03)


def test_stretches_do_not_depend_on_granules():
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(6), 4000) * 0.3 + 0.7 * sure(
        np.repeat(rng.integers(0, 6, 40), 100).tolist()
    )
    labels = labels_of(p)
    whole = region_stretches(labels, dataset="a.b", interval=Interval(NOON, NOON + 10 * HOUR))
    parts = [
        e for k in range(10)
        for e in region_stretches(labels, dataset="a.b",
                                  interval=Interval(NOON + k * HOUR, NOON + (k + 1) * HOUR))
    ]  # fmt: skip
    assert len(whole) > 10 and parts == list(whole)


def test_stretches_far_from_what_was_seen_are_flagged():
    labels = labels_of(sure([0] * 200 + [2] * 200))
    labels["distance"] = ("time", np.repeat([0.5, 3.0], 200))
    found = region_stretches(labels, dataset="a.b", interval=Interval(NOON, NOON + HOUR))
    assert [dict(e.attributes)["extrapolated"] for e in found] == [False, True]


def test_an_empty_interval_gives_nothing(model):
    spectrum, state = series()
    labels = plasma_regions(spectrum.isel(time=slice(0)), state, model=model)
    assert labels.sizes["time"] == 0
    assert region_stretches(labels, dataset="a.b", interval=Interval(NOON, NOON + HOUR)) == ()


def test_five_percent_of_the_training_rows_lie_beyond_one_when_their_group_is_left_out():
    rng = np.random.default_rng(0)
    group, label = np.repeat(np.arange(20), 100), np.repeat(np.arange(2), 1000)
    x = rng.normal(size=(2000, 3)) + 5 * label[:, None]
    seen = learn_seen(("a", "b", "c"), x, label, group)
    assert 0.03 < np.mean(seen.distance(x) > 1) < 0.07
    assert seen.distance(np.array([[50.0, 50, 50]]))[0] > 5
    half = seen.distance(np.array([[0.0, np.nan, 0.0], [np.nan] * 3]))
    assert half[0] < 1 and np.isnan(half[1])
