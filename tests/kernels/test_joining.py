"""One clock on another, against numpy and against what it must not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.kernels.joining import BLOCK, between_neighbours, first_not_later, whole_rows
from sciqlop_pipe.kernels.tetrahedron import curls, currents, gradients, reciprocal

FAR = 10**15


def values(time: np.ndarray, columns: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(time.size, columns))


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30, unique=True),
    st.lists(st.integers(-100, 1100), min_size=1, max_size=30),
    st.sampled_from([1, 3, 7]),
)
@settings(max_examples=60)
def test_between_records_values_lie_on_a_line_whatever_the_order(records, at, columns):  # fmt: skip
    time, want = np.sort(np.array(records)), np.array(at)
    x = values(time, columns)
    found = between_neighbours(fixed(time), x, want, FAR)
    inside = (want >= time[0]) & (want <= time[-1])
    for c in range(columns):
        np.testing.assert_allclose(found[inside, c], np.interp(want[inside], time, x[:, c]),
                                   atol=1e-12)  # fmt: skip
    assert np.isnan(found[~inside]).all()


def test_what_is_not_finite_does_not_count_and_gaps_stay_gaps():
    time = np.arange(0, 100, 10)
    x = time[:, None] * np.ones(3)
    x[3, 1], x[7, 2] = np.nan, np.inf
    found = between_neighbours(fixed(time), x, np.array([25, 30, 35, 75, 95]), 20)
    np.testing.assert_array_equal(found[:, 0], [25, 30, 35, 75, np.nan])
    assert np.isnan(between_neighbours(fixed(time), x, np.array([25, 30, 35]), 19)).all()


def test_of_equal_times_the_first_record_counts_and_no_record_gives_nothing():
    time = np.array([0, 10, 10, 20])
    x = np.arange(4.0)[:, None] * np.ones(3)
    assert between_neighbours(fixed(time), x, np.array([10]), FAR)[0, 0] == 1
    assert np.isnan(between_neighbours(fixed(time[:0]), x[:0], time, FAR)).all()


def test_rows_are_whole_where_all_four_are():
    four = [np.ones((5, 3)) for _ in range(4)]
    four[1][2, 0], four[3][4, 2] = np.nan, -np.inf
    assert whole_rows(*four).tolist() == [True, True, False, True, False]


@st.composite
def two_clocks(draw) -> tuple[np.ndarray, np.ndarray]:
    """Two clocks of one cadence, more than a block long, that slip, stop, meet and start apart."""
    many = 2 * BLOCK + 9
    steps = np.full((2, many), 1000)
    for clock in steps:
        for at in draw(st.lists(st.integers(1, many - 1), max_size=3)):
            clock[at] = draw(st.sampled_from([1, 999, 1001, 1999, 5000, 10**6]))
    steps[:, 0] = 0, draw(st.sampled_from([0, 1, 500, -500, -1000, 3000, 10**7]))
    return np.cumsum(steps[0]), np.cumsum(steps[1])


@given(two_clocks(), st.sampled_from([1, 3]), st.sampled_from([1000, 1999, 10**6]),
       st.lists(st.integers(0, 2 * BLOCK), max_size=3))  # fmt: skip
@settings(max_examples=100)
def test_a_block_at_once_gives_what_each_time_alone_gives(clocks, columns, reach, holes):
    time, want = clocks
    x = values(time, columns)
    x[holes, 0] = np.nan
    alone = [
        between_neighbours(fixed(time), x, want[i : i + 1], reach)[0] for i in range(want.size)
    ]
    np.testing.assert_array_equal(between_neighbours(fixed(time), x, want, reach), np.array(alone))
    # Against numpy, which extrapolates and bridges what is not bridged here.
    known = np.isfinite(x[:, 0])
    at = np.searchsorted(time[known], want)
    inside = (at > 0) & (at < known.sum())
    pair = time[known][np.clip([at - 1, at], 0, known.sum() - 1)]
    near = np.isin(want, time[known]) | (inside & (pair[1] - pair[0] <= reach))
    expected = np.where(near, np.interp(want, time[known], x[known, 0]), np.nan)
    np.testing.assert_allclose(alone, expected[:, None] if columns == 1 else np.stack(
        [np.where(near, np.interp(want, time[known], c[known]), np.nan) for c in x.T], 1),
        atol=1e-12)  # fmt: skip


def test_the_first_record_that_is_not_later_is_told():
    time = np.arange(600)
    assert first_not_later(time) == -1
    assert first_not_later(time[:1]) == first_not_later(time[:0]) == -1
    time[[300, 500]] = 299, 0
    assert first_not_later(time) == 300


def fixed(time: np.ndarray) -> np.ndarray:
    """Times as recipes give them: numba compiles again for those that may be written to."""
    time = time.view()
    time.flags.writeable = False
    return time


def currents_of(clocks, fields, reach, knots, k, words=None, poor=np.inf) -> tuple:
    """The kernel's six results at the samples that it fills in."""
    n = clocks[0].size
    out = np.empty(n, np.int64), np.empty((n, 3)), *np.empty((3, n)), np.empty(n, np.uint32)
    series = [a for t, b in zip(clocks, fields, strict=True) for a in (fixed(t), b)]
    words = np.zeros(knots.size - 1, np.uint32) if words is None else words
    found = currents(*series, reach, knots, k, 2.0, words, poor, np.uint32(8), out)
    return tuple(a[:found] for a in out)


def three_knots(n: int) -> tuple[np.ndarray, np.ndarray]:
    knots, k = np.array([-1, 4 * BLOCK, 20 * n]), np.empty((3, 4, 3))
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
    for size, one in zip((4, 5, 6), k, strict=True):
        reciprocal(size * corners, one)
    return knots, k


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_currents_block_by_block_are_the_curls_of_all_at_once(kind):
    n = 2 * BLOCK + 7
    time = np.arange(n) * 10
    b = [values(time, seed=s).astype(kind) for s in range(4)]
    b[2][3], b[0][BLOCK + 1, 1] = np.nan, np.nan
    knots, k = three_knots(n)
    words = np.array([1, 2], np.uint32)
    at, current, along, divergence, ratio, flags = currents_of(
        [time] * 4, b, 5, knots, k, words, 0.7
    )
    use = np.delete(np.arange(n), [3, BLOCK + 1])
    whole = [x[use].astype(np.float64) for x in b]
    curl = 2 * curls(*whole, time[use], knots, k)
    mean = sum(whole) / 4
    np.testing.assert_array_equal(at, time[use])
    np.testing.assert_allclose(current, curl[:, :3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(divergence, curl[:, 3], rtol=1e-12, atol=1e-14)
    size = np.linalg.norm(curl[:, :3], axis=1)
    np.testing.assert_allclose(ratio, np.abs(curl[:, 3]) / size, rtol=1e-9)
    np.testing.assert_allclose(
        along, (curl[:, :3] * mean).sum(1) / np.linalg.norm(mean, axis=1), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_array_equal(flags, np.where(at < knots[1], 1, 2) | 8 * (ratio > 0.7))


def test_currents_of_four_clocks_are_those_of_fields_that_were_joined_before():
    n = 3 * BLOCK + 5
    clocks = [np.arange(n) * 10 + shift for shift in (20, 20, 23, 11)]
    clocks[3][BLOCK:] += 1000  # a gap
    b = [values(t, seed=s) for s, t in enumerate(clocks)]
    knots, k = three_knots(n)
    found = currents_of(clocks, b, 10, knots, k)
    joined = [
        between_neighbours(fixed(t), x, clocks[0], 10) for t, x in zip(clocks, b, strict=True)
    ]
    use = whole_rows(*joined)
    assert BLOCK < use.sum() < n - 90
    whole = [x[use] for x in joined]
    np.testing.assert_array_equal(found[0], clocks[0][use])
    curl = 2 * curls(*whole, found[0], knots, k)
    np.testing.assert_allclose(found[1], curl[:, :3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[3], curl[:, 3], rtol=1e-12, atol=1e-14)
    g = gradients(*whole, found[0], knots, k)
    np.testing.assert_allclose(curl[:, 3], 2 * np.trace(g, axis1=1, axis2=2), atol=1e-13)
    np.testing.assert_allclose(curl[:, 2], 2 * (g[:, 0, 1] - g[:, 1, 0]), atol=1e-13)


def test_samples_beyond_the_positions_are_left_out():
    time, b = np.arange(0, 100, 10), np.ones((10, 3))
    found = currents_of([time] * 4, [b] * 4, 5, np.array([20, 60]), np.zeros((2, 4, 3)))
    assert found[0].tolist() == [20, 30, 40, 50, 60]
