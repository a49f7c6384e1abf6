"""Tables that tell in which bin of a distribution a velocity lies, as kernels take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..kernels.bin_tables import (
    AROUND,
    DOWN,
    RADII,
    azimuths,
    bins_of_speed,
    colatitudes,
    fill_azimuths,
    fill_colatitudes,
    nearest_of_list,
    neighbours_of_list,
)
from .vdf import angle_table, solid_angles
from .velocity import Table

MAP = (128, 256)
"""Colatitudes and azimuths at which the nearest direction of a list is looked up."""

MAP_BETWEEN = (96, 192)
"""The same for interpolation, where a place holds four directions."""

MARGIN = 0.05
"""How much farther than their widths bins reach [deg], so that rounding leaves no gap."""


@dataclass(frozen=True, slots=True)
class Skymap:
    """Bins of direction by azimuth and colatitude: `around` and `sky` of `kernels.slices`."""

    around: np.ndarray
    sky: np.ndarray

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the tables of some records."""
        return _records(self.around, rows), _records(self.sky, rows)


@dataclass(frozen=True, slots=True)
class Between:
    """Places between bins: what `sample_between` needs beside a Skymap."""

    rows: np.ndarray
    columns: np.ndarray
    near: np.ndarray
    weight: np.ndarray
    height: int
    full_circle: bool

    def of(self, rows: np.ndarray) -> tuple:
        """Return the tables of some records."""
        tables = (self.rows, self.columns, self.near, self.weight)
        return *(_records(a, rows) for a in tables), self.height, self.full_circle


def _records(a: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a[:, rows]) if a.shape[1] > 1 else a


def skymap(vdf: xr.Dataset) -> Skymap:
    """Return which direction is where; none where no bin reaches.

    On a grid whose azimuths and colatitudes do not depend on each other a bin is its widths; any
    other direction is the nearest one, up to 1.5 times the radius of a cap of its solid angle.
    """
    phi, theta = (np.moveaxis(angle_table(vdf, n), -1, 0) for n in ("phi", "theta"))
    if not _separable(vdf, phi, theta):
        vectors, reach = _vectors(vdf, phi, theta)
        made = [nearest_of_list(u, reach, *_map(MAP)) for u in vectors]
        identity = np.minimum(np.arange(AROUND) * MAP[1] // AROUND, MAP[1] - 1).astype(np.int16)
        return Skymap(identity[None, None], np.stack(made))
    around = _filled(phi[..., 0], _width(vdf, "phi_width", phi, 2), AROUND, True)
    down = _filled(theta[:, :, 0], _width(vdf, "theta_width", theta, 3), DOWN, False)
    height = theta.shape[3]
    sky = np.where(
        down[..., None] >= 0, np.arange(phi.shape[2]) * height + down[..., None], -1
    ).astype(np.int16)
    known = solid_angles(vdf).max(axis=0) > 0
    sky[(sky >= 0) & ~known[np.maximum(sky, 0)]] = -1
    return Skymap(around, sky)


def between(vdf: xr.Dataset) -> Between:
    """Return what lies between directions: rows and columns of a grid, or neighbours in a list."""
    phi, theta = (np.moveaxis(angle_table(vdf, n), -1, 0) for n in ("phi", "theta"))
    no_rows, no_near = np.zeros((1, 1, 0), np.float32), np.zeros((1, 1, 0, 0, 4), np.int16)
    if not _separable(vdf, phi, theta):
        vectors, _ = _vectors(vdf, phi, theta)
        made = [neighbours_of_list(u, *_map(MAP_BETWEEN)) for u in vectors]
        near, weight = (np.stack(a) for a in zip(*made, strict=True))
        return Between(no_rows, no_rows, near, weight, 1, False)
    rows, full = _rows(phi[..., 0])
    columns = _columns(theta[:, :, 0])
    return Between(rows, columns, no_near, no_near.astype(np.float32), theta.shape[3], full)


def speed_bins(table: Table, fastest: float) -> np.ndarray:
    """Return `bins_of_speed` of a table of energies."""
    return np.asarray(bins_of_speed(table.slow, table.fast, fastest))


def speed_levels(table: Table, fastest: float) -> np.ndarray:
    """Place of each speed among the energies, linear in ln v, float32 (record or 1, RADII + 1)."""
    at = np.maximum(np.arange(RADII + 1), 0.5) / RADII * fastest
    out = np.zeros((table.slow.shape[0], RADII + 1), np.float32)
    for row, slow, fast in zip(out, table.slow, table.fast, strict=True):
        used = np.flatnonzero(fast > slow)
        if used.size:
            centre = np.sqrt(np.maximum(slow[used], 0.1 * fast[used]) * fast[used])
            order = np.argsort(centre)
            row[:] = np.interp(np.log(at), np.log(centre[order]), used[order])
    return out


def fastest_of(found: list[Table]) -> float:
    """Return the largest speed without a potential [Mm/s] of any table, and some more."""
    tops = [float(t.fast.max(initial=0.0)) for t in found]
    return max([1e-6, *tops]) * 1.001


def _separable(vdf: xr.Dataset, phi: np.ndarray, theta: np.ndarray) -> bool:
    """Tell whether azimuths depend on rows only and colatitudes on columns only."""
    return "phi_bin" in vdf["f"].dims and phi.shape[3] == theta.shape[2] == 1


def _width(vdf: xr.Dataset, name: str, angle: np.ndarray, axis: int) -> np.ndarray | None:
    if name not in vdf:
        return None
    width = np.moveaxis(angle_table(vdf, name), -1, 0)
    other = 3 if axis == 2 else 2
    if width.shape[other] > 1:
        width = width.max(axis=other, keepdims=True)
    full = np.broadcast_to(width, np.broadcast_shapes(width.shape, angle.shape))
    return np.take(full, 0, axis=other)


def _filled(centre: np.ndarray, width: np.ndarray | None, size: int, turning: bool) -> np.ndarray:
    """Which of some bins (energy, time, bin) is at each place of a table, -1 for none."""
    if width is None:
        gaps = np.abs(np.diff(np.sort(centre, axis=-1), axis=-1))
        width = np.full((1, 1, 1), np.nanmedian(gaps) if gaps.size else 180.0)
    shape = np.broadcast_shapes(centre.shape, width.shape)
    half = 0.5 * width + MARGIN
    low, high = (np.ascontiguousarray(np.broadcast_to(centre + x, shape)) for x in (-half, half))
    return np.asarray((fill_azimuths if turning else fill_colatitudes)(low, high, size))


def _columns(centre: np.ndarray) -> np.ndarray:
    """Place of each colatitude of a table among centres (energy, time, bin), float32."""
    at = colatitudes(np.arange(DOWN + 1) / DOWN)
    out = np.empty((*centre.shape[:2], at.size), np.float32)
    number = np.arange(centre.shape[2], dtype=float)
    for e, t in np.ndindex(*centre.shape[:2]):
        order = np.argsort(centre[e, t])
        out[e, t] = np.interp(at, centre[e, t, order], number[order])
    return out


def _rows(centre: np.ndarray) -> tuple[np.ndarray, bool]:
    """The same for azimuths, and whether the centres go all the way round."""
    at = azimuths(np.arange(AROUND + 1) / AROUND)
    at[-1] = at[0] + 360
    bins = centre.shape[2]
    steps = (np.diff(centre, append=centre[..., :1]) + 180) % 360 - 180
    widest = np.abs(steps[..., :-1]).max() if bins > 1 else 0.0
    full = bool(bins > 2 and np.abs(steps[..., -1]).max() < 1.5 * widest)
    start = centre[..., :1] % 360
    turned = np.concatenate([start, start + np.cumsum(steps[..., :-1], axis=-1)], axis=-1)
    sign = np.where(turned[..., -1:] >= turned[..., :1], 1.0, -1.0)
    number = np.arange(-2.0 * bins, 2.0 * bins) if full else np.arange(float(bins))
    angle = turned[..., number.astype(int) % bins] + sign * 360 * (number // bins)
    out = np.empty((*centre.shape[:2], at.size), np.float32)
    for e, t in np.ndindex(*centre.shape[:2]):
        mine, count = angle[e, t], number
        if sign[e, t, 0] < 0:
            mine, count = mine[::-1], number[::-1]
        x = at if full else at + 360 * np.round((mine.mean() - at) / 360)
        out[e, t] = np.interp(x, mine, count)
    return out, full


def _vectors(vdf: xr.Dataset, phi: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (energy or 1, time or 1, 3, direction), cosines of how far bins reach."""
    shape = np.broadcast_shapes(phi.shape, theta.shape)
    sizes = [1, *(vdf.sizes[d] for d in vdf["f"].dims[1:-1])][-2:]
    full = (*shape[:2], *sizes)
    a, c = (np.radians(np.broadcast_to(x, full)).reshape(*full[:2], -1) for x in (phi, theta))
    u = np.stack([np.sin(c) * np.cos(a), np.sin(c) * np.sin(a), np.cos(c)], axis=2)
    omega = solid_angles(vdf)
    known = np.isfinite(u.sum(axis=2, keepdims=True)) & (omega > 0).any(axis=0)
    reach = np.cos(1.5 * np.arccos(np.clip(1 - omega / (2 * np.pi), -1, 1)))
    return np.where(known, u, 0.0).astype(np.float32), reach.astype(np.float32)


def _map(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    down, around = (np.radians(g((np.arange(n) + 0.5) / n)) for g, n in zip(
        (colatitudes, azimuths), size, strict=True))  # fmt: skip
    one, other = (
        np.stack([np.cos(x), np.sin(x)], axis=1).astype(np.float32) for x in (down, around)
    )
    return one, other
