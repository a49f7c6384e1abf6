"""What travels between workers, the coordinator and the registry."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..granule import Granule, Interval
from .layout import Layout


@dataclass(frozen=True, slots=True)
class InputUsed:
    """One thing a granule was made from: a granule, a raw file or a model.

    `ref` names it (uid, source token, model name), `content` is the digest of what was read of it.
    """

    argument: str
    kind: str
    name: str
    start: int
    ref: str
    content: str


@dataclass(frozen=True, slots=True)
class Event:
    """An interval with attributes, found by a detector."""

    id: str
    kind: str
    start: int
    stop: int
    attributes: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A granule that a worker made and wrote; nothing is true until it is committed."""

    granule: Granule
    uid: str
    fingerprint: str
    content: str
    n: int
    first: int | None
    last: int | None
    path: str | None
    nbytes: int
    layout: Layout | None
    code: str
    version: int
    params: str
    inputs_key: str
    inputs: tuple[InputUsed, ...] = ()
    quality: str = "{}"
    completeness: float = 1.0
    waits_for: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    seconds: float = 0.0
    host: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A granule whose inputs proved to hold the same content as before: nothing was written."""

    granule: Granule
    uid: str
    inputs_key: str
    inputs: tuple[InputUsed, ...] = ()
    seconds: float = 0.0
    host: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A granule that could not be made, and why."""

    granule: Granule
    state: str
    error: str
    detail: str = ""
    seconds: float = 0.0
    host: str = ""


Outcome = Record | Unchanged | Failure


@dataclass(frozen=True, slots=True)
class Current:
    """A granule that is the truth now (or was, at the time asked for)."""

    uid: str
    dataset: str
    start: int
    stop: int
    n: int
    first: int | None
    last: int | None
    fingerprint: str
    content: str
    path: str | None
    code: str
    version: int
    params: str
    inputs_key: str
    completeness: float
    layout: str | None = None

    @classmethod
    def of(cls, r: Record) -> Current:
        """Return what a record that was committed is from now on."""
        return cls(
            r.uid,
            r.granule.dataset,
            r.granule.interval.start,
            r.granule.interval.stop,
            r.n,
            r.first,
            r.last,
            r.fingerprint,
            r.content,
            r.path,
            r.code,
            r.version,
            r.params,
            r.inputs_key,
            r.completeness,
        )

    @property
    def interval(self) -> Interval:
        """Return the stretch of time it covers."""
        return Interval(self.start, self.stop)

    @property
    def granule(self) -> Granule:
        """Return which granule this is."""
        return Granule(self.dataset, self.interval)


@dataclass(frozen=True, slots=True)
class Rows:
    """Granules of one dataset, of which none overlap, found by time."""

    by_start: dict[int, Current]
    starts: list[int]

    @classmethod
    def of(cls, rows: Iterable[Current]) -> Rows:
        """Return granules to be looked up."""
        by_start = {row.start: row for row in rows}
        return cls(by_start, sorted(by_start))

    def over(self, interval: Interval) -> list[Current]:
        """Return the granules that overlap an interval, by start."""
        first = max(bisect_right(self.starts, interval.start) - 1, 0)
        found = (
            self.by_start[s] for s in self.starts[first : bisect_left(self.starts, interval.stop)]
        )
        return [row for row in found if row.stop > interval.start]


class Extent(NamedTuple):
    """What there is of one dataset: from its first granule to its last, and how many records."""

    dataset: str
    interval: Interval
    records: int
    events: bool


class Stored(NamedTuple):
    """What reading needs of a current granule; a tuple, since there are ten thousands of them."""

    start: int
    stop: int
    n: int
    first: int | None
    last: int | None
    path: str | None
    layout: str | None


class MadeOf(NamedTuple):
    """With which code, and of which files (names), granules of one dataset were made."""

    codes: set[str]
    files: set[str]


class Columns(NamedTuple):
    """Granules in order of time, a tuple per column: there may be a hundred thousand of them.

    `granules` counts those without a record too, `layouts` are theirs where no other is there; the
    other columns have one entry per granule that has records, and so has a path that was kept.
    """

    granules: int
    n: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    paths: tuple[str | None, ...]
    layouts: tuple[str | None, ...]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> Columns:
        """Return the columns of rows of n, first, last, path, layout and maybe more."""
        full = [row for row in rows if row[0]]
        n, first, last, paths, layouts = list(zip(*full, strict=True))[:5] or ((),) * 5
        return cls(len(rows), n, first, last, paths, layouts or tuple(row[4] for row in rows))


class Shelf(NamedTuple):
    """What describes one dataset: its layouts, the newest last, and its last granule."""

    layouts: tuple[str, ...]
    last: Stored


@dataclass(slots=True)
class Committed:
    """What became of a batch of records; one that was reported before is `repeated`."""

    tx: int
    committed: list[Record] = field(default_factory=list)
    duplicates: list[Record] = field(default_factory=list)
    conflicts: list[Record] = field(default_factory=list)
    repeated: list[Record] = field(default_factory=list)

    def of(self, verdict: str) -> list[Record]:
        """Return the list for a verdict: done, duplicate, conflict or repeated."""
        return {
            "done": self.committed,
            "duplicate": self.duplicates,
            "conflict": self.conflicts,
            "repeated": self.repeated,
        }[verdict]
