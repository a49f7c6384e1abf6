"""The solar wind ahead of a spacecraft, model boundaries, and where on the Sun it comes from."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.datatypes import MagneticLocation, SolarConnection, Upstream
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.axes import AU, axes
from sciqlop_pipe.recipes.boundary_models import farris_russell_1994, shue_1998
from sciqlop_pipe.recipes.geomagnetic import FORECASTS
from sciqlop_pipe.recipes.solar_connection import FLAGS as SUN_FLAGS
from sciqlop_pipe.recipes.solar_connection import solar_connection
from sciqlop_pipe.recipes.upstream import FLAGS, magnetic_location, upstream_conditions
from tests.fields import clock, cut, moments, position, vector

RE = EARTH_RADIUS


@pytest.mark.parametrize(
    ("bz", "pressure", "nose"), [(0.0, 1.0, 11.39), (0.0, 2.0, 10.25), (-10.0, 2.0, 8.82)]
)
def test_the_nose_of_the_magnetopause_is_where_shue_puts_it(bz, pressure, nose):
    assert shue_1998(np.array(bz), np.array(pressure), np.array(0.0)) / RE == pytest.approx(
        nose, abs=0.01
    )


def test_the_flanks_flare_and_the_shock_lies_outside():
    angles = np.radians([0, 45, 90, 120])
    pause = shue_1998(np.array(1.0), np.array(2.0), angles)
    assert (np.diff(pause) > 0).all()
    # (2 / (1 + cos 90))^alpha = 2^alpha
    alpha = (0.58 - 0.007) * (1 + 0.024 * np.log(2))
    assert pause[2] / pause[0] == pytest.approx(2**alpha)
    shock = farris_russell_1994(pause[0], np.array(8.0), angles)
    assert (shock > pause).all()
    assert shock[0] / pause[0] == pytest.approx(1.2925, abs=1e-3)
    assert np.isnan(farris_russell_1994(pause[0], np.array(0.9), angles)).all()


def wind(minutes=120, seconds=60.0):
    t = clock(minutes, seconds, -1800)
    return (
        vector(np.tile([2.0, -3, -1.0], (minutes, 1)), t),
        moments(np.full(minutes, 5.0), np.tile([-400.0, 0, 0], (minutes, 1)), 10.0, t),
    )


def test_a_spacecraft_ahead_of_the_shock_is_outside_both_and_one_near_the_earth_inside():
    b, plasma = wind()
    at = position([[30 * RE, 0, 0], [12 * RE, 0, 0], [5 * RE, 0, 0]], clock(3, 60))
    found = Upstream.check(upstream_conditions(at, b, plasma))
    signs = np.sign([found["bow_shock_offset"].values, found["magnetopause_offset"].values])
    assert signs.tolist() == [[1, -1, -1], [1, 1, -1]]
    assert found["b"].attrs["frame"] == "GSM"
    assert float(found["dynamic_pressure"][0]) == pytest.approx(
        1.16 * 1.6726e-6 * 5 * 400**2, rel=1e-3
    )
    assert np.linalg.norm(found["b"][0]) == pytest.approx(np.sqrt(14), rel=1e-4)
    # Seen from the moving Earth the wind comes from 4.3 degrees towards -y.
    aberrated = upstream_conditions(position([[30 * RE, -2.2 * RE, 0]], clock(1, 60)), b, plasma)
    head_on = float(aberrated["magnetopause"][0] - aberrated["standoff"][0])
    assert head_on < float((found["magnetopause"] - found["standoff"])[0])


def test_the_bow_shock_stands_by_the_fast_mach_number():
    """400 km/s, 5 cm^-3, 3.74 nT, 10 eV protons: V_A 33.9 km/s, c_s 60.9 with the electrons."""
    b, plasma = wind()
    at = position([[20 * RE, 0, 0]], clock(1, 60))
    found = upstream_conditions(at, b, plasma)
    va = 21.812 * np.sqrt(14) / np.sqrt(5 * 1.16)
    pressure = 10 * (1 + 0.16) + 1.08 * 12.1
    cs = 9.787 * np.sqrt(5 / 3 * pressure / 1.16)
    assert float(found["fast_mach"][0]) == pytest.approx(400 / np.hypot(va, cs), rel=1e-3)
    assert float(found["alfven_mach"][0]) == pytest.approx(400 / va, rel=1e-3)
    m2 = float(found["fast_mach"][0]) ** 2
    nose = float(found["standoff"][0]) * (1 + 1.1 * (2 / 3 * m2 + 2) / (8 / 3 * (m2 - 1)))
    assert float(found["bow_shock"][0]) == pytest.approx(nose, rel=3e-3)  # 4 degrees beside it
    cold = upstream_conditions(at, b, plasma.drop_vars("temperature"))
    assert float(cold["bow_shock"][0]) < float(found["bow_shock"][0])
    assert (cold["quality"].values & 16 > 0).all() and not (found["quality"].values & 16).any()


def test_gaps_of_the_solar_wind_are_not_bridged():
    b, plasma = wind()
    b = b.isel(time=np.r_[0:30, 60:120])
    at = position(np.tile([30 * RE, 0, 0], (3, 1)), clock(3, 900))
    found = upstream_conditions(at, b, plasma)
    names = [FLAGS.names(int(q)) for q in found["quality"]]
    assert "no_field" in names[1] and "no_plasma" not in names[1]
    assert np.isnan(found["magnetopause"][1])
    tail = upstream_conditions(position([[-30 * RE, 2 * RE, 0]]), *wind())
    assert "tail" in FLAGS.names(int(tail["quality"][0]))


def test_positions_that_are_not_around_the_earth_are_refused():
    with pytest.raises(DataTypeError, match="HEEQ"):
        upstream_conditions(position([[AU, 0, 0]], frame="HEEQ"), *wind())


def test_l_and_local_time_at_noon_and_at_midnight():
    at = position(
        [[6.6 * RE, 0, 0], [-6.6 * RE, 0, 0], [0, 6.6 * RE, 0], [3 * RE, 0, 3 * RE]], frame="SM"
    )
    found = MagneticLocation.check(magnetic_location(at))
    np.testing.assert_allclose(found["dipole_l"], [6.6, 6.6, 6.6, 3 * np.sqrt(2) * 2], rtol=1e-9)
    np.testing.assert_allclose(found["magnetic_local_time"], [12, 0, 18, 12], atol=1e-9)
    np.testing.assert_allclose(found["magnetic_latitude"], [0, 0, 0, 45], atol=1e-9)
    assert (np.abs(found["dipole_tilt"]) < 36).all()


def test_a_place_that_is_not_finite_has_no_local_time():
    at = position([[np.inf, 1e4, 0], [1e4, np.nan, 0], [4e4, 0, 0]])
    found = magnetic_location(at)
    for name in ("dipole_l", "magnetic_local_time", "magnetic_latitude", "distance"):
        assert np.isnan(found[name].values).tolist() == [True, True, False], name


def test_l_and_local_time_are_those_of_the_files_of_mec(shared_data):
    from sciqlop_missions.mms import mec
    from sciqlop_pipe.sources.cdf import open_cdf

    path = shared_data / "mms/burst_20161209_4sc/mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with open_cdf(path) as cdf:
        at = mec.position("1", "gse")(cdf).isel(time=slice(0, None, 1000))
        theirs = {
            n: cdf.values(f"mms1_mec_{n}")[::1000]
            for n in ("mlt", "mlat", "dipole_tilt", "l_dipole")
        }
    found = magnetic_location(at, geomagnetic_model=FORECASTS)
    np.testing.assert_allclose(found["magnetic_local_time"], theirs["mlt"], atol=0.002)
    np.testing.assert_allclose(found["magnetic_latitude"], theirs["mlat"], atol=0.02)
    np.testing.assert_allclose(found["dipole_tilt"], theirs["dipole_tilt"], atol=0.01)
    np.testing.assert_allclose(found["dipole_l"], theirs["l_dipole"], rtol=2e-3)


def test_the_spiral_at_one_au_and_where_its_wind_comes_from():
    t = clock(3, 3600)
    inertial = axes("HEEQ", t.astype(np.int64))
    at = position(np.tile([AU, 0, 0], (3, 1)), t, frame="HEEQ")
    plasma = moments([5.0] * 3, np.tile([429.0, 0, 0], (3, 1)), time=t, frame="RTN")
    b = vector(np.tile([3.0, -3, 0], (3, 1)), t, frame="RTN")
    found = SolarConnection.check(solar_connection(at, plasma, b))
    assert inertial.shape == (3, 3, 3)
    np.testing.assert_allclose(found["parker_angle"], -44.7, atol=0.5)
    np.testing.assert_allclose(found["field_angle"], -45, atol=1e-9)
    np.testing.assert_allclose(found["travel_time"], (AU - 2.5 * 695_700) / 429, rtol=1e-12)
    gained = (found["source_longitude"] - found["carrington_longitude"]) % 360
    np.testing.assert_allclose(gained, 14.1844 * found["travel_time"] / 86400, rtol=1e-9)
    # The Sun turns below an observer at the Earth: 13.2 deg a day westward.
    step = np.diff(found["carrington_longitude"].values)
    np.testing.assert_allclose((step + 180) % 360 - 180, -13.2 / 24, atol=0.02)


@pytest.mark.parametrize("rotation", [1699, 2000, 2226])
def test_a_carrington_rotation_begins_when_the_almanac_says(rotation):
    # Meeus (1998), Astronomical Algorithms, chapter 29; he sees the Sun 8.3 min late: 0.08 deg.
    m = np.radians(281.96 + 26.882476 * rotation)
    day = 2398140.2270 + 27.2752316 * rotation
    day += 0.1454 * np.sin(m) - 0.0085 * np.sin(2 * m) - 0.0141 * np.cos(2 * m)
    when = np.array([round((day - 2440587.5) * 86400e9)], "datetime64[ns]")
    found = float(solar_connection(position([[0.0, 0, 0]], when))["carrington_longitude"][0])
    assert (found + 180) % 360 - 180 == pytest.approx(0, abs=0.15)


def test_without_plasma_a_speed_is_assumed_and_flagged():
    found = solar_connection(position([[0.0, 0, 0]]))
    assert set(SUN_FLAGS.names(int(found["quality"][0]))) == {"no_speed", "no_field"}
    assert float(found["speed"][0]) == 400 and np.isnan(found["field_angle"][0])


@given(st.lists(st.integers(1, 1799), max_size=2, unique=True))
@settings(max_examples=5)
def test_cutting_time_into_granules_changes_nothing(cuts):
    b, plasma = wind()
    rng = np.random.default_rng(2)
    at = position(rng.normal(size=(31, 3)) * 10 * RE, clock(31, 60))
    edges = [-1, *sorted(cuts), 1900]
    for recipe, inputs in (
        (upstream_conditions, (at, b, plasma)),
        (magnetic_location, (at,)),
        (solar_connection, (at, plasma, b)),
    ):
        xr.testing.assert_identical(cut(recipe, inputs, edges, 660), recipe(*inputs))


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    "upstream_conditions": {2: 50627.6634},
    "magnetic_location": {1: 32.3415194},
    "solar_connection": {1: 123.762742},
}


def golden() -> dict:
    at = position([[20 * RE, 10 * RE, -5 * RE]], clock(1, 60))
    b, plasma = wind()
    return {
        upstream_conditions: float(upstream_conditions(at, b, plasma)["bow_shock_offset"][0]),
        magnetic_location: float(magnetic_location(at)["dipole_l"][0]),
        solar_connection: float(solar_connection(at, plasma, b)["source_longitude"][0]),
    }


def test_numbers_move_only_with_the_version():
    for recipe, number in golden().items():
        assert number == pytest.approx(GOLDEN[recipe.name][recipe.version], rel=1e-6), recipe.name
