"""HAPI times: the ISO 8601 subset of requests to nanoseconds, and nanoseconds to text."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

from ...granule import DAY, HOUR, MINUTE, SECOND

LENGTH = 30
"""Characters of a time in an answer: 2020-11-19T23:34:00.123456789Z."""

_EPOCH = date(1970, 1, 1).toordinal()
_FORM = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-(\d{3}))?"
    r"(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d*))?)?)?)?Z?",
    re.ASCII,
)
_LONGEST = 64


def parse(text: str) -> int:
    """Return a HAPI time as integer nanoseconds since 1970 UTC, of any year from 0001 to 9999.

    Year and month and day, or year and day of year, each form cut anywhere; a missing Z means UTC
    too. Hour 24 is midnight; a leap second is the first instant after it, as Unix time has it.

    Raises
    ------
    ValueError
        When it is none of these.
    """
    found = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError("not a HAPI time")
    year, month, dom, doy, hour, minute, second, fraction = found.groups()
    if hour is not None and dom is None and doy is None:
        raise ValueError("an hour without a day")
    if doy is not None:
        first = date(int(year), 1, 1)
        if not 1 <= int(doy) <= (366 if _leap(first.year) else 365):
            raise ValueError("no such day of the year")
        days = first.toordinal() + int(doy) - 1
    else:
        days = date(int(year), int(month or 1), int(dom or 1)).toordinal()
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    ns = int((fraction or "0")[:9].ljust(9, "0"))
    if h == 24 and (m or s or ns):
        raise ValueError("after midnight")
    leap = (h, m, s) == (23, 59, 60) and _may_leap(date.fromordinal(days))
    if h > 24 or m > 59 or (s > 59 and not leap):
        raise ValueError("no such time of day")
    return (days - _EPOCH) * DAY + h * HOUR + m * MINUTE + s * SECOND + ns


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _may_leap(day: date) -> bool:
    return (day.month, day.day) in ((6, 30), (12, 31))


def text_of(ns: int) -> str:
    """Return an instant as a HAPI time with nanoseconds, `LENGTH` characters."""
    return f"{np.datetime_as_string(np.datetime64(int(ns), 'ns'))}Z"


def texts_of(ns: np.ndarray) -> np.ndarray:
    """Return instants (n,) int64 as HAPI times (n,) of dtype S30.

    Digits are written by arithmetic on whole arrays: four times as fast as numpy's own text.
    """
    out = np.empty((ns.size, LENGTH), np.uint8)
    days, rest = np.divmod(ns, DAY)
    known, which = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(known.astype("M8[D]")).astype("S10")
    out[:, :10] = dates.view(np.uint8).reshape(-1, 10)[which]
    out[:, 10::3][:, :3] = np.frombuffer(b"T::", np.uint8)
    out[:, 19], out[:, 29] = ord("."), ord("Z")
    seconds, fraction = np.divmod(rest, SECOND)
    for at, value in ((11, seconds // 3600), (14, seconds // 60 % 60), (17, seconds % 60)):
        out[:, at], out[:, at + 1] = value // 10 + 48, value % 10 + 48
    fraction = fraction.astype(np.int32)
    for at in range(28, 19, -1):
        fraction, digit = np.divmod(fraction, 10)
        out[:, at] = digit + 48
    return out.view(f"S{LENGTH}").reshape(-1)


def duration_of(seconds: float) -> str:
    """Return a length of time as an ISO 8601 duration such as PT4.5S or P1D."""
    if seconds >= 86400 and seconds % 86400 == 0:
        return f"P{int(seconds // 86400)}D"
    return f"PT{seconds:.9f}".rstrip("0").rstrip(".") + "S"
