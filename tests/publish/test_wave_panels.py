"""Pictures of waves."""

from __future__ import annotations

import numpy as np

from sciqlop_pipe.granule import Interval
from sciqlop_pipe.publish.panels import Panel, rows
from sciqlop_pipe.publish.wave_panels import Overlaid, wave_polarization
from sciqlop_pipe.recipes import polarization
from sciqlop_pipe.recipes.wave_spectra import power_spectrum
from tests.waves import series, steady, wave

RATE, COUNT = 256.0, 256 * 20


def waves(axis: tuple[float, float, float]) -> np.ndarray:
    """A circular wave in a little noise."""
    noise = np.random.default_rng(1).normal(0, 0.02, (COUNT, 3))
    return wave(np.array(axis), 32.0, 1.0, COUNT, RATE) + noise


def test_characteristic_frequencies_lie_over_the_spectrum():
    ds = power_spectrum(series(waves((0, 0, 1)), RATE), steady((0, 0, 2.0)))
    (row,) = [r for r in rows(Panel("x.spectrum", "WaveSpectrum", ds)) if "total" in r.name]
    assert isinstance(row.paint, Overlaid)
    assert {w for w, _ in row.paint.lines} == {"$f_{ce}$", "$f_{cp}$"}


def test_ellipticity_has_the_sign_of_its_handedness_and_noise_is_white():
    x = series(waves((0, 0, 1)), RATE)
    for field, sign in ((2.0, 1), (-2.0, -1)):
        ds = polarization.wave_polarization(x, steady((0, 0, field)), samples=64)
        drawn = {d.variable: d.paint for d in wave_polarization(ds)}
        values = drawn["ellipticity"].below.values
        assert drawn["ellipticity"].below.bounds == (-1, 1)  # whatever this interval holds
        assert {w for w, _ in drawn["ellipticity"].lines} == {"$f_{ce}$", "$f_{cp}$"}
        at = int(np.argmin(np.abs(ds["frequency"].values[5] - 32)))
        assert abs(values[5, at] - sign) < 0.1
        assert np.isnan(values[5]).mean() > 0.5


def test_without_a_background_the_ellipticity_is_unsigned_and_has_no_wave_normal():
    ds = polarization.wave_polarization(series(waves((0, 0, -1)), RATE), samples=64)
    drawn = {d.variable: d for d in wave_polarization(ds)}
    assert "wave_normal_angle" not in drawn
    assert "unsigned" in drawn["ellipticity"].title
    assert np.nanmin(drawn["ellipticity"].paint.values) >= 0


def test_lines_of_frequency_do_not_cross_a_gap():
    from matplotlib.figure import Figure

    x = series(waves((0, 0, 1)), RATE)
    gap = x.isel(time=np.r_[0 : 8 * 256, 14 * 256 : COUNT])
    ds = power_spectrum(gap, steady((0, 0, 2.0)), samples=64)
    (row,) = [r for r in rows(Panel("x.spectrum", "WaveSpectrum", ds)) if "total" in r.name]
    ax = Figure().add_subplot()
    row.paint(ax, Interval.of(str(ds["time"].values[0]), str(ds["time"].values[-1])))
    times, values = ax.lines[0].get_data()
    assert np.isnan(values).any()
    whole = np.isfinite(values)
    both = whole[1:] & whole[:-1]
    assert np.diff(times)[both].max() < np.timedelta64(2, "s")
