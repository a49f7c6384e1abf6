"""The kernels of the simulated spectrometer: mean counts of a drifting bi-Maxwellian, and counting.

Angles in radians, speeds in km/s. `gas` has one row per record: log of the peak of f, 1/w_par^2,
1/w_perp^2, three components of the velocity, three of the unit vector of the field. `speed` and
`one_count` (f of a single count) have one row per energy table.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from .noise import next_uniform, normal_quantile, stream_start

_LOWEST = np.float32(
    -18.0
)  # log of the mean counts that are not drawn: less than one ion in 3000 records
_NOTHING = np.float32(0.0)
_EDGE = -26.0  # ... judged by the centre of a bin, of which the corners may have more
_HIGHEST = np.float32(16.0)  # ... and of the largest, nine million counts in one bin
_MANY = 10.0  # from this mean on a Poisson number comes from its quantile's expansion
_LONGEST = 60  # steps of the search; a mean of 10 passes 60 once in 1e27 draws
_SERIES = np.array([1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 64], np.float32)
_RECIPROCAL = np.concatenate([[0.0], 1.0 / np.arange(1, _LONGEST + 2)])


@nb.njit(inline="always")
def _exp(x):  # type: ignore[no-untyped-def]
    """Return exp(x) to 1e-5 for |x| < 18, in float32: (exp(x/64))^64, without a branch or a call.

    The compiler makes it eight at a time, which a library call or a float64 forbids.
    """
    y = x * _SERIES[6]
    p = _SERIES[4] + y * _SERIES[5]
    p = _SERIES[0] + y * (
        _SERIES[0] + y * (_SERIES[1] + y * (_SERIES[2] + y * (_SERIES[3] + y * p)))
    )
    for _ in range(6):
        p = p * p
    return p


@nb.njit(inline="always")
def _quadratic(gas, phi, theta, along, ub):  # type: ignore[no-untyped-def]
    """Return the coefficients of v and v^2 in the exponent, for ions seen from (phi, theta)."""
    st = math.sin(theta)
    dx, dy, dz = -st * math.cos(phi), -st * math.sin(phi), -math.cos(theta)
    du = dx * gas[3] + dy * gas[4] + dz * gas[5]
    db = dx * gas[6] + dy * gas[7] + dz * gas[8]
    return 2.0 * (gas[2] * du + along * db * ub), -gas[2] - along * db * db


@nb.njit
def _mean_counts(row, gas, phi, theta, width, height, speed, step, log_one, nodes, weights):  # type: ignore[no-untyped-def]
    """Fill `row` (energy) with the mean counts of the bins that look at (phi, theta).

    Along a direction the exponent of a bi-Maxwellian is a quadratic of the speed. A bin averages f
    over its volume in velocity space, by Gauss-Legendre nodes in azimuth, polar angle and log v.
    """
    row[:] = _NOTHING
    total = 0.0
    along = gas[1] - gas[2]
    uu = gas[3] * gas[3] + gas[4] * gas[4] + gas[5] * gas[5]
    ub = gas[3] * gas[6] + gas[4] * gas[7] + gas[5] * gas[8]
    c0 = gas[0] - gas[2] * uu - along * ub * ub
    c1, c2 = _quadratic(gas, phi, theta, along, ub)
    first = 0
    while (
        first < row.size and (c2 * speed[first] + c1) * speed[first] + c0 < log_one[first] + _EDGE
    ):
        first += 1
    end = row.size - 1
    while end >= first and (c2 * speed[end] + c1) * speed[end] + c0 < log_one[end] + _EDGE:
        end -= 1
    # Slices, not indices from `first`: these loops are to run several energies at a time.
    filled, v, threshold = row[first : end + 1], speed[first : end + 1], log_one[first : end + 1]
    if not filled.size:
        return
    for a in range(nodes.size):
        ph = phi + 0.5 * width * nodes[a]
        for b in range(nodes.size):
            th = theta + 0.5 * height * nodes[b]
            c1, c2 = _quadratic(gas, ph, th, along, ub)
            for c in range(nodes.size):
                stretch = step ** (0.5 * nodes[c])
                weight = weights[a] * weights[b] * weights[c] * math.sin(th) * stretch**3
                total += weight
                q2, q1 = np.float32(c2 * stretch * stretch), np.float32(c1 * stretch)
                share, base = np.float32(weight), np.float32(c0)
                for k in range(filled.size):
                    exponent = (q2 * v[k] + q1) * v[k] + (base - threshold[k])
                    value = _exp(min(max(exponent, _LOWEST), _HIGHEST))
                    filled[k] += share * (value if exponent > _LOWEST else _NOTHING)
    for k in range(filled.size):
        filled[k] /= np.float32(total)


@nb.njit(inline="always")
def _poisson(state, mean, none):  # type: ignore[no-untyped-def]
    """Return the following state and a Poisson number; `none` is exp(-mean).

    Few: search through the distribution, exact. Many: expansion of the quantile (Cornish and
    Fisher, Revue de l'Institut International de Statistique 5, 307-320, 1938), rounded, less the
    variance that rounding adds: within 0.002 of the exact distribution (total variation), mean and
    variance right to 0.1 %.
    """
    if mean == 0.0:
        return state, 0.0
    state, u = next_uniform(state)
    if mean >= _MANY:
        z = normal_quantile(u)
        sigma = math.sqrt(mean - 1.0 / 12.0)
        x = mean + sigma * z + (z * z - 1.0) / 6.0 + (z - z * z * z) / (72.0 * sigma)
        return state, max(math.floor(x + 0.5), 0.0)
    k = 0
    while u > none and k < _LONGEST:
        u -= none
        k += 1
        none *= mean * _RECIPROCAL[k]
    return state, np.float64(k)


@nb.njit(nogil=True, cache=True)
def expect(out, parity, phi, theta, speed, one_count, gas, nodes, weights):  # type: ignore[no-untyped-def]
    """Fill `out` (time, phi, theta, energy) with f free of counting noise [s^3 cm^-6].

    Parameters
    ----------
    out : float array, (time, phi, theta, energy)
        The result.
    parity : int64 array, (time)
        Which energy table.
    phi, theta : arrays, (time, phi) and (theta)
        Look directions of the bin centres [rad].
    speed, one_count : arrays, (table, energy)
        Speeds of the bins [km/s] and f of one count [s^3 cm^-6].
    gas : array, (time, 9)
        The plasma, see the module.
    nodes, weights : arrays
        A quadrature rule on [-1, 1], used on each axis of a bin.
    """
    height = math.pi / theta.size
    width = 2.0 * math.pi / phi.shape[1]
    step = speed[0, 1] / speed[0, 0]
    speed32, log_one = speed.astype(np.float32), np.log(one_count).astype(np.float32)
    row = np.empty(out.shape[3], np.float32)
    for t in range(out.shape[0]):
        p = parity[t]
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                _mean_counts(row, gas[t], phi[t, i], theta[j], width, height, speed32[p], step,
                             log_one[p], nodes, weights)  # fmt: skip
                for k in range(row.size):
                    out[t, i, j, k] = row[k] * one_count[p, k]


@nb.njit(nogil=True, cache=True)
def count(f, error, parity, phi, theta, speed, one_count, gas, nodes, weights, key, number):  # type: ignore[no-untyped-def]
    """Fill `f` and `error` with counted distributions, return the largest counts, (time).

    Parameters
    ----------
    f, error : float32 arrays, (time, phi, theta, energy)
        The results: N one_count and sqrt(N) one_count [s^3 cm^-6].
    parity, phi, theta, speed, one_count, gas, nodes, weights
        As in `expect`.
    key : uint64
        Key of the noise stream.
    number : int64 array, (time)
        Number of each record in the stream.
    """
    height = math.pi / theta.size
    width = 2.0 * math.pi / phi.shape[1]
    step = speed[0, 1] / speed[0, 0]
    speed32, log_one = speed.astype(np.float32), np.log(one_count).astype(np.float32)
    row, none = np.empty(f.shape[3], np.float32), np.empty(f.shape[3], np.float32)
    most = np.zeros(f.shape[0])
    for t in range(f.shape[0]):
        state = stream_start(key, number[t])
        p = parity[t]
        for i in range(f.shape[1]):
            for j in range(f.shape[2]):
                _mean_counts(row, gas[t], phi[t, i], theta[j], width, height, speed32[p], step,
                             log_one[p], nodes, weights)  # fmt: skip
                for k in range(row.size):
                    none[k] = _exp(-min(row[k], np.float32(_MANY)))
                for k in range(row.size):
                    state, counts = _poisson(state, np.float64(row[k]), np.float64(none[k]))
                    f[t, i, j, k] = counts * one_count[p, k]
                    error[t, i, j, k] = math.sqrt(counts) * one_count[p, k]
                    most[t] = max(most[t], counts)
    return most
