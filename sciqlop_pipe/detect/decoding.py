"""From probabilities to a sequence of regions: what is too short or no boundary does not count.

The regions lie in a row (magnetosphere, magnetosheath, solar wind). The sequence is the one with
the greatest sum of evidence over time less a price for each change. The price of a change depends
on what n, V and T do there: cheap where they step as a shock or a magnetopause makes them, dear
where they do not. Prices and evidence are in nats times seconds, hence independent of cadence.

The answer at an instant depends on nothing but the records within one window and its context. The
windows are anchored to UTC, so that it does not matter how a longer time is cut into granules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..granule import MINUTE, SECOND, Interval
from ..kernels.viterbi import best_path
from ..kernels.windows import medians_beside

Array = NDArray[np.float64]
Times = NDArray[np.int64]

WINDOW = 30 * MINUTE
"""Length of a decoding window; windows start at multiples of it since 1970 UTC."""

CONTEXT = 15 * MINUTE
"""What a window sees beyond its ends, on both sides."""

UNKNOWN = -1
"""The region where nothing is known."""

CERTAIN = 3.0
"""Largest odds a record may claim, as logarithm: one record is never surer than 20 to 1."""

STEP_REACH = 45 * SECOND
"""Steps are judged by medians over this long on both sides."""

_STEP_RECORDS = 3  # fewer on a side: no step can be seen

# How much dearer a change becomes with every unit of step that it lacks: a change over half a step
# has its price, over a full one a quarter of it, over none 1.75 times as much.
_PER_STEP = 1.5


@dataclass(frozen=True, slots=True)
class Plasma:
    """What decoding looks at, each array (time): only records that carry information.

    `time` [ns since 1970 UTC]; `probability` (time, 3) of the regions, outwards; `density`
    [cm^-3], `speed` [km/s], `temperature` [eV].
    """

    time: Times
    probability: Array
    density: Array
    speed: Array
    temperature: Array

    def __getitem__(self, part: slice) -> Plasma:
        return Plasma(self.time[part], self.probability[part], self.density[part],
                      self.speed[part], self.temperature[part])  # fmt: skip


def runs(time: Times, gap: int) -> Iterator[slice]:
    """Yield the stretches of records without a gap between them.

    Parameters
    ----------
    time : int64 array, (time)
        Ascending [ns].
    gap : int
        Longest spacing that is not a gap [ns].
    """
    cuts = np.flatnonzero(np.diff(time) > gap) + 1
    edges = [0, *cuts.tolist(), time.size]
    yield from (slice(a, b) for a, b in pairwise(edges) if b > a)


def decode(plasma: Plasma, span: Interval, *, dwell: int, gap: int) -> NDArray[np.int8]:
    """Return the region of each record, (time): 0, 1, 2 outwards; UNKNOWN outside the windows used.

    Parameters
    ----------
    plasma : Plasma
        Records over `span` and beyond it by at least WINDOW + CONTEXT on both sides, where data
        exist.
    span : Interval
        Where the answer is wanted; the windows that touch it are decoded whole.
    dwell : int
        How long a region must be seen to count, if certain at all times and entered and left over
        half steps [ns]; a quarter of it over full steps (`step_sizes`), 1.75 times without any.
    gap : int
        Longest spacing of records that is not a gap [ns]; nothing is concluded across a gap.
    """
    path = np.full(plasma.time.size, UNKNOWN, np.int8)
    for start in range(span.start // WINDOW * WINDOW, span.stop, WINDOW):
        low, high = np.searchsorted(plasma.time, [start - CONTEXT, start + WINDOW + CONTEXT])
        seen = plasma[int(low) : int(high)]
        found = np.empty(seen.time.size, np.int8)
        for run in runs(seen.time, gap):
            found[run] = _decode_run(seen[run], dwell)
        core = (seen.time >= start) & (seen.time < start + WINDOW)
        path[low:high][core] = found[core]
    return path


def _decode_run(run: Plasma, dwell: int) -> NDArray[np.int8]:
    # An excursion gains up to CERTAIN per second and pays for two changes.
    price = CERTAIN * dwell / SECOND / 2
    outward = price * (1.0 + _PER_STEP * (0.5 - steps(run)))
    inward = price * (1.0 + _PER_STEP * (0.5 + steps(run)))
    return best_path(evidence(run), np.stack([outward, inward], axis=2))


def evidence(run: Plasma) -> Array:
    """Return log odds times the time each record stands for, (time, region) [nat s].

    Parameters
    ----------
    run : Plasma
        Records without a gap.
    """
    return log_odds(run.time, run.probability)


def log_odds(time: Times, probability: Array) -> Array:
    """Return log odds times the time each record stands for, (time, region) [nat s].

    Parameters
    ----------
    time : int64 array, (time)
        Ascending, without a gap [ns].
    probability : ndarray (time, region)
        Rows sum to 1.
    """
    if time.size < 2:
        return np.zeros(probability.shape)
    spacing = np.diff(time) / SECOND
    weight = 0.5 * (np.r_[spacing[0], spacing] + np.r_[spacing, spacing[-1]])
    odds = np.log(np.maximum(probability, 1e-30))
    odds = np.maximum(odds - odds.max(axis=1, keepdims=True), -CERTAIN)
    return odds * weight[:, None]


def steps(run: Plasma) -> Array:
    """Return how much the plasma between two records steps like a boundary, (time - 1, 2) [1].

    First the magnetopause, then the bow shock, both crossed outwards: 1 where the step is a full
    one, 0 where there is none, -1 for a full one inwards; medians of STEP_REACH on both sides.

    Parameters
    ----------
    run : Plasma
        Records without a gap.
    """
    logs = np.log(np.stack([run.density, np.maximum(run.speed, 1.0), run.temperature], axis=1))
    before, after = medians_beside(run.time, logs, STEP_REACH, _STEP_RECORDS)
    return np.nan_to_num(step_sizes(after - before))


def step_sizes(change: Array) -> Array:
    """Return how much changes of ln n, ln V, ln T are those of a boundary, (..., 2) [1].

    Outwards across the magnetopause n rises (a full step: by 3 or more) and T falls (by 2 or
    more), for the pressures of both sides balance. Outwards across the bow shock n falls (by 2 or
    more: Rankine-Hugoniot gives 2 at Mach 1.7, 4 at most) and V rises (by 1.5 or more), for mass
    is conserved. Each is the mean of its two parts; a hot slow foreshock that is no denser than
    the wind around it has half a step at most.

    Parameters
    ----------
    change : ndarray (..., 3)
        Of the natural logarithms of density, speed and temperature, outwards.
    """
    n, v, t = change[..., 0], change[..., 1], change[..., 2]

    def part(value: Array, full: float) -> Array:
        return np.clip(value / np.log(full), -1.0, 1.0)

    magnetopause = 0.5 * (part(n, 3.0) + part(-t, 2.0))
    bow_shock = 0.5 * (part(-n, 2.0) + part(v, 1.5))
    return np.stack([magnetopause, bow_shock], axis=-1)
