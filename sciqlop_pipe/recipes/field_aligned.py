"""Moments along and across the magnetic field."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import FieldAligned, Moments, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from .rays import field_directions, require_same_frame

AXES = ["perp1", "perp2", "par"]
"""par = b, perp2 along b x V, perp1 = perp2 x b: V lies in the plane of perp1 and par."""


@recipe(gives=FieldAligned, version=2)
def field_aligned(
    moments: Moments,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """T parallel and perpendicular [eV], anisotropy, agyrotropy (time), P [nPa], V, Q in FAC.

        T_par = b.T.b,  T_perp = (tr T - T_par)/2,  anisotropy = T_perp/T_par,
        agyrotropy = sqrt(Q),  Q = 1 - 4 I2 / ((I1 - P_par)(I1 + 3 P_par)),
        I1 = tr P,  I2 = Pxx Pyy + Pxx Pzz + Pyy Pzz - Pxy^2 - Pxz^2 - Pyz^2

    sqrt(Q) is 0 where P is gyrotropic and at most 1. Two other measures of the same:

        A_phi = 2 |p1 - p2|/(p1 + p2),  D_ng = 2 |P - G|/tr P

    with p1, p2 the principal pressures across b, G = P_par bb + P_perp (I - bb) and |.| the
    Frobenius norm. A_phi sees the perpendicular plane only. The field-aligned frame (FAC) has the
    axes par = b, perp2 = b x V / |b x V|, perp1 = perp2 x b.

    Parameters
    ----------
    moments : Moments
        density, velocity (time, component), pressure (time, component, component_2) [nPa].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the moments. It is averaged over the
        accumulation before its direction is taken; without a sample there the nearest one within
        reach counts.
    accumulation : str
        How long a record of the moments takes, centred on its time.
    reach : str
        How far away a single sample of the field may be.

    Returns
    -------
    Dataset
        temperature_parallel, temperature_perpendicular, anisotropy, agyrotropy,
        perpendicular_asymmetry (A_phi), nongyrotropy (D_ng) (time); pressure
        (time, component, component_2), velocity and, where the moments have it, heat_flux (time,
        component), components perp1, perp2, par; b_direction (time, component) in the frame of the
        moments; quality as there. NaN where b is zero or unknown, perp1 and perp2 also where V is
        unknown or along b. Anisotropy is NaN unless T_par is positive. The three
        measures are NaN where P is not positive definite, as it may be of a plasma colder than
        the bins are wide.

    Raises
    ------
    DataTypeError
        When the frames differ, or the moments have no pressure tensor.

    References
    ----------
    Swisdak, M. (2016), Geophys. Res. Lett. 43, 43-49, doi:10.1002/2015GL066980: Q and its
    invariants. Scudder, J. & Daughton, W. (2008), J. Geophys. Res. 113, A06222,
    doi:10.1029/2008JA013035: A_phi. Aunai, N. et al. (2013), Phys. Plasmas 20, 092903,
    doi:10.1063/1.4820953: D_ng. Paschmann, G. et al. (1998), ISSI SR-001, chapter 6.
    """
    if "pressure" not in moments:
        raise DataTypeError("there is no pressure tensor", "moments", "Take moments that have one")
    require_same_frame(str(moments["pressure"].attrs["frame"]), b)
    along = field_directions(b, moments["time"].values, accumulation, reach)
    pressure = np.asarray(moments["pressure"].values, np.float64)
    basis = field_aligned_basis(along, np.asarray(moments["velocity"].values, np.float64))
    density = np.asarray(moments["density"].values, np.float64)
    per_particle = 1e-15 / ELEMENTARY_CHARGE / np.where(density > 0, density, np.nan)
    parallel = np.einsum("ti,tij,tj->t", along, pressure, along)
    across = 0.5 * (np.trace(pressure, axis1=1, axis2=2) - parallel)
    ratio = across / np.where(parallel > 0, parallel, np.nan)
    return _dataset(
        moments,
        (
            parallel * per_particle,
            across * per_particle,
            ratio,
            agyrotropy(pressure, parallel),
            *perpendicular_asymmetry_and_nongyrotropy(pressure, along),
        ),
        basis,
        along,
        str(b["vector"].attrs["frame"]),
    )


def agyrotropy(pressure: np.ndarray, parallel: np.ndarray) -> np.ndarray:
    """sqrt(Q) (time,) of pressure tensors (time, 3, 3) with P_par (time,), of any unit.

    References
    ----------
    Swisdak, M. (2016), Geophys. Res. Lett. 43, 43-49, doi:10.1002/2015GL066980.
    """
    trace = np.trace(pressure, axis1=1, axis2=2)
    second = 0.5 * (trace**2 - np.einsum("tij,tji->t", pressure, pressure))
    below = (trace - parallel) * (trace + 3 * parallel)
    real = np.isfinite(trace)
    lowest = np.full(trace.shape, np.nan)
    lowest[real] = np.linalg.eigvalsh(pressure[real])[:, 0]
    q = 1 - 4 * second / np.where((lowest >= 0) & (below > 0), below, np.nan)
    # A gyrotropic tensor has Q = 0, which rounding may put below.
    return np.sqrt(np.maximum(q, 0.0))


def perpendicular_asymmetry_and_nongyrotropy(
    pressure: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A_phi and D_ng (time,) of pressure tensors (time, 3, 3) of any unit, along unit vectors.

    References
    ----------
    Scudder, J. & Daughton, W. (2008), J. Geophys. Res. 113, A06222, doi:10.1029/2008JA013035.
    Aunai, N. et al. (2013), Phys. Plasmas 20, 092903, doi:10.1063/1.4820953.
    """
    real = np.isfinite(pressure).all(axis=(1, 2)) & np.isfinite(along).all(axis=1)
    p = np.where(real[:, None, None], pressure, 0.0)
    b = np.where(real[:, None], along, 0.0)
    trace = np.trace(p, axis1=1, axis2=2)
    parallel = np.einsum("ti,tij,tj->t", b, p, b)
    across = 0.5 * (trace - parallel)
    bb = b[:, :, None] * b[:, None, :]
    flat = np.eye(3) - bb
    plane = flat @ p @ flat
    # The two principal values across b have this sum and this sum of squares; the third is 0.
    squares = np.einsum("tij,tij->t", plane, plane)
    difference = np.sqrt(np.maximum(2 * squares - (2 * across) ** 2, 0.0))
    gyrotropic = parallel[:, None, None] * bb + across[:, None, None] * flat
    rest = np.sqrt(((p - gyrotropic) ** 2).sum(axis=(1, 2)))
    sound = real & (np.linalg.eigvalsh(p)[:, 0] >= 0)
    perpendicular = np.where(sound & (across > 0), across, np.nan)
    whole = np.where(sound & (trace > 0), trace, np.nan)
    return difference / perpendicular, 2 * rest / whole


def field_aligned_basis(along: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Unit vectors perp1, perp2, par (time, 3, 3), one per row; NaN where they are undefined.

    Parameters
    ----------
    along : ndarray (time, 3)
        Unit vectors of the field.
    velocity : ndarray (time, 3)
        Of any unit.
    """
    second = np.cross(along, velocity)
    length = np.sqrt((second**2).sum(axis=1, keepdims=True))
    speed = np.sqrt((velocity**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        second = second / np.where(length > 1e-6 * speed, length, np.nan)
    return np.stack([np.cross(second, along), second, along], axis=1)


def _dataset(
    moments: xr.Dataset,
    scalars: tuple[np.ndarray, ...],
    basis: np.ndarray,
    along: np.ndarray,
    frame: str,
) -> xr.Dataset:
    species = moments.attrs["species"]
    about = (
        ("temperature_parallel", "eV", "temperature along the field"),
        ("temperature_perpendicular", "eV", "temperature across the field"),
        ("anisotropy", "1", "perpendicular over parallel temperature"),
        ("agyrotropy", "1", "agyrotropy sqrt(Q)"),
        ("perpendicular_asymmetry", "1", "agyrotropy A_phi"),
        ("nongyrotropy", "1", "nongyrotropy D_ng"),
    )
    variables: dict[str, object] = {
        name: (
            ("time",),
            values.astype(np.float32),
            {"units": units, "long_name": f"{species} {words}"},
        )
        for values, (name, units, words) in zip(scalars, about, strict=True)
    }
    for name in ("pressure", "velocity", "heat_flux"):
        if name not in moments:
            continue
        values = np.asarray(moments[name].values, np.float64)
        turned = np.einsum("tij,tj...->ti...", basis, values)
        if values.ndim == 3:
            turned = np.einsum("tij,tkj->tik", turned, basis)
        attrs = dict(moments[name].attrs) | {"frame": "FAC"}
        variables[name] = (moments[name].dims, turned.astype(np.float32), attrs)
    variables["b_direction"] = (
        ("time", "component_b"),
        along.astype(np.float32),
        {"units": "1", "long_name": "direction of the magnetic field", "frame": frame},
    )
    if "quality" in moments:
        variables["quality"] = moments["quality"].variable
    coords = {
        "time": moments["time"],
        "component": AXES,
        "component_2": AXES,
        "component_b": ["x", "y", "z"],
    }
    return xr.Dataset(variables, coords, dict(moments.attrs) | {"frame": "FAC"})
