from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import MomentCorrelations, MomentErrors
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.moment_errors import moment_correlations, moment_errors
from sciqlop_pipe.recipes.moments import moments
from tests.analytic import BiMaxwellian, flattened, fpi_look, vdf

SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, (3.0, -8.0, 15.0))
TABLE = np.geomspace(20.0, 20000.0, 12)


def counting(records: int, most: float = 30.0, seed: int = 1) -> xr.Dataset:
    """One plasma counted many times: f = N one(E), one(E) ~ 1/E^2, error = sqrt(N) one(E)."""
    one = vdf(SHEATH, TABLE, fpi_look(8, 6), nodes=1)
    level = (TABLE / 1000.0) ** -2.0
    mean = one["f"].values[0] / level
    level = level * mean.max() / most
    counts = np.random.default_rng(seed).poisson(one["f"].values / level, (records, 8, 6, 12))
    ds = one.isel(time=np.zeros(records, int)).assign_coords(
        time=one["time"].values + np.arange(records) * np.timedelta64(1, "s")
    )
    attrs = {"units": "s^3 m^-6", "long_name": "f"}
    ds["f"] = (one["f"].dims, (counts * level).astype(np.float32), attrs)
    ds["f_error"] = (one["f"].dims, (np.sqrt(counts) * level).astype(np.float32), attrs)
    ds.attrs["level"] = level
    return ds


def test_errors_are_the_scatter_of_moments_counted_again_and_again():
    ds = counting(1500)
    found, seen = moment_errors(ds), moments(ds)
    diagonal = np.diagonal(seen["temperature_tensor"].values, axis1=1, axis2=2)
    for name, values in (
        ("density", seen["density"].values),
        ("velocity", seen["velocity"].values),
        ("temperature", seen["temperature"].values),
        ("temperature_tensor", diagonal),
    ):
        said = np.sqrt((found[f"{name}_error"].values.astype(float) ** 2).mean(0))
        assert said == pytest.approx(values.std(0), rel=0.06), name


def test_correlations_are_those_of_moments_counted_again_and_again():
    ds = counting(1500)
    said = MomentCorrelations.check(moment_correlations(ds))["correlation"].mean("time").values
    seen = moments(ds)
    diagonal = np.diagonal(seen["temperature_tensor"].values, axis1=1, axis2=2)
    rows = [seen["density"].values, *seen["velocity"].values.T, *diagonal.T]
    scatter = np.corrcoef([*rows, seen["temperature"].values])
    assert said == pytest.approx(scatter, abs=0.08)
    assert np.abs(scatter - np.eye(8)).max() > 0.3, "something to find"


def per_energy(ds: xr.Dataset) -> xr.Dataset:
    """The same distributions, their azimuths told for every energy."""
    many = ds["phi"].broadcast_like(ds["energy"].isel(time=0, drop=True) if "time" in ds["energy"].dims
                                    else ds["energy"])  # fmt: skip
    return ds.assign(phi=many.transpose("phi_bin", "energy_bin").assign_attrs(ds["phi"].attrs))


def test_directions_that_depend_on_energy_have_the_same_errors_and_correlations():
    ds = counting(3)
    for recipe in (moment_errors, moment_correlations):
        one, other = recipe(ds), recipe(per_energy(ds))
        for name in one.data_vars:
            np.testing.assert_allclose(other[name], one[name], rtol=2e-4, atol=2e-5)


def test_the_table_of_correlations_agrees_with_the_errors_of_a_list():
    ds = flattened(counting(3))
    found = moment_correlations(ds)["correlation"].values
    np.testing.assert_allclose(np.diagonal(found, axis1=1, axis2=2), 1.0, rtol=1e-6)
    np.testing.assert_allclose(found, moment_correlations(counting(3))["correlation"], atol=1e-4)


def test_without_counts_nothing_is_correlated():
    ds = counting(2)
    ds["f"][0], ds["f_error"][0] = 0, 0
    found = moment_correlations(ds)["correlation"].values
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()
    whole = moment_correlations(ds.isel(time=[1]))["correlation"].values
    np.testing.assert_array_equal(whole[0], found[1])


CORRELATION = {1: [-0.274982, 0.300981, 0.583913]}


def test_correlations_move_only_with_the_version():
    assert moment_correlations.version in CORRELATION, "new version: store its numbers here"
    found = moment_correlations(counting(1))["correlation"].values[0, [0, 1, 4], [7, 4, 7]]
    assert found == pytest.approx(CORRELATION[moment_correlations.version], rel=1e-4)


def test_counts_are_the_counts():
    ds = counting(5)
    true = (ds["f"] / xr.DataArray(ds.attrs["level"], dims="energy_bin")).sum(
        ("phi_bin", "theta_bin", "energy_bin")
    )
    assert moment_errors(ds)["counts"].values == pytest.approx(true.values, rel=1e-5)


def test_the_limit_has_one_count_in_every_empty_bin():
    ds = counting(4)
    filled = ds.copy(deep=True)
    level = np.broadcast_to(ds.attrs["level"], ds["f"].shape).astype(np.float32)
    empty = ds["f"].values == 0
    filled["f_error"].values[empty] = level[empty]
    # By hand, for the density: sigma^2 = sum (w error)^2, w from moments of a single bin.
    found = moment_errors(ds)
    places = np.argwhere(empty[0])
    alone = np.zeros((len(places), *level.shape[1:]), np.float32)
    alone[(np.arange(len(places)), *places.T)] = level[(0, *places.T)]
    unit = ds.isel(time=np.zeros(len(places), int)).assign_coords(
        time=ds["time"].values[0] + np.arange(len(places)) * np.timedelta64(1, "s")
    )
    unit["f"] = (ds["f"].dims, alone, ds["f"].attrs)
    total = (moments(unit)["density"].values.astype(float) ** 2).sum()
    expected = np.sqrt(float(found["density_error"][0]) ** 2 + total)
    assert float(found["density_limit"][0]) == pytest.approx(expected, rel=1e-3)
    for name in ("density", "velocity", "temperature", "temperature_tensor"):
        assert (found[f"{name}_limit"] > found[f"{name}_error"]).all()


def test_the_result_is_a_dataset_of_errors():
    ds = counting(2)
    ds["quality"] = ("time", np.array([0, 2], np.uint32), {"units": "1", "long_name": "flags"})
    found = moment_errors(ds)
    assert not list(MomentErrors.problems(found))
    xr.testing.assert_identical(found["quality"].variable, ds["quality"].variable)


def test_a_grid_and_the_same_grid_as_a_list_agree():
    ds = counting(2)
    flat = flattened(ds)
    xr.testing.assert_allclose(moment_errors(flat), moment_errors(ds), rtol=1e-5)


def test_a_part_of_a_grid_with_holes_and_the_same_as_a_list_agree():
    ds = counting(3).isel(phi_bin=slice(0, 5), theta_bin=slice(1, 6))
    ds["f"][0] = 0
    ds["f"][1, 2], ds["f_error"][2, 0, :, 3:5] = np.nan, np.nan
    xr.testing.assert_allclose(moment_errors(flattened(ds)), moment_errors(ds), rtol=1e-5)


def test_without_counts_nothing_is_known_and_missing_bins_do_not_count():
    ds = counting(3)
    ds["f"][0], ds["f"][1] = 0, np.nan
    ds["f"][2, 3], ds["f_error"][2, 0] = np.nan, np.nan
    found = moment_errors(ds)
    for name in ("density_error", "temperature_limit", "velocity_error"):
        assert np.isnan(found[name].values[:2]).all(), name
        assert np.isfinite(found[name].values[2]).all(), name
    assert found["counts"].values[:2].tolist() == [0, 0]


def test_only_the_chosen_energies_count():
    ds = counting(2)
    part = moment_errors(ds, energy_min=TABLE[6] * 0.99)
    cut = moment_errors(ds.isel(energy_bin=slice(6, None)))
    assert part["density_error"].values == pytest.approx(cut["density_error"].values, rel=1e-5)
    assert part["counts"].values == pytest.approx(cut["counts"].values)


def volts_at(ds: xr.Dataset, volts: float) -> xr.Dataset:
    span = ds["time"].values[[0, -1]] + np.array([-1, 1]) * np.timedelta64(1, "s")
    return xr.Dataset({"value": ("time", [volts, volts])}, {"time": span})


def test_with_a_potential_errors_are_the_scatter_of_moments_with_that_potential():
    ds = counting(1500)
    ds = ds.assign_coords(time=ds["time"].values[0] + np.arange(1500) * np.timedelta64(1, "ms"))
    volts = volts_at(ds, 30.0)
    found, seen = moment_errors(ds, volts), moments(ds, volts)
    for name in ("density", "velocity", "temperature"):
        said = np.sqrt((found[f"{name}_error"].values.astype(float) ** 2).mean(0))
        assert said == pytest.approx(seen[name].values.std(0), rel=0.06), name
    assert (found["density_error"] != moment_errors(ds)["density_error"]).all()


def test_energies_that_the_potential_cuts_off_do_not_count():
    ds = counting(2)
    ds.attrs["charge"] = -1.0
    volts = volts_at(ds, float(TABLE[4] * 1.01))
    # The bin that straddles zero at infinity keeps the part above it.
    found = moment_errors(ds, volts)
    part = moment_errors(ds.isel(energy_bin=slice(4, None)), volts)
    assert found["counts"].values == pytest.approx(part["counts"].values)
    assert np.isfinite(found["density_limit"]).all()
    assert np.isnan(moment_errors(ds, volts_at(ds, np.nan))["density_error"]).all()


def test_distributions_without_errors_are_refused():
    with pytest.raises(DataTypeError, match="f_error"):
        moment_errors(counting(1).drop_vars("f_error"))


@settings(max_examples=8)
@given(st.integers(0, 69), st.integers(0, 69))
def test_cutting_time_into_granules_changes_nothing(first, second):
    ds = counting(70, seed=first)
    energy = np.where(np.arange(70)[:, None] % 2, TABLE * 1.1, TABLE)
    ds["energy"] = (("time", "energy_bin"), energy, ds["energy"].attrs)
    cuts = sorted({0, first, second, 70})
    pieces = [moment_errors(ds.isel(time=slice(i, j))) for i, j in pairwise(cuts)]
    xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), moment_errors(ds))


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {2: [0.07750807, 0.07750831, 4.872997, 4.873024]}


def test_numbers_move_only_with_the_version():
    ds = vdf(SHEATH, TABLE, fpi_look(8, 4), nodes=1)
    ds["f_error"] = (0.1 * ds["f"]).assign_attrs(ds["f"].attrs)
    ds["f"][0, 3, 2, 4] = 0
    found = moment_errors(ds).isel(time=0)
    names = ("density_error", "density_limit", "temperature_error", "temperature_limit")
    assert moment_errors.version in GOLDEN, "new version: store its numbers here"
    assert [float(found[n]) for n in names] == pytest.approx(
        GOLDEN[moment_errors.version], rel=1e-4
    )
