from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.detect.evaluation import Mark, Overlap, Within, match, score_events
from sciqlop_pipe.detect.evaluation.groups import bootstrap
from sciqlop_pipe.granule import DAY, HOUR, SECOND, Interval, instant
from sciqlop_pipe.pairing import iou

T0 = instant("2012-01-01")


def span(start: float, stop: float, probability: float = float("nan"), kind: str = "") -> Mark:
    return Mark(T0 + round(start * HOUR), T0 + round(stop * HOUR), kind, probability=probability)


WHOLE = [Interval(T0, T0 + 100 * HOUR)]

some = st.lists(
    st.builds(lambda a, d: span(a, a + d), st.integers(0, 90), st.integers(1, 10)), max_size=10
)


def test_overlap_is_intersection_over_union():
    assert iou(span(0, 10), span(5, 15)) == pytest.approx(1 / 3)
    assert iou(span(0, 1), span(1, 2)) == 0


def test_each_event_is_used_once_and_the_best_overlap_pairs_first():
    found, true = [span(0, 10), span(9, 20)], [span(8, 21)]
    assert match(found, true, Overlap(0.0)) == [(1, 0)]
    assert match(found, true, Overlap(0.9)) == []


def test_a_long_event_that_began_long_ago_is_found_by_a_short_one():
    assert match([span(50, 51)], [span(0, 90), span(1, 2), span(60, 61)], Overlap(0.0)) == [(0, 0)]


def test_numbers_of_a_small_case_are_those_counted_by_hand():
    true = [span(10, 20), span(30, 40), span(60, 70)]
    found = [span(11, 21, 0.9), span(38, 48, 0.6), span(80, 90, 0.3), span(15, 16, 0.2)]
    scores = score_events(found, true, WHOLE)
    any_, third = scores.rules["iou>0"], scores.rules["iou>0.3"]
    assert (any_.true, any_.found, any_.matched) == (3, 4, 2)
    assert (any_.precision, any_.recall) == (0.5, pytest.approx(2 / 3))
    assert (third.matched, third.start_error, third.start_bias) == (1, 3600.0, 3600.0)
    # The split event counts for both when many may match one.
    assert scores.lenient["precision"] == 0.75
    assert scores.false_alarms_per_day == pytest.approx(2 / (100 / 24))
    assert scores.curve[0] == (0.9, 1.0, pytest.approx(1 / 3))
    assert scores.average_precision == pytest.approx(1 / 3 + 1 / 3)


def test_what_was_not_observed_or_not_labelled_is_left_out():
    seen = [Interval(T0, T0 + 50 * HOUR)]
    scores = score_events([span(10, 20), span(60, 70)], [span(10, 20), span(80, 90)], seen)
    assert scores.rules["iou>0"].f1 == 1.0
    assert scores.left_out == {"found_unlabelled": 1, "true_unobserved": 1}


def test_an_event_found_just_beyond_the_edge_is_still_a_partner():
    moment = Mark(T0, T0)
    late = Mark(T0 + 5 * SECOND, T0 + 5 * SECOND)
    scores = score_events([late], [moment], [Interval(T0, T0 + 1)], rules=[Within(10 * SECOND)])
    assert scores.rules["within 10 s"].f1 == 1.0


def test_another_kind_or_sense_does_not_pair():
    assert match([Mark(0, 9, "a")], [Mark(0, 9, "b")], Overlap()) == []
    assert match([Mark(0, 9, "a", "in")], [Mark(0, 9, "a", "out")], Overlap()) == []
    assert match([Mark(0, 9, "a", "in")], [Mark(0, 9)], Overlap()) == [(0, 0)]


def test_intervals_draw_whole_groups():
    true = [span(x, x + 1) for x in range(0, 96, 2)]
    found = [m for m in true if m.start < T0 + 48 * HOUR]
    scores = score_events(found, true, WHOLE, group=lambda m: str((m.start - T0) // DAY))
    low, high = scores.rules["iou>0"].intervals["recall"] or (0, 0)
    assert low <= 0.25 and high >= 0.75  # two of four days have everything
    assert scores.by_group["0"]["f1"] == 1.0


def test_one_group_has_no_interval():
    assert bootstrap(np.ones((1, 2)), lambda total: float(total.sum())) is None


def test_nothing_found_is_a_score_not_an_error():
    scores = score_events([], [span(1, 2)], WHOLE)
    numbers = scores.as_numbers()
    assert numbers["rules"]["iou>0"]["precision"] is None
    assert numbers["rules"]["iou>0"]["f1"] == 0.0
    json.dumps(numbers, allow_nan=False)


@given(some, some)
def test_exchanging_found_and_true_exchanges_precision_and_recall(a: list[Mark], b: list[Mark]):
    one, other = (score_events(x, y, WHOLE).rules["iou>0"] for x, y in ((a, b), (b, a)))
    np.testing.assert_equal((one.precision, one.f1), (other.recall, other.f1))


@given(some)
def test_everything_is_found_by_itself(a: list[Mark]):
    assert len(match(a, a, Overlap(0.5))) == len(a)
