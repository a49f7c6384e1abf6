"""What people did to a catalog elsewhere, brought back: verdicts, moved times, edits, additions.

Events of a detector never change: what people say is kept beside them, with author and time, and
follows succession. So nothing is lost, also where two people disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UnknownName, UsageError, near
from ..granule import Interval, iso
from ..store import Store
from ..store import events as registered
from ..store.events import VERDICTS, Verdict
from ..store.records import Event
from ..store.statements import Added, Edit, add_statements, edits, events_ever, value_of
from .certainty import VIEWED
from .entry import Entry, Reading, Said, same_value
from .importing import identified
from .table import Catalog, flat, load_catalog


@dataclass(frozen=True, slots=True)
class Merge:
    """What a file says that the store does not know yet.

    `notes` are what a person should look at, `refused` what makes no sense and was left out.
    """

    verdicts: tuple[Verdict, ...] = ()
    edits: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    added: Added = field(default=Added(0, 0))


def merge(store: Store, dataset: str, found: Reading, author: str, *, at: int = 0) -> Merge:
    """Add what a reading says of a catalog to its history; return it, with notes.

    Parameters
    ----------
    store : Store
        Where the catalog is.
    dataset : str
        Its name.
    found : Reading
        Of a file that people edited.
    author : str
        Who says what carries no name of its own.
    at : int
        When, where the file does not say; now where 0.

    Raises
    ------
    UnknownName
        When the store has no such catalog.
    UsageError
        Without an author.
    """
    known = registered.event_datasets(store.registry.db)
    if dataset not in known:
        raise UnknownName(f"there is no catalog '{dataset}'", str(store.root), near(dataset, known))
    if not author.strip():
        raise UsageError("who says so?", dataset, "Give --author NAME")
    catalog = load_catalog(store, dataset)
    found = replace(found, entries=tuple(identified(dataset, e) for e in found.entries))
    past = events_ever(store.registry.db, dataset)
    made = compare(catalog, past, edits(store.registry.db, dataset), found, author.strip(), at)
    return replace(made, added=add_statements(store.registry.db, made.verdicts, made.edits))


def compare(
    catalog: Catalog,
    past: Mapping[str, Event],
    before: Sequence[Edit],
    found: Reading,
    author: str,
    at: int = 0,
) -> Merge:
    """Return what the entries of a file add to a catalog.

    Parameters
    ----------
    catalog : Catalog
        As it is now.
    past : mapping of str to Event
        All events by id, those that were replaced included.
    before : sequence of Edit
        What was edited before.
    found, author, at
        As for `merge`.
    """
    current = {e.id for e in catalog.events}
    missed = {v.event: v for v in catalog.unmatched if v.verdict == "missed"}
    verdicts: list[Verdict] = []
    edited: list[Edit] = []
    notes, refused = list(found.notes), list(found.refused)
    for entry in found.entries:
        who = entry.author or author
        base = past.get(entry.id)
        if wrong := next((w for w in _words(entry) if w not in VERDICTS), ""):
            near_ = near(wrong, VERDICTS) or f"One of {', '.join(VERDICTS)}"
            refused.append(f"{entry.where}: '{wrong}' is no verdict. {near_}")
            continue
        if base is None:
            verdicts += _unknown(catalog.dataset, entry, who, at, missed, notes)
            continue
        if base.id not in current:
            notes.append(f"{entry.where}: its event was replaced since; what is said follows it")
        verdicts += _told(catalog.dataset, entry, who)
        new = _verdict(catalog, base, entry, who, at)
        if new is not None:
            verdicts.append(new)
            notes += _disputes(catalog, new, entry.where)
        for change in _changes(catalog.dataset, base, entry, who, at):
            edited.append(change)
            notes += _clashes(before, change, base, entry.where)
    here = {e.id for e in found.entries}
    if here and (absent := [e for e in _spanned(catalog, found) if e.id not in here]):
        notes.append(
            f"{len(absent)} events of the catalog are not in the file and stay as they are "
            f"(say 'reject' of what is none), the first at {iso(absent[0].start)}"
        )
    return Merge(tuple(verdicts), tuple(edited), tuple(notes), tuple(refused))


def _words(entry: Entry) -> Iterator[str]:
    yield from (s.verdict for s in entry.said)
    if entry.verdict:
        yield entry.verdict


def _told(dataset: str, entry: Entry, who: str) -> Iterator[Verdict]:
    """Yield the history that a file carries."""
    for s in entry.said:
        yield Verdict(
            entry.id, dataset, s.author or who, s.verdict, s.start, s.stop, s.comment, s.at
        )


def _verdict(catalog: Catalog, base: Event, entry: Entry, who: str, at: int) -> Verdict | None:
    """Return what the fields and times of an entry say anew, None where that is known."""
    said: Sequence[Said | Verdict] = entry.said or catalog.verdicts.get(base.id, ())
    last = said[-1] if said else None
    moved = (entry.start, entry.stop) != (base.start, base.stop)
    filled = entry.verdict, entry.comment
    known = (last.verdict, last.comment) if last is not None else ("", "")
    if moved:
        if last is not None and (last.start, last.stop) == (entry.start, entry.stop):
            return None
        comment = entry.comment if filled != known else ""
        return Verdict(base.id, catalog.dataset, who, "moved", entry.start, entry.stop, comment, at)
    if not entry.verdict or (entry.verdict == known[0] and entry.comment in ("", known[1])):
        return None  # a table without comments repeats a verdict, it gives none
    if entry.verdict in ("moved", "missed") and last is not None and last.verdict == entry.verdict:
        return None
    return Verdict(base.id, catalog.dataset, who, entry.verdict, comment=entry.comment, at=at)


def _unknown(
    dataset: str, entry: Entry, who: str, at: int, missed: Mapping[str, Verdict], notes: list[str]
) -> list[Verdict]:
    """Return the verdict that an event was missed, of one that the catalog never had."""
    if (old := missed.get(entry.id)) is not None and (old.start, old.stop) == (
        entry.start,
        entry.stop,
    ):
        return []
    notes.append(f"{entry.where}: not an event of this catalog; kept as one that was missed")
    more = json.dumps(dict(entry.attributes), default=str) if entry.attributes else ""
    comment = " ".join(t for t in (entry.comment, more) if t)
    return [Verdict(entry.id, dataset, who, "missed", entry.start, entry.stop, comment, at)]


def _changes(dataset: str, base: Event, entry: Entry, who: str, at: int) -> Iterator[Edit]:
    """Yield the attributes that differ, also those the catalog does not know; and the kind.

    What a catalog shows beside an event's own attributes is nobody's edit.
    """
    was, now = dict(base.attributes), dict(entry.attributes)
    # A table has a column for each item of a list, and no types.
    cells = {k: v for name, value in was.items() for k, v in flat(name, value).items()}
    if entry.kind != base.kind:
        was, now = {**was, "kind": base.kind}, {**now, "kind": entry.kind}
    for name, value in now.items():
        if (name in was and same_value(was[name], value)) or (name in VIEWED and name not in was):
            continue
        if name in cells and (same_value(cells[name], value) or str(cells[name]) == str(value)):
            continue
        yield Edit(base.id, dataset, who, name, json.dumps(was.get(name)), json.dumps(value), at)


def _disputes(catalog: Catalog, new: Verdict, where: str) -> Iterator[str]:
    """Say whose last word differs."""
    last = {v.author: v for v in catalog.verdicts.get(new.event, ())}
    for other, v in last.items():
        differs = (v.verdict, v.start, v.stop) != (new.verdict, new.start, new.stop)
        if other != new.author and differs:
            yield (
                f"{where}: {new.author} says '{_said(new)}', {other} said '{_said(v)}'; "
                "both are kept"
            )


def _clashes(before: Sequence[Edit], new: Edit, base: Event, where: str) -> Iterator[str]:
    if new.name not in dict(base.attributes) and new.name != "kind":
        yield f"{where}: the catalog has no attribute '{new.name}'; kept as an edit"
    last = {e.author: e for e in before if (e.event, e.name) == (new.event, new.name)}
    for other, e in last.items():
        if other != new.author and e.value != new.value:
            yield (
                f"{where}: {new.author} sets {new.name} to {new.value}, {other} had set it to "
                f"{e.value}; both are kept"
            )


def _said(v: Verdict) -> str:
    if v.start is None or v.stop is None:
        return v.verdict
    return f"{v.verdict} to {iso(v.start)}/{iso(v.stop)}"


def _spanned(catalog: Catalog, found: Reading) -> list[Event]:
    """Return the events within the time that a file covers."""
    span = Interval(min(e.start for e in found.entries), max(e.stop for e in found.entries) + 1)
    return [e for e in catalog.events if span.start <= e.start < span.stop]


def judged(store: Store, catalog: Catalog) -> Catalog:
    """Return a catalog as people see it: without what was rejected, moved, edited, with the missed.

    Where people disagree the last word counts.
    """
    changed: dict[str, dict[str, Any]] = {}
    for e in edits(store.registry.db, catalog.dataset):
        changed.setdefault(e.event, {})[e.name] = value_of(e)
    events = []
    for event in catalog.events:
        said = catalog.verdicts.get(event.id, ())
        if said and said[-1].verdict == "reject":
            continue
        moves = [v for v in said if v.verdict == "moved" and v.start is not None]
        attributes = dict(event.attributes) | changed.get(event.id, {})
        kind = str(attributes.pop("kind", event.kind)) if event.id in changed else event.kind
        start, stop = event.start, event.stop
        if moves:
            start, stop = moves[-1].start or 0, moves[-1].stop or 0
        events.append(Event(event.id, kind, start, stop, tuple(attributes.items())))
    events += [
        Event(v.event, "missed", v.start, v.stop, (("comment", v.comment),))
        for v in catalog.unmatched
        if v.verdict == "missed" and v.start is not None and v.stop is not None
    ]
    return replace(catalog, events=tuple(sorted(events, key=lambda e: (e.start, e.id))))
