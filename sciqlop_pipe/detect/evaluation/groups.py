"""Intervals of scores: whole groups are drawn anew, for records within one are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWS = 1000
LEVEL = 0.95


def bootstrap(
    groups: Sequence[object] | NDArray[np.generic],
    statistic: Callable[[Array], float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic; None where there is but one group.

    Efron, Ann. Statist. 7, 1, 1979, on groups (Field and Welsh, J. R. Statist. Soc. B 69, 369,
    2007): what belongs together, a pass or a year, is drawn or left out as a whole. Percentiles.

    Parameters
    ----------
    groups : sequence (record)
        The group of each record.
    statistic : callable
        Takes how often each record is drawn, (record), and returns the number; NaN draws (nothing
        to divide by) are left out.
    draws : int
        How many.
    seed : int
        Same seed, same interval.
    """
    _, of = np.unique(np.asarray(groups), return_inverse=True)
    size = int(of.max()) + 1 if of.size else 0
    if size < 2:
        return None
    rng = np.random.default_rng(seed)
    values = np.array([
        statistic(np.bincount(rng.integers(0, size, size), minlength=size)[of].astype(float))
        for _ in range(draws)
    ])  # fmt: skip
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
