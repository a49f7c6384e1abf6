from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import FrameAnalysis
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.recipes.de_hoffmann_teller import FLAGS, de_hoffmann_teller, frame_of, walen_of
from sciqlop_pipe.recipes.plasma import alfven_velocity, plasma_of
from tests.fields import cut, moments, vector

PROTON = 1.67262192595e-27
VHT = np.array([-180.0, 170.0, -150.0])


def rotating(n=120, slope=-0.8, noise=0.0, seed=2):
    """A rotational discontinuity: V = V_HT + slope V_A."""
    rng = np.random.default_rng(seed)
    phase = np.pi * np.tanh(np.linspace(-3, 3, n))
    b = np.stack([np.full(n, 4.0), 15 * np.cos(phase), 15 * np.sin(phase)], axis=1)
    density = 10 + 2 * np.sin(np.linspace(0, 3, n))
    v = VHT + slope * alfven_velocity(b, density, PROTON) + noise * rng.normal(size=(n, 3))
    return moments(density, v), vector(b)


def test_the_frame_and_the_slope_of_a_rotational_discontinuity_are_found():
    m, b = rotating()
    plasma = plasma_of(m, b, "100ms", "2s")
    frame = frame_of(plasma.velocity, plasma.b)
    # V_HT takes up the constant part of the field's own flow, along B on average.
    moving = np.cross(frame.velocity - VHT, plasma.b)
    assert np.abs(moving).max() < 1e-6 * np.abs(np.cross(VHT, plasma.b)).max()
    assert frame.correlation == pytest.approx(1) and frame.residual < 1e-12
    walen = walen_of(plasma, frame)
    assert walen.slope == pytest.approx(-0.8, abs=1e-6) and walen.passed


@pytest.mark.parametrize("slope", [0.1, -0.3, 1.9])
def test_what_does_not_flow_at_the_alfven_speed_fails_the_walen_test(slope):
    m, b = rotating(slope=slope)
    plasma = plasma_of(m, b, "100ms", "2s")
    assert not walen_of(plasma, frame_of(plasma.velocity, plasma.b)).passed


def test_a_field_of_one_direction_has_no_frame():
    found = frame_of(np.random.default_rng(1).normal(size=(50, 3)), np.tile([0, 0, 5.0], (50, 1)))
    assert found.degenerate and not found.good and np.isnan(found.velocity).all()


def test_too_few_records_are_refused_and_gaps_left_out():
    m, b = rotating()
    with pytest.raises(UsageError, match="3 whole records"):
        frame_of(m["velocity"].values[:3], b["vector"].values[:3])
    v = m["velocity"].values.copy()
    v[10:20] = np.nan
    assert frame_of(v, b["vector"].values).records == 110


def test_windows_carry_flags_and_counts():
    m, b = rotating(noise=3.0)
    m["density"][50:80] = -1.0
    found = FrameAnalysis.check(de_hoffmann_teller(m, b, window="40s", step="20s"))
    assert found["velocity"].attrs["frame"] == "GSE"
    at = found.sel(time="2020-01-01T12:01:00")
    assert "incomplete" in FLAGS.names(int(at["quality"])) and int(at["count"]) < 40
    few = de_hoffmann_teller(m.isel(time=slice(0, 4)), b)
    assert all("too_few" in FLAGS.names(int(q)) for q in few["quality"])
    assert np.isnan(few["walen_slope"]).all()


def test_frames_must_be_one():
    m, b = rotating()
    b["vector"].attrs["frame"] = "GSM"
    with pytest.raises(DataTypeError, match="GSM.*GSE"):
        de_hoffmann_teller(m, b)


@given(st.lists(st.integers(1, 119), max_size=2, unique=True))
@settings(max_examples=6)
def test_cutting_time_into_granules_changes_nothing(cuts):
    m, b = rotating(noise=5.0)
    edges = [-60, *sorted(cuts), 180]
    xr.testing.assert_identical(
        cut(de_hoffmann_teller, (m, b), edges, 33), de_hoffmann_teller(m, b)
    )


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {1: [-179.693242, 0.99226278, -0.808529763, -0.905042016]}


def test_numbers_move_only_with_the_version():
    m, b = rotating(noise=20.0)
    found = de_hoffmann_teller(m, b).sel(time="2020-01-01T12:01:00")
    numbers = [
        float(found.velocity[0]),
        *(float(found[n]) for n in ("correlation", "walen_slope", "walen_correlation")),
    ]
    assert numbers == pytest.approx(GOLDEN[de_hoffmann_teller.version], rel=1e-6)
