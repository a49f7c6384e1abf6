"""Moments answer to analytic plasmas seen through the tables of real instruments.

Tolerances are three to ten times what was measured when they were written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import VDF, Moments
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.moments import moments, potential_at
from sciqlop_pipe.recipes.vdf import directions
from tests.analytic import (
    CHARGE,
    FPI_2015,
    FPI_2015_ODD,
    FPI_2020,
    FPI_ELECTRONS,
    THEMIS,
    BiMaxwellian,
    E,
    Look,
    esa_look,
    flattened,
    fpi_look,
    geometric,
    vdf,
)

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)
ELECTRONS = BiMaxwellian(15, (-250, 80, 40), 45, 60, B, "e-")
COLD_ELECTRONS = BiMaxwellian(15, (-400, 30, 10), 12, 12, B, "e-")
WIND = BiMaxwellian(10, (-326, 30, -20), 12, 8, B)
NAMES = ("density", "velocity", "pressure", "temperature_tensor", "temperature", "heat_flux")


def potential(ds: xr.Dataset, volts: float) -> xr.Dataset:
    """A constant spacecraft potential around all records."""
    span = ds["time"].values[[0, -1]] + np.array([-1, 1]) * np.timedelta64(1, "s")
    return xr.Dataset({"value": (("time",), [volts, volts], {"units": "V"})}, {"time": span})


def without(ds: xr.Dataset, *names: str) -> xr.Dataset:
    return ds.drop_vars(names)


@dataclass(frozen=True)
class Case:
    """Largest errors: n relative, V in thermal speeds, T relative (Frobenius), Q in P times vth."""

    plasma: BiMaxwellian
    energy: np.ndarray
    look: Look
    volts: float = 0.0
    nodes: int = 4
    density: float = 1e-6
    velocity: float = 1e-4
    temperature: float = 1e-3
    heat: float = 1e-3


CASES = {
    "sheath ions, FPI 2015": Case(SHEATH, FPI_2015, fpi_look(), temperature=1e-4),
    "sheath ions, FPI 2020": Case(SHEATH, FPI_2020, fpi_look(), temperature=1e-4),
    "sheath ions, THEMIS 176": Case(SHEATH, THEMIS, esa_look(176)),
    "sheath ions, THEMIS 88": Case(SHEATH, THEMIS, esa_look(88)),
    "electrons, FPI": Case(ELECTRONS, FPI_ELECTRONS, fpi_look(), temperature=1e-4),
    "electrons, FPI, 5 V": Case(ELECTRONS, FPI_ELECTRONS, fpi_look(), 5.0, temperature=1e-4),
    "cold electrons, FPI, 10 V": Case(COLD_ELECTRONS, FPI_ELECTRONS, fpi_look(), 10.0,
                                      velocity=2e-4, temperature=2e-3),
    "sheath ions, FPI 2020, 8 V": Case(SHEATH, FPI_2020, fpi_look(), 8.0, temperature=1e-4),
    # As cold as this the bins of 11 degrees do not resolve the plasma: n and V only.
    "solar wind, FPI 2020": Case(WIND, FPI_2020, fpi_look(), nodes=6,
                                 velocity=0.03, temperature=0.15, heat=0.4),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_moments_are_those_of_the_plasma_within_the_range_of_the_table(case):
    spin = np.array([3.7])
    ds = vdf(case.plasma, case.energy, case.look, spin=spin, potential=case.volts, nodes=case.nodes)
    found = moments(ds, potential(ds, case.volts) if case.volts else None).isel(time=0)
    lower, upper = geometric(case.energy)
    shift = CHARGE[case.plasma.species] * case.volts
    truth = case.plasma.truth(max(lower.min() + shift, 0.0), upper.max() + shift)
    thermal = np.sqrt(2 * E * truth.temperature / case.plasma.mass) * 1e-3
    assert float(found.density) == pytest.approx(truth.density, rel=case.density)
    assert np.linalg.norm(found.velocity - truth.velocity) < case.velocity * thermal
    scale = np.linalg.norm(truth.temperature_tensor)
    off = np.linalg.norm(found.temperature_tensor - truth.temperature_tensor)
    assert off < case.temperature * scale
    assert np.linalg.norm(found.pressure - truth.pressure) < case.temperature * np.linalg.norm(
        truth.pressure
    )
    assert float(found.temperature) == pytest.approx(truth.temperature, rel=case.temperature)
    unit = np.trace(truth.pressure) / 3 * thermal * 1e-3
    assert np.linalg.norm(found.heat_flux - truth.heat_flux) < case.heat * unit
    assert float(found.coverage) == pytest.approx(1, rel=1e-5)


def test_without_bin_widths_errors_stay_below_half_a_percent():
    ds = vdf(SHEATH, FPI_2015, spin=np.array([3.7]), widths=False)
    found = moments(ds).isel(time=0)
    truth = SHEATH.truth(geometric(FPI_2015)[0].min(), geometric(FPI_2015)[1].max())
    assert float(found.density) == pytest.approx(truth.density, rel=1e-6)
    assert found.velocity.values == pytest.approx(truth.velocity, abs=0.3)
    assert found.temperature_tensor.values == pytest.approx(
        truth.temperature_tensor, abs=5e-3 * truth.temperature
    )


def test_the_result_is_a_moments_dataset_that_says_how_it_was_made():
    ds = vdf([SHEATH, SHEATH], FPI_2015, fpi_look(8, 4), nodes=1)
    assert not list(VDF.problems(ds))
    found = moments(ds)
    assert not list(Moments.problems(found))
    assert set(NAMES) | {"coverage"} == set(found.data_vars)
    assert list(found.component.values) == ["x", "y", "z"]
    assert {found[n].attrs["frame"] for n in ("velocity", "pressure", "heat_flux")} == {"DBCS"}
    assert found.attrs["species"] == "H+"
    assert found.attrs["energy_edges"] == "geometric"
    assert "Sheppard" in found.attrs["scheme"]
    assert found.attrs["spacecraft_potential"] == "none"
    assert moments(ds, potential(ds, 3.0)).attrs["spacecraft_potential"] == "corrected"
    assert all(found[n].dtype == np.float32 for n in NAMES)


# A small instrument, so that many variations stay cheap.
SMALL = fpi_look(12, 6)
TABLE = np.geomspace(20.0, 20000.0, 16)


def small(count: int = 3, **changes) -> xr.Dataset:
    plasmas = [BiMaxwellian(5 + i, (-250 + 20 * i, 80, 40), 400, 600, B) for i in range(count)]
    return vdf(plasmas, TABLE, SMALL, nodes=1, **changes)


def same(one: xr.Dataset, other: xr.Dataset, rel: float = 2e-5) -> None:
    for name in (*NAMES, "coverage"):
        a, b = one[name].values, other[name].values
        scale = np.nanmax(np.abs(b)) if np.isfinite(b).any() else 1.0
        assert a / scale == pytest.approx(b / scale, abs=rel, nan_ok=True), name


def barely(dim: str, size: int) -> xr.DataArray:
    """Angles [deg] that do depend on an index, by nothing that matters."""
    return xr.DataArray(1e-7 * np.arange(size), dims=dim)


def test_alternating_tables_are_each_taken_as_they_are():
    energy = np.stack([FPI_2015, FPI_2015_ODD, FPI_2015])
    found = moments(vdf([SHEATH] * 3, energy))
    one = SHEATH.truth(geometric(FPI_2015)[0].min(), geometric(FPI_2015)[1].max())
    odd = SHEATH.truth(geometric(FPI_2015_ODD)[0].min(), geometric(FPI_2015_ODD)[1].max())
    assert found.density.values == pytest.approx([one.density, odd.density, one.density], rel=1e-6)
    assert found.temperature.values == pytest.approx(
        [one.temperature, odd.temperature, one.temperature], rel=1e-4
    )


def test_a_grid_and_the_same_grid_as_a_list_agree():
    ds = small(spin=np.array([0.0, 2.0, 5.0]))
    ds["f"][1, 3, 2, 4] = np.nan
    same(moments(flattened(ds)), moments(ds))


def test_a_list_may_have_its_directions_in_any_order():
    ds = flattened(small())
    order = np.random.default_rng(0).permutation(ds.sizes["direction"])
    same(moments(ds.isel(direction=order)), moments(ds))


def test_energies_may_ascend_or_descend():
    ds = small()
    same(moments(ds.isel(energy_bin=slice(None, None, -1))), moments(ds))


def test_tables_may_be_given_per_record_or_once():
    ds = small()
    spread = ds.copy()
    for name in ("energy", "phi", "theta", "solid_angle", "phi_width"):
        spread[name] = ds[name].expand_dims(time=ds["time"]).copy()
    same(moments(spread), moments(ds), rel=0)


def test_axes_that_a_table_does_not_depend_on_are_dropped():
    ds = small(spin=np.array([0.0, 2.0, 5.0]))
    spread = ds.copy()
    spread["solid_angle"] = ds["solid_angle"].expand_dims(phi_bin=ds.sizes["phi_bin"])
    spread["theta"] = ds["theta"].expand_dims(energy_bin=16, axis=-1)
    assert directions(spread).separable
    same(moments(spread), moments(ds), rel=0)


def test_angles_may_depend_on_energy():
    ds = small(spin=np.array([0.0, 2.0, 5.0]))
    spread = ds.copy()
    spread["phi"] = (ds["phi"] + barely("energy_bin", 16)).assign_attrs(ds["phi"].attrs)
    spread["theta"] = (ds["theta"] + barely("energy_bin", 16)).assign_attrs(ds["theta"].attrs)
    assert not list(VDF.problems(spread))
    assert directions(spread).per_energy
    same(moments(spread), moments(ds))
    # With an azimuth of its own at each energy, each energy is a plasma turned by that angle.
    turn = np.linspace(0, 40, 16)
    turned = spread.assign(phi=spread["phi"] + xr.DataArray(turn, dims="energy_bin"))
    one = moments(turned, energy_min=TABLE[9] - 1, energy_max=TABLE[9] + 1)
    whole = moments(ds, energy_min=TABLE[9] - 1, energy_max=TABLE[9] + 1)
    c, s = np.cos(np.radians(turn[9])), np.sin(np.radians(turn[9]))
    rotated = whole.velocity.values @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    assert one.velocity.values == pytest.approx(rotated, abs=0.05)


def test_a_list_may_have_angles_that_depend_on_energy():
    ds = flattened(small())
    spread = ds.copy()
    spread["theta"] = ds["theta"] + barely("energy_bin", 16)
    assert directions(spread).per_energy
    same(moments(spread), moments(ds))


def test_angles_may_depend_on_both_indices_of_a_grid():
    ds = small(spin=np.array([0.0, 2.0, 5.0]))
    spread = ds.copy()
    spread["phi"] = ds["phi"] + barely("theta_bin", 6)
    assert not directions(spread).separable
    same(moments(spread), moments(ds))


@settings(max_examples=25)
@given(
    st.integers(0, 69), st.integers(0, 69), st.sampled_from(["grid", "list", "per energy"]),
    st.booleans(),
)  # fmt: skip
def test_cutting_time_into_granules_changes_nothing(first, second, layout, with_potential):
    ds = series()[layout]
    volts = changing_potential() if with_potential else None
    whole = moments(ds, volts)
    cuts = sorted({0, first, second, 70})
    pieces = [moments(ds.isel(time=slice(a, b)), volts) for a, b in pairwise(cuts)]
    xr.testing.assert_identical(xr.concat(pieces, "time"), whole)


@cache
def series() -> dict[str, xr.Dataset]:
    """70 records: alternating tables, a change of spin, holes, an empty record."""
    rng = np.random.default_rng(3)
    one = vdf(SHEATH, TABLE, fpi_look(6, 4), nodes=1)
    grid = one.isel(time=np.zeros(70, int)).assign_coords(
        time=one["time"].values + np.arange(70) * np.timedelta64(1, "s")
    )
    grid["f"] = grid["f"] * rng.gamma(2.0, size=grid["f"].shape).astype(np.float32)
    grid["f"].values[rng.random(grid["f"].shape) < 0.01] = np.nan
    grid["f"].values[40] = np.nan
    energy = np.where(np.arange(70)[:, None] % 2, TABLE * 1.1, TABLE)
    grid["energy"] = (("time", "energy_bin"), energy, grid["energy"].attrs)
    spin = np.where(np.arange(70) < 30, 0.0, np.arange(70) * 1.7)
    grid["phi"] = grid["phi"].expand_dims(time=grid["time"]) + xr.DataArray(spin, dims="time")
    energies = grid.copy()
    energies["phi"] = grid["phi"] + barely("energy_bin", 16)
    return {"grid": grid, "list": flattened(grid), "per energy": energies}


@cache
def changing_potential() -> xr.Dataset:
    """A potential with a gap of 30 s and other steps than the distributions."""
    seconds = np.concatenate([np.arange(-3, 30, 2.5), [60.0, 62.0, 71.0]])
    time = series()["grid"]["time"].values[0] + (1000 * seconds).astype("timedelta64[ms]")
    return xr.Dataset({"value": (("time",), 5 + np.sin(seconds), {"units": "V"})}, {"time": time})


def test_half_the_sky_says_half():
    ds = small()
    ds["f"][:, :6] = np.nan
    found = moments(ds)
    assert found.coverage.values == pytest.approx(0.5, rel=1e-5)
    assert (found.density < moments(small()).density).all()


def test_a_partial_sky_covers_its_share():
    ds = small().isel(phi_bin=slice(0, 3), theta_bin=slice(2, 4))
    share = float(ds["solid_angle"].sum()) * 3 / (4 * np.pi)
    assert moments(ds).coverage.values == pytest.approx(share, rel=1e-5)


def test_an_unmeasured_record_is_nan_among_others():
    ds = small()
    ds["f"][1] = np.nan
    found = moments(ds)
    assert found.coverage.values == pytest.approx([1, 0, 1])
    for name in NAMES:
        assert np.isnan(found[name][1]).all(), name
        assert np.isfinite(found[name][[0, 2]]).all(), name


def test_a_record_of_zeros_has_density_zero_and_no_velocity():
    ds = small()
    ds["f"][1] = 0
    found = moments(ds).isel(time=1)
    assert found.density == 0
    assert found.coverage == pytest.approx(1)
    assert np.isnan(found.velocity).all()
    assert np.isnan(found.temperature)
    assert not found.pressure.any()


def test_one_direction_alone_gives_a_velocity_along_it():
    ds = small(1).isel(phi_bin=[4], theta_bin=[2])
    found = moments(ds).isel(time=0)
    phi, theta = np.radians(ds["phi"].item()), np.radians(ds["theta"].item())
    u = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    velocity = found.velocity.values
    assert velocity / np.linalg.norm(velocity) == pytest.approx(u, abs=0.01)
    assert found.coverage < 0.03


def test_no_records_give_no_records():
    found = moments(small().isel(time=slice(0)))
    assert found.sizes["time"] == 0
    assert not list(Moments.problems(found))


def test_energies_below_the_first_valid_one_are_left_out():
    ds = small()
    ds["first_energy"] = ("time", [0, 5, 99], {"units": "1", "long_name": "first valid energy"})
    found = moments(ds)
    same(found.isel(time=[0]), moments(without(ds, "first_energy")).isel(time=[0]))
    same(
        found.isel(time=[1]),
        moments(without(ds, "first_energy"), energy_min=TABLE[5] - 0.1).isel(time=[1]),
    )
    # Not a bin of the table: what is valid is not known.
    assert np.isnan(found.density[2])
    assert found.coverage[2] == 0


def test_an_energy_range_is_the_truth_of_that_range():
    found = moments(vdf(SHEATH, FPI_2015), energy_min=300.0, energy_max=5000.0).isel(time=0)
    lower, upper = geometric(FPI_2015)
    used = (FPI_2015 >= 300) & (FPI_2015 <= 5000)
    truth = SHEATH.truth(lower[used].min(), upper[used].max())
    assert float(found.density) == pytest.approx(truth.density, rel=1e-5)
    assert found.velocity.values == pytest.approx(truth.velocity, abs=2)
    assert float(found.temperature) == pytest.approx(truth.temperature, rel=0.01)
    assert found.coverage == pytest.approx(1, rel=1e-5)


def test_bin_edges_of_the_instrument_are_preferred():
    ds = small()
    lower, upper = geometric(TABLE)
    ds["energy_lower"] = ("energy_bin", lower, {"units": "eV", "long_name": "lower edge"})
    ds["energy_upper"] = ("energy_bin", upper, {"units": "eV", "long_name": "upper edge"})
    found = moments(ds)
    assert found.attrs["energy_edges"] == "instrument"
    same(found, moments(small()), rel=1e-4)
    ds["energy_upper"] = ds["energy_upper"] * 1.01
    assert (moments(ds).density > found.density).all()


def test_a_single_energy_needs_edges():
    with pytest.raises(DataTypeError, match="Give energy_lower and energy_upper"):
        moments(small().isel(energy_bin=[3]))


def test_energy_per_charge_times_charge_is_energy():
    alphas = small()
    alphas.attrs.update(species="He++", mass=6.644657345e-27, charge=2.0)
    per_charge = alphas.copy()
    per_charge.attrs["energy_kind"] = "energy_per_charge"
    per_charge["energy"] = alphas["energy"] / 2
    same(moments(per_charge), moments(alphas))
    volts = potential(alphas, 50.0)
    same(moments(per_charge, volts), moments(alphas, volts))


def test_unused_channels_of_a_table_are_not_part_of_it():
    ds = small()
    marked = ds.copy()
    marked["energy"] = ds["energy"].where(np.arange(16) < 14)
    found, cut = moments(marked), moments(ds.isel(energy_bin=slice(0, 14)))
    same(found, cut)


def test_values_of_f_in_double_precision_and_other_orders_are_taken():
    ds = small()
    other = ds.copy()
    other["f"] = (ds["f"].dims, np.asfortranarray(ds["f"].values.astype(float)), ds["f"].attrs)
    same(moments(other), moments(ds))


def test_quality_travels_along():
    ds = small()
    ds["quality"] = ("time", np.array([0, 2, 6], np.uint32), {"units": "1", "long_name": "flags"})
    xr.testing.assert_identical(moments(ds)["quality"].variable, ds["quality"].variable)


def test_a_positive_potential_adds_ions_energy_and_takes_it_from_electrons():
    ions, electrons = small(1), vdf(ELECTRONS, FPI_ELECTRONS, SMALL, nodes=1)
    for ds, sign in ((ions, 1), (electrons, -1)):
        change = moments(ds, potential(ds, 20.0)).temperature - moments(ds).temperature
        assert (sign * change > 0).all()


def test_the_potential_is_interpolated_between_near_neighbours_only():
    at = np.datetime64("2020-01-01", "ns") + np.array([0, 2, 4, 60]) * np.timedelta64(1, "s")
    series = xr.Dataset({"value": ("time", [1.0, np.nan, 3.0, 5.0])}, {"time": at})
    want = at[0] + np.array([-1, 0, 1, 4, 5, 60, 61]) * np.timedelta64(1, "s")
    assert potential_at(series, want) == pytest.approx(
        [np.nan, 1, 1.5, 3, np.nan, 5, np.nan], nan_ok=True
    )
    assert np.isnan(potential_at(series.isel(time=slice(0)), want)).all()


def test_records_without_potential_are_nan():
    ds = small()
    volts = potential(ds.isel(time=[0, 1]), 5.0)
    late = ds.assign_coords(time=ds["time"].values + np.array([0, 0, 30]) * np.timedelta64(1, "s"))
    found = moments(late, volts)
    assert np.isfinite(found.density[:2]).all()
    assert np.isnan(found.density[2])
    assert found.coverage[2] == 0


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    1: {
        "density": [1.494582e-06, 2.985085e-06],
        "velocity": [39.72584, 81.83136, 7.610146, 18.86588, -89.37054, 7.517752],
        "pressure": [
            2.199223e-07,
            -9.367124e-09,
            -7.557593e-10,
            -9.367124e-09,
            2.085966e-07,
            -1.556787e-09,
            -7.557593e-10,
            -1.556787e-09,
            1.616328e-07,
            4.47275e-07,
            1.138211e-08,
            -6.718249e-10,
            1.138211e-08,
            4.092529e-07,
            3.259972e-09,
            -6.718249e-10,
            3.259972e-09,
            3.232461e-07,
        ],
        "temperature_tensor": [
            918.4156,
            -39.11796,
            -3.15612,
            -39.11796,
            871.1185,
            -6.501284,
            -3.15612,
            -6.501284,
            674.9934,
            935.2067,
            23.79884,
            -1.404717,
            23.79884,
            855.7062,
            6.816271,
            -1.404717,
            6.816271,
            675.8746,
        ],
        "temperature": [821.5092, 822.2625],
        "heat_flux": [
            -6.171609e-09,
            -1.299296e-08,
            -7.292047e-10,
            -5.784372e-09,
            2.848857e-08,
            -1.391341e-09,
        ],
        "coverage": [1, 0.9901791],
    }
}


def golden_input() -> xr.Dataset:
    """A made-up distribution, plain arithmetic and nothing else."""
    i, j, k = np.meshgrid(np.arange(8), np.arange(4), np.arange(10), indexing="ij")
    f = 1e-18 * (1.5 + np.cos(0.8 * i - 1) + np.sin(1.1 * j)) * np.exp(-((k - 5) ** 2) / 6)
    f = np.stack([f, f[::-1] * 2]).astype(np.float32)
    f[1, 2, 1, 3:5] = np.nan
    theta = np.array([22.5, 67.5, 112.5, 157.5])
    edges = np.radians([0.0, 45.0, 90.0, 135.0, 180.0])
    return xr.Dataset(
        {
            "f": (("time", "phi_bin", "theta_bin", "energy_bin"), f),
            "energy": ("energy_bin", 20.0 * 1.8 ** np.arange(10)),
            "phi": (("time", "phi_bin"), np.array([[10.0], [21.0]]) + 45 * np.arange(8)),
            "theta": ("theta_bin", theta),
            "solid_angle": ("theta_bin", np.radians(45) * -np.diff(np.cos(edges))),
            "phi_width": ((), 45.0),
            "theta_width": ((), 45.0),
        },
        {"time": np.array(["2020-01-01T00:00:00", "2020-01-01T00:00:01"], "datetime64[ns]")},
        {"species": "H+", "mass": 1.67262192595e-27, "charge": 1.0, "energy_kind": "energy",
         "frame": "DBCS"},
    )  # fmt: skip


def test_numbers_move_only_with_the_version():
    ds = golden_input()
    found = moments(ds, potential(ds, 4.0), energy_max=3000.0)
    assert moments.version in GOLDEN, "new version: store its numbers here"
    for name, numbers in GOLDEN[moments.version].items():
        close = {"rel": 0, "abs": 1e-5 * max(map(abs, numbers))}
        assert found[name].values.ravel() == pytest.approx(numbers, **close), name
