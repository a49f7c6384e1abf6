from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect import hourly, obstacles
from sciqlop_pipe.detect.icme import icmes
from sciqlop_pipe.detect.icme_model import load_icme_model
from sciqlop_pipe.detect.model_files import ModelError
from sciqlop_pipe.detect.models import load_model
from sciqlop_pipe.detect.promoted import shipped
from sciqlop_pipe.detect.trained import load_trained
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.granule import DAY, HOUR, Interval, instant
from sciqlop_pipe.kernels.forests import forest_means

pytest.importorskip("skops", reason="trained models need the extra `detect`")
T0 = instant("2012-01-01")
CLOUDS = ((30, 54), (90, 110), (141, 170))  # days-like positions [h / 24 below]


@pytest.fixture(scope="module")
def model():
    return load_icme_model(shipped()["icme"])


def wind(days: int = 240, seed: int = 0, step: int = HOUR) -> dict[str, xr.Dataset]:
    """Return hourly solar wind with a magnetic cloud every month."""
    rng = np.random.default_rng(seed)
    n = days * 24
    time = (T0 + HOUR // 2 + np.arange(n, dtype=np.int64) * step).astype("datetime64[ns]")
    slow = np.cumsum(rng.normal(size=n)) / 30
    speed = 400 + 60 * np.sin(slow) + 10 * rng.normal(size=n)
    temperature = 5 * (speed / 400) ** 3 * np.exp(0.2 * rng.normal(size=n))
    density = 6 * np.exp(0.3 * rng.normal(size=n))
    b = 3 * rng.normal(size=(n, 3))
    spread = 2 * np.exp(0.3 * rng.normal(size=n))
    alpha = 0.03 * np.exp(0.3 * rng.normal(size=n))
    for start in range(15 * 24, n - 72, 30 * 24):
        part = slice(start, start + 28)
        turn = np.linspace(0, np.pi, 28)
        b[part] = 16 * np.stack([0.2 * turn, np.cos(turn), np.sin(turn)], axis=1)
        temperature[part] = 1.2
        speed[part] = np.linspace(520, 440, 28)
        density[part] = 3.0
        spread[part], alpha[part] = 0.4, 0.08
    axes = {"time": time}
    velocity = np.stack([-speed, rng.normal(0, 8, n), rng.normal(0, 8, n)], axis=1)

    def series(values: np.ndarray) -> xr.Dataset:
        return xr.Dataset({"value": ("time", values)}, axes)

    return {
        "plasma": xr.Dataset({"density": ("time", density), "temperature": ("time", temperature),
                              "velocity": (("time", "component"), velocity)}, axes),
        "b": xr.Dataset({"vector": (("time", "component"), b)}, axes),
        "strength": series(np.linalg.norm(b, axis=1) + 0.3),
        "spread": series(spread),
        "alpha": series(alpha),
    }  # fmt: skip


def found(model, days: tuple[int, int] = (0, 240), **series: xr.Dataset):
    return icmes(**series, dataset="a.b", model=model,
                 interval=Interval(T0 + days[0] * DAY, T0 + days[1] * DAY))  # fmt: skip


def test_clouds_are_found_where_they_are(model):
    events = found(model, **wind())
    starts = [round((e.start - T0) / HOUR) for e in events]
    true = list(range(15 * 24, 240 * 24 - 72, 30 * 24))
    hit = [s for s in true if any(abs(s - x) <= 6 for x in starts)]
    assert len(hit) >= len(true) - 1 and len(events) <= len(true) + 2
    about = dict(events[0].attributes)
    assert 0.3 < about["probability"] <= 1 and about["magnetic_field"] > 12
    assert about["magnetic_field_jump"] > 5 and about["gap_fraction"] == 0
    assert 1 <= about["start_uncertainty"] <= 24 and about["model"] == model.content


def test_the_same_events_come_out_month_by_month(model):
    series = wind()
    whole = found(model, **series)
    parts = []
    for first in range(0, 240, 30):
        seen = slice(np.datetime64(T0 + (first - 92) * DAY, "ns"),
                     np.datetime64(T0 + (first + 122) * DAY, "ns"))  # fmt: skip
        parts += found(model, (first, first + 30),
                       **{k: v.sel(time=seen) for k, v in series.items()})  # fmt: skip
    assert parts == list(whole) and len(whole) > 3


def test_inputs_may_be_absent_and_the_event_says_so(model):
    series = wind(120)
    events = found(model, plasma=series["plasma"], b=series["b"])
    assert events and dict(events[0].attributes)["absent"] == "strength, spread, alpha"


def test_where_no_temperature_is_known_another_model_judges(model):
    series = wind(240)
    series["plasma"]["temperature"][:] = np.nan
    strength, b = series["strength"], series["b"]
    b["vector"][:] = np.nan
    events = found(model, plasma=series["plasma"], b=b, strength=strength)
    true = [T0 + s * HOUR for s in range(15 * 24, 240 * 24 - 72, 30 * 24)]
    hit = [s for s in true if any(e.start < s + 28 * HOUR and s < e.stop for e in events)]
    assert len(hit) >= len(true) / 2
    assert model.poor.find(hourly.hours(**series))[0].start == events[0].start


def test_a_gap_ends_an_event_and_no_data_give_none(model):
    series = wind(120)
    cut = 15 * 24 + 14
    holed = {k: v.isel(time=np.r_[0 : cut - 6, cut + 6 : 120 * 24]) for k, v in series.items()}
    for e in found(model, **holed):
        assert not (e.start < T0 + (cut - 1) * HOUR and e.stop > T0 + (cut + 1) * HOUR)
    assert found(model, **{k: v.isel(time=slice(0)) for k, v in series.items()}) == ()


def test_wind_that_nobody_has_seen_is_flagged(model):
    series = wind(120)
    series["strength"]["value"] *= 20
    series["b"]["vector"] *= 20
    events = found(model, **series)
    assert not events or any(dict(e.attributes)["extrapolated"] for e in events)


def test_data_of_another_cadence_are_refused(model):
    with pytest.raises(DataTypeError, match="no hourly averages"):
        found(model, **wind(20, step=HOUR // 60))


def test_fills_that_slipped_through_do_not_make_a_confident_event(model):
    series = wind(120)
    quiet = found(model, **series)
    at = slice(40 * 24, 41 * 24)
    series["strength"]["value"][at] = np.nan
    series["b"]["vector"][at] = np.nan
    assert len(found(model, **series)) == len(quiet)


def test_features_of_an_hour_are_those_of_its_definition():
    series = wind(10)
    h = hourly.hours(**series)
    base = hourly.base_features(h)
    speed = np.sqrt((h.velocity**2).sum(axis=1))
    expected = (0.031 * speed - 5.1) ** 2 * 1e3 * 8.617333e-5
    slow = speed < 500
    got = base[:, hourly.BASE.index("temperature_ratio")]
    np.testing.assert_allclose(got[slow], np.log10(h.temperature / expected)[slow], rtol=1e-4)
    assert hourly.hourly_matrix(h).shape == (240, len(hourly.names()))
    assert not any(word in " ".join(hourly.names()) for word in ("dst", "kp", "ae", "f10"))


def test_candidates_end_at_unknown_hours_and_the_best_ones_do_not_overlap():
    p = np.zeros(100)
    p[20:40] = 0.9
    p[60:80] = 0.9
    p[70] = np.nan
    spans = obstacles.candidates(p)
    assert all(not (a <= 70 < b) for a, b in spans)
    taken = obstacles.chosen(np.array([[0, 10], [5, 15], [20, 30]]), np.array([0.5, 0.9, 0.3]), 0.2)
    assert taken.tolist() == [1, 2]
    assert obstacles.candidates(np.full(50, np.nan)).shape == (0, 2)


def test_a_forest_says_what_its_library_says():
    from sklearn.ensemble import ExtraTreesRegressor

    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    fitted = ExtraTreesRegressor(5, min_samples_leaf=3, random_state=0).fit(x, x[:, 0] * x[:, 1])
    trees = [t.tree_ for t in fitted.estimators_]
    offset = np.cumsum([0, *(t.node_count for t in trees)])
    joined = [np.concatenate([getattr(t, n) for t in trees]) for n in ("feature", "threshold")]
    left, right = (
        np.concatenate([getattr(t, n) + k * (getattr(t, n) >= 0)
                        for t, k in zip(trees, offset, strict=False)])
        for n in ("children_left", "children_right")
    )  # fmt: skip
    value = np.concatenate([t.value[:, 0, 0] for t in trees])
    got = forest_means(x, offset[:-1].astype(np.int64), joined[0].astype(np.int64), joined[1],
                       left.astype(np.int64), right.astype(np.int64), value)  # fmt: skip
    np.testing.assert_allclose(got, fitted.predict(x), rtol=1e-12)


def test_models_are_told_apart_and_foreign_ones_refused(model, tmp_path: Path):
    assert load_trained(shipped()["icme"]).content == model.content
    assert load_trained(shipped()["regions"]).content == load_model(shipped()["regions"]).content
    with pytest.raises(ModelError, match="no model of ICMEs"):
        load_icme_model(shipped()["regions"])
    with pytest.raises(ModelError, match="no model of regions"):
        load_model(shipped()["icme"])
    card = json.loads((shipped()["icme"] / "card.json").read_text())
    weights = (shipped()["icme"] / "model.skops").read_bytes()

    def written(about: dict, data: bytes) -> Path:
        (tmp_path / "card.json").write_text(json.dumps(about))
        (tmp_path / "model.skops").write_bytes(data)
        return tmp_path

    with pytest.raises(ModelError, match="not a skops file"):
        load_icme_model(written(card, pickle.dumps({"a": 1})))
    with pytest.raises(ModelError, match="features of version 9"):
        load_icme_model(written(card | {"features_version": 9}, weights))
    with pytest.raises(ModelError, match="not the one its card describes"):
        load_icme_model(written(card | {"threshold": 0.01}, weights))
