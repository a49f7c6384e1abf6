from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.detect.scoring import Point, points, score
from sciqlop_pipe.granule import SECOND
from sciqlop_pipe.store.records import Event

some = st.lists(
    st.builds(Point, st.integers(0, 600).map(lambda s: s * SECOND), st.sampled_from(["mp", "bs"])),
    max_size=12,
)


def at(*seconds: float, kind: str = "mp") -> list[Point]:
    return [Point(round(s * SECOND), kind) for s in seconds]


def test_each_moment_is_used_once_and_the_nearest_pairs_first():
    got = score(at(100, 130), at(128, 400))
    assert (got.true, got.found, got.matched) == (2, 2, 1)
    assert got.timing == pytest.approx(2.0)
    assert (got.precision, got.recall, got.f1) == (0.5, 0.5, 0.5)


def test_another_kind_or_sense_does_not_count():
    assert score(at(100), at(100, kind="bs")).matched == 0
    assert score([Point(0, "mp", "in")], [Point(0, "mp", "out")]).matched == 0


def test_the_tolerance_is_inclusive():
    assert score(at(0), at(60)).matched == 1
    assert score(at(0), at(60.001)).matched == 0


def test_nothing_found_and_nothing_true_are_not_numbers():
    empty = score([], [])
    assert np.isnan([empty.precision, empty.recall, empty.f1, empty.timing]).all()
    assert empty.as_numbers()["f1"] is None


@given(some, some)
def test_exchanging_found_and_true_exchanges_precision_and_recall(a: list[Point], b: list[Point]):
    one, other = score(a, b), score(b, a)
    assert one.matched == other.matched <= min(len(a), len(b))
    np.testing.assert_equal((one.precision, one.f1), (other.recall, other.f1))


@given(some)
def test_everything_is_found_by_itself(a: list[Point]):
    assert score(a, a).matched == len(a)


def test_the_moment_of_an_event_is_its_attribute_or_its_middle():
    with_time = Event("1", "mp", 0, 10, (("time", "1970-01-01T00:00:07"), ("sense", "in")))
    assert points([with_time, Event("2", "mp", 0, 10)]) == [
        Point(7 * SECOND, "mp", "in"), Point(5, "mp"),
    ]  # fmt: skip
