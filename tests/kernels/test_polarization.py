"""Spectral matrices of three components against numpy's singular values."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.kernels.polarization import mean_products, polarizations

ALONG = np.array([[0.0, 0.6, 0.8]])


def matrix(*vectors) -> np.ndarray:
    """The spectral matrix of some complex amplitudes, (1, 1, 3, 3)."""
    return sum(np.outer(v, np.conj(v)) for v in np.asarray(vectors, complex))[None, None]


def wanted(s: np.ndarray) -> list[float]:
    """Ellipticity, planarity and wave-normal angle by numpy."""
    _, w, v = np.linalg.svd(np.concatenate([s.real, s.imag]))
    angle = np.degrees(np.arccos(min(abs(v[2] @ ALONG[0]), 1)))
    return [w[1] / w[0], 1 - np.sqrt(w[2] / w[0]), angle]


RNG = np.random.default_rng(4)
CASES = {
    "anything": RNG.normal(size=(5, 3)) + 1j * RNG.normal(size=(5, 3)),
    "elliptic in noise": np.r_[[[1, 0.4j, 0.2]], 0.05 * RNG.normal(size=(9, 3))],
    "small": 1e-12 * (RNG.normal(size=(5, 3)) + 1j * RNG.normal(size=(5, 3))),
    "large": 1e12 * (RNG.normal(size=(5, 3)) + 1j * RNG.normal(size=(5, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_ellipticity_planarity_and_normal_are_those_of_the_singular_values(name):
    s = matrix(*CASES[name])
    power, degree, *found, hand, angle = polarizations(s, ALONG)[:, 0, 0]
    assert [*found, angle] == pytest.approx(wanted(s[0, 0]), rel=1e-5, abs=1e-4)
    trace, square = np.trace(s[0, 0]).real, np.trace(s[0, 0] @ s[0, 0]).real
    assert power == pytest.approx(trace)
    assert degree == pytest.approx(np.sqrt((3 * square - trace**2) / (2 * trace**2)), rel=1e-5)
    assert abs(hand) == 1


@pytest.mark.parametrize(
    ("amplitude", "ellipticity", "hand"),
    [((1, -1j, 0), 1, 1), ((1, 1j, 0), 1, -1), ((1, 0, 0), 0, 0), ((1, -0.5j, 0), 0.5, 1)],
)
def test_pure_waves_are_what_they_are(amplitude, ellipticity, hand):
    found = polarizations(matrix(amplitude), np.array([[0.0, 0.0, -1.0]]))[:, 0, 0]
    assert found[1] == pytest.approx(1)
    assert found[2] == pytest.approx(ellipticity, abs=1e-6)
    assert found[4] == -hand
    if hand:
        assert found[5] == pytest.approx(0, abs=1e-3)


def test_no_power_no_field_and_nan_are_nan():
    nothing = polarizations(np.zeros((1, 1, 3, 3), complex), ALONG)[:, 0, 0]
    assert nothing[0] == 0 and np.isnan(nothing[1:]).all()
    bad = matrix((1, 1j, 0))
    bad[0, 0, 1, 2] = np.nan
    assert np.isnan(polarizations(bad, ALONG)[1:]).all()
    blind = polarizations(matrix((1, 1j, 0)), np.full((1, 3), np.nan))[:, 0, 0]
    assert np.isfinite(blind[:4]).all() and np.isnan(blind[4:]).all()


def test_products_are_means_over_the_frames_of_a_record():
    a, b = (RNG.normal(size=(5, 2, 3)) + 1j * RNG.normal(size=(5, 2, 3)) for _ in range(2))
    scale = np.array([[0.5, 0.25], [1 / 3, 2.0]])
    found = mean_products(a, b, np.array([0, 2, 5]), scale)
    for r, frames in enumerate((slice(0, 2), slice(2, 5))):
        want = np.einsum("tfi,tfj->fij", a[frames], b[frames].conj())
        np.testing.assert_allclose(found[r], want * scale[r][:, None, None], rtol=1e-12)
