"""The solar wind ahead of a spacecraft, and where its orbit is against model boundaries."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import EARTH_RADIUS, ELEMENTARY_CHARGE, PROTON_MASS
from ..datatypes import MagneticLocation, Moments, Position, Upstream, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .axes import FRAMES, axes, canonical, earth_position, rotation, rtn_axes
from .boundary_models import farris_russell_1994, shue_1998
from .coordinates import turn_series
from .geomagnetic import MODEL
from .joining import ascending, nearby
from .plasma import alfven_velocity, temperature_of

EARTH_SPEED = 29.78
"""Mean speed of the Earth around the Sun [km/s], which aberrates the solar wind."""

ALPHAS_HOTTER = 4.0
"""Temperature of alphas over that of protons in the solar wind."""

FLAGS = Flags(
    "upstream",
    (
        Flag(0, "no_field", "the field of the solar wind is unknown"),
        Flag(1, "no_plasma", "the plasma of the solar wind is unknown"),
        Flag(2, "outside_model", "Bz beyond +-18 nT or pressure outside 0.5 to 8.5 nPa of Shue"),
        Flag(3, "tail", "behind the Earth: the models are made for the dayside and near tail"),
        Flag(4, "no_temperature", "the protons' temperature is unknown: they count as cold"),
    ),
    source="recipes.upstream",
)


@recipe(gives=Upstream, version=2)
def upstream_conditions(
    position: Position,
    b: Annotated[VectorSeries, Margin("reach")],
    plasma: Annotated[Moments, Margin("reach")],
    *,
    reach: str = "10min",
    alpha_ratio: float = 0.04,
    electron_temperature: float = 12.1,
    geomagnetic_model: str = MODEL,
) -> xr.Dataset:
    """Solar wind on the clock of a position, distances of model boundaries, and of it from them.

        magnetopause_offset = |r| - r_mp(angle),  bow_shock_offset = |r| - r_bs(angle)
        M_f = V / sqrt(V_A^2 + c_s^2),  c_s^2 = (5/3) P / rho,  rho = (1 + 4 a) m_p n
        P = n (T + 4 a T + (1 + 2 a) T_e),  a alphas per proton, four times as hot

    Positive offsets are outside. The solar wind must be that at the nose of the bow shock: OMNI
    (1 and 5 min, hourly) is shifted there already; nothing is shifted here. The bow shock stands by
    the fast Mach number, as its model wants. Angles are counted from the direction the wind comes
    from, aberrated by the Earth's 29.78 km/s.

    Parameters
    ----------
    position : Position
        Of the spacecraft, in any frame centred on the Earth.
    b : VectorSeries
        Field of the solar wind [nT] in GSE, GSM or any frame that follows from time; in RTN at the
        Earth.
    plasma : Moments
        Protons of the solar wind: density, velocity, temperature.
    reach : str
        How far apart records of the solar wind may be that are interpolated; nothing else is.
    alpha_ratio : float
        Density of alphas over that of protons, for mass and pressure.
    electron_temperature : float
        [eV]; it hardly varies, and monitors do not give it: 12.1 eV is 140,000 K.
    geomagnetic_model : str
        Table of the dipole that GSM follows.

    Returns
    -------
    Dataset
        b (GSM), density, velocity (GSM), dynamic_pressure, alfven_mach, fast_mach, magnetopause,
        bow_shock [km] in the direction of the spacecraft, both offsets, standoff (the nose of the
        magnetopause), quality.

    Raises
    ------
    DataTypeError
        When the position is not centred on the Earth.

    References
    ----------
    Shue et al. (1998), doi:10.1029/98JA01103; Farris and Russell (1994), doi:10.1029/94JA01020;
    King and Papitashvili (2005), doi:10.1029/2004JA010649 (OMNI); Russell and Petrinec (1996), J.
    Geophys. Res. 101, 7677: the magnetosonic Mach number; Newbury et al. (1998), J. Geophys. Res.
    103, 9553: electrons; https://omniweb.gsfc.nasa.gov/ftpbrowser/bow_derivation.html: the sum.
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
    protons = nearby(plasma["time"].values, _temperature(plasma), time, reach)
    hot = np.where(protons > 0, protons, 0.0) * (1 + ALPHAS_HOTTER * alpha_ratio)
    hot += (1 + 2 * alpha_ratio) * electron_temperature
    sound = 1e-3 * np.sqrt(5 / 3 * hot * ELEMENTARY_CHARGE / (mass * PROTON_MASS))
    with np.errstate(invalid="ignore", divide="ignore"):
        speed = np.linalg.norm(flow, axis=1)
        mach = speed / np.where(alfven > 0, alfven, np.nan)
        fast_mach = speed / np.hypot(alfven, sound)
        sunward = _aberrated(flow, time, geomagnetic_model)
        distance = np.linalg.norm(r, axis=1)
        angle = np.arccos(np.clip((r * sunward).sum(axis=1) / distance, -1, 1))
    bz = field[:, 2]
    standoff = shue_1998(bz, pressure, np.zeros_like(bz))
    pause, shock = shue_1998(bz, pressure, angle), farris_russell_1994(standoff, fast_mach, angle)
    quality = FLAGS.words(
        no_field=~np.isfinite(field).all(axis=1),
        no_plasma=~np.isfinite(pressure),
        outside_model=~((np.abs(bz) <= 18) & (pressure >= 0.5) & (pressure <= 8.5)),
        tail=angle > np.radians(120),
        no_temperature=~(protons > 0),
    )
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
            "fast_mach": (t, fast_mach, {"units": "1", "long_name": "fast Mach number"}),
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


def _temperature(plasma: xr.Dataset) -> np.ndarray:
    """Return the temperature of the protons (time) [eV], NaN where they have none in any form."""
    try:
        return temperature_of(plasma)
    except DataTypeError:
        return np.full(plasma.sizes["time"], np.nan)


def _aberrated(flow: np.ndarray, time: np.ndarray, model: str) -> np.ndarray:
    """Return the direction the wind comes from in GSM as the moving Earth sees it (time, 3)."""
    along = rotation("GSE", "GSM", time, model)[:, :, 1]
    # The Earth moves towards -y of GSE, so the wind seems to come with +y.
    seen = flow + EARTH_SPEED * along
    return -seen / np.linalg.norm(seen, axis=1, keepdims=True)
