"""Time: half-open UTC intervals, and the granules they are cut into.

Times are integers, nanoseconds since 1970-01-01 UTC: exact, hashable, and light enough for plans
of millions of granules. `numpy.datetime64` appears at the borders only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from .errors import UsageError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 86_400 * SECOND

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|h|d|day|days)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration(text: str) -> int:
    """Return the nanoseconds of a duration such as "150ms", "2h" or "1d".

    Raises
    ------
    UsageError
        When the text is not a number followed by ns, us, ms, s, min, h or d.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(
            f"'{text}' is not a duration", todo="Write for example 150ms, 5min, 2h, 1d"
        )
    unit = {"day": "d", "days": "d"}.get(found[2], found[2])
    return round(float(found[1]) * _UNITS[unit])


def instant(when: str | int | datetime | np.datetime64 | Any) -> int:
    """Return a moment as integer nanoseconds since 1970 UTC.

    Parameters
    ----------
    when : str, int, datetime or datetime64
        ISO 8601 text (UTC unless it says otherwise), nanoseconds, or a time object.

    Raises
    ------
    UsageError
        When it cannot be read as a time, or lies outside of what nanoseconds can count (1678 to
        2262).
    """
    if isinstance(when, (int, np.integer)):
        return int(when)
    try:
        if isinstance(when, str):
            ns = _from_text(when.strip())
        elif hasattr(when, "to_datetime64"):  # pandas, whose nanoseconds a datetime loses
            ns = _from_datetime64(when.to_datetime64())
        elif isinstance(when, datetime):
            ns = _from_datetime(when)
        else:
            ns = _from_datetime64(np.datetime64(when))
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(
            f"'{when}' is not a time", todo="Write for example 2015-12-01 or 2015-12-01T09:30"
        ) from error
    if not -(2**63) < ns < 2**63:
        raise UsageError(f"'{when}' is outside of 1678 to 2262")
    return ns


def _from_text(text: str) -> int:
    # datetime reads every form of ISO 8601 but a month alone, and keeps microseconds only.
    fraction = re.search(r"(?<=\d)\.(\d{1,9})", text)
    whole = text.replace(fraction[0], "", 1) if fraction else text
    if re.fullmatch(r"\d{4}(-\d\d)?", whole):
        whole = f"{whole}-01-01"[:10]
    ns = int(fraction[1].ljust(9, "0")) if fraction else 0
    return _from_datetime(datetime.fromisoformat(whole)) + ns


def _from_datetime(when: datetime) -> int:
    delta = (when if when.tzinfo else when.replace(tzinfo=UTC)) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 1000


def _from_datetime64(when: np.datetime64) -> int:
    value = when.astype("datetime64[ns]")
    # A cast that overflows wraps around in silence (numpy before 2.5; newer ones raise).
    if np.isnat(value) or value.astype(when.dtype) != when:
        raise ValueError(f"{when} is not a time")
    return int(value.astype(np.int64))


def iso(ns: int) -> str:
    """Return the shortest exact ISO 8601 text of an instant, without zone (it is UTC)."""
    text = str(np.datetime64(int(ns), "ns"))
    text = re.sub(r"\.?0+$", "", text) if "." in text else text
    return text.removesuffix("T00:00:00") or text


def datetime64(ns: int) -> np.datetime64:
    """Return an instant as `datetime64[ns]`."""
    return np.datetime64(int(ns), "ns")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open stretch of time [start, stop), in nanoseconds since 1970 UTC."""

    start: int
    stop: int

    @classmethod
    def of(cls, start: Any, stop: Any) -> Interval:
        """Return the interval between two times; refuses an empty or reversed one."""
        a, b = instant(start), instant(stop)
        if b <= a:
            raise UsageError(
                f"the interval ends ({iso(b)}) at or before it starts ({iso(a)})",
                todo="Give a start before the stop",
            )
        return cls(a, b)

    def overlaps(self, other: Interval) -> bool:
        """Tell whether the two share an instant."""
        return self.start < other.stop and other.start < self.stop

    def contains(self, other: Interval) -> bool:
        """Tell whether the other lies wholly inside."""
        return self.start <= other.start and other.stop <= self.stop

    def intersect(self, other: Interval) -> Interval | None:
        """Return what the two share, or None."""
        a, b = max(self.start, other.start), min(self.stop, other.stop)
        return Interval(a, b) if a < b else None

    def padded(self, before: int, after: int | None = None) -> Interval:
        """Return the interval widened on both sides."""
        return Interval(self.start - before, self.stop + (before if after is None else after))

    @property
    def slice64(self) -> tuple[np.datetime64, np.datetime64]:
        """Return both ends as `datetime64[ns]`."""
        return datetime64(self.start), datetime64(self.stop)

    def __str__(self) -> str:
        return f"{iso(self.start)}/{iso(self.stop)}"


@dataclass(frozen=True, slots=True)
class GranuleLength:
    """How a dataset is cut in time: a divisor of the day, whole days, or months, all on UTC."""

    text: str

    def __post_init__(self) -> None:
        if self.text != "month":
            length = duration(self.text)
            if length < SECOND or (DAY % length and length % DAY):
                raise UsageError(
                    f"a granule of {self.text} does not tile the UTC day",
                    todo="Use a divisor of a day of at least 1s (10min, 2h), days (1d) or month",
                )

    def covering(self, interval: Interval) -> Iterator[Interval]:
        """Yield the granule intervals that overlap `interval`, in order."""
        if self.text == "month":
            yield from _months(interval)
            return
        step = duration(self.text)
        start = interval.start // step * step
        while start < interval.stop:
            yield Interval(start, start + step)
            start += step

    def holding(self, when: int) -> Interval:
        """Return the granule interval that an instant falls into."""
        return next(self.covering(Interval(when, when + 1)))

    def __str__(self) -> str:
        return self.text


def _months(interval: Interval) -> Iterator[Interval]:
    month = (_EPOCH + timedelta(microseconds=interval.start // 1000)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    start = instant(month)
    while start < interval.stop:
        month = (month + timedelta(days=32)).replace(day=1)
        following = instant(month)
        yield Interval(start, following)
        start = following


@dataclass(frozen=True, slots=True, order=True)
class Granule:
    """One piece of one dataset in time: the unit of work, storage, failure and restart."""

    dataset: str
    interval: Interval

    @property
    def stamp(self) -> str:
        """Return the start as used in file names and task keys, e.g. 20201119T2330."""
        text = re.sub(r"[-:]", "", str(datetime64(self.interval.start).astype("datetime64[s]")))
        return text.removesuffix("00") if text.endswith("00") else text

    def __str__(self) -> str:
        return f"{self.dataset}/{self.stamp}"
