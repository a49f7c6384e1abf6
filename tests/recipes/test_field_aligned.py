from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import FieldAligned
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.field_aligned import (
    agyrotropy,
    field_aligned,
    perpendicular_asymmetry_and_nongyrotropy,
)
from sciqlop_pipe.recipes.moments import moments
from tests.analytic import FPI_2015, BiMaxwellian, E, field, fpi_look, vdf

B = np.array([3.0, -8.0, 15.0])
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, tuple(B))


def of(tensors: np.ndarray, velocity=(1.0, 2.0, 3.0), density=5.0) -> xr.Dataset:
    """Moments with given pressure tensors (time, 3, 3) [nPa]."""
    n = len(tensors)
    time = np.datetime64("2020-01-01", "ns") + np.arange(n) * np.timedelta64(1, "s")
    frame = {"frame": "DBCS"}
    return xr.Dataset(
        {
            "density": ("time", np.full(n, density), {"units": "cm^-3", "long_name": "n"}),
            "velocity": (("time", "component"), np.tile(velocity, (n, 1)),
                         {"units": "km s^-1", "long_name": "V", **frame}),
            "pressure": (("time", "component", "component_2"), np.asarray(tensors, float),
                         {"units": "nPa", "long_name": "P", **frame}),
        },
        {"time": time},
        {"species": "H+", "frame": "DBCS"},
    )  # fmt: skip


def test_temperatures_of_a_bimaxwellian_are_found_through_the_whole_chain():
    ds = vdf(SHEATH, FPI_2015, fpi_look(), nodes=3)
    found = field_aligned(moments(ds), field(ds, B)).isel(time=0)
    assert float(found.temperature_parallel) == pytest.approx(400, rel=1e-3)
    assert float(found.temperature_perpendicular) == pytest.approx(600, rel=1e-3)
    assert float(found.anisotropy) == pytest.approx(1.5, rel=2e-3)
    assert float(found.agyrotropy) < 0.02
    n_t = 5e6 * E * 1e9
    expected = np.diag([600, 600, 400]) * n_t
    assert found.pressure.values == pytest.approx(expected, abs=2e-3 * expected.max())


def test_the_result_is_a_field_aligned_dataset():
    ds = vdf([SHEATH] * 2, FPI_2015, fpi_look(8, 4), nodes=1)
    ds["quality"] = ("time", np.array([0, 2], np.uint32), {"units": "1", "long_name": "flags"})
    found = field_aligned(moments(ds), field(ds, B))
    assert not list(FieldAligned.problems(found))
    assert list(found.component.values) == ["perp1", "perp2", "par"]
    assert {found[n].attrs["frame"] for n in ("pressure", "velocity", "heat_flux")} == {"FAC"}
    assert found["b_direction"].attrs["frame"] == "DBCS"
    xr.testing.assert_identical(found["quality"].variable, ds["quality"].variable)


def test_the_velocity_has_no_second_perpendicular_component():
    found = field_aligned(of([np.eye(3)], (-250, 80, 40)), field(of([np.eye(3)]), B)).isel(time=0)
    along = np.array([-250, 80, 40]) @ B / np.linalg.norm(B)
    across = np.sqrt(250**2 + 80**2 + 40**2 - along**2)
    assert found.velocity.values == pytest.approx([across, 0, along], rel=1e-5, abs=1e-4)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=50)
def test_sqrt_q_follows_from_the_tensor_in_its_own_frame(parallel, across, s, t, u):
    # Swisdak (2016), equation 8: Q in the frame where the field is along z and P_xx = P_yy.
    scale = 0.4 * min(parallel, across)
    a, b, c = scale * s, scale * t, scale * u
    p = np.array([[across, a, b], [a, across, c], [b, c, parallel]])
    truth = (a**2 + b**2 + c**2) / (across**2 + 2 * across * parallel)
    assert agyrotropy(p[None], np.array([parallel]))[0] == pytest.approx(np.sqrt(truth), abs=1e-6)


def test_a_gyrotropic_tensor_has_none_and_a_flat_one_across_has_all():
    b = np.array([0.0, 0.0, 1.0])
    p = np.array([np.diag([2.0, 2.0, 5.0]), np.diag([1.0, 0.0, 0.0])])
    assert agyrotropy(p, np.einsum("i,tij,j->t", b, p, b)) == pytest.approx([0, 1])


@given(st.floats(0.2, 10), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=30)
def test_the_other_measures_follow_from_the_tensor_in_its_own_frame(parallel, s, t, u):
    # Aunai et al. (2013): D_ng = sqrt(8 (a^2 + b^2 + c^2))/tr P where P_xx = P_yy; there the
    # principal pressures across the field are P_xx +- a.
    a, b, c = 0.3 * min(parallel, 1.0) * np.array([s, t, u])
    p = np.array([[1.0, a, b], [a, 1.0, c], [b, c, parallel]])
    turn = np.linalg.qr(np.array([[1.0, 2, 0], [0.3, -1, 1], [2, 0, 1]]))[0]
    found = perpendicular_asymmetry_and_nongyrotropy((turn @ p @ turn.T)[None], turn[:, 2][None])
    truth = 2 * abs(a), np.sqrt(8 * (a**2 + b**2 + c**2)) / (2 + parallel)
    assert [float(x[0]) for x in found] == pytest.approx(truth, abs=1e-6)


def test_a_tensor_that_is_not_one_has_no_agyrotropy_but_temperatures():
    ds = of([np.diag([1.0, -0.2, 2.0]), np.full((3, 3), np.nan)])
    found = field_aligned(ds, field(ds, (0, 0, 1.0)))
    assert np.isnan(found.agyrotropy).all()
    assert np.isfinite(found.temperature_parallel).values.tolist() == [True, False]


def test_anisotropy_needs_a_positive_parallel_temperature():
    ds = of([np.diag([1.0, 1.0, 0.0]), np.diag([1.0, 1.0, -1.0])])
    assert np.isnan(field_aligned(ds, field(ds, (0, 0, 1.0))).anisotropy).all()


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (np.nan, 1.0, 2.0)])
def test_without_a_field_direction_everything_is_nan(vector):
    ds = of([np.diag([1.0, 2.0, 3.0])])
    found = field_aligned(ds, field(ds, vector))
    for name in ("temperature_parallel", "temperature_perpendicular", "agyrotropy", "pressure",
                 "perpendicular_asymmetry", "nongyrotropy"):  # fmt: skip
        assert np.isnan(found[name]).all(), name


def test_a_velocity_along_the_field_leaves_the_parallel_direction_defined():
    ds = of([np.diag([1.0, 2.0, 3.0])], velocity=(0, 0, 7.0))
    found = field_aligned(ds, field(ds, (0, 0, 1.0))).isel(time=0)
    assert float(found.temperature_parallel) > 0
    assert float(found.pressure[2, 2]) == pytest.approx(3)
    assert np.isnan(found.pressure[:2]).all()
    assert float(found.velocity[2]) == pytest.approx(7)


def test_a_density_of_zero_has_no_temperature():
    ds = of([np.zeros((3, 3))], density=0.0)
    found = field_aligned(ds, field(ds, B))
    assert np.isnan(found.temperature_parallel).all()


def test_a_field_in_another_frame_and_moments_without_pressure_are_refused():
    ds = of([np.eye(3)])
    with pytest.raises(DataTypeError, match="GSE.*DBCS"):
        field_aligned(ds, field(ds, B, frame="GSE"))
    with pytest.raises(DataTypeError, match="pressure"):
        field_aligned(ds.drop_vars("pressure"), field(ds, B))


@settings(max_examples=10)
@given(st.integers(0, 40), st.integers(0, 40))
def test_cutting_time_into_granules_changes_nothing(first, second):
    rng = np.random.default_rng(5)
    a = rng.normal(size=(40, 3, 3))
    ds = of(a @ a.transpose(0, 2, 1), (-200, 30, 10))
    b = field(ds, B)
    b["vector"] = b["vector"] + xr.DataArray(np.sin(np.arange(b.sizes["time"])), dims="time")
    b["vector"].attrs["frame"] = "DBCS"
    cuts = sorted({0, first, second, 40})
    pieces = [field_aligned(ds.isel(time=slice(i, j)), b) for i, j in pairwise(cuts)]
    xr.testing.assert_identical(
        xr.concat(pieces, "time", data_vars="minimal"), field_aligned(ds, b)
    )


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {2: [0.8926615, 1.987858, 2.226889, 0.2294527, 0.6178813, 0.3650905]}


def test_numbers_move_only_with_the_version():
    p = np.array([[2.0, 0.3, -0.1], [0.3, 1.0, 0.2], [-0.1, 0.2, 0.9]])
    ds = of([p], density=5000.0)
    found = field_aligned(ds, field(ds, B)).isel(time=0)
    names = ("temperature_parallel", "temperature_perpendicular", "anisotropy", "agyrotropy",
             "perpendicular_asymmetry", "nongyrotropy")  # fmt: skip
    assert field_aligned.version in GOLDEN, "new version: store its numbers here"
    assert [float(found[n]) for n in names] == pytest.approx(
        GOLDEN[field_aligned.version], rel=1e-5
    )
