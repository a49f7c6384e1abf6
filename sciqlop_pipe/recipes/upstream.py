"""The solar wind ahead of a spacecraft, and where its orbit is against model boundaries."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import EARTH_RADIUS, PROTON_MASS
from ..datatypes import MagneticLocation, Moments, Position, Upstream, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .axes import FRAMES, axes, canonical, earth_position, rotation, rtn_axes
from .boundary_models import farris_russell_1994, shue_1998
from .coordinates import turn_series
from .geomagnetic import MODEL
from .joining import ascending, nearby
from .plasma import alfven_velocity

EARTH_SPEED = 29.78
"""Mean speed of the Earth around the Sun [km/s], which aberrates the solar wind."""

FLAGS = Flags(
    "upstream",
    (
        Flag(0, "no_field", "the field of the solar wind is unknown"),
        Flag(1, "no_plasma", "the plasma of the solar wind is unknown"),
        Flag(2, "outside_model", "Bz beyond +-18 nT or pressure outside 0.5 to 8.5 nPa of Shue"),
        Flag(3, "tail", "behind the Earth: the models are made for the dayside and near tail"),
    ),
    source="recipes.upstream",
)


@recipe(gives=Upstream, version=1)
def upstream_conditions(
    position: Position,
    b: Annotated[VectorSeries, Margin("reach")],
    plasma: Annotated[Moments, Margin("reach")],
    *,
    reach: str = "10min",
    alpha_ratio: float = 0.04,
    geomagnetic_model: str = MODEL,
) -> xr.Dataset:
    """Solar wind on the clock of a position, distances of model boundaries, and of it from them.

        magnetopause_offset = |r| - r_mp(angle),  bow_shock_offset = |r| - r_bs(angle)

    Positive offsets are outside. The solar wind must be that at the nose of the bow shock: OMNI
    (1 and 5 min, hourly) is shifted there already; nothing is shifted here. Angles are counted
    from the direction the wind comes from, aberrated by the Earth's 29.78 km/s.

    Parameters
    ----------
    position : Position
        Of the spacecraft, in any frame centred on the Earth.
    b : VectorSeries
        Field of the solar wind [nT] in GSE, GSM or any frame that follows from time; in RTN at the
        Earth.
    plasma : Moments
        Protons of the solar wind: density, velocity.
    reach : str
        How far apart records of the solar wind may be that are interpolated; nothing else is.
    alpha_ratio : float
        Density of alphas over that of protons, for mass and pressure.
    geomagnetic_model : str
        Table of the dipole that GSM follows.

    Returns
    -------
    Dataset
        b (GSM), density, velocity (GSM), dynamic_pressure, alfven_mach, magnetopause, bow_shock
        [km] in the direction of the spacecraft, both offsets, standoff (magnetopause nose),
        quality.

    Raises
    ------
    DataTypeError
        When the position is not centred on the Earth.

    References
    ----------
    Shue et al. (1998), doi:10.1029/98JA01103; Farris and Russell (1994), doi:10.1029/94JA01020;
    King and Papitashvili (2005), doi:10.1029/2004JA010649 (OMNI).
    """
    time = ascending(position["time"].values, "position")
    r = _gsm_position(position, time, geomagnetic_model)
    field = nearby(b["time"].values, _in_gsm(b, "vector", geomagnetic_model), time, reach)
    flow_gsm = _in_gsm(plasma, "velocity", geomagnetic_model)
    flow = nearby(plasma["time"].values, flow_gsm, time, reach)
    density = nearby(plasma["time"].values, plasma["density"].values, time, reach)
    n = np.where(density > 0, density, np.nan)
    mass = 1 + 4 * alpha_ratio
    pressure = 1e21 * mass * PROTON_MASS * n * (flow**2).sum(axis=1)
    strength = np.linalg.norm(field, axis=1)
    alfven = alfven_velocity(strength, n, mass * PROTON_MASS)
    with np.errstate(invalid="ignore", divide="ignore"):
        mach = np.linalg.norm(flow, axis=1) / np.where(alfven > 0, alfven, np.nan)
        sunward = _aberrated(flow, time, geomagnetic_model)
        distance = np.linalg.norm(r, axis=1)
        angle = np.arccos(np.clip((r * sunward).sum(axis=1) / distance, -1, 1))
    bz = field[:, 2]
    standoff = shue_1998(bz, pressure, np.zeros_like(bz))
    pause, shock = shue_1998(bz, pressure, angle), farris_russell_1994(standoff, mach, angle)
    quality = np.zeros(time.size, np.uint32)
    tests = (
        ~np.isfinite(field).all(axis=1),
        ~np.isfinite(pressure),
        ~((np.abs(bz) <= 18) & (pressure >= 0.5) & (pressure <= 8.5)),
        angle > np.radians(120),
    )
    for bit, wrong in enumerate(tests):
        quality |= np.where(wrong, np.uint32(1 << bit), np.uint32(0))
    t, tc = ("time",), ("time", "component")
    km = {"units": "km"}
    return xr.Dataset(
        {
            "b": (tc, field, {"units": "nT", "long_name": "solar wind field", "frame": "GSM"}),
            "density": (t, density, {"units": "cm^-3", "long_name": "density of the solar wind"}),
            "velocity": (tc, flow, {"units": "km s^-1", "long_name": "velocity of the solar wind",
                                    "frame": "GSM"}),
            "dynamic_pressure": (t, pressure, {"units": "nPa", "long_name": "dynamic pressure"}),
            "alfven_mach": (t, mach, {"units": "1", "long_name": "Alfven Mach number"}),
            "magnetopause": (t, pause, km | {"long_name": "magnetopause of Shue 1998 this way"}),
            "bow_shock": (t, shock, km | {"long_name": "bow shock of Farris and Russell this way"}),
            "magnetopause_offset": (t, distance - pause,
                                    km | {"long_name": "distance beyond the model magnetopause"}),
            "bow_shock_offset": (t, distance - shock,
                                 km | {"long_name": "distance beyond the model bow shock"}),
            "standoff": (t, standoff, km | {"long_name": "nose of the model magnetopause"}),
            "quality": (t, quality, FLAGS.attrs),
        },
        {"time": position["time"], "component": ["x", "y", "z"]},
        {"geomagnetic_model": geomagnetic_model},
    )  # fmt: skip


@recipe(gives=MagneticLocation, version=1)
def magnetic_location(position: Position, *, geomagnetic_model: str = MODEL) -> xr.Dataset:
    """L of the centred dipole, magnetic local time [h], magnetic latitude and dipole tilt [deg].

        L = r / (R_E cos^2 latitude),  MLT = 12 + longitude(SM) / 15

    Parameters
    ----------
    position : Position
        In any frame centred on the Earth.
    geomagnetic_model : str
        Table of the dipole.

    References
    ----------
    McIlwain (1961), J. Geophys. Res. 66, 3681; Russell (1971), Cosm. Electrodyn. 2, 184: SM.
    """
    time = position["time"].values.astype(np.int64)
    source = _geocentric(position)
    matrices = rotation(source, "SM", time, geomagnetic_model)
    r = _known(position["position"].values)
    x, y, z = np.einsum("tij,tj->it", matrices, r)
    distance = np.sqrt(x**2 + y**2 + z**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        latitude = np.arcsin(z / distance)
        shell = distance / EARTH_RADIUS / np.cos(latitude) ** 2
    local = (12 + np.degrees(np.arctan2(y, x)) / 15) % 24
    sun = axes("GSM", time, geomagnetic_model)[:, 0]
    dipole = axes("SM", time, geomagnetic_model)[:, 2]
    tilt = np.degrees(np.arcsin((sun * dipole).sum(axis=1)))
    t = ("time",)
    return xr.Dataset(
        {
            "dipole_l": (t, shell, {"units": "1", "long_name": "L of the centred dipole"}),
            "magnetic_local_time": (t, local, {"units": "h", "long_name": "magnetic local time"}),
            "magnetic_latitude": (t, np.degrees(latitude),
                                  {"units": "deg", "long_name": "magnetic latitude"}),
            "distance": (t, distance, {"units": "km", "long_name": "distance from the Earth"}),
            "dipole_tilt": (t, tilt, {"units": "deg", "long_name": "dipole tilt, to the Sun"}),
        },
        {"time": position["time"]},
        {"geomagnetic_model": geomagnetic_model},
    )  # fmt: skip


def _geocentric(position: xr.Dataset) -> str:
    source = canonical(str(position["position"].attrs["frame"]))
    if source == "RTN" or FRAMES[source].centre != "Earth":
        raise DataTypeError(f"the position is in {source}, not centred on the Earth", "position",
                            "Take GSE or another frame centred on the Earth")  # fmt: skip
    return source


def _gsm_position(position: xr.Dataset, time: np.ndarray, model: str) -> np.ndarray:
    matrices = rotation(_geocentric(position), "GSM", time, model)
    return np.einsum("tij,tj->ti", matrices, _known(position["position"].values))


def _known(values: np.ndarray) -> np.ndarray:
    """Vectors (time, 3), NaN where a component is not finite: infinity has an angle, too."""
    found = np.array(values, np.float64)
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return found


def _in_gsm(series: xr.Dataset, name: str, model: str) -> np.ndarray:
    """Return a vector in GSM (time, 3); RTN is that at the Earth."""
    values = np.ascontiguousarray(series[name].values, np.float64)
    time = series["time"].values.astype(np.int64)
    source = canonical(str(series[name].attrs["frame"]))
    if source == "RTN":
        values = np.einsum("tij,ti->tj", rtn_axes(earth_position(time)), values)
        source = "J2000"
    return turn_series(values, time, source, "GSM", model) if source != "GSM" else values


def _aberrated(flow: np.ndarray, time: np.ndarray, model: str) -> np.ndarray:
    """Return the direction the wind comes from in GSM as the moving Earth sees it (time, 3)."""
    along = rotation("GSE", "GSM", time, model)[:, :, 1]
    # The Earth moves towards -y of GSE, so the wind seems to come with +y.
    seen = flow + EARTH_SPEED * along
    return -seen / np.linalg.norm(seen, axis=1, keepdims=True)
