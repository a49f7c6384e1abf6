"""The moving magnetopause and bow shock, and when the spacecraft crosses them.

The aberration by the Earth's motion (4 degrees) is left out: the nose points at the Sun.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.granule import HOUR, SECOND, Interval

from .orbit import ephemeris
from .vectors import Array, length, unit
from .wind import GAMMA, Times, Wind, World, solar_wind

SOLAR_WIND, MAGNETOSHEATH, MAGNETOSPHERE = 0, 1, 2
REGIONS = ("solar_wind", "magnetosheath", "magnetosphere")
KINDS = ("magnetopause", "bow_shock")

_ECCENTRICITY = 0.81  # of the bow-shock conic: Farris, Petrinec and Russell 1991
_THINNEST_SHEATH = 0.5  # RE; keeps the boundaries in order whatever their motion
_SUNWARD = np.array([[1.0, 0.0, 0.0]])


@dataclass(frozen=True, slots=True)
class Place:
    """The spacecraft between the boundaries, each array (time) or (time, 3), GSE.

    `radial` is the unit vector to the spacecraft, `cosine` that of its angle from the Sun,
    `distance` its geocentric distance [RE]; `beyond_magnetopause` and `beyond_bow_shock` say how
    far outside it is along the radius [RE]; `standoff` [RE] and `flaring` [1] are those of the
    magnetopause.
    """

    radial: Array
    distance: Array
    cosine: Array
    beyond_magnetopause: Array
    beyond_bow_shock: Array
    standoff: Array
    flaring: Array

    @property
    def region(self) -> NDArray[np.int8]:
        """Return 0 solar wind, 1 magnetosheath, 2 magnetosphere, (time)."""
        inner = np.where(self.beyond_magnetopause < 0, MAGNETOSPHERE, MAGNETOSHEATH)
        return np.where(self.beyond_bow_shock > 0, SOLAR_WIND, inner).astype(np.int8)

    @property
    def depth(self) -> Array:
        """Return the place in the sheath, (time): 0 at the magnetopause, 1 at the bow shock."""
        thickness = self.beyond_magnetopause - self.beyond_bow_shock
        return np.clip(self.beyond_magnetopause / thickness, 0.0, 1.0)

    @property
    def shock_normal(self) -> Array:
        """Return the outward normal of the conic r (1 + e cos theta) = const, (time, 3)."""
        return unit(self.radial + _ECCENTRICITY * _SUNWARD)

    @property
    def magnetopause_normal(self) -> Array:
        """Return the outward normal of the Shue surface, (time, 3): its gradient."""
        tilt = self.flaring / (1 + self.cosine)
        return unit(self.radial - tilt[:, None] * (self.cosine[:, None] * self.radial - _SUNWARD))


@dataclass(frozen=True, slots=True)
class Crossing:
    """One true boundary crossing.

    Parameters
    ----------
    time : int
        Nanoseconds since 1970 UTC.
    kind : str
        "magnetopause" or "bow_shock".
    sense : str
        "in", towards the Earth, or "out".
    speed : float
        How fast the boundary passes, along the radius [km/s].
    """

    time: int
    kind: str
    sense: str
    speed: float


def shue_1998(cosine: Array, bz: Array, pressure: Array) -> tuple[Array, Array, Array]:
    """Return distance of the magnetopause [RE], its standoff [RE] and its flaring [1].

    Shue et al., J. Geophys. Res. 103, 17691-17700, 1998, equations 10 and 11, in the form
    r = r0 (2 / (1 + cos theta))**alpha.

    Parameters
    ----------
    cosine : array
        Cosine of the angle theta from the Sun-Earth line [1].
    bz : array
        North component of the interplanetary field [nT].
    pressure : array
        Dynamic pressure of the solar wind [nPa].
    """
    r0 = (10.22 + 1.29 * np.tanh(0.184 * (bz + 8.14))) * pressure ** (-1 / 6.6)
    alpha = (0.58 - 0.007 * bz) * (1 + 0.024 * np.log(pressure))
    return r0 * (2 / (1 + cosine)) ** alpha, r0, alpha


def farris_russell_1994(standoff: Array, mach: Array) -> Array:
    """Return the distance of the bow-shock nose [RE].

    Farris and Russell, J. Geophys. Res. 99, 17681-17689, 1994: the thickness of the sheath over the
    standoff of the magnetopause is 1.1 ((g-1) M^2 + 2) / ((g+1) (M^2 - 1)), with g = 5/3.

    Parameters
    ----------
    standoff : array
        Distance of the magnetopause nose [RE].
    mach : array
        Upstream fast magnetosonic Mach number [1], above 1.
    """
    m2 = mach * mach
    return standoff * (1 + 1.1 * ((GAMMA - 1) * m2 + 2) / ((GAMMA + 1) * (m2 - 1)))


HERE: Array = np.zeros(3)
"""Where the spacecraft is, from itself [km]."""


def locate(world: World, time: Times, wind: Wind, offset: Array = HERE) -> Place:
    """Return where the spacecraft is between the moving boundaries at some times.

    Parameters
    ----------
    world : World
        Orbit, seed and amplitude of the motion.
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    wind : Wind
        The solar wind at these times.
    offset : array, (3)
        Of the place from the spacecraft, GSE [km].
    """
    position = ephemeris(world.orbit, time)[0] + offset
    distance = length(position) / EARTH_RADIUS
    radial = position / (distance * EARTH_RADIUS)[:, None]
    cosine = np.clip(radial[:, 0], -0.98, 1.0)  # the Shue surface is open towards the tail
    surface, standoff, flaring = shue_1998(cosine, wind.magnetic_field[:, 2], wind.pressure)
    mach = np.maximum(length(wind.velocity) / wind.magnetosonic_speed, 1.6)
    shock = farris_russell_1994(standoff, mach)
    shock = shock * (1 + _ECCENTRICITY) / (1 + _ECCENTRICITY * cosine)

    # The shock follows its obstacle and has a motion of its own.
    moved = world.motion * world.process("magnetopause", time, 240, 1_800)
    own = 1.1 * world.motion * world.process("bow shock", time, 300, 2_400)
    surface = surface + moved
    shock = np.maximum(shock + moved + own, surface + _THINNEST_SHEATH)
    return Place(radial, distance, cosine, distance - surface, distance - shock, standoff, flaring)


def crossings(world: World, interval: Interval) -> tuple[Crossing, ...]:
    """Return the boundary crossings of an interval, in time order, exact to a microsecond.

    An excursion that begins and ends within one whole second of UTC is not seen.

    Parameters
    ----------
    world : World
        The simulated world.
    interval : Interval
        Half-open; the result does not depend on how a longer one is cut into pieces.
    """
    found: list[Crossing] = []
    block = 6 * HOUR
    for start in range(interval.start // block * block, interval.stop, block):
        time = np.arange(start, start + block + SECOND, SECOND, dtype=np.int64)
        for kind, beyond in zip(KINDS, _beyond(world, time), strict=True):
            outside = beyond > 0
            at = np.flatnonzero(outside[1:] != outside[:-1])
            found += _refined(world, kind, time[at], outside[at + 1])
    inside = (c for c in found if interval.start <= c.time < interval.stop)
    return tuple(sorted(inside, key=lambda c: c.time))


def _beyond(world: World, time: Times) -> tuple[Array, Array]:
    """Return the distances beyond magnetopause and bow shock, in the order of KINDS."""
    where = locate(world, time, solar_wind(world, time))
    return where.beyond_magnetopause, where.beyond_bow_shock


def _refined(world: World, kind: str, start: Times, outward: NDArray[np.bool_]) -> list[Crossing]:
    """Return one crossing for each second in which the sign changes, by bisection."""
    if not start.size:
        return []
    which = KINDS.index(kind)
    low, high = start.copy(), start + SECOND
    for _ in range(20):
        middle = (low + high) // 2
        passed = (_beyond(world, middle)[which] > 0) == outward
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    step = SECOND // 2
    rise = _beyond(world, high + step)[which] - _beyond(world, high - step)[which]
    return [
        Crossing(int(t), kind, "out" if out else "in", float(abs(v)) * EARTH_RADIUS)
        for t, out, v in zip(high, outward, rise, strict=True)
    ]
