"""Analytic plasmas, and their truth within what an instrument can see.

Bi-Maxwellians are those of the tests; here are bi-kappas beside them, and quadratures over the
energies and the field of view of an instrument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tests.analytic import BiMaxwellian, E, Truth

__all__ = ["BiKappa", "BiMaxwellian", "E", "nodes", "speed_of", "truth"]


@dataclass(frozen=True)
class BiKappa(BiMaxwellian):
    """A drifting bi-kappa with temperatures [eV] that are its second moments (kappa > 3/2).

    f ~ (1 + w_par^2 / (kappa theta_par^2) + w_perp^2 / (kappa theta_perp^2))^-(kappa + 1),
    theta^2 = (2 kappa - 3)/kappa T/m (Summers and Thorne 1991, Phys. Fluids B 3, 1835).
    """

    kappa: float = 4.0

    def f(self, v: np.ndarray) -> np.ndarray:
        """f [s^3 m^-6] at velocities (..., 3) in m/s."""
        w = v - 1e3 * np.asarray(self.velocity)
        along = w @ self.direction
        across2 = (w**2).sum(-1) - along**2
        scale = (2 * self.kappa - 3) * E / self.mass
        par2, perp2 = scale * self.parallel, scale * self.perpendicular  # kappa theta^2
        norm = 1e6 * self.density * math.gamma(self.kappa + 1) / math.gamma(self.kappa - 0.5)
        norm /= np.pi**1.5 * np.sqrt(par2) * perp2
        return norm * (1 + along**2 / par2 + across2 / perp2) ** -(self.kappa + 1)


def nodes(a: float, b: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [a, b]."""
    x, w = np.polynomial.legendre.leggauss(count)
    return 0.5 * (b - a) * x + 0.5 * (b + a), 0.5 * (b - a) * w


def speed_of(energy: np.ndarray | float, mass: float) -> np.ndarray:
    """Speed [m/s] of an energy [eV]."""
    return np.sqrt(2 * E * np.asarray(energy, float) / mass)


def truth(
    plasma: BiMaxwellian,
    lowest: float,
    highest: float,
    phi: tuple[float, float] = (0.0, 360.0),
    theta: tuple[float, float] = (0.0, 180.0),
) -> Truth:
    """Moments of what flies with energies [eV] and in directions [deg] between limits."""
    first, last = speed_of(lowest, plasma.mass), speed_of(highest, plasma.mass)
    if not isinstance(plasma, BiKappa):
        reach = 7 * speed_of(max(plasma.parallel, plasma.perpendicular), plasma.mass)
        drift = 1e3 * np.linalg.norm(plasma.velocity)
        first, last = max(first, drift - reach), min(last, drift + reach)
    speed, ds = nodes(float(first), float(last), 240)
    mu, dmu = nodes(float(np.cos(np.radians(theta[1]))), float(np.cos(np.radians(theta[0]))), 96)
    whole = phi[1] - phi[0] >= 360
    if whole:
        around, dphi = 2 * np.pi * (np.arange(96) + 0.5) / 96, np.full(96, 2 * np.pi / 96)
    else:
        around, dphi = nodes(float(np.radians(phi[0])), float(np.radians(phi[1])), 96)
    sin = np.sqrt(1 - mu**2)
    u = np.stack([np.outer(sin, np.cos(around)), np.outer(sin, np.sin(around)),
                  np.outer(mu, np.ones(96))], -1)  # fmt: skip
    solid = np.outer(dmu, dphi)
    n, nv, nvv, nvvv = 0.0, np.zeros(3), np.zeros((3, 3)), np.zeros(3)
    for s, step in zip(speed, ds, strict=True):
        g = plasma.f(s * u) * solid * s**2 * step
        n += g.sum()
        nv += s * np.einsum("ij,ijk->k", g, u)
        nvv += s**2 * np.einsum("ij,ijk,ijl->kl", g, u, u)
        nvvv += s**3 * np.einsum("ij,ijk->k", g, u)
    bulk = nv / n
    central = nvv - n * np.outer(bulk, bulk)
    heat = nvvv - bulk * np.trace(nvv) - 2 * nvv @ bulk + 2 * n * bulk * (bulk @ bulk)
    return Truth(n * 1e-6, bulk * 1e-3, plasma.mass * central * 1e9,
                 plasma.mass * central / n / E, 0.5 * plasma.mass * heat * 1e3)  # fmt: skip
