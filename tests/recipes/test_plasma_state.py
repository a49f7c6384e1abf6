from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import Moments, PlasmaState
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.granule import SECOND, instant
from sciqlop_pipe.recipes.plasma_state import plasma_state

T0 = instant("2020-01-01T12:00")
AXES = ["x", "y", "z"]


def times(step: float, count: int, offset: float = 0.3) -> np.ndarray:
    """Return `count` times from noon on, every `step` seconds."""
    since = np.round((offset + step * np.arange(count)) * 1e9).astype(np.int64)
    return (T0 + since).astype("datetime64[ns]")


def some_moments(time: np.ndarray, seed: int = 0) -> xr.Dataset:
    """Return a Moments dataset with a temperature tensor."""
    rng = np.random.default_rng(seed)
    count = time.size
    turn = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    principal = np.sort(rng.uniform(50, 400, (count, 3)), axis=1)
    tensor = np.einsum("tij,tj,tkj->tik", turn, principal, turn)
    vector = rng.normal(0, 200, (count, 3))
    return xr.Dataset(
        {
            "density": ("time", rng.uniform(1, 30, count), {"units": "cm^-3", "long_name": "n"}),
            "velocity": (("time", "component"), vector,
                         {"units": "km s^-1", "long_name": "V", "frame": "GSE"}),
            "temperature_tensor": (("time", "component", "component_2"), tensor,
                                   {"units": "eV", "long_name": "T", "frame": "GSE"}),
        },
        coords={"time": time, "component": AXES, "component_2": AXES},
        attrs={"species": "H+"},
    )  # fmt: skip


def a_field(time: np.ndarray, strength: np.ndarray) -> xr.Dataset:
    """Return a VectorSeries along y of the given strength."""
    vector = np.zeros((time.size, 3))
    vector[:, 1] = strength
    attrs = {"units": "nT", "long_name": "B", "frame": "GSE"}
    return xr.Dataset(
        {"vector": (("time", "component"), vector, attrs)}, {"time": time, "component": AXES}
    )


def test_slow_moments_keep_their_own_times_and_values():
    moments = Moments.check(some_moments(times(4.5, 20)))
    state = PlasmaState.check(plasma_state(moments))
    np.testing.assert_array_equal(state["time"], moments["time"])
    np.testing.assert_allclose(state["density"], moments["density"], rtol=1e-6)
    speed = np.sqrt((moments["velocity"] ** 2).sum("component"))
    np.testing.assert_allclose(state["speed"], speed, rtol=1e-6)


def test_fast_moments_are_averaged_in_bins_of_utc():
    moments = some_moments(times(0.15, 400, 0.05))
    state = plasma_state(moments)
    assert state.sizes["time"] == 15
    inside = moments.sel(time=slice("2020-01-01T12:00:04", "2020-01-01T12:00:07.999999999"))
    assert np.isclose(state["density"][1], inside["density"].mean(), rtol=1e-6)
    middle = inside["time"].values.astype(np.int64).mean()
    assert abs(int(state["time"].values[1].astype(np.int64)) - middle) < 500


def test_the_core_temperature_is_the_lowest_principal_value():
    moments = some_moments(times(4.5, 30))
    state = plasma_state(moments)
    values = np.linalg.eigvalsh(moments["temperature_tensor"].values)
    np.testing.assert_allclose(state["core_temperature"], values[:, 0], rtol=1e-5)
    np.testing.assert_allclose(state["temperature"], values.mean(axis=1), rtol=1e-5)


def test_a_broken_tensor_gives_no_core_temperature_and_breaks_nothing_else():
    moments = some_moments(times(4.5, 5))
    moments["temperature_tensor"][2, 0, 1] = np.nan
    state = plasma_state(moments)
    assert np.isnan(state["core_temperature"]).values.tolist() == [False, False, True, False, False]
    assert np.isfinite(state["temperature"]).all()


def test_temperature_comes_from_whatever_form_there_is():
    moments = some_moments(times(4.5, 10))
    expected = plasma_state(moments)["temperature"]
    charge = 1.602176634e-19
    pressure = moments["temperature_tensor"] * moments["density"] * 1e15 * charge
    by_pressure = moments.drop_vars("temperature_tensor").assign(pressure=pressure)
    state = plasma_state(by_pressure)
    np.testing.assert_allclose(state["temperature"], expected, rtol=1e-6)
    assert state.attrs["absent"] == "b"
    parts = moments.drop_vars("temperature_tensor").assign(
        temperature_parallel=3 * expected, temperature_perpendicular=0 * expected
    )
    state = plasma_state(parts)
    np.testing.assert_allclose(state["temperature"], expected, rtol=1e-6)
    assert state.attrs["absent"] == "b, temperature_tensor"
    assert np.isnan(state["core_temperature"]).all()


def test_moments_without_any_temperature_are_refused():
    with pytest.raises(DataTypeError, match="no temperature"):
        plasma_state(some_moments(times(4.5, 3)).drop_vars("temperature_tensor"))


@pytest.mark.parametrize("cadence", [0, -4, 7, 600])
def test_a_cadence_that_does_not_tile_a_day_is_refused(cadence: int):
    with pytest.raises(UsageError, match="cadence_s"):
        plasma_state(some_moments(times(4.5, 3)), cadence_s=cadence)


def test_an_absent_field_is_named_and_nan():
    state = plasma_state(some_moments(times(4.5, 4)))
    assert state.attrs["absent"] == "b"
    assert np.isnan(state["magnetic_field"]).all()


def test_the_field_is_averaged_on_the_clock_of_the_moments_and_not_across_its_gaps():
    when = times(0.0625, 16 * 90)
    since = (when.astype(np.int64) - T0) / SECOND
    strength = 10 + since
    field = a_field(when, strength).isel(time=(since < 30) | (since > 60))
    state = plasma_state(some_moments(times(4.5, 20)), field)
    at = (state["time"].values.astype(np.int64) - T0) / SECOND
    gap = (at > 32) & (at < 58)
    assert np.isnan(state["magnetic_field"].values[gap]).all()
    whole = (at > 2) & ((at < 28) | ((at > 62) & (at < 86)))
    np.testing.assert_allclose(state["magnetic_field"].values[whole], 10 + at[whole], atol=0.1)
    assert state.attrs["absent"] == ""


@given(
    st.lists(st.integers(1, 74), min_size=1, max_size=4, unique=True), st.sampled_from([0.15, 4.5])
)
def test_the_cut_into_granules_does_not_show(cuts: list[int], step: float):
    moments = some_moments(times(step, int(300 / step)))
    when = times(0.25, 1200)
    field = a_field(when, np.random.default_rng(1).normal(20, 3, when.size))
    whole = plasma_state(moments, field)
    edges = [T0, *(T0 + 4 * SECOND * c for c in sorted(cuts)), T0 + 400 * SECOND]
    pieces = []
    for a, b in pairwise(edges):
        mine = _between(moments, a, b)
        if mine.sizes["time"]:
            around = _between(field, a - 120 * SECOND, b + 120 * SECOND)
            pieces.append(plasma_state(mine, around))
    xr.testing.assert_identical(xr.concat(pieces, "time"), whole)


def _between(ds: xr.Dataset, a: int, b: int) -> xr.Dataset:
    low, high = np.searchsorted(ds["time"].values.astype(np.int64), [a, b])
    return ds.isel(time=slice(low, high))
