from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.kernels.viterbi import best_path


def total(path: tuple[int, ...], evidence: np.ndarray, cost: np.ndarray) -> float:
    """What a sequence scores, minus infinity where it skips a state."""
    score = evidence[0, path[0]]
    for i, (a, b) in enumerate(itertools.pairwise(path)):
        if abs(a - b) > 1:
            return -np.inf
        if a != b:
            score -= cost[i, min(a, b), 0 if b > a else 1]
        score += evidence[i + 1, b]
    return float(score)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 4))
def test_no_other_sequence_scores_more(seed: int, records: int, states: int):
    rng = np.random.default_rng(seed)
    evidence = rng.normal(size=(records, states))
    cost = rng.normal(0.5, 1, size=(records - 1, states - 1, 2))
    found = tuple(int(k) for k in best_path(evidence, cost))
    best = max(total(p, evidence, cost) for p in itertools.product(range(states), repeat=records))
    assert np.isclose(total(found, evidence, cost), best)


def test_the_outer_states_are_reached_through_the_middle_one():
    evidence = np.array([[9.0, 0, 0], [10, 0, 0], [0, 0, 9], [0, 0, 9], [0, 0, 9]])
    path = best_path(evidence, np.zeros((4, 2, 2)))
    assert path.tolist() == [0, 0, 1, 2, 2]


def test_a_tie_keeps_the_state():
    assert best_path(np.zeros((4, 3)), np.zeros((3, 2, 2))).tolist() == [0, 0, 0, 0]


def test_nothing_gives_nothing():
    assert best_path(np.zeros((0, 3)), np.zeros((0, 2, 2))).size == 0
