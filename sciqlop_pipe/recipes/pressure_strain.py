"""Pressure-strain interaction of four spacecraft: what pressure gives to heat."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Moments, Position, PressureStrain
from ..errors import DataTypeError
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .formation import formation, one_frame
from .joining import nearby

FLAGS = Flags(
    "pressure-strain",
    (
        Flag(0, "elongated", "spacecraft nearly in a line"),
        Flag(1, "flat", "spacecraft nearly in a plane"),
        Flag(2, "degenerate", "spacecraft in a plane: no gradient"),
        Flag(3, "incomplete", "a spacecraft or a position is missing: no gradient"),
    ),
    source="recipes.pressure_strain",
)


@recipe(gives=PressureStrain, version=2)
def pressure_strain(
    m1: Moments,
    m2: Annotated[Moments, Margin("reach")],
    m3: Annotated[Moments, Margin("reach")],
    m4: Annotated[Moments, Margin("reach")],
    r1: Annotated[Position, Margin("position_reach")],
    r2: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r3: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r4: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    *,
    reach: str = "10s",
    position_reach: str = "5min",
) -> xr.Dataset:
    """Pressure-strain, p theta and Pi-D [nW m^-3] (time), velocity gradient [s^-1].

        du_j/dx_i = sum_a k_a,i u_a,j,   theta = div u,
        D_ij = (du_j/dx_i + du_i/dx_j)/2 - theta delta_ij/3,   p = tr P/3,  Pi = P - p,
        p_theta = -p theta,   pi_d = -Pi_ij D_ij,   pressure_strain = p_theta + pi_d = -P : grad u

    with k_a the reciprocal vectors of the tetrahedron and P the mean of the four pressures.
    Positive is energy that goes from flow to heat.

    Parameters
    ----------
    m1, m2, m3, m4 : Moments
        Velocity [km/s] and pressure [nPa] in one frame, that of the positions; the first
        spacecraft's records give the times.
    r1, r2, r3, r4 : Position
        [km], of one source.
    reach, position_reach : str
        How far apart records and positions may be that are interpolated.

    Returns
    -------
    Dataset
        pressure_strain, p_theta, pi_d, divergence, vorticity, velocity_gradient (time, component
        = i, component_2 = j); quality: elongated or flat (numbers are given), degenerate or
        incomplete (NaN). Every record of the first spacecraft is there.

    Raises
    ------
    DataTypeError
        When frames or species differ, or moments have no pressure.

    References
    ----------
    Yang, Y. et al. (2017), Phys. Plasmas 24, 072306, doi:10.1063/1.4990421. Chanteur, G. (1998),
    ISSI SR-001, chapter 14 (reciprocal vectors).
    """
    four = (m1, m2, m3, m4)
    if any("pressure" not in m for m in four):
        raise DataTypeError("there is no pressure tensor", "moments", "Take moments that have one")
    if len(species := {str(m.attrs["species"]) for m in four}) > 1:
        raise DataTypeError(f"moments are of {', '.join(sorted(species))}", "four spacecraft")
    places = formation((r1, r2, r3, r4), position_reach)
    frame = one_frame([*(m["velocity"] for m in four), *(m["pressure"] for m in four), r1.position])
    time = m1["time"].values.astype(np.int64)
    u = np.stack([_at(m, "velocity", time, reach) for m in four], axis=1)
    pressure = np.mean([_at(m, "pressure", time, reach) for m in four], axis=0)
    k = np.full((time.size, 4, 3), np.nan)
    quality = np.zeros(time.size, np.uint32)
    if places.time.size > 1:
        k = nearby(places.time, places.reciprocal, time, position_reach)
        inside = (time >= places.time[0]) & (time <= places.time[-1])
        quality = np.where(inside, places.flags_at(time), 0).astype(np.uint32)
    gradient = np.einsum("tai,taj->tij", k, u)
    lost = ~np.isfinite(gradient).all(axis=(1, 2)) | ~np.isfinite(pressure).all(axis=(1, 2))
    quality[lost & ((quality & 4) == 0)] |= 8
    gradient[lost] = np.nan
    theta = np.trace(gradient, axis1=1, axis2=2)
    scalar = np.trace(pressure, axis1=1, axis2=2) / 3
    # nPa s^-1 is nW m^-3.
    both = -np.einsum("tij,tij->t", pressure, gradient)
    compression = -scalar * theta
    curl = np.stack([gradient[:, 1, 2] - gradient[:, 2, 1], gradient[:, 2, 0] - gradient[:, 0, 2],
                     gradient[:, 0, 1] - gradient[:, 1, 0]], axis=1)  # fmt: skip
    t, tc = ("time",), ("time", "component")
    framed = {"frame": frame}
    work = {"units": "nW m^-3"}
    return xr.Dataset(
        {
            "pressure_strain": (t, both, work | {"long_name": "pressure-strain interaction"}),
            "p_theta": (t, compression, work | {"long_name": "compression -p div u"}),
            "pi_d": (t, both - compression, work | {"long_name": "shear -Pi : D (Pi-D)"}),
            "divergence": (t, theta, {"units": "s^-1", "long_name": "divergence of the flow"}),
            "vorticity": (tc, curl, {"units": "s^-1", "long_name": "curl of the flow", **framed}),
            "velocity_gradient": ((*tc, "component_2"), gradient,
                                  {"units": "s^-1", "long_name": "du_j/dx_i", **framed}),
            "quality": (t, quality, FLAGS.attrs),
        },
        {"time": m1["time"], "component": ["x", "y", "z"], "component_2": ["x", "y", "z"]},
        {"species": species.pop(), "frame": frame},
    )  # fmt: skip


def _at(moments: xr.Dataset, name: str, time: np.ndarray, reach: str) -> np.ndarray:
    return nearby(moments["time"].values, moments[name].values, time, reach)
