"""Joins, plasma parameters, drifts, currents, fluctuations: each against a plasma that is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import (
    Alfvenicity,
    PlasmaParameters,
    ScalarSeries,
    StructureFunctions,
    VectorSeries,
)
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.drifts import (
    convection_field,
    electric_field_in_plasma,
    energy_conversion,
    exb_drift,
    particle_current,
)
from sciqlop_pipe.recipes.joining import joined, means, nearby
from sciqlop_pipe.recipes.plasma import alfven_velocity
from sciqlop_pipe.recipes.plasma_parameters import FLAGS, plasma_parameters
from sciqlop_pipe.recipes.turbulence import alfvenicity, increments, pvi, structure_functions
from tests.fields import clock, cut, moments, vector

PROTON = 1.67262192595e-27


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=30, unique=True), st.integers(1, 4000))
@settings(max_examples=60)
def test_near_neighbours_are_interpolated_and_nothing_else(ms, reach):
    t = np.sort(np.array(ms, np.int64)) * 1_000_000
    at = np.arange(-500, 10_500, 37, dtype=np.int64) * 1_000_000
    found = nearby(t, 2.0 * t, at, f"{reach}ms")
    for when, value in zip(at, found, strict=True):
        k = np.searchsorted(t, when)
        exact = k < t.size and t[k] == when
        inside = 0 < k < t.size and t[k] - t[k - 1] <= reach * 1_000_000
        assert np.isfinite(value) == (exact or inside)
        if np.isfinite(value):
            assert value == pytest.approx(2.0 * when)


def test_means_are_of_what_lies_in_the_window_and_gaps_stay_gaps():
    t, x = clock(100, 0.1), np.arange(100.0)
    x[40:60] = np.nan
    found = means(t, x, clock(10, 1.0), "400ms")
    assert found[1] == pytest.approx(np.mean([8, 9, 10, 11]))
    assert np.isnan(found[5])
    both = joined(t, x, clock(10, 1.0), "400ms", "5s")
    assert both[5] == pytest.approx(50)
    assert np.isnan(joined(t, x, clock(10, 1.0), "400ms", "1s")[5])


def test_parameters_of_the_solar_wind_are_those_of_the_formulary():
    m = moments([5.0], [[-400.0, 0, 0]], 10.0)
    b = vector(np.tile([3.0, 4.0, 0], (5, 1)), clock(5, 1, -2))
    found = PlasmaParameters.check(plasma_parameters(m, b)).isel(time=0)
    expected = {
        "alfven_speed": 21.812 * 5 / np.sqrt(5),
        "sound_speed": 9.79 * np.sqrt(5 / 3 * 10),
        "alfven_mach": 400 / (21.812 * 5 / np.sqrt(5)),
        "magnetic_pressure": 0.009947,
        "thermal_pressure": 5 * 10 * 1.60218e-4,
        "beta": 5 * 10 * 1.60218e-4 / 0.009947,
        "dynamic_pressure": 1.67262e-6 * 5 * 400**2,
        "entropy": 10 / 5 ** (2 / 3),
        "inertial_length": 227.7 / np.sqrt(5),
        "gyrofrequency": 0.015246 * 5,
        "gyroradius": np.sqrt(2) * 102 * np.sqrt(10) / 5,
        "plasma_frequency": 209.5 * np.sqrt(5),
        "debye_length": 7.43e-3 * np.sqrt(10 / 5),
    }
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=2e-3), name
    assert float(found["fast_speed"]) == pytest.approx(
        float(np.hypot(found["alfven_speed"], found["sound_speed"])), rel=1e-6
    )
    assert found["quality"] == 0


def test_where_electrons_have_a_gap_there_is_no_pressure_and_a_flag_says_so():
    m, b = moments(5.0, np.full((9, 3), 100.0)), vector(np.full((9, 3), 10.0))
    electrons = moments(5.0, np.zeros((9, 3)), 30.0, species="e-").isel(time=[0, 1, 2, 7, 8])
    found = plasma_parameters(m, b, electrons, accumulation="1s", reach="2s")
    lost = np.isnan(found["beta"].values)
    assert lost.tolist() == [False] * 3 + [True] * 4 + [False] * 2
    assert ((found["quality"].values & 16 > 0) == lost).all()
    assert np.isfinite(found["alfven_mach"]).all()


def test_a_temperature_along_and_across_the_field_is_a_temperature_too():
    m, b = moments(5.0, np.full((3, 3), 100.0), 120.0), vector(np.full((3, 3), 10.0))
    apart = m.drop_vars("temperature").assign(
        temperature_parallel=m["temperature"] / 2, temperature_perpendicular=m["temperature"] * 1.25
    )
    xr.testing.assert_allclose(plasma_parameters(apart, b), plasma_parameters(m, b))


def test_electrons_add_their_pressure_and_their_absence_is_named():
    m = moments([5.0], [[-400.0, 0, 0]], 10.0)
    b = vector(np.tile([3.0, 4.0, 0], (5, 1)), clock(5, 1, -2))
    electrons = moments(np.full(5, 5.0), np.zeros((5, 3)), 12.0, clock(5, 1, -2), species="e-")
    with_them, without = plasma_parameters(m, b, electrons), plasma_parameters(m, b)
    assert float(with_them.beta[0] / without.beta[0]) == pytest.approx(2.2, rel=1e-5)
    assert (with_them.absent, without.absent) == ("", "electrons")


def test_zero_fields_and_densities_give_flags_and_no_numbers():
    m = moments([5.0, 0.0, 5.0, 5.0], np.full((4, 3), 100.0), [10, 10, np.nan, 10.0])
    b = vector([[0, 0, 0], [0, 0, 5.0], [0, 0, 5.0], [np.nan] * 3])
    found = plasma_parameters(m, b, reach="100ms")
    names = [FLAGS.names(int(q)) for q in found["quality"]]
    assert names == [("zero_field",), ("no_density",), ("no_temperature",), ("no_field",)]
    assert np.isnan(found["beta"]).all()
    assert np.isfinite(found["dynamic_pressure"]).values.tolist() == [True, False, True, True]
    assert not np.isinf(found.to_array()).any()


def test_the_exb_drift_moves_with_e_across_b_and_is_undefined_without_b():
    e = vector([[0, 2.0, 0], [0, 2.0, 0], [0, 2.0, 5.0]], units="mV m^-1")
    b = vector([[0, 0, 10.0], [0, 0, 0], [0, 0, 10.0]])
    found = VectorSeries.check(exb_drift(e, b))
    np.testing.assert_allclose(found["vector"][0], [200, 0, 0])  # 2 mV/m over 10 nT
    assert np.isnan(found["vector"][1]).all()
    np.testing.assert_allclose(found["vector"][2], [200, 0, 0])
    with pytest.raises(DataTypeError, match="GSM.*GSE"):
        exb_drift(e, vector(np.ones((3, 3)), frame="GSM"))


def test_frozen_in_plasma_sees_no_electric_field():
    v, b = [[-400.0, 30, 20]], vector(np.tile([3.0, -4, 2], (9, 1)), clock(9, 0.05, -0.2))
    m = moments([5.0], v)
    e = convection_field(m, b)
    np.testing.assert_allclose(e["vector"][0], -1e-3 * np.cross(v[0], [3.0, -4, 2]))
    many = vector(np.repeat(e["vector"].values, 9, 0), clock(9, 0.05, -0.2), units="mV m^-1")
    found = VectorSeries.check(electric_field_in_plasma(many, m, b))
    np.testing.assert_allclose(found["vector"], 0, atol=1e-12)
    with pytest.raises(DataTypeError, match="DSL"):
        electric_field_in_plasma(many, moments([5.0], v, frame="DSL"), b)


def test_the_current_of_ions_against_electrons_and_its_work():
    ions = moments([10.0], [[100.0, 0, 0]])
    electrons = moments(
        [10.0] * 5, np.tile([0.0, -50, 0], (5, 1)), time=clock(5, 0.03, -0.06), species="e-"
    )
    j = VectorSeries.check(particle_current(ions, electrons))
    np.testing.assert_allclose(j["vector"][0], [160.2177, 80.1088, 0], rtol=1e-5)
    current = j.rename(vector="current")
    current["current"].attrs["units"] = "nA m^-2"
    e = vector([[3.0, -1, 7]], units="mV m^-1")
    found = ScalarSeries.check(energy_conversion(current, e))
    assert float(found["value"][0]) == pytest.approx((160.2177 * 3 - 80.1088) * 1e-3, rel=1e-5)
    assert found["value"].attrs["units"] == "nW m^-3"


def wave(sign: float, n=600, seed=3):
    """Alfvenic fluctuations: dV = sign dV_A."""
    rng = np.random.default_rng(seed)
    db = rng.normal(size=(n, 3))
    db -= db.mean(axis=0)
    b = np.array([3.0, 3, 0]) + db
    v = np.array([-400.0, 0, 0]) + sign * alfven_velocity(db, np.full(n, 5.0), PROTON)
    return moments(np.full(n, 5.0), v), vector(b)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_alfven_waves_have_one_elsasser_variable_and_full_cross_helicity(sign):
    found = Alfvenicity.check(alfvenicity(*wave(sign), window="5min", step="5min"))
    at = found.sel(time="2020-01-01T12:05")
    assert float(at["cross_helicity"]) == pytest.approx(sign, abs=1e-9)
    assert float(at["residual_energy"]) == pytest.approx(0, abs=1e-9)
    silent = at["z_minus"] if sign > 0 else at["z_plus"]
    assert np.abs(silent).max() < 1e-6


def test_pvi_of_one_jump_is_high_there_and_pairs_do_not_span_gaps():
    x = np.zeros((900, 3))
    x[450:, 1] = 10
    x += 0.1 * np.random.default_rng(1).normal(size=x.shape)
    found = ScalarSeries.check(pvi(vector(x), lag="2s", average="10min"))
    assert abs(
        found["time"].values[int(found["value"].values.argmax())] - clock(1, 1, 449.5)[0]
    ) < np.timedelta64(1500, "ms")
    assert float(found["value"].max()) > 10
    holed = vector(x).isel(time=np.r_[0:300, 310:900])
    centres, _ = increments(holed["time"].values.astype(np.int64), holed["vector"].values, "2s")
    gap = (centres > clock(1, 1, 299)[0].astype(int)) & (centres < clock(1, 1, 310)[0].astype(int))
    assert not gap.any()
    with pytest.raises(UsageError, match="average"):
        pvi(vector(x), lag="5min")


def test_structure_functions_of_noise_are_those_of_gaussian_increments():
    x = np.random.default_rng(2).normal(size=(6000, 3))
    found = StructureFunctions.check(
        structure_functions(vector(x, seconds=0.1), shortest="200ms", lags=5)
    )
    at = found.sel(time="2020-01-01T12:05")
    # Each component of an increment has variance 2: chi-squared of three degrees of freedom.
    np.testing.assert_allclose(at["structure"].sel(order=2), 6, rtol=0.1)
    np.testing.assert_allclose(at["flatness"], 5 / 3, rtol=0.1)
    np.testing.assert_allclose(found["lag_seconds"], [0.2, 0.4, 0.8, 1.6, 3.2])


@given(st.lists(st.integers(1, 299), max_size=2, unique=True))
@settings(max_examples=4)
def test_cutting_time_into_granules_changes_nothing(cuts):
    m, b = wave(0.5, 300)
    e = vector(np.random.default_rng(9).normal(size=(300, 3)), clock(300, 1, 0.2), units="mV m^-1")
    edges = [-200, *sorted(cuts), 500]
    cases = [
        (plasma_parameters, (m, b), 3, {}),
        (convection_field, (m, b), 3, {}),
        (electric_field_in_plasma, (e, m, b), 3, {}),
        (exb_drift, (e, b), 3, {}),
        (alfvenicity, (m, b), 63, {"window": "1min", "step": "20s"}),
        (pvi, (b,), 33, {"average": "30s", "lag": "2s"}),
        (structure_functions, (b,), 60, {"window": "1min", "step": "20s", "lags": 3}),
    ]
    for recipe, inputs, margin, params in cases:
        whole = recipe(*inputs, **params)
        xr.testing.assert_identical(cut(recipe, inputs, edges, margin, **params), whole)


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    "plasma_parameters": {2: 2.8512404},
    "exb_drift": {1: -27.2210946},
    "convection_field": {1: 0.287246479},
    "electric_field_in_plasma": {1: -1.53612465},
    "particle_current": {2: -32.7101876},
    "energy_conversion": {1: 0.0112044992},
    "alfvenicity": {1: -0.6},
    "pvi": {2: 0.681642463},
    "structure_functions": {1: 1.53315107},
}


def golden() -> dict:
    m, b = wave(0.5, 120, seed=11)
    e = vector(np.random.default_rng(12).normal(size=(120, 3)), units="mV m^-1")
    electrons = moments(np.full(120, 5.0), 0.9 * m["velocity"].values, 20.0, species="e-")
    j = particle_current(m, electrons)
    current = j.rename(vector="current")
    short = {"window": "1min", "step": "20s"}
    return {
        plasma_parameters: float(plasma_parameters(m, b, electrons).fast_mach[7]),
        exb_drift: float(exb_drift(e, b)["vector"][7, 1]),
        convection_field: float(convection_field(m, b)["vector"][7, 1]),
        electric_field_in_plasma: float(electric_field_in_plasma(e, m, b)["vector"][7, 2]),
        particle_current: float(j["vector"][7, 0]),
        energy_conversion: float(energy_conversion(current, e)["value"][7]),
        alfvenicity: float(alfvenicity(m, b, **short).residual_energy[4]),
        pvi: float(pvi(b, average="30s")["value"][7]),
        structure_functions: float(structure_functions(b, lags=3, **short).flatness[4, 1]),
    }


def test_numbers_move_only_with_the_version():
    for recipe, number in golden().items():
        assert number == pytest.approx(GOLDEN[recipe.name][recipe.version], rel=1e-6), recipe.name
