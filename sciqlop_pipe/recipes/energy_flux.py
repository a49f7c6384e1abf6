"""What carries energy: bulk motion, enthalpy, heat, electromagnetic fields."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import VACUUM_PERMEABILITY
from ..datatypes import EnergyFlux, Moments, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from .joining import joined, nearby
from .plasma import mass_of
from .rays import require_same_frame

_PARTS = {
    "kinetic": "kinetic energy flux",
    "enthalpy": "enthalpy flux",
    "heat": "heat flux",
    "total": "energy flux of the particles",
    "poynting": "Poynting flux",
}


@recipe(gives=EnergyFlux, version=2)
def energy_flux(
    moments: Moments,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    e: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Kinetic, enthalpy, heat, total and Poynting flux [mW m^-2] (time, component), also along b.

        K = (1/2) m n V^2 V,  H = (tr P / 2) V + P . V,  Q as measured,  total = K + H (+ Q),
        S = E x B / mu0

    P is the pressure of the plasma's own frame, so that K + H + Q is the whole flux of energy of
    the species. `total` has Q where the moments have it (attribute `total` says so). The parallel
    parts are those along b, positive along the field.

    Parameters
    ----------
    moments : Moments
        Density, velocity (time, component) and pressure (time, component, component_2), of a
        species whose mass is known.
    b : VectorSeries, optional
        Magnetic field [nT] in the frame of the moments: averaged over the accumulation, or
        interpolated between samples at most `reach` apart.
    e : VectorSeries, optional
        Electric field [mV m^-1] in the same frame, with b: S is made at its samples, with B
        interpolated there, and averaged in the same way.
    accumulation, reach : str
        How long a record takes; how far apart samples may be.

    Returns
    -------
    Dataset
        kinetic, enthalpy, total, heat where the moments have it, poynting with e and b, and
        `*_parallel` (time). NaN where an input is unknown.

    Raises
    ------
    DataTypeError
        When frames differ, the moments have no pressure, or E comes without B.

    References
    ----------
    Eastwood, J. P. et al. (2013), Phys. Rev. Lett. 110, 225001,
    doi:10.1103/PhysRevLett.110.225001. Paschmann, G. et al. (1998), ISSI SR-001, chapter 6.
    """
    if "pressure" not in moments:
        raise DataTypeError("there is no pressure tensor", "moments", "Take moments that have one")
    if e is not None and b is None:
        raise DataTypeError("there is an electric field without a magnetic one", "energy_flux",
                            "Bind b as well")  # fmt: skip
    frame = str(moments["velocity"].attrs["frame"])
    for series in (b, e):
        if series is not None:
            require_same_frame(frame, series)
    at = moments["time"].values
    n = moments["density"].values.astype(np.float64)
    v = moments["velocity"].values.astype(np.float64)
    p = moments["pressure"].values.astype(np.float64)
    # kg km^3 s^-3 cm^-3 = 1e15 W m^-2; nPa km s^-1 = 1e-6 W m^-2.
    kinetic = 0.5 * mass_of(moments) * 1e18 * (n * (v**2).sum(axis=1))[:, None] * v
    trace = np.trace(p, axis1=1, axis2=2)
    enthalpy = 1e-3 * (0.5 * trace[:, None] * v + np.einsum("tij,tj->ti", p, v))
    fluxes = {"kinetic": kinetic, "enthalpy": enthalpy, "total": kinetic + enthalpy}
    if "heat_flux" in moments:
        fluxes["heat"] = moments["heat_flux"].values.astype(np.float64)
        fluxes["total"] = fluxes["total"] + fluxes["heat"]
    if e is not None and b is not None:
        fluxes["poynting"] = joined(
            e["time"].values, poynting(e, b, reach), at, accumulation, reach
        )
    species = str(moments.attrs["species"])
    variables: dict[str, object] = {}
    for name, values in fluxes.items():
        about = {"units": "mW m^-2", "long_name": f"{species} {_PARTS[name]}", "frame": frame}
        variables[name] = (("time", "component"), values.astype(np.float32), about)
    along = np.full((at.size, 3), np.nan)
    if b is not None:
        mean = joined(b["time"].values, b["vector"].values[:, :3], at, accumulation, reach)
        size = np.sqrt((mean**2).sum(axis=1, keepdims=True))
        along = mean / np.where(size > 0, size, np.nan)
    for name, values in fluxes.items():
        about = {"units": "mW m^-2", "long_name": f"{species} {_PARTS[name]} along the field"}
        part = (values * along).sum(axis=1).astype(np.float32)
        variables[f"{name}_parallel"] = (("time",), part, about)
    if "quality" in moments:
        variables["quality"] = moments["quality"].variable
    what = "kinetic + enthalpy" + (" + heat" if "heat" in fluxes else "")
    return xr.Dataset(variables, {"time": moments["time"], "component": ["x", "y", "z"]},
                      {"species": species, "frame": frame, "total": what})  # fmt: skip


def poynting(e: xr.Dataset, b: xr.Dataset, reach: str) -> np.ndarray:
    """E x B / mu0 [mW m^-2] (sample, 3) at the samples of E [mV m^-1], with B [nT] between its own.

    Parameters
    ----------
    e, b : Dataset
        VectorSeries of one frame.
    reach : str
        How far apart samples of B may be.
    """
    there = nearby(b["time"].values, b["vector"].values[:, :3], e["time"].values, reach)
    field = e["vector"].values[:, :3].astype(np.float64)
    return np.cross(field, there) * (1e-9 / VACUUM_PERMEABILITY)


@recipe(gives=VectorSeries, version=1)
def poynting_flux(
    e: VectorSeries, b: Annotated[VectorSeries, Margin("reach")], *, reach: str = "1s"
) -> xr.Dataset:
    """Poynting flux S = E x B / mu0 [mW m^-2], (time, component) at the samples of E.

    Parameters
    ----------
    e : VectorSeries
        Electric field [mV m^-1].
    b : VectorSeries
        Magnetic field [nT] in the same frame, interpolated between samples at most `reach` apart.
    reach : str

    Raises
    ------
    DataTypeError
        When the frames differ.
    """
    require_same_frame(str(e["vector"].attrs["frame"]), b)
    about = {"units": "mW m^-2", "long_name": "Poynting flux", "frame": e["vector"].attrs["frame"]}
    variables: dict[str, object] = {
        "vector": (("time", "component"), poynting(e, b, reach).astype(np.float32), about)
    }
    if "quality" in e:
        variables["quality"] = e["quality"].variable
    return xr.Dataset(variables, {"time": e["time"], "component": ["x", "y", "z"]})
