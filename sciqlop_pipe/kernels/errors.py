"""Statistical errors of moments, from the errors of every bin of f."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH, LARGEST

QUANTITIES = 8
"""n, V (3), diagonal of T (3), T: the columns of every result here."""


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def counted_and_empty(f, error, energy, used, counted, empty):
    """Fill the errors of bins with counts and, one count each, of bins without; return all counts.

    N = (f/error)^2 counts make f = N one counts, so that one count is error^2/f. It is taken from
    the bins with counts of the same energy (their mean); where there is none, from the nearest
    energy in the table that has one, as 1/E^2. Without any count in the record it is NaN.

    Parameters
    ----------
    f, error : ndarray float32 (direction, energy)
        [s^3 m^-6]; NaN = not measured.
    energy : ndarray float64 (energy,)
        [eV].
    used : ndarray of bool (energy,)
        Energies that count.
    counted, empty : ndarray float32 (direction, energy)
        To be filled; 0 where the other one holds the error, and where nothing is measured.
    """
    directions, energies = f.shape
    none = np.float32(0)
    one, bins = np.zeros(energies, np.float32), np.zeros(energies, np.float32)
    counts = np.zeros(energies, np.float32)
    for d in range(directions):
        x, s, c = f[d], error[d], counted[d]
        for e in range(energies):
            c[e] = s[e] if x[e] > 0 and s[e] > 0 and s[e] <= LARGEST and x[e] <= LARGEST else none
        for e in range(energies):
            bins[e] += np.float32(1) if c[e] > 0 else none
        for e in range(energies):
            one[e] += c[e] * (c[e] / x[e]) if c[e] > 0 else none
        for e in range(energies):
            ratio = x[e] / c[e] if c[e] > 0 else none
            counts[e] += ratio * ratio
    level = np.full(energies, np.float32(np.nan))
    total = 0.0
    for e in range(energies):
        if not used[e]:
            level[e] = 0
            continue
        total += counts[e]
        nearest = energies
        for k in range(energies):
            if used[k] and bins[k] > 0 and abs(k - e) < nearest:
                nearest = abs(k - e)
                level[e] = one[k] / bins[k] * (energy[k] / energy[e]) ** 2
    for d in range(directions):
        x, out = f[d], empty[d]
        for e in range(energies):
            out[e] = level[e] if x[e] == 0 else none
    return total


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def variances(sigma, weights, geometry, n, velocity, stress, out):
    """Fill the variances (8,) of n, V, T_xx, T_yy, T_zz and T, in units of the sums.

    Linear propagation of independent errors. A bin changes a moment by

        dn = w0 g df,  dV_i = (w1 g_i - V_i w0 g) df / n,
        dT_ii = (w2 g_ii - 2 V_i w1 g_i + (2 V_i^2 - <v_i^2>) w0 g) df / n

    Parameters
    ----------
    sigma : ndarray float32 (direction, energy)
        Errors of f [s^3 m^-6], 0 = none.
    weights : ndarray float32 (4, energy)
        From `speed_weights`.
    geometry : ndarray float32 (10, direction)
        From `direction_weights`.
    n : float
        [cm^-3].
    velocity, stress : ndarray float64 (3,)
        V [Mm/s] and <v_i^2> [(Mm/s)^2].
    out : ndarray float64 (8,)
        cm^-6, (Mm/s)^2, (Mm/s)^4.
    """
    w0, w1, w2 = weights[0], weights[1], weights[2]
    out[:] = 0
    a, b, c = np.zeros(8), np.zeros(8), np.zeros(8)
    for d in range(sigma.shape[0]):
        row = sigma[d]
        s00, s01, s02 = np.float32(0), np.float32(0), np.float32(0)
        s11, s12, s22 = np.float32(0), np.float32(0), np.float32(0)
        for e in range(row.size):
            x, y, z = row[e] * w0[e], row[e] * w1[e], row[e] * w2[e]
            s00 += x * x
            s01 += x * y
            s02 += x * z
            s11 += y * y
            s12 += y * z
            s22 += z * z
        if s00 == 0:
            continue
        g = geometry[0, d]
        a[0] = g
        a[7] = b[7] = c[7] = 0.0
        for i in range(3):
            gi, gii, v = geometry[1 + i, d], geometry[4 + i, d], velocity[i]
            a[1 + i], b[1 + i] = -v * g / n, gi / n
            a[4 + i] = (2 * v * v - stress[i]) * g / n
            b[4 + i] = -2 * v * gi / n
            c[4 + i] = gii / n
            a[7] += a[4 + i] / 3
            b[7] += b[4 + i] / 3
            c[7] += c[4 + i] / 3
        for q in range(8):
            out[q] += (
                a[q] * a[q] * s00 + b[q] * b[q] * s11 + c[q] * c[q] * s22
                + 2 * (a[q] * b[q] * s01 + a[q] * c[q] * s02 + b[q] * c[q] * s12)
            )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def moment_variances(f, error, energy, used, table, weights, geometry, sums):
    """Variances (time, 2, 8) of moments and the counts (time,) they are made of.

    The first row counts bins with counts only, the second also one count in every empty bin.

    Parameters
    ----------
    f, error : ndarray float32 (time, direction, energy)
        [s^3 m^-6]; NaN = not measured.
    energy, used : ndarray float64, bool (table, energy)
        [eV], and which of them count.
    table : ndarray of int (time,)
        Which energy table each record has.
    weights : ndarray float32 (table, 4, energy)
        From `speed_weights`.
    geometry : ndarray float32 (time or 1, 10, direction)
        From `direction_weights`.
    sums : ndarray float64 (time, 14)
        From `velocity_sums`.

    Returns
    -------
    variances : ndarray float64 (time, 2, 8)
        cm^-6, (Mm/s)^2, (Mm/s)^4; NaN where a moment or the level of one count is unknown.
    counts : ndarray float64 (time,)
    """
    times = f.shape[0]
    out = np.full((times, 2, 8), np.nan)
    counts = np.zeros(times)
    counted = np.empty(f.shape[1:], np.float32)
    empty = np.empty(f.shape[1:], np.float32)
    velocity, stress = np.empty(3), np.empty(3)
    for t in range(times):
        n = sums[t, 0]
        if not n > 0:
            continue
        for i in range(3):
            velocity[i] = sums[t, 1 + i] / n
            stress[i] = sums[t, 4 + i] / n
        g = geometry[t if geometry.shape[0] > 1 else 0]
        r = table[t]
        w = weights[r]
        counts[t] = counted_and_empty(f[t], error[t], energy[r], used[r], counted, empty)
        if counts[t] > 0:
            variances(counted, w, g, n, velocity, stress, out[t, 0])
            variances(empty, w, g, n, velocity, stress, out[t, 1])
            for q in range(8):
                out[t, 1, q] += out[t, 0, q]
    return out, counts
