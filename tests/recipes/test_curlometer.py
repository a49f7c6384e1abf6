from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import (
    CurrentDensity,
    FieldGradient,
    MagneticNull,
    Position,
    TetrahedronShape,
    TimingAnalysis,
)
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.curlometer import (
    FLAGS,
    KINDS,
    NA_PER_NT_KM,
    NULL_FLAGS,
    curlometer,
    field_gradient,
    magnetic_nulls,
)
from sciqlop_pipe.recipes.formation import barycentre, tetrahedron_shape
from sciqlop_pipe.recipes.timing import FLAGS as TIMING_FLAGS
from sciqlop_pipe.recipes.timing import front_of, timing
from tests.fields import between, clock, cut, position, vector

CENTRE = np.array([60_000.0, 20_000.0, -5_000.0])
REGULAR = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) * 4.0
SKEWED = REGULAR @ np.array([[1.2, 0.3, 0], [0, 0.8, 0.4], [-0.2, 0, 1.1]])
DRIFT = np.array([2.0, -1.0, 0.5])  # km/s


def four_places(offsets=SKEWED, count=4):
    """Positions every 30 s of a formation that moves."""
    seconds = 30.0 * np.arange(count) - 30
    time = clock(count, 30, -30)
    return tuple(position(CENTRE + o + seconds[:, None] * DRIFT, time) for o in offsets)


def four_fields(gradient, mean, offsets=SKEWED, seconds=0.1, count=300, late=0.0):
    """A linear field B_j = mean_j + G_ij r_i around the barycentre, the others late by parts."""
    middle = offsets.mean(0)
    found = []
    for k, o in enumerate(offsets):
        time = clock(count, seconds, k * late)
        b = mean + (o - middle) @ gradient + 0 * time.astype(int)[:, None]
        found.append(vector(b, time))
    return tuple(found)


def random_gradient(seed=3):
    g = np.random.default_rng(seed).normal(size=(3, 3))
    return g - np.eye(3) * np.trace(g) / 3


def curl_of(g):
    return np.array([g[1, 2] - g[2, 1], g[2, 0] - g[0, 2], g[0, 1] - g[1, 0]])


@pytest.mark.parametrize("offsets", [REGULAR, SKEWED, 300 * SKEWED])
def test_the_current_of_a_linear_field_is_exact(offsets):
    g = random_gradient()
    found = CurrentDensity.check(
        curlometer(*four_fields(g, [5, 0, 20.0], offsets, late=0.03), *four_places(offsets))
    )
    np.testing.assert_allclose(
        found["current"], np.tile(NA_PER_NT_KM * curl_of(g), (found.sizes["time"], 1)), rtol=1e-7
    )
    assert np.abs(found["divergence"]).max() < 1e-6 * NA_PER_NT_KM
    b = np.array([5, 0, 20.0])
    assert float(found["current_parallel"][0]) == pytest.approx(
        NA_PER_NT_KM * curl_of(g) @ b / np.linalg.norm(b), rel=1e-4
    )
    assert found["current"].attrs["frame"] == "GSE" and not found["quality"].any()


def test_one_nanotesla_per_kilometre_is_796_nanoamperes_per_square_metre():
    assert pytest.approx(795.7747, abs=1e-3) == NA_PER_NT_KM


def test_a_divergence_that_cannot_be_is_reported_and_flagged():
    g = random_gradient() + np.eye(3)
    found = curlometer(*four_fields(g, [0, 0, 9.0]), *four_places())
    assert float(found["divergence"][0]) == pytest.approx(3 * NA_PER_NT_KM, rel=1e-6)
    assert all("divergence" in FLAGS.names(int(q)) for q in found["quality"])


def test_there_is_nothing_where_one_spacecraft_is_missing():
    b, r = list(four_fields(random_gradient(), [0, 0, 9.0])), four_places()
    b[2] = between(b[2], clock(1, 1, 12)[0], clock(1, 1, 20)[0])
    b[3]["vector"].values[150:155] = np.nan
    found = curlometer(*b, *r)
    t = found["time"].values
    assert t[0] >= clock(1, 1, 12)[0] and t[-1] < clock(1, 1, 20)[0]
    assert not ((t > clock(1, 1, 15)[0]) & (t < clock(1, 1, 15.4)[0])).any()
    assert curlometer(*b[:2], b[2].isel(time=slice(0, 0)), b[3], *r).sizes["time"] == 0
    assert curlometer(*b, *r[:3], r[3].isel(time=slice(0, 0))).sizes["time"] == 0


def test_four_spacecraft_in_a_plane_have_no_current():
    flat = SKEWED * [1, 1, 0]
    found = curlometer(*four_fields(random_gradient(), [0, 0, 9.0], flat), *four_places(flat))
    assert np.isnan(found["current"]).all()
    assert {"flat", "degenerate"} <= set(FLAGS.names(int(found["quality"][0])))


def test_frames_of_all_eight_inputs_must_be_one():
    b, r = four_fields(random_gradient(), [0, 0, 9.0]), list(four_places())
    with pytest.raises(DataTypeError, match="GSE, GSM"):
        curlometer(*b[:3], b[3].assign(vector=b[3]["vector"].assign_attrs(frame="GSM")), *r)
    r[1]["position"].attrs["frame"] = "GSM"
    with pytest.raises(DataTypeError, match="GSE, GSM"):
        curlometer(*b, *r)


def test_the_gradient_and_the_curvature_are_those_of_the_field():
    g = random_gradient(7)
    mean = np.array([3.0, -4.0, 12.0])
    found = FieldGradient.check(field_gradient(*four_fields(g, mean), *four_places()))
    np.testing.assert_allclose(found["gradient"][5], g, rtol=1e-7)
    np.testing.assert_allclose(found["mean"][5], mean, rtol=1e-7)
    unit = mean / 13
    bent = (unit @ g - (unit @ g @ unit) * unit) / 13
    np.testing.assert_allclose(found["curvature"][5], bent, rtol=1e-6)


@pytest.mark.parametrize(
    ("jacobian", "kind"),
    [
        (np.diag([2.0, -0.8, -1.2]), "A"),
        (np.diag([-2.0, 0.8, 1.2]), "B"),
        (np.array([[-0.5, 2, 0], [-2, -0.5, 0], [0, 0, 1.0]]), "As"),
        (np.array([[0.5, 2, 0], [-2, 0.5, 0], [0, 0, -1.0]]), "Bs"),
        (np.diag([2.0, -1.9, -0.1]), "X"),
        (np.array([[-0.05, 2, 0], [-2, -0.05, 0], [0, 0, 0.1]]), "O"),
    ],
)
def test_nulls_are_found_where_and_of_the_kind_they_are(jacobian, kind):
    at = np.array([1.5, -2.0, 0.7])
    gradient = jacobian.T
    b = four_fields(gradient, -jacobian @ at)
    found = MagneticNull.check(magnetic_nulls(field_gradient(*b, *four_places())))
    np.testing.assert_allclose(found["offset"][3], at, atol=1e-5)
    assert float(found["distance"][3]) == pytest.approx(np.linalg.norm(at), abs=1e-5)
    assert KINDS[int(found["kind"][3])] == kind
    assert NULL_FLAGS.names(int(found["quality"][3])) == ()


def test_a_null_far_away_is_flagged():
    g = np.diag([2.0, -0.8, -1.2])
    found = magnetic_nulls(field_gradient(*four_fields(g, [100.0, 0, 0]), *four_places()))
    assert all("far" in NULL_FLAGS.names(int(q)) for q in found["quality"])


def test_a_regular_tetrahedron_is_one_and_a_line_is_not():
    found = TetrahedronShape.check(tetrahedron_shape(*four_places(REGULAR)))
    at = found.isel(time=1)
    assert float(at["elongation"]) == pytest.approx(0, abs=1e-6)
    assert float(at["planarity"]) == pytest.approx(0, abs=1e-6)
    assert float(at["quality_gm"]) == pytest.approx(3)
    assert float(at["quality_rr"]) == pytest.approx(1)
    side = 4 * np.sqrt(8)
    np.testing.assert_allclose(at["separation"], side, rtol=1e-9)
    assert float(at["volume"]) == pytest.approx(side**3 * np.sqrt(2) / 12)
    line = tetrahedron_shape(*four_places(np.outer([0, 1, 2, 3.5], [1, 2, 3]) + REGULAR * 1e-3))
    assert float(line["elongation"][0]) > 0.99


def test_the_barycentre_is_the_mean_where_all_four_are_known():
    r = list(four_places())
    r[2] = r[2].isel(time=slice(1, 4))
    found = Position.check(barycentre(*r))
    assert found.sizes["time"] == 3
    np.testing.assert_allclose(found["position"][0], CENTRE + SKEWED.mean(0), rtol=1e-12)


@given(st.integers(0, 99), st.floats(20, 400))
@settings(max_examples=20)
def test_normal_and_speed_follow_from_delays(seed, speed):
    n = np.random.default_rng(seed).normal(size=3)
    n /= np.linalg.norm(n)
    found, v = front_of(SKEWED, SKEWED @ n / speed + 12.3)
    np.testing.assert_allclose(found, n, atol=1e-9)
    assert v == pytest.approx(speed)


def test_delays_of_spacecraft_in_a_plane_are_refused():
    with pytest.raises(UsageError, match="plane"):
        front_of(SKEWED * [1, 1, 0], np.arange(4.0))


def front(normal, speed, seconds=0.05):
    """Four fields through a plane sheet, every 50 ms for a minute, and the positions."""
    offsets = 30 * SKEWED
    b = []
    for o in offsets:
        time = clock(1200, seconds)
        x = seconds * np.arange(1200) - 30 - o @ normal / speed
        b.append(vector(np.stack([15 * np.tanh(x / 2), 5 / np.cosh(x / 2), 2 + 0 * x], 1), time))
    return tuple(b), four_places(offsets)


def test_a_plane_front_is_timed_through_the_whole_recipe():
    n = np.array([0.6, -0.64, 0.48])
    n /= np.linalg.norm(n)
    b, r = front(n, 120.0)
    found = TimingAnalysis.check(timing(*b, *r))
    at = found.sel(time="2020-01-01T12:00:30")
    assert np.degrees(np.arccos(float(at["normal"].values @ n))) < 1
    assert float(at["speed"]) == pytest.approx(120, rel=0.02)
    assert TIMING_FLAGS.names(int(at["quality"])) == ()
    with pytest.raises(UsageError, match="nothing"):
        timing(*b, *r, longest_delay="10s")


def test_what_four_spacecraft_see_at_once_does_not_move():
    """Rounding has a speed, and so have the tails of a sheet: neither passes for one."""
    b = front(np.array([0.0, 0.6, 0.8]), 130.0)[0][0]
    found = timing(b, b, b, b, *four_places())
    here = found.sel(time="2020-01-01T12:00:30")
    assert "simultaneous" in TIMING_FLAGS.names(int(here["quality"]))
    assert np.isnan(here["speed"]) and np.isnan(here["normal"]).all()
    assert int(here["count"]) == 400
    claimed = np.isfinite(found["speed"].values)
    assert all(q & 128 for q in found["quality"].values[claimed].astype(int))


def test_delays_that_others_equal_are_ambiguous():
    """A slope correlates with itself at any delay, a wave train after each period."""
    x = np.arange(1200) / 20
    for shape in (np.stack([x, 0 * x, 0 * x], 1), np.stack([np.sin(4 * x), 0 * x, 0 * x], 1)):
        four = tuple(vector(np.roll(shape, k, axis=0)[10:], clock(1190, 0.05)) for k in range(4))
        found = timing(*four, *four_places()).sel(time="2020-01-01T12:00:30")
        assert "ambiguous" in TIMING_FLAGS.names(int(found["quality"]))


def test_noise_without_a_front_is_not_timed_without_a_flag():
    rng = np.random.default_rng(1)
    b = tuple(vector(rng.normal(size=(1200, 3)), clock(1200, 0.05)) for _ in range(4))
    found = timing(*b, *four_places())
    assert all(q & (8 | 16 | 32) for q in found["quality"].values.astype(int))


@given(st.lists(st.integers(1, 29), max_size=2, unique=True))
@settings(max_examples=5)
def test_cutting_time_into_granules_changes_nothing(cuts):
    rng = np.random.default_rng(6)
    b = tuple(vector(rng.normal(size=(300, 3)), clock(300, 0.1, 0.01 * k)) for k in range(4))
    edges = [-1, *sorted(cuts), 60]
    for recipe in (curlometer, field_gradient):
        whole = recipe(*b, *four_places())
        xr.testing.assert_identical(cut(recipe, (*b, *four_places()), edges, 300), whole)
        # Only as much as the margins give: two positions around, one field sample.
        tight = cut(recipe, (*b, *four_places(count=4)), edges, 60)
        xr.testing.assert_identical(tight, whole)


@pytest.fixture(scope="module")
def magnetosheath(shared_data):
    from sciqlop_missions.mms import fgm, tetrahedron
    from sciqlop_pipe.sources.cdf import open_cdf

    fields, places = [], []
    for p in "1234":
        name = f"mms{p}_fgm_brst_l2_20161209090054_v5.87.0.cdf"
        path = shared_data / "mms/burst_20161209_4sc" / name
        if not path.exists():
            pytest.skip(f"{path} is absent")
        with open_cdf(path) as cdf:
            fields.append(fgm.field(p, "brst", "gse")(cdf))
            places.append(tetrahedron.position(p, "brst")(cdf))
    return curlometer(*fields, *places, reach="40ms", position_reach="2min"), places


def test_the_current_in_the_magnetosheath_of_2016_12_09(magnetosheath):
    found, places = magnetosheath
    time, j = found["time"].values, found["current"].values
    assert time[0] > np.datetime64("2016-12-09T09:00:54.636")
    assert float(np.median(found["ratio"])) == pytest.approx(0.12, abs=0.01)
    # The running mean of an eighth of a second: 16 samples.
    total = np.cumsum(np.vstack([np.zeros(3), j]), axis=0)
    mean = (total[16:] - total[:-16]) / 16
    size = np.linalg.norm(mean, axis=1)
    peak = int(np.argmax(size))
    assert size[peak] == pytest.approx(2060, abs=100)
    middle = time[peak] + (time[peak + 15] - time[peak]) / 2
    assert abs(middle - np.datetime64("2016-12-09T09:01:51.2")) < np.timedelta64(100, "ms")
    np.testing.assert_allclose(mean[peak], [240, 1280, -1600], atol=80)
    shape = tetrahedron_shape(*places, reach="2min")
    assert float(shape["separation"].min()) > 4.6 and float(shape["separation"].max()) < 8.0


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    "curlometer": {1: -66.9160393},
    "field_gradient": {1: 0.168780479},
    "magnetic_nulls": {2: 483.14511},
    "timing": {2: 4.33334425},
    "tetrahedron_shape": {1: 0.863534391},
    "barycentre": {1: -5000.0},
}


def golden() -> dict:
    rng = np.random.default_rng(8)
    b = tuple(vector(rng.normal(size=(20, 3)), clock(20, 0.1, 0.01 * k)) for k in range(4))
    r = four_places()
    gradient = field_gradient(*b, *r)
    return {
        curlometer: float(curlometer(*b, *r)["current_parallel"][7]),
        field_gradient: float(gradient["curvature"][7, 1]),
        magnetic_nulls: float(magnetic_nulls(gradient)["distance"][7]),
        timing: float(timing(*front(np.array([0.0, 0.6, 0.8]), 130.0)[0], *r)["speed"][3]),
        tetrahedron_shape: float(tetrahedron_shape(*r)["quality_rr"][1]),
        barycentre: float(barycentre(*r)["position"][1, 2]),
    }


def test_numbers_move_only_with_the_version():
    for recipe, number in golden().items():
        assert number == pytest.approx(GOLDEN[recipe.name][recipe.version], rel=1e-6), recipe.name
