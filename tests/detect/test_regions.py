from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import Labels
from sciqlop_pipe.detect.models import RegionModel
from sciqlop_pipe.detect.regions import region_labels

WAY = [("magnetosphere", 300), ("magnetosheath", 300), ("solar_wind", 300)]


def best(labels: xr.Dataset) -> list[str]:
    """The most probable region of each third of `WAY`, where it is the same at all times."""
    named = labels["label"].values[labels["probability"].values.argmax(axis=1)]
    thirds = [set(part.tolist()) for part in np.array_split(named, 3)]
    return [t.pop() for t in thirds if len(t) == 1]


def test_typical_plasmas_get_their_name(model: RegionModel, passing: Callable[..., xr.Dataset]):
    labels = Labels.check(region_labels(passing(WAY), model=model))
    assert best(labels) == ["magnetosphere", "magnetosheath", "solar_wind"]
    np.testing.assert_allclose(labels["probability"].sum("label"), 1, atol=1e-6)
    assert labels.attrs["model"] == model.content


def test_they_do_without_a_field_and_without_a_core_temperature(
    model: RegionModel, passing: Callable[..., xr.Dataset]
):
    state = passing(WAY)
    blind = state.assign({n: state[n] * np.nan for n in ("magnetic_field", "core_temperature")})
    for known in (state.drop_vars("magnetic_field"), blind):
        assert best(region_labels(known, model=model)) == [r for r, _ in WAY]


def test_a_dead_record_is_a_gap_and_has_no_probability(
    model: RegionModel, passing: Callable[..., xr.Dataset]
):
    state = passing(WAY)
    state["temperature"][10] = 0
    state["speed"][10] = 2400
    labels = region_labels(state, model=model)
    assert np.flatnonzero(labels["gap"]).tolist() == [10]
    assert np.isnan(labels["probability"][10]).all()
    assert np.isfinite(labels["probability"][11]).all()


def test_reflected_ions_do_not_make_a_foreshock_a_magnetosheath(
    model: RegionModel, passing: Callable[..., xr.Dataset]
):
    """Moments of MMS1, 2015-12-01 09:24:30: n 10.3, V 433, T 330, of which the core has 111 eV."""
    state = passing([("solar_wind", 60)], noise=0.0)
    hot = state.assign({"density": state["density"] * 0 + 10.3, "speed": state["speed"] * 0 + 433,
                        "temperature": state["temperature"] * 0 + 330,
                        "core_temperature": state["temperature"] * 0 + 111}).drop_vars(
                            "magnetic_field")  # fmt: skip
    likely = region_labels(hot, model=model)["probability"].sel(label="solar_wind")
    assert (likely > 0.8).all()


def test_labels_do_not_depend_on_the_length_of_a_granule(
    model: RegionModel, passing: Callable[..., xr.Dataset]
):
    state = passing(WAY)
    state["magnetic_field"][::7] = np.nan
    whole = region_labels(state, model=model)
    parts = [
        region_labels(state.isel(time=slice(i, i + 37)), model=model)
        for i in range(0, state.sizes["time"], 37)
    ]
    xr.testing.assert_identical(xr.concat(parts, "time"), whole)
