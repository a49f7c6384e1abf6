"""Catalogs of a store in SciQLOP: shown, judged and edited there, kept here with their history.

What a person does becomes verdicts and edits (`catalog.merge`); events of detectors never change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..catalog import Catalog, Merge, Reading, load_catalog, merge
from ..catalog.entry import Entry, attempt, reading, times
from ..granule import datetime64
from ..store import Store
from ..store.events import event_datasets

#: What people fill in; every event has them.
PEOPLE = ("verdict", "comment")
_KIND = "kind"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as SciQLOP holds it: aware times of microseconds, and plain words about it."""

    id: str
    start: datetime
    stop: datetime
    meta: dict[str, Any]


def names(store: Store) -> list[str]:
    """Return the names of the catalogs of a store."""
    return sorted(event_datasets(store.registry.db))


def shown(catalog: Catalog) -> list[Shown]:
    """Return the events of a catalog with the last verdict on each; moved ones as detected."""
    found = []
    for e in catalog.events:
        said = catalog.verdicts.get(e.id, ())
        last = (said[-1].verdict, said[-1].comment) if said else ("", "")
        meta = {_KIND: e.kind, **dict(zip(PEOPLE, last, strict=True)), **dict(e.attributes)}
        found.append(Shown(e.id, _aware(e.start), _aware(e.stop), meta))
    return found


def saved(store: Store, dataset: str, events: Iterable[Shown], author: str) -> Merge:
    """Add to the history of a catalog what a person changed of its events; return that.

    Times are compared to the microsecond that SciQLOP keeps.
    """
    catalog = load_catalog(store, dataset)
    return merge(store, dataset, _reading(catalog, events), author)


def _reading(catalog: Catalog, events: Iterable[Shown]) -> Reading:
    before = {e.id: e for e in catalog.events}

    def entry(e: Shown) -> Entry:
        start, stop = times(e.start, e.stop)
        if (old := before.get(e.id)) is not None:
            start = old.start if old.start // 1000 == start // 1000 else start
            stop = old.stop if old.stop // 1000 == stop // 1000 else stop
        meta = dict(e.meta)
        verdict, comment = (str(meta.pop(k, "") or "").strip() for k in PEOPLE)
        kind = str(meta.pop(_KIND, "") or (old.kind if old else "event"))
        attributes = tuple(meta.items())
        return Entry(
            e.id, kind, start, stop, attributes, verdict=verdict, comment=comment, where=e.id[:8]
        )

    return reading([attempt(e.id[:8], partial(entry, e)) for e in events])


def _aware(ns: int) -> datetime:
    when: datetime = datetime64(ns).astype("datetime64[us]").item()
    return when.replace(tzinfo=UTC)
