from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.kernels.windows import group_means, means_around, medians_beside


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_group_means_are_those_of_numpy(seed: int, records: int):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(records, 2))
    first = np.unique(np.r_[0, rng.integers(0, records, 5)])
    expected = [part.mean(axis=0) for part in np.split(x, first[1:])]
    np.testing.assert_allclose(group_means(x, first), expected)


@given(st.integers(0, 2**32 - 1))
def test_a_mean_around_an_instant_sees_the_finite_values_of_its_window(seed: int):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.choice(1000, 60, replace=False))
    x = np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60))
    centre = np.sort(rng.integers(0, 1000, 20))
    found = means_around(time, x, centre, 15)
    for c, mean in zip(centre, found, strict=True):
        seen = x[(time >= c - 15) & (time < c + 15) & np.isfinite(x)]
        assert np.isclose(mean, seen.mean()) if seen.size else np.isnan(mean)


@given(st.integers(0, 2**32 - 1))
def test_medians_beside_a_space_see_each_side_alone(seed: int):
    rng = np.random.default_rng(seed)
    time = np.cumsum(rng.integers(1, 20, 50))
    x = rng.normal(size=(50, 1))
    before, after = medians_beside(time, x, 40, 3)
    for i in range(49):
        middle = time[i] + (time[i + 1] - time[i]) // 2
        left = x[: i + 1][time[: i + 1] >= middle - 40]
        right = x[i + 1 :][time[i + 1 :] < middle + 40]
        if min(len(left), len(right)) < 3:
            assert np.isnan(before[i, 0])
            assert np.isnan(after[i, 0])
        else:
            assert before[i, 0] == np.median(left)
            assert after[i, 0] == np.median(right)
