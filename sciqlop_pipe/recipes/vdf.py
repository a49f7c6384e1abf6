"""A VDF dataset as the arrays that kernels take: one view for grids and direction lists."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr

from ..errors import DataTypeError
from ..kernels.energies import geometric_edges
from ..kernels.geometry import azimuth_factors, direction_weights, polar_factors

GRID = ("phi_bin", "theta_bin")
BLOCK = 32
"""Distributions per call of a kernel: 2 MB of FPI, so that what a block needs stays in cache."""
STREAM = 256
"""Distributions per call of a kernel that reads f once, and the next one while it computes."""


@dataclass(frozen=True, slots=True)
class Directions:
    """Where the bins look: factors of azimuth and colatitude, with solid angles folded in.

    `azimuth` (time, 5, row, column, energy) and `polar` (time, 7, row, column, energy) have length
    1 along every axis they do not depend on. Rows and columns are phi and theta of a grid; a
    direction list is one row.
    """

    azimuth: np.ndarray
    polar: np.ndarray

    @property
    def per_energy(self) -> bool:
        """Tell whether a bin's direction depends on its energy."""
        return max(self.azimuth.shape[-1], self.polar.shape[-1]) > 1

    @property
    def separable(self) -> bool:
        """Tell whether azimuths depend on rows only and colatitudes on columns only."""
        return not self.per_energy and self.azimuth.shape[3] == self.polar.shape[2] == 1

    @property
    def steady(self) -> bool:
        """Tell whether all records have the same directions."""
        return self.azimuth.shape[0] == self.polar.shape[0] == 1

    def factors(self, block: slice) -> list[np.ndarray]:
        """Return azimuth and polar factors of some records."""
        return [a[block] if a.shape[0] > 1 else a for a in (self.azimuth, self.polar)]

    def weights(self, block: slice) -> np.ndarray:
        """Return `direction_weights` of some records, (time or 1, 10, direction[, energy])."""
        factors = self.factors(block)
        if not self.per_energy:
            return _direction_weights(a[..., 0] for a in factors)
        # To the kernel a direction per energy is just a direction.
        pairs = np.broadcast_shapes(*(a.shape[-2:] for a in factors))
        spread = (np.broadcast_to(a, (*a.shape[:-2], *pairs)) for a in factors)
        weights = _direction_weights(a.reshape(*a.shape[:-2], -1) for a in spread)
        return weights.reshape(*weights.shape[:2], -1, pairs[-1])


def _direction_weights(factors: Iterable[np.ndarray]) -> np.ndarray:
    # Views and broadcasts made one: numba would compile for every mixture of them.
    return direction_weights(*(np.require(a, requirements=("C", "W")) for a in factors))


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of energy bins (time or 1, energy) [eV], and whose choice they are."""

    lower: np.ndarray
    upper: np.ndarray
    choice: str


@dataclass(frozen=True, slots=True)
class Distributions:
    """What kernels need of a VDF dataset.

    `f` is (time, direction, energy) float32 [s^3 m^-6], a view where memory allows. `energy` is
    (time or 1, energy) [eV], an energy proper: a per-charge table times the charge.
    `first_energy` is (time,) or None; mass in kg, charge in elementary charges.
    """

    f: np.ndarray
    energy: np.ndarray
    first_energy: np.ndarray | None
    mass: float
    charge: float

    def blocks(self, size: int = BLOCK) -> Iterator[slice]:
        """Yield the records in runs of a few."""
        for start in range(0, self.f.shape[0], size):
            yield slice(start, min(start + size, self.f.shape[0]))

    def values(self, block: slice) -> np.ndarray:
        """Return f of some records, contiguous float32."""
        return np.ascontiguousarray(self.f[block], dtype=np.float32)

    def selected(self, energy_min: float, energy_max: float) -> np.ndarray:
        """Return which bins have their centre in a range and are valid, bool (time or 1, energy).

        Parameters
        ----------
        energy_min, energy_max : float
            Energies at the instrument [eV], both included.
        """
        use = (self.energy >= energy_min) & (self.energy <= energy_max)
        if self.first_energy is None:
            return use
        first, bins = self.first_energy, self.energy.shape[-1]
        known = (first >= 0) & (first < bins)
        at = np.where(known, first, 0)[:, None]
        rows = np.broadcast_to(self.energy, (first.size, bins))
        return use & known[:, None] & (rows >= np.take_along_axis(rows, at, axis=1))


def distributions(vdf: xr.Dataset) -> Distributions:
    """Return the kernel arrays of a VDF dataset of either layout."""
    f = vdf.variables["f"].values
    first = vdf.variables["first_energy"].values if "first_energy" in vdf else None
    return Distributions(
        f.reshape(f.shape[0], math.prod(f.shape[1:-1]), f.shape[-1]),
        _energies(vdf, "energy"),
        None if first is None else np.where(np.isfinite(first), first, -1).astype(np.int64),
        float(vdf.attrs["mass"]),
        float(vdf.attrs["charge"]),
    )


def energy_edges(vdf: xr.Dataset) -> Edges:
    """Return the dataset's own bin edges, otherwise those halfway between centres in log energy.

    The choice is "instrument" or "geometric". It moves densities by about 1 %.

    Raises
    ------
    DataTypeError
        For a single energy without edges.
    """
    if "energy_lower" in vdf and "energy_upper" in vdf:
        one, other = _energies(vdf, "energy_lower"), _energies(vdf, "energy_upper")
        return Edges(np.minimum(one, other), np.maximum(one, other), "instrument")
    if vdf.sizes["energy_bin"] < 2:
        raise DataTypeError(
            "a single energy has no width", "VDF", "Give energy_lower and energy_upper"
        )
    return Edges(*geometric_edges(_energies(vdf, "energy")), "geometric")


def directions(vdf: xr.Dataset) -> Directions:
    """Return the angular factors of a VDF dataset, corrected for bin widths where it has them."""
    known = "phi_width" in vdf and "theta_width" in vdf
    around, down = (angle_table(vdf, f"{n}_width") if known else None for n in ("phi", "theta"))
    azimuth = azimuth_factors(angle_table(vdf, "phi"), around)
    polar = polar_factors(angle_table(vdf, "theta"), down, angle_table(vdf, "solid_angle"))
    return Directions(*(np.ascontiguousarray(np.moveaxis(a, 0, 1)) for a in (azimuth, polar)))


def solid_angles(vdf: xr.Dataset) -> np.ndarray:
    """Return solid angles [sr], float32 (time or 1, direction), 0 where unknown."""
    table = np.nan_to_num(angle_table(vdf, "solid_angle")[..., 0])
    sizes = [vdf.sizes[d] for d in vdf.variables["f"].dims[1:-1]]
    full = np.broadcast_to(table, (table.shape[0], *([1, *sizes][-2:])))
    return np.ascontiguousarray(full.reshape(full.shape[0], -1), dtype=np.float32)


@cache
def components(dim: str) -> xr.IndexVariable:
    """Return the coordinate x, y, z of a dim, made once: pandas takes its time over strings."""
    return xr.IndexVariable(dim, ["x", "y", "z"])


def _energies(vdf: xr.Dataset, name: str) -> np.ndarray:
    per_charge = vdf.attrs["energy_kind"] == "energy_per_charge"
    scale = abs(float(vdf.attrs["charge"])) if per_charge else 1.0
    values = scale * np.asarray(vdf.variables[name].values, np.float64)
    return _steady(values.reshape(-1, values.shape[-1]))


def angle_table(vdf: xr.Dataset, name: str) -> np.ndarray:
    """Return a table as float64 (time, row, column, energy), length 1 where it does not depend."""
    # `vdf[name]` would look for coordinates that belong to it, a tenth of a record's moments.
    a, dims = vdf.variables[name], vdf.variables["f"].dims
    if extra := [str(d) for d in a.dims if d not in dims]:
        raise DataTypeError(f"{name} depends on {extra[0]}, f does not", "VDF")
    sizes = [vdf.sizes[d] if d in a.dims else 1 for d in dims]
    if len(dims) == 3:
        sizes.insert(1, 1)
    ordered = a.transpose(*(d for d in dims if d in a.dims))
    table = np.asarray(ordered.values, np.float64).reshape(sizes)
    # Files give many tables more axes than they depend on, and every axis costs.
    for axis in range(table.ndim):
        table = _steady(table, axis)
    return table


def _steady(table: np.ndarray, axis: int = 0) -> np.ndarray:
    """Keep one of what repeats itself along an axis."""
    if table.shape[axis] <= 1:
        return table
    first, second = np.take(table, [0], axis), np.take(table, [1], axis)
    # Most that changes has changed by the second: the whole is compared where it has not.
    same = np.array_equal(first, second, equal_nan=True) and np.array_equal(
        table, np.broadcast_to(first, table.shape), equal_nan=True
    )
    return first if same else table


def distinct(times: int, *tables: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which kind of record each one is (time,), and the tables with one row per kind.

    Parameters
    ----------
    times : int
        Number of records.
    *tables : ndarray (time or 1, ...)
        What tells the kinds apart.
    """
    moving = [t.reshape(times, -1) for t in tables if t.shape[0] == times > 1]
    if not moving:
        return np.zeros(times, np.int64), [np.ascontiguousarray(t[:1]) for t in tables]
    known: dict[bytes, int] = {}
    keys = np.ascontiguousarray(np.concatenate(moving, axis=1, dtype=np.float64))
    kind = np.fromiter((known.setdefault(k.tobytes(), len(known)) for k in keys), np.int64, times)
    _, first = np.unique(kind, return_index=True)
    return kind, [t[first] if t.shape[0] > 1 else np.repeat(t, first.size, axis=0) for t in tables]
