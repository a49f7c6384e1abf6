"""One clock on another, against numpy and against what it must not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.kernels.joining import between_neighbours, whole_rows
from sciqlop_pipe.kernels.tetrahedron import BLOCK, curls, currents, reciprocal

FAR = 10**15


def values(time: np.ndarray, columns: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(time.size, columns))


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30, unique=True),
    st.lists(st.integers(-100, 1100), min_size=1, max_size=30),
    st.sampled_from([1, 3]),
)
@settings(max_examples=60)
def test_between_records_values_lie_on_a_line_whatever_the_order(records, at, columns):  # fmt: skip
    time, want = np.sort(np.array(records)), np.array(at)
    x = values(time, columns)
    found = between_neighbours(time, x, want, FAR)
    inside = (want >= time[0]) & (want <= time[-1])
    for c in range(columns):
        np.testing.assert_allclose(found[inside, c], np.interp(want[inside], time, x[:, c]),
                                   atol=1e-12)  # fmt: skip
    assert np.isnan(found[~inside]).all()


def test_what_is_not_finite_does_not_count_and_gaps_stay_gaps():
    time = np.arange(0, 100, 10)
    x = time[:, None] * np.ones(3)
    x[3, 1], x[7, 2] = np.nan, np.inf
    found = between_neighbours(time, x, np.array([25, 30, 35, 75, 95]), 20)
    np.testing.assert_array_equal(found[:, 0], [25, 30, 35, 75, np.nan])
    assert np.isnan(between_neighbours(time, x, np.array([25, 30, 35]), 19)).all()


def test_of_equal_times_the_first_record_counts_and_no_record_gives_nothing():
    time = np.array([0, 10, 10, 20])
    x = np.arange(4.0)[:, None] * np.ones(3)
    assert between_neighbours(time, x, np.array([10]), FAR)[0, 0] == 1
    assert np.isnan(between_neighbours(time[:0], x[:0], time, FAR)).all()


def test_rows_are_whole_where_all_four_are():
    four = [np.ones((5, 3)) for _ in range(4)]
    four[1][2, 0], four[3][4, 2] = np.nan, -np.inf
    assert whole_rows(*four).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_currents_block_by_block_are_the_curls_of_all_at_once(kind):
    n = 2 * BLOCK + 7
    time = np.arange(n) * 10
    b = [values(time, seed=s).astype(kind) for s in range(4)]
    b[2][3], b[0][BLOCK + 1, 1] = np.nan, np.nan
    knots, k = np.array([-1, 4 * BLOCK, 20 * n]), np.empty((3, 4, 3))
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
    for size, one in zip((4, 5, 6), k, strict=True):
        reciprocal(size * corners, one)
    at, current, along, divergence, ratio = currents(
        time, b[0], time, b[1], time, b[2], time, b[3], 5, knots, k, 2.0
    )
    use = np.delete(np.arange(n), [3, BLOCK + 1])
    curl = 2 * curls(*(x[use].astype(np.float64) for x in b), time[use], knots, k)
    mean = sum(x[use].astype(np.float64) for x in b) / 4
    np.testing.assert_array_equal(at, time[use])
    np.testing.assert_allclose(current, curl[:, :3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(divergence, curl[:, 3], rtol=1e-12, atol=1e-14)
    size = np.linalg.norm(curl[:, :3], axis=1)
    np.testing.assert_allclose(ratio, np.abs(curl[:, 3]) / size, rtol=1e-9)
    np.testing.assert_allclose(
        along, (curl[:, :3] * mean).sum(1) / np.linalg.norm(mean, axis=1), rtol=1e-9, atol=1e-12
    )


def test_samples_beyond_the_positions_are_left_out():
    time, b = np.arange(0, 100, 10), np.ones((10, 3))
    k = np.zeros((2, 4, 3))
    found = currents(time, b, time, b, time, b, time, b, 5, np.array([20, 60]), k, 1.0)
    assert found[0].tolist() == [20, 30, 40, 50, 60]
