"""Randomness that depends on (seed, time) only."""

from __future__ import annotations

from statistics import NormalDist

import numba as nb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_missions.sim.counting import _poisson
from sciqlop_missions.sim.noise import (
    ORIGIN,
    Harmonics,
    gaussian,
    normal_quantile,
    stream_key,
    stream_start,
)
from sciqlop_pipe.granule import DAY, SECOND


@nb.njit
def draw(mean, size):
    state = stream_start(np.uint64(7), 0)
    out = np.empty(size)
    for i in range(size):
        state, out[i] = _poisson(state, mean, np.exp(-mean))
    return out


def test_a_process_has_zero_mean_and_unit_variance():
    time = ORIGIN + np.arange(0, 40 * DAY, 20 * SECOND)
    values = Harmonics.seeded(3, "anything", 60, 7_200).at(time)
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.std() == pytest.approx(1, abs=0.02)


def test_other_seeds_and_other_names_are_independent():
    time = ORIGIN + np.arange(0, 40 * DAY, 60 * SECOND)
    a, b, c = (Harmonics.seeded(s, n, 60, 7_200).at(time)
               for s, n in ((3, "x"), (4, "x"), (3, "y")))  # fmt: skip
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05
    assert abs(np.corrcoef(a, c)[0, 1]) < 0.05


@given(st.integers(0, 400), st.integers(1, 40), st.integers(-(10**18), 10**18))
def test_any_piece_of_a_process_is_the_same_alone(first, size, offset):
    time = ORIGIN + offset + np.arange(441, dtype=np.int64) * 62_500_000
    process = Harmonics.seeded(1, "x", 15, 1_800)
    whole = process.at(time)[first : first + size]
    assert process.at(time[first : first + size]).tobytes() == whole.tobytes()


def test_sines_are_right_to_a_billionth():
    process = Harmonics((100.0,), (0.3,))
    time = ORIGIN + np.arange(0, 200 * SECOND, SECOND // 7)
    wanted = np.sqrt(2) * np.sin(2 * np.pi * (time - ORIGIN) * 1e-9 / 100 + 0.3)
    assert np.abs(process.at(time) - wanted).max() < 2e-9


def test_white_noise_belongs_to_the_number_of_the_sample():
    key = np.uint64(stream_key(1, "x"))
    numbers = np.arange(10**12, 10**12 + 50_000)
    whole = gaussian(key, numbers, 3)
    assert np.array_equal(gaussian(key, numbers[100:103], 3), whole[100:103])
    assert np.abs(whole.mean(axis=0)).max() < 0.02
    assert np.abs(whole.std(axis=0) - 1).max() < 0.02
    assert np.abs(np.corrcoef(whole.T)[0, 1:]).max() < 0.02


@pytest.mark.parametrize("p", [1e-12, 1e-4, 0.03, 0.3, 0.5, 0.9, 0.999])
def test_the_normal_quantile_is_right_to_a_millionth(p):
    assert normal_quantile(p) == pytest.approx(NormalDist().inv_cdf(p), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("mean", [0.02, 0.7, 4.0, 9.9, 10.0, 30.0, 4_000.0])
def test_counts_have_the_mean_and_variance_of_poisson(mean):
    size = 200_000
    counts = draw(mean, size)
    assert counts.min() >= 0
    assert np.array_equal(counts, np.floor(counts))
    assert counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / size))
    spread = np.sqrt((2 + 1 / mean) / size)  # standard error of a Poisson variance over its mean
    assert counts.var() / mean == pytest.approx(1, abs=5 * spread + 1e-3)


@pytest.mark.parametrize("mean", [2.5, 12.0])
def test_counts_have_the_distribution_of_poisson(mean):
    size = 200_000
    share = np.bincount(draw(mean, size).astype(int), minlength=60) / size
    pmf = np.exp(
        np.arange(60) * np.log(mean) - mean - np.cumsum(np.log(np.maximum(np.arange(60), 1)))
    )
    assert np.abs(share - pmf).max() < 5 * np.sqrt(pmf.max() / size) + 5e-4
