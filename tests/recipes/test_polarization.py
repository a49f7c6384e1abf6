from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import WavePolarization, WavePoynting
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.polarization import wave_polarization, wave_poynting_flux
from tests.waves import T0, series, steady, wave

RATE, COUNT, F = 256.0, 256 * 20, 32.0
MU0 = 4e-7 * np.pi


def noise(scale: float, seed: int = 3) -> np.ndarray:
    """White noise of three components."""
    return np.random.default_rng(seed).normal(0, scale, (COUNT, 3))


def at_peak(ds: xr.Dataset, record: int = 8) -> dict[str, float]:
    """Every variable of one record at the frequency of the wave."""
    one = ds.isel(time=record)
    k = int(np.argmin(np.abs(one["frequency"].values - F)))
    return {n: float(one[n][k]) for n in one.data_vars if "frequency_bin" in one[n].dims}


@pytest.mark.parametrize("angle", [0, 25, 60, 85])
@pytest.mark.parametrize("ellipticity", [0.2, 0.6, 1.0])
def test_an_elliptic_wave_is_found_as_it_was_made(angle, ellipticity):
    axis = np.array([np.sin(np.radians(angle)), 0, np.cos(np.radians(angle))])
    x = wave(axis, F, ellipticity, COUNT, RATE) + noise(0.01)
    found = at_peak(WavePolarization.check(wave_polarization(series(x, RATE), steady((0, 0, 50)))))
    assert found["ellipticity"] == pytest.approx(ellipticity, abs=0.01)
    assert found["wave_normal_angle"] == pytest.approx(angle, abs=0.7)
    assert found["handedness"] == 1
    assert found["degree_of_polarization"] > 0.99
    assert found["planarity"] > 0.9


def test_handedness_turns_with_the_field_and_with_the_sense():
    x = wave(np.array([0.2, 0.1, 1]), F, 0.9, COUNT, RATE)
    back = x * [1, 1, -1]  # mirrored: turns the other way
    assert at_peak(wave_polarization(series(x, RATE), steady((0, 0, -50))))["handedness"] == -1
    assert at_peak(wave_polarization(series(back, RATE), steady((0, 0, 50))))["handedness"] == 1
    left = wave(np.array([0, 0, -1]), F, 0.9, COUNT, RATE)
    assert at_peak(wave_polarization(series(left, RATE), steady((0, 0, 50))))["handedness"] == -1


def test_noise_is_not_polarized_once_averaged():
    found = wave_polarization(series(noise(1.0), RATE), steady((0, 0, 50)), samples=64, step="10s")
    assert float(found["degree_of_polarization"].median()) < 0.25
    assert not (found["quality"].values & 4).any()


def test_averages_of_few_frames_are_flagged():
    found = wave_polarization(series(noise(1.0), RATE), steady((0, 0, 50)), samples=256)
    assert (found["frames"].values < 5).all() and (found["quality"].values & 4).all()


def test_a_linear_wave_has_no_ellipticity():
    x = np.cos(2 * np.pi * F * np.arange(COUNT) / RATE)[:, None] * [1.0, 0.5, 0.2] + noise(0.01)
    assert at_peak(wave_polarization(series(x, RATE), steady((0, 0, 50))))["ellipticity"] < 0.05


@pytest.mark.parametrize("b", [None, steady((0, 0, 0)), steady((np.nan, np.nan, np.nan))])
def test_without_a_background_field_what_refers_to_it_is_nan_and_says_why(b):
    x = wave(np.array([0, 0, 1]), F, 0.9, COUNT, RATE)
    ds = WavePolarization.check(wave_polarization(series(x, RATE), b))
    found = at_peak(ds)
    assert np.isnan(found["handedness"]) and np.isnan(found["wave_normal_angle"])
    assert found["ellipticity"] == pytest.approx(0.9, abs=0.01)
    assert (ds["quality"].values & 2).all()
    assert "no_background_field" in ds["quality"].attrs["flag_meanings"].split()


def test_a_background_in_another_frame_is_refused():
    other = steady((0, 0, 50))
    other["vector"].attrs["frame"] = "GSM"
    with pytest.raises(DataTypeError, match="GSM"):
        wave_polarization(series(noise(1.0), RATE), other)


def test_a_field_of_zeros_has_no_polarization():
    found = wave_polarization(series(np.zeros((COUNT, 3)), RATE), steady((0, 0, 50)))
    assert np.isnan(found["ellipticity"]).all()
    assert not found["power"].values.any()


def electric(x: np.ndarray, speed: float, sign: float = 1.0) -> np.ndarray:
    """E [mV/m] of a wave B [nT] that travels along z at a speed [km/s]: E = -v x B."""
    return sign * 1e-3 * speed * np.stack([x[:, 1], -x[:, 0], 0 * x[:, 0]], axis=1)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_poynting_flux_is_that_of_a_plane_wave(sign):
    x = wave(np.array([0, 0, 1]), F, 1.0, COUNT, RATE)
    e = series(electric(x, 2000, sign), RATE, units="mV m^-1")
    found = WavePoynting.check(wave_poynting_flux(e, series(x, RATE), steady((0, 0, 50))))
    spacing = RATE / 256
    total = float(found["flux_parallel"].isel(time=8).sum()) * spacing
    # <B^2> of amplitude 1 in both directions is 1 nT^2: S = v B^2/mu0.
    assert total == pytest.approx(sign * 2000e3 * 1e-18 / MU0 * 1e6, rel=1e-3)
    flux = found["flux"].isel(time=8).sum("frequency_bin").values * spacing
    assert np.abs(flux[:2]).max() < 1e-3 * abs(total)


def test_two_components_of_e_and_no_field_along_it_give_the_third():
    x = wave(np.array([0.3, 0.2, 1]), F, 1.0, COUNT, RATE)
    b = np.array([20.0, -10, 30])
    whole = np.cross(x, [0.5, 2.0, 1.0])
    whole -= np.outer(whole @ b, b) / (b @ b)
    two = whole.copy()
    two[:, 2] = np.nan
    wave_b, field = series(x, RATE), steady(tuple(b))
    full, part = (
        wave_poynting_flux(series(v, RATE, units="mV m^-1"), wave_b, field) for v in (whole, two)
    )
    near = full["flux"].values
    assert part["flux"].values == pytest.approx(near, abs=1e-4 * float(np.abs(near).max()))


def test_a_field_in_the_plane_of_e_is_refused_record_by_record():
    x = wave(np.array([0, 0, 1]), F, 1.0, COUNT, RATE)
    e = electric(x, 2000)
    e[:, 2] = np.nan
    flat = wave_poynting_flux(series(e, RATE), series(x, RATE), steady((50, 0, 5)))
    assert np.isnan(flat["flux"]).all() and (flat["quality"].values & 8).all()
    steep = wave_poynting_flux(series(e, RATE), series(x, RATE), steady((50, 0, 25)))
    assert np.isfinite(steep["flux"]).all() and not (steep["quality"].values & 8).any()


def test_one_component_of_e_is_not_enough():
    e = np.full((COUNT, 3), np.nan)
    e[:, 0] = 1.0
    with pytest.raises(DataTypeError, match="two components"):
        wave_poynting_flux(series(e, RATE), series(noise(1), RATE), steady((0, 0, 50)))


def test_an_electric_field_on_other_times_is_put_on_those_of_the_magnetic_one():
    fast = 8 * RATE
    x = wave(np.array([0, 0, 1]), F, 1.0, 8 * COUNT, fast)
    e = series(electric(x, 2000), fast, start=0.0003, units="mV m^-1")
    shifted = wave(np.array([0, 0, 1]), F, 1.0, 8 * COUNT, fast)
    found = wave_poynting_flux(e, series(shifted, fast), steady((0, 0, 50)), samples=2048)
    total = float(found["flux_parallel"].isel(time=8).sum()) * fast / 2048
    delay = np.cos(2 * np.pi * F * 0.0003)  # E is late by 0.3 ms, whatever it is sampled at
    assert total == pytest.approx(2000e3 * 1e-18 / MU0 * 1e6 * delay, rel=2e-3)


def test_a_gap_of_e_is_not_bridged():
    x = wave(np.array([0, 0, 1]), F, 1.0, COUNT, RATE)
    e = series(electric(x, 2000), RATE).isel(time=np.r_[0:2000, 2100:COUNT])
    found = wave_poynting_flux(e, series(x, RATE), steady((0, 0, 50)))
    assert (found["coverage"].values < 1).any()
    good = found["coverage"].values == 1
    totals = found["flux_parallel"].sum("frequency_bin").values
    assert totals == pytest.approx(totals[good][3], rel=2e-2)


def test_a_gap_of_e_beside_its_first_sample_is_not_bridged_either():
    x = wave(np.array([0, 0, 1]), F, 1.0, COUNT, RATE)
    e = series(electric(x, 2000), RATE).isel(time=np.delete(np.arange(COUNT), 1))
    found = wave_poynting_flux(e, series(x, RATE), steady((0, 0, 50)))
    assert float(found["coverage"][0]) < 1


@settings(max_examples=8)
@given(st.lists(st.integers(6, 14), min_size=1, max_size=2, unique=True))
def test_cutting_time_into_granules_changes_nothing(cuts):
    x = wave(np.array([0.3, 0.2, 1]), F, 0.7, COUNT, RATE) + noise(0.2)
    x[1800:1803] = np.nan
    ds, b = series(x, RATE), steady((3.0, 20, 30))

    def within(lot: xr.Dataset, a: float, b: float) -> xr.Dataset:
        low, high = (T0 + np.timedelta64(int(s * 1e9), "ns") for s in (a, b))
        return lot.isel(time=(lot["time"].values >= low) & (lot["time"].values < high))

    def made(a: float, z: float) -> xr.Dataset:
        pieces = (within(lot, a - 3, z + 3) for lot in (ds, b))
        return within(wave_polarization(*pieces, samples=64, reach="2s"), a, z)

    whole = made(4, 16)
    xr.testing.assert_identical(
        xr.concat([made(a, z) for a, z in pairwise([4, *sorted(cuts), 16])], "time"), whole
    )


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    ("wave_polarization", 2): {
        "ellipticity": [0.2001549, 0.7016714],
        "planarity": [0.9273472, 0.9957649],
        "degree_of_polarization": [0.9917436, 0.9999714],
        "wave_normal_angle": [78.99639, 24.84733],
        "power": [0.002872923, 0.06218366],
    },
    ("wave_poynting_flux", 3): {"flux_parallel": [0.0005598007, 0.08102177]},
}


def test_numbers_move_only_with_the_version():
    x = wave(np.array([0.3, 0.2, 1]), F, 0.7, 1024, RATE) + 0.3 * wave(
        np.array([1.0, 0.2, 0]), 12.0, 0.2, 1024, RATE
    )
    e, b = np.cross(x, [0.5, 2.0, 1.0]), steady((3.0, 20, 30))
    found = {
        wave_polarization: wave_polarization(series(x, RATE), b, samples=32),
        wave_poynting_flux: wave_poynting_flux(series(e, RATE), series(x, RATE), b, samples=32),
    }
    for recipe, ds in found.items():
        assert ds["proton_cyclotron_frequency"].values[1] == pytest.approx(0.551572, rel=1e-5)
        assert (recipe.name, recipe.version) in GOLDEN, "new version: store its numbers here"
        for name, numbers in GOLDEN[recipe.name, recipe.version].items():
            assert ds[name].values[1, [1, 3]] == pytest.approx(numbers, rel=1e-4), name
