"""The ions and the field at the spacecraft: a state for each region, joined by thin layers.

Every number is a function of (seed, time); vectors are GSE.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.constants import EARTH_RADIUS, ELEMENTARY_CHARGE, PROTON_MASS

from .boundaries import HERE, Place, locate
from .vectors import Array, dot, length, split
from .wind import GAMMA, Times, Wind, World, solar_wind

_ION_SHARE = 0.85  # of the heat that the shock makes; electrons have the rest
_EARTH_FIELD = 30_100.0  # nT, dipole field at the equator, 1 RE
_RAMP = 0.012  # RE, half thickness of the shock
_LAYER = 0.04  # RE, half thickness of the magnetopause


@dataclass(frozen=True, slots=True)
class Plasma:
    """The truth at the spacecraft, each array (time) or (time, 3).

    `position` [km], `density` [cm^-3], `velocity` [km/s], `parallel` and `perpendicular`
    temperature [eV], `magnetic_field` [nT], `region` (0 solar wind, 1 magnetosheath, 2
    magnetosphere).
    """

    time: Times
    position: Array
    density: Array
    velocity: Array
    parallel: Array
    perpendicular: Array
    magnetic_field: Array
    region: NDArray[np.int8]


def compression(mach: Array) -> Array:
    """Return the Rankine-Hugoniot density ratio of a gas shock [1], 1 below Mach 1.

    Landau and Lifshitz, Fluid Mechanics, section 89, with an adiabatic index of 5/3.
    """
    m2 = np.maximum(mach, 1.0) ** 2
    return (GAMMA + 1) * m2 / ((GAMMA - 1) * m2 + 2)


def plasma(world: World, time: Times, offset: Array = HERE) -> Plasma:
    """Return ions and field at the spacecraft at some times.

    Across a boundary the states are joined by a tanh layer: densities as logarithms, velocities,
    temperatures weighted by density, and fields linearly.

    Parameters
    ----------
    world : World
        The simulated world.
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    offset : array, (3)
        Of the place from the spacecraft, GSE [km].
    """
    wind = solar_wind(world, time)
    where = locate(world, time, wind, offset)
    upstream = _state(wind.density, wind.velocity, wind.temperature, 0.85, wind.magnetic_field)
    layer = _LAYER * 10 ** (0.2 * world.process("layer", time, 900, 20_000))
    ramp = _RAMP * 10 ** (0.2 * world.process("ramp", time, 900, 20_000))
    ahead = 0.5 * (1 + np.tanh(where.beyond_bow_shock / ramp))
    outside = 0.5 * (1 + np.tanh(where.beyond_magnetopause / layer))
    outer = _joined(_magnetosheath(world, time, wind, where), upstream, ahead)
    here = _joined(_magnetosphere(world, time, where), outer, outside)
    position = where.radial * (where.distance * EARTH_RADIUS)[:, None]
    return Plasma(time, position, here.density, here.velocity, here.parallel, here.perpendicular,
                  here.magnetic_field, where.region)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _State:
    """One region's plasma, whether or not the spacecraft is in it."""

    density: Array
    velocity: Array
    parallel: Array
    perpendicular: Array
    magnetic_field: Array


def _state(n: Array, v: Array, temperature: Array, anisotropy: float, b: Array) -> _State:
    """Return a state of a mean temperature and a ratio T_perp / T_par."""
    parallel = 3 * temperature / (1 + 2 * anisotropy)
    return _State(n, v, parallel, anisotropy * parallel, b)


def _joined(a: _State, b: _State, share: Array) -> _State:
    """Return the mixture of two states, the second one with a weight between 0 and 1."""
    rest = 1 - share
    weight = share * b.density / (rest * a.density + share * b.density)
    column = share[:, None]
    return _State(
        np.exp(rest * np.log(a.density) + share * np.log(b.density)),
        (1 - column) * a.velocity + column * b.velocity,
        (1 - weight) * a.parallel + weight * b.parallel,
        (1 - weight) * a.perpendicular + weight * b.perpendicular,
        (1 - column) * a.magnetic_field + column * b.magnetic_field,
    )


def _magnetosheath(world: World, time: Times, wind: Wind, where: Place) -> _State:
    """Return shocked solar wind on its way around the obstacle.

    At the shock the normal velocity falls by the compression ratio, the tangential field grows by
    it, and the heat is what the conservation of momentum leaves: p2 = p1 + rho1 Vn^2 (1 - 1/X). On
    the way to the magnetopause velocity and field turn parallel to it, and the field piles up.
    Fluctuations of 15 s to 3 min ride on top.
    """
    depth, column = where.depth, where.depth[:, None]
    normal = where.shock_normal
    v_across, v_along = split(wind.velocity, normal)
    ratio = compression(np.abs(v_across) / wind.magnetosonic_speed)
    b_across, b_along = split(wind.magnetic_field, normal)
    v_shock = v_along + (v_across / ratio)[:, None] * normal
    b_shock = b_along * ratio[:, None] + b_across[:, None] * normal

    v_obstacle = 0.8 * split(wind.velocity, where.magnetopause_normal)[1]
    b_obstacle = 1.3 * ratio[:, None] * split(wind.magnetic_field, where.magnetopause_normal)[1]

    ram = PROTON_MASS * (v_across * 1e3) ** 2 * (1 - 1 / ratio) / ELEMENTARY_CHARGE  # eV per ion
    temperature = wind.temperature / ratio + _ION_SHARE * ram / ratio

    def ripple(name: str, size: float) -> Array:
        return world.turbulence * size * world.process("sheath " + name, time, 15, 180)

    density = wind.density * ratio * (1 + 0.1 * (1 - depth)) * np.exp(ripple("density", 0.06))
    temperature = temperature * (1 + 0.1 * (1 - depth)) * np.exp(ripple("temperature", 0.03))
    gust = np.stack([ripple(f"velocity {axis}", 8.0) for axis in "xyz"], axis=1)
    velocity = column * v_shock + (1 - column) * v_obstacle + gust
    smooth = column * b_shock + (1 - column) * b_obstacle
    wave = np.stack([ripple(f"field {axis}", 0.12) for axis in "xyz"], axis=1)
    return _state(density, velocity, temperature, 1.3, smooth + wave * length(smooth)[:, None])


def _magnetosphere(world: World, time: Times, where: Place) -> _State:
    """Return thin hot plasma at rest in a dipole field that the solar wind compresses.

    The field of the magnetopause currents is uniform and northward, equal to the dipole's at the
    nose, so that the field there is doubled (Mead, J. Geophys. Res. 69, 1181, 1964). The ions have
    2.2 keV: the energy table must hold the distribution.
    """
    density = 0.5 * 10 ** (0.12 * world.process("sphere density", time, 1_800, 40_000))
    temperature = 2_200 * 10 ** (0.05 * world.process("sphere temperature", time, 1_800, 40_000))
    velocity = np.stack(
        [15 * world.process(f"sphere velocity {axis}", time, 120, 3_000) for axis in "xyz"], axis=1
    )
    north = np.zeros_like(where.radial)
    north[:, 2] = 1.0
    # The Earth's moment points south: B = B0/r^3 (z - 3 (z.r) r), northward at the equator.
    dipole = north - 3 * dot(north, where.radial)[:, None] * where.radial
    dipole = dipole * (_EARTH_FIELD / where.distance**3)[:, None]
    currents = north * (_EARTH_FIELD / where.standoff**3)[:, None]
    return _state(density, velocity, temperature, 1.15, dipole + currents)
