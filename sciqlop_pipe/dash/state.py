"""What a page shows, as the query of its address: shared by copying it, refused when hostile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from urllib.parse import urlencode

from ..errors import UsageError
from ..granule import Interval, instant, iso

MOST = 12
"""Panels that one page shows."""
_NAME = re.compile(r"[a-z0-9_]{1,60}(\.[a-z0-9_]{1,60}){0,9}")
_ID = re.compile(r"[0-9a-fA-F-]{0,40}")
_LONGEST = 400

Query = Mapping[str, Sequence[bytes | str]]


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: datasets, an interval, catalogs drawn over them, an event, a time."""

    show: tuple[str, ...] = ()
    interval: Interval | None = None
    events: tuple[str, ...] = ()
    event: str = ""
    at: int | None = None

    @property
    def query(self) -> str:
        """Return the query of the address that opens this view."""
        found: dict[str, str] = {}
        if self.show:
            found["show"] = ",".join(self.show)
        if self.interval is not None:
            found["from"], found["to"] = iso(self.interval.start), iso(self.interval.stop)
        if self.events:
            found["events"] = ",".join(self.events)
        if self.event:
            found["event"] = self.event
        if self.at is not None:
            found["at"] = iso(self.at)
        return f"?{urlencode(found, safe=',:')}" if found else ""


def parsed(query: Query) -> View:
    """Return the view of a query.

    Parameters
    ----------
    query : mapping
        Values by name, as a server gives them.

    Raises
    ------
    UsageError
        For anything that is not a name, a time or an id; the sentence never repeats markup.
    """
    words = {key: _one(key, query[key]) for key in (*_KNOWN, "from", "to") if query.get(key)}
    interval = None
    if words.get("from") or words.get("to"):
        if not (words.get("from") and words.get("to")):
            raise UsageError("the address has half of an interval", todo="Give both from and to")
        start, stop = _time("from", words["from"]), _time("to", words["to"])
        if stop <= start:
            raise UsageError("the interval of the address ends before it starts")
        interval = Interval(start, stop)
    event = words.get("event", "")
    if not _ID.fullmatch(event):
        raise UsageError("the address names something that is not the id of an event")
    at = _time("at", words["at"]) if words.get("at") else None
    return View(_names("show", words), interval, _names("events", words), event, at)


_KNOWN = tuple(f.name for f in fields(View) if f.name != "interval")


def _one(key: str, values: Sequence[bytes | str]) -> str:
    value = values[-1] if not isinstance(values, (bytes, str)) else values
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if len(value) > _LONGEST * (MOST if key in ("show", "events") else 1):
        raise UsageError(f"the part '{key}' of the address is too long to be meant")
    return value.strip()


def _names(key: str, words: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(n.strip() for n in words.get(key, "").split(",") if n.strip()))
    if not all(_NAME.fullmatch(n) for n in names):
        raise UsageError(
            f"the part '{key}' of the address holds something that is not the name of a dataset",
            todo="Names are lower-case words joined by dots",
        )
    if len(names) > MOST:
        raise UsageError(f"the address asks for {len(names)} panels; a page shows up to {MOST}")
    return names


def _time(key: str, text: str) -> int:
    try:
        return instant(text)
    except UsageError:
        raise UsageError(
            f"the part '{key}' of the address is not a time",
            todo="Write for example 2015-12-01T09:30",
        ) from None
