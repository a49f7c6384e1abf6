"""Model distributions averaged over the bins of an instrument: drifting bi-Maxwellian, bi-kappa.

Both are functions of one number, the energy in the frame of the plasma in units of temperature,

    X = w_par^2 / v_par^2 + w_perp^2 / v_perp^2,   w = v - V,  v_par^2 = 2 T_par/m, v_perp^2 alike:
    bi-Maxwellian  f = n / (pi^1.5 v_par v_perp^2) exp(-X)
    bi-kappa       f = n / (pi^1.5 v_par v_perp^2) C (1 + X/q)^-(kappa + 1),  q = kappa - 3/2,
                   C = Gamma(kappa + 1) / (Gamma(kappa - 1/2) q^1.5)

so that T is the temperature (the second moment) of both and kappa -> infinity is the Maxwellian.
The average over a bin is that of four nodes, half of the eight Gauss nodes in (v^3, cos theta,
phi): exact for polynomials of degree 3 in these but for their product.

A plasma is a row of nine numbers: n [cm^-3], V [Mm/s] along perp1, perp2 and par, v_par and
v_perp [Mm/s], kappa, the norm C, and the derivative of ln C to ln q. kappa = inf is a Maxwellian.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from . import FASTMATH
from .rays import copy_row

PLASMA = 9
"""Numbers in the row of a plasma."""

SUMS = 7
"""Rows that `model_rows` fills: g, the five moments of -dg/dX, and dg/d(ln q)."""

WORK = 8
"""Rows that it works in."""

AT_ONCE = 16
"""Directions that are done at once: long loops, in cache."""

TERMS = np.array([math.exp(-0.5) * (-1) ** k / math.factorial(k) for k in range(8)], np.float32)
"""exp(-y) = sum TERMS[k] (y - 1/2)^k on [0, 1], to 1e-7."""


def kappa_norm(kappa: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """C (see the module) and d ln C / d ln q of kappas, 1 and 0 where kappa is infinite.

    Parameters
    ----------
    kappa : ndarray
        Above 3/2.
    """
    flat = np.atleast_1d(np.asarray(kappa, np.float64))
    pairs = np.array([norm_of_kappa(k) for k in flat]).reshape(*np.shape(kappa), 2)
    return pairs[..., 0], pairs[..., 1]


@njit(nogil=True, cache=True)
def norm_of_kappa(kappa):
    """C and d ln C / d ln q of one kappa; (1, 0) for infinity."""
    if not kappa < 1e6:
        return 1.0, 0.0
    q = kappa - 1.5
    log_norm = math.lgamma(kappa + 1) - math.lgamma(kappa - 0.5) - 1.5 * math.log(q)
    slope = q * (_digamma(kappa + 1) - _digamma(kappa - 0.5)) - 1.5
    return math.exp(log_norm), slope


@njit(nogil=True, cache=True)
def _digamma(x):
    """Return d ln Gamma / dx for x > 0: recurrence to x > 10, then the asymptotic series."""
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    return total + math.log(x) - 0.5 / x - series


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def turned(rays, basis, out):
    """Fill `out` with rays (4, 3, direction, energy or 1) on the axes of a basis (3, 3)."""
    for r in range(4):
        u, v = rays[r].reshape(3, -1), out[r].reshape(3, -1)
        for i in range(3):
            a, b, c = np.float32(basis[i, 0]), np.float32(basis[i, 1]), np.float32(basis[i, 2])
            for k in range(u.shape[1]):
                v[i, k] = a * u[0, k] + b * u[1, k] + c * u[2, k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def model_rows(plasma, rays, first, speeds, work, out):
    """Fill the averages over the bins of some directions of g = exp(-X), or its kappa sibling.

    Parameters
    ----------
    plasma : ndarray float64 (9,)
        See the module.
    rays : ndarray float32 (4, 3, direction, energy or 1)
        Unit vectors of the four nodes of every direction on the axes perp1, perp2, par.
    first : int
        The first direction.
    speeds : ndarray float32 (2, energy)
        Nodes of speed [Mm/s].
    work : ndarray float32 (8, directions x energy)
        Space to work in.
    out : ndarray float32 (7, directions x energy)
        To be filled with g itself, then -dg/dX times w_perp1, w_perp2, w_par, w_par^2 and w_perp^2
        [Mm/s, (Mm/s)^2], and dg/d ln q without the part of the norm (kappa only). As many
        directions as its width holds.
    """
    # Loops that write one array each: with more, LLVM gives up proving that they do not overlap.
    # Few places of call: every one is compiled again.
    x, y, g, slope, of_kappa = work[3], work[4], work[5], work[6], work[7]
    along, across = np.float32(1 / plasma[4] ** 2), np.float32(1 / plasma[5] ** 2)
    kappa = np.float32(plasma[6])
    out[:] = 0
    for r in range(4):
        for i in range(3):
            _components(speeds, rays[r, i], first, r, plasma[1 + i], work[i])
        _energy(work, along, across, x)
        if kappa < 1e6:
            _logarithms(x, kappa, y, of_kappa, g)
            exponential(y, g)
            _kappa(x, kappa, g, slope, of_kappa)
            _add(of_kappa, out[6])
        else:
            exponential(x, g)
            copy_row(g, slope)
        _add(g, out[0])
        for i in range(3):
            _add_product(slope, work[i], out[1 + i])
            _add_square(slope, work[i], out[4 if i == 2 else 5])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _energy(w, along, across, out):
    a, b, c = w[0], w[1], w[2]
    for k in range(out.size):
        out[k] = along * c[k] * c[k] + across * (a[k] * a[k] + b[k] * b[k])


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _components(speeds, rays, first, node, drift, out):
    """Fill one component of w at one node of every bin."""
    energies = speeds.shape[1]
    per_energy = rays.shape[1] > 1
    v = np.float32(drift)
    wide = out.reshape(-1, energies)
    for i in range(wide.shape[0]):
        d = first + i
        # Nodes 1 and 2 of the four (+ -, - +) take the other speed; odd directions the reverse,
        # so that what four nodes leave out of the product of all three coordinates cancels.
        s = speeds[(1 if node == 1 or node == 2 else 0) ^ (d & 1)]
        if per_energy:
            for e in range(energies):
                wide[i, e] = rays[d, e] * s[e] - v
        else:
            u = rays[d, 0]
            for e in range(energies):
                wide[i, e] = u * s[e] - v


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add(a, out):
    for k in range(out.size):
        out[k] += np.float32(0.25) * a[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_product(a, b, out):
    for k in range(out.size):
        out[k] += np.float32(0.25) * a[k] * b[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add_square(a, b, out):
    for k in range(out.size):
        out[k] += np.float32(0.25) * a[k] * b[k] * b[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def exponential(x, out):
    """Fill exp(-x) for x >= 0, to 2e-5; x above 64 counts as 64.

    A polynomial and six squarings: a loop that vectorises, which calls of exp do not.
    """
    half, part = np.float32(0.5), np.float32(1 / 64)
    t0, t1, t2, t3 = TERMS[0], TERMS[1], TERMS[2], TERMS[3]
    t4, t5, t6, t7 = TERMS[4], TERMS[5], TERMS[6], TERMS[7]
    for e in range(x.size):
        y = min(x[e] * part, np.float32(1)) - half
        p = t0 + y * (t1 + y * (t2 + y * (t3 + y * (t4 + y * (t5 + y * (t6 + y * t7))))))
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        out[e] = p


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def logarithm(x, out, work):
    """Fill ln(x) for normal x > 0, to 2e-7; `work` is overwritten. A loop that vectorises."""
    bits, mantissa = x.view(np.int32), work.view(np.int32)
    for k in range(x.size):
        mantissa[k] = (bits[k] & np.int32(0x7FFFFF)) | np.int32(0x3F800000)
    for k in range(x.size):
        t = (work[k] - np.float32(1)) / (work[k] + np.float32(1))
        y = t * t
        p = np.float32(1 / 9) + y * (np.float32(1 / 11) + y * np.float32(1 / 13))
        p = np.float32(1 / 3) + y * (np.float32(1 / 5) + y * (np.float32(1 / 7) + y * p))
        power = np.float32((bits[k] >> np.int32(23)) - np.int32(127))
        out[k] = power * np.float32(0.6931472) + np.float32(2) * t * (np.float32(1) + y * p)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _logarithms(x, kappa, power, log, work):
    """Fill ln(1 + X/q) and (kappa + 1) times it."""
    q = kappa - np.float32(1.5)
    for k in range(x.size):
        power[k] = np.float32(1) + x[k] / q
    logarithm(power, log, work)
    for k in range(x.size):
        power[k] = (kappa + np.float32(1)) * log[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _kappa(x, kappa, g, slope, of_kappa):
    """Fill -dg/dX and dg/d ln q; `of_kappa` comes with ln(1 + X/q)."""
    q = kappa - np.float32(1.5)
    for k in range(x.size):
        slope[k] = g[k] * (kappa + np.float32(1)) / (q + x[k])
    for k in range(x.size):
        of_kappa[k] = slope[k] * x[k] - g[k] * q * of_kappa[k]


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def height(plasma):
    """F at the peak of a plasma [s^3 m^-6]: the factor of `model_row`'s first row."""
    return plasma[0] * plasma[7] * 1e-12 / (np.pi**1.5 * plasma[4] * plasma[5] ** 2)
