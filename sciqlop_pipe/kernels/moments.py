"""Velocity moments of distributions, one pass over f."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..constants import ELEMENTARY_CHARGE
from . import FASTMATH, LARGEST, TINY

SUMS = 14
"""Columns of the sums: n, nV (3), n<vv> (xx yy zz xy xz yz), n<v^2 v> (3), coverage."""


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
    times, directions, _ = f.shape
    out = np.empty((times, 14), np.float64)
    sums = np.empty((4, directions), np.float32)
    seen = np.empty(directions, np.float32)
    for t in range(times):
        r = table[t]
        _contract_energy(f[t], weights[r], share[r], sums, seen)
        g = geometry[t if geometry.shape[0] > 1 else 0]
        o = out[t]
        o[0] = _dot(sums[0], g[0])
        for i in range(3):
            o[1 + i] = _dot(sums[1], g[1 + i])
            o[10 + i] = _dot(sums[3], g[1 + i])
        for i in range(4, 10):
            o[i] = _dot(sums[2], g[i])
        o[13] = _dot(seen, g[0]) / (4 * np.pi)
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _contract_energy(f, weights, share, sums, seen):
    """Sums over energy of one distribution (4, direction), and the share of ln E seen there."""
    whole = np.float32(0)
    for e in range(share.size):
        whole += share[e]
    seen[:] = whole
    _sum_rows(f, weights, sums)
    # A missing bin has made the sums of its row NaN. One test per distribution, then per row: a
    # test per bin, or a branch inside the loop over rows, would double the time of all of it.
    total = np.float32(0)
    for d in range(seen.size):
        total += abs(sums[0, d])
    if total <= LARGEST:
        return
    _sum_measured_rows(f, weights, share, sums, seen)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_rows(f, weights, sums):
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for d in range(f.shape[0]):
        row = f[d]
        a, b, c, g = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for e in range(row.size):
            x = row[e] if not abs(row[e]) < TINY else np.float32(0)
            a += x * w0[e]
            b += x * w1[e]
            c += x * w2[e]
            g += x * w3[e]
        sums[0, d] = a
        sums[1, d] = b
        sums[2, d] = c
        sums[3, d] = g


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_measured_rows(f, weights, share, sums, seen):
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for d in range(f.shape[0]):
        if abs(sums[0, d]) <= LARGEST:
            continue
        row = f[d]
        a, b, c, g = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        measured = np.float32(0)
        for e in range(row.size):
            there = abs(row[e]) <= LARGEST
            x = row[e] if there and not abs(row[e]) < TINY else np.float32(0)
            a += x * w0[e]
            b += x * w1[e]
            c += x * w2[e]
            g += x * w3[e]
            measured += share[e] if there else np.float32(0)
        sums[0, d] = a
        sums[1, d] = b
        sums[2, d] = c
        sums[3, d] = g
        seen[d] = measured


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _dot(a, b):
    total = np.float32(0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


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
    times, directions, _ = f.shape
    out = np.empty((times, 14), np.float64)
    sums = np.empty((4, directions), np.float32)
    seen = np.empty(directions, np.float32)
    columns = np.empty((13, polar.shape[2]), np.float32)
    for t in range(times):
        r = table[t]
        _contract_energy(f[t], weights[r], share[r], sums, seen)
        _contract_rows(sums, seen, azimuth[t if azimuth.shape[0] > 1 else 0], columns)
        _contract_columns(columns, polar[t if polar.shape[0] > 1 else 0], out[t])
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _contract_rows(sums, seen, azimuth, out):
    one, c1, s1, c2, s2 = azimuth[0], azimuth[1], azimuth[2], azimuth[3], azimuth[4]
    _sum_columns(one, sums[0], out[0])
    _sum_columns(c1, sums[1], out[1])
    _sum_columns(s1, sums[1], out[2])
    _sum_columns(one, sums[1], out[3])
    _sum_columns(one, sums[2], out[4])
    _sum_columns(c1, sums[2], out[5])
    _sum_columns(s1, sums[2], out[6])
    _sum_columns(c2, sums[2], out[7])
    _sum_columns(s2, sums[2], out[8])
    _sum_columns(c1, sums[3], out[9])
    _sum_columns(s1, sums[3], out[10])
    _sum_columns(one, sums[3], out[11])
    _sum_columns(one, seen, out[12])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _sum_columns(factor, a, out):
    out[:] = 0
    for p in range(factor.size):
        x, first = factor[p], p * out.size
        for q in range(out.size):
            out[q] += x * a[first + q]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _contract_columns(rows, polar, out):
    out[0] = _dot(rows[0], polar[0])
    out[1] = _dot(rows[1], polar[1])
    out[2] = _dot(rows[2], polar[1])
    out[3] = _dot(rows[3], polar[2])
    even, odd = _dot(rows[4], polar[3]), _dot(rows[7], polar[4])
    out[4] = even + odd
    out[5] = even - odd
    out[6] = _dot(rows[4], polar[5])
    out[7] = _dot(rows[8], polar[4])
    out[8] = _dot(rows[5], polar[6])
    out[9] = _dot(rows[6], polar[6])
    out[10] = _dot(rows[9], polar[1])
    out[11] = _dot(rows[10], polar[1])
    out[12] = _dot(rows[11], polar[2])
    out[13] = _dot(rows[12], polar[0]) / (4 * np.pi)


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
    out = np.zeros((times, 14), np.float64)
    for t in range(times):
        r = table[t]
        w0, w1, w2, w3 = weights[r, 0], weights[r, 1], weights[r, 2], weights[r, 3]
        g = geometry[t if geometry.shape[0] > 1 else 0]
        o = out[t]
        for d in range(directions):
            for e in range(energies):
                x = f[t, d, e]
                if not abs(x) <= LARGEST:
                    continue
                o[0] += x * w0[e] * g[0, d, e]
                for i in range(1, 4):
                    o[i] += x * w1[e] * g[i, d, e]
                    o[9 + i] += x * w3[e] * g[i, d, e]
                for i in range(4, 10):
                    o[i] += x * w2[e] * g[i, d, e]
                o[13] += share[r, e] * g[0, d, e] / (4 * np.pi)
    return out


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
