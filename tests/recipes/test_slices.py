from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.datatypes import Cartesian, Reduced2D, Slices
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.averages import mean_reduced_2d
from sciqlop_pipe.recipes.cartesian import cartesian
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from sciqlop_pipe.recipes.slices import slices, slices_between
from tests.analytic import FPI_2015, THEMIS, BiMaxwellian, esa_look, field, flattened, fpi_look, vdf

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)
SMALL = fpi_look(12, 6)
TABLE = np.geomspace(20.0, 20000.0, 8)


def in_plane(plasma: BiMaxwellian, v: np.ndarray, first: int, second: int) -> np.ndarray:
    at = np.zeros((v.size, v.size, 3))
    at[..., first], at[..., second] = 1e3 * v[:, None], 1e3 * v
    return plasma.f(at)


@pytest.mark.parametrize(
    ("recipe", "energy", "look", "error"),
    [(slices, FPI_2015, fpi_look(), 0.012), (slices_between, FPI_2015, fpi_look(), 0.004),
     (slices, THEMIS, esa_look(176), 0.02), (slices_between, THEMIS, esa_look(176), 0.012)],
)  # fmt: skip
def test_a_slice_shows_the_plasma(recipe, energy, look, error):
    found = recipe(vdf(SHEATH, energy, look, spin=np.array([3.7]), nodes=2))
    for plane, axes in enumerate(((0, 1), (0, 2), (1, 2))):
        truth = in_plane(SHEATH, found["v1"].values, *axes)
        off = found["f"].values[0, plane] - truth
        assert np.sqrt(np.nanmean(off**2)) < error * truth.max()


@pytest.mark.parametrize("recipe", [slices, slices_between])
@pytest.mark.parametrize("thickness", [{"half_angle": 15.0}, {"half_thickness": 300.0}])
def test_a_thick_slice_is_as_thick_along_one_axis_as_along_the_other(recipe, thickness):
    """A plasma that is thin across the plane looks fainter in a thick slice, all around."""
    ds = vdf(BiMaxwellian(5, (0, 0, 0), 60, 2000, (0, 0, 1)), FPI_2015, nodes=2)
    thin, thick = (recipe(ds, **t)["f"].sel(plane="x_y")[0] for t in ({}, thickness))
    fainter = (thick / thin).values
    along_x, along_y = fainter[65, 49], fainter[49, 65]
    assert along_x < 0.97
    assert along_x == pytest.approx(along_y, rel=0.1)


def test_half_the_sky_leaves_half_the_slice_empty():
    ds = vdf(SHEATH, FPI_2015, nodes=1)
    ds["f"][:, :16] = np.nan
    for recipe in (slices, slices_between):
        found = recipe(ds).isel(time=0)
        plane = found["f"].sel(plane="x_y").values
        assert np.isnan(plane[:, 51:]).all()
        assert np.isfinite(plane[49, 10:49]).all()
        assert float(found["coverage"]) == pytest.approx(0.5, rel=1e-3)
    cube = cartesian(ds, bins=16)["f"].values[0]
    assert np.isnan(cube[8, 12]).all()
    assert np.isfinite(cube[8, 4, 8])


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("v_max", [3000.0, 600.0])
def test_a_cube_keeps_the_density(as_list, v_max):
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    ds = flattened(ds) if as_list else ds
    found = cartesian(ds, field(ds, B), v_max=v_max, bins=24)
    inside = float(found["f"].sum(dtype=float)) * (2e3 * v_max / 24) ** 3 * 1e-6
    truth = float(moments(ds)["density"][0])
    assert inside / (1 - float(found["outside"][0])) == pytest.approx(truth, rel=1e-4)
    assert (float(found["outside"][0]) > 0.02) == (v_max < 1000)


def test_the_bulk_frame_moves_the_plasma_to_the_middle():
    ds = vdf(SHEATH, FPI_2015, nodes=1)
    bulk = moments(ds)
    line = reduced_1d(ds, bulk=bulk)["f"][0]
    assert float((line * line["v"]).sum() / line.sum()) == pytest.approx(0, abs=6)
    plane = reduced_2d(ds, field(ds, B), bulk=bulk, bins=40)
    assert plane.attrs["origin"] == "bulk velocity"
    for axis in ("v1", "v2"):
        mean = (plane["f"] * plane[axis]).sum(("v1", "v2")) / plane["f"].sum(("v1", "v2"))
        assert mean.values == pytest.approx(np.zeros((1, 3)), abs=10)
    far = bulk.assign_coords(time=bulk["time"] + np.timedelta64(1, "s"))
    assert np.isnan(reduced_2d(ds, bulk=far, bins=10)["f"]).all()
    bulk["velocity"].attrs["frame"] = "GSE"
    with pytest.raises(DataTypeError, match="GSE.*DBCS"):
        slices(ds, bulk=bulk)


def test_a_potential_is_undone():
    volts = 30.0
    cold = BiMaxwellian(5, (0, 0, 0), 60, 60, species="e-")
    ds = vdf(cold, np.geomspace(6.5, 3000, 32), fpi_look(8, 6), potential=-volts, nodes=2)
    pot = xr.Dataset({"value": ("time", np.full(2, volts))},
                     {"time": ds["time"].values[0] + np.array([-1, 1]) * np.timedelta64(1, "s")})  # fmt: skip
    line = reduced_1d(ds, sc_pot=pot, v_max=20000.0)
    n = float(line["f"].sum()) * 400e3 * 1e-6
    assert n == pytest.approx(float(moments(ds, pot)["density"][0]), rel=1e-3)
    assert n < 0.9 * float(reduced_1d(ds, v_max=20000.0)["f"].sum()) * 400e3 * 1e-6
    assert line.attrs["spacecraft_potential"] == "corrected"


def test_any_three_axes_will_do_if_they_are_at_right_angles():
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    turned = reduced_2d(ds, basis=(0, 1, 0, 1, 0, 0, 0, 0, 1), axes="l m n", bins=20)
    assert list(turned["plane"].values) == ["l_m", "l_n", "m_n"]
    plain = reduced_2d(ds, bins=20)
    assert turned["f"].values[0, 0] == pytest.approx(plain["f"].values[0, 0].T, rel=1e-4, abs=1e-9)
    for wrong in ({"basis": (1, 0, 0, 1, 1, 0, 0, 0, 1)}, {"axes": "l m"}, {"basis": (1, 0)}):
        with pytest.raises(UsageError):
            reduced_2d(ds, **wrong)
    with pytest.raises(UsageError):
        slices(ds, half_angle=90.0)


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (np.nan, 1.0, 2.0)])
def test_without_a_field_direction_nothing_is_known(vector):
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    for recipe in (slices, slices_between, cartesian):
        found = recipe(ds, field(ds, vector), bins=6)
        assert np.isnan(found["f"]).all()
        assert not found["coverage"].any()


@pytest.mark.parametrize("recipe", [slices, slices_between, cartesian])
def test_results_are_of_their_datatypes_however_time_is_cut(recipe):
    ds = vdf([SHEATH] * 5, TABLE, SMALL, spin=np.arange(5) * 3.0, nodes=1)
    ds["f"][1], ds["f"][2] = np.nan, 0
    whole = recipe(ds, field(ds, B), bins=10)
    pieces = [recipe(ds.isel(time=slice(i, j)), field(ds, B), bins=10) for i, j in ((0, 2), (2, 5))]
    xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), whole)
    assert not list((Cartesian if recipe is cartesian else Slices).problems(whole))
    assert np.isnan(whole["f"].values[1]).all()
    assert not np.nansum(whole["f"].values[2])


def test_means_are_over_windows_of_utc_and_say_of_how_many():
    ds = vdf([SHEATH] * 6, TABLE, SMALL, nodes=1)
    ds["f"][2] = np.nan
    every = reduced_2d(ds, bins=8)
    found = mean_reduced_2d(every, window="300ms")
    assert not list(Reduced2D.problems(found))
    assert int(found["count"].sum()) == 5
    assert (found["time"].values.astype(int) % 300_000_000 == 150_000_000).all()
    assert found["f"].values[0] == pytest.approx(every["f"].values[0])


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    ("slices", 1): 1.998714e8,
    ("slices_between", 1): 2.102081e8,
    ("cartesian", 1): 4.4008e7,
}


def golden(recipe) -> float:
    ds = vdf(BiMaxwellian(5, (-100, 50, 20), 400, 700, B), TABLE, fpi_look(8, 4), nodes=1)
    return float(np.nansum(recipe(ds, field(ds, B), bins=8)["f"].values.astype(float) ** 2) * 1e30)


@pytest.mark.parametrize("recipe", [slices, slices_between, cartesian], ids=lambda r: r.name)
def test_numbers_move_only_with_the_version(recipe):
    assert (recipe.name, recipe.version) in GOLDEN, "new version: store its number here"
    assert golden(recipe) == pytest.approx(GOLDEN[recipe.name, recipe.version], rel=1e-3)
