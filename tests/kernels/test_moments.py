from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.kernels.energies import geometric_edges, speed_weights
from sciqlop_pipe.kernels.geometry import azimuth_factors, direction_weights, polar_factors
from sciqlop_pipe.kernels.moments import (
    SUMS,
    bulk,
    velocity_sums,
    velocity_sums_of_bins,
    velocity_sums_of_grid,
)
from tests.analytic import fpi_look

LOOK = fpi_look(16, 8)
ENERGY = np.geomspace(10, 30000, 20)


def setting():
    lower, upper = geometric_edges(ENERGY)
    weights, share = speed_weights(
        lower[None], upper[None], np.zeros(1), np.ones((1, 20), bool), PROTON_MASS
    )
    azimuth = azimuth_factors(LOOK.phi[:, :1], np.full((1, 1), 22.5))[None]
    polar = polar_factors(LOOK.theta[:1], np.full((1, 1), 22.5), LOOK.solid_angle[:1])[None]
    return weights, share, azimuth, polar


def some_f(times=3, seed=1):
    rng = np.random.default_rng(seed)
    f = 1e-18 * rng.gamma(0.5, size=(times, 128, 20)).astype(np.float32)
    f[rng.random(f.shape) < 0.5] = 0
    return f


def sums(f):
    weights, share, azimuth, polar = setting()
    table = np.zeros(f.shape[0], int)
    return velocity_sums(f, table, weights, share, direction_weights(azimuth, polar))


def test_the_three_kernels_agree():
    f = some_f()
    f[1, 3:9, 4] = np.nan
    f[2] = np.nan
    weights, share, azimuth, polar = setting()
    geometry = direction_weights(azimuth, polar)
    table = np.zeros(3, int)
    one = velocity_sums(f, table, weights, share, geometry)
    grid = velocity_sums_of_grid(f, table, weights, share, azimuth[..., 0], polar[:, :, 0])
    per_bin = np.repeat(geometry[..., None], 20, axis=-1)
    bins = velocity_sums_of_bins(f, table, weights, share, per_bin)
    scale = np.abs(one).max(axis=0)
    assert grid / scale == pytest.approx(one / scale, abs=2e-6)
    assert bins / scale == pytest.approx(one / scale, abs=2e-6)


def test_missing_bins_add_nothing_and_lower_the_coverage():
    f = some_f()
    whole = f.copy()
    whole[:, 10:20, 3] = 0
    f[:, 10:20, 3] = np.nan
    holes = sums(f)
    assert holes[:, :13] == pytest.approx(sums(whole)[:, :13], rel=1e-5)
    missing = LOOK.solid_angle.ravel()[10:20].sum() / (4 * np.pi) / 20
    assert holes[:, 13] == pytest.approx(1 - missing, rel=1e-5)


def test_infinite_values_are_missing_too():
    f = some_f()
    nan = f.copy()
    f[0, 5, 5], nan[0, 5, 5] = np.inf, np.nan
    assert sums(f) == pytest.approx(sums(nan))


def test_half_the_sky_says_half():
    f = some_f()
    f[:, :64] = np.nan
    assert sums(f)[:, 13] == pytest.approx(0.5, rel=1e-5)


def test_nothing_measured_is_nan_with_coverage_zero():
    found = bulk(sums(np.full((1, 128, 20), np.nan, np.float32)), PROTON_MASS)
    assert found.coverage == 0
    for name in ("density", "velocity", "pressure", "temperature_tensor", "heat_flux"):
        assert np.isnan(getattr(found, name)).all(), name


def test_zero_everywhere_is_zero_density_without_velocity():
    found = bulk(sums(np.zeros((1, 128, 20), np.float32)), PROTON_MASS)
    assert found.density == 0
    assert not found.pressure.any()
    assert not found.heat_flux.any()
    assert np.isnan(found.velocity).all()
    assert np.isnan(found.temperature_tensor).all()
    assert found.coverage == pytest.approx(1)


def test_a_negative_density_has_no_velocity():
    found = bulk(sums(-some_f(1)), PROTON_MASS)
    assert found.density < 0
    for name in ("velocity", "pressure", "temperature_tensor", "heat_flux"):
        assert np.isnan(getattr(found, name)).all(), name


def test_denormal_numbers_are_zero():
    f = some_f()
    tiny = np.where(f == 0, np.float32(1e-40), f)
    assert sums(tiny) == pytest.approx(sums(f), rel=1e-6)


def test_one_full_bin_sits_at_its_speed_and_direction():
    f = np.zeros((1, 128, 20), np.float32)
    f[0, 8 * 3 + 5, 10] = 1e-18
    found = bulk(sums(f), PROTON_MASS)
    speed = np.sqrt(2 * ELEMENTARY_CHARGE * ENERGY[10] / PROTON_MASS) / 1e3
    phi, theta = np.radians(LOOK.phi[3, 5]), np.radians(LOOK.theta[3, 5])
    u = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    assert found.velocity[0] == pytest.approx(speed * np.array(u), rel=0.02)


def test_no_records_give_no_sums():
    assert sums(np.zeros((0, 128, 20), np.float32)).shape == (0, SUMS)
