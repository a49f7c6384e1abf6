"""Orbit, solar wind and the plasma of the regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_missions.sim.boundaries import MAGNETOSHEATH, MAGNETOSPHERE, SOLAR_WIND, crossings
from sciqlop_missions.sim.orbit import Orbit, ephemeris
from sciqlop_missions.sim.physics import compression, plasma
from sciqlop_missions.sim.vectors import length
from sciqlop_missions.sim.wind import World, solar_wind
from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.granule import DAY, HOUR, SECOND, Interval, instant

START = instant("2030-01-01")
FIELDS = (
    "position",
    "density",
    "velocity",
    "parallel",
    "perpendicular",
    "magnetic_field",
    "region",
)


def test_the_orbit_is_between_its_apsides_and_its_velocity_is_its_derivative():
    orbit = Orbit()
    time = START + np.arange(0, 4 * DAY, 600 * SECOND)
    position, velocity = ephemeris(orbit, time)
    distance = length(position) / EARTH_RADIUS
    assert distance.min() == pytest.approx(orbit.perigee, rel=0.01)
    assert distance.max() == pytest.approx(orbit.apogee, rel=0.001)
    before, after = (ephemeris(orbit, time + dt)[0] for dt in (-SECOND, SECOND))
    assert np.abs((after - before) / 2 - velocity).max() < 1e-4


def test_a_perigee_comes_once_in_a_revolution():
    orbit = Orbit()
    first = START + round(orbit.perigee_hours * HOUR)
    time = np.array([first, first + round(orbit.period * SECOND)])
    assert length(ephemeris(orbit, time)[0]) == pytest.approx(orbit.perigee * EARTH_RADIUS)


def test_the_solar_wind_is_that_of_1_au():
    time = START + np.arange(0, 60 * DAY, 600 * SECOND)
    wind = solar_wind(World(), time)
    assert np.median(wind.density) == pytest.approx(6, rel=0.1)
    assert (length(wind.velocity) > 350).all()
    assert (wind.velocity[:, 0] < -350).all()
    assert 1 < np.median(wind.pressure) < 3
    mach = length(wind.velocity) / wind.magnetosonic_speed
    assert mach.min() > 2.5
    # A bin of 11.25 degrees is never more than two thermal standard deviations wide.
    width = length(wind.velocity) * np.deg2rad(11.25)
    assert (width / (9.79 * np.sqrt(wind.temperature)) < 2).all()


def test_the_shock_compresses_fourfold_at_most():
    assert compression(np.array([0.5, 1.0, 1e6])) == pytest.approx([1, 1, 4])


@settings(max_examples=40)
@given(st.integers(0, 2_000), st.integers(1, 70), st.sampled_from([62_500_000, 4_500_000_000]))
def test_any_piece_of_the_truth_is_the_same_alone(first, size, step):
    world = World(seed=5)
    time = START + np.arange(2_070, dtype=np.int64) * step
    whole, piece = plasma(world, time), plasma(world, time[first : first + size])
    for name in FIELDS:
        part = getattr(whole, name)[first : first + size]
        assert np.ascontiguousarray(part).tobytes() == getattr(piece, name).tobytes(), name


def test_each_region_has_its_plasma():
    world = World()
    time = START + np.arange(0, 4 * HOUR, 5 * SECOND)
    truth = plasma(world, time)
    b, v = length(truth.magnetic_field), length(truth.velocity)
    t = (truth.parallel + 2 * truth.perpendicular) / 3

    def median(values, region):
        return np.median(values[truth.region == region])

    sphere, sheath, wind = MAGNETOSPHERE, MAGNETOSHEATH, SOLAR_WIND
    assert median(truth.density, sphere) < 2 < median(truth.density, wind)
    assert 2 < median(truth.density, sheath) / median(truth.density, wind) < 5
    assert median(v, sphere) < 60 < median(v, sheath) < 0.7 * median(v, wind)
    assert median(t, wind) < 60 < 150 < median(t, sheath) < 800 < median(t, sphere)
    assert median(b, wind) < median(b, sheath) < median(b, sphere)
    assert median(truth.magnetic_field[:, 2], sphere) > 30
    anisotropy = truth.perpendicular / truth.parallel
    assert median(anisotropy, sheath) > 1.2
    assert median(anisotropy, wind) < 0.9


def test_the_bow_shock_is_a_jump_of_the_right_size():
    world = World(turbulence=0.0)
    found = [c for c in crossings(world, Interval(START, START + 4 * HOUR))
             if c.kind == "bow_shock" and c.speed > 30]  # fmt: skip
    assert found
    for c in found:
        sign = 1 if c.sense == "out" else -1
        # 0.15 RE on either side: a dozen times the thickness of the ramp.
        away = round(0.15 * EARTH_RADIUS / c.speed * SECOND)
        state = plasma(world, np.array([c.time - sign * away, c.time + sign * away]))
        if (state.region != [MAGNETOSHEATH, SOLAR_WIND]).any():
            continue
        assert 2.2 < state.density[0] / state.density[1] < 4
        assert state.velocity[0, 0] / state.velocity[1, 0] < 0.55
        assert state.perpendicular[0] > 4 * state.perpendicular[1]
        # Along the normal the field does not change, across it grows like the density.
        assert 0.9 < length(state.magnetic_field)[0] / length(state.magnetic_field)[1] < 4
        # The flow turns away from the Sun-Earth line.
        radial = state.position[0] / np.linalg.norm(state.position[0])
        aside = radial - radial[0] * np.array([1.0, 0.0, 0.0])
        assert (state.velocity[0] - state.velocity[1]) @ aside > 0
