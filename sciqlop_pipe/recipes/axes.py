"""Axes of the named frames: where x, y and z of GSE, GSM, ... point, at any time.

Positions of the Sun and the Earth, precession, nutation and sidereal time are those of ERFA, the
astronomers' library (IAU 2006/2000B; `pyerfa`), the dipole that of the IGRF. UT1 is taken as UTC,
which turns GEO and MAG (and GSM and SM by a fifth of that) by at most 0.004 deg. The Sun is where
it is, not where a moving Earth sees it: GSE of teams who take the latter is turned by 0.0057 deg.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import erfa
import numpy as np

from ..errors import UsageError, near
from ..granule import DAY, HOUR
from .geomagnetic import MODEL, dipole_axis

AU = 149_597_870.7
"""Astronomical unit [km]."""

ALIASES = {"ECI": "J2000", "GEI_J2000": "J2000", "GEI/J2000": "J2000", "GEI2000": "J2000",
           "ICRF": "J2000", "TOD": "GEI", "HGI": "HCI"}  # fmt: skip
"""Other names of the same axes, to better than 0.0001 deg."""

_UNIX, _J2000 = 2440587.5, 2451545.0  # Julian dates
# North pole of the Sun (right ascension, declination) and its prime meridian [deg], [deg/day].
_SOLAR_POLE = (286.13, 63.87)
_SOLAR_MERIDIAN, _SOLAR_RATE = 84.176, 14.1844000


def canonical(frame: str) -> str:
    """Return the name under which a frame is known here.

    Raises
    ------
    UsageError
        When it is not one of the named frames.
    """
    name = ALIASES.get(frame.upper(), frame.upper())
    if name not in FRAMES and name != "RTN":
        known = [*FRAMES, "RTN"]
        raise UsageError(
            f"frame '{frame}' is not one that follows from time",
            "frames",
            (near(name, known) + " " if near(name, known) else "")
            + f"Known: {', '.join(known)}. Frames of a spacecraft need its attitude.",
        )
    return name


def rotation(source: str, target: str, time: np.ndarray, model: str = MODEL) -> np.ndarray:
    """Matrices (time, 3, 3) that turn components in one frame into those in another.

    Parameters
    ----------
    source, target : str
        Names of frames, see `FRAMES`.
    time : ndarray int64 (time)
        [ns] since 1970 UTC.
    model : str
        Reference field whose dipole MAG, GSM and SM follow.

    Raises
    ------
    UsageError
        When a frame is not known, or is RTN (which needs a position).
    """
    return np.einsum("tik,tjk->tij", axes(target, time, model), axes(source, time, model))


def axes(frame: str, time: np.ndarray, model: str = MODEL) -> np.ndarray:
    """Unit vectors x, y, z of a frame in J2000, (time, axis, component).

    Raises
    ------
    UsageError
        When the frame is not known, or is RTN.
    """
    name = canonical(frame)
    if name == "RTN":
        raise UsageError("RTN needs the position of the spacecraft", "frames", "Give a position")
    return FRAMES[name].axes(Sky.at(time, model))


def earth_position(time: np.ndarray) -> np.ndarray:
    """Position of the Earth from the Sun in J2000, (time, 3) [km]."""
    return Sky.at(time).earth * AU


def rtn_axes(heliocentric: np.ndarray) -> np.ndarray:
    """Unit vectors R, T, N in J2000 (position, axis, component) of positions from the Sun in J2000.

    R points away from the Sun, T = (solar rotation axis) x R, N = R x T.

    References
    ----------
    Fraenz and Harper (2002), Planet. Space Sci. 50, 217, doi:10.1016/S0032-0633(01)00119-2.
    """
    r = _unit(heliocentric)
    t = _unit(np.cross(solar_pole(), r))
    return np.stack([r, t, np.cross(r, t)], axis=1)


def solar_pole() -> np.ndarray:
    """Unit vector of the Sun's rotation axis in J2000 (3).

    References
    ----------
    Seidelmann et al. (2007), Celest. Mech. Dyn. Astr. 98, 155, doi:10.1007/s10569-007-9072-y.
    """
    ra, dec = np.radians(_SOLAR_POLE)
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def prime_meridian(time: np.ndarray) -> np.ndarray:
    """Unit vectors of Carrington longitude 0 on the Sun's equator in J2000, (time, 3).

    References
    ----------
    Seidelmann et al. (2007): W = 84.176 + 14.1844000 d from the node on the equator of J2000.
    """
    angle = np.radians((_SOLAR_MERIDIAN + _SOLAR_RATE * terrestrial_days(time)) % 360.0)
    node = _unit(np.cross([0.0, 0.0, 1.0], solar_pole()))
    side = np.cross(solar_pole(), node)
    return np.cos(angle)[:, None] * node + np.sin(angle)[:, None] * side


@dataclass(frozen=True, slots=True)
class Sky:
    """What the axes follow from, at times (time,) [ns] since 1970 UTC.

    `earth` (time, 3) is the Earth from the Sun [AU], `true_of_date` (time, 3, 3) the axes of the
    true equator and equinox of date, `ecliptic_pole` (time, 3) the pole of the ecliptic of date,
    all in J2000; `model` the reference field.
    """

    time: np.ndarray
    earth: np.ndarray
    true_of_date: np.ndarray
    ecliptic_pole: np.ndarray
    model: str

    @classmethod
    def at(cls, time: np.ndarray, model: str = MODEL) -> Sky:
        """Return the sky at some times: computed at full hours of UTC and linear between them.

        In an hour the Earth moves by 0.0007 rad around the Sun: the chord is off by 6e-8 rad.
        """
        time = np.atleast_1d(np.asarray(time, np.int64))
        hour = time // HOUR
        hours, slot = np.unique(np.concatenate([hour, hour + 1]), return_inverse=True)
        days = terrestrial_days(hours * HOUR)
        earth, _ = erfa.epv00(_J2000, days)
        before, after = slot[: time.size], slot[time.size :]
        part = (time - hour * HOUR) / HOUR

        def between(values: np.ndarray) -> np.ndarray:
            w = part.reshape(-1, *(1,) * (values.ndim - 1))
            return (1 - w) * values[before] + w * values[after]

        return cls(
            time,
            between(np.asarray(earth["p"])),
            between(np.asarray(erfa.pnm00b(_J2000, days))),
            between(np.asarray(erfa.ecm06(_J2000, days))[:, 2]),
            model,
        )

    @property
    def geographic(self) -> np.ndarray:
        """Return the axes of GEO, (time, 3, 3)."""
        whole, rest = np.divmod(self.time, DAY)
        angle = np.asarray(erfa.gst00b(_UNIX + whole.astype(float), rest / DAY))
        return np.einsum("tij,tjk->tik", _about_z(angle), self.true_of_date)

    @property
    def sun(self) -> np.ndarray:
        """Return the direction of the Sun from the Earth, (time, 3)."""
        return _unit(-self.earth)

    def dipole(self, geographic: np.ndarray) -> np.ndarray:
        """Return the direction of the dipole's northern pole given the axes of GEO, (time, 3)."""
        return np.einsum("ti,tij->tj", dipole_axis(self.time, self.model), geographic)


def terrestrial_days(time: np.ndarray) -> np.ndarray:
    """Days of terrestrial time since 2000-01-01 12:00 TT, (time,), of times [ns] since 1970 UTC."""
    whole, rest = np.divmod(np.asarray(time, np.int64), DAY)
    return whole + (_UNIX - _J2000) + rest / DAY + (32.184 + _leap_seconds(time)) / 86_400


def _leap_seconds(time: np.ndarray) -> np.ndarray:
    """Return TAI - UTC [s]; before 1972, where UTC was stretched, its value of 1972."""
    table = erfa.leap_seconds.get()
    since = np.array(
        [np.datetime64(f"{r['year']:04d}-{r['month']:02d}-01", "ns") for r in table]
    ).astype(np.int64)
    seconds = np.maximum(np.asarray(table["tai_utc"], float), 10.0)
    return seconds[np.clip(np.searchsorted(since, time, side="right") - 1, 0, None)]


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.sqrt((v**2).sum(axis=-1, keepdims=True))


def _about_z(angle: np.ndarray) -> np.ndarray:
    c, s, o, e = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([np.stack(r, -1) for r in ((c, s, o), (-s, c, o), (o, o, e))], axis=1)


def _from_x_and_z(x: np.ndarray, near_z: np.ndarray) -> np.ndarray:
    """Return axes with x as given and z as near as can be to another direction."""
    y = _unit(np.cross(near_z, x))
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _from_z_and_x(z: np.ndarray, near_x: np.ndarray) -> np.ndarray:
    """Return axes with z as given and x as near as can be to another direction."""
    y = _unit(np.cross(z, near_x))
    return np.stack([np.cross(y, z), y, z], axis=1)


def _repeated(sky: Sky, one: np.ndarray) -> np.ndarray:
    return np.broadcast_to(one, (sky.time.size, *one.shape))


def _magnetic(sky: Sky) -> np.ndarray:
    geographic = sky.geographic
    return _from_y_and_z(geographic[:, 2], sky.dipole(geographic))


def _from_y_and_z(across: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return axes with z as given and y at right angles to it and another direction."""
    y = _unit(np.cross(across, z))
    return np.stack([np.cross(y, z), y, z], axis=1)


def _ecliptic_2000(sky: Sky) -> np.ndarray:
    return _repeated(sky, np.asarray(erfa.ecm06(_J2000, 0.0)))


def _solar_inertial(sky: Sky) -> np.ndarray:
    pole = solar_pole()
    node = _unit(np.cross(np.asarray(erfa.ecm06(_J2000, 0.0))[2], pole))
    return _repeated(sky, np.stack([node, np.cross(pole, node), pole]))


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that follows from time: where its origin is and where its axes point."""

    centre: str
    axes: Callable[[Sky], np.ndarray]
    meaning: str


FRAMES: dict[str, Frame] = {
    "J2000": Frame("Earth", lambda s: _repeated(s, np.eye(3)),
                   "mean equator and equinox of J2000 (ICRF to 0.00001 deg)"),
    "GEI": Frame("Earth", lambda s: s.true_of_date, "true equator and equinox of date"),
    "GEO": Frame("Earth", lambda s: s.geographic, "turns with the Earth; x at longitude 0"),
    "MAG": Frame("Earth", _magnetic, "z along the dipole, y across it and the Earth's axis"),
    "GSE": Frame("Earth", lambda s: _from_x_and_z(s.sun, s.ecliptic_pole),
                 "x to the Sun, z to the north of the ecliptic of date"),
    "GSM": Frame("Earth", lambda s: _from_x_and_z(s.sun, s.dipole(s.geographic)),
                 "x to the Sun, the dipole in the plane of x and z"),
    "SM": Frame("Earth", lambda s: _from_z_and_x(s.dipole(s.geographic), s.sun),
                "z along the dipole, the Sun in the plane of x and z"),
    "HAE": Frame("Sun", _ecliptic_2000, "mean ecliptic and equinox of J2000"),
    "HCI": Frame("Sun", _solar_inertial,
                 "z along the Sun's axis, x to the node of its equator on the ecliptic of J2000"),
    "HEE": Frame("Sun", lambda s: _from_x_and_z(_unit(s.earth), s.ecliptic_pole),
                 "x to the Earth, z to the north of the ecliptic of date"),
    "HEEQ": Frame("Sun", lambda s: _from_z_and_x(_repeated(s, solar_pole()), s.earth),
                  "z along the Sun's axis, the Earth in the plane of x and z"),
}  # fmt: skip
"""The frames that follow from time (Fraenz and Harper 2002; Hapgood 1992,
doi:10.1016/0032-0633(92)90012-D)."""
