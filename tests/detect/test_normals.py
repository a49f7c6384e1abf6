from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.detect.normals import minimum_variance


@given(st.integers(0, 2**32 - 1))
def test_the_normal_of_a_rotation_is_the_direction_that_does_not_change(seed: int):
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    angle = np.linspace(0, np.deg2rad(150), 60)
    across = np.full(60, rng.normal(0, 3))
    field = np.stack([across, 20 * np.cos(angle), 20 * np.sin(angle)], axis=1) @ axes
    found = minimum_variance(field + rng.normal(0, 0.05, (60, 3)))
    assert found is not None
    assert abs(found.direction @ axes[0]) > 0.999
    assert found.direction[0] >= 0
    assert np.isclose(np.linalg.norm(found.direction), 1)
    assert found.ratio > 100


def test_a_steady_field_has_no_normal():
    assert minimum_variance(np.tile([1.0, 2.0, 3.0], (50, 1))) is None


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_vectors_have_none(count: int):
    assert minimum_variance(np.random.default_rng(0).normal(size=(count, 3))) is None


def test_vectors_that_were_not_measured_are_left_out():
    field = np.random.default_rng(0).normal(size=(40, 3)) * [1, 5, 9]
    holed = np.concatenate([field, np.full((9, 3), np.nan)])
    np.testing.assert_allclose(minimum_variance(holed).direction, minimum_variance(field).direction)
