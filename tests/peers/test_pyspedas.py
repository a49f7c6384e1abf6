"""Agreement with pyspedas (2.2) on the same input. Each test says its bound and why.

pip install -c constraints.txt 'sciqlop-pipe[peers]'
"""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.recipes.coordinates import in_frame
from sciqlop_pipe.recipes.curlometer import NA_PER_NT_KM, curlometer, field_gradient
from sciqlop_pipe.recipes.minimum_variance import variance_of
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.polarization import wave_polarization

pytest.importorskip(
    "pyspedas", reason="pyspedas is absent: pip install -c constraints.txt 'sciqlop-pipe[peers]'"
)
pytestmark = pytest.mark.filterwarnings("ignore")


def apart(a, b):
    """Return the angles between vectors [deg], (record)."""
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(across, (a * b).sum(axis=-1)))


def test_minimum_variance_agrees_to_rounding(sheet):
    """1e-9 of the variances, 1e-6 deg of the axes; the same matrix, signs are conventions."""
    from pyspedas.cotrans_tools.minvar import minvar

    ours = variance_of(sheet["vector"].values)
    _, axes, eigenvalues = minvar(sheet["vector"].values)
    assert ours.eigenvalues == pytest.approx(eigenvalues, rel=1e-9)
    signs = np.sign((ours.axes * axes.T).sum(axis=1))[:, None]
    assert apart(ours.axes, signs * axes.T).max() < 1e-6


def test_currents_gradients_and_curvature_agree_to_rounding(four):
    """1e-9 of the largest. Its curvature keeps the part along B, ours does not: left out here."""
    from pyspedas.analysis.lingradest import lingradest

    fields, places = four
    current, gradient = curlometer(*fields, *places), field_gradient(*fields, *places)
    at = fields[0]["time"].values.astype(float)
    r = [np.stack([np.interp(at, p["time"].values.astype(float), x)
                   for x in p["position"].values.T], 1) for p in places]  # fmt: skip
    b = [f["vector"].values for f in fields]
    found = lingradest(*(x[:, k] for k in range(3) for x in b), *r, scale_factor=1.0)
    scale = np.abs(current["current"].values).max()
    for k, axis in enumerate("xyz"):
        j = NA_PER_NT_KM * found[f"LC{axis}B"]
        assert np.abs(current["current"].values[:, k] - j).max() < 1e-9 * scale
        slope = found[f"LGB{axis}"]
        off = gradient["gradient"].values[:, :, k] - slope
        assert np.abs(off).max() < 1e-9 * np.abs(slope).max()
    divergence = NA_PER_NT_KM * found["LD"]
    assert np.abs(current["divergence"].values - divergence).max() < 1e-9 * scale
    unit = gradient["mean"].values
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    bend = np.stack([found[f"curv_{axis}_B"] for axis in "xyz"], axis=1)
    bend -= (bend * unit).sum(axis=1, keepdims=True) * unit
    assert np.abs(gradient["curvature"].values - bend).max() < 1e-9 * np.abs(bend).max()


@pytest.mark.parametrize("frame", ["GSM", "SM", "GEO", "MAG", "J2000", "HEEQ", "HAE", "HEE"])
def test_frames_agree_within_a_hundredth_of_a_degree(year, frame):
    """0.01 deg: the Sun and the Earth follow short series there, ERFA here."""
    from pyspedas.cotrans_tools.cotrans_lib import subcotrans

    ours = in_frame(year, frame=frame)["vector"].values
    seconds = year["time"].values.astype(np.int64) * 1e-9
    found = np.asarray(subcotrans(seconds, year["vector"].values, "GSE", frame, quiet=True))
    assert apart(ours, found).max() < 0.01


@pytest.mark.parametrize("hand", [1, -1])
def test_polarization_of_a_wave_agrees_with_wavpol(waves, hand):
    """Ratio of axes 0.01, wave-normal angle 0.5 deg, the same sense: three bins smoothed there,
    frames averaged here. What it calls helicity is our ellipticity, the ratio in space; what it
    calls ellipticity is the ratio seen along b, whose sign is the sense.
    """
    from pyspedas.analysis.twavpol import wavpol

    axis, rate, f = np.array([np.sin(0.5), 0, hand * np.cos(0.5)]), 64.0, 8.0
    x = waves.wave(axis, f, 0.7, 64 * 40, rate)
    x = x + np.random.default_rng(3).normal(0, 0.01, x.shape)
    b = waves.series(np.tile([0.0, 0, 50], (len(x), 1)), rate)
    ours = wave_polarization(waves.series(x, rate), b, samples=128, step="2s").isel(time=8)
    k = int(np.argmin(np.abs(ours["frequency"].values - f)))
    _, frequency, _, degree, angle, along, ratio, _, _ = wavpol(
        np.arange(len(x)) / rate, *x.T, nopfft=128, steplength=64, bin_freq=3
    )
    there = 15, int(np.argmin(np.abs(frequency - f)))
    assert ratio[there] == pytest.approx(float(ours["ellipticity"][k]), abs=0.01)
    assert np.degrees(angle[there]) == pytest.approx(float(ours["wave_normal_angle"][k]), abs=0.5)
    assert np.sign(along[there]) == float(ours["handedness"][k]) == hand
    assert degree[there] == pytest.approx(float(ours["degree_of_polarization"][k]), abs=1e-3)


def test_moments_of_a_sheath_agree_within_the_width_of_a_bin(sheath, feeding):
    """Density, velocity and temperature within 1 %: f is constant inside bins there."""
    from pyspedas import get_data

    ds = sheath[0]
    ours = moments(ds).isel(time=0)
    feeding.pyspedas(ds)[0].run()
    n, v, t = (get_data(f"mms1_dis_dist_brst_{name}").y[0] for name in
               ("density", "velocity", "avgtemp"))  # fmt: skip
    assert float(ours["density"]) == pytest.approx(float(n), rel=0.01)
    speed = np.linalg.norm(ours["velocity"].values)
    assert np.linalg.norm(ours["velocity"].values - v) < 0.01 * speed
    assert float(ours["temperature"]) == pytest.approx(float(t), rel=0.01)
