from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.datatypes import DensityFromPotential, PotentialCalibration
from sciqlop_pipe.recipes.density_from_potential import (
    density_from_potential,
    potential_calibration,
)

START = np.datetime64("2020-01-01T06:00", "ns")


def truth(volts: np.ndarray) -> np.ndarray:
    return 200.0 * np.exp(-volts / 1.5) + 8.0 * np.exp(-volts / 9.0)


def measured(noise: float = 0.0) -> tuple[xr.Dataset, xr.Dataset]:
    """Half a day of potentials from 2 to 20 V and the densities that go with them."""
    time = START + np.arange(0, 12 * 3600, 20) * np.timedelta64(1, "s")
    volts = 11 + 9 * np.sin(np.arange(time.size) / 37.0)
    n = truth(volts) * np.exp(noise * np.random.default_rng(1).normal(size=time.size))
    return (
        xr.Dataset({"density": (("time",), n, {"units": "cm^-3"})}, {"time": time}),
        xr.Dataset({"value": (("time",), volts, {"units": "V"})}, {"time": time}),
    )


def test_the_density_that_made_the_calibration_comes_back():
    moments, sc_pot = measured()
    found = potential_calibration(moments, sc_pot)
    assert not list(PotentialCalibration.problems(found))
    assert found["time"].values.tolist() == [
        (START + np.timedelta64(h, "h")).astype(np.int64) for h in (3, 9)
    ]
    n = density_from_potential(sc_pot, found)
    assert not list(DensityFromPotential.problems(n))
    assert n["value"].values == pytest.approx(moments["density"].values, rel=0.05)


def test_the_scatter_of_moments_is_the_error():
    found = potential_calibration(*measured(0.2))
    assert found["residual"].values == pytest.approx(0.2, rel=0.1)


def test_what_was_not_calibrated_says_so():
    moments, sc_pot = measured()
    found = potential_calibration(moments, sc_pot)
    late = sc_pot.isel(time=[0, 1, 2])
    late = late.assign_coords(time=START + np.array([0, 1, 13 * 3600]) * np.timedelta64(1, "s"))
    late["value"][1] = 40.0
    n = density_from_potential(late, found)
    assert n["quality"].values.tolist() == [0, 1, 4]
    assert np.isnan(n["value"].values).tolist() == [False, False, True]
    few = potential_calibration(moments.isel(time=slice(0, 150)), sc_pot)
    assert np.isnan(few["scale"]).all()


def test_a_calibration_does_not_depend_on_what_else_was_read():
    moments, sc_pot = measured(0.1)
    whole = potential_calibration(moments, sc_pot)
    half = potential_calibration(moments.isel(time=slice(0, 1080)), sc_pot)
    xr.testing.assert_identical(half, whole.isel(time=[0]))


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {1: 1.0}


def test_numbers_move_only_with_the_version():
    found = potential_calibration(*measured()).isel(time=0)
    n = (found["amplitude"] * np.exp(-10.0 / found["scale"])).sum()
    expected = GOLDEN[potential_calibration.version] * truth(np.array(10.0))
    assert float(n) == pytest.approx(float(expected), rel=0.02)
