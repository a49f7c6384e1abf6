"""Lists of events in the store: a file becomes a catalog, as a whole."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from ..errors import UsageError
from ..granule import Granule, Interval
from ..store import Store
from ..store import events as registered
from ..store.events import Verdict
from ..store.records import Event, Record
from ..store.statements import add_statements
from .entry import Entry, Reading, Said, event_id
from .plain import read_csv, read_json
from .tscat import read_tscat
from .votable import read_votable

IMPORT = "import@1 Events@1"


def read_catalog(text: str, where: str, name: str = "") -> Reading:
    """Return the events of a catalog in CSV, VOTable, our JSON or that of TSCat.

    Parameters
    ----------
    text : str
        What the file holds; its form is told by how it begins.
    where : str
        For errors.
    name : str
        Which catalogue, of JSON of TSCat that holds several.

    Raises
    ------
    UsageError
        When the text is none of these.
    """
    try:
        head = text.lstrip("\ufeff \n\r\t")[:1]
        if head == "<":
            return read_votable(text)
        if head in ("{", "["):
            data = json.loads(text)
            if isinstance(data, list):
                data = {"events": data}
            if "catalogues" in data:
                several = len(data["catalogues"]) > 1
                return read_tscat(data, name if several else "")
            return read_json(data)
        return read_csv(text)
    except (KeyError, ValueError, TypeError, AttributeError, ET.ParseError) as error:
        raise UsageError(
            f"this is not a catalog ({error!r})",
            where,
            "Expected CSV or VOTable with start and stop, or what 'catalog export' wrote",
        ) from error


def import_catalog(store: Store, name: str, file: Path, *, author: str = "") -> int:
    """Put the events of a file into the store as the catalog `name`; return how many.

    It takes the place of earlier imports of that name that overlap it in time, as a whole; what was
    said of their events follows succession.
    Importing over a dataset that a recipe makes is refused.

    Raises
    ------
    UsageError
        For a file with an event that makes no sense (all are listed), or without any.
    """
    found = read_catalog(file.read_text(encoding="utf-8-sig"), str(file), name)
    made = registered.event_datasets(store.registry.db)
    now = store.registry.current(name)
    if name in made and any(c.code != IMPORT for c in now):
        raise UsageError(
            f"'{name}' is made by a recipe",
            todo="Import under another name, or bring verdicts and edits in: 'catalog merge'",
        )
    if found.refused:
        shown = "; ".join(found.refused[:5]) + ("; ..." if len(found.refused) > 5 else "")
        raise UsageError(
            f"{len(found.refused)} events make no sense ({shown})", str(file), "Mend these rows"
        )
    if not found.entries:
        raise UsageError("there are no events in this file", str(file))
    entries = [identified(name, e) for e in found.entries]
    events = tuple(sorted((e.event for e in entries), key=lambda e: (e.start, e.id)))
    record = _record(name, events, tuple(c.uid for c in now))
    store.registry.commit([record], "import")
    said = [
        Verdict(e.id, name, s.author or author or "unknown", s.verdict, s.start, s.stop,
                s.comment, s.at)
        for e in entries
        for s in e.said or _filled(e)
    ]  # fmt: skip
    add_statements(store.registry.db, said, ())
    return len(events)


def _filled(entry: Entry) -> tuple[Said, ...]:
    """Return the verdict in the field that people fill in."""
    return (Said(entry.verdict, entry.author, entry.comment),) if entry.verdict else ()


def _record(name: str, events: tuple[Event, ...], there: tuple[str, ...]) -> Record:
    span = Interval(events[0].start, max(*(e.stop for e in events), events[0].start + 1))
    mark = hashlib.blake2b(repr(events).encode(), digest_size=16).hexdigest()
    return Record(
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
        IMPORT,
        1,
        "{}",
        mark,
        replaces=there,
        events=events,
    )


def identified(name: str, entry: Entry) -> Entry:
    """Return an entry with an id: its own, or the one that follows from what it is."""
    return entry if entry.id else replace(
        entry, id=event_id(name, entry.kind, entry.start, entry.stop)
    )  # fmt: skip
