"""Counts of an instrument against a model distribution: distances, likelihood, derivatives."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST, TINY
from .maxwellians import AT_ONCE, SUMS, WORK, height, model_rows, turned

COUNTS = 1000.0
"""What the fullest bin is taken to have counted where nothing tells the counts."""

PARAMETERS = 7
"""ln n, V along perp1, perp2 and par [Mm/s], ln T_par, ln T_perp, ln(kappa - 3/2)."""

RESULTS = 9
"""Objective, chi^2, its number of bins; sums of f, |f - g|, (f - g)^2, f ln f, g, g ln g."""


@njit(nogil=True, cache=True, error_model="numpy")
def counts(f, error, energy, table, volumes, solid):
    """Counts of all bins (time, direction x energy), f of one count (time, energy), known (time,).

    One count of an energy is error^2/f, the mean over its bins with counts; where it has none, that
    of the nearest energy that has, as 1/E^2. Without any error the fullest bin (f E^2) is taken to
    have `COUNTS` of them: fits then have weights of the right form, but no errors.

    Parameters
    ----------
    f, error : ndarray float32 (time, direction, energy)
        [s^3 m^-6]; error may be of size 0.
    energy, volumes : ndarray (table, energy)
        [eV]; volume 0 marks an unused bin.
    table : ndarray of int (time,)
        Which energy table each record has.
    solid : ndarray float32 (time or 1, direction)
        [sr], 0 where a direction is not used.
    """
    times, directions, energies = f.shape
    out = np.full((times, directions * energies), np.nan, np.float32)
    level = np.ones((times, energies))
    known = np.zeros(times, np.bool_)
    one, bins = np.empty(energies), np.empty(energies)
    for t in range(times):
        r, s = table[t], solid[t if solid.shape[0] > 1 else 0]
        one[:] = 0
        bins[:] = 0
        most = 0.0
        for d in range(directions):
            for e in range(energies):
                x = np.float64(f[t, d, e])
                if not (x > TINY and x <= LARGEST and volumes[r, e] > 0 and s[d] > 0):
                    continue
                most = max(most, x * energy[r, e] ** 2)
                if error.size > 0 and error[t, d, e] > 0 and error[t, d, e] <= LARGEST:
                    one[e] += np.float64(error[t, d, e]) ** 2 / x
                    bins[e] += 1
                    known[t] = True
        for e in range(energies):
            if not volumes[r, e] > 0:
                continue
            nearest = energies
            level[t, e] = most / COUNTS / energy[r, e] ** 2
            for k in range(energies):
                if bins[k] > 0 and abs(k - e) < nearest:
                    nearest = abs(k - e)
                    level[t, e] = one[k] / bins[k] * (energy[r, k] / energy[r, e]) ** 2
            if not level[t, e] > 0:
                level[t, e] = 1.0
                continue
            for d in range(directions):
                x = np.float64(f[t, d, e])
                if s[d] > 0 and abs(x) <= LARGEST:
                    out[t, d * energies + e] = x / level[t, e]
    return out, level, known


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def compare(plasma, size, count, level, table, volumes, solid, rays, speeds, basis):
    """Distances of counts from a plasma, gradient and Fisher matrix of their likelihood.

    The likelihood is Poisson's as if one more count lay in every bin, which keeps bins with next
    to no counts from ruling a fit. What a fit minimises, over measured bins with C counts where mu
    are expected, is

        sum of mu - (C + 1) ln(mu + 1)

    Parameters
    ----------
    plasma : ndarray float64 (time, 9)
        See `maxwellians`; a NaN gives NaN.
    size : int
        Derivatives to this many parameters (see `PARAMETERS`): 0, 6 or 7.
    count : ndarray float32 (time, direction x energy)
    level : ndarray float64 (time, energy)
        Both from `counts`.
    table : ndarray of int (time,)
        Which energy table each record has.
    volumes : ndarray float32 (table, energy)
        Bin volumes per steradian [1e12 (Mm/s)^3], 0 where unused.
    solid : ndarray float32 (time or 1, direction)
        [sr].
    rays : ndarray float32 (time or 1, 4, 3, direction, energy or 1)
    speeds : ndarray float32 (table, 2, energy)
        Nodes of the bins, see `maxwellians`.
    basis : ndarray float64 (time, 3, 3)
        Unit vectors perp1, perp2, par, one per row.

    Returns
    -------
    results : ndarray float64 (time, 9)
        Objective; chi^2 = sum (C - mu)^2/mu over the bins with mu >= 1, and their number;
        integrals of f and |f - g| [cm^-3], (f - g)^2 [1e12 s^3 m^-6 cm^-3], f ln f (f in 1e-12
        s^3 m^-6), g and g ln g [cm^-3].
    gradient : ndarray float64 (time, 7)
        Downhill.
    fisher : ndarray float64 (time, 7, 7)
    """
    times, energies, directions = plasma.shape[0], level.shape[1], rays.shape[3]
    results = np.zeros((times, RESULTS))
    gradient, fisher = np.zeros((times, 7)), np.zeros((times, 7, 7))
    own = np.empty(rays.shape[1:], np.float32)
    space = np.zeros((2 * SUMS + WORK + 5) * AT_ONCE * energies, np.float32)
    for t in range(times):
        if not np.abs(plasma[t, :6]).sum() + np.abs(basis[t]).sum() <= LARGEST:
            results[t] = np.nan
            continue
        r, s = table[t], solid[t if solid.shape[0] > 1 else 0]
        peak = height(plasma[t])
        turned(rays[t if rays.shape[0] > 1 else 0], basis[t], own)
        for first in range(0, directions, AT_ONCE):
            n = min(AT_ONCE, directions - first) * energies
            rows = space[: SUMS * n].reshape(SUMS, n)
            jac = space[SUMS * n : 2 * SUMS * n].reshape(SUMS, n)
            work = space[2 * SUMS * n : (2 * SUMS + WORK) * n].reshape(WORK, n)
            more = space[(2 * SUMS + WORK) * n : (2 * SUMS + WORK + 5) * n].reshape(5, n)
            c, mu = count[t, first * energies : first * energies + n], jac[0]
            model_rows(plasma[t], own, first, speeds[r], work, rows)
            for k in range(n):
                more[0, k] = peak / level[t, k % energies]
            _expected(rows[0], more[0], c, mu)
            for k in range(n):
                e = k % energies
                more[1, k] = volumes[r, e] * s[first + k // energies] * level[t, e]
            _distances(c, mu, more[1], level[t], results[t])
            if size == 0:
                continue
            _weights(c, mu, more[2], more[3])
            for i in range(1, size):
                _derivative(i, rows, more[0], mu, plasma[t], jac[i])
            for i in range(size):
                gradient[t, i] += _dot(jac[i], more[2])
                _scaled(jac[i], more[3], more[4])
                for j in range(i + 1):
                    fisher[t, i, j] += _dot(jac[j], more[4])
    for t in range(times):
        for i in range(7):
            for j in range(i):
                fisher[t, j, i] = fisher[t, i, j]
    return results, gradient, fisher


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _dot(a, b):
    total = np.float32(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _scaled(a, scale, out):
    for k in range(out.size):
        out[k] = a[k] * scale[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _expected(g, scale, c, mu):
    """Fill the counts expected, 0 where nothing is measured."""
    for k in range(mu.size):
        mu[k] = g[k] * scale[k] if abs(c[k]) <= LARGEST else np.float32(0)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _weights(c, mu, pull, weight):
    """Fill (C - mu)/(mu + 1) and 1/(mu + 1), 0 where nothing is measured."""
    one, none = np.float32(1), np.float32(0)
    for k in range(mu.size):
        weight[k] = one / (mu[k] + one) if abs(c[k]) <= LARGEST else none
    for k in range(mu.size):
        pull[k] = (c[k] - mu[k]) * weight[k] if abs(c[k]) <= LARGEST else none


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _derivative(i, rows, scale, mu, plasma, out):
    """Fill d mu / d (parameter i): a row of `model_rows` and a part of mu itself."""
    along, across = 1 / plasma[4] ** 2, 1 / plasma[5] ** 2
    factor, part = 1.0, plasma[8]
    if i < 3:
        factor, part = 2 * across, 0.0
    elif i == 3:
        factor, part = 2 * along, 0.0
    elif i == 4:
        factor, part = along, -0.5
    elif i == 5:
        factor, part = across, -1.0
    a, b, row = np.float32(factor), np.float32(part), rows[i]
    for k in range(out.size):
        out[k] = a * row[k] * scale[k] + b * mu[k]
    for k in range(out.size):
        out[k] = out[k] if mu[k] > 0 else np.float32(0)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _distances(c, mu, volume, level, out):
    """Add the sums of some bins to `RESULTS` numbers; volume [cm^-3 per count]."""
    for k in range(mu.size):
        x, m, w = np.float64(c[k]), np.float64(mu[k]), np.float64(volume[k])
        if not abs(x) <= LARGEST or (x == 0 and m < 1e-6):
            continue
        one = level[k % level.size] * 1e12
        out[0] += m - (x + 1) * math.log1p(m)
        if m >= 1:
            out[1] += (x - m) * (x - m) / m
            out[2] += 1
        out[3] += w * x
        out[4] += w * abs(x - m)
        out[5] += w * (x - m) * (x - m) * one
        if x > 0:
            out[6] += w * x * math.log(x * one)
        out[7] += w * m
        if m > 0:
            out[8] += w * m * math.log(m * one)
