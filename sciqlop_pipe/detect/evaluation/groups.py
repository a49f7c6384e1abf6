"""Intervals of scores: whole groups are drawn anew, for records within one are not independent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWS = 1000
LEVEL = 0.95


def bootstrap(
    sums: Array, statistic: Callable[[Array], float], *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic; None where there is but one group.

    Efron, Ann. Statist. 7, 1, 1979, on groups (Field and Welsh, J. R. Statist. Soc. B 69, 369,
    2007): what belongs together, a pass or a year, is drawn or left out as a whole. Percentiles.

    Parameters
    ----------
    sums : ndarray (group, ...)
        What each group adds: counts, sums.
    statistic : callable
        Takes the total over the drawn groups and returns the number; NaN (nothing to divide by)
        is left out.
    draws : int
        How many.
    seed : int
        Same seed, same interval.
    """
    size = len(sums)
    if size < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, size, (draws, size))
    times = np.stack([np.bincount(d, minlength=size) for d in drawn]).astype(np.float64)
    totals = (times @ sums.reshape(size, -1)).reshape(draws, *sums.shape[1:])
    values = np.array([statistic(total) for total in totals])
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def summed(values: Array, groups: NDArray[Any]) -> Array:
    """Return the sums of values within groups, (group, ...), in the order of the groups' names.

    Parameters
    ----------
    values : ndarray (record, ...)
        What is added.
    groups : ndarray (record)
        The group of each record.
    """
    names, of = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, of.ravel(), values)
    return sums
