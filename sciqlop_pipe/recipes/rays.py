"""Rays of a VDF dataset, and the magnetic field at its records, as kernels take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..errors import DataTypeError
from ..granule import duration
from ..kernels.rays import azimuth_rays, polar_rays
from .joining import means
from .vdf import angle_table, solid_angles


@dataclass(frozen=True, slots=True)
class Rays:
    """Where the parts of every direction look; see `kernels.rays` for the layout.

    Either `azimuth` (time or 1, 2, row x part) and `polar` (time or 1, 2, column x part), or
    `vectors` (time or 1, 3, row x part, column x part). `solid_angle` (time or 1, direction) [sr]
    is 0 where an angle is unknown.
    """

    parts: int
    solid_angle: np.ndarray
    azimuth: np.ndarray | None = None
    polar: np.ndarray | None = None
    vectors: np.ndarray | None = None

    @property
    def separable(self) -> bool:
        """Tell whether azimuths depend on rows only and colatitudes on columns only."""
        return self.azimuth is not None

    def geometry(self, block: slice) -> tuple[np.ndarray, ...]:
        """Return the unit vectors of some records: azimuth and polar, or vectors."""
        which = (self.azimuth, self.polar) if self.separable else (self.vectors,)
        return tuple(_some(a, block) for a in which if a is not None)

    def directions(self, block: slice) -> np.ndarray:
        """Return the unit vectors of some records, (time or 1, 3, row x part, column x part)."""
        if self.vectors is not None:
            return _some(self.vectors, block)
        a, p = self.geometry(block)
        (c, s), (sin, cos) = np.moveaxis(a, 1, 0)[..., None], np.moveaxis(p, 1, 0)[:, :, None]
        return np.stack(np.broadcast_arrays(sin * c, sin * s, cos), axis=1)

    def weights(self, block: slice) -> np.ndarray:
        """Return the solid angles of some records."""
        return _some(self.solid_angle, block)


def rays(vdf: xr.Dataset, parts: int) -> Iterator[tuple[slice, Rays]]:
    """Yield energies and their rays: one pair, or one per energy where angles depend on it.

    Parameters
    ----------
    vdf : Dataset
        A VDF. Without `phi_width` and `theta_width` all rays of a direction are its centre.
    parts : int
        Rays per direction along either angle.
    """
    known = "phi_width" in vdf and "theta_width" in vdf
    around, down = (angle_table(vdf, f"{n}_width") if known else None for n in ("phi", "theta"))
    azimuth = azimuth_rays(*_same(angle_table(vdf, "phi"), around), parts)
    polar = polar_rays(*_same(angle_table(vdf, "theta"), down), parts)
    solid = solid_angles(vdf)
    sizes = [1, *(vdf.sizes[d] for d in vdf.variables["f"].dims[1:-1])][-2:]
    energies = max(azimuth.shape[-2], polar.shape[-2])
    for e in range(energies):
        one, other = (a[..., e if a.shape[-2] > 1 else 0, :] for a in (azimuth, polar))
        yield (
            slice(e, e + 1) if energies > 1 else slice(None),
            _rays(one, other, solid, sizes, parts),
        )


def _same(angle: np.ndarray, width: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    if width is None:
        return angle, None
    shape = np.broadcast_shapes(angle.shape, width.shape)
    return np.broadcast_to(angle, shape), np.broadcast_to(width, shape)


def _rays(
    azimuth: np.ndarray, polar: np.ndarray, solid: np.ndarray, sizes: list[int], parts: int
) -> Rays:
    """Rays of (2, time or 1, row or 1, column or 1, part) angles."""
    if not (np.isfinite(azimuth).all() and np.isfinite(polar).all()):
        unknown = ~(np.isfinite(azimuth).all(axis=(0, -1)) & np.isfinite(polar).all(axis=(0, -1)))
        full = np.broadcast_to(unknown, (unknown.shape[0], *sizes))
        solid = np.where(full.reshape(full.shape[0], -1), np.float32(0), solid)
        azimuth, polar = np.nan_to_num(azimuth), np.nan_to_num(polar)
    if azimuth.shape[3] == polar.shape[2] == 1 and azimuth.shape[2] == sizes[0]:
        a = np.moveaxis(azimuth[:, :, :, 0], 0, 1).reshape(azimuth.shape[1], 2, -1)
        p = np.broadcast_to(polar[:, :, 0], (2, polar.shape[1], sizes[1], parts))
        p = np.moveaxis(p, 0, 1).reshape(polar.shape[1], 2, -1)
        return Rays(parts, solid, np.ascontiguousarray(a), np.ascontiguousarray(p))
    # (time, row, part in azimuth, column, part in colatitude)
    c, s = (a.transpose(0, 1, 3, 2)[..., None] for a in azimuth)
    sin, cos = (a[:, :, None] for a in polar)
    times = max(azimuth.shape[1], polar.shape[1])
    shape = (times, sizes[0], parts, sizes[1], parts)
    u = np.stack([np.broadcast_to(x, shape) for x in (sin * c, sin * s, cos + 0 * c)], axis=1)
    return Rays(parts, solid, vectors=u.reshape(times, 3, sizes[0] * parts, sizes[1] * parts))


def _some(a: np.ndarray, block: slice) -> np.ndarray:
    return a[block] if a.shape[0] > 1 else a


def require_same_frame(frame: str, b: xr.Dataset) -> None:
    """Refuse a field whose frame is not that of the particles.

    Frames are equal when their names are, or when the field's attribute `frame_equivalent` (of the
    dataset or its variable) lists the other one, separated by commas: a mission's way of saying
    that two frames differ by less than its particles resolve.

    Raises
    ------
    DataTypeError
        When they are not.
    """
    vector = b.variables["vector"]
    equal = f"{vector.attrs.get('frame_equivalent', '')},{b.attrs.get('frame_equivalent', '')}"
    names = {vector.attrs.get("frame"), *(n.strip() for n in equal.split(","))}
    if frame not in names:
        raise DataTypeError(
            f"the field is in {vector.attrs.get('frame')}, the particles are in {frame}",
            "b",
            "Rotate one of them, or declare the frames equal with the attribute frame_equivalent",
        )


def field_directions(b: xr.Dataset, times: np.ndarray, accumulation: str, reach: str) -> np.ndarray:
    """Unit vectors (time, 3) of the field during accumulations, NaN where it is unknown or zero.

    B is averaged before the unit vector is made, over the samples in [-1/2, 1/2) accumulation
    around each time; without any there, the nearest sample within reach counts.

    Parameters
    ----------
    b : Dataset
        `vector` (time, component) [nT]; samples with a NaN are skipped.
    times : ndarray of datetime64 (time,)
        Centres of the accumulations.
    accumulation, reach : str
        Durations ("150ms", "2s").
    """
    value = np.asarray(b.variables["vector"].values, np.float64)
    at = b.variables["time"].values.astype("datetime64[ns]").astype(np.int64)
    if not np.isfinite(value).all():
        known = np.isfinite(value).all(axis=1)
        value, at = np.ascontiguousarray(value[known]), at[known]
    want = times.astype("datetime64[ns]").astype(np.int64)
    if not at.size:
        return np.full((want.size, 3), np.nan)
    mean = means(at, value, want, accumulation)
    after = np.clip(np.searchsorted(at, want), 0, at.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(at[after] - want) < np.abs(want - at[before]), after, before)
    near = np.abs(at[nearest] - want) <= duration(reach)
    alone = np.where(near[:, None], value[nearest], np.nan)
    mean = np.where(np.isfinite(mean), mean, alone)
    length = np.sqrt((mean**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        return mean / np.where(length > 0, length, np.nan)
