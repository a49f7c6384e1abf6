"""Kernels that hold energies in lanes give the plain sums for any number of energies."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.constants import PROTON_MASS
from sciqlop_pipe.kernels.energies import geometric_edges, speed_weights
from sciqlop_pipe.kernels.geometry import azimuth_factors, direction_weights, polar_factors
from sciqlop_pipe.kernels.lanes import LANES, at_least_lanes
from sciqlop_pipe.kernels.moments import velocity_sums, velocity_sums_of_grid
from sciqlop_pipe.kernels.pitch import pitch_means_of_list
from sciqlop_pipe.kernels.spectra import solid_angle_mean
from tests.analytic import fpi_look

SIZES = [2, LANES - 1, LANES, LANES + 1, 2 * LANES - 1, 2 * LANES, 3 * LANES + 5]
LOOK = fpi_look(6, 5)
SOLID = np.ascontiguousarray(LOOK.solid_angle, np.float32).reshape(1, -1)


def some_f(energies: int, holes: bool) -> np.ndarray:
    """Counts, zeros, denormals and, if wanted, bins that were not measured."""
    rng = np.random.default_rng(energies)
    f = (1e-18 * rng.poisson(3.0, (2, 30, energies))).astype(np.float32)
    f[rng.random(f.shape) < 0.1] = 1e-41
    if holes:
        f[rng.random(f.shape) < 0.1] = np.nan
        f[0, 3, 0] = np.inf
    return f


def plain(f: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of f times weights (k, direction) and of the weights where f is, (time, k, energy)."""
    there = np.isfinite(f)
    x = np.where(there & (np.abs(f) > 1e-37), f, 0).astype(np.float64)
    return np.einsum("kd,tde->tke", weights, x), np.einsum("kd,tde->tke", weights, there)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("energies", SIZES)
def test_moments_of_any_number_of_energies_are_plain_sums(energies, holes):
    f = some_f(energies, holes)
    edges = geometric_edges(np.geomspace(10, 30000, energies)[None])
    usable = np.ones((1, energies), bool)
    weights, share = speed_weights(*edges, np.zeros(1), usable, PROTON_MASS)
    azimuth = azimuth_factors(LOOK.phi[:, :1], np.full((1, 1), 60.0))[None]
    polar = polar_factors(LOOK.theta[:1], np.full((1, 1), 36.0), LOOK.solid_angle[:1])[None]
    geometry = direction_weights(azimuth, polar)
    table = np.zeros(2, int)
    sums, seen = plain(f, geometry[0].astype(np.float64))
    order = [0, 1, 1, 1, *[2] * 6, 3, 3, 3]
    rows = [0, *range(1, 10), 1, 2, 3]
    want = np.stack([sums[:, k] @ weights[0, p] for k, p in zip(rows, order, strict=True)], 1)
    grid = velocity_sums_of_grid(f, table, weights, share, azimuth[..., 0], polar[:, :, 0])
    for found in (velocity_sums(f, table, weights, share, geometry), grid):
        assert found[:, :13] == pytest.approx(want, rel=1e-5, abs=1e-5 * np.abs(want).max())
        assert found[:, 13] == pytest.approx(seen[:, 0] @ share[0] / (4 * np.pi), rel=1e-5)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("energies", SIZES)
def test_spectra_of_any_number_of_energies_are_plain_means(energies, holes):
    f = some_f(energies, holes)
    sums, seen = plain(f, SOLID)
    mean, coverage = solid_angle_mean(f, SOLID)
    assert mean == pytest.approx(sums[:, 0] / seen[:, 0], rel=1e-5)
    assert coverage == pytest.approx(seen[:, 0] / (4 * np.pi), rel=1e-5)


# 5 bins are wider than any direction, 90 so narrow that its rays are far apart.
@pytest.mark.parametrize("bins", [5, 90])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("energies", SIZES)
def test_pitch_angles_of_any_number_of_energies_are_plain_means(energies, holes, bins):
    f = some_f(energies, holes)
    rng = np.random.default_rng(3)
    rays = rng.normal(size=(3, 2, 60))
    rays[:, :, 1::2] = rays[:, :, ::2] + 0.1 * rng.normal(size=(3, 2, 30))
    rays = (rays / np.linalg.norm(rays, axis=0)).astype(np.float32)
    b = np.array([[0.6, 0.0, 0.8], [np.nan] * 3])
    mean, coverage = np.full((2, 2, bins, energies), 7, np.float32)
    pitch_means_of_list(f, b, rays[None], SOLID, mean, coverage)
    angle = np.arccos(np.einsum("i,ipq->pq", b[0], rays.astype(float)))
    parts = (angle * bins / np.pi).astype(int).reshape(2, 30, 2).transpose(1, 0, 2).reshape(30, 4)
    weights = np.stack([(parts == k).sum(axis=1) * SOLID[0] / 4 for k in range(bins)])
    sums, seen = plain(f[:1], weights)
    with np.errstate(invalid="ignore"):
        assert mean[0] == pytest.approx(sums[0] / seen[0], rel=1e-5, nan_ok=True)
    edges = np.cos(np.linspace(0, np.pi, bins + 1))
    whole = 2 * np.pi * (edges[:-1] - edges[1:])
    assert coverage[0] == pytest.approx((seen[0] / whole[:, None]).clip(max=1), rel=1e-5)
    assert np.isnan(mean[1]).all()
    assert not coverage[1].any()


def test_only_rows_shorter_than_lanes_are_copied():
    sheet = np.zeros((3, LANES), np.float32)
    short, enough = np.ones((3, 2), np.float32), np.ones((3, LANES), np.float32)
    assert at_least_lanes(enough, sheet) is not sheet
    padded = at_least_lanes(short, sheet)
    assert padded.shape == (3, LANES)
    assert padded.sum() == 6
