"""A plan frozen to a file: what is stale and why, and what it is expected to cost."""

from __future__ import annotations

import hashlib
import json
import os
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..granule import Interval, instant, iso
from ..plan import Plan, merged
from ..settings import fill, read_settings
from ..sources.access import size_of
from ..store.bucket import ObjectPath, Place
from .spec import Spec

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """The granules of one dataset that are stale for one reason.

    `spans` are disjoint stretches of whole granules. `seconds` and `nbytes` are expected from past
    attempts, None where there were none.
    """

    dataset: str
    reason: str
    granules: int
    spans: tuple[Interval, ...]
    seconds: float | None
    nbytes: float | None
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a campaign will do, decided once: later runs keep to it whatever changes meanwhile."""

    spec: Spec
    folder: str
    made: str
    intervals: tuple[Interval, ...]
    parts: tuple[Part, ...]
    current: int
    withdrawn: tuple[str, ...] = ()

    @property
    def granules(self) -> int:
        """Return how many granules are to be made."""
        return sum(p.granules for p in self.parts)

    @property
    def files(self) -> int:
        """Return how many files (inodes) that will be; a granule is one file up to 64 MB."""
        return sum(p.granules for p in self.parts if p.kept)

    @property
    def nbytes(self) -> float:
        """Return the bytes expected, of what past attempts tell."""
        return sum(p.nbytes or 0.0 for p in self.parts if p.kept)

    @property
    def seconds(self) -> float:
        """Return the seconds of one worker expected, of what past attempts tell."""
        return sum(p.seconds or 0.0 for p in self.parts)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the datasets whose cost nobody knows yet."""
        return tuple(dict.fromkeys(p.dataset for p in self.parts if p.seconds is None))

    @property
    def digest(self) -> str:
        """Return a hash of what is to be done."""
        facts = [
            self.spec.as_table(),
            _texts(self.intervals),
            [(p.dataset, p.reason, _texts(p.spans)) for p in self.parts],
        ]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def allows(self) -> Mapping[str, Spans]:
        """Return per dataset where granules may be made."""
        found: dict[str, list[Interval]] = {}
        for part in self.parts:
            found.setdefault(part.dataset, []).extend(part.spans)
        return {name: Spans.of(spans) for name, spans in found.items()}

    def to_json(self) -> str:
        """Return it as text that people and `from_table` can read."""
        parts = [asdict(p) | {"spans": _texts(p.spans)} for p in self.parts]
        table = {
            "format": FORMAT, "digest": self.digest, "made": self.made, "folder": self.folder,
            "campaign": self.spec.as_table(), "intervals": _texts(self.intervals), "parts": parts,
            "current": self.current, "withdrawn": list(self.withdrawn),
        }  # fmt: skip
        return json.dumps(table, indent=1)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str) -> Frozen:
        """Return what `to_json` wrote.

        Raises
        ------
        UsageError
            When it is something else, or was changed by hand.
        """
        try:
            if table["format"] != FORMAT:
                raise UsageError(f"its format is {table['format']}, expected {FORMAT}", where)
            parts = tuple(Part(**(p | {"spans": _intervals(p["spans"])})) for p in table["parts"])
            spec = fill(Spec, table["campaign"], where)
            made = cls(
                spec, table["folder"], table["made"], _intervals(table["intervals"]), parts,
                table["current"], tuple(table["withdrawn"]),
            )  # fmt: skip
            digest = table["digest"]
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"this is not a frozen plan ({error!r})", where) from error
        if made.digest != digest:
            raise UsageError(
                "the frozen plan was changed by hand", where, "Change the campaign and plan again"
            )
        return made


def _texts(intervals: Iterable[Interval]) -> list[list[str]]:
    return [[iso(i.start), iso(i.stop)] for i in intervals]


def _intervals(texts: Iterable[Sequence[str]]) -> tuple[Interval, ...]:
    return tuple(Interval(instant(a), instant(b)) for a, b in texts)


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint stretches of time, to ask whether they hold another one."""

    starts: list[int]
    stops: list[int]

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> Spans:
        """Return the union of intervals."""
        spans = list(merged(intervals))
        return cls([s.start for s in spans], [s.stop for s in spans])

    def hold(self, interval: Interval) -> bool:
        """Tell whether an interval lies in one of them."""
        at = bisect_right(self.starts, interval.start) - 1
        return at >= 0 and interval.stop <= self.stops[at]


def freeze(
    plan: Plan,
    spec: Spec,
    folder: Path,
    costs: Mapping[str, tuple[float, float]],
    kept: Iterable[str] = (),
) -> Frozen:
    """Return a plan as it is frozen, with what it is expected to cost.

    Parameters
    ----------
    plan : Plan
        What is stale now.
    spec : Spec
        What was asked for.
    folder : Path
        Where names of files in `spec` start.
    costs : mapping
        Per dataset, seconds and bytes of a granule.
    kept : iterable of str
        Transient datasets that are kept this time.
    """
    return Frozen(
        spec,
        str(folder),
        iso(time.time_ns() // 10**9 * 10**9),
        plan.intervals,
        tuple(_parts(plan, costs, set(kept))),
        sum(row.get("current", 0) for row in plan.counts().values()),
        tuple(map(str, plan.withdrawn)),
    )


def _parts(plan: Plan, costs: Mapping[str, tuple[float, float]], kept: set[str]) -> Iterator[Part]:
    for name, timeline in plan.timelines.items():
        reasons: dict[str, list[Interval]] = {}
        for entry in timeline.entries:
            if entry.stale:
                reasons.setdefault(entry.reason, []).append(entry.interval)
        dataset = plan.graph[name]
        stored = not dataset.gives.in_sql and (not dataset.transient or name in kept)
        cost = costs.get(name)
        for reason, intervals in reasons.items():
            count = len(intervals)
            seconds, nbytes = (None, None) if cost is None else (c * count for c in cost)
            yield Part(name, reason, count, tuple(merged(intervals)), seconds, nbytes, stored)


def read_frozen(path: Path) -> Frozen:
    """Return the frozen plan of a file.

    Raises
    ------
    UsageError
        When it is something else, or was changed by hand.
    """
    try:
        table = json.loads(path.read_text())
    except ValueError as error:
        raise UsageError(f"it does not parse ({error})", str(path)) from error
    except OSError:
        table = read_settings(path)  # says what is wrong with the file
    if not isinstance(table, dict):
        raise UsageError("this is not a frozen plan", str(path))
    return Frozen.from_table(table, str(path))


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes and inodes where a store is; None where nobody can tell."""

    nbytes: int | None
    inodes: int | None


def room_of(folder: Place) -> Room:
    """Return what is free on the file system of a folder; nobody knows of a bucket."""
    if isinstance(folder, ObjectPath):
        return Room(None, None)
    try:
        found = os.statvfs(folder)
    except (OSError, ValueError):
        return Room(None, None)
    # Some file systems make inodes as they need them, and report none.
    return Room(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def refuse_too_much(frozen: Frozen, room: Room) -> None:
    """Refuse a plan that goes beyond its limits or what is free.

    Raises
    ------
    UsageError
        With what it would need, and what there is.
    """
    limits, where = frozen.spec.limits, f"campaign {frozen.spec.name}"
    if limits.granules and frozen.granules > limits.granules:
        raise UsageError(
            f"the plan has {frozen.granules:,} granules, limits.granules is {limits.granules:,}",
            where, "Raise the limit, or take fewer targets or less time",
        )  # fmt: skip
    if limits.bytes and frozen.nbytes > size_of(limits.bytes):
        raise UsageError(
            f"the plan is expected to write {frozen.nbytes / 1e9:,.1f} GB, limits.bytes is "
            f"{limits.bytes}", where, "Raise the limit, or name what is transient",
        )  # fmt: skip
    spare = size_of(limits.free or "0")
    if room.nbytes is not None and frozen.nbytes + spare > room.nbytes:
        raise UsageError(
            f"the plan is expected to write {frozen.nbytes / 1e9:,.2f} GB and to leave "
            f"{limits.free or '0'} free, but only {room.nbytes / 1e9:,.2f} GB are free", where,
            "Free space ('sciqlop-pipe store gc'), name what is transient, or lower limits.free",
        )  # fmt: skip
    if room.inodes is not None and frozen.files > room.inodes:
        raise UsageError(
            f"the plan makes {frozen.files:,} files, but only {room.inodes:,} inodes are free",
            where, "Use a file system with more, or longer granules",
        )  # fmt: skip
