from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.publish.raster import Grid, broken, cells, gaps, polyline, raster

S = 1_000_000_000


def grid(columns: int, rows: int, stop: int = 100 * S, top: float = 10.0) -> Grid:
    return Grid(np.linspace(0, stop, columns + 1).astype(np.int64), np.linspace(0, top, rows + 1))


def test_cells_meet_halfway_and_stop_beside_a_gap():
    begin, end = cells(np.array([0, 10, 20, 100, 110, 120]), alone=8)
    assert begin.tolist() == [-5, 5, 15, 95, 105, 115]
    assert end.tolist() == [5, 15, 25, 105, 115, 125]


def test_a_single_record_has_the_width_it_is_given():
    begin, end = cells(np.array([50]), alone=8)
    assert (begin.tolist(), end.tolist()) == ([46], [54])


def test_neighbours_three_steps_apart_have_no_gap_but_those_farther_have():
    assert gaps(np.array([0, 10, 20, 50, 60, 91])).tolist() == [5]


def test_a_line_is_broken_in_every_gap():
    at, value = broken(np.array([0, 10, 20, 100, 110]), np.arange(5))
    assert np.isnan(value).tolist() == [False, False, False, True, False, False]
    assert 20 < at[3] < 100


def test_zero_is_not_nothing():
    values = np.array([[0.0, np.nan, 5.0]])
    image = raster(values, np.array([[0, 2, 4.0]]), np.array([[2, 4, 6.0]]),
                   (np.array([0]), np.array([100 * S])), grid(4, 10))  # fmt: skip
    assert (image[:2] == 0).all()
    assert np.isnan(image[2:4]).all()
    assert (image[4:6] == 5).all()
    assert np.isnan(image[6:]).all()


def test_records_with_different_tables_keep_their_own_levels():
    lower = np.array([[0, 4.0], [2, 6.0]])
    image = raster(np.array([[1, 2.0], [3, 4.0]]), lower, lower + 2,
                   (np.array([0, 50 * S]), np.array([50, 100]) * S), grid(2, 5))  # fmt: skip
    expected = [[1, np.nan, 2, np.nan, np.nan], [np.nan, 3, np.nan, 4, np.nan]]
    np.testing.assert_array_equal(image.T, expected)


def test_a_bin_that_is_not_used_shows_nothing():
    lower = np.array([[0, np.nan, 4.0]])
    image = raster(np.ones((2, 3)), lower, lower + 2,
                   (np.array([0, 50 * S]), np.array([50, 100]) * S), grid(2, 5))  # fmt: skip
    assert np.isfinite(image[:, 0]).tolist() == [True, False, True, False, False]


@given(
    seed=st.integers(0, 10_000),
    records=st.integers(1, 40),
    bins=st.integers(1, 6),
    columns=st.integers(1, 30),
    rows=st.integers(1, 20),
)
def test_pixels_lie_between_the_values_and_weigh_them_by_area(seed, records, bins, columns, rows):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.choice(100, records, replace=False)) * S
    edges = np.sort(rng.uniform(-1, 11, (records, bins + 1)), -1)
    lower, upper = edges[:, :-1], edges[:, 1:]
    values = rng.uniform(0, 9, (records, bins))
    values[rng.random(values.shape) < 0.2] = np.nan
    pixels = grid(columns, rows)
    begin, end = cells(time, alone=S)
    image = raster(values, lower, upper, (begin, end), pixels)
    total, area = brute_force(values, lower, upper, begin, end, pixels)
    np.testing.assert_array_equal(np.isfinite(image), area > 0)
    seen = area > 0
    np.testing.assert_allclose(image[seen], total[seen] / area[seen], rtol=1e-6, atol=1e-9)


def brute_force(values, lower, upper, begin, end, pixels):
    """The same by looping over every rectangle and every pixel."""
    total, area = np.zeros(pixels.shape), np.zeros(pixels.shape)
    for k, b in np.ndindex(values.shape):
        if np.isnan(values[k, b]):
            continue
        wide = np.minimum(end[k], pixels.time[1:]) - np.maximum(begin[k], pixels.time[:-1])
        high = np.minimum(upper[k, b], pixels.level[1:]) - np.maximum(
            lower[k, b], pixels.level[:-1]
        )
        part = np.outer(high.clip(0), wide.clip(0))
        area += part
        total += part * values[k, b]
    return total, area


@given(seed=st.integers(0, 10_000), records=st.integers(0, 400), columns=st.integers(1, 20))
def test_a_thinned_line_keeps_its_extremes_and_its_gaps(seed, records, columns):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.choice(5000, records, replace=False)) * S
    value = rng.normal(size=records)
    value[rng.random(records) < 0.1] = np.nan
    edges = np.linspace(0, 5000 * S, columns + 1).astype(np.int64)
    at, thin = polyline(time, value, edges)
    whole_at, whole = broken(time, value)
    assert (np.diff(at) > 0).all()
    assert set(at) <= set(whole_at)
    if np.isfinite(value).any():
        assert np.nanmax(thin) == np.nanmax(value)
        assert np.nanmin(thin) == np.nanmin(value)
    # Two neighbours of the thin line are joined only where the whole line has no break between.
    for left in np.flatnonzero(np.isfinite(thin[:-1]) & np.isfinite(thin[1:])):
        between = (whole_at > at[left]) & (whole_at < at[left + 1])
        assert np.isfinite(whole[between]).all()
