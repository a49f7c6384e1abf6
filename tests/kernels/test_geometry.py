from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.kernels.geometry import (
    ORDER,
    azimuth_factors,
    direction_weights,
    polar_factors,
)
from tests.analytic import Look, esa_look, fpi_look


def of(look: Look, widths: bool = True) -> np.ndarray:
    """Weights (10, direction) of a look, all angles given per direction."""
    phi, theta, omega = (a.reshape(1, -1) for a in (look.phi, look.theta, look.solid_angle))
    dphi, dtheta = (
        a.reshape(1, -1) if widths else None for a in (look.phi_width, look.theta_width)
    )
    azimuth = azimuth_factors(phi, dphi)
    polar = polar_factors(theta, dtheta, omega)
    return direction_weights(azimuth[None], polar[None])[0].astype(float)


@pytest.mark.parametrize("widths", [True, False])
@pytest.mark.parametrize("look", [fpi_look(), esa_look(88), esa_look(176)])
def test_the_whole_sphere_has_no_preferred_direction(look, widths):
    total = dict(zip(ORDER, of(look, widths).sum(axis=1) / (4 * np.pi), strict=True))
    assert total["1"] == pytest.approx(1, rel=1e-5)
    assert [total[i] for i in "xyz"] == pytest.approx([0, 0, 0], abs=1e-6)
    # Only ideal widths make the even part exact; a cap is not a rectangle.
    even = {"abs": 1e-3} if widths else {"abs": 2e-2}
    assert [total[i] for i in ("xx", "yy", "zz")] == pytest.approx([1 / 3] * 3, **even)
    assert [total[i] for i in ("xy", "xz", "yz")] == pytest.approx([0, 0, 0], abs=1e-6)
    assert total["xx"] + total["yy"] + total["zz"] == pytest.approx(1, rel=1e-5)


def means(look: Look, function) -> np.ndarray:
    """Mean of a function of the unit vector over each bin, (direction,)."""
    x, g = np.polynomial.legendre.leggauss(6)
    phi, theta, dphi, dtheta = (
        np.radians(a).ravel() for a in (look.phi, look.theta, look.phi_width, look.theta_width)
    )
    top, bottom = np.cos(theta - dtheta / 2), np.cos(theta + dtheta / 2)
    total = 0.0
    for a, ga in zip(x, g, strict=True):
        mu = 0.5 * (top - bottom) * a + 0.5 * (top + bottom)
        sin = np.sqrt(1 - mu**2)
        for b, gb in zip(x, g, strict=True):
            p = phi + 0.5 * dphi * b
            total += ga * gb / 4 * function(np.stack([sin * np.cos(p), sin * np.sin(p), mu]))
    return total


@pytest.mark.parametrize(("look", "error"), [(fpi_look(), 1e-4), (esa_look(176), 2e-3)])
def test_sums_over_bin_means_are_the_moments_of_a_smooth_beam(look, error):
    beam = np.array([0.6, -0.64, 0.48])

    def shape(u):
        return np.exp(4 * np.tensordot(beam, u, 1))

    # <1>, <u>, <uu> of exp(k b.u): sinh(k)/k, L b, (L/k) 1 + (1 - 3L/k) bb with L = coth k - 1/k
    k = 4.0
    langevin = 1 / np.tanh(k) - 1 / k
    norm = 4 * np.pi * np.sinh(k) / k
    uu = langevin / k * np.eye(3) + (1 - 3 * langevin / k) * np.outer(beam, beam)
    truth = norm * np.array([1, *(langevin * beam), *np.diag(uu), uu[0, 1], uu[0, 2], uu[1, 2]])
    assert of(look) @ means(look, shape) / norm == pytest.approx(truth / norm, abs=error)


def test_a_direction_with_an_unknown_angle_is_not_there():
    look = esa_look(88)
    look.phi[3] = np.nan
    look.theta[7] = np.nan
    w = of(look)
    assert not w[:, [3, 7]].any()
    assert (w[0, :3] > 0).all()


def test_axes_of_length_one_stand_for_all():
    look = fpi_look(8, 4)
    spin = np.array([0.0, 3.0])
    phi = look.phi[None, :, :1] + spin[:, None, None]
    azimuth = np.moveaxis(azimuth_factors(phi, np.full((1, 1, 1), 45.0)), 0, 1)
    polar = polar_factors(
        look.theta[None, :1], np.full((1, 1, 1), 45.0), look.solid_angle[None, :1]
    )
    both = direction_weights(azimuth, np.moveaxis(polar, 0, 1))
    assert both.shape == (2, 10, 32)
    assert both[0] == pytest.approx(of(look), abs=1e-6)
    turned = Look(look.dims, look.phi + 3.0, look.theta, look.phi_width, look.theta_width)
    assert both[1] == pytest.approx(of(turned), abs=1e-6)
