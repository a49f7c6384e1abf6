"""How the statistical errors of moments go together, for any geometry of bins."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH
from .errors import QUANTITIES, counted_and_empty


@njit(nogil=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def moment_covariances(f, error, energy, used, table, weights, geometry, sums):
    """Covariances (time, 2, 8, 8) of n, V, T_xx, T_yy, T_zz and T, and the counts (time,).

    As `errors.moment_variances`, bin by bin: slower, and directions may depend on energy.

    Parameters
    ----------
    f, error, energy, used, table, weights, sums
        As there.
    geometry : ndarray float32 (time or 1, 10, direction, energy or 1)
        From `direction_weights`.

    Returns
    -------
    covariances : ndarray float64 (time, 2, 8, 8)
        Products of cm^-3, Mm/s and (Mm/s)^2. The first row counts bins with counts only, the
        second also one count in every empty bin. NaN where a moment or that level is unknown.
    counts : ndarray float64 (time,)
    """
    times = f.shape[0]
    out = np.full((times, 2, QUANTITIES, QUANTITIES), np.nan)
    counts = np.zeros(times)
    counted = np.empty(f.shape[1:], np.float32)
    empty = np.empty(f.shape[1:], np.float32)
    for t in range(times):
        if not sums[t, 0] > 0:
            continue
        r = table[t]
        g = geometry[t if geometry.shape[0] > 1 else 0]
        counts[t] = counted_and_empty(f[t], error[t], energy[r], used[r], counted, empty)
        if counts[t] > 0:
            out[t] = 0.0
            _add(counted, weights[r], g, sums[t], out[t, 0])
            _add(empty, weights[r], g, sums[t], out[t, 1])
            for q in range(QUANTITIES):
                for p in range(QUANTITIES):
                    out[t, 1, q, p] += out[t, 0, q, p]
    return out, counts


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _add(sigma, weights, geometry, sums, out):
    """Add what every bin contributes; a bin changes the moments by `change` times its error."""
    n = sums[0]
    change = np.empty(QUANTITIES)
    wide = geometry.shape[2] > 1
    for d in range(sigma.shape[0]):
        for e in range(sigma.shape[1]):
            s = np.float64(sigma[d, e])
            if s == 0.0:
                continue
            k = e if wide else 0
            w0, w1, w2 = s * weights[0, e], s * weights[1, e] / n, s * weights[2, e] / n
            whole = w0 * geometry[0, d, k]
            change[0] = whole
            change[7] = 0.0
            for i in range(3):
                v = sums[1 + i] / n
                first = w1 * geometry[1 + i, d, k]
                change[1 + i] = first - v * whole / n
                change[4 + i] = (
                    w2 * geometry[4 + i, d, k] - 2 * v * first
                    + (2 * v * v - sums[4 + i] / n) * whole / n
                )  # fmt: skip
                change[7] += change[4 + i] / 3
            for q in range(QUANTITIES):
                for p in range(QUANTITIES):
                    out[q, p] += change[q] * change[p]
