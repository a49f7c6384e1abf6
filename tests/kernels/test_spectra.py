from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.kernels.spectra import solid_angle_mean

OMEGA = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32) * np.float32(4 * np.pi)


def test_the_mean_weighs_directions_by_solid_angle():
    f = np.arange(8, dtype=np.float32).reshape(1, 4, 2)
    mean, coverage = solid_angle_mean(f, OMEGA)
    assert mean[0] == pytest.approx([4, 5], rel=1e-6)
    assert coverage[0] == pytest.approx([1, 1])


def test_unmeasured_directions_do_not_count():
    f = np.ones((1, 4, 3), np.float32)
    f[0, 3, 1] = np.nan
    f[0, :, 2] = np.nan
    mean, coverage = solid_angle_mean(f, OMEGA)
    assert mean[0, :2] == pytest.approx([1, 1])
    assert np.isnan(mean[0, 2])
    assert coverage[0] == pytest.approx([1, 0.6, 0])


def test_a_direction_without_solid_angle_does_not_exist():
    f = np.ones((1, 4, 1), np.float32)
    f[0, 0] = 1e6
    mean, coverage = solid_angle_mean(f, OMEGA * np.array([[0, 1, 1, 1]], np.float32))
    assert mean[0, 0] == pytest.approx(1)
    assert coverage[0, 0] == pytest.approx(0.9)


def test_solid_angles_may_change_with_time():
    f = np.stack([np.arange(4), np.arange(4)]).astype(np.float32)[..., None]
    mean, _ = solid_angle_mean(f, np.concatenate([OMEGA, OMEGA[:, ::-1]]))
    assert mean[:, 0] == pytest.approx([2, 1])
