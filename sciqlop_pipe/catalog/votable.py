"""Catalogs as VOTable that speasy (AMDA's form), TSCat and astropy read.

speasy wants the description as lines "Name: value;", and start and stop first, with fractions of
seconds. TSCat tells fields by name, ID and type, takes every `long` for a rating, and reads JSON
where `utype` says so. Every event has every column; what one lacks is NaN, or null in JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

from ..granule import datetime64, instant, iso
from ..store.records import Event
from .entry import Entry, Reading, attempt, reading, times
from .plain import said_json, said_of
from .table import Catalog
from .tscat import AUTHOR, catalogue_id, is_key

_NS = "http://www.ivoa.net/xml/VOTable/v1.3"
_START = {"name": "Start Time", "ID": "TimeIntervalStart", "ucd": "time.start"}
_STOP = {"name": "Stop Time", "ID": "TimeIntervalStop", "ucd": "time.end"}
_TIME = {"datatype": "char", "arraysize": "*", "xtype": "dateTime", "utype": ""}
_TEXT = {"datatype": "char", "arraysize": "*"}
_JSON = {**_TEXT, "utype": "json"}
_PEOPLE = ("verdict", "verdict_author", "comment")
_HEAD = ("author", "uuid", "tags", "products", "kind", *_PEOPLE)
_MORE, _SAID, _EXACT, _KEYS = "pipe_more", "pipe_said", "pipe_times", "pipe_order"


def to_votable(catalog: Catalog) -> str:
    """Return a catalog as VOTable 1.3."""
    columns = _columns(catalog.events)
    root = ET.Element("VOTABLE", {"version": "1.3", "xmlns": _NS})
    description = (
        f"Name:{catalog.dataset};\nContact:{AUTHOR};\nId:{catalogue_id(catalog.dataset)};\n"
    )
    ET.SubElement(root, "DESCRIPTION").text = description
    table = ET.SubElement(
        ET.SubElement(root, "RESOURCE"), "TABLE", {"name": catalog.dataset.replace(" ", "_")}
    )
    fields = [
        {**_START, **_TIME},
        {**_STOP, **_TIME},
        *({"name": n, **_TEXT} for n in _HEAD),
        *({"name": n, **kind} for n, kind in columns.items()),
        *({"name": n, **_JSON} for n in (_MORE, _SAID, _EXACT, _KEYS)),
    ]
    for field in fields:
        ET.SubElement(table, "FIELD", {k: v for k, v in field.items() if v or k == "utype"})
    data = ET.SubElement(ET.SubElement(table, "DATA"), "TABLEDATA")
    for event in catalog.events:
        row = ET.SubElement(data, "TR")
        for text in _row(catalog, event, columns):
            ET.SubElement(row, "TD").text = text
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _columns(events: Sequence[Event]) -> dict[str, dict[str, str]]:
    """Return the fields of all attributes: numbers, words, or JSON for anything else."""
    values: dict[str, list[Any]] = {}
    for event in events:
        for name, value in event.attributes:
            values.setdefault(name, []).append(value)
    found = {}
    for name, every in values.items():
        if not is_key(name):
            continue  # these travel in pipe_more
        if all(isinstance(v, float) for v in every):
            found[name] = {"datatype": "double"}
        elif all(isinstance(v, str) for v in every) and all(map(_survives, every)):
            found[name] = dict(_TEXT)
        elif all(isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**53 for v in every):
            found[name] = {"datatype": "double", "utype": "integer"}
        else:
            found[name] = dict(_JSON)
    return found


def _survives(text: str) -> bool:
    """Tell whether XML and readers of tables keep a text as it is."""
    return text == text.strip() and text != "" and all(c.isprintable() for c in text)


def _row(catalog: Catalog, event: Event, columns: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    said = catalog.verdicts.get(event.id, ())
    last = (said[-1].verdict, said[-1].author, said[-1].comment) if said else ("", "", "")
    attributes = dict(event.attributes)
    yield _clock(event.start)
    yield _clock(event.stop)
    yield from (AUTHOR, event.id, json.dumps([event.kind]), "[]", event.kind, *last)
    more = {k: v for k, v in attributes.items() if k not in columns}
    for name, kind in columns.items():
        value = attributes.get(name)
        if kind["datatype"] == "double":
            lost = value is None or (isinstance(value, float) and math.isnan(value))
            if isinstance(value, float) and math.isnan(value):
                more[name] = value
            yield "NaN" if lost else repr(value)
        elif kind.get("utype") == "json":
            yield json.dumps(value)
            if name in attributes and value is None:
                more[name] = None
        else:
            yield str(value or "")
    yield json.dumps(more)
    yield json.dumps([said_json(v) for v in said])
    exact = any(t % 1000 for t in (event.start, event.stop))
    yield json.dumps([iso(event.start), iso(event.stop)] if exact else [])
    yield json.dumps([k for k, _ in event.attributes])


def _clock(ns: int) -> str:
    return str(datetime64(ns).astype("datetime64[us]"))


def read_votable(text: str) -> Reading:
    """Return the events of a VOTable: one of ours, of TSCat or of AMDA.

    Raises
    ------
    ValueError
        When it has no table with times of start and stop.
    """
    elements = list(ET.fromstring(text).iter())
    fields = [e for e in elements if _tag(e) == "FIELD"]
    if any(_tag(e) in ("BINARY", "BINARY2") for e in elements):
        raise ValueError("a binary VOTable; save it as TABLEDATA")
    rows = ([(c.text or "") for c in e] for e in elements if _tag(e) == "TR")
    names = [_name(f) for f in fields]
    if not {"start", "stop"} <= set(names):
        raise ValueError("no columns of start and stop")
    return reading([
        attempt(f"row {i}", partial(_entry, fields, names, row, f"row {i}"))
        for i, row in enumerate(rows, 1)
    ])  # fmt: skip


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _name(field: ET.Element) -> str:
    ucd, name = field.get("ucd", "").partition(";")[0], field.get("name", "")
    key = name.strip().lower().replace(" ", "_")
    if ucd == "time.start" or key in ("start", "start_time", "time_start"):
        return "start"
    if ucd == "time.end" or key in ("stop", "stop_time", "time_end", "end", "end_time"):
        return "stop"
    return name


def _entry(
    fields: Sequence[ET.Element], names: Sequence[str], row: Sequence[str], where: str
) -> Entry:
    if len(row) != len(fields):
        raise ValueError(f"{len(row)} columns, expected {len(fields)}")
    found = dict(zip(names, row, strict=True))
    start, stop = times(found["start"].strip(), found["stop"].strip())
    exact = json.loads(found.get(_EXACT) or "[]")
    for k, text in enumerate(exact):
        then = instant(text)
        if k == 0 and then // 1000 == start // 1000:
            start = then
        if k == 1 and then // 1000 == stop // 1000:
            stop = then
    attributes = {
        name: value
        for name, field, text in zip(names, fields, row, strict=True)
        if name not in ("start", "stop", _MORE, _SAID, _EXACT, _KEYS, *_HEAD)
        and (value := _value(field, text)) is not None
    }
    if attributes.get("rating") == 0:
        del attributes["rating"]
    attributes |= json.loads(found.get(_MORE) or "{}")
    order = {k: i for i, k in enumerate(json.loads(found.get(_KEYS) or "[]"))}
    tags = json.loads(found["tags"]) if found.get("tags", "").startswith("[") else []
    kind = found.get("kind", "").strip() or (str(tags[0]) if tags else "event")
    if extra := tags[1:] if _KEYS in found else [t for t in tags if t != kind]:
        attributes["tags"] = extra
    verdict, author, comment = (found.get(k, "").strip() for k in _PEOPLE)
    return Entry(
        found.get("uuid", "").strip(),
        kind,
        start,
        stop,
        tuple(sorted(attributes.items(), key=lambda kv: order.get(kv[0], len(order)))),
        tuple(map(said_of, json.loads(found.get(_SAID) or "[]"))),
        verdict,
        author,
        comment,
        where,
    )


def _value(field: ET.Element, text: str) -> Any:
    """Return what a cell holds; None for nothing."""
    datatype, utype = field.get("datatype", ""), field.get("utype", "")
    text = text.strip()
    if utype == "json":
        return json.loads(text) if text else None
    if datatype in ("double", "float"):
        number = float(text or "nan")
        return None if math.isnan(number) else int(number) if utype == "integer" else number
    if datatype in ("long", "int", "short", "unsignedByte"):
        return int(text) if text else None
    if datatype == "boolean":
        return text.lower() in ("true", "t", "1") if text else None
    return text or None
