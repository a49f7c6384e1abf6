"""Vectors, moments and distributions in another frame, by an attitude or by fixed axes."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Attitude, Moments, VectorSeries
from ..errors import UsageError
from ..kernels.quaternions import of_matrices, rotated
from ..model import Margin, recipe
from .attitude import quaternions_from
from .vdf import BLOCK, angle_table

WIDEST = 90.0
"""Azimuth [deg] that a bin beside a pole may be said to span: beyond it means over it vanish."""

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@recipe(gives=VectorSeries, version=1)
def rotate_vector(
    vector: VectorSeries, attitude: Annotated[Attitude, Margin("reach")], *, reach: str = "60s"
) -> xr.Dataset:
    """Vector (time, component) in the attitude's other frame, in its own units.

        v' = R(q) v,  R(q) v = v + 2 w (u x v) + 2 u x (u x v),  q = (u, w)

    Parameters
    ----------
    vector : VectorSeries
        In one of the two frames of the attitude.
    attitude : Attitude
        Unit quaternions, used whichever way round is needed. Interpolated on the sphere between
        samples within reach; where only one is within reach it is held, so that a frame may turn
        unnoticed for that long at an end of the attitude.
    reach : str
        How far away a sample of the attitude may be.

    Returns
    -------
    Dataset
        vector (time, component), its frame the other one of the attitude; NaN where no attitude is
        within reach; quality as in the vector.

    Raises
    ------
    DataTypeError
        When the vector is in neither frame of the attitude.

    References
    ----------
    Shoemake, K. (1985), SIGGRAPH Computer Graphics 19, 245, doi:10.1145/325165.325242.
    """
    frame = str(vector["vector"].attrs["frame"])
    q, other = quaternions_from(attitude, frame, vector["time"].values, reach)
    return _turned(vector, q, other, ("vector",))


@recipe(gives=VectorSeries, version=1)
def vector_in_axes(
    vector: VectorSeries, *, axes: tuple = IDENTITY, frame: str = "LMN"
) -> xr.Dataset:
    """Vector (time, component) along fixed axes such as L, M, N, in its own units.

    Parameters
    ----------
    vector : VectorSeries
        In any frame.
    axes : tuple of nine numbers
        The new x, y, z as unit vectors in that frame, one after the other (L, M, N).
    frame : str
        Name of the result's frame.

    Returns
    -------
    Dataset
        vector (time, component), quality as in the vector.

    Raises
    ------
    UsageError
        When the axes are not orthogonal unit vectors of a right-handed frame to 0.001, or the
        frame has no name.

    References
    ----------
    Sonnerup, B. U. O. and Scheible, M. (1998), ISSI SR-001, chapter 8: boundary normal frames.
    """
    return _turned(vector, fixed_rotation(axes, frame), frame, ("vector",))


@recipe(gives=Moments, version=1)
def rotate_moments(
    moments: Moments, attitude: Annotated[Attitude, Margin("reach")], *, reach: str = "60s"
) -> xr.Dataset:
    """Moments with V, Q (time, component) and P, T (time, component, component_2) in a new frame.

        V' = R V,  P' = R P R^T

    What is the same in every frame (density, temperatures, coverage, quality) stays as it is.

    Parameters
    ----------
    moments : Moments
        In one of the two frames of the attitude.
    attitude : Attitude
        As for `rotate_vector`.
    reach : str
        How far away a sample of the attitude may be.

    Returns
    -------
    Dataset
        The moments, vectors and tensors in the other frame of the attitude; NaN where no attitude
        is within reach.

    Raises
    ------
    DataTypeError
        When the moments are in neither frame of the attitude.

    References
    ----------
    Goldstein, H. (1980), Classical Mechanics, chapter 4: orthogonal transformations.
    """
    frame = str(moments["velocity"].attrs["frame"])
    q, other = quaternions_from(attitude, frame, moments["time"].values, reach)
    names = ("velocity", "pressure", "temperature_tensor", "heat_flux")
    return _turned(moments, q, other, tuple(n for n in names if n in moments))


@recipe(gives=VDF, version=1)
def rotate_distribution(
    vdf: VDF, attitude: Annotated[Attitude, Margin("reach")], *, reach: str = "60s"
) -> xr.Dataset:
    """The same f [s^3 m^-6] with its directions in another frame: phi, theta [deg] per record.

        u' = R(q) u,  phi' = atan2(u'_y, u'_x),  theta' = arccos(u'_z)

    Nothing is resampled: f, energies and solid angles are those of the instrument. A bin turned
    askew is no longer bounded by lines of phi and theta; its widths become those of a box of the
    same solid angle at the new place, as wide as high.

    Parameters
    ----------
    vdf : VDF
        Grid or list, in one of the two frames of the attitude.
    attitude : Attitude
        As for `rotate_vector`.
    reach : str
        How far away a sample of the attitude may be.

    Returns
    -------
    Dataset
        A VDF whose phi, theta and, where the input has widths, phi_width, theta_width have the
        dimensions of f (without energy where directions do not depend on it). NaN angles, which
        every product takes for unmeasured, where no attitude is within reach.

    Raises
    ------
    DataTypeError
        When the distribution is in neither frame of the attitude.

    References
    ----------
    Shoemake, K. (1985), SIGGRAPH Computer Graphics 19, 245, doi:10.1145/325165.325242.
    """
    q, other = quaternions_from(attitude, str(vdf.attrs["frame"]), vdf["time"].values, reach)
    return _distribution(vdf, q, other)


@recipe(gives=VDF, version=1)
def distribution_in_axes(vdf: VDF, *, axes: tuple = IDENTITY, frame: str = "LMN") -> xr.Dataset:
    """The same f [s^3 m^-6] with its directions along fixed axes such as L, M, N.

    Parameters
    ----------
    vdf : VDF
        Grid or list, in any frame.
    axes : tuple of nine numbers
        The new x, y, z as unit vectors in that frame, one after the other.
    frame : str
        Name of the result's frame.

    Returns
    -------
    Dataset
        A VDF as of `rotate_distribution`.

    Raises
    ------
    UsageError
        As of `vector_in_axes`.

    References
    ----------
    Sonnerup, B. U. O. and Scheible, M. (1998), ISSI SR-001, chapter 8: boundary normal frames.
    """
    q = np.repeat(fixed_rotation(axes, frame), vdf.sizes["time"], axis=0)
    return _distribution(vdf, q, frame)


def fixed_rotation(axes: tuple, frame: str) -> np.ndarray:
    """Quaternion (1, 4) that turns into axes given as nine numbers, a row per axis.

    Raises
    ------
    UsageError
        When they are not orthogonal unit vectors of a right-handed frame, or it has no name.
    """
    rows = np.asarray(axes, np.float64)
    square = rows.reshape(3, 3) if rows.size == 9 else np.zeros((3, 3))
    if not np.allclose(square @ square.T, np.eye(3), atol=1e-3):
        raise UsageError(
            f"{axes} are not three orthogonal unit vectors",
            "axes",
            "Give nine numbers: the new x, y and z, one after the other",
        )
    if np.linalg.det(square) < 0:
        raise UsageError("the axes are left-handed", "axes", "Turn one of them round")
    if not frame:
        raise UsageError("the new frame has no name", "frame", "Name it, for example frame='LMN'")
    return of_matrices(square[None])


def _turned(ds: xr.Dataset, q: np.ndarray, frame: str, names: tuple[str, ...]) -> xr.Dataset:
    """Return a dataset with some vectors (time, 3) and tensors (time, 3, 3) turned."""
    found = {}
    for name in names:
        values = np.asarray(ds[name].values, np.float64)
        if values.ndim == 2:
            values = rotated(q, values)
        else:
            # R (R P)^T = R P^T R^T: rows, then columns.
            for _ in range(2):
                columns = [rotated(q, np.ascontiguousarray(c)) for c in values.transpose(2, 0, 1)]
                values = np.stack(columns, axis=1)
        about = {k: v for k, v in ds[name].attrs.items() if k != "frame_equivalent"}
        kind = ds[name].dtype if ds[name].dtype.kind == "f" else np.float64
        about["long_name"] = about["long_name"].replace(f"({about.get('frame')})", f"({frame})")
        found[name] = (ds[name].dims, values.astype(kind), about | {"frame": frame})
    attrs = {k: v for k, v in ds.attrs.items() if k != "frame_equivalent"}
    return ds.assign(found).assign_attrs(attrs | ({"frame": frame} if "frame" in attrs else {}))


def _distribution(vdf: xr.Dataset, q: np.ndarray, frame: str) -> xr.Dataset:
    names = ["phi", "theta"]
    if "phi_width" in vdf and "theta_width" in vdf:
        names += ["phi_width", "theta_width"]
    phi, theta = (np.radians(angle_table(vdf, n)) for n in names[:2])
    solid_angle = angle_table(vdf, "solid_angle")
    sizes = [1, *(vdf.sizes[d] for d in vdf["f"].dims[1:-1])][-2:]
    shape = (*sizes, max(phi.shape[-1], theta.shape[-1]))
    new = np.empty((len(names), vdf.sizes["time"], *shape), np.float32)
    for start in range(0, vdf.sizes["time"], BLOCK):
        some = slice(start, start + BLOCK)
        turned = _angles(_some(phi, some), _some(theta, some), q[some], shape)
        new[:2, some] = turned
        if len(names) > 2:
            new[2:, some] = _box(_some(solid_angle, some), turned[1])
    dims = vdf["f"].dims if shape[-1] > 1 else vdf["f"].dims[:-1]
    wanted = tuple(vdf.sizes[d] for d in dims)
    found = {
        name: (dims, a.reshape(wanted), dict(vdf[name].attrs))
        for name, a in zip(names, new, strict=True)
    }
    lone = [n for n in ("phi_width", "theta_width") if n in vdf and n not in names]
    return vdf.drop_vars(lone).assign(found).assign_attrs(frame=frame)


def _some(table: np.ndarray, block: slice) -> np.ndarray:
    return table[block] if table.shape[0] > 1 else table


def _angles(
    phi: np.ndarray, theta: np.ndarray, q: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Azimuth and colatitude [deg] (2, time, *shape) of directions [rad] turned by quaternions."""
    u = np.empty((3, q.shape[0], *shape))
    u[0], u[1], u[2] = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)
    flat = np.ascontiguousarray(u.reshape(3, -1).T)
    x, y, z = rotated(np.repeat(q, math.prod(shape), axis=0), flat).T.reshape(u.shape)
    return np.degrees(np.stack([np.arctan2(y, x) % (2 * np.pi), np.arctan2(np.hypot(x, y), z)]))


def _box(solid_angle: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Widths [deg] in azimuth and colatitude of boxes as wide as high, of solid angles [sr]."""
    high = np.degrees(np.sqrt(solid_angle))
    top, bottom = (np.cos(np.radians(np.clip(theta + s * high / 2, 0, 180))) for s in (-1, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = np.degrees(solid_angle / (top - bottom))
    return np.stack(np.broadcast_arrays(np.minimum(wide, WIDEST), high))
