"""Catalogs: events as tables, in and out of the store."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError
from .granule import Granule, Interval, instant, iso
from .store import Store
from .store import events as registered
from .store.events import Verdict
from .store.records import Event, Record

FORMAT = 1
_FIXED = ("id", "dataset", "kind", "start", "stop", "verdict")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The events of one dataset with what people said of them."""

    dataset: str
    events: tuple[Event, ...]
    verdicts: Mapping[str, Sequence[Verdict]]
    unmatched: tuple[Verdict, ...] = ()


def load_catalog(
    store: Store, dataset: str, interval: Interval | None = None, *, as_of: Any = None
) -> Catalog:
    """Return the current events of a dataset with their verdicts."""
    db = store.registry.db
    found = registered.current_events(db, dataset, interval, store.when(as_of))
    said, lost = registered.verdicts(db, dataset)
    return Catalog(dataset, tuple(found), said, tuple(lost))


def find_event(store: Store, id: str) -> tuple[str, Event]:
    """Return the dataset and the event with an id, or with the unique start of one."""
    return registered.find_event(store.registry.db, id)


def event_id(dataset: str, kind: str, start: int, stop: int, model: str = "") -> str:
    """Return the id of an event: a digest in the shape of a version-4 UUID, which TSCat accepts."""
    text = json.dumps([dataset, kind, start, stop, model]).encode()
    return str(uuid.UUID(bytes=hashlib.blake2b(text, digest_size=16).digest(), version=4))


def rows(catalog: Catalog) -> list[dict[str, Any]]:
    """Return one flat row per event; an attribute that is a list becomes one column per item."""
    table = []
    for event in catalog.events:
        said = catalog.verdicts.get(event.id, ())
        row: dict[str, Any] = {
            "id": event.id,
            "dataset": catalog.dataset,
            "kind": event.kind,
            "start": iso(event.start),
            "stop": iso(event.stop),
            "verdict": said[-1].verdict if said else "",
        }
        for name, value in event.attributes:
            row.update(_flat(name, value))
        table.append(row)
    return table


def _flat(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            k: v for key, item in value.items() for k, v in _flat(f"{name}_{key}", item).items()
        }
    if isinstance(value, (list, tuple)):
        letters = "xyz" if len(value) == 3 else range(len(value))
        return {f"{name}_{i}": v for i, v in zip(letters, value, strict=False)}
    return {name: value}


def to_csv(catalog: Catalog) -> str:
    """Return a catalog as CSV, every event with the same columns."""
    table = rows(catalog)
    columns = list(dict.fromkeys([*_FIXED, *(key for row in table for key in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def to_json(catalog: Catalog) -> str:
    """Return a catalog as JSON that keeps everything, verdicts included."""
    events = [
        {
            "id": e.id,
            "kind": e.kind,
            "start": iso(e.start),
            "stop": iso(e.stop),
            "attributes": dict(e.attributes),
            "verdicts": [
                {"author": v.author, "verdict": v.verdict, "comment": v.comment, "at": iso(v.at)}
                for v in catalog.verdicts.get(e.id, ())
            ],
        }
        for e in catalog.events
    ]
    return json.dumps({"format": FORMAT, "catalog": catalog.dataset, "events": events}, indent=1)


def parse(text: str, where: str) -> list[tuple[Event, list[dict[str, str]]]]:
    """Return the events of a JSON or CSV catalog, with the verdicts they carry.

    Raises
    ------
    UsageError
        When the text is neither, or an event has no start and stop.
    """
    try:
        if text.lstrip()[:1] == "{":
            return [_from_json(e) for e in json.loads(text)["events"]]
        return [_from_csv(row) for row in csv.DictReader(io.StringIO(text))]
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"this is not a catalog ({error!r})",
            where,
            "Expected CSV with start and stop, or what 'catalog export' wrote",
        ) from error


def _from_json(e: dict[str, Any]) -> tuple[Event, list[dict[str, str]]]:
    start, stop = instant(e["start"]), instant(e["stop"])
    kind = e.get("kind", "event")
    attributes = tuple((e.get("attributes") or {}).items())
    return Event(e.get("id", ""), kind, start, stop, attributes), e.get("verdicts", [])


def _from_csv(row: dict[str, str]) -> tuple[Event, list[dict[str, str]]]:
    start, stop = instant(row["start"]), instant(row["stop"])
    attributes = tuple(
        (k, _number(v)) for k, v in row.items() if k not in _FIXED and v not in ("", None)
    )
    said = [{"verdict": row["verdict"]}] if row.get("verdict") else []
    return Event(row.get("id") or "", row.get("kind") or "event", start, stop, attributes), said


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def import_catalog(store: Store, name: str, file: Path, *, author: str = "") -> int:
    """Put the events of a file into the store as the catalog `name`; return how many.

    A catalog of that name is replaced as a whole; what was said of its events follows succession.
    Importing over a dataset that a recipe makes is refused.
    """
    found = parse(file.read_text(), str(file))
    made = registered.event_datasets(store.registry.db)
    now = store.registry.current(name)
    if name in made and any(c.code != "import@1 Events@1" for c in now):
        raise UsageError(f"'{name}' is made by a recipe", todo="Import under another name")
    if not found:
        raise UsageError("there are no events in this file", str(file))
    events = tuple(sorted(_identified(name, (e for e, _ in found)), key=lambda e: (e.start, e.id)))
    span = Interval(events[0].start, max(*(e.stop for e in events), events[0].start + 1))
    text = repr(events)
    mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    record = Record(
        Granule(name, span),
        f"{mark[:8]}-{uuid.uuid4().hex[:8]}",
        mark,
        mark,
        len(events),
        span.start,
        span.stop,
        None,
        0,
        None,
        "import@1 Events@1",
        1,
        "{}",
        mark,
        replaces=tuple(c.uid for c in now if c.interval.overlaps(span)),
        events=events,
    )
    store.registry.commit([record], "import")
    for event, (_, said) in zip(_identified(name, (e for e, _ in found)), found, strict=True):
        for v in said:
            verdict = Verdict(
                event.id,
                name,
                v.get("author", "") or author or "unknown",
                v["verdict"],
                comment=v.get("comment", ""),
                at=instant(v["at"]) if v.get("at") else 0,
            )
            registered.add_verdict(store.registry.db, verdict)
    return len(events)


def _identified(name: str, events: Iterable[Event]) -> list[Event]:
    return [
        e
        if e.id
        else Event(event_id(name, e.kind, e.start, e.stop), e.kind, e.start, e.stop, e.attributes)
        for e in events
    ]


def statistics(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """Return, per kind and sense of event, the count, medians of numbers, and what was said."""
    groups: dict[str, list[Event]] = {}
    for event in catalog.events:
        sense = dict(event.attributes).get("sense", "")
        groups.setdefault(f"{event.kind} {sense}".strip(), []).append(event)
    return {name: _statistics(catalog, events) for name, events in sorted(groups.items())}


def _statistics(catalog: Catalog, events: Sequence[Event]) -> dict[str, Any]:
    import numpy as np

    numbers: dict[str, list[float]] = {}
    for event in events:
        for name, value in event.attributes:
            for key, item in _flat(name, value).items():
                if isinstance(item, (int, float)) and not isinstance(item, bool):
                    numbers.setdefault(key, []).append(float(item))
    said = [v.verdict for e in events for v in catalog.verdicts.get(e.id, ())[-1:]]
    return {
        "count": len(events),
        "first": iso(events[0].start),
        "last": iso(events[-1].stop),
        "median": {k: float(np.nanmedian(v)) for k, v in numbers.items() if np.isfinite(v).any()},
        "verdicts": {v: said.count(v) for v in sorted(set(said))},
    }
