"""Plasma state: what any mission can say of the plasma around it, on one clock."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..datatypes import Moments, PlasmaState, VectorSeries
from ..errors import UsageError
from ..granule import DAY, MINUTE, SECOND
from ..kernels.windows import group_means, means_around
from ..model import Margin, recipe
from .plasma import ordered, temperature_of, temperature_tensor_of

B_REACH = "2min"
"""How far beyond its granule a state may look for the field."""

_AXES = ["x", "y", "z"]
_T, _TC = ("time",), ("time", "component")


@recipe(gives=PlasmaState, version=1)
def plasma_state(
    moments: Moments,
    b: Annotated[VectorSeries | None, Margin(B_REACH)] = None,
    *,
    cadence_s: int = 4,
) -> xr.Dataset:
    """Density [cm^-3], V and |V| [km/s], T and core T [eV], |B| [nT], all in (time).

    Records are averaged in bins of `cadence_s` anchored to UTC, at the mean of their times; where
    the moments are slower than that, each keeps its own time and value. |B| is the mean over
    `cadence_s` around that time, NaN where there is no measurement of it: nothing is interpolated.

    `core_temperature` is the lowest principal value of the temperature tensor. Ions that a shock
    reflects heat the plasma along their beam only, so that it stays low where T does not; heat
    that is shared by all directions raises both.

    The attribute `absent` names the inputs that are not there (`b`, `temperature_tensor`), joined
    by a comma; their variables are NaN.

    Parameters
    ----------
    moments : Moments
        density, velocity, and a temperature, temperature tensor or pressure, (time).
    b : VectorSeries, optional
        Magnetic field [nT], in any frame.
    cadence_s : int
        Shortest time between two states [s]; must divide a day. About the cadence of the moments.

    Raises
    ------
    UsageError
        When the cadence does not divide a day or is longer than the field is read around it.
    DataTypeError
        When the moments have no temperature in any form.
    """
    if cadence_s <= 0 or DAY % (cadence_s * SECOND) or cadence_s * SECOND > 4 * MINUTE:
        raise UsageError(f"cadence_s={cadence_s} does not divide a day, or is above 240",
                         "plasma_state", "Use for example 4, 60 or 240")  # fmt: skip
    time = moments["time"].values.astype(np.int64)
    first = np.flatnonzero(np.r_[True, np.diff(time // (cadence_s * SECOND)) > 0])[: time.size]
    clock = _mean_times(time, first)
    tensor = temperature_tensor_of(moments)
    density = _means(ordered(moments, "density"), first)
    velocity = _means(ordered(moments, "velocity", "component"), first)
    temperature = _means(temperature_of(moments), first)
    core = np.full(clock.size, np.nan) if tensor is None else _lowest(_means(tensor, first))
    field = np.full(clock.size, np.nan) if b is None else _field(b, clock, cadence_s)
    absent = [n for n, x in (("b", b), ("temperature_tensor", tensor)) if x is None]

    def series(values: NDArray[np.float64], units: str, long_name: str) -> tuple:  # type: ignore[type-arg]
        return _T, values.astype(np.float32), {"units": units, "long_name": long_name}

    frame = str(moments["velocity"].attrs.get("frame", ""))
    return xr.Dataset(
        {
            "density": series(density, "cm^-3", "number density"),
            "speed": series(np.sqrt((velocity**2).sum(axis=1)), "km s^-1", "bulk speed"),
            "temperature": series(temperature, "eV", "temperature"),
            "core_temperature": series(core, "eV", "lowest principal temperature"),
            "velocity": (_TC, velocity.astype(np.float32),
                         {"units": "km s^-1", "long_name": "bulk velocity", "frame": frame}),
            "magnetic_field": series(field, "nT", "magnetic field strength"),
        },
        coords={"time": clock.astype("datetime64[ns]"), "component": _AXES},
        attrs={"absent": ", ".join(absent), "cadence_s": cadence_s,
               "species": moments.attrs.get("species", "")},
    )  # fmt: skip


def _mean_times(time: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the mean time of each bin [ns], exact: times are counted from the bin's first."""
    if not first.size:
        return time[:0]
    size = np.diff(np.r_[first, time.size])
    since = time - np.repeat(time[first], size)
    return time[first] + np.add.reduceat(since, first) // size


def _means(values: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    flat = group_means(values.reshape(len(values), -1), first)
    return flat.reshape(first.size, *values.shape[1:])


def _lowest(tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lowest principal value, (time); NaN where it is not positive or not measured."""
    lowest = np.full(len(tensor), np.nan)
    whole = np.isfinite(tensor).all(axis=(1, 2))
    lowest[whole] = np.linalg.eigvalsh(tensor[whole])[:, 0]
    return np.where(lowest > 0, lowest, np.nan)


def _field(b: xr.Dataset, clock: NDArray[np.int64], cadence_s: int) -> NDArray[np.float64]:
    time = b["time"].values.astype(np.int64)
    vector = b["vector"].transpose("time", "component").values.astype(np.float64)
    strength = np.sqrt((vector[:, :3] ** 2).sum(axis=1))
    return means_around(time, strength, clock, cadence_s * SECOND // 2)
