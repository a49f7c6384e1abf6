"""A case: one plasma seen by one instrument, with its truth in various shapes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from tests.analytic import Truth, field

from .instruments import Instrument
from .plasmas import BiKappa, BiMaxwellian, nodes, speed_of, truth

B = (3.0, -8.0, 15.0)
"""Not along any axis of an instrument."""

RESOLVED = 1.5
"""Bins up to so many thermal standard deviations wide resolve a plasma: beyond, sums over bins no
longer know the shape inside them. Of T, moments of an isotropic beam at 328 km/s are off by 0.07 %
on FPI 2020 and 0.4 % on HIA at 1.5, by 0.3 and 1.3 % at 1.7, by 3 % on FPI at 2.3."""

IONS = {
    "magnetosheath": BiMaxwellian(5, (-250, 80, 40), 400, 600, B),
    "kappa 4": BiKappa(2, (-150, 60, -30), 800, 600, B, kappa=4.0),
    "magnetosphere": BiMaxwellian(0.5, (30, -50, 20), 2500, 3500, B),
    "cold solar wind": BiMaxwellian(10, (-326, 30, -20), 12, 8, B),
}
ELECTRONS = {
    "magnetosheath": BiMaxwellian(15, (-250, 80, 40), 45, 60, B, "e-"),
    "kappa 4": BiKappa(15, (-250, 80, 40), 90, 60, B, "e-", kappa=4.0),
    "magnetosphere": BiMaxwellian(0.5, (30, -50, 20), 900, 700, B, "e-"),
    "solar wind": BiMaxwellian(10, (-400, 30, 10), 12, 10, B, "e-"),
}
WIND = {
    "slow wind": BiMaxwellian(15, (-400, 20, -15), 10, 14, B),
    "fast wind": BiMaxwellian(4, (-620, 30, 20), 30, 45, B),
    "kappa 5": BiKappa(8, (-450, -20, 15), 15, 12, B, kappa=5.0),
}


@dataclass(frozen=True)
class Case:
    """One plasma and one instrument."""

    instrument: Instrument
    plasma_name: str
    plasma: BiMaxwellian

    @property
    def width(self) -> float:
        """Width of the bins in thermal standard deviations."""
        return self.instrument.widest(self.plasma)

    @property
    def resolved(self) -> bool:
        """Tell whether the instrument resolves the plasma."""
        return self.width <= RESOLVED

    @cached_property
    def vdf(self) -> xr.Dataset:
        """What the instrument sees."""
        return self.instrument.observe(self.plasma, 4 if self.resolved else 7)

    @cached_property
    def b(self) -> xr.Dataset:
        """The magnetic field [nT] around its records."""
        return field(self.vdf, self.plasma.b)

    @cached_property
    def truths(self) -> list[Truth]:
        """Moments of what it can see, one per record."""
        ranges = zip(*(e for e in self.instrument.limits), strict=True)
        sky = self.instrument.field_of_view
        return [truth(self.plasma, low.min(), high.max(), *sky) for low, high in ranges]

    @property
    def thermal(self) -> float:
        """Thermal speed sqrt(2 T/m) [km/s]."""
        return 1e-3 * float(speed_of(self.truths[0].temperature, self.plasma.mass))

    def pitch(self, bins: int, record: int) -> np.ndarray:
        """Mean of f over what is seen of each bin of pitch angle and energy (bin, energy)."""
        low, high = (speed_of(e[record], self.plasma.mass) for e in self.instrument.limits)
        edges = np.cos(np.linspace(0, np.pi, bins + 1))
        x, w = nodes(-1.0, 1.0, 6)
        one = np.cross(self.plasma.direction, [1.0, 0.0, 0.0])
        one /= np.linalg.norm(one)
        two = np.cross(self.plasma.direction, one)
        total, volume = np.zeros((bins, low.size)), np.zeros((bins, low.size))
        phases = 24 if self.instrument.whole else 720
        phase = 2 * np.pi * (np.arange(phases) + 0.5) / phases
        across = np.cos(phase)[:, None] * one + np.sin(phase)[:, None] * two
        for xs, ws in zip(x, w, strict=True):
            speed = 0.5 * (high - low) * xs + 0.5 * (high + low)
            for xm, wm in zip(x, w, strict=True):
                mu = 0.5 * (edges[1:] + edges[:-1]) + 0.5 * (edges[1:] - edges[:-1]) * xm
                u = mu[:, None, None] * self.plasma.direction
                u = u + np.sqrt(1 - mu**2)[:, None, None] * across
                seen = self._in_view(u)
                f = self.plasma.f(u[:, :, None] * speed[:, None])
                total += wm * ws * speed**2 * (f * seen[..., None]).sum(1)
                volume += wm * ws * speed**2 * seen.sum(1)[:, None]
        return np.divide(total, volume, out=np.full(total.shape, np.nan), where=volume > 0)

    def line(self, axis: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Projection on an axis [s m^-4] at v [km/s], of what can be seen, mean over each cell."""
        e = np.asarray(axis, float) / np.linalg.norm(axis)
        one, two = _across(e)
        half = 0.5e3 * (v[1] - v[0])
        radius, dr = nodes(0.0, self._reach(), 80)
        phase = 2 * np.pi * (np.arange(32) + 0.5) / 32
        ring = np.cos(phase)[:, None] * one + np.sin(phase)[:, None] * two
        drift = 1e3 * np.asarray(self.plasma.velocity)
        centre = drift - (drift @ e) * e
        plane = centre + radius[:, None, None] * ring
        total = np.zeros(v.size)
        for x, w in zip(*nodes(-1.0, 1.0, 3), strict=True):
            at = 1e3 * v + half * x
            for k in range(0, v.size, 20):
                u = at[k : k + 20, None, None, None] * e + plane
                g = self._seen(u).mean(-1) * (2 * np.pi * radius * dr)
                total[k : k + 20] += 0.5 * w * g.sum(-1)
        return total

    def plane(self, one: np.ndarray, two: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Projection on a plane [s^2 m^-5] at (v, v) [km/s] over what can be seen."""
        third = np.cross(one, two)
        drift = 1e3 * float(np.dot(self.plasma.velocity, third))
        depth, dz = nodes(drift - self._reach(), drift + self._reach(), 80)
        half = 0.5e3 * (v[1] - v[0])
        total = np.zeros((v.size, v.size))
        for x, w in zip(*nodes(-1.0, 1.0, 2), strict=True):
            for y, wy in zip(*nodes(-1.0, 1.0, 2), strict=True):
                second = (1e3 * v + half * y)[:, None, None] * two + depth[:, None] * third
                for k, first in enumerate(1e3 * v + half * x):
                    g = self._seen(first * one + second)
                    total[k] += 0.25 * w * wy * (g * dz).sum(-1)
        return total

    def _reach(self) -> float:
        """How far from the bulk velocity there is anything to speak of [m/s]."""
        widths = 14 if isinstance(self.plasma, BiKappa) else 5.5
        hottest = max(self.plasma.parallel, self.plasma.perpendicular)
        return widths / np.sqrt(2) * float(speed_of(hottest, self.plasma.mass))

    def _seen(self, v: np.ndarray) -> np.ndarray:
        """f [s^3 m^-6] where the first record's energies and the field of view reach."""
        return np.where(self.visible(v), self.plasma.f(v), 0.0)

    def visible(self, v: np.ndarray) -> np.ndarray:
        """Tell which velocities (..., 3) [m/s] the first record's bins hold."""
        speed2 = (v**2).sum(-1)
        low, high = (speed_of(e[0], self.plasma.mass) for e in self.instrument.limits)
        there = (speed2 >= low.min() ** 2) & (speed2 < high.max() ** 2)
        return there & self._in_view(v)

    def _in_view(self, v: np.ndarray) -> np.ndarray:
        """Tell which vectors (..., 3) fly in directions that the instrument sees."""
        if self.instrument.whole:
            return np.ones(v.shape[:-1], bool)
        phi, theta = self.instrument.field_of_view
        around = np.degrees(np.arctan2(v[..., 1], v[..., 0])) % 360
        length = np.sqrt(np.maximum((v**2).sum(-1), 1e-9))
        down = np.degrees(np.arccos(v[..., 2] / length))
        inside = (around >= phi[0]) & (around < phi[1])
        return inside & (down >= theta[0]) & (down < theta[1])


def _across(e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one = np.cross(e, np.eye(3)[np.argmin(np.abs(e))])
    one /= np.linalg.norm(one)
    return one, np.cross(e, one)


def plasmas_for(instrument: Instrument) -> dict[str, BiMaxwellian]:
    """Return the plasmas that an instrument is tried on."""
    if not instrument.whole:
        return WIND
    return IONS if instrument.species == "H+" else ELECTRONS
