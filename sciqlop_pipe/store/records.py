"""What travels between workers, the coordinator and the registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
    replaces: str | None = None
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

    @property
    def interval(self) -> Interval:
        """Return the stretch of time it covers."""
        return Interval(self.start, self.stop)

    @property
    def granule(self) -> Granule:
        """Return which granule this is."""
        return Granule(self.dataset, self.interval)


@dataclass(slots=True)
class Committed:
    """What became of a batch of records."""

    tx: int
    committed: list[Record] = field(default_factory=list)
    duplicates: list[Record] = field(default_factory=list)
    conflicts: list[Record] = field(default_factory=list)
