from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import PitchAngle
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.rays import field_directions
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
RESTING = BiMaxwellian(5, (0, 0, 0), 400, 700, B)
SMALL = fpi_look(12, 6)
TABLE = np.geomspace(20.0, 20000.0, 8)


def textbook(plasma: BiMaxwellian, energy: np.ndarray, bins: int) -> np.ndarray:
    """Solid-angle mean of f over bins of pitch angle at some energies (bin, energy)."""
    edges = np.cos(np.linspace(0, np.pi, bins + 1))
    x, w = np.polynomial.legendre.leggauss(16)
    mu = 0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * (edges[1:] - edges[:-1])[:, None] * x
    across = np.cross(plasma.direction, [1.0, 0, 0])
    across /= np.linalg.norm(across)
    u = mu[..., None] * plasma.direction + np.sqrt(1 - mu**2)[..., None] * across
    speed = np.sqrt(2 * E * energy / plasma.mass)
    f = plasma.f(u[:, :, None] * speed[:, None])
    return (w[:, None] * f).sum(1) / 2


@pytest.mark.parametrize(
    ("energy", "look", "bins", "error"),
    [(FPI_2015, fpi_look(), 18, 0.02), (THEMIS, esa_look(176), 8, 0.06)],
    ids=["FPI", "THEMIS"],
)
def test_a_resting_plasma_has_its_textbook_pitch_angles(energy, look, bins, error):
    ds = vdf(RESTING, energy, look, spin=np.array([3.7]), nodes=2)
    found = pitch_angle_distribution(ds, field(ds, B), bins=bins).isel(time=0)
    table = found["energy"].values
    truth = textbook(RESTING, table, bins)
    core = (table > 50) & (table < 2500)
    # f is an average over bins of energy: what is compared is its course with pitch angle.
    found, truth = (a[:, core] / a[:, core].mean(0) for a in (found["f"].values, truth))
    assert np.abs(found - truth).max() < error * truth.max()


def test_isotropic_plasma_is_the_same_at_every_pitch_angle():
    ds = vdf(BiMaxwellian(5, (0, 0, 0), 500, 500), FPI_2015, nodes=1)
    f = pitch_angle_distribution(ds, field(ds, B))["f"].values[0]
    assert f / f.mean(0) == pytest.approx(np.ones_like(f), rel=1e-5)


def test_a_beam_along_the_field_lies_at_pitch_angle_zero():
    along = 600 * np.array(B) / np.linalg.norm(B)
    ds = vdf(BiMaxwellian(1, tuple(along), 50, 50), FPI_2015, nodes=2)
    for sign, place in ((1, 0), (-1, 17)):
        found = pitch_angle_distribution(ds, field(ds, sign * np.array(B)))["f"][0]
        assert int(found.sum("energy_bin").values.argmax()) == place


def test_the_mean_over_all_pitch_angles_is_the_mean_over_the_sphere():
    ds = vdf(BiMaxwellian(5, (-250, 80, 40), 400, 600, B), FPI_2015, nodes=1)
    found = pitch_angle_distribution(ds, field(ds, B)).isel(time=0)
    edges = np.cos(np.radians(np.linspace(0, 180, 19)))
    share = (edges[:-1] - edges[1:]) / 2
    # The rays in a bin make up its solid angle only nearly.
    sphere = (ds["f"][0] * ds["solid_angle"]).sum(("phi_bin", "theta_bin"))
    sphere = sphere / float(ds["solid_angle"].sum() * ds.sizes["phi_bin"])
    total = (found["f"].values * share[:, None]).sum(0)
    assert total[5:20] == pytest.approx(sphere.values[5:20], rel=0.02)


def test_the_result_is_a_pitch_angle_dataset():
    ds = vdf([RESTING] * 2, np.stack([TABLE, 1.1 * TABLE]), SMALL, nodes=1)
    ds["quality"] = ("time", np.array([0, 2], np.uint32), {"units": "1", "long_name": "flags"})
    found = pitch_angle_distribution(ds, field(ds, B), bins=12)
    assert not list(PitchAngle.problems(found))
    assert found["f"].shape == (2, 12, 8)
    assert found["pitch_angle"].values == pytest.approx(7.5 + 15 * np.arange(12))
    assert found["energy"].dims == ("time", "energy_bin")
    xr.testing.assert_identical(found["quality"].variable, ds["quality"].variable)


def test_a_grid_and_the_same_grid_as_a_list_agree():
    ds = vdf([RESTING] * 2, TABLE, SMALL, spin=np.array([0.0, 4.0]), nodes=1)
    ds["f"][1, 2, 1, 3] = np.nan
    one, other = (pitch_angle_distribution(d, field(ds, B)) for d in (ds, flattened(ds)))
    # A ray on the edge of a bin may fall to either side.
    assert one["f"].values == pytest.approx(other["f"].values, rel=1e-4, nan_ok=True)


def test_angles_may_depend_on_energy():
    ds = vdf(RESTING, TABLE, SMALL, nodes=1)
    spread = ds.copy()
    spread["phi"] = (ds["phi"] + xr.DataArray(1e-7 * np.arange(8), dims="energy_bin")).assign_attrs(
        ds["phi"].attrs
    )
    one, other = (pitch_angle_distribution(d, field(ds, B)) for d in (ds, spread))
    assert one["f"].values == pytest.approx(other["f"].values, rel=1e-4, nan_ok=True)


def test_half_the_sky_says_half_where_the_field_is_across():
    ds = vdf(RESTING, FPI_2015, nodes=1)
    ds["f"][:, :16] = np.nan
    found = pitch_angle_distribution(ds, field(ds, (0.0, 0.0, 1.0)), bins=16)
    assert found["coverage"].values == pytest.approx(0.5, rel=1e-3)
    assert np.isfinite(found["f"]).all()
    across = pitch_angle_distribution(ds, field(ds, (0.0, 1.0, 0.0)))
    assert np.isnan(across["f"].values[0, :8]).all()
    assert across["coverage"].values[0, 10:] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (np.nan, 1.0, 2.0)])
def test_without_a_field_direction_there_is_no_pitch_angle(vector):
    ds = vdf(RESTING, TABLE, SMALL, nodes=1)
    found = pitch_angle_distribution(ds, field(ds, vector))
    assert np.isnan(found["f"]).all()
    assert not found["coverage"].any()


def test_zero_counts_are_zero_and_nothing_is_nan():
    ds = vdf([RESTING] * 2, TABLE, SMALL, nodes=1)
    ds["f"][0], ds["f"][1] = 0, np.nan
    found = pitch_angle_distribution(ds, field(ds, B), bins=6)
    assert not found["f"].values[0].any()
    assert np.isnan(found["f"].values[1]).all()
    assert not found["coverage"].values[1].any()


def test_a_direction_with_an_unknown_angle_is_not_there():
    ds = flattened(vdf(RESTING, TABLE, SMALL, nodes=1))
    holes = ds.copy(deep=True)
    ds["f"][:, 5] = np.nan
    holes["phi"][5] = np.nan
    one, other = (pitch_angle_distribution(d, field(ds, B)) for d in (ds, holes))
    xr.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_field_in_another_frame_is_refused_unless_declared_equal():
    ds = vdf(RESTING, TABLE, SMALL, nodes=1)
    other = field(ds, B, frame="DMPA")
    with pytest.raises(DataTypeError, match="DMPA.*DBCS"):
        pitch_angle_distribution(ds, other)
    other["vector"].attrs["frame_equivalent"] = "DBCS"
    assert np.isfinite(pitch_angle_distribution(ds, other, bins=6)["f"]).all()


def test_no_bins_are_refused():
    ds = vdf(RESTING, TABLE, SMALL, nodes=1)
    with pytest.raises(UsageError, match="at least one"):
        pitch_angle_distribution(ds, field(ds, B), bins=0)


def test_no_records_give_no_records():
    ds = vdf(RESTING, TABLE, SMALL, nodes=1)
    found = pitch_angle_distribution(ds.isel(time=slice(0)), field(ds, B))
    assert found.sizes["time"] == 0
    assert not list(PitchAngle.problems(found))


def test_the_field_is_averaged_before_its_direction_is_taken():
    at = np.datetime64("2020-01-01", "ns") + np.array([0, 100, 900, 9000]) * np.timedelta64(1, "ms")
    values = [[1.0, 0, 0], [0, 3.0, 0], [0, 0, 2.0], [0, 0, 0]]
    b = xr.Dataset({"vector": (("time", "component"), values, {"frame": "X"})}, {"time": at})
    want = at[0] + np.array([50, 600, 5000, 9000]) * np.timedelta64(1, "ms")
    found = field_directions(b, want, "200ms", "1s")
    assert found[0] == pytest.approx(np.array([1, 3, 0]) / np.sqrt(10))
    assert found[1] == pytest.approx([0, 0, 1])
    assert np.isnan(found[2:]).all()


@settings(max_examples=12)
@given(st.integers(0, 69), st.integers(0, 69), st.booleans())
def test_cutting_time_into_granules_changes_nothing(first, second, as_list):
    one = vdf(RESTING, TABLE, fpi_look(6, 4), nodes=1)
    ds = one.isel(time=np.zeros(70, int)).assign_coords(
        time=one["time"].values + np.arange(70) * np.timedelta64(1, "s")
    )
    rng = np.random.default_rng(first)
    ds["f"] = ds["f"] * rng.gamma(2.0, size=ds["f"].shape).astype(np.float32)
    ds["f"].values[rng.random(ds["f"].shape) < 0.01] = np.nan
    ds["phi"] = ds["phi"].expand_dims(time=ds["time"]) + xr.DataArray(np.arange(70), dims="time")
    ds = flattened(ds) if as_list else ds
    steps = np.arange(-4, 76, 0.4)
    at = ds["time"].values[0] + (1000 * steps).astype("timedelta64[ms]")
    around = np.stack([np.cos(steps / 9), np.sin(steps / 9), 0.3 + 0 * steps], 1)
    b = xr.Dataset(
        {"vector": (("time", "component"), around, {"units": "nT", "frame": "DBCS"})}, {"time": at}
    )
    cuts = sorted({0, first, second, 70})
    pieces = []
    for a, c in pairwise(cuts):
        part = ds.isel(time=slice(a, c))
        t = part["time"].values
        # What the engine gives: the granule and the margins, 1 s + 2 s.
        near = (at >= t[0] - np.timedelta64(3, "s")) & (at < t[-1] + np.timedelta64(3, "s"))
        pieces.append(pitch_angle_distribution(part, b.isel(time=near), accumulation="1s"))
    whole = pitch_angle_distribution(ds, b, accumulation="1s")
    xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), whole)


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {1: [1245305, 2697062, 4681102, 4664738, 3041520, 2675938]}


def test_numbers_move_only_with_the_version():
    plasma = BiMaxwellian(5, (-100, 50, 20), 400, 700, B)
    ds = vdf(plasma, TABLE, fpi_look(8, 4), nodes=1)
    ds["f"][0, 3, 2, 4] = np.nan
    found = pitch_angle_distribution(ds, field(ds, B), bins=6)["f"].values[0, :, 4] * 1e18
    assert pitch_angle_distribution.version in GOLDEN, "new version: store its numbers here"
    assert found == pytest.approx(GOLDEN[pitch_angle_distribution.version], rel=1e-4)
