"""File-name patterns: which files belong to a dataset, and which times they claim."""

from __future__ import annotations

import calendar
import functools
import re
import string
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ..errors import UsageError, near

_DIGITS = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "j": r"\d{3}",
    "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,9}",
}  # fmt: skip
_FIELDS = ("start", "stop", "version", "any")
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_FIRST_YEAR, _LAST_YEAR = 1678, 2261  # those that nanoseconds in 64 bits hold whole
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class FileMatch:
    """What a file name says: times [ns since 1970 UTC], version, and the name without version."""

    start: int
    stop: int | None
    version: tuple[int, ...]
    stem: str


@dataclass(frozen=True, slots=True)
class FilePattern:
    """A pattern such as "mms1_fgm_srvy_l2_{start:%Y%m%d}_v{version}.cdf".

    Fields: ``{start:...}`` and ``{stop:...}`` with the codes %Y %y %m %d %j %H %M %S %f (a stop
    without a year takes the date of the start, or the next day), ``{version}`` (numbers with dots)
    and ``{any}`` (as few characters as possible). The rest is literal, its case too.

    Raises
    ------
    UsageError
        Unknown or repeated field, unknown time code, no start.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse a wrong pattern where it is declared."""
        _compile(self.text)

    @property
    def prefix(self) -> str:
        """The literal text that every matching name begins with."""
        return _compile(self.text).prefix

    def match(self, filename: str) -> FileMatch | None:
        """Return what a file name says, None if the pattern does not fit all of it."""
        compiled = _compile(self.text)
        found = compiled.expression.fullmatch(filename)
        if found is None:
            return None
        start = _instant(found, compiled.start, None)
        if start is None:
            return None
        stop = None
        if compiled.stop:
            stop = _instant(found, compiled.stop, start)
            if stop is None or stop < start:
                return None
        if not compiled.versioned:
            return FileMatch(start, stop, (), filename)
        a, b = found.span("version")
        version = tuple(map(int, filename[a:b].split(".")))
        return FileMatch(start, stop, version, filename[:a] + filename[b:])


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A pattern as a regular expression; `start` and `stop` give time code -> group number."""

    expression: re.Pattern[str]
    prefix: str
    start: dict[str, int]
    stop: dict[str, int]
    versioned: bool


@functools.lru_cache(maxsize=4096)
def _compile(text: str) -> _Compiled:
    expression, prefix = "", ""
    seen: set[str] = set()
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UsageError(f"file pattern '{text}': {error}", todo="Check its braces") from error
    for literal, name, code, _ in pieces:
        expression += re.escape(literal)
        if not seen:
            prefix += literal
        if name is None:
            continue
        if name not in _FIELDS:
            raise UsageError(
                f"file pattern '{text}' has no field '{name}'", todo=near(name, _FIELDS)
            )
        if name in seen and name != "any":
            raise UsageError(f"file pattern '{text}' has two fields '{name}'")
        seen.add(name)
        expression += _field(text, name, code or "")
    if "start" not in seen:
        raise UsageError(f"file pattern '{text}' has no start", todo="Add {start:%Y%m%d}")
    try:
        ready = re.compile(expression)
    except re.error as error:
        raise UsageError(f"file pattern '{text}': {error}", todo="Give each code once") from error
    groups = {
        which: {n[-1]: i for n, i in ready.groupindex.items() if n.startswith(which + "_")}
        for which in ("start", "stop")
    }
    return _Compiled(ready, prefix, groups["start"], groups["stop"], "version" in seen)


def _field(text: str, name: str, code: str) -> str:
    if name == "any":
        return ".*?"
    if name == "version":
        return r"(?P<version>\d{1,18}(?:\.\d{1,18})*)"
    expression = ""
    for literal, letter in re.findall(r"([^%]+)|%(.)", code):
        if literal or letter == "%":
            expression += re.escape(literal or "%")
        elif letter in _DIGITS:
            expression += f"(?P<{name}_{letter}>{_DIGITS[letter]})"
        else:
            raise UsageError(
                f"file pattern '{text}': time code %{letter} is not known",
                todo="Use " + " ".join(f"%{known}" for known in _DIGITS),
            )
    if name == "start" and not re.search("%[Yy]", code):
        raise UsageError(f"file pattern '{text}': the start has no year", todo="Add %Y")
    return expression


def _instant(found: re.Match[str], groups: dict[str, int], start: int | None) -> int | None:
    """Return the nanoseconds of the time codes of a match, None for a date that does not exist.

    Without a year it is the first such time of day at or after `start`.
    """
    value = {code: int(found[group]) for code, group in groups.items() if code != "f"}
    hour, minute, second = value.get("H", 0), value.get("M", 0), value.get("S", 0)
    if hour > 24 or minute > 59 or second > 60:
        return None
    year = value.get("Y")
    if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    if year is None and "y" in value:
        year = value["y"] + (1900 if value["y"] >= 57 else 2000)
    if year is not None:
        day = _day(year, value)
    else:
        day = None if start is None else start // _DAY
    if day is None:
        return None
    when = day * _DAY + ((hour * 60 + minute) * 60 + second) * _SECOND
    if "f" in groups:
        when += int(found[groups["f"]].ljust(9, "0"))
    if year is None and start is not None and when < start:
        when += _DAY
    return when


def _day(year: int, value: dict[str, int]) -> int | None:
    """Return the days since 1970-01-01 of a date, None if there is no such day."""
    try:
        if "j" not in value:
            return date(year, value.get("m", 1), value.get("d", 1)).toordinal() - _EPOCH_DAY
        first = date(year, 1, 1).toordinal()
    except ValueError:
        return None
    day_of_year = value["j"]
    last = 366 if calendar.isleap(year) else 365
    return first + day_of_year - 1 - _EPOCH_DAY if 1 <= day_of_year <= last else None


def sample_names(pattern: FilePattern) -> list[tuple[datetime, str]]:
    """Return names that a pattern matches, each with the start that is in it.

    Versions are tried in the styles that archives use.
    """
    when = datetime(2015, 10, 16, 13, 6, 4, tzinfo=UTC)
    pieces = list(string.Formatter().parse(pattern.text))
    found = []
    for version in ("1", "01", "1.0", "1.0.0"):
        name = ""
        for literal, field, code, _ in pieces:
            name += literal
            if field in ("start", "stop"):
                name += when.strftime(code or "")
            elif field is not None:
                name += version if field == "version" else "x"
        found.append((when, name))
    return found
