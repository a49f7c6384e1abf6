"""Vectors and positions in another frame that follows from time (GSE, GSM, GEO, HEEQ, RTN, ...)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Position, VectorSeries
from ..errors import DataTypeError
from ..granule import MINUTE
from ..kernels.turning import turned
from ..model import Margin, recipe
from .axes import FRAMES, axes, canonical, earth_position, rotation, rtn_axes
from .geomagnetic import MODEL
from .joining import ascending, nearby

STEP = 2 * MINUTE
"""Time between the matrices, at full steps of UTC. The Earth turns by 0.0087 rad meanwhile, which
puts the chord 1e-5 rad (0.0006 deg) off."""

POSITION_REACH = "2h"
"""Positions this close on both sides are interpolated for RTN."""


@recipe(gives=VectorSeries, version=1)
def in_frame(
    vector: VectorSeries,
    position: Annotated[Position | None, Margin(POSITION_REACH)] = None,
    *,
    frame: str = "GSM",
    geomagnetic_model: str = MODEL,
) -> xr.Dataset:
    """The vector in another frame, (time, component) in its own units; quality as it was.

        v' = A' A^T v,  rows of A and A' are the axes of both frames in J2000

    Matrices are computed every two minutes of UTC and are linear between: turned vectors are at
    most 0.0006 deg and 1e-5 of their length off where a frame turns with the Earth, 1e-4 of that
    elsewhere. How frames are defined is said in `recipes.axes`.

    Parameters
    ----------
    vector : VectorSeries
        (time, component), in one of the frames of `recipes.axes` or RTN.
    position : Position, optional
        Where the spacecraft is, in any of those frames; RTN needs it, at most 2 h apart.
    frame : str
        J2000, GEI, GEO, MAG, GSE, GSM, SM, HAE, HCI, HEE, HEEQ or RTN.
    geomagnetic_model : str
        Table of the dipole that MAG, GSM and SM follow: "IGRF-14", definitive to 2020, or
        "forecasts-to-IGRF-14", which meets files made in their own years (MMS).

    Raises
    ------
    UsageError
        When one of the frames is not known (those of a spacecraft need its attitude).
    DataTypeError
        When RTN is asked for or given without a position.

    References
    ----------
    Hapgood (1992), Planet. Space Sci. 40, 711, doi:10.1016/0032-0633(92)90012-D; Fraenz and Harper
    (2002), Planet. Space Sci. 50, 217, doi:10.1016/S0032-0633(01)00119-2.
    """
    values = np.ascontiguousarray(vector["vector"].values, np.float64)
    time = vector["time"].values.astype(np.int64)
    source, target = canonical(str(vector["vector"].attrs["frame"])), canonical(frame)
    if "RTN" in (source, target) and source != target:
        if position is None:
            raise DataTypeError("RTN follows from the position of the spacecraft", "position",
                                "Bind a position")  # fmt: skip
        model = geomagnetic_model
        values = _by_way_of_j2000(values, time, source, target, position, model)
    elif source != target:
        values = turn_series(values, time, source, target, geomagnetic_model)
    attrs = dict(vector["vector"].attrs) | {"frame": target}
    attrs["long_name"] = _renamed(str(attrs["long_name"]), str(vector["vector"].frame), target)
    attrs.pop("frame_equivalent", None)
    found = vector.copy()
    found["vector"] = (("time", "component"), values.astype(vector["vector"].dtype), attrs)
    return found.assign_attrs(geomagnetic_model=geomagnetic_model)


@recipe(gives=Position, version=1)
def position_in_frame(
    position: Position, *, frame: str = "GSM", geomagnetic_model: str = MODEL
) -> xr.Dataset:
    """The position in another frame [km], and the velocity [km s^-1] where axes alone change.

        r' = A' (A^T r + R),  R = +- the Earth from the Sun where the centre changes, else 0

    From a frame centred on the Earth to one centred on the Sun the position of the Earth (ERFA,
    within 10 km) is added. The velocity stays what it is and is only turned (MMS MEC does the
    same: inertial velocity on the axes of the frame); it is left out where the centre changes.

    Parameters
    ----------
    position : Position
        (time, component) in one of the frames of `recipes.axes`.
    frame : str
        J2000, GEI, GEO, MAG, GSE, GSM, SM, HAE, HCI, HEE or HEEQ.
    geomagnetic_model : str
        Table of the dipole that MAG, GSM and SM follow.

    Raises
    ------
    UsageError
        When one of the frames is not known.
    DataTypeError
        When a frame is RTN, in which a position is nothing but a distance.

    References
    ----------
    Hapgood (1992), Planet. Space Sci. 40, 711, doi:10.1016/0032-0633(92)90012-D; Fraenz and Harper
    (2002), Planet. Space Sci. 50, 217, doi:10.1016/S0032-0633(01)00119-2.
    """
    time = position["time"].values.astype(np.int64)
    source, target = canonical(str(position["position"].attrs["frame"])), canonical(frame)
    if "RTN" in (source, target):
        raise DataTypeError("a position in RTN is nothing but a distance", "position_in_frame",
                            "Take HCI or HEEQ")  # fmt: skip
    matrices = rotation(source, target, time, geomagnetic_model)
    found = position.copy()
    names = ["position", "velocity"] if "velocity" in position else ["position"]
    for name in names:
        values = np.einsum("tij,tj->ti", matrices, position[name].values.astype(np.float64))
        found[name] = (
            ("time", "component"),
            values,
            dict(position[name].attrs) | {"frame": target},
        )
    ways = {("Earth", "Sun"): 1.0, ("Sun", "Earth"): -1.0}
    if sign := ways.get((FRAMES[source].centre, FRAMES[target].centre)):
        earth = np.einsum("tij,tj->ti", axes(target, time), earth_position(time))
        found["position"].values[:] += sign * earth
        found = found.drop_vars("velocity", errors="ignore")
    return found.assign_attrs(geomagnetic_model=geomagnetic_model)


def turn_series(
    values: np.ndarray, time: np.ndarray, source: str, target: str, model: str = MODEL
) -> np.ndarray:
    """Vectors (time, 3) turned from one frame that follows from time into another, same units.

    Parameters
    ----------
    values : ndarray float64 (time, 3)
        Of any unit.
    time : ndarray int64 (time)
        [ns] since 1970 UTC, ascending.
    source, target : str
        Names of frames.
    model : str
        Reference field.
    """
    time = ascending(time, "frames")
    if not time.size:
        return values
    step = time // STEP
    new = np.r_[True, np.diff(step) > 0]
    steps = np.union1d(step[new], step[new] + 1)
    slot = np.searchsorted(steps, step[new])[np.cumsum(new) - 1]
    matrices = rotation(source, target, steps * STEP, model)
    return turned(np.ascontiguousarray(values), time, slot, steps * STEP, matrices)


def heliocentric(position: xr.Dataset, model: str = MODEL) -> np.ndarray:
    """Position from the Sun in J2000 (time, 3) [km] of a Position in any named frame."""
    time = position["time"].values.astype(np.int64)
    source = canonical(str(position["position"].attrs["frame"]))
    matrices = rotation(source, "J2000", time, model)
    r = np.einsum("tij,tj->ti", matrices, position["position"].values.astype(np.float64))
    return r + earth_position(time) if FRAMES[source].centre == "Earth" else r


def _by_way_of_j2000(
    values: np.ndarray,
    time: np.ndarray,
    source: str,
    target: str,
    position: xr.Dataset,
    model: str,
) -> np.ndarray:
    r = nearby(position["time"].values, heliocentric(position, model), time, POSITION_REACH)
    basis = rtn_axes(r)
    if source == "RTN":
        inertial = np.einsum("tij,ti->tj", basis, values)
        return turn_series(inertial, time, "J2000", target, model)
    inertial = turn_series(values, time, source, "J2000", model)
    return np.einsum("tij,tj->ti", basis, inertial)


def _renamed(long_name: str, before: str, after: str) -> str:
    return long_name.replace(f"({before})", f"({after})")
