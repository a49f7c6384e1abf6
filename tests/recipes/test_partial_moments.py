from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.partial_moments import partial_moments, partial_moments_along_axis
from sciqlop_pipe.standard.particles import particle_products
from tests.analytic import BiMaxwellian, field, flattened, fpi_look, vdf

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)
TABLE = np.geomspace(20.0, 20000.0, 16)


def records(count: int = 3) -> xr.Dataset:
    return vdf([SHEATH] * count, TABLE, fpi_look(16, 8), nodes=1, spin=2.0 * np.arange(count))


@pytest.mark.parametrize("layout", ["grid", "list"])
def test_cones_that_share_out_the_sphere_add_up_to_all_of_it(layout):
    ds = flattened(records()) if layout == "list" else records()
    b = field(ds, B)
    edges = [0, 30, 90, 120, 180]
    parts = [partial_moments(ds, b, angle_min=i, angle_max=j) for i, j in pairwise(edges)]
    whole = moments(ds)
    assert sum(p["density"] for p in parts).values == pytest.approx(whole["density"].values, 1e-5)
    assert sum(p["coverage"] for p in parts).values == pytest.approx(1, rel=1e-5)
    flux = sum(p["density"] * p["velocity"] for p in parts)
    expected = (whole["density"] * whole["velocity"]).values
    assert flux.values == pytest.approx(expected, rel=1e-4, abs=1e-2)


def test_half_a_sphere_along_a_fixed_axis_covers_half_and_moves_that_way():
    found = partial_moments_along_axis(records(), axis=(0, 0, 2.0), angle_max=90.0)
    assert found["coverage"].values == pytest.approx(0.5, abs=1e-5)
    assert (found["velocity"].values[:, 2] > 100).all()
    assert not list(Moments.problems(found))


def test_all_angles_are_the_moments_themselves():
    ds = records()
    found, whole = (
        partial_moments(ds, field(ds, B), energy_min=100.0),
        moments(ds, energy_min=100.0),
    )
    xr.testing.assert_identical(found.drop_attrs(), whole.drop_attrs())


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (np.nan, 0.0, 1.0)])
def test_without_a_direction_of_the_field_nothing_is_measured(vector):
    ds = records()
    found = partial_moments(ds, field(ds, vector), angle_max=30.0)
    assert np.isnan(found["density"]).all()
    assert (found["coverage"] == 0).all()


def test_empty_ranges_axes_without_length_and_foreign_frames_are_refused():
    ds = records()
    with pytest.raises(UsageError, match="30 to 20"):
        partial_moments(ds, field(ds, B), angle_min=30, angle_max=20)
    with pytest.raises(UsageError, match="not a direction"):
        partial_moments_along_axis(ds, axis=(0.0, 0.0, 0.0))
    with pytest.raises(DataTypeError, match="GSE"):
        partial_moments(ds, field(ds, B, frame="GSE"))


def test_cutting_time_into_granules_changes_nothing():
    ds = records(40)
    b = field(ds, B)
    pieces = [partial_moments(ds.isel(time=t), b, angle_max=60.0)
              for t in (slice(0, 7), slice(7, 33), slice(33, 40))]  # fmt: skip
    whole = partial_moments(ds, b, angle_max=60.0)
    xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), whole)


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {2: [0.5150942, 239.7515, 0.2482913]}


def test_numbers_move_only_with_the_version():
    ds = records(1)
    found = partial_moments(ds, field(ds, B), angle_max=60.0, energy_min=100.0).isel(time=0)
    numbers = [float(found["density"]), float(found["temperature"]), float(found["coverage"])]
    assert partial_moments.version in GOLDEN, "new version: store its numbers here"
    assert numbers == pytest.approx(GOLDEN[partial_moments.version], rel=1e-5)


def test_about_the_axis_of_the_field_both_recipes_see_the_same():
    ds = records(2)
    along = partial_moments_along_axis(ds, axis=B, angle_max=60.0)
    about_b = partial_moments(ds, field(ds, B), angle_max=60.0)
    assert along["density"].values == pytest.approx(about_b["density"].values, rel=1e-6)
    assert (along.attrs["angles_from"], about_b.attrs["angles_from"]) == ("3 -8 15", "b")


def test_cones_of_pitch_angle_wait_for_the_field():
    assert "b" in {a.name for a in partial_moments.takes if a.required}
    cones = [d for d in particle_products("mms1.fpi.dis.brst.vdf", b="mms1.fgm.brst.b_dmpa")
             if ".moments_" in d.name]  # fmt: skip
    assert len(cones) == 3
    assert all(dict(d.inputs)["b"] == "mms1.fgm.brst.b_dmpa" for d in cones)
    with pytest.raises(TypeError):
        partial_moments(records(1))
