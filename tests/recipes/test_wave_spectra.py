from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import WaveSpectrum
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.recipes.wave_spectra import power_spectrum, wavelet_spectrum
from tests.waves import T0, seconds, series, steady

RATE = 256.0


def noise(count: int = 256 * 20, scale: float = 0.3, seed: int = 1) -> np.ndarray:
    """White noise of three components."""
    return np.random.default_rng(seed).normal(0, scale, (count, 3))


def test_white_noise_has_the_density_of_its_variance():
    found = WaveSpectrum.check(power_spectrum(series(noise(), RATE)))
    expected = 2 * 0.3**2 / RATE
    inner = found["power"].isel(frequency_bin=slice(2, -1))
    assert float(inner.mean()) == pytest.approx(expected, rel=0.03)
    assert found["power"].attrs["units"] == "(nT)^2 Hz^-1"
    assert found["power"].attrs["frame"] == "GSE"


def test_the_sum_over_frequency_is_the_variance_of_a_wave():
    x = np.zeros((5120, 3))
    x[:, 1] = 2 * np.cos(2 * np.pi * 40 * seconds(5120, RATE))
    found = power_spectrum(series(x, RATE))
    spacing = float(found["frequency"][0, 1] - found["frequency"][0, 0])
    sums = found["power"].sum("frequency_bin").values * spacing
    assert sums[:, 1] == pytest.approx(2.0, rel=1e-3)
    peak = found["frequency"].values[0, found["total"].values[0].argmax()]
    assert peak == pytest.approx(40, abs=0.51)


def test_a_trend_is_not_a_wave():
    x = np.linspace(0, 1000, 5120)[:, None] + np.zeros(3)
    assert float(power_spectrum(series(x, RATE))["total"].max()) < 1e-12


def test_fill_spoils_its_frames_only_and_coverage_tells():
    x = noise()
    x[1000] = np.nan
    whole, holed = (power_spectrum(series(v, RATE), samples=64) for v in (noise(), x))
    spoiled = holed["coverage"].values < 1
    assert spoiled.sum() in (1, 2)
    assert (holed["quality"].values[spoiled] & 1).all()
    rest = np.flatnonzero(~spoiled)
    xr.testing.assert_identical(holed.isel(time=rest), whole.isel(time=rest))
    assert np.isfinite(holed["total"]).all()


def test_a_change_of_rate_gives_two_tables_and_bridges_nothing():
    slow, fast = series(noise(2560), 128.0), series(noise(5120), RATE, start=20.0)
    found = power_spectrum(xr.concat([slow, fast], "time"))
    top = found["frequency"].values[:, -1]
    assert set(np.round(top)) == {64, 128}
    before = found["time"].values < T0 + np.timedelta64(20, "s")
    xr.testing.assert_identical(found.isel(time=before), power_spectrum(slow))


def test_a_component_that_was_not_measured_stays_nan_and_the_total_goes_on():
    x = noise()
    x[:, 2] = np.nan
    found = power_spectrum(series(x, RATE))
    assert np.isnan(found["power"].values[..., 2]).all()
    two = found["power"].values[..., :2].sum(-1)
    assert found["total"].values == pytest.approx(two, rel=1e-5)


@pytest.mark.parametrize("count", [0, 1, 100, 255])
def test_less_than_a_frame_gives_no_records(count):
    found = WaveSpectrum.check(power_spectrum(series(noise(count), RATE)))
    assert found.sizes["time"] == 0
    assert WaveSpectrum.check(wavelet_spectrum(series(noise(count), RATE), f_min=1.0)) is not None


def test_duplicate_and_backward_times_change_nothing():
    ds = series(noise(2560), RATE)
    order = np.r_[np.arange(1200), 1100, np.arange(1200, 2560)]
    xr.testing.assert_identical(power_spectrum(ds.isel(time=order)), power_spectrum(ds))


def test_characteristic_frequencies_are_those_of_the_formulary():
    moments = xr.Dataset(
        {"density": ("time", np.full(30, 9.0))},
        {"time": T0 + np.arange(30) * np.timedelta64(1, "s")},
    )
    found = WaveSpectrum.check(power_spectrum(series(noise(), RATE), steady((0, 30, 40)), moments))
    one = found.isel(time=5)
    assert float(one["electron_cyclotron_frequency"]) == pytest.approx(27.992 * 50, rel=1e-4)
    assert float(one["proton_cyclotron_frequency"]) == pytest.approx(0.762297, rel=1e-4)
    assert float(one["plasma_frequency"]) == pytest.approx(8.978e3 * 3, rel=1e-3)
    # Dense plasma: the geometric mean of the cyclotron frequencies, a little less.
    assert float(one["lower_hybrid_frequency"]) == pytest.approx(32.67, rel=1e-2)


def test_wavelets_give_the_density_of_white_noise():
    found = WaveSpectrum.check(
        wavelet_spectrum(series(noise(256 * 80), RATE), f_min=4.0, f_max=90.0)
    )
    inner = found["power"].isel(time=slice(3, -3))
    assert float(inner.mean()) == pytest.approx(2 * 0.3**2 / RATE, rel=0.05)


def test_wavelets_find_a_wave_at_its_frequency():
    x = np.zeros((5120, 3))
    x[:, 0] = np.cos(2 * np.pi * 16 * seconds(5120, RATE))
    found = wavelet_spectrum(series(x, RATE), f_min=4.0, f_max=64.0)
    peak = found["total"].isel(time=10).values.argmax()
    assert found["frequency"].values[peak] == pytest.approx(16)


def test_a_wavelet_touches_no_gap():
    x = noise()
    x[2560] = np.nan
    whole = wavelet_spectrum(series(noise(), RATE), f_min=2.0, f_max=64.0)
    holed = wavelet_spectrum(series(x, RATE), f_min=2.0, f_max=64.0)
    low, high = holed["coverage"].values[:, 0], holed["coverage"].values[:, -1]
    assert (low[8:12] == 0).sum() > (high[8:12] == 0).sum() == 0
    same = holed["coverage"].values == whole["coverage"].values
    np.testing.assert_array_equal(holed["total"].values[same], whole["total"].values[same])


def test_frequencies_beyond_the_sampling_are_nan():
    found = wavelet_spectrum(series(noise(), RATE), f_min=4.0, f_max=400.0)
    above = found["frequency"].values > 0.4 * RATE
    assert above.any() and np.isnan(found["total"].values[:, above]).all()
    assert (found["coverage"].values[:, above] == 0).all()


def test_what_the_sampling_does_not_reach_is_not_called_missing():
    x = noise()
    x[2600] = np.nan
    found = wavelet_spectrum(series(x, RATE), f_min=4.0, f_max=400.0)
    flagged = np.flatnonzero(found["quality"].values & 1)
    hole, last = 2600 // int(RATE), found.sizes["time"] - 1  # the longest reach 0.95 s
    assert flagged.tolist() == [0, hole - 1, hole, hole + 1, last]


def test_what_cannot_be_is_refused():
    ds = series(noise(), RATE)
    with pytest.raises(UsageError, match="frames of 7 samples"):
        power_spectrum(ds, samples=7)
    with pytest.raises(UsageError, match="reaches"):
        wavelet_spectrum(ds, f_min=0.01)
    with pytest.raises(UsageError, match="divide a day"):
        wavelet_spectrum(ds, f_min=1.0, step="7s")
    with pytest.raises(UsageError, match="frequencies from"):
        wavelet_spectrum(ds, f_min=10.0, f_max=5.0)


@settings(max_examples=8)
@given(st.lists(st.integers(31, 49), min_size=1, max_size=2, unique=True), st.booleans())
def test_cutting_time_into_granules_changes_nothing(cuts, wavelets):
    x = noise(64 * 80)
    x[2000:2003] = np.nan
    ds = series(x, 64.0)
    ds = ds.isel(time=np.delete(np.arange(ds.sizes["time"]), slice(3100, 3400)))
    name, reach = (wavelet_spectrum, 6) if wavelets else (power_spectrum, 5)
    more = {"f_min": 1.0, "f_max": 20.0} if wavelets else {"samples": 64}

    def within(lot: xr.Dataset, a: float, b: float) -> xr.Dataset:
        low, high = (T0 + np.timedelta64(int(s * 1e9), "ns") for s in (a, b))
        return lot.isel(time=(lot["time"].values >= low) & (lot["time"].values < high))

    def made(lot: xr.Dataset) -> xr.Dataset:
        return name(lot, reach=f"{reach}s", **more)

    whole = within(made(ds), 20, 60)
    pieces = [
        within(made(within(ds, a - 1 - reach, b + 1 + reach)), a, b)
        for a, b in pairwise([20, *sorted(cuts), 60])
    ]
    xr.testing.assert_identical(xr.concat(pieces, "time", data_vars="minimal"), whole)


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {
    ("power_spectrum", 2): [0.3414807, 0.006448698, 0.2863962, 2.768344, 0.001652639, 4.520311e-05],
    ("wavelet_spectrum", 2): [
        0.04665011,
        9.218301e-05,
        1.932073e-05,
        2.104623,
        0.5854296,
        0.00192271,
    ],
}


@pytest.mark.parametrize("recipe", [power_spectrum, wavelet_spectrum])
def test_numbers_move_only_with_the_version(recipe):
    t = seconds(512, 64.0)
    x = np.stack([np.cos(9 * t), np.sin(40 * t) * t, np.cos(100 * t + t**2)], 1)
    more = {"samples": 64} if recipe is power_spectrum else {"f_min": 2.0, "f_max": 20.0}
    assert (recipe.name, recipe.version) in GOLDEN, "new version: store its numbers here"
    found = recipe(series(x, 64.0), **more)["total"].values[3, :12:2]
    assert found == pytest.approx(GOLDEN[recipe.name, recipe.version], rel=1e-5)
