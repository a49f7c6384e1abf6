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

_FEWEST = np.float32(3e-8)  # mean counts below it are none: less than one ion in 2000 records
_LOWEST = np.float32(-18.0)  # log of counts that _exp can do, below _FEWEST
_HIGHEST = np.float32(16.0)  # ... and of nine million counts in one bin
_NOTHING = np.float32(0.0)
_MANY = np.float32(10.0)  # from this mean on a Poisson number comes from its quantile's expansion
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


@nb.njit
def _seen_from(points, phi, theta, width, height, nodes):  # type: ignore[no-untyped-def]
    """Fill `points` (theta, node^2, 3) with flight directions of ions seen at one azimuth."""
    for a in range(nodes.size):
        angle = phi + 0.5 * width * nodes[a]
        cos_phi, sin_phi = math.cos(angle), math.sin(angle)
        for j in range(theta.size):
            for b in range(nodes.size):
                at = theta[j] + 0.5 * height * nodes[b]
                point = points[j, a * nodes.size + b]
                point[0] = -math.sin(at) * cos_phi
                point[1] = -math.sin(at) * sin_phi
                point[2] = -math.cos(at)


@nb.njit
def _mean_counts(row, gas, points, speed, log_one, stretches, weights):  # type: ignore[no-untyped-def]
    """Fill `row` (energy) with the mean counts of the bins of one direction.

    Along a direction the exponent of a bi-Maxwellian is a quadratic of the speed. A bin averages f
    over its volume in velocity space, by Gauss-Legendre nodes in azimuth, polar angle and log v.
    """
    row[:] = _NOTHING
    total = 0.0
    along = gas[1] - gas[2]
    uu = gas[3] * gas[3] + gas[4] * gas[4] + gas[5] * gas[5]
    ub = gas[3] * gas[6] + gas[4] * gas[7] + gas[5] * gas[8]
    base = np.float32(gas[0] - gas[2] * uu - along * ub * ub)
    for i in range(len(points)):
        d = points[i]
        du = d[0] * gas[3] + d[1] * gas[4] + d[2] * gas[5]
        db = d[0] * gas[6] + d[1] * gas[7] + d[2] * gas[8]
        c1 = 2.0 * (gas[2] * du + along * db * ub)
        c2 = -gas[2] - along * db * db
        sine = math.sqrt(d[0] * d[0] + d[1] * d[1])
        for c in range(stretches.size):
            stretch = stretches[c]
            weight = weights[i, c] * sine
            total += weight
            q1, q2, share = (
                np.float32(c1 * stretch),
                np.float32(c2 * stretch**2),
                np.float32(weight),
            )
            for k in range(row.size):
                exponent = (q2 * speed[k] + q1) * speed[k] + (base - log_one[k])
                # min() and max() would keep the compiler from taking eight at a time.
                if exponent < _LOWEST:
                    exponent = _LOWEST
                if exponent > _HIGHEST:
                    exponent = _HIGHEST
                row[k] += share * _exp(exponent)
    for k in range(row.size):
        mean = row[k] / np.float32(total)
        row[k] = mean if mean > _FEWEST else _NOTHING


@nb.njit
def _rule(nodes, weights, speed):  # type: ignore[no-untyped-def]
    """Return the factors of v inside a bin, and the weights of all points, (node^2, node)."""
    stretches = (speed[0, 1] / speed[0, 0]) ** (0.5 * nodes)
    volume = weights * stretches**3
    return stretches, np.outer(np.outer(weights, weights).ravel(), volume)


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
    width, height = 2.0 * math.pi / phi.shape[1], math.pi / theta.size
    stretches, shares = _rule(nodes, weights, speed)
    points = np.empty((theta.size, nodes.size**2, 3))
    speed32, log_one = speed.astype(np.float32), np.log(one_count).astype(np.float32)
    row = np.empty(out.shape[3], np.float32)
    for t in range(out.shape[0]):
        p = parity[t]
        for i in range(out.shape[1]):
            _seen_from(points, phi[t, i], theta, width, height, nodes)
            for j in range(out.shape[2]):
                _mean_counts(row, gas[t], points[j], speed32[p], log_one[p], stretches, shares)
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
    width, height = 2.0 * math.pi / phi.shape[1], math.pi / theta.size
    stretches, shares = _rule(nodes, weights, speed)
    points = np.empty((theta.size, nodes.size**2, 3))
    speed32, log_one = speed.astype(np.float32), np.log(one_count).astype(np.float32)
    row, none = np.empty(f.shape[3], np.float32), np.empty(f.shape[3], np.float32)
    most = np.zeros(f.shape[0])
    for t in range(f.shape[0]):
        state = stream_start(key, number[t])
        p = parity[t]
        for i in range(f.shape[1]):
            _seen_from(points, phi[t, i], theta, width, height, nodes)
            for j in range(f.shape[2]):
                _mean_counts(row, gas[t], points[j], speed32[p], log_one[p], stretches, shares)
                for k in range(row.size):
                    mean = row[k]
                    if mean > _MANY:
                        mean = _MANY
                    none[k] = _exp(-mean)
                for k in range(row.size):
                    state, counts = _poisson(state, np.float64(row[k]), np.float64(none[k]))
                    f[t, i, j, k] = counts * one_count[p, k]
                    error[t, i, j, k] = math.sqrt(counts) * one_count[p, k]
                    most[t] = max(most[t], counts)
    return most
