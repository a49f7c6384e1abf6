"""What drives the simulation: its World, and the solar wind as a function of (seed, time)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS, VACUUM_PERMEABILITY

from .noise import Harmonics
from .orbit import Orbit
from .vectors import Array, length

Times = NDArray[np.int64]

GAMMA = 5.0 / 3.0
"""Adiabatic index of the solar wind."""

ELECTRON_TEMPERATURE = 10.0
"""Everywhere [eV]; enters the Mach number, and what electrons are said to have."""


@dataclass(frozen=True, slots=True)
class World:
    """All that decides a simulation: the same World gives the same numbers.

    Parameters
    ----------
    seed : int
        Chooses solar wind, turbulence and boundary motion.
    orbit : Orbit
        Where the spacecraft flies.
    motion : float
        Root mean square excursion of the magnetopause [RE]; the bow shock moves half as much again.
        Zero gives quiet boundaries, which follow the solar wind only.
    turbulence : float
        Scale of the fluctuations in the magnetosheath: 1 is ordinary, 0 laminar.
    density, speed, temperature, magnetic_field : float
        Medians of the solar wind: n [cm^-3], V [km/s], T [eV] at the median speed, |B| [nT].
    """

    seed: int = 1
    orbit: Orbit = field(default_factory=Orbit)
    motion: float = 0.35
    turbulence: float = 1.0
    density: float = 6.0
    speed: float = 420.0
    temperature: float = 24.0
    magnetic_field: float = 4.5

    def process(self, name: str, time: Times, shortest: float, longest: float) -> Array:
        """Return the smooth random process of a name, (time), zero mean and unit variance.

        Parameters
        ----------
        name : str
            What it is for; other names are independent.
        time : int64 array, (time)
            Nanoseconds since 1970 UTC.
        shortest, longest : float
            Range of its periods [s].
        """
        return Harmonics.seeded(self.seed, name, shortest, longest).at(time)


@dataclass(frozen=True, slots=True)
class Wind:
    """The solar wind ahead of the bow shock: n [cm^-3], V [km/s], T [eV], B [nT]; vectors GSE."""

    density: Array
    velocity: Array
    temperature: Array
    magnetic_field: Array

    @property
    def pressure(self) -> Array:
        """Return the dynamic pressure of the protons, (time) [nPa]."""
        return PROTON_MASS * 1e21 * self.density * length(self.velocity) ** 2

    @property
    def magnetosonic_speed(self) -> Array:
        """Return the fast magnetosonic speed across the field, (time) [km/s]."""
        b = length(self.magnetic_field) * 1e-9
        alfven_2 = b * b / (VACUUM_PERMEABILITY * PROTON_MASS * self.density * 1e6)
        heat = ELEMENTARY_CHARGE * (self.temperature + ELECTRON_TEMPERATURE)
        return 1e-3 * np.sqrt(alfven_2 + GAMMA * heat / PROTON_MASS)


def solar_wind(world: World, time: Times) -> Wind:
    """Return the solar wind at some times: medians and spreads of 1 AU, but hotter.

    T follows V^2, so that in any wind a distribution is the same number of angular bins wide. With
    the default 24 eV a bin of 11.25 degrees is 1.7 thermal standard deviations: sums over bins give
    n, V and T to better than 1 %. In the usual 10 eV nearly all ions are in a few bins, and T is
    beyond such an instrument.

    Parameters
    ----------
    world : World
        Medians and seed.
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    """

    def process(name: str, shortest: float, longest: float) -> Array:
        return world.process("wind " + name, time, shortest, longest)

    density = world.density * 10 ** (0.12 * process("density", 600, 86_400))
    speed = world.speed * (1 + 0.10 * np.tanh(process("speed", 7_200, 6 * 86_400)))
    east, north = (speed * 0.03 * process(side, 900, 20_000) for side in ("east", "north"))
    velocity = np.stack([-speed, east, north], axis=1)
    warmth = 10 ** (0.04 * np.abs(process("temperature", 1_200, 40_000)))
    temperature = world.temperature * (speed / world.speed) ** 2 * warmth
    magnitude = world.magnetic_field * 10 ** (0.08 * process("field", 900, 40_000))
    cone = np.deg2rad(135 + 25 * process("cone", 600, 20_000))  # the Parker spiral, inward sector
    clock = np.deg2rad(60 * process("clock", 900, 30_000))
    direction = [np.cos(cone), np.sin(cone) * np.cos(clock), np.sin(cone) * np.sin(clock)]
    return Wind(density, velocity, temperature, magnitude[:, None] * np.stack(direction, axis=1))
