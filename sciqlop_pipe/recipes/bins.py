"""The bins of a VDF as places in velocity space, for kernels that compare f with a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..kernels.energies import speed_weights
from .vdf import Distributions, angle_table, distinct, distributions, energy_edges, solid_angles

_NODE = 1 / np.sqrt(3)


@dataclass(frozen=True, slots=True)
class Bins:
    """Nodes and volumes of all bins; see `kernels.maxwellians`.

    `kind` (time,) is the energy table of each record, `speeds` (table, 2, energy) [Mm/s] its
    nodes, `volumes` (table, energy) [1e12 (Mm/s)^3 sr^-1] 0 where a bin is not used, `energy`
    (table, energy) [eV] its centres; `rays` (time or 1, 4, 3, direction, energy or 1) unit
    vectors, `solid` (time or 1, direction) [sr].
    """

    view: Distributions
    kind: np.ndarray
    energy: np.ndarray
    speeds: np.ndarray
    volumes: np.ndarray
    rays: np.ndarray
    solid: np.ndarray

    def of(self, block: slice) -> tuple[np.ndarray, ...]:
        """Return table, volumes, solid angles, rays and speeds of some records."""
        return (
            self.kind[block],
            self.volumes,
            _some(self.solid, block),
            _some(self.rays, block),
            self.speeds,
        )


def bins(vdf: xr.Dataset, shift: np.ndarray, energy_min: float, energy_max: float) -> Bins:
    """Return the bins of a VDF.

    Parameters
    ----------
    vdf : Dataset
        A VDF. Without `phi_width` and `theta_width` directions are points.
    shift : ndarray (time or 1,)
        Charge times spacecraft potential [eV], added to all energies; what lies below zero is cut
        off, and where it is NaN no bin is used.
    energy_min, energy_max : float
        Which bins are used, by their centres as measured [eV].
    """
    view, edges = distributions(vdf), energy_edges(vdf)
    usable = view.selected(energy_min, energy_max)
    kind, (lower, upper, moved, used, energy) = distinct(
        view.f.shape[0], edges.lower, edges.upper, shift, usable, view.energy
    )
    weights, _ = speed_weights(lower, upper, moved, used.astype(bool), view.mass)
    rays, solid = _rays(vdf)
    return Bins(
        view,
        kind,
        np.ascontiguousarray(energy),
        _speeds(lower + moved[:, None], upper + moved[:, None], view.mass),
        np.ascontiguousarray(weights[:, 0]),
        rays,
        solid,
    )


def _speeds(lower: np.ndarray, upper: np.ndarray, mass: float) -> np.ndarray:
    """Nodes (table, 2, energy) [Mm/s] of bins between energies [eV]: Gauss nodes in v^3."""
    per_ev = 2 * ELEMENTARY_CHARGE / mass * 1e-12
    slow, fast = ((per_ev * np.nan_to_num(e).clip(0)) ** 1.5 for e in (lower, upper))
    middle, half = (slow + fast) / 2, (fast - slow) / 2
    return np.cbrt(np.stack([middle - _NODE * half, middle + _NODE * half], 1)).astype(np.float32)


def _rays(vdf: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Four unit vectors per direction, and solid angles that are 0 where an angle is unknown."""
    phi, theta = angle_table(vdf, "phi"), angle_table(vdf, "theta")
    around = down = np.zeros((1, 1, 1, 1))
    if "phi_width" in vdf and "theta_width" in vdf:
        around, down = angle_table(vdf, "phi_width"), angle_table(vdf, "theta_width")
    top = np.cos(np.radians((theta - down / 2).clip(0, 180)))
    bottom = np.cos(np.radians((theta + down / 2).clip(0, 180)))
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    sizes = [1, *(vdf.sizes[d] for d in vdf["f"].dims[1:-1])][-2:]
    found = []
    for a in (-_NODE, _NODE):
        azimuth = np.radians(phi + a * around / 2)
        cosine, sine = np.cos(azimuth), np.sin(azimuth)
        for p in (-_NODE, _NODE):
            mu = middle + p * half
            rho = np.sqrt((1 - mu**2).clip(0))
            found.append((rho * cosine, rho * sine, mu))
    shape = np.broadcast_shapes(*(c.shape for ray in found for c in ray))
    shape = (shape[0], *sizes, shape[3])
    rays = np.empty((shape[0], 4, 3, *shape[1:]), np.float32)
    for r, ray in enumerate(found):
        for c, component in enumerate(ray):
            rays[:, r, c] = component
    rays = rays.reshape(shape[0], 4, 3, -1, shape[3])
    solid = solid_angles(vdf)
    unknown = ~np.isfinite(rays).all(axis=(1, 2, 4))
    if unknown.any():
        solid = np.where(unknown, np.float32(0), solid)
        rays = np.nan_to_num(rays)
    return rays, np.ascontiguousarray(solid)


def _some(a: np.ndarray, block: slice) -> np.ndarray:
    return a[block] if a.shape[0] > 1 else a
