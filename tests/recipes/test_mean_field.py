"""Coordinates along the mean field, and Elsasser variables as series."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.mean_field import elsasser, in_mean_field, running_mean
from sciqlop_pipe.recipes.plasma import alfven_velocity
from tests.fields import clock, cut, moments, position, vector
from tests.shocks import PROTON

N = 600
TIME = clock(N, 1.0)
PHASE = 2 * np.pi * np.arange(N) / 20


def pulsation(mean=(3.0, -4.0, 12.0), size=0.5):
    """A field with a compressional and a transverse oscillation of 20 s, and its direction."""
    mean = np.array(mean)
    along = mean / np.linalg.norm(mean)
    across = np.cross(along, [1.0, 0, 0])
    across /= np.linalg.norm(across)
    b = mean + size * (np.sin(PHASE)[:, None] * along + np.cos(PHASE)[:, None] * across)
    return vector(b), along


def test_compression_is_along_and_a_twist_across_the_mean_field():
    b, _ = pulsation()
    found = VectorSeries.check(in_mean_field(b, b, mean="100s"))
    assert found["vector"].attrs["frame"] == "FAC"
    x, y, z = found["vector"].values[100:500].T
    np.testing.assert_allclose(z, 13 + 0.5 * np.sin(PHASE[100:500]), atol=0.02)
    np.testing.assert_allclose(y, 0.5 * np.cos(PHASE[100:500]), atol=0.02)
    np.testing.assert_allclose(x, 0, atol=0.02)


@pytest.mark.parametrize("reference", ["x", "y", "z", "position"])
def test_axes_are_right_handed_and_the_first_is_on_the_side_of_the_reference(reference):
    b = vector(np.tile([3.0, -4, 12], (N, 1)))
    r = position(np.tile([0.0, 1e5, 0], (25, 1)))
    d = np.array([0.0, 1, 0]) if reference == "position" else np.eye(3)["xyz".index(reference)]
    words = {} if reference == "position" else {"reference": reference}
    place = r if reference == "position" else None
    axes = [in_mean_field(vector(np.tile(e, (N, 1))), b, place, **words)["vector"].values[300]
            for e in np.eye(3)]  # fmt: skip
    basis = np.array(axes).T  # rows are x, y, z of the new frame
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(basis) == pytest.approx(1)
    np.testing.assert_allclose(basis[2], np.array([3.0, -4, 12]) / 13)
    assert basis[0] @ d > 0 and abs(basis[1] @ d) < 1e-12


def test_no_mean_field_no_direction():
    b, _ = pulsation()
    zero = vector(np.zeros((N, 3)))
    assert np.isnan(in_mean_field(b, zero)["vector"]).all()
    along = vector(np.tile([5.0, 0, 0], (N, 1)))
    lost = in_mean_field(b, along)["vector"]  # x is no reference there, and along it is known
    assert np.isnan(lost[:, :2]).all() and np.isfinite(lost[:, 2]).all()
    assert np.isfinite(in_mean_field(b, along, reference="z")["vector"]).all()
    hole = b.copy(deep=True)
    hole["vector"].values[200:400] = np.nan
    found = in_mean_field(b, hole, mean="40s")["vector"].values
    assert np.isnan(found[240:360]).all() and np.isfinite(found[:190]).all()


def test_frames_and_references_must_be_right():
    b, _ = pulsation()
    with pytest.raises(DataTypeError, match=r"GSE.*DSL"):
        in_mean_field(b, vector(np.ones((N, 3)), frame="DSL"))
    with pytest.raises(DataTypeError, match=r"GSE.*GEO"):
        in_mean_field(b, b, position(np.ones((25, 3)), frame="GEO"))
    with pytest.raises(UsageError, match="x, y or z"):
        in_mean_field(b, b, reference="r")


def test_a_mean_does_not_depend_on_what_else_is_asked():
    b, _ = pulsation()
    whole, _ = running_mean(TIME, b["vector"].values, TIME, "60s")
    some, count = running_mean(TIME, b["vector"].values, TIME[200:210], "60s")
    assert (count > 50).all()
    np.testing.assert_array_equal(some, whole[200:210])


@pytest.mark.parametrize("sign", [1, -1])
def test_an_alfven_wave_is_in_one_variable_only(sign):
    b, _ = pulsation(size=2.0)
    db = b["vector"].values - b["vector"].values.mean(axis=0)
    v = [-400.0, 20, 10] + sign * alfven_velocity(db, np.full(N, 5.0), PROTON)
    ions = moments(5.0, v)
    one, other = (elsasser(ions, b, sign=s, mean="100s", accumulation="1s", reach="2s")
                  for s in (sign, -sign))  # fmt: skip
    wave = 2 * alfven_velocity(db, np.full(N, 5.0), PROTON)
    middle = slice(100, 500)
    np.testing.assert_allclose(VectorSeries.check(one)["vector"][middle], sign * wave[middle],
                               atol=0.5)  # fmt: skip
    assert np.abs(other["vector"][middle]).max() < 0.5
    with pytest.raises(UsageError, match="1 for"):
        elsasser(ions, b, sign=0)


@settings(max_examples=5)
@given(st.lists(st.integers(1, N - 1), max_size=2, unique=True))
def test_cutting_time_into_granules_changes_nothing(cuts):
    b, _ = pulsation()
    edges = [0, *sorted(cuts), N]
    xr.testing.assert_identical(
        cut(in_mean_field, (b, b), edges, 60, mean="60s"), in_mean_field(b, b, mean="60s")
    )
    ions, how = moments(5.0, b["vector"].values * 9), {"mean": "60s", "accumulation": "1s"}
    xr.testing.assert_identical(
        cut(elsasser, (ions, b), edges, 63, **how), elsasser(ions, b, **how)
    )


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {("in_mean_field", 3): 0.3558341726, ("elsasser", 2): 3.5386336395}


def test_numbers_move_only_with_the_version():
    b, _ = pulsation()
    ions = moments(5.0, b["vector"].values[:, ::-1] * 9)
    found = {
        in_mean_field: in_mean_field(b, b, mean="30s"),
        elsasser: elsasser(ions, b, mean="30s", accumulation="1s"),
    }
    for recipe, ds in found.items():
        number = float(ds["vector"][123, 1])
        assert number == pytest.approx(GOLDEN[recipe.name, recipe.version], rel=1e-6), recipe.name


def test_the_axes_of_the_result_have_names_and_the_frame_of_the_vector_is_left():
    b, _ = pulsation()
    found = in_mean_field(b, b, mean="60s")
    assert found["component"].values.tolist() == ["perp1", "perp2", "par"]
    assert found["vector"].attrs["frame"] == "FAC"
    assert found["vector"].attrs["long_name"] == "a vector (FAC)"
