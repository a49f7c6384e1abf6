"""Pairs of things in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.granule import Interval
from sciqlop_pipe.pairing import iou, one_to_one


def test_overlap_is_shared_time_over_all_time() -> None:
    assert iou(Interval(0, 10), Interval(5, 15)) == 5 / 15
    assert iou(Interval(0, 10), Interval(10, 20)) == 0
    assert iou(Interval(0, 10), Interval(0, 10)) == 1


def test_the_closest_pair_comes_first_and_nothing_stands_twice() -> None:
    pairs = [(0.5, "a", "x"), (0.9, "b", "x"), (0.4, "a", "y"), (0.3, "b", "y")]
    assert one_to_one(pairs) == [("b", "x"), ("a", "y")]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), st.integers(0, 5))))
def test_the_order_of_pairs_does_not_matter(pairs: list[tuple[float, int, int]]) -> None:
    matched = one_to_one(pairs)
    assert matched == one_to_one(pairs[::-1])
    assert len({a for a, _ in matched}) == len({b for _, b in matched}) == len(matched)
