"""Time: what can be read as an instant, and how intervals are cut into granules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Granule,
    GranuleLength,
    Interval,
    datetime64,
    duration,
    instant,
    iso,
)

INSTANTS = st.integers(instant("1690-01-01"), instant("2250-01-01"))
LENGTHS = st.sampled_from(["10min", "2h", "1d", "3d", "month"])


@pytest.mark.parametrize(
    ("text", "ns"),
    [("150ms", 150_000_000), ("2.5 s", 2_500_000_000), ("10min", 10 * MINUTE), ("2H", 2 * HOUR),
     ("1d", DAY), ("3 days", 3 * DAY), ("0s", 0), ("7ns", 7)],
)  # fmt: skip
def test_a_duration_is_a_number_and_a_unit(text: str, ns: int) -> None:
    assert duration(text) == ns


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 fortnights", "1h30min"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="not a duration"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2015-12-01", "2015-12-01"),
        ("2015-12", "2015-12-01"),
        ("2015", "2015-01-01"),
        ("20151201", "2015-12-01"),
        ("20151201T0930", "2015-12-01T09:30:00"),
        (" 2015-12-01 09:30 ", "2015-12-01T09:30:00"),
        ("2015-12-01T09:30:00Z", "2015-12-01T09:30:00"),
        ("2015-12-01T09:30+02:00", "2015-12-01T07:30:00"),
        ("2015-12-01 09:30:00+0200", "2015-12-01T07:30:00"),
        ("2015-12-01T09:30:00.123456789", "2015-12-01T09:30:00.123456789"),
        ("2015-12-01T09:30:00.123456789-01:00", "2015-12-01T10:30:00.123456789"),
    ],
)
def test_iso_8601_is_read_to_the_nanosecond(text: str, same: str) -> None:
    assert iso(instant(text)) == same


@pytest.mark.parametrize(
    "text", ["", "NaT", "now", "yesterday", "2015-13-01", "2015-02-30", "09:30"]
)
def test_text_that_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2015-12-01T09:30"):
        instant(text)


@pytest.mark.parametrize("when", ["1500-01-01", "2500-01-01", datetime(2400, 1, 1)])
def test_a_year_that_nanoseconds_cannot_count_is_refused(when: object) -> None:
    with pytest.raises(UsageError, match="1678 to 2262"):
        instant(when)


def test_a_numpy_time_that_would_wrap_around_is_refused() -> None:
    with pytest.raises(UsageError, match="not a time"):
        instant(np.datetime64("2500-01-01"))
    with pytest.raises(UsageError, match="not a time"):
        instant(np.datetime64("NaT", "ns"))


def test_every_kind_of_time_object_means_the_same() -> None:
    ns = instant("2015-12-01T09:30:00.000001")
    assert instant(ns) == ns
    assert instant(np.int64(ns)) == ns
    assert instant(np.datetime64(ns, "ns")) == ns
    assert instant(datetime(2015, 12, 1, 9, 30, 0, 1)) == ns
    assert instant(datetime(2015, 12, 1, 9, 30, 0, 1, tzinfo=UTC)) == ns
    assert instant(datetime(2015, 12, 1, 11, 30, 0, 1, timezone(timedelta(hours=2)))) == ns
    assert instant(pd.Timestamp(ns + 789)) == ns + 789
    assert instant(pd.Timestamp(ns + 789, tz="Europe/Paris")) == ns + 789


@given(INSTANTS)
def test_what_iso_writes_instant_reads(ns: int) -> None:
    assert instant(iso(ns)) == ns
    assert instant(datetime64(ns)) == ns


def test_an_interval_must_not_end_before_it_starts() -> None:
    for stop in ("2015-12-01", "2015-11-30"):
        with pytest.raises(UsageError, match="at or before it starts"):
            Interval.of("2015-12-01", stop)


def test_intervals_are_half_open() -> None:
    a, b = Interval(0, 10), Interval(10, 20)
    assert not a.overlaps(b)
    assert a.intersect(b) is None
    assert a.overlaps(Interval(9, 11))
    assert a.intersect(Interval(5, 30)) == Interval(5, 10)
    assert a.contains(Interval(0, 10))
    assert not a.contains(Interval(0, 11))
    assert a.padded(3) == Interval(-3, 13)
    assert a.padded(3, 0) == Interval(-3, 10)


@pytest.mark.parametrize("text", ["5h", "25h", "0s", "500ms", "7min"])
def test_a_granule_that_does_not_tile_the_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="does not tile the UTC day"):
        GranuleLength(text)


@given(LENGTHS, INSTANTS, st.integers(1, 40 * DAY))
def test_granules_cover_an_interval_without_holes_or_overlaps(
    text: str, start: int, length: int
) -> None:
    interval = Interval(start, start + length)
    cells = list(GranuleLength(text).covering(interval))
    assert cells[0].start <= start < cells[0].stop
    assert cells[-1].start < interval.stop <= cells[-1].stop
    assert [c.stop for c in cells[:-1]] == [c.start for c in cells[1:]]


@given(LENGTHS, INSTANTS)
def test_the_granule_of_an_instant_does_not_depend_on_who_asks(text: str, when: int) -> None:
    length = GranuleLength(text)
    cell = length.holding(when)
    assert cell.start <= when < cell.stop
    assert length.holding(cell.start) == cell
    assert length.holding(cell.stop - 1) == cell
    assert cell in list(length.covering(Interval(when - 3 * DAY, when + 3 * DAY)))


def test_days_and_months_begin_at_midnight_utc() -> None:
    noon = instant("2016-02-29T12:00")
    assert GranuleLength("1d").holding(noon) == Interval.of("2016-02-29", "2016-03-01")
    assert GranuleLength("month").holding(noon) == Interval.of("2016-02-01", "2016-03-01")
    december = Interval.of("2015-12-31T23:00", "2016-01-01T01:00")
    assert list(GranuleLength("month").covering(december)) == [
        Interval.of("2015-12-01", "2016-01-01"),
        Interval.of("2016-01-01", "2016-02-01"),
    ]


def test_a_granule_is_named_by_its_start() -> None:
    def name(start: str) -> str:
        return str(Granule("mms1.fgm.b", Interval(instant(start), instant(start) + SECOND)))

    assert name("2020-11-19T23:30") == "mms1.fgm.b/20201119T2330"
    assert name("2020-11-19") == "mms1.fgm.b/20201119T0000"
    assert name("2020-11-19T23:30:01") == "mms1.fgm.b/20201119T233001"
