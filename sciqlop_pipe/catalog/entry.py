"""An event as a file or another program holds it, with what was said of it."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import PipeError, UsageError
from ..granule import instant
from ..store.records import Event

Attributes = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One statement on an event: a verdict, with other times where it was moved or missed."""

    verdict: str
    author: str = ""
    comment: str = ""
    at: int = 0
    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a file: `where` says which row; `said` what the file says that people said.

    `verdict` and `comment` are what stands in the fields that people fill in.
    """

    id: str
    kind: str
    start: int
    stop: int
    attributes: Attributes = ()
    said: tuple[Said, ...] = ()
    verdict: str = ""
    author: str = ""
    comment: str = ""
    where: str = ""

    @property
    def event(self) -> Event:
        """Return the event alone."""
        return Event(self.id, self.kind, self.start, self.stop, self.attributes)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: its events, and those that make no sense with the reason."""

    entries: tuple[Entry, ...]
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def event_id(dataset: str, kind: str, start: int, stop: int, model: str = "") -> str:
    """Return the id of an event: a digest in the shape of a version-4 UUID, which TSCat accepts."""
    text = json.dumps([dataset, kind, start, stop, model]).encode()
    return str(uuid.UUID(bytes=hashlib.blake2b(text, digest_size=16).digest(), version=4))


def times(start: Any, stop: Any) -> tuple[int, int]:
    """Return both ends of an event [ns].

    Raises
    ------
    UsageError
        When one is no time, or the end comes before the start.
    """
    a, b = instant(start), instant(stop)
    if b < a:
        raise UsageError(f"it ends ({stop}) before it starts ({start})")
    return a, b


def reading(found: Sequence[Entry | str]) -> Reading:
    """Return entries and refusals (words) as a reading, ids that occur twice sorted out.

    Rows that are equal are one; of rows that share an id and differ none is taken.
    """
    refused = [f for f in found if isinstance(f, str)]
    entries = [f for f in found if isinstance(f, Entry)]
    by_id: dict[str, list[Entry]] = {}
    for e in entries:
        by_id.setdefault(e.id, []).append(e)
    notes, kept = [], []
    seen: Counter[str] = Counter()
    for e in entries:
        same = by_id[e.id] if e.id else [e]
        if any(_bare(s) != _bare(same[0]) for s in same):
            refused.append(f"{e.where}: the id {e.id} occurs {len(same)} times with other contents")
            continue
        seen[e.id] += 1
        if e.id and seen[e.id] > 1:
            notes.append(f"{e.where}: the same event again (id {e.id}), taken once")
            continue
        kept.append(e)
    return Reading(tuple(kept), tuple(refused), tuple(notes))


def _bare(entry: Entry) -> Entry:
    return replace(entry, where="")


def attempt(where: str, make: Callable[[], Entry]) -> Entry | str:
    """Return the entry that a row makes, or in words why it makes none."""
    try:
        return make()
    except (PipeError, KeyError, ValueError, TypeError) as error:
        said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        return f"{where}: {said}"


def same_value(a: Any, b: Any) -> bool:
    """Tell whether two attributes are equal; NaN equals NaN, 1 equals 1.0."""
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    return bool(a == b)
