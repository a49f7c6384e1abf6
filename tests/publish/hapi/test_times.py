"""HAPI times: every form that the specification allows, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.granule import instant
from sciqlop_pipe.publish.hapi.times import LENGTH, duration_of, parse, text_of, texts_of


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2020Z", "2020-01-01"),
        ("2020", "2020-01-01"),
        ("2020-11Z", "2020-11-01"),
        ("2020-11-19", "2020-11-19"),
        ("2020-324Z", "2020-11-19"),
        ("2020-324T23", "2020-11-19T23:00"),
        ("2020-11-19T23Z", "2020-11-19T23:00"),
        ("2020-11-19T23:34Z", "2020-11-19T23:34"),
        ("2020-324T23:34:05Z", "2020-11-19T23:34:05"),
        ("2020-11-19T23:34:05.Z", "2020-11-19T23:34:05"),
        ("2020-11-19T23:34:05.1234567891", "2020-11-19T23:34:05.123456789"),
        ("2020-11-19T24:00:00.000Z", "2020-11-20"),
        ("2016-12-31T23:59:60Z", "2017-01-01"),
        ("2016-366T24Z", "2017-01-01"),
    ],
)
def test_every_form_of_the_specification_is_read(text: str, same: str) -> None:
    assert parse(text) == instant(same)


@pytest.mark.parametrize(
    "text",
    [
        "", "Z", "20201119", "2020-13", "2020-02-30", "2019-366", "2020-000", "2020-11T05",
        "2020-11-19 23:34", "2020-11-19T25", "2020-11-19T24:01", "2020-11-19T23:60",
        "2020-11-19T12:00:60", "2020-11-19T23:34:05+01:00", "0000-01-01", "-2020-01-01", "now",
        "2020-11-19T23:34:05Z2020", "٢٠٢٠-11-19", "2" * 100, "2020-11-19T23:34:05." + "0" * 60,
    ],
)  # fmt: skip
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_years_that_nanoseconds_cannot_count_are_times_too() -> None:
    assert parse("0001-01-01") < parse("1678") < parse("9999-12-31T23:59:59.999999999Z")


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=50))
def test_texts_are_those_of_numpy_and_read_back(ns: list[int]) -> None:
    found = texts_of(np.array(ns, np.int64))
    expected = [f"{t}Z" for t in np.datetime_as_string(np.array(ns, "M8[ns]"))]
    assert [t.decode() for t in found] == expected == [text_of(n) for n in ns]
    assert {len(t) for t in found} == {LENGTH}
    assert [parse(t) for t in expected] == ns


def test_durations_are_iso() -> None:
    assert [duration_of(s) for s in (4.5, 60, 86400, 0.15)] == ["PT4.5S", "PT60S", "P1D", "PT0.15S"]
