"""Where on the Sun the wind at a spacecraft comes from: longitudes, Parker spiral, back-mapping."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Moments, Position, SolarConnection, VectorSeries
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .axes import prime_meridian, rtn_axes, solar_pole
from .coordinates import heliocentric, turn_series
from .joining import nearby

SOURCE_SURFACE = 2.5 * 695_700.0
"""Where back-mapping ends: 2.5 solar radii [km]."""

SIDEREAL_RATE = np.radians(14.1844) / 86_400.0
"""Rotation of the Sun (Carrington, sidereal) [rad/s]."""

FLAGS = Flags(
    "solar connection",
    (
        Flag(0, "no_speed", "the speed of the wind is unknown: the one given is used instead"),
        Flag(1, "no_field", "the field is unknown: no field angle"),
    ),
    source="recipes.solar_connection",
)


@recipe(gives=SolarConnection, version=1)
def solar_connection(
    position: Position,
    plasma: Annotated[Moments | None, Margin("reach")] = None,
    b: Annotated[VectorSeries | None, Margin("reach")] = None,
    *,
    reach: str = "2h",
    speed_km_s: float = 400.0,
) -> xr.Dataset:
    """Carrington longitude, latitude, Parker and field angles, source longitude [deg], in (time).

        tan(parker_angle) = -Omega (r - r_0) cos(latitude) / V
        source_longitude = longitude + Omega (r - r_0) / V,  r_0 = 2.5 solar radii

    Angles lie in the plane of R and T, from R towards T: a field of positive polarity on the
    spiral has field_angle = parker_angle, of negative polarity 180 deg more. The wind is taken to
    move radially at constant speed.

    Parameters
    ----------
    position : Position
        Of the spacecraft, in any named frame.
    plasma : Moments, optional
        Its speed is used; `speed_km_s` without it, flagged.
    b : VectorSeries, optional
        Magnetic field [nT], for the field angle; in RTN or a frame that follows from time.
    reach : str
        How far apart records of plasma and field may be that are interpolated.
    speed_km_s : float
        Speed of the wind where it is unknown.

    Returns
    -------
    Dataset
        distance [km], carrington_longitude (0 to 360), heliographic_latitude, speed,
        parker_angle, field_angle (-180 to 180), source_longitude, travel_time [s], quality.

    References
    ----------
    Parker (1958), Astrophys. J. 128, 664, doi:10.1086/146579; Nolte and Roelof (1973), Sol. Phys.
    33, 241, doi:10.1007/BF00152395; Seidelmann et al. (2007): Carrington's meridian.
    """
    time = position["time"].values.astype(np.int64)
    r = heliocentric(position)
    distance = np.linalg.norm(r, axis=1)
    pole, meridian = solar_pole(), prime_meridian(time)
    with np.errstate(invalid="ignore", divide="ignore"):
        latitude = np.arcsin(r @ pole / distance)
    east = np.cross(pole, meridian)
    longitude = np.degrees(np.arctan2((r * east).sum(axis=1), (r * meridian).sum(axis=1))) % 360
    speed = np.full(time.size, np.nan)
    if plasma is not None:
        size = np.linalg.norm(plasma["velocity"].values.astype(np.float64), axis=1)
        speed = nearby(plasma["time"].values, size, time, reach)
    unknown = ~(speed > 0)
    speed = np.where(unknown, speed_km_s, speed)
    travel = (distance - SOURCE_SURFACE) / speed
    spiral = np.degrees(np.arctan(-SIDEREAL_RATE * travel * np.cos(latitude)))
    angle = _field_angle(b, time, r, reach)
    quality = FLAGS.words(no_speed=unknown, no_field=np.isnan(angle))
    t, degrees = ("time",), {"units": "deg"}
    return xr.Dataset(
        {
            "distance": (t, distance, {"units": "km", "long_name": "distance from the Sun"}),
            "carrington_longitude": (t, longitude, degrees | {"long_name": "Carrington longitude"}),
            "heliographic_latitude": (t, np.degrees(latitude),
                                      degrees | {"long_name": "heliographic latitude"}),
            "speed": (t, speed, {"units": "km s^-1", "long_name": "speed of the wind, as used"}),
            "parker_angle": (t, spiral, degrees | {"long_name": "Parker spiral, from R towards T"}),
            "field_angle": (t, angle, degrees | {"long_name": "field, from R towards T"}),
            "source_longitude": (t, (longitude + np.degrees(SIDEREAL_RATE * travel)) % 360,
                                 degrees | {"long_name": "Carrington longitude of the source"}),
            "travel_time": (t, travel, {"units": "s", "long_name": "time since 2.5 solar radii"}),
            "quality": (t, quality, FLAGS.attrs),
        },
        {"time": position["time"]},
    )  # fmt: skip


def _field_angle(b: xr.Dataset | None, time: np.ndarray, r: np.ndarray, reach: str) -> np.ndarray:
    if b is None:
        return np.full(time.size, np.nan)
    values = np.ascontiguousarray(b["vector"].values, np.float64)
    frame = str(b["vector"].attrs["frame"])
    at = b["time"].values.astype(np.int64)
    if frame != "RTN":
        values = turn_series(values, at, frame, "J2000")
    field = nearby(at, values, time, reach)
    if frame != "RTN":
        field = np.einsum("tij,tj->ti", rtn_axes(r), field)
    return np.degrees(np.arctan2(field[:, 1], field[:, 0]))
