"""The most plausible sequence of states on a chain, where only neighbours follow one another."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def best_path(evidence, cost):
    """Sequence of states with the greatest total evidence less the costs of changing.

    Viterbi, IEEE Trans. Inf. Theory 13, 260, 1967, for states in a row (k touches k - 1 and
    k + 1). Ties keep the state.

    Parameters
    ----------
    evidence : ndarray float64 (record, state)
        What each record says for each state, additive.
    cost : ndarray float64 (record - 1, state - 1, 2)
        Of changing between two records: [..., k, 0] from k to k + 1, [..., k, 1] back.

    Returns
    -------
    path : ndarray int8 (record)
        The states.
    """
    records, states = evidence.shape
    path = np.empty(records, np.int8)
    if records == 0:
        return path
    came = np.empty((records, states), np.int8)
    score = evidence[0].copy()
    best = np.empty(states)
    for i in range(1, records):
        for k in range(states):
            top, origin = score[k], k
            if k > 0 and score[k - 1] - cost[i - 1, k - 1, 0] > top:
                top, origin = score[k - 1] - cost[i - 1, k - 1, 0], k - 1
            if k + 1 < states and score[k + 1] - cost[i - 1, k, 1] > top:
                top, origin = score[k + 1] - cost[i - 1, k, 1], k + 1
            best[k] = top + evidence[i, k]
            came[i, k] = origin
        score, best = best, score
    at = 0
    for k in range(1, states):
        if score[k] > score[at]:
            at = k
    for i in range(records - 1, -1, -1):
        path[i] = at
        at = came[i, at] if i else at
    return path


@njit(nogil=True, cache=True)
def best_path_of_any(evidence, price):
    """Sequence of states with the greatest total evidence less a price per change to any other.

    Viterbi, IEEE Trans. Inf. Theory 13, 260, 1967. Ties keep the state.

    Parameters
    ----------
    evidence : ndarray float64 (record, state)
        What each record says for each state, additive.
    price : float
        Of a change, in the same unit.

    Returns
    -------
    path : ndarray int8 (record)
        The states.
    """
    records, states = evidence.shape
    path = np.empty(records, np.int8)
    if records == 0:
        return path
    came = np.empty((records, states), np.int8)
    score = evidence[0].copy()
    for i in range(1, records):
        top = 0
        for k in range(1, states):
            if score[k] > score[top]:
                top = k
        jump = score[top] - price
        for k in range(states):
            came[i, k] = k
            if jump > score[k]:
                score[k] = jump
                came[i, k] = top
            score[k] += evidence[i, k]
    at = 0
    for k in range(1, states):
        if score[k] > score[at]:
            at = k
    for i in range(records - 1, -1, -1):
        path[i] = at
        at = came[i, at]
    return path
