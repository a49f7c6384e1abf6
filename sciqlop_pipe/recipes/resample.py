"""Distributions on another grid of velocities: maps of where bins lie, cells, bulk velocities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..errors import DataTypeError
from ..kernels.reduced import speeds
from ..kernels.resample import (
    PIXELS,
    cell_rays,
    cell_shells,
    nearest_boxes,
    nearest_patches,
    resampled,
)
from .rays import rays
from .vdf import Distributions, angle_table, distinct, distributions, energy_edges, solid_angles

UNKNOWN_WIDTH = 1.6
"""Half widths that a direction of unknown shape reaches, as a square of its solid angle."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A grid of directions (phi, theta) of equal angles, with rays and shells per cell."""

    phis: int
    thetas: int
    rays: tuple[int, int] = (2, 2)
    shells: int = 2

    @property
    def solid_angle(self) -> np.ndarray:
        """Return solid angles [sr], (theta,)."""
        edges = np.cos(np.linspace(0, np.pi, self.thetas + 1))
        return 2 * np.pi / self.phis * (edges[:-1] - edges[1:])


@dataclass(frozen=True, slots=True)
class Moved:
    """A distribution on a grid of velocities around another origin.

    `f` and `seen` (time, phi, theta, energy): mean of f [s^3 m^-6] and measured part of each cell;
    `energy`, `lower`, `upper` (time, energy) [eV], ascending; `kept` and `outside` (time): density
    of the result, and what lies beyond its highest energy, over the density of the input.
    """

    f: np.ndarray
    seen: np.ndarray
    energy: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    kept: np.ndarray
    outside: np.ndarray


def bulk_velocity(moments: xr.Dataset, times: np.ndarray, frame: str) -> np.ndarray:
    """Bulk velocity (time, 3) [km/s] of the records with the same times, NaN without one.

    Raises
    ------
    DataTypeError
        When the moments are in another frame.
    """
    found = str(moments["velocity"].attrs["frame"])
    if found != frame:
        raise DataTypeError(
            f"the moments are in {found}, the distribution is in {frame}",
            "moments",
            "Rotate one of them (rotate_moments, rotate_distribution)",
        )
    at = moments["time"].values.astype("datetime64[ns]")
    want = np.asarray(times).astype("datetime64[ns]")
    out = np.full((want.size, 3), np.nan)
    if at.size:
        k = np.clip(np.searchsorted(at, want), 0, at.size - 1)
        same = at[k] == want
        out[same] = moments["velocity"].values[k[same]]
    return out


def resample(vdf: xr.Dataset, basis: np.ndarray, velocity: np.ndarray, cells: Cells) -> Moved:
    """A distribution on a grid of directions and its own energies, seen from a moving origin.

    The lowest bin of the new grid reaches down to zero, so that a plasma at rest there has no hole
    in its middle.

    Parameters
    ----------
    vdf : Dataset
        A VDF.
    basis : ndarray (time, 3, 3)
        The new axes in its frame, one per row; NaN where undefined.
    velocity : ndarray (time, 3)
        Of the new origin in its frame [km/s].
    cells : Cells
        The new directions.
    """
    view = distributions(vdf)
    edges, use = energy_edges(vdf), view.selected(0.0, np.inf)
    kind, tables = distinct(view.f.shape[0], edges.lower, edges.upper, use, view.energy)
    lower, upper, used, energy = tables
    used = used.astype(bool) & np.isfinite(lower) & np.isfinite(upper)
    times, bins = view.f.shape[0], view.f.shape[-1]
    shape = (times, cells.phis, cells.thetas, bins)
    out = Moved(
        np.empty(shape, np.float32), np.zeros(shape, np.float32),
        *(np.empty((times, bins)) for _ in range(3)),
        *(np.full(times, np.nan) for _ in range(2)),
    )  # fmt: skip
    looks = cell_rays(cells.phis, cells.thetas, cells.rays)
    many = cells.phis * cells.thetas
    sky = maps(vdf)
    basis, velocity = (np.ascontiguousarray(a, np.float64) for a in (basis, 1e-3 * velocity))
    for k in range(lower.shape[0] if kind.size else 0):
        order = np.argsort(np.where(used[k], lower[k], np.inf), kind="stable")
        order = order[: int(used[k].sum())]
        slow, fast = (speeds(e[k], view.mass) for e in (lower, upper))
        new = _contiguous(energy[k], lower[k], upper[k])
        shells = cell_shells(speeds(new[1], view.mass), speeds(new[2], view.mass), cells.shells)
        old = ((slow[order] ** 2).astype(np.float32), (fast[order] ** 2).astype(np.float32), order)
        for block in runs(np.flatnonzero(kind == k)):
            for a, values in zip((out.energy, out.lower, out.upper), new, strict=True):
                a[block] = values
            f = view.values(block)
            mean, seen = resampled(
                f, sky(block), *old, *looks, many, basis[block], velocity[block], *shells
            )
            out.f[block] = mean.reshape(-1, *shape[1:])
            out.seen[block] = seen.reshape(-1, *shape[1:])
    _account(
        vdf, view, velocity, np.where(used[kind], lower[kind], np.nan), upper[kind], cells, out
    )
    return out


def _contiguous(
    energy: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energies ascending, with edges that meet; the first at zero, unused bins without width."""
    order = np.argsort(energy, kind="stable")
    energy, lower, upper = energy[order], lower[order].copy(), upper[order].copy()
    real = np.flatnonzero(np.isfinite(lower) & np.isfinite(upper))
    if real.size:
        lower[real[0]] = 0.0
        upper[real[:-1]] = lower[real[1:]]
    hole = ~(np.isfinite(lower) & np.isfinite(upper))
    lower[hole] = upper[hole] = 0.0
    return energy, lower, upper


def _account(
    vdf: xr.Dataset,
    view: Distributions,
    velocity: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    cells: Cells,
    out: Moved,
) -> None:
    """Fill in what was kept and what lies outside, as parts of the density of the input."""
    solid = solid_angles(vdf)
    speed = speeds(np.sqrt(np.maximum(lower, 1e-3) * upper), view.mass)
    volume = np.nan_to_num((speeds(upper, view.mass) ** 3 - speeds(lower, view.mass) ** 3) / 3)
    new = (speeds(out.upper, view.mass) ** 3 - speeds(out.lower, view.mass) ** 3) / 3
    top = speeds(out.upper.max(axis=1, initial=0.0), view.mass) ** 2
    total, beyond = np.zeros(view.f.shape[0]), np.zeros(view.f.shape[0])
    for chosen, looks in rays(vdf, 1):
        for block in view.blocks():
            amount = np.nan_to_num(view.values(block)[..., chosen]).astype(np.float64)
            amount *= volume[block, None, chosen]
            amount *= (solid[block] if solid.shape[0] > 1 else solid)[..., None]
            u = looks.directions(block)
            u = np.broadcast_to(u, (amount.shape[0], *u.shape[1:])).reshape(amount.shape[0], 3, -1)
            v = velocity[block]
            along = u[:, 0] * v[:, :1] + u[:, 1] * v[:, 1:2] + u[:, 2] * v[:, 2:]
            s = speed[block, None, chosen]
            square = s * s - 2 * s * along[..., None] + (v**2).sum(axis=1)[:, None, None]
            total[block] += amount.sum(axis=(1, 2))
            beyond[block] += (amount * (square >= top[block, None, None])).sum(axis=(1, 2))
    for block in view.blocks():
        n = np.nan_to_num(out.f[block] * out.seen[block]).astype(np.float64)
        n *= new[block, None, None] * cells.solid_angle[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            out.kept[block] = n.sum(axis=(1, 2, 3)) / total[block]
            out.outside[block] = beyond[block] / total[block]


def runs(at: np.ndarray, size: int = 32) -> Iterator[slice]:
    """Yield runs of consecutive records, a few at a time."""
    breaks = np.flatnonzero(np.diff(at) > 1) + 1
    for run in np.split(at, breaks) if at.size else ():
        for start in range(int(run[0]), int(run[-1]) + 1, size):
            yield slice(start, min(start + size, int(run[-1]) + 1))


def maps(vdf: xr.Dataset) -> Callable[[slice], np.ndarray]:
    """A function that gives `pixel` of `resampled` for a block of records of a VDF."""
    known = "phi_width" in vdf and "theta_width" in vdf
    phi, theta = angle_table(vdf, "phi"), angle_table(vdf, "theta")
    if known:
        around, down = angle_table(vdf, "phi_width"), angle_table(vdf, "theta_width")
    else:
        solid = angle_table(vdf, "solid_angle")
        down = np.degrees(np.sqrt(solid))
        with np.errstate(invalid="ignore", divide="ignore"):
            around = np.minimum(down / np.maximum(np.sin(np.radians(theta)), 1e-3), 360.0)
    sizes = [1, *(vdf.sizes[d] for d in vdf["f"].dims[1:-1])][-2:]
    separable = (
        known
        and all(a.shape[2] == 1 and a.shape[3] == 1 for a in (phi, around))
        and all(a.shape[1] == 1 and a.shape[3] == 1 for a in (theta, down))
        and phi.shape[1] == sizes[0]
    )
    tables = (phi, theta, around, down)
    make = _map_of_grid if separable else _map_of_list
    moving = any(a.shape[0] > 1 for a in tables)
    per_energy = max(a.shape[-1] for a in tables)
    slack = 1.1 if known else UNKNOWN_WIDTH

    def of(block: slice) -> np.ndarray:
        records = range(block.start, block.stop) if moving else range(1)
        return np.stack(
            [
                np.stack(
                    [make([_one(a, r, e) for a in tables], sizes, slack) for e in range(per_energy)]
                )
                for r in records
            ]
        )

    if moving:
        return of
    steady = of(slice(0, 1))
    return lambda block: steady


def _one(a: np.ndarray, record: int, energy: int) -> np.ndarray:
    return a[record if a.shape[0] > 1 else 0, :, :, energy if a.shape[-1] > 1 else 0]


def _map_of_grid(tables: list[np.ndarray], sizes: list[int], slack: float) -> np.ndarray:
    """Map of directions of a grid of azimuths (rows) and colatitudes (columns)."""
    phi, theta, around, down = tables
    rows, columns = PIXELS
    at = (np.arange(columns) + 0.5) * (360.0 / columns), (np.arange(rows) + 0.5) * (180.0 / rows)
    wide, high = np.broadcast_to(around, phi.shape), np.broadcast_to(down, theta.shape)
    row = nearest_boxes(at[0], phi.ravel(), np.ascontiguousarray(wide).ravel(), True)
    column = nearest_boxes(at[1], theta.ravel(), np.ascontiguousarray(high).ravel(), False)
    found = row * np.int16(sizes[1]) + column[:, None]
    return np.where((row < 0) | (column[:, None] < 0), np.int16(-1), found).astype(np.int16)


def _map_of_list(tables: list[np.ndarray], sizes: list[int], slack: float) -> np.ndarray:
    """Map of directions of any shape, box by box."""
    phi, theta, around, down = (
        np.ascontiguousarray(np.broadcast_to(a, sizes)).ravel() for a in tables
    )
    return nearest_patches(phi, theta, around, down, slack, *PIXELS)
