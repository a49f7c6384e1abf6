from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import Reduced1D, Reduced2D
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.field_aligned import field_aligned_basis
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from tests.analytic import (
    FPI_2015,
    THEMIS,
    BiMaxwellian,
    E,
    esa_look,
    field,
    flattened,
    fpi_look,
    vdf,
)

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)
SMALL = fpi_look(12, 6)
TABLE = np.geomspace(20.0, 20000.0, 8)


def along(plasma: BiMaxwellian, axis, v: np.ndarray) -> np.ndarray:
    """The projection of a bi-Maxwellian on an axis [s m^-4] at v [km/s]."""
    e = np.asarray(axis) / np.linalg.norm(axis)
    thermal = np.sqrt(2 * E * (e @ plasma.temperature_tensor @ e) / plasma.mass)
    x = 1e3 * (v - np.dot(plasma.velocity, e)) / thermal
    return 1e6 * plasma.density / (np.sqrt(np.pi) * thermal) * np.exp(-(x**2))


def density(found: xr.Dataset, width: float) -> np.ndarray:
    """What is on the grid and outside it, together [cm^-3]."""
    if "plane" in found.dims:
        inside = found["f"].astype(float).sum(("v1", "v2")) * width**2
    else:
        inside = found["f"].astype(float).sum("v") * width * 1e-3
    return (inside / (1 - found["outside"])).values


@pytest.mark.parametrize(
    ("energy", "look", "error"),
    [(FPI_2015, fpi_look(), 0.008), (THEMIS, esa_look(176), 0.03)],
    ids=["FPI", "THEMIS"],
)
@pytest.mark.parametrize("axis", [None, (1.0, 0.0, 0.0), (0.0, 3.0, 4.0)])
def test_a_drifting_plasma_has_its_textbook_projection(energy, look, error, axis):
    ds = vdf(SHEATH, energy, look, spin=np.array([3.7]), nodes=3)
    found = reduced_1d(ds, field(ds, B)) if axis is None else reduced_1d(ds, axis=axis)
    truth = along(SHEATH, B if axis is None else axis, found["v"].values)
    off = np.sqrt(np.mean((found["f"].values[0] - truth) ** 2))
    assert off < error * truth.max()


def test_a_plane_is_the_textbook_one():
    ds = vdf(SHEATH, FPI_2015, spin=np.array([3.7]), nodes=2)
    found = reduced_2d(ds, field(ds, B), bins=50).isel(time=0)
    basis = field_aligned_basis(SHEATH.direction[None], np.array([SHEATH.velocity]))[0]
    v = found["v1"].values
    for plane, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        # The product of its two projections: the axes are the principal ones of the tensor.
        one, other = (along(SHEATH, basis[k], v) for k in (i, j))
        truth = np.outer(one, other) / (1e6 * SHEATH.density)
        off = np.sqrt(np.mean((found["f"].values[plane] - truth) ** 2))
        assert off < 0.006 * truth.max()


@pytest.mark.parametrize("v_max", [3000.0, 600.0])
@pytest.mark.parametrize("layout", ["grid", "list"])
def test_density_is_conserved_and_what_is_outside_is_said(layout, v_max):
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    ds["f"][0, 2, 3, 4] = np.nan
    ds = flattened(ds) if layout == "list" else ds
    truth = float(moments(ds)["density"][0])
    line = reduced_1d(ds, field(ds, B), v_max=v_max, bins=40)
    planes = reduced_2d(ds, field(ds, B), v_max=v_max, bins=40)
    assert density(line, v_max / 20) == pytest.approx(truth, rel=1e-5)
    assert density(planes, v_max / 20)[0] == pytest.approx([truth] * 3, rel=1e-4)
    seen = float(moments(ds)["coverage"][0])
    assert float(line["coverage"][0]) == pytest.approx(seen, rel=1e-5)
    assert float(planes["coverage"][0]) == pytest.approx(seen, rel=1e-5)
    assert (float(line["outside"][0]) > 0.005) == (v_max < 1000)
    assert bool((planes["outside"] > 0.02).all()) == (v_max < 1000)


def test_a_plane_summed_over_one_axis_is_the_line_along_the_other():
    ds = vdf(SHEATH, FPI_2015, nodes=2)
    plane = reduced_2d(ds, bins=50).isel(time=0).sel(plane="x_y")
    line = reduced_1d(ds, axis=(1.0, 0.0, 0.0), bins=50).isel(time=0)
    summed = plane["f"].sum("v2").values * 100e3
    assert summed == pytest.approx(line["f"].values, abs=0.025 * float(line["f"].max()))


def test_results_are_of_their_datatypes():
    ds = vdf([SHEATH] * 2, np.stack([TABLE, 1.1 * TABLE]), SMALL, nodes=1)
    ds["quality"] = ("time", np.array([0, 2], np.uint32), {"units": "1", "long_name": "flags"})
    line, planes = reduced_1d(ds, field(ds, B), bins=20), reduced_2d(ds, bins=20)
    assert not list(Reduced1D.problems(line))
    assert not list(Reduced2D.problems(planes))
    assert line.attrs["axis"] == "b"
    assert reduced_1d(ds, bins=20).attrs["axis"] == "1 0 0"
    assert list(planes["plane"].values) == ["x_y", "x_z", "y_z"]
    assert list(reduced_2d(ds, field(ds, B), bins=20)["plane"].values)[1] == "perp1_par"
    xr.testing.assert_identical(planes["quality"].variable, ds["quality"].variable)


def test_a_grid_a_list_and_angles_per_energy_agree():
    ds = vdf([SHEATH] * 2, TABLE, SMALL, spin=np.array([0.0, 4.0]), nodes=1)
    ds["f"][1, 2, 1, 3] = np.nan
    energies = ds.copy()
    energies["phi"] = ds["phi"] + xr.DataArray(1e-7 * np.arange(8), dims="energy_bin")
    one = reduced_1d(ds, field(ds, B), bins=20)
    for other in (flattened(ds), energies):
        found = reduced_1d(other, field(ds, B), bins=20)
        scale = float(one["f"].max())
        assert found["f"].values == pytest.approx(one["f"].values, abs=1e-4 * scale)
        assert found["coverage"].values == pytest.approx(one["coverage"].values, rel=1e-5)
        planes = reduced_2d(other, field(ds, B), bins=20)
        assert density(planes, 250.0) == pytest.approx(
            density(reduced_2d(ds, field(ds, B), bins=20), 250.0), rel=1e-4
        )


def test_one_bin_lies_along_its_own_direction():
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    ds["f"][:] = 0
    ds["f"][0, 4, 2, 5] = 1e-18
    phi, theta = np.radians(ds["phi"][4].item()), np.radians(ds["theta"][2].item())
    u = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
    found = reduced_1d(ds, axis=u).isel(time=0)
    mean = float((found["f"] * found["v"]).sum() / found["f"].sum())
    speed = np.sqrt(2 * E * TABLE[5] / SHEATH.mass) / 1e3
    assert mean == pytest.approx(speed, rel=0.06)
    assert float(reduced_1d(ds, axis=tuple(-x for x in u))["v"][int(found["f"].argmax("v"))]) > 0


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (np.nan, 1.0, 2.0)])
def test_without_a_field_direction_nothing_is_known(vector):
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    for found in (reduced_1d(ds, field(ds, vector)), reduced_2d(ds, field(ds, vector), bins=20)):
        assert np.isnan(found["f"]).all()
        assert np.isnan(found["outside"]).all()
        assert not found["coverage"].any()


def test_unmeasured_records_are_nan_and_empty_ones_zero():
    ds = vdf([SHEATH] * 3, TABLE, SMALL, nodes=1)
    ds["f"][0], ds["f"][1] = np.nan, 0
    for found in (reduced_1d(ds, bins=20), reduced_2d(ds, bins=20)):
        assert np.isnan(found["f"].values[0]).all()
        assert not found["f"].values[1].any()
        assert not found["outside"].values[1].any()
        assert found["coverage"].values == pytest.approx([0, 1, 1])
        assert found["f"].values[2].max() > 0


def test_grids_and_axes_that_are_none_are_refused():
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    for wrong in ({"bins": 0}, {"v_max": 0.0}, {"axis": (0.0, 0.0, 0.0)}, {"axis": (1.0, 2.0)}):
        with pytest.raises(UsageError):
            reduced_1d(ds, **wrong)
    with pytest.raises(UsageError):
        reduced_2d(ds, bins=0)
    for recipe in (reduced_1d, reduced_2d):
        with pytest.raises(DataTypeError, match="GSE.*DBCS"):
            recipe(ds, field(ds, B, frame="GSE"))


def test_no_records_give_no_records():
    ds = vdf(SHEATH, TABLE, SMALL, nodes=1)
    none = ds.isel(time=slice(0))
    for found in (reduced_1d(none, field(ds, B)), reduced_2d(none, field(ds, B), bins=20)):
        assert found.sizes["time"] == 0


@settings(max_examples=8)
@given(st.integers(0, 69), st.integers(0, 69), st.booleans())
def test_cutting_time_into_granules_changes_nothing(first, second, as_list):
    one = vdf(SHEATH, TABLE, fpi_look(6, 4), nodes=1)
    ds = one.isel(time=np.zeros(70, int)).assign_coords(
        time=one["time"].values + np.arange(70) * np.timedelta64(1, "s")
    )
    rng = np.random.default_rng(first)
    ds["f"] = ds["f"] * rng.gamma(2.0, size=ds["f"].shape).astype(np.float32)
    ds["f"].values[rng.random(ds["f"].shape) < 0.01] = np.nan
    energy = np.where(np.arange(70)[:, None] % 7 < 3, TABLE * 1.1, TABLE)
    ds["energy"] = (("time", "energy_bin"), energy, ds["energy"].attrs)
    ds = flattened(ds) if as_list else ds
    b = field(ds, B)
    cuts = sorted({0, first, second, 70})
    for recipe in (reduced_1d, reduced_2d):
        pieces = [recipe(ds.isel(time=slice(i, j)), b, bins=12) for i, j in pairwise(cuts)]
        whole = recipe(ds, b, bins=12)
        xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), whole)


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN_1D = {
    2: [
        1.160661e-15,
        1.324834e-06,
        0.03081508,
        4.128265,
        3.708981,
        0.01321785,
        1.412077e-07,
        2.900657e-17,
    ]
}
GOLDEN_2D = {
    2: [
        2.114869e-17,
        7.557788e-14,
        5.647568e-06,
        2.918757e-18,
        6.259341e-09,
        0.4371746,
        0.6376025,
        3.029916e-18,
        8.56282e-09,
        1.361815,
        0.7155744,
        9.757199e-09,
        9.395183e-18,
        3.476806e-11,
        0.0003400335,
        4.062976e-13,
    ]
}


def golden() -> xr.Dataset:
    ds = vdf(BiMaxwellian(5, (-100, 50, 20), 400, 700, B), TABLE, fpi_look(8, 4), nodes=1)
    ds["f"][0, 3, 2, 4] = np.nan
    return ds


def test_numbers_of_lines_move_only_with_the_version():
    found = reduced_1d(golden(), field(golden(), B), bins=8)["f"].values[0]
    assert reduced_1d.version in GOLDEN_1D, "new version: store its numbers here"
    assert found == pytest.approx(GOLDEN_1D[reduced_1d.version], rel=1e-4)


def test_numbers_of_planes_move_only_with_the_version():
    found = reduced_2d(golden(), field(golden(), B), bins=4)["f"].values[0, 1] * 1e6
    assert reduced_2d.version in GOLDEN_2D, "new version: store its numbers here"
    assert found.ravel() == pytest.approx(GOLDEN_2D[reduced_2d.version], rel=1e-3)
