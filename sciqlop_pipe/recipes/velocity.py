"""Velocity space for the recipes that lay a grid over it: axes, frame, shells of speed, pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..errors import DataTypeError, UsageError
from ..granule import duration
from ..kernels.energies import speed_weights
from ..kernels.reduced import cleaned, speeds, unit_vectors
from .field_aligned import field_aligned_basis
from .moments import moments, potential_at
from .rays import Rays, field_directions, rays, require_same_frame
from .vdf import BLOCK, Distributions, distinct, energy_edges, solid_angles

FRAME_AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""Nine numbers: three axes, one after the other, in the frame of the distribution."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Three axes of velocity for every record, and the velocity of the frame they belong to.

    `basis` (time, 3, 3) are unit vectors, one per row, in the frame of the distribution; `drift`
    (time, 3) [Mm/s] is what is subtracted along them. NaN where either is undefined.
    """

    basis: np.ndarray
    drift: np.ndarray
    names: tuple[str, ...]
    about: dict[str, str]

    @property
    def planes(self) -> list[str]:
        """Return the names of the planes (0, 1), (0, 2), (1, 2)."""
        x, y, z = self.names
        return [f"{x}_{y}", f"{x}_{z}", f"{y}_{z}"]


def axes_of(
    vdf: xr.Dataset,
    b: xr.Dataset | None,
    bulk: xr.Dataset | None,
    sc_pot: xr.Dataset | None,
    *,
    basis: tuple,
    axes: str,
    accumulation: str,
    reach: str,
) -> Axes:
    """Axes perp1, perp2, par with a magnetic field, otherwise those that are given.

    Parameters
    ----------
    vdf, b, bulk, sc_pot : Dataset
        Inputs of the recipe. With `bulk` its velocity is that of the frame, and it tells perp1
        from perp2; without, that is the moments' own velocity of the distribution.
    basis : tuple of nine numbers
        Three axes at right angles, in the frame of the distribution.
    axes : str
        Their three names.
    accumulation, reach : str
        As in `field_directions`.

    Raises
    ------
    UsageError
        For axes that are not three at right angles with three names.
    DataTypeError
        When frames differ.
    """
    velocity = None if bulk is None else bulk_velocity(vdf, bulk, accumulation)
    given, names = _basis(basis), _names(axes)
    if b is None:
        turned = np.tile(given, (vdf.sizes["time"], 1, 1))
        label = "frame" if np.array_equal(given, np.eye(3)) else " ".join(names)
    else:
        require_same_frame(str(vdf.attrs["frame"]), b)
        along = field_directions(b, vdf["time"].values, accumulation, reach)
        flow = velocity
        if flow is None:
            flow = np.asarray(moments(vdf, sc_pot)["velocity"].values, np.float64)
        turned, names, label = field_aligned_basis(along, flow), ("perp1", "perp2", "par"), "FAC"
    return Axes(turned, drift_along(turned, velocity), names, {"basis": label, **origin(bulk)})


def drift_along(basis: np.ndarray, velocity: np.ndarray | None) -> np.ndarray:
    """Velocity of the frame along axes (time, 3, 3), (time, 3) [Mm/s]; zeros for the spacecraft."""
    if velocity is None:
        return np.zeros(basis.shape[:2])
    return 1e-3 * np.einsum("tij,tj->ti", basis, velocity)


def origin(bulk: xr.Dataset | None) -> dict[str, str]:
    """Say in an attribute what velocity zero is."""
    return {"origin": "spacecraft" if bulk is None else "bulk velocity"}


def bulk_velocity(vdf: xr.Dataset, bulk: xr.Dataset, accumulation: str) -> np.ndarray:
    """Velocity (time, 3) [km/s] of the moments nearest to each record, NaN where none is near.

    Near is half an accumulation, so that the result does not depend on how time was cut.

    Raises
    ------
    DataTypeError
        When the moments are in another frame.
    """
    frame = bulk["velocity"].attrs.get("frame")
    if frame != vdf.attrs["frame"]:
        raise DataTypeError(
            f"the velocity is in {frame}, the particles are in {vdf.attrs['frame']}",
            "bulk",
            "Take moments of the same distribution",
        )
    want, at = (d["time"].values.astype("datetime64[ns]").astype(np.int64) for d in (vdf, bulk))
    if not at.size:
        return np.full((want.size, 3), np.nan)
    after = np.clip(np.searchsorted(at, want), 0, at.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(at[after] - want) <= np.abs(want - at[before]), after, before)
    near = np.abs(at[nearest] - want) <= duration(accumulation) // 2
    values = np.asarray(bulk["velocity"].values, np.float64)[nearest]
    return np.where(near[:, None], values, np.nan)


def _basis(basis: tuple) -> np.ndarray:
    try:
        rows = np.asarray(basis, np.float64).reshape(3, 3)
    except ValueError:
        raise UsageError(
            f"{basis} are not three axes", "basis", "Take nine numbers: one axis after the other"
        ) from None
    rows = np.stack([unit(tuple(row), "basis") for row in rows])
    if not np.allclose(rows @ rows.T, np.eye(3), atol=1e-3):
        raise UsageError("the axes are not at right angles", "basis", "Take orthogonal axes")
    return rows


def _names(axes: str) -> tuple[str, ...]:
    names = tuple(axes.split())
    if len(set(names)) != 3:
        raise UsageError(f"'{axes}' are not three names", "axes", "Write them like 'l m n'")
    return names


def unit(axis: tuple, where: str) -> np.ndarray:
    """Return the unit vector along three numbers.

    Raises
    ------
    UsageError
        When they are no direction.
    """
    vector = np.asarray(axis, np.float64)
    length = np.linalg.norm(vector)
    if vector.shape != (3,) or not 0 < length < np.inf:
        raise UsageError(f"{axis} is no direction", where, "Take three numbers, not all zero")
    return np.asarray(vector / length)


@dataclass(frozen=True, slots=True)
class Table:
    """Records that share one table of energies, and their bins as shells of speed.

    `slow`, `fast` (record or 1, energy) [Mm/s] are edges after the potential, equal where a bin
    is not used; `share` (record or 1, energy) as in `speed_weights`; `width` (energy,) [Mm/s] and
    `across` (energy,) [Mm/s], how wide a bin is along and at most across its direction, without
    the potential.
    """

    rows: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    share: np.ndarray
    width: np.ndarray
    across: np.ndarray


def tables(
    vdf: xr.Dataset, view: Distributions, sc_pot: xr.Dataset | None
) -> tuple[list[Table], np.ndarray]:
    """Return the tables of energies, and for which records the potential is known, bool (time,).

    Energies become E + qV, as in `moments`: what lies below zero is cut off.
    """
    edges, times = energy_edges(vdf), view.f.shape[0]
    widest = np.sqrt(solid_angles(vdf).max(axis=1, keepdims=True, initial=0.0))
    kind, (lower, upper, use, angle) = distinct(
        times, edges.lower, edges.upper, view.selected(0.0, np.inf), widest
    )
    shift = np.zeros(times)
    if sc_pot is not None:
        shift = view.charge * potential_at(sc_pot, vdf["time"].values)
    found = []
    for k in range(lower.shape[0] if times else 0):
        rows = np.flatnonzero(kind == k)
        used = use[k : k + 1].astype(bool)
        here = shift[rows, None] if sc_pot is not None else np.zeros((1, 1))
        low, high = lower[k : k + 1], upper[k : k + 1]
        slow, fast = _speeds(low, high, used, here, view.mass)
        every = (np.repeat(a, here.size, axis=0) for a in (low, high))
        _, share = speed_weights(
            *every, here[:, 0].copy(), np.repeat(used, here.size, axis=0), view.mass
        )
        plain = _speeds(low, high, used, np.zeros((1, 1)), view.mass)
        width, across = plain[1][0] - plain[0][0], plain[1][0] * float(angle[k, 0])
        found.append(Table(rows, slow, fast, share, width, across))
    return found, np.isfinite(shift)


def _speeds(
    lower: np.ndarray, upper: np.ndarray, used: np.ndarray, shift: np.ndarray, mass: float
) -> tuple[np.ndarray, np.ndarray]:
    slow, fast = speeds(lower + shift, mass), speeds(upper + shift, mass)
    known = used & (fast > slow)
    return np.where(known, slow, 0.0), np.where(known, fast, 0.0)


def blocks(rows: np.ndarray, size: int = BLOCK) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield records a few at a time: their place among all, and among those of their table."""
    for start in range(0, rows.size, size):
        at = np.arange(start, min(start + size, rows.size))
        yield rows[at], at


def of_records(view: Distributions, rows: np.ndarray) -> np.ndarray:
    """Return f of some records, contiguous float32; not a copy where they follow one another."""
    if rows[-1] - rows[0] + 1 == rows.size:
        return view.values(slice(int(rows[0]), int(rows[-1]) + 1))
    return np.ascontiguousarray(view.f[rows], dtype=np.float32)


def some(a: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return what some records have of an array (time or 1, ...)."""
    return a[at] if a.shape[0] > 1 else a


@dataclass(frozen=True)
class Sky:
    """A distribution's directions, cut into rays as finely as asked for."""

    vdf: xr.Dataset
    made: dict[int, list[tuple[slice, Rays]]]

    @classmethod
    def of(cls, vdf: xr.Dataset) -> Sky:
        """Return the directions of a VDF."""
        return cls(vdf, {})

    def rays(self, parts: int) -> list[tuple[slice, Rays]]:
        """Return energies and their rays, `parts` times `parts` per direction."""
        if parts not in self.made:
            self.made[parts] = list(rays(self.vdf, parts))
        return self.made[parts]

    def vectors(self, looks: Rays, rows: np.ndarray) -> tuple[np.ndarray, int, np.ndarray]:
        """Return what kernels need of some records: unit vectors, parts, solid angles."""
        if looks.azimuth is None or looks.polar is None:
            assert looks.vectors is not None
            vectors = some(looks.vectors, rows)
        else:
            vectors = unit_vectors(some(looks.azimuth, rows), some(looks.polar, rows))
        return vectors, looks.parts, some(looks.solid_angle, rows)

    def clean(
        self, view: Distributions, rows: np.ndarray, share: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return f of some records with zeros where it was not measured, and the coverage."""
        looks = self.rays(1)
        f = of_records(view, rows)
        if len(looks) == 1:
            return cleaned(f, some(looks[0][1].solid_angle, rows), share)
        f = f.copy()
        seen = np.zeros(rows.size)
        for chosen, look in looks:
            part = np.ascontiguousarray(f[..., chosen])
            mine = np.ascontiguousarray(share[:, chosen])
            f[..., chosen], here = cleaned(part, some(look.solid_angle, rows), mine)
            seen += here
        return f, np.minimum(seen, 1.0)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Shells of equal volume that bins of energy are cut into, another set for every ray.

    `shells` (record or 1, ray, shell) [Mm/s], `volume` (record or 1, shell) [1e12 (Mm/s)^3 sr^-1]
    per ray, `energy` (shell,), as kernels take them. `spread` are the weights with which the pieces
    are laid over neighbouring cells afterwards, none if they are not.
    """

    parts: int
    shells: np.ndarray
    volume: np.ndarray
    energy: np.ndarray
    spread: np.ndarray

    def of(self, chosen: slice, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return shells, volume and energies of some energies and records of a table."""
        low, high, _ = chosen.indices(1 << 30)
        here = (self.energy >= low) & (self.energy < high)
        mine = some(self.shells, at), some(self.volume, at)
        if here.all():
            return *mine, self.energy
        return (
            np.ascontiguousarray(mine[0][..., here]),
            np.ascontiguousarray(mine[1][..., here]),
            self.energy[here],
        )


def pieces(
    table: Table, which: np.ndarray, counts: np.ndarray, parts: int, spread: tuple = ()
) -> Pieces:
    """Return some bins of energy cut into shells, for rays `parts` by `parts`.

    Parameters
    ----------
    table : Table
        Their speeds.
    which : ndarray int (bin,)
        Bins of energy.
    counts : ndarray int (bin,)
        Shells per bin.
    parts : int
        Rays along either angle.
    spread : tuple of numbers
        Weights of neighbouring cells, of any sum.
    """
    per_bin = np.maximum(counts, 1)
    energy = np.repeat(which, per_bin)
    number = np.arange(energy.size) - np.repeat(np.cumsum(per_bin) - per_bin, per_bin)
    count, rays_ = np.repeat(per_bin, per_bin), parts * parts
    # Stratified, then staggered by the golden ratio, which fills gaps evenly for any count.
    offset = (0.5 + 0.6180339887 * np.arange(rays_)) % 1.0
    part = (number + offset[:, None]) / count
    low, high = table.slow[:, energy] ** 3, table.fast[:, energy] ** 3
    cubes = low[:, None] + (high - low)[:, None] * part
    volume = (high - low) / 3 * 1e12 / count / rays_
    return Pieces(
        parts,
        np.cbrt(cubes).astype(np.float32),
        volume.astype(np.float32),
        energy.astype(np.int32),
        np.asarray(spread, np.float32) / np.float32(sum(spread) or 1),
    )
