"""Energy tables as integration weights: edges, speeds, powers of the speed."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..constants import ELEMENTARY_CHARGE
from . import FASTMATH, LARGEST

WIDEST = 1.0
"""ln(upper/lower) that the in-bin correction takes a bin for, at most: one may begin at 0 eV."""


def geometric_edges(energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bin edges (..., energy) [eV] halfway between centres in log energy.

    Parameters
    ----------
    energy : ndarray (..., energy)
        Centres [eV], ascending or descending. NaN, zero or negative marks an unused bin; its
        neighbours do not grow into it but keep the half width of their other side, as the first
        and last bin do.
    """
    energy = np.asarray(energy, np.float64)
    log = np.full(energy.shape, np.nan)
    np.log(energy, out=log, where=energy > 0)
    half = 0.5 * np.diff(log, axis=-1)
    outside = np.full((*energy.shape[:-1], 1), np.nan)
    before = np.concatenate([outside, half], -1)
    after = np.concatenate([half, outside], -1)
    before, after = (
        np.where(np.isfinite(before), before, after),
        np.where(np.isfinite(after), after, before),
    )
    one, other = np.exp(log - before), np.exp(log + after)
    return np.fmin(one, other), np.fmax(one, other)


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def speed_weights(lower, upper, shift, usable, mass):
    """Weights of f for the moments of order 0 to 3 in speed, and the share of each bin.

    The weight of order p is W G_p. W = (v_hi^3 - v_lo^3)/3 is the exact volume of the bin per
    steradian. G_p is v^p at the centre of the bin divided by what averaging over the bin
    multiplies v^p by, so that a sum over *bin averages* of f gives the moment of f itself:

        sum_k <f>_k W_k G_p(k)  ~  integral of f v^(2+p) dv

    With bins uniform in x = ln E (width h) and no potential, v^p averages over a bin to
    v^p sinhc(p h/4), sinhc(y) = sinh(y)/y, and the sum converges faster than any power of h, as
    the trapezoid rule does for smooth functions that vanish at both ends. Plain integration of a
    piecewise constant f would add the variance inside each bin to the temperature twice; this is
    Sheppard's correction in the coordinate the bins are uniform in. A potential bends the relation
    v^2 ~ E + s; then v^2 is averaged exactly and v, v^3 to fourth order in h.

    Parameters
    ----------
    lower, upper : ndarray (table, energy)
        Edges of the measured energy [eV]; NaN where a bin is not used.
    shift : ndarray (table,)
        Charge times spacecraft potential [eV]: energy at infinity = measured + shift. What lies
        below zero at infinity is cut off. NaN gives no weights.
    usable : ndarray of bool (table, energy)
        Bins to integrate over.
    mass : float
        [kg].

    Returns
    -------
    weights : ndarray float32 (table, 4, energy)
        [1e12 (Mm/s)^(3+p)]: f [s^3 m^-6] times weight and solid angle is cm^-3 (Mm/s)^p.
    share : ndarray float32 (table, energy)
        Part of the table's extent in ln E that each bin makes up; 1 in total.

    References
    ----------
    Sheppard, W. F. (1898), Proc. London Math. Soc. s1-29, 353.
    """
    tables, energies = lower.shape
    weights = np.zeros((tables, 4, energies), np.float32)
    share = np.zeros((tables, energies), np.float32)
    k = 2.0 * ELEMENTARY_CHARGE / mass * 1e-12
    narrow = np.exp(-WIDEST)
    for r in range(tables):
        s = shift[r]
        total = 0.0
        for e in range(energies):
            low, high = lower[r, e], upper[r, e]
            if low + s < 0.0:
                low = -s
            if not (usable[r, e] and high > low and high + s <= LARGEST):
                continue
            slow, fast = np.sqrt(k * (low + s)), np.sqrt(k * (high + s))
            volume = (fast**3 - slow**3) / 3.0 * 1e12
            low = max(low, high * narrow)
            h = np.log(high / low)
            centre = np.sqrt(low * high)
            at_infinity = centre + s
            bend = centre / at_infinity
            speed = np.sqrt(k * at_infinity)
            weights[r, 0, e] = volume
            weights[r, 1, e] = volume * speed / _mean(0.5, bend, h)
            weights[r, 2, e] = volume * k * (centre / _mean(1.0, 1.0, h) + s)
            weights[r, 3, e] = volume * speed**3 / _mean(1.5, bend, h)
            share[r, e] = h
            total += h
        if total > 0.0:
            for e in range(energies):
                share[r, e] /= total
    return weights, share


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _mean(a, bend, h):
    """Mean of (E + s)^a over a bin of width h in ln E, over its value at the centre.

    sinhc(sqrt(y)) with y from the second derivative; bend = E/(E + s), 1 without potential.
    """
    y = 0.25 * h * h * a * bend * (1.0 + (a - 1.0) * bend)
    return 1.0 + y / 6.0 * (1.0 + y / 20.0 * (1.0 + y / 42.0))
