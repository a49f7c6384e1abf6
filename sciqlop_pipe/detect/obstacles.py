"""Which intervals of hourly solar wind may be an ejecta, what they hold, and which are taken.

A probability per hour says little about where an event begins and ends. So many intervals are
looked at, those in which the smoothed probability stays above one of several levels; a forest says
for each how much it would overlap with a true event; the best are taken, none of which overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels.forests import range_moments
from ..kernels.windows import moments_between
from .hourly import BASE, Hours, background, base_features

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

VERSION = 1
"""Raise it whenever intervals or what they hold move: a model belongs to one version."""

LEVELS = (0.08, 0.12, 0.18, 0.25, 0.33, 0.42, 0.52, 0.64, 0.78)
SHORTEST, LONGEST = 4, 110
"""Of an interval [h]."""

_HALVES = (1, 4)  # of the smoothing
_JOINED = (0, 5)  # hours below the level that do not end an interval
_UNKNOWN = -9.0  # what a forest is told where nothing is known
_CONTRAST = 12
_REACHES = (2, 6, 18)
_FAR = 30


def candidates(probability: Array) -> Numbers:
    """Return intervals that may be events, (interval, 2): first hour, and the one after the last.

    Parameters
    ----------
    probability : ndarray (hour)
        NaN where nothing is known: intervals end there.
    """
    found: set[tuple[int, int]] = set()
    known = np.isfinite(probability)
    for half in _HALVES:
        smooth = moments_between(probability[:, None], -half, half, 1)[0][:, 0]
        smooth = np.where(known, smooth, -1.0)
        for level in LEVELS:
            above = np.r_[False, smooth > level, False]
            edges = np.flatnonzero(np.diff(above.astype(np.int8)))
            runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
            for gap in _JOINED:
                found |= {
                    (a, b) for a, b in _bridged(runs, gap, known) if SHORTEST <= b - a <= LONGEST
                }
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _bridged(
    runs: list[tuple[int, int]], gap: int, known: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Return runs with those at most `gap` hours apart as one, never across unknown hours."""
    joined: list[tuple[int, int]] = []
    for a, b in runs:
        if joined and a - joined[-1][1] <= gap and known[joined[-1][1] : a].all():
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def interval_features(hours: Hours, probability: Array, intervals: Numbers) -> NDArray[np.float32]:
    """Return what intervals hold and how they differ from what is before and after, (interval, k).

    Log odds inside, at the edges and around; the plasma and field inside, against 12 h before and
    after, and its change from the first to the last quarter; how far B turns; how many events
    there are in these weeks.

    Parameters
    ----------
    hours : Hours
        (hour).
    probability : ndarray (hour)
        Of being inside an event.
    intervals : ndarray of int (interval, 2)
        From `candidates`.
    """
    base = base_features(hours)
    odds = np.log(np.clip(probability, 1e-4, 1 - 1e-4))
    odds -= np.log1p(-np.clip(probability, 1e-4, 1 - 1e-4))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = hours.b / hours.strength[:, None]
    said = np.stack([odds, probability], axis=1)
    alone = odds[:, None]
    a, b = np.ascontiguousarray(intervals.T)
    length = b - a
    quarter, middle = np.maximum(length // 4, 1), (a + b) // 2
    mean, spread, least, most = range_moments(said, a, b)
    parts = [np.log(length), mean[:, 0], mean[:, 1], mean[:, 1] * length,
             spread[:, 0], least[:, 0], most[:, 0]]  # fmt: skip

    def odds_in(first: Numbers, stop: Numbers) -> Array:
        return np.asarray(range_moments(alone, first, stop)[0][:, 0])

    parts += [odds_in(a, a + quarter), odds_in(b - quarter, b), odds_in(a, a + 2),
              odds_in(b - 2, b)]  # fmt: skip
    for reach in _REACHES:
        parts += [odds_in(a - reach, a), odds_in(b, b + reach)]
    parts += [range_moments(alone, a - _FAR, a)[3][:, 0],
              range_moments(alone, b, b + _FAR)[3][:, 0]]  # fmt: skip
    inside = range_moments(base, a, b)[0]
    before, after = (range_moments(base, *r)[0] for r in ((a - _CONTRAST, a), (b, b + _CONTRAST)))
    change = range_moments(base, b - quarter, b)[0] - range_moments(base, a, a + quarter)[0]
    whole, early, late = (range_moments(unit, *r)[0] for r in ((a, b), (a, middle), (middle, b)))
    parts += [np.sqrt((whole**2).sum(axis=1)), np.sqrt(((early - late) ** 2).sum(axis=1))]
    around = [background(hours.time, probability[:, None], d)[middle] for d in (21, 45)]
    quiet = background(hours.time, base, 45)[middle]
    matrix = np.concatenate(
        [np.stack(parts, axis=1), inside, inside - before, inside - after, change, *around, quiet],
        axis=1,
    )
    return np.where(np.isfinite(matrix), matrix, _UNKNOWN).astype(np.float32)


def chosen(intervals: Numbers, score: Array, least: float) -> Numbers:
    """Return the numbers of the best intervals that do not overlap, in time order.

    Parameters
    ----------
    intervals : ndarray of int (interval, 2)
        Hours [first, stop).
    score : ndarray (interval)
        Greater is better.
    least : float
        Lower ones are not taken.
    """
    taken: list[int] = []
    for i in np.lexsort((intervals[:, 1], intervals[:, 0], -score)).tolist():
        if score[i] < least:
            break
        a, b = intervals[i]
        if all(b <= intervals[j, 0] or a >= intervals[j, 1] for j in taken):
            taken.append(i)
    return np.array(sorted(taken, key=lambda i: intervals[i, 0]), np.int64)


def edge_uncertainty(probability: Array, edge: int, rising: bool) -> int:
    """Return how many hours the probability takes from 0.2 to 0.8 around an edge, at least 1.

    Parameters
    ----------
    probability : ndarray (hour)
        Of being inside.
    edge : int
        First hour inside, or the first after.
    rising : bool
        Whether the event begins there.
    """
    low, high = max(edge - 12, 0), min(edge + 12, probability.size)
    part = probability[low:high]
    part = part if rising else part[::-1]
    at = edge - low if rising else high - edge
    outside = np.flatnonzero(part[:at] < 0.2)
    inside = np.flatnonzero(part[at:] > 0.8)
    first = int(outside[-1]) + 1 if outside.size else 0
    last = at + (int(inside[0]) if inside.size else part.size - at)
    return max(last - first, 1)


def overlaps(intervals: Numbers, hours: Hours, true: Array) -> Array:
    """Return the largest intersection over union of intervals with true ones, (interval).

    Parameters
    ----------
    intervals : ndarray of int (interval, 2)
        Hours [first, stop).
    hours : Hours
        When these are.
    true : ndarray (event, 2)
        Start and stop [ns].
    """
    if not len(true) or not len(intervals):
        return np.zeros(len(intervals))
    half = (hours.time[1] - hours.time[0]) // 2
    a, b = hours.time[intervals[:, 0]] - half, hours.time[intervals[:, 1] - 1] + half
    shared = np.minimum(b[:, None], true[:, 1]) - np.maximum(a[:, None], true[:, 0])
    union = np.maximum(b[:, None], true[:, 1]) - np.minimum(a[:, None], true[:, 0])
    return np.asarray((np.maximum(shared, 0) / union).max(axis=1))


def gaps(hours: Hours, matrix: Array) -> NDArray[np.bool_]:
    """Return the hours about which nothing can be said: no field, or no plasma, within 3 h.

    Parameters
    ----------
    hours : Hours
        (hour).
    matrix : ndarray (hour, feature)
        From `hourly_matrix`.
    """
    field, speed = (len(BASE) + BASE.index(n) for n in ("field", "speed"))
    return ~(np.isfinite(matrix[:, field]) & np.isfinite(matrix[:, speed]))
