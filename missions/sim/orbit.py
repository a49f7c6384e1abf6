"""Where the simulated spacecraft is: a Kepler ellipse, fixed among the stars, seen in GSE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.granule import DAY

from .noise import ORIGIN

_MU = 398_600.4418  # km^3 s^-2, geocentric gravitational constant (IERS Conventions 2010)
_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Orbit:
    """A Kepler ellipse around the Earth.

    Parameters
    ----------
    perigee, apogee : float
        Geocentric distances [RE].
    inclination : float
        Tilt of the plane about the line of apsides [deg].
    apogee_longitude : float
        GSE longitude of the apogee on 2030-01-01 [deg], 0 is noon; the Earth's motion around the
        Sun turns it by one turn in a year.
    perigee_hours : float
        A perigee passage, in hours from 2030-01-01.
    """

    perigee: float = 2.0
    apogee: float = 20.0
    inclination: float = 18.0
    apogee_longitude: float = 22.0
    perigee_hours: float = -5.3

    @property
    def period(self) -> float:
        """Return the time of one revolution [s]."""
        a = 0.5 * (self.perigee + self.apogee) * EARTH_RADIUS
        return float(2 * np.pi * np.sqrt(a**3 / _MU))


def ephemeris(
    orbit: Orbit, time: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return position [km] and velocity [km/s] of the spacecraft, both (time, 3), GSE.

    Kepler's equation by Newton's method (Vallado, Fundamentals of Astrodynamics, 2013, section
    2.2); GSE turns with the mean longitude of the Sun, its ellipticity and nutation left out.

    Parameters
    ----------
    orbit : Orbit
        The ellipse.
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    """
    a = 0.5 * (orbit.perigee + orbit.apogee) * EARTH_RADIUS
    e = (orbit.apogee - orbit.perigee) / (orbit.apogee + orbit.perigee)
    motion = 2 * np.pi / orbit.period
    seconds = (time - ORIGIN) * 1e-9 - orbit.perigee_hours * 3600.0
    revolutions = seconds / orbit.period
    mean = 2 * np.pi * (revolutions - np.floor(revolutions + 0.5))
    ecc = mean + e * np.sin(mean)
    for _ in range(10):
        ecc = ecc - (ecc - e * np.sin(ecc) - mean) / (1 - e * np.cos(ecc))
    cos, sin = np.cos(ecc), np.sin(ecc)
    minor = a * np.sqrt(1 - e * e)
    rate = motion / (1 - e * cos)
    x, y = a * (cos - e), minor * sin
    vx, vy = -a * sin * rate, minor * cos * rate

    tilt = np.deg2rad(orbit.inclination)
    turn_rate = -2 * np.pi / (_YEAR_DAYS * DAY * 1e-9)
    days = (time - ORIGIN) / DAY
    turn = np.deg2rad(orbit.apogee_longitude) + np.pi - 2 * np.pi * days / _YEAR_DAYS
    c, s = np.cos(turn), np.sin(turn)
    yt, vyt = y * np.cos(tilt), vy * np.cos(tilt)
    gx, gy = x * c - yt * s, x * s + yt * c
    position = np.stack([gx, gy, y * np.sin(tilt)], axis=1)
    velocity = np.stack(
        [vx * c - vyt * s - turn_rate * gy, vx * s + vyt * c + turn_rate * gx, vy * np.sin(tilt)],
        axis=1,
    )
    return position, velocity
