"""Catalogs: the events of a dataset as tables, with what people said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UnknownName, near
from ..granule import Interval, iso
from ..store import Store
from ..store import events as registered
from ..store.events import Verdict
from ..store.records import Event
from ..store.releases import said_at
from .certainty import certainty, with_probability
from .entry import event_id
from .opinion import Opinion

FIXED = ("id", "dataset", "kind", "start", "stop", "verdict")


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
    """Return the events of a dataset with their verdicts, current ones or those of a moment.

    With the name of a release as `as_of`, the verdicts are those that it froze. Events with a score
    have the probability of the calibration that the store holds, or say that there is none
    (`certainty`).
    """
    db, when = store.registry.db, store.when(as_of)
    found = registered.current_events(db, dataset, interval, when)
    if when is None:
        said, lost = registered.verdicts(db, dataset)
    else:
        said, lost = said_at(db, dataset, found, when, str(as_of))
    events = with_probability(found, certainty(store, dataset, when))
    return Catalog(dataset, events, said, tuple(lost))


def find_event(store: Store, id: str) -> tuple[str, Event]:
    """Return the dataset and the event with an id, or with the unique start of one."""
    return registered.find_event(store.registry.db, id)


def add_missed(
    store: Store, dataset: str, span: Interval, author: str, comment: str = ""
) -> Verdict:
    """Keep an event that a detector did not find, and return the verdict that says so.

    Parameters
    ----------
    store : Store
        Where the events of the dataset are.
    dataset : str
        Of events.
    span : Interval
        From where to where.
    author, comment : str
        Who says so, and why.

    Raises
    ------
    UnknownName
        When the store has nothing of the dataset.
    """
    known = store.registry.datasets()
    if dataset not in known:
        todo = near(dataset, known) or "Name the catalog that it is missing from"
        raise UnknownName(f"the store has nothing of '{dataset}'", str(store.root), todo)
    id_ = event_id(dataset, "missed", span.start, span.stop)
    said = Verdict(id_, dataset, author, "missed", span.start, span.stop, comment)
    registered.add_verdict(store.registry.db, said)
    return said


def rows(catalog: Catalog) -> list[dict[str, Any]]:
    """Return one flat row per event; an attribute that is a list becomes one column per item."""
    table = []
    for event in catalog.events:
        opinion = Opinion.of(catalog.verdicts.get(event.id, ()))
        row: dict[str, Any] = {
            "id": event.id,
            "dataset": catalog.dataset,
            "kind": event.kind,
            "start": iso(event.start),
            "stop": iso(event.stop),
            "verdict": opinion.word,
        }
        for name, value in event.attributes:
            row.update(flat(name, value))
        table.append(row)
    return table


def flat(name: str, value: Any) -> dict[str, Any]:
    """Return an attribute as columns: one per item of a list or mapping."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(f"{name}_{key}", item).items()}
    if isinstance(value, (list, tuple)):
        letters = "xyz" if len(value) == 3 else range(len(value))
        return {f"{name}_{i}": v for i, v in zip(letters, value, strict=False)}
    return {name: value}


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
            for key, item in flat(name, value).items():
                if isinstance(item, (int, float)) and not isinstance(item, bool):
                    numbers.setdefault(key, []).append(float(item))
    words = [Opinion.of(catalog.verdicts.get(e.id, ())).word for e in events]
    return {
        "count": len(events),
        "first": iso(events[0].start),
        "last": iso(events[-1].stop),
        "median": {k: float(np.nanmedian(v)) for k, v in numbers.items() if np.isfinite(v).any()},
        "verdicts": {w: words.count(w) for w in sorted(set(words) - {""})},
    }
