"""Tables in which the bin of a point of velocity space is found, instead of by searching.

One is of speeds, one of azimuths, one of colatitudes. The angles of a point are looked up by
y/(|x| + |y|), which runs evenly around a square where the angle runs around a circle, and needs no
inverse tangent.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH

AROUND, DOWN, RADII = 2048, 512, 4096
"""Entries of the tables: better than 0.2 degrees in azimuth, 0.5 degrees in colatitude."""

NEAR = 4
"""Directions of a list that a point is interpolated between."""


def azimuths(at: np.ndarray) -> np.ndarray:
    """Azimuth [deg], -90 to 270, of places 0 to 1 in a table of azimuths."""
    p = 4.0 * at - 1.0
    side = np.where(p > 1, 2.0 - p, p)
    ahead = np.where(p > 1, np.abs(side) - 1.0, 1.0 - np.abs(side))
    return (np.degrees(np.arctan2(side, ahead)) + 90.0) % 360.0 - 90.0


def colatitudes(at: np.ndarray) -> np.ndarray:
    """Colatitude [deg] of places 0 to 1 in a table of colatitudes."""
    q = 1.0 - 2.0 * at
    return np.degrees(np.arctan2(1.0 - np.abs(q), q))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def bins_of_speed(slow, fast, fastest):
    """Which bin a speed is in, int16 (table, RADII) over speeds 0 to `fastest`; -1 in none.

    Parameters
    ----------
    slow, fast : ndarray float64 (table, energy)
        Edges of the bins [Mm/s]; equal where one is not used.
    fastest : float
        [Mm/s].
    """
    out = np.full((slow.shape[0], RADII), np.int16(-1))
    for t in range(slow.shape[0]):
        for e in range(slow.shape[1]):
            first = int(np.ceil(slow[t, e] / fastest * RADII - 0.5))
            last = int(np.ceil(fast[t, e] / fastest * RADII - 0.5))
            out[t, max(first, 0) : min(last, RADII)] = e
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def fill_azimuths(low, high, size):
    """Which bin is at each place of a table of azimuths, int16 (energy, time, size); -1 for none.

    Parameters
    ----------
    low, high : ndarray float64 (energy, time, bin)
        Edges of the bins [deg]; NaN for one that does not exist.
    size : int
        Places, at their centres.
    """
    out = np.full((low.shape[0], low.shape[1], size), np.int16(-1))
    for e in range(low.shape[0]):
        for t in range(low.shape[1]):
            for k in range(low.shape[2]):
                wide = high[e, t, k] - low[e, t, k]
                if not wide > 0:
                    continue
                first = int(np.ceil(_place_of_azimuth(low[e, t, k]) * size - 0.5))
                last = int(np.ceil(_place_of_azimuth(high[e, t, k]) * size - 0.5))
                last += size if last < first or (wide > 180 and last == first) else 0
                for i in range(first, last if wide < 360 else first + size):
                    out[e, t, i % size] = k
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _place_of_azimuth(angle):
    x, y = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    side = y / (abs(x) + abs(y))
    return 0.25 * (1 + (side if x >= 0 else 2 - side))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def fill_colatitudes(low, high, size):
    """The same for colatitudes."""
    out = np.full((low.shape[0], low.shape[1], size), np.int16(-1))
    for e in range(low.shape[0]):
        for t in range(low.shape[1]):
            for k in range(low.shape[2]):
                if high[e, t, k] > low[e, t, k]:
                    first = int(np.ceil(_place_of_colatitude(low[e, t, k]) * size - 0.5))
                    last = int(np.ceil(_place_of_colatitude(high[e, t, k]) * size - 0.5))
                    out[e, t, first:last] = k
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def _place_of_colatitude(angle):
    angle = np.radians(min(max(angle, 0.0), 180.0))
    z = np.cos(angle)
    return 0.5 - 0.5 * z / (abs(z) + np.sin(angle))


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def nearest_of_list(vectors, cosine, count_down, count_around):
    """Direction nearest to each place of a map, int16 (time, down, around); -1 beyond its bin.

    Parameters
    ----------
    vectors : ndarray float32 (time, 3, direction)
        Unit vectors; zeros for a direction that does not exist.
    cosine : ndarray float32 (time or 1, direction)
        Of how far a bin reaches from its centre.
    count_down, count_around : ndarray float32 (down, 2), (around, 2)
        Cosine and sine of the colatitudes and azimuths of the map.
    """
    times = vectors.shape[0]
    out = np.empty((times, count_down.shape[0], count_around.shape[0]), np.int16)
    for t in range(times):
        u = vectors[t]
        reach = cosine[t if cosine.shape[0] > 1 else 0]
        for i in range(count_down.shape[0]):
            z, sin = count_down[i, 0], count_down[i, 1]
            for j in range(count_around.shape[0]):
                x, y = sin * count_around[j, 0], sin * count_around[j, 1]
                best, which = np.float32(-2), -1
                for d in range(u.shape[1]):
                    c = x * u[0, d] + y * u[1, d] + z * u[2, d]
                    if c > best:
                        best, which = c, d
                out[t, i, j] = which if which >= 0 and best >= reach[which] else -1
    return out


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def neighbours_of_list(vectors, count_down, count_around):
    """Directions around each place of a map and their weights, (time, down, around, NEAR).

    The weight of a direction at distance r is ((R - r)/(R r))^2 with R the distance of the next
    one beyond them (Franke and Little's form of Shepard's method): continuous on the sphere.

    Parameters
    ----------
    vectors, count_down, count_around
        As in `nearest_of_list`.

    References
    ----------
    Franke, R. (1982), Math. Comp. 38, 181-200.
    """
    times = vectors.shape[0]
    shape = (times, count_down.shape[0], count_around.shape[0], NEAR)
    which, weight = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
    best, order = np.empty(NEAR + 1, np.float32), np.empty(NEAR + 1, np.int16)
    for t in range(times):
        u = vectors[t]
        for i in range(shape[1]):
            z, sin = count_down[i, 0], count_down[i, 1]
            for j in range(shape[2]):
                x, y = sin * count_around[j, 0], sin * count_around[j, 1]
                best[:], order[:] = 4, 0
                for d in range(u.shape[1]):
                    # The squared length of the chord, large for a direction that does not exist.
                    r = 2 - 2 * (x * u[0, d] + y * u[1, d] + z * u[2, d])
                    if u[0, d] == 0 and u[1, d] == 0 and u[2, d] == 0:
                        r = np.float32(4)
                    k = NEAR
                    if r < best[k]:
                        while k > 0 and r < best[k - 1]:
                            best[k], order[k] = best[k - 1], order[k - 1]
                            k -= 1
                        best[k], order[k] = r, d
                rim, total = np.sqrt(best[NEAR]), 0.0
                for k in range(NEAR):
                    r = max(np.sqrt(max(best[k], 0.0)), 1e-4)
                    w = max(rim - r, 0.0) / (rim * r)
                    which[t, i, j, k], weight[t, i, j, k] = order[k], w * w
                    total += w * w
                for k in range(NEAR):
                    weight[t, i, j, k] = weight[t, i, j, k] / total if total > 0 else k == 0
    return which, weight
