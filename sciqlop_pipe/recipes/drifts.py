"""Electric fields, drifts and currents of a plasma, and the work they do."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import CurrentDensity, Moments, ScalarSeries, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from .joining import joined
from .rays import require_same_frame

_REACH, _ACCUMULATION = "2s", "150ms"


@recipe(gives=VectorSeries, version=1)
def exb_drift(
    e: VectorSeries,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = "10ms",
    reach: str = _REACH,
) -> xr.Dataset:
    """E x B drift (time, component) [km/s] on the clock of E.

        V = E x B / B^2

    Parameters
    ----------
    e : VectorSeries
        Electric field [mV/m].
    b : VectorSeries
        Magnetic field [nT] in the frame of E: its mean over the accumulation around each time,
        or between two records within reach. NaN where B is zero or unknown.
    accumulation, reach : str
        Durations.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Baumjohann and Treumann (1996), Basic Space Plasma Physics, section 2.3.
    """
    frame = _framed(e, b)
    field = _beside(b, e["time"].values, accumulation, reach)
    strength = (field**2).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        drift = 1e3 * np.cross(_values(e), field) / np.where(strength > 0, strength, np.nan)
    return _series(drift, e, "km s^-1", "E x B drift", frame)


@recipe(gives=VectorSeries, version=1)
def electric_field_in_plasma(
    e: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    moments: Moments,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = _ACCUMULATION,
    reach: str = _REACH,
) -> xr.Dataset:
    """E + V x B (time, component) [mV/m] on the clock of the moments.

        E' = E + V x B

    Zero where the species is frozen in. E and B are means over the accumulation of each record,
    or between two records within reach.

    Parameters
    ----------
    e : VectorSeries
        Electric field [mV/m].
    moments : Moments
        velocity [km/s] in the same frame.
    b : VectorSeries
        Magnetic field [nT] in the same frame.
    accumulation, reach : str
        Durations.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Baumjohann and Treumann (1996), Basic Space Plasma Physics, section 7.3: Ohm's law.
    """
    frame = _framed(e, b)
    _require(frame, moments)
    at = moments["time"].values
    electric = _beside(e, at, accumulation, reach)
    motional = 1e-3 * np.cross(_moment(moments, "velocity"), _beside(b, at, accumulation, reach))
    return _series(electric + motional, moments, "mV m^-1", "E + V x B", frame)


@recipe(gives=VectorSeries, version=1)
def convection_field(
    moments: Moments,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = _ACCUMULATION,
    reach: str = _REACH,
) -> xr.Dataset:
    """Electric field of frozen-in flow (time, component) [mV/m] on the clock of the moments.

        E = -V x B

    Parameters
    ----------
    moments : Moments
        velocity [km/s].
    b : VectorSeries
        Magnetic field [nT] in its frame; averaged over the accumulation.
    accumulation, reach : str
        Durations.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Baumjohann and Treumann (1996), Basic Space Plasma Physics, section 7.3: Ohm's law.
    """
    frame = str(moments["velocity"].attrs["frame"])
    require_same_frame(frame, b)
    field = _beside(b, moments["time"].values, accumulation, reach)
    values = -1e-3 * np.cross(_moment(moments, "velocity"), field)
    return _series(values, moments, "mV m^-1", "convection electric field", frame)


@recipe(gives=VectorSeries, version=2)
def particle_current(
    ions: Moments,
    electrons: Annotated[Moments, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = _ACCUMULATION,
    reach: str = _REACH,
) -> xr.Dataset:
    """Current of ions against electrons (time, component) [nA m^-2] on the clock of the ions.

        J = e n_e (V_i - V_e)

    Density and velocity of the electrons are means over the accumulation of each ion record, or
    between two records within reach; records whose density is not above zero do not count: an
    instrument that saw no electrons has not seen a current of zero.

    Parameters
    ----------
    ions, electrons : Moments
        In one frame.
    accumulation, reach : str
        Durations.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Baumjohann and Treumann (1996), Basic Space Plasma Physics, section 7.2.
    """
    frame = str(ions["velocity"].attrs["frame"])
    _require(frame, electrons)
    at, theirs = ions["time"].values, electrons["time"].values
    density, velocity = _moment(electrons, "density"), _moment(electrons, "velocity")
    seen = density > 0
    n = joined(theirs, np.where(seen, density, np.nan), at, accumulation, reach)
    v = joined(theirs, np.where(seen[:, None], velocity, np.nan), at, accumulation, reach)
    # e n V: C cm^-3 km/s = 1e6 m^-3 1e3 m/s, in nA.
    scale = ELEMENTARY_CHARGE * 1e6 * 1e3 * 1e9
    values = scale * n[:, None] * (_moment(ions, "velocity") - v)
    return _series(values, ions, "nA m^-2", "current from ions and electrons", frame)


@recipe(gives=ScalarSeries, version=1)
def energy_conversion(
    current: Annotated[CurrentDensity, Margin("accumulation"), Margin("reach")],
    e: VectorSeries,
    *,
    accumulation: str = _ACCUMULATION,
    reach: str = _REACH,
) -> xr.Dataset:
    """J . E' (time) [nW m^-3] on the clock of E': energy given to the plasma, per volume and time.

        J . E' = J . (E + V x B)

    Parameters
    ----------
    current : CurrentDensity
        J [nA m^-2], for example of the curlometer; its mean over the accumulation.
    e : VectorSeries
        E' = E + V x B [mV/m] in the frame of J.
    accumulation, reach : str
        Durations.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Zenitani et al. (2011), Phys. Rev. Lett. 106, 195003, doi:10.1103/PhysRevLett.106.195003.
    """
    mine, other = str(e["vector"].attrs["frame"]), str(current["current"].attrs["frame"])
    if mine != other:
        raise DataTypeError(f"the current is in {other}, the electric field in {mine}",
                            "energy_conversion", "Turn one of them")  # fmt: skip
    at = e["time"].values
    j = joined(current["time"].values, current["current"].values, at, accumulation, reach)
    value = 1e-3 * (j * _values(e)).sum(axis=1)  # nA m^-2 mV m^-1 = pW m^-3
    attrs = {"units": "nW m^-3", "long_name": "J . E'"}
    return xr.Dataset({"value": (("time",), value, attrs)}, {"time": e["time"]})


def _values(series: xr.Dataset) -> np.ndarray:
    return np.asarray(series["vector"].values, np.float64)


def _moment(moments: xr.Dataset, name: str) -> np.ndarray:
    return np.asarray(moments[name].values, np.float64)


def _beside(series: xr.Dataset, at: np.ndarray, accumulation: str, reach: str) -> np.ndarray:
    return joined(series["time"].values, series["vector"].values, at, accumulation, reach)


def _framed(e: xr.Dataset, b: xr.Dataset) -> str:
    frame = str(e["vector"].attrs["frame"])
    require_same_frame(frame, b)
    return frame


def _require(frame: str, moments: xr.Dataset) -> None:
    other = str(moments["velocity"].attrs["frame"])
    if other != frame:
        raise DataTypeError(f"the velocity is in {other}, the rest in {frame}", "moments",
                            "Turn one of them into the other's frame")  # fmt: skip


def _series(
    values: np.ndarray, like: xr.Dataset, units: str, long_name: str, frame: str
) -> xr.Dataset:
    attrs = {"units": units, "long_name": long_name, "frame": frame}
    return xr.Dataset(
        {"vector": (("time", "component"), values, attrs)},
        {"time": like["time"], "component": ["x", "y", "z"]},
    )
