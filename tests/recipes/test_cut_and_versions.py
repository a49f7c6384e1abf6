"""Recipes of one table: their numbers move only with their version, and never with the granule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.recipe import Recipe
from sciqlop_pipe.recipes.angle_spectra import angle_spectrum
from sciqlop_pipe.recipes.angles import polar_distribution
from sciqlop_pipe.recipes.attitude import attitude_dataset, joined_attitude
from sciqlop_pipe.recipes.averages import (
    mean_cartesian,
    mean_reduced_1d,
    mean_reduced_2d,
    mean_slices,
)
from sciqlop_pipe.recipes.cartesian import cartesian
from sciqlop_pipe.recipes.coordinates import position_in_frame
from sciqlop_pipe.recipes.curlometer import field_gradient, magnetic_nulls
from sciqlop_pipe.recipes.density_from_potential import (
    density_from_potential,
    potential_calibration,
)
from sciqlop_pipe.recipes.drifts import energy_conversion, particle_current
from sciqlop_pipe.recipes.energy_flux import energy_flux
from sciqlop_pipe.recipes.energy_grids import interleaved
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.formation import barycentre, tetrahedron_shape
from sciqlop_pipe.recipes.instabilities import instability_thresholds
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.non_maxwellianity import non_maxwellianity
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from sciqlop_pipe.recipes.rotations import (
    distribution_in_axes,
    rotate_moments,
    rotate_vector,
    vector_in_axes,
)
from sciqlop_pipe.recipes.slices import slices
from sciqlop_pipe.recipes.timing import timing
from tests import fields
from tests.analytic import BiMaxwellian, fpi_look
from tests.analytic import vdf as seen
from tests.fields import between, clock, position, vector

LMN = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)
WARMER = BiMaxwellian(7, (-200, 60, 90), 700, 500, B)
FORMATION = np.array([[9.6, 3.2, 5.4], [4, -6, -3], [-4, 2, -6], [-5, -2, 4.0]])


class Case(NamedTuple):
    """A recipe, its inputs, how far beyond a granule [s] they are read, and what a number is."""

    recipe: Recipe
    inputs: tuple[xr.Dataset, ...]
    beyond: float
    golden: dict[int, list[float]]
    of: str
    params: Mapping[str, Any] = MappingProxyType({})


def distributions(count: int = 12) -> xr.Dataset:
    """One second apart, of a plasma that changes."""
    table = np.geomspace(20.0, 20000.0, 12)
    ds = seen([SHEATH, WARMER, SHEATH] * (count // 3), table, fpi_look(8, 4), nodes=1)
    return ds.assign_coords(time=clock(count, 1.0, 0.5))


def alternating() -> xr.Dataset:
    """Two tables of energy in turn."""
    ds = distributions()
    table = np.geomspace(20.0, 20000.0, 12)
    both = np.where(np.arange(12)[:, None] % 2, 1.3 * table, table).astype(np.float32)
    return ds.drop_vars("energy").assign(energy=(("time", "energy_bin"), both, ds["energy"].attrs))


def field(frame: str = "DBCS", seconds: float = 0.25) -> xr.Dataset:
    rng = np.random.default_rng(4)
    count = round(16 / seconds)
    return vector(B + rng.normal(size=(count, 3)), clock(count, seconds, -2), frame=frame)


def turning(start: str, stop: str, rate: float) -> xr.Dataset:
    time = clock(9, 3.0, -6)
    half = np.radians(rate * np.arange(9)) / 2
    q = np.stack([0.6 * np.sin(half), 0 * half, 0.8 * np.sin(half), np.cos(half)], -1)
    return attitude_dataset(time, q, start, stop)


def places() -> tuple[xr.Dataset, ...]:
    time = clock(6, 5.0, -7)
    move = 5.0 * np.arange(6)[:, None] * [2.0, -1.0, 0.5]
    return tuple(position([6e4, 2e4, -5e3] + 30 * o + move, time) for o in FORMATION)


def front() -> tuple[xr.Dataset, ...]:
    """A plane sheet that moves at 130 km/s along its normal, seen by four."""
    found = []
    for o in 30 * FORMATION:
        x = 0.05 * np.arange(1200) - 30 - o @ np.array([0.0, 0.6, 0.8]) / 130
        b = np.stack([15 * np.tanh(x / 2), 5 / np.cosh(x / 2), 2 + 0 * x], 1)
        found.append(vector(b, clock(1200, 0.05)))
    return tuple(found)


def far() -> tuple[xr.Dataset, ...]:
    time = clock(8, 15.0, -22)
    return tuple(position([6e4, 2e4, -5e3] + 30 * o + 0 * np.ones((8, 1)), time) for o in FORMATION)


def rates() -> tuple[xr.Dataset, xr.Dataset]:
    rng = np.random.default_rng(5)
    volts = rng.uniform(2, 20, 400)
    moments_ = fields.moments(60 * np.exp(-volts / 2.5) + 3 * np.exp(-volts / 15),
                              np.zeros((400, 3)), 100.0, clock(400, 0.05))  # fmt: skip
    sc_pot = xr.Dataset(
        {"value": ("time", volts, {"units": "V", "long_name": "potential"})},
        {"time": clock(400, 0.05)},
    )
    return moments_, sc_pot


def plasma() -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    rng = np.random.default_rng(6)
    ions = fields.moments(5 + rng.random(12), rng.normal(0, 100, (12, 3)), 100.0, clock(12, 1, 0.5))
    electrons = fields.moments(5 + rng.random(48), rng.normal(0, 100, (48, 3)), 30.0,
                               clock(48, 0.25, 0.1), species="e-")  # fmt: skip
    e = vector(rng.normal(size=(48, 3)), clock(48, 0.25), units="mV m^-1")
    return ions, electrons, e


def _particles(
    recipe: Recipe, golden: dict[int, list[float]], of: str, *more: Callable, **params
) -> Case:
    return Case(recipe, (distributions(), *(m() for m in more)), 3, golden, of, params)


def cases() -> dict[str, Callable[[], Case]]:
    """A table of builders, so that collecting tests computes nothing."""

    def of_moments() -> xr.Dataset:
        return moments(distributions())

    def planes(recipe: Recipe) -> xr.Dataset:
        return recipe(distributions(), bins=6)

    def calibrated() -> tuple[xr.Dataset, xr.Dataset]:
        ions, volts = rates()
        return volts, potential_calibration(ions, volts, window="10s")

    def conversion() -> tuple[xr.Dataset, xr.Dataset]:
        ions, electrons, e = plasma()
        return particle_current(ions, electrons, accumulation="1s").rename(vector="current"), e

    def anisotropic() -> xr.Dataset:
        return field_aligned(of_moments(), field(), accumulation="1s")

    def pair() -> tuple[xr.Dataset, xr.Dataset]:
        return turning("ECI", "DBCS", 8.0), turning("ECI", "GSE", 3.0)

    def with_attitude(ds: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
        return ds, turning("DBCS", "GSE", 5.0)

    late = {"reach": "6s"}
    mean = {"window": "4s"}
    second = {"accumulation": "1s"}
    return {
        "joined_attitude": lambda: Case(joined_attitude, pair(), 6, GOLD["joined_attitude"],
                                        "quaternion", late),
        "rotate_vector": lambda: Case(rotate_vector, with_attitude(field()), 6,
                                      GOLD["rotate_vector"], "vector", late),
        "rotate_moments": lambda: Case(rotate_moments, with_attitude(of_moments()), 6,
                                       GOLD["rotate_moments"], "pressure", late),
        "vector_in_axes": lambda: Case(vector_in_axes, (field(),), 0, GOLD["vector_in_axes"],
                                       "vector", {"axes": LMN}),
        "distribution_in_axes": lambda: _particles(
            distribution_in_axes, GOLD["distribution_in_axes"], "phi", axes=LMN),
        "interleaved": lambda: Case(interleaved, (alternating(),), 1.2, GOLD["interleaved"], "f",
                                    {"apart": "1s"}),
        "angle_spectrum": lambda: Case(
            angle_spectrum, (polar_distribution(distributions()),), 0,
            GOLD["angle_spectrum"], "spectrum"),
        "instability_thresholds": lambda: Case(
            instability_thresholds, (anisotropic(), field()), 3, GOLD["instability_thresholds"],
            "threshold", second),
        "energy_flux": lambda: Case(energy_flux, (of_moments(), field()), 3, GOLD["energy_flux"],
                                    "total", second),
        "potential_calibration": lambda: Case(
            potential_calibration, rates(), 10, GOLD["potential_calibration"], "amplitude",
            {"window": "10s"}),
        "density_from_potential": lambda: Case(
            density_from_potential, calibrated(), 10, GOLD["density_from_potential"], "value",
            {"window": "10s"}),
        "non_maxwellianity": lambda: _particles(
            non_maxwellianity, GOLD["non_maxwellianity"], "epsilon", field, accumulation="1s"),
        "magnetic_nulls": lambda: Case(
            magnetic_nulls, (field_gradient(*(vector(
                np.random.default_rng(k).normal(size=(48, 3)), clock(48, 0.25)) for k in range(4)),
                *places()),), 0, GOLD["magnetic_nulls"], "offset"),
        "timing": lambda: Case(timing, (*front(), *far()), 60, GOLD["timing"], "normal"),
        "tetrahedron_shape": lambda: Case(tetrahedron_shape, places(), 60,
                                          GOLD["tetrahedron_shape"], "size"),
        "barycentre": lambda: Case(barycentre, places(), 60, GOLD["barycentre"], "position"),
        "position_in_frame": lambda: Case(position_in_frame, places()[:1], 0,
                                          GOLD["position_in_frame"], "position"),
        "particle_current": lambda: Case(particle_current, plasma()[:2], 3,
                                         GOLD["particle_current"], "vector", second),
        "energy_conversion": lambda: Case(energy_conversion, conversion(), 3,
                                          GOLD["energy_conversion"], "value", second),
        "mean_reduced_1d": lambda: Case(mean_reduced_1d, (planes(reduced_1d),), 4,
                                        GOLD["mean_reduced_1d"], "f", mean),
        "mean_reduced_2d": lambda: Case(mean_reduced_2d, (planes(reduced_2d),), 4,
                                        GOLD["mean_reduced_2d"], "f", mean),
        "mean_slices": lambda: Case(mean_slices, (planes(slices),), 4, GOLD["mean_slices"], "f",
                                    mean),
        "mean_cartesian": lambda: Case(mean_cartesian, (planes(cartesian),), 4,
                                       GOLD["mean_cartesian"], "f", mean),
    }  # fmt: skip


# Version: mean, mean square root and last finite number of one variable. Raise the version of a
# recipe whenever its numbers move, and only then.
GOLD: dict[str, dict[int, list[float]]] = {
    "joined_attitude": {1: [0.3050343, 0.5, 0.9396926]},
    "rotate_vector": {1: [9.48311, 10.04802, 11.64324]},
    "rotate_moments": {1: [0.1976265, 0.281791, 0.397733]},
    "vector_in_axes": {1: [8.723903, 10.04802, 3.226648]},
    "distribution_in_axes": {1: [180.0, 205.3547, 260.9928]},
    "interleaved": {1: [7.671256e-12, 1.124889e-11, 4.097311e-31]},
    "angle_spectrum": {1: [2278909.0, 2577476.0, 803022.0]},
    "instability_thresholds": {1: [0.9639046, 1.02604, 0.3831365]},
    "energy_flux": {2: [0.189717, 0.2237128, 0.07572883]},
    "potential_calibration": {1: [1.052309, 1.298061, 2.140592]},
    "density_from_potential": {2: [1.991053, 1.992165, 2.083407]},
    "non_maxwellianity": {1: [0.02626321, 0.02668406, 0.02724647]},
    "magnetic_nulls": {2: [476.3963, 1295.617, -530.8799]},
    "timing": {2: [0.4942825, 0.5773503, -0.08847011]},
    "tetrahedron_shape": {1: [392.041, 392.041, 392.041]},
    "barycentre": {1: [28338.92, 36654.75, -4984.5]},
    "position_in_frame": {1: [28827.1, 36807.39, -6583.337]},
    "particle_current": {2: [82.59976, 100.0964, 230.9183]},
    "energy_conversion": {1: [0.1194149, 0.1617055, 0.00172472]},
    "mean_reduced_1d": {1: [1.153135, 2.434735, 1.178741e-17]},
    "mean_reduced_2d": {1: [2.306269e-07, 8.279047e-07, 2.090604e-18]},
    "mean_slices": {1: [3.061655e-13, 1.233586e-12, 4.793652e-24]},
    "mean_cartesian": {1: [4.907922e-14, 2.63429e-13, 5.386802e-30]},
}


def numbers(found: xr.DataArray) -> list[float]:
    """Mean size, root of the mean square, and the last number that is known."""
    known = found.values.astype(float).ravel()
    known = known[np.isfinite(known)]
    return [float(np.abs(known).mean()), float(np.sqrt((known**2).mean())), float(known[-1])]


@pytest.mark.parametrize("name", sorted(cases()))
def test_numbers_move_only_with_the_version(name):
    case = cases()[name]()
    found = numbers(case.recipe(*case.inputs, **case.params)[case.of])
    assert case.recipe.version in case.golden, f"new version: store its numbers here: {found}"
    assert found == pytest.approx(case.golden[case.recipe.version], rel=1e-4)


@pytest.mark.parametrize("name", sorted(cases()))
def test_cutting_time_into_granules_changes_nothing(name):
    case = cases()[name]()
    whole = case.recipe(*case.inputs, **case.params)
    time = whole["time"].values
    assert time.size > 1
    edges = [time[0], time[time.size // 3], time[-1] + np.timedelta64(1, "ns")]
    # A granule never begins on a record alone: half a step before one is a border, too.
    edges[1] -= (time[time.size // 3] - time[time.size // 3 - 1]) // 2
    pad = np.timedelta64(round(case.beyond * 1e9), "ns")
    pieces = []
    for start, stop in itertools.pairwise(edges):
        given = (between(i, start - pad, stop + pad) for i in case.inputs)
        pieces.append(between(case.recipe(*given, **case.params), start, stop))
    joined = xr.concat(pieces, "time", data_vars="minimal")
    xr.testing.assert_identical(joined, whole)
