from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.detect.decoding import (
    CONTEXT,
    UNKNOWN,
    WINDOW,
    Plasma,
    decode,
    evidence,
    runs,
    step_sizes,
    steps,
)
from sciqlop_pipe.granule import HOUR, MINUTE, SECOND, Interval, instant

NOON = instant("2020-01-01T12:00")
DWELL = {"dwell": 90 * SECOND, "gap": MINUTE}

LEVELS = np.array([[0.5, 30.0, 3000.0], [25.0, 150.0, 350.0], [7.0, 450.0, 30.0]])


def plasma(regions: np.ndarray, sure: float = 0.98, step: int = 4_500_000_000,
           like: np.ndarray | None = None) -> Plasma:  # fmt: skip
    """Records whose labels say `regions`, and whose n, V, T are those of `like`."""
    count = regions.size
    probability = np.full((count, 3), (1 - sure) / 2)
    probability[np.arange(count), regions] = sure
    n, v, t = LEVELS[regions if like is None else like].T
    time = NOON + step * np.arange(count, dtype=np.int64)
    return Plasma(time, probability, n, v, t)


def excursion(seconds: float, *, into: int = 2, stepping: bool = True) -> np.ndarray:
    """What is decoded of a sheath with one excursion in its middle."""
    regions = np.ones(400, int)
    regions[200 : 200 + round(seconds / 4.5)] = into
    p = plasma(regions, like=None if stepping else np.ones(400, int))
    return decode(p, span_of(p), **DWELL)


def span_of(p: Plasma) -> Interval:
    return Interval(int(p.time[0]), int(p.time[-1]) + 1)


def test_runs_are_cut_at_gaps():
    time = np.array([0, 10, 20, 100, 110])
    assert list(runs(time, 50)) == [slice(0, 3), slice(3, 5)]
    assert list(runs(time, 100)) == [slice(0, 5)]
    assert list(runs(time[:0], 50)) == []


def test_evidence_does_not_depend_on_the_cadence():
    slow = evidence(plasma(np.ones(100, int)))
    fast = evidence(plasma(np.ones(300, int), step=1_500_000_000))
    np.testing.assert_allclose(slow.sum(axis=0), fast.sum(axis=0))


@pytest.mark.parametrize(
    ("seconds", "stepping", "seen"),
    [(27, True, True), (18, True, False), (180, False, True), (135, False, False)],
)
def test_an_excursion_counts_if_long_enough_for_its_steps(
    seconds: float, stepping: bool, seen: bool
):
    assert (2 in excursion(seconds, stepping=stepping)) == seen


def test_the_magnetosphere_is_not_reached_from_the_solar_wind_directly():
    regions = np.repeat([0, 2], 100)
    p = plasma(regions)
    path = decode(p, span_of(p), **DWELL)
    assert np.abs(np.diff(path)).max() == 1


def test_nothing_is_concluded_across_a_gap():
    p = plasma(np.repeat([1, 2], 100))
    late = Plasma(p.time + np.repeat([0, HOUR], 100), *(getattr(p, f.name) for f in fields(p)[1:]))
    path = decode(late, span_of(late), **DWELL)
    assert path.tolist() == [1] * 100 + [2] * 100
    assert steps(late[slice(0, 100)]).shape == (99, 2)


def test_what_was_not_asked_for_is_unknown():
    p = plasma(np.ones(2400, int))
    path = decode(p, Interval(NOON + HOUR, NOON + HOUR + MINUTE), **DWELL)
    inside = (p.time >= NOON + HOUR) & (p.time < NOON + HOUR + WINDOW)
    assert (path[inside] == 1).all()
    assert (path[~inside] == UNKNOWN).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 120))
def test_a_window_knows_no_more_than_its_context(seed: int, cut: int):
    rng = np.random.default_rng(seed)
    regions = np.repeat(rng.integers(0, 3, 60), rng.integers(5, 60, 60))
    p = plasma(regions, sure=0.7)
    start = NOON + HOUR
    span = Interval(start, start + WINDOW)
    low, high = np.searchsorted(
        p.time, [start - CONTEXT - cut * SECOND, start + WINDOW + CONTEXT + cut * SECOND]
    )
    part = decode(p[slice(int(low), int(high))], span, **DWELL)
    np.testing.assert_array_equal(decode(p, span, **DWELL)[low:high], part)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_a_step_inwards_is_the_opposite_of_one_outwards(change: list[float]):
    there, back = step_sizes(np.array(change)), step_sizes(-np.array(change))
    np.testing.assert_allclose(there, -back)
    assert (np.abs(there) <= 1).all()


def test_full_steps_are_those_of_the_boundaries():
    logs = np.log(LEVELS)
    assert step_sizes(logs[1] - logs[0])[0] == 1
    assert step_sizes(logs[2] - logs[1])[1] == 1
