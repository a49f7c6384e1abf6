from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.kernels.reduced import add_lines, add_planes, cleaned, smooth_planes

ALONG_X = np.array([[[1.0]], [[0.0]], [[0.0]]], np.float32)[None]
ONE = np.ones((1, 1), np.float32)


def test_a_shell_along_the_axis_lies_between_its_speeds():
    f = np.ones((1, 1, 1), np.float32)
    edges = np.linspace(-1, 1, 41)
    density = np.zeros((1, 42))
    slow, fast = np.array([[0.4]]), np.array([[0.5]])
    add_lines(f, np.array([[1.0, 0, 0]]), np.zeros(1), ALONG_X, 1, ONE, slow, fast, edges, density)
    centres = 0.5 * (edges[1:] + edges[:-1])
    assert density.sum() == pytest.approx((0.5**3 - 0.4**3) / 3 * 1e12)
    assert density[0, 1:-1] @ centres / density.sum() == pytest.approx(0.455, abs=0.01)


def test_what_leaves_the_grid_is_in_its_border():
    f = np.ones((1, 1, 1), np.float32)
    density = np.zeros((1, 3, 6, 6), np.float32)
    shells, volume = np.full((1, 1, 1), 5, np.float32), ONE
    basis, energy = np.eye(3)[None], np.zeros(1, np.int32)
    add_planes(
        f, basis, np.zeros((1, 3)), ALONG_X, 1, ONE, shells, volume, energy, 0.5, density
    )  # fmt: skip
    assert density.sum(axis=(2, 3))[0] == pytest.approx([1, 1, 1])
    assert density[0, 0, 5].sum() == density[0, 1, 5].sum() == 1
    assert density[0, 2, 1:-1, 1:-1].sum() == 1


def test_smoothing_keeps_sums_and_the_border():
    density = np.random.default_rng(1).random((2, 3, 12, 12)).astype(np.float32)
    before = density.copy()
    smooth_planes(density, np.full(5, 0.2, np.float32))
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    assert density[inside].sum((2, 3)) == pytest.approx(before[inside].sum((2, 3)), rel=1e-5)
    assert density[inside].std() < 0.5 * before[inside].std()
    assert (density[:, :, 0] == before[:, :, 0]).all()


def test_coverage_counts_what_was_measured():
    f = np.ones((2, 4, 3), np.float32)
    f[1, :2] = np.nan
    omega, share = np.full((1, 4), np.pi, np.float32), np.full((1, 3), 1 / 3, np.float32)
    clean, coverage = cleaned(f, omega, share)
    assert coverage == pytest.approx([1, 0.5])
    assert not clean[1, :2].any()
