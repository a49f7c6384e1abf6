"""Velocity moments of distributions, one pass over f.

Directions first, energies last: for every energy the ten angular sums of `geometry.ORDER`, energies
side by side in registers, then four powers of the speed on what is left, which is little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..constants import ELEMENTARY_CHARGE
from . import FASTMATH, LARGEST
from .lanes import (
    LANES,
    SCALE,
    at_least_lanes,
    cleaned,
    fetch,
    lanes,
    measured,
    multiply_add,
    put,
    run_at,
    spread,
)

SUMS = 14
"""Columns of the sums: n, nV (3), n<vv> (xx yy zz xy xz yz), n<v^2 v> (3), coverage."""

_ANGULAR = 11
"""Rows per energy: sums of f over the ten angular weights, and the solid angle measured."""


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def velocity_sums(f, table, weights, share, geometry):
    """Sums over all bins of f, f v, f vv and f v^2 v, with the coverage, (time, 14).

    NaN in f means not measured: the bin adds nothing and lowers the coverage.

    Parameters
    ----------
    f : ndarray float32 (time, direction, energy)
        [s^3 m^-6].
    table : ndarray of int (time,)
        Which energy table each record has.
    weights, share : ndarray float32 (table, 4, energy), (table, energy)
        From `speed_weights`.
    geometry : ndarray float32 (time or 1, 10, direction)
        From `direction_weights`.

    Returns
    -------
    sums : ndarray float64 (time, 14)
        n [cm^-3], flux [cm^-3 Mm/s], stress / mass [cm^-3 (Mm/s)^2] as xx yy zz xy xz yz, twice
        the energy flux / mass [cm^-3 (Mm/s)^3], and the measured part of sphere x ln E.
    """
    times, directions, energies = f.shape
    out = np.empty((times, 14), np.float64)
    angular = np.empty((11, max(energies, LANES)), np.float32)
    sheet = np.zeros((directions, LANES), np.float32)
    for t in range(times):
        g = geometry[t if geometry.shape[0] > 1 else 0]
        rows, following = at_least_lanes(f[t], sheet), f[min(t + 1, times - 1)].reshape(-1)
        _sum_directions(rows, g, following, angular)
        if not _all_measured(angular, energies):
            _sum_measured_directions(rows, g, angular)
        r = table[t]
        _sum_energies(angular, weights[r], share[r], out[t])
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def velocity_sums_of_grid(f, table, weights, share, azimuth, polar):
    """The sums of `velocity_sums` on a grid of azimuth times colatitude, (time, 14).

    No weights per direction are needed, which is what counts where the azimuths spin: making
    them would cost as much as reading f.

    Parameters
    ----------
    f, table, weights, share
        As there; the directions are rows of equal azimuth one after the other.
    azimuth : ndarray float32 (time or 1, 5, row)
        From `azimuth_factors`.
    polar : ndarray float32 (time or 1, 7, column)
        From `polar_factors`.
    """
    times, _, energies = f.shape
    rows, columns = azimuth.shape[2], polar.shape[2]
    size = columns * energies
    out = np.empty((times, 14), np.float64)
    angular = np.empty((11, max(energies, LANES)), np.float32)
    around = np.zeros((6, size + LANES), np.float32)
    sheet = np.zeros((rows, LANES), np.float32)
    for t in range(times):
        a = azimuth[t if azimuth.shape[0] > 1 else 0]
        p = polar[t if polar.shape[0] > 1 else 0]
        seen, following = f[t].reshape(rows, size), f[min(t + 1, times - 1)].reshape(-1)
        seen = at_least_lanes(seen, sheet)
        _sum_rows(seen, a, following, around)
        _sum_columns(around, p, angular, energies)
        if not _all_measured(angular, energies):
            _sum_measured_rows(seen, a, around)
            _sum_columns(around, p, angular, energies)
        r = table[t]
        _sum_energies(angular, weights[r], share[r], out[t])
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def velocity_sums_of_bins(f, table, weights, share, geometry):
    """The sums of `velocity_sums` where the direction of a bin depends on its energy, (time, 14).

    Parameters
    ----------
    f, table, weights, share
        As there.
    geometry : ndarray float32 (time or 1, 10, direction, energy)
        From `direction_weights`, a column per direction and energy.
    """
    times, directions, energies = f.shape
    out = np.empty((times, 14), np.float64)
    angular = np.empty((11, energies), np.float64)
    for t in range(times):
        g, r = geometry[t if geometry.shape[0] > 1 else 0], table[t]
        angular[:] = 0
        for d in range(directions):
            for e in range(energies):
                x = f[t, d, e]
                if not abs(x) <= LARGEST:
                    continue
                for k in range(10):
                    angular[k, e] += np.float32(SCALE) * x * g[k, d, e]
                angular[10, e] += g[0, d, e]
        _sum_energies(angular, weights[r], share[r], out[t])
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _all_measured(angular, energies):
    """Tell whether f was finite everywhere: a NaN anywhere makes the sum of its energy NaN."""
    total = np.float32(0)
    for e in range(energies):
        total += abs(angular[0, e])
    return total <= LARGEST


# Ten totals of two registers each: they stay in registers while all directions are added.
@njit(nogil=True, cache=True)
def _sum_directions(f, geometry, following, out):
    directions, size = f.shape
    sphere = 0.0
    for d in range(directions):
        sphere += geometry[0, d]
    for start in range(0, size, LANES):
        e = run_at(start, size)
        n = x = y = z = xx = yy = zz = xy = xz = yz = spread(0.0)
        for d in range(directions):
            fetch(following, d * size + e)
            value = cleaned(lanes(f[d], e))
            n = multiply_add(geometry[0, d], value, n)
            x = multiply_add(geometry[1, d], value, x)
            y = multiply_add(geometry[2, d], value, y)
            z = multiply_add(geometry[3, d], value, z)
            xx = multiply_add(geometry[4, d], value, xx)
            yy = multiply_add(geometry[5, d], value, yy)
            zz = multiply_add(geometry[6, d], value, zz)
            xy = multiply_add(geometry[7, d], value, xy)
            xz = multiply_add(geometry[8, d], value, xz)
            yz = multiply_add(geometry[9, d], value, yz)
        for k, total in enumerate((n, x, y, z, xx, yy, zz, xy, xz, yz, spread(sphere))):
            put(out[k], e, total)


@njit(nogil=True, cache=True)
def _sum_measured_directions(f, geometry, out):
    directions, size = f.shape
    for start in range(0, size, LANES):
        e = run_at(start, size)
        n = x = y = z = xx = yy = zz = xy = xz = yz = sphere = spread(0.0)
        for d in range(directions):
            value, there = measured(cleaned(lanes(f[d], e)))
            n = multiply_add(geometry[0, d], value, n)
            x = multiply_add(geometry[1, d], value, x)
            y = multiply_add(geometry[2, d], value, y)
            z = multiply_add(geometry[3, d], value, z)
            xx = multiply_add(geometry[4, d], value, xx)
            yy = multiply_add(geometry[5, d], value, yy)
            zz = multiply_add(geometry[6, d], value, zz)
            xy = multiply_add(geometry[7, d], value, xy)
            xz = multiply_add(geometry[8, d], value, xz)
            yz = multiply_add(geometry[9, d], value, yz)
            sphere = multiply_add(geometry[0, d], there, sphere)
        for k, total in enumerate((n, x, y, z, xx, yy, zz, xy, xz, yz, sphere)):
            put(out[k], e, total)


# Columns and energies side by side, rows of azimuth added: five totals per bin of colatitude.
@njit(nogil=True, cache=True)
def _sum_rows(f, azimuth, following, out):
    rows, size = f.shape
    around = 0.0
    for p in range(rows):
        around += azimuth[0, p]
    for start in range(0, size, LANES):
        i = run_at(start, size)
        one = c1 = s1 = c2 = s2 = spread(0.0)
        for p in range(rows):
            fetch(following, start * rows + p * LANES)
            value = cleaned(lanes(f[p], i))
            one = multiply_add(azimuth[0, p], value, one)
            c1 = multiply_add(azimuth[1, p], value, c1)
            s1 = multiply_add(azimuth[2, p], value, s1)
            c2 = multiply_add(azimuth[3, p], value, c2)
            s2 = multiply_add(azimuth[4, p], value, s2)
        for k, total in enumerate((one, c1, s1, c2, s2, spread(around))):
            put(out[k], i, total)


@njit(nogil=True, cache=True)
def _sum_measured_rows(f, azimuth, out):
    rows, size = f.shape
    for start in range(0, size, LANES):
        i = run_at(start, size)
        one = c1 = s1 = c2 = s2 = seen = spread(0.0)
        for p in range(rows):
            value, there = measured(cleaned(lanes(f[p], i)))
            one = multiply_add(azimuth[0, p], value, one)
            c1 = multiply_add(azimuth[1, p], value, c1)
            s1 = multiply_add(azimuth[2, p], value, s1)
            c2 = multiply_add(azimuth[3, p], value, c2)
            s2 = multiply_add(azimuth[4, p], value, s2)
            seen = multiply_add(azimuth[0, p], there, seen)
        for k, total in enumerate((one, c1, s1, c2, s2, seen)):
            put(out[k], i, total)


@njit(nogil=True, cache=True)
def _sum_columns(around, polar, out, energies):
    for start in range(0, energies, LANES):
        e = max(run_at(start, energies), 0)
        n = x = y = z = zz = xy = xz = yz = even = odd = sphere = spread(0.0)
        for q in range(polar.shape[1]):
            i = q * energies + e
            one, c1, s1 = lanes(around[0], i), lanes(around[1], i), lanes(around[2], i)
            c2, s2 = lanes(around[3], i), lanes(around[4], i)
            n = multiply_add(polar[0, q], one, n)
            x = multiply_add(polar[1, q], c1, x)
            y = multiply_add(polar[1, q], s1, y)
            z = multiply_add(polar[2, q], one, z)
            even = multiply_add(polar[3, q], one, even)
            odd = multiply_add(polar[4, q], c2, odd)
            zz = multiply_add(polar[5, q], one, zz)
            xy = multiply_add(polar[4, q], s2, xy)
            xz = multiply_add(polar[6, q], c1, xz)
            yz = multiply_add(polar[6, q], s1, yz)
            sphere = multiply_add(polar[0, q], lanes(around[5], i), sphere)
        xx, yy = multiply_add(1.0, odd, even), multiply_add(-1.0, odd, even)
        for k, total in enumerate((n, x, y, z, xx, yy, zz, xy, xz, yz, sphere)):
            put(out[k], e, total)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_energies(angular, weights, share, out):
    """Fill the sums (14,) from angular sums (11, energy) that are `SCALE` times too large."""
    out[0] = _dot(angular[0], weights[0]) / SCALE
    for i in range(3):
        out[1 + i] = _dot(angular[1 + i], weights[1]) / SCALE
        out[10 + i] = _dot(angular[1 + i], weights[3]) / SCALE
    for k in range(4, 10):
        out[k] = _dot(angular[k], weights[2]) / SCALE
    out[13] = _dot(angular[10], share) / (4 * np.pi)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _dot(row, weights):
    total = 0.0
    for e in range(weights.size):
        total += np.float64(row[e]) * weights[e]
    return total


class Bulk(NamedTuple):
    """Moments in the units of the field; tensors (time, 3, 3)."""

    density: np.ndarray
    velocity: np.ndarray
    pressure: np.ndarray
    temperature_tensor: np.ndarray
    heat_flux: np.ndarray
    coverage: np.ndarray


def bulk(sums: np.ndarray, mass: float) -> Bulk:
    """Density [cm^-3], V [km/s], P [nPa], T [eV], Q [mW m^-2] and coverage from velocity sums.

        V = <v>,  P = m n (<vv> - VV),  T = P/n,  Q = (m/2) integral of w^2 w f d3v,  w = v - V

    NaN where nothing was measured. Where all that was measured is zero: n = P = Q = 0, V and T are
    undefined (NaN). Where n is negative (over-subtracted background) only n is given.

    Parameters
    ----------
    sums : ndarray (time, 14)
        From `velocity_sums`.
    mass : float
        [kg].
    """
    n, flux, coverage = sums[:, 0], sums[:, 1:4], np.clip(sums[:, 13], 0.0, 1.0)
    stress = sums[:, [4, 7, 8, 7, 5, 9, 8, 9, 6]].reshape(-1, 3, 3)
    energy_flux = sums[:, 10:13]
    some = n > 0
    velocity = flux / np.where(some, n, np.nan)[:, None]
    drift = np.where((n == 0)[:, None], 0.0, velocity)
    pressure = stress - n[:, None, None] * drift[:, :, None] * drift[:, None, :]
    energy = np.trace(stress, axis1=1, axis2=2)
    heat = (
        energy_flux
        - drift * energy[:, None]
        - 2 * np.einsum("tij,tj->ti", stress, drift)
        + 2 * n[:, None] * drift * (drift**2).sum(-1)[:, None]
    )
    temperature = pressure / np.where(some, n, np.nan)[:, None, None]
    gap = np.where(sums[:, 13] > 0, 1.0, np.nan)
    return Bulk(
        n * gap,
        velocity * 1e3,
        pressure * (mass * 1e27) * gap[:, None, None],
        temperature * (mass * 1e12 / ELEMENTARY_CHARGE),
        heat * (0.5 * mass * 1e27) * gap[:, None],
        coverage,
    )
