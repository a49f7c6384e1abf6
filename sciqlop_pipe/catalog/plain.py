"""Catalogs as CSV and as our JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..granule import instant, iso
from .entry import Entry, Reading, Said, attempt, reading, times
from .opinion import DISPUTED
from .table import FIXED, Catalog, rows

FORMAT = 1
_FILLED = ("author", "comment")


def to_csv(catalog: Catalog) -> str:
    """Return a catalog as CSV, every event with the same columns."""
    table = rows(catalog)
    columns = list(dict.fromkeys([*FIXED, *(key for row in table for key in row)]))
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
            "verdicts": [said_json(v) for v in catalog.verdicts.get(e.id, ())],
        }
        for e in catalog.events
    ]
    return json.dumps({"format": FORMAT, "catalog": catalog.dataset, "events": events}, indent=1)


def said_json(v: Any) -> dict[str, Any]:
    """Return a verdict as plain values."""
    found = {"author": v.author, "verdict": v.verdict, "comment": v.comment, "at": iso(v.at)}
    if v.start is not None and v.stop is not None:
        found |= {"start": iso(v.start), "stop": iso(v.stop)}
    return found


def said_of(v: Mapping[str, Any]) -> Said:
    """Return a verdict from plain values."""
    start, stop = v.get("start"), v.get("stop")
    return Said(
        str(v["verdict"]),
        str(v.get("author") or ""),
        str(v.get("comment") or ""),
        instant(v["at"]) if v.get("at") else 0,
        None if start is None else instant(start),
        None if stop is None else instant(stop),
    )


def read_json(data: Mapping[str, Any]) -> Reading:
    """Return the events of what `to_json` wrote, or of any JSON with events of start and stop."""
    listed = data["events"]
    return reading([
        attempt(f"event {i}", partial(_from_json, e, f"event {i}"))
        for i, e in enumerate(listed, 1)
    ])  # fmt: skip


def _from_json(e: Mapping[str, Any], where: str) -> Entry:
    start, stop = times(e["start"], e["stop"])
    known = ("id", "kind", "start", "stop", "attributes", "verdicts", "verdict", *_FILLED)
    more = tuple((k, v) for k, v in e.items() if k not in known)
    return Entry(
        str(e.get("id") or ""),
        str(e.get("kind") or "event"),
        start,
        stop,
        (*(e.get("attributes") or {}).items(), *more),
        tuple(map(said_of, e.get("verdicts") or ())),
        str(e.get("verdict") or ""),
        str(e.get("author") or ""),
        str(e.get("comment") or ""),
        where,
    )


def read_csv(text: str) -> Reading:
    """Return the events of a CSV file with columns start and stop."""
    return reading([
        attempt(f"row {i}", partial(_from_csv, row, f"row {i}"))
        for i, row in enumerate(csv.DictReader(io.StringIO(text)), 1)
    ])  # fmt: skip


def _from_csv(row: Mapping[str, str], where: str) -> Entry:
    start, stop = times(row["start"], row["stop"])
    attributes = tuple(
        (k, _number(v))
        for k, v in row.items()
        if k is not None and k not in (*FIXED, *_FILLED) and v not in ("", None)
    )
    verdict, author, comment = ((row.get(k) or "").strip() for k in ("verdict", *_FILLED))
    if verdict == DISPUTED:
        verdict = ""
    id_, kind = row.get("id") or "", row.get("kind") or "event"
    return Entry(id_, kind, start, stop, attributes, (), verdict, author, comment, where)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
