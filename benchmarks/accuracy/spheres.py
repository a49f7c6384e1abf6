"""Velocity space cut into shells and cells of direction: means and sums of what can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cases import Case
from .plasmas import nodes, speed_of


@dataclass(frozen=True)
class Sphere:
    """Points in cells around an origin: `v` [m/s] and `volume` [m^3 s^-3], 0 where nothing is seen.

    Both are (speed node, phi, phi node, theta, theta node, energy), `v` with components last.
    """

    v: np.ndarray
    volume: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return integrals over cells, (phi, theta, energy)."""
        return (values * self.volume).sum((0, 2, 4))

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return means over what is seen of each cell (phi, theta, energy), NaN where nothing."""
        whole = self.sums(np.ones_like(self.volume))
        return np.divide(
            self.sums(values), whole, out=np.full(whole.shape, np.nan), where=whole > 0
        )


def sphere(
    case: Case,
    basis: np.ndarray,
    theta: np.ndarray,
    phis: int = 1,
    *,
    energies: tuple[np.ndarray, np.ndarray] | None = None,
    origin: np.ndarray | None = None,
    down: int = 64,
    around: int = 64,
) -> Sphere:
    """Return the cells between colatitudes [deg] from basis[2], with azimuths from basis[0].

    Parameters
    ----------
    energies : pair of (energy,)
        Edges [eV] around the origin; without any those of the first record's table.
    origin : (3,)
        [km/s].
    down, around : int
        How many colatitudes and azimuths there are at least, in all cells together.
    """
    edges = tuple(e[0] for e in case.instrument.limits) if energies is None else energies
    low, high = (speed_of(e, case.plasma.mass) for e in edges)
    cosines = np.cos(np.radians(theta))
    x, w = nodes(-1.0, 1.0, 4 if case.resolved else 7)
    speed = (0.5 * (high - low) * x[:, None] + 0.5 * (high + low))[:, None, None, None, None]
    dv = (0.5 * (high - low) * w[:, None])[:, None, None, None, None]
    y, h = nodes(-1.0, 1.0, max(5, -(-down // (theta.size - 1))))
    half = 0.5 * (cosines[:-1] - cosines[1:])[:, None]
    mu = 0.5 * (cosines[:-1] + cosines[1:])[:, None] + half * y
    turns = max(4, -(-around // phis))
    phi = 2 * np.pi * (np.arange(phis * turns) + 0.5) / (phis * turns)
    ring = np.cos(phi)[:, None] * basis[0] + np.sin(phi)[:, None] * basis[1]
    u = np.sqrt(1 - mu**2)[..., None] * ring[:, None, None] + mu[..., None] * basis[2]
    u = u.reshape(phis, turns, *mu.shape, 1, 3)
    v = speed[..., None] * u
    if origin is not None:
        v = v + 1e3 * np.asarray(origin)
    share = (half * h)[None, None, :, :, None] * (2 * np.pi / phi.size)
    return Sphere(v, speed**2 * dv * share * case.visible(v))
