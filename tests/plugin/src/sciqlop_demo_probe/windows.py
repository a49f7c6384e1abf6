"""Means over windows of time."""

from __future__ import annotations

import numpy as np


def means(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Mean of the records first[i]:last[i] for every i, (i, component); NaN where there is none.

    Every window is summed by itself. Differences of running sums would be faster, but their last
    digits depend on where the granule begins.

    Parameters
    ----------
    values : ndarray (n, component)
        Records.
    first, last : ndarray of int (i,)
        Windows, 0 <= first <= last <= n.
    """
    edges = np.column_stack([first, last]).ravel()
    sums = np.add.reduceat(np.concatenate([values, values[:1]]), edges, axis=0)[::2]
    count = (last - first)[:, None]
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)
