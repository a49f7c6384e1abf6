from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import VarianceAnalysis
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.kernels.variance import covariances
from sciqlop_pipe.recipes.minimum_variance import FLAGS, minimum_variance, variance_of
from tests.fields import cut, vector


def sheet(n=400, noise=0.0, seed=1):
    """A field that turns in the plane of two directions, constant along the third."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn[:, 2] *= np.sign(turn[0, 2])
    x = np.linspace(-4, 4, n)
    local = np.stack([20 * np.tanh(x), 8 / np.cosh(x), np.full(n, 2.0)], axis=1)
    return local @ turn.T + noise * rng.normal(size=(n, 3)), turn


def angle(a, b):
    return np.degrees(np.arccos(min(abs(float(np.dot(a, b))), 1.0)))


def test_the_normal_of_a_sheet_is_found_and_so_is_the_field_along_it():
    b, turn = sheet()
    found = variance_of(b)
    assert angle(found.axes[2], turn[:, 2]) < 1e-4
    assert angle(found.axes[0], turn[:, 0]) < 1.0
    assert found.mean[2] == pytest.approx(2.0, abs=1e-9)
    assert found.certain and found.ratio > 1e6
    np.testing.assert_allclose(np.linalg.det(found.axes), 1, atol=1e-12)
    assert found.axes[2, 0] >= 0 and found.axes[0, 2] >= 0


def test_errors_say_how_far_noise_turns_the_normal():
    turned, claimed = [], []
    for seed in range(40):
        b, turn = sheet(noise=1.0, seed=seed)
        found = variance_of(b)
        turned.append(np.degrees(np.arcsin(found.axes[2] @ turn[:, 1])))
        claimed.append(found.errors[2, 1])
    # Root mean square of forty: known within a quarter (two sigma).
    assert np.sqrt(np.mean(np.square(turned))) == pytest.approx(np.mean(claimed), rel=0.3)


def test_records_that_are_not_whole_do_not_count():
    b, _ = sheet(noise=0.5)
    spoilt = np.insert(b, [0, 50, 399], np.nan, axis=0)
    spoilt[51, 1:] = 7.0  # one component missing is a record missing
    found = variance_of(spoilt)
    assert found.records == 400
    np.testing.assert_allclose(found.eigenvalues, variance_of(b).eigenvalues, rtol=1e-12)


@given(st.integers(8, 60), st.floats(-1e5, 1e5), st.integers(0, 99))
@settings(max_examples=40)
def test_covariances_are_those_of_numpy_whatever_the_offset(n, offset, seed):
    x = offset + np.random.default_rng(seed).normal(size=(n, 3))
    count, mean, covariance = covariances(x, np.array([0]), np.array([n]))
    assert count[0] == n
    np.testing.assert_allclose(mean[0], x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(covariance[0], np.cov(x.T, bias=True), atol=1e-9)


def test_an_interval_too_short_or_without_variance_is_refused():
    with pytest.raises(UsageError, match="5 records are too few"):
        variance_of(np.ones((5, 3)))
    with pytest.raises(UsageError, match="does not vary"):
        variance_of(np.ones((50, 3)))


def test_windows_are_flagged_for_what_is_wrong_with_them():
    b, _ = sheet(240, noise=0.3)
    b[60:120] = [1, 2, 3]
    b[125:175] = np.nan
    found = VarianceAnalysis.check(minimum_variance(vector(b), window="60s", step="60s"))
    middle = found.sel(time=slice("2020-01-01T12:01:00", "2020-01-01T12:03"))
    names = [FLAGS.names(int(q)) for q in middle["quality"]]
    assert "incomplete" in names[1] and "incomplete" in names[2]
    still = minimum_variance(vector(np.ones((120, 3))), window="60s", step="60s")
    assert all("no_variance" in FLAGS.names(int(q)) for q in still["quality"][1:-1])
    assert np.isnan(still["axes"]).all()
    few = minimum_variance(vector(np.random.default_rng(1).normal(size=(6, 3))))
    assert all("too_few" in FLAGS.names(int(q)) for q in few["quality"])


def test_a_normal_that_noise_could_turn_is_flagged_as_uncertain():
    b, _ = sheet(600, noise=6.0)
    found = minimum_variance(vector(b, seconds=0.1), window="60s", step="60s")
    assert all("uncertain_normal" in FLAGS.names(int(q)) for q in found["quality"])


@pytest.mark.parametrize("turned", [False, True], ids=["along an axis", "anywhere"])
def test_a_field_that_varies_along_a_line_has_no_normal_and_says_so(turned):
    """Rounding tells the second axis from the third: a ratio of it would look certain."""
    axis = np.array([0.3, -0.5, 0.81]) if turned else np.array([1.0, 0, 0])
    b = [3.0, 4, 5] + np.sin(np.arange(240) / 9)[:, None] * axis
    alone = variance_of(b)
    assert not alone.certain and np.isnan(alone.ratio)
    assert alone.errors[2, 1] == alone.errors[1, 2] == 90
    found = minimum_variance(vector(b), window="60s", step="60s")
    assert all("uncertain_normal" in FLAGS.names(int(q)) for q in found["quality"])
    assert angle(alone.axes[0], axis / np.linalg.norm(axis)) < 1e-3


@given(st.lists(st.integers(31, 569), max_size=3, unique=True))
@settings(max_examples=8)
def test_cutting_time_into_granules_changes_nothing(cuts):
    b = vector(np.cumsum(np.random.default_rng(4).normal(size=(600, 3)), axis=0))
    edges = [-40, *sorted(cuts), 640]
    xr.testing.assert_identical(cut(minimum_variance, (b,), edges, 30), minimum_variance(b))


def test_the_magnetopause_of_2015_10_16_has_the_normal_it_is_known_for(shared_data):
    from sciqlop_missions.mms import fgm
    from sciqlop_pipe.sources.cdf import open_cdf

    path = shared_data / "mms/burst_20151016/mms1_fgm_brst_l2_20151016130524.cdf"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with open_cdf(path) as cdf:
        b = fgm.field("1", "brst", "gse")(cdf)
    t = b["time"].values
    inside = (t >= np.datetime64("2015-10-16T13:05:40")) & (
        t < np.datetime64("2015-10-16T13:06:09")
    )
    found = variance_of(b["vector"].values[inside])
    known = np.array([0.736, 0.644, -0.208]), np.array([0.367, -0.120, 0.923])
    assert angle(found.axes[2], known[0] / np.linalg.norm(known[0])) < 5
    assert angle(found.axes[0], known[1] / np.linalg.norm(known[1])) < 3
    assert found.ratio == pytest.approx(2.4, abs=0.1)
    assert not found.certain


# Raise the version of the recipe whenever these numbers move, and only then.
# 2: fields that vary along a line.
GOLDEN = {2: [3.7013061, 6.53422419, 0.582617199]}


def test_numbers_move_only_with_the_version():
    b, _ = sheet(60, noise=2.0, seed=5)
    found = minimum_variance(vector(b), window="40s", step="30s").isel(time=1)
    numbers = [float(found.ratio), float(found.error[2, 1]), float(found.normal_error)]
    assert numbers == pytest.approx(GOLDEN[minimum_variance.version], rel=1e-6)
