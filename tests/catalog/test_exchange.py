"""Catalogs go out in four forms and come back the same."""

from __future__ import annotations

import json
import math
import uuid
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.catalog import (
    Catalog,
    event_id,
    read_catalog,
    to_csv,
    to_json,
    to_tscat,
    to_votable,
)  # fmt: skip
from sciqlop_pipe.catalog.entry import Said, same_value
from sciqlop_pipe.granule import instant
from sciqlop_pipe.store.events import Verdict
from sciqlop_pipe.store.records import Event

NAME = "mms1.crossings"
T0 = instant("2015-12-01T09:00")


def an_event(
    start: int = T0, length: int = 60_000_000_000, kind: str = "magnetopause", **more: object
) -> Event:
    return Event(
        event_id(NAME, kind, start, start + length),
        kind,
        start,
        start + length,
        tuple(more.items()),
    )


def a_catalog() -> Catalog:
    events = (
        an_event(sense="in", probability=0.25, normal=[0.6, 0.8, 0.0], count=3, certain=True),
        an_event(T0 + 10**12 + 123, 5, "bow shock", sense="out", probability=float("nan"), note=None),
        an_event(T0 + 2 * 10**12, 0, median={"n": 3.5, "v": [1, 2]}, **{"rating": "not a number", "odd name": 1}),
    )  # fmt: skip
    said = [
        Verdict(events[0].id, NAME, "ada", "accept", comment='clear; "very" <ok>', at=T0),
        Verdict(events[0].id, NAME, "bob", "moved", T0 - 5, T0 + 7, at=T0 + 1),
    ]
    return Catalog(NAME, events, {events[0].id: said})


@pytest.mark.parametrize("write", [to_json, to_tscat, to_votable])
def test_nothing_is_lost(write) -> None:
    catalog = a_catalog()
    found = read_catalog(write(catalog), "here")
    assert found.refused == found.notes == ()
    for entry, event in zip(found.entries, catalog.events, strict=True):
        same(entry.event, event)
        said = [(v.verdict, v.author, v.comment, v.at, v.start, v.stop)
                for v in catalog.verdicts.get(event.id, ())]  # fmt: skip
        assert [(s.verdict, s.author, s.comment, s.at, s.start, s.stop) for s in entry.said] == said


def same(a: Event, b: Event) -> None:
    assert (a.id, a.kind, a.start, a.stop) == (b.id, b.kind, b.start, b.stop)
    assert [k for k, _ in a.attributes] == [k for k, _ in b.attributes]
    for (k, x), (_, y) in zip(a.attributes, b.attributes, strict=True):
        assert same_value(x, y) and type(x) is type(y), k


names = st.text(st.characters(codec="utf-8", categories=("L", "Nd", "Pc")), min_size=1, max_size=8)
plain = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_infinity=False)
    | st.text(st.characters(codec="utf-8", categories=("L", "P", "Zs", "N")), max_size=8)
)  # fmt: skip
events = st.builds(
    lambda start, length, kind, more: Event(
        event_id(NAME, kind, start, start + length), kind, start, start + length, tuple(more.items())
    ),
    st.integers(T0, T0 + 10**15), st.integers(0, 10**12), st.sampled_from(["a", "bow shock"]),
    st.dictionaries(names, plain | st.lists(plain, max_size=3), max_size=4),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(events, max_size=4, unique_by=lambda e: e.id))
def test_any_events_survive_every_form_that_keeps_types(many: list[Event]) -> None:
    catalog = Catalog(NAME, tuple(many), {})
    for write in (to_json, to_tscat, to_votable):
        found = read_catalog(write(catalog), "here").entries
        for entry, event in zip(found, many, strict=True):
            same(entry.event, event)


def test_csv_keeps_numbers_and_times() -> None:
    found = read_catalog(to_csv(a_catalog()), "here").entries
    assert [(e.id, e.start, e.stop) for e in found] == [
        (e.id, e.start, e.stop) for e in a_catalog().events
    ]
    assert dict(found[0].attributes)["normal_y"] == 0.8 and found[0].verdict == "moved"


def test_ids_are_version_4_and_follow_from_the_event() -> None:
    made = uuid.UUID(an_event().id)
    assert made.version == 4 and made.variant == uuid.RFC_4122
    assert an_event().id == an_event().id != an_event(T0 + 1).id


def test_a_votable_has_what_speasy_and_tscat_look_for() -> None:
    root = ET.fromstring(to_votable(a_catalog()))
    space = {"v": root.tag[1:].partition("}")[0]}
    description = root.findtext("v:DESCRIPTION", namespaces=space)
    assert description is not None and description.split(";\n")[0] == f"Name:{NAME}"
    fields = root.findall(".//v:FIELD", space)
    assert [(f.get("name"), f.get("ID"), f.get("utype")) for f in fields[:2]] == [
        ("Start Time", "TimeIntervalStart", ""), ("Stop Time", "TimeIntervalStop", ""),
    ]  # fmt: skip
    assert not [f for f in fields if f.get("datatype") in ("long", "int")]
    for row in root.findall(".//v:TR", space):
        cells = [c.text or "" for c in row]
        assert len(cells) == len(fields) and all(len(c.partition(".")[2]) == 6 for c in cells[:2])


def test_a_votable_of_amda_is_read() -> None:
    text = """<VOTABLE><DESCRIPTION>Name: x;</DESCRIPTION><RESOURCE><TABLE>
    <FIELD name="Start Time" ucd="time.start" datatype="char"/><FIELD name="Stop Time" ucd="time.end"
    datatype="char"/><FIELD name="B" datatype="float"/><DATA><TABLEDATA>
    <TR><TD>2015-12-01T09:00:00.000</TD><TD>2015-12-01T09:01:00.000</TD><TD>5.5</TD></TR>
    </TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""
    (entry,) = read_catalog(text, "amda").entries
    assert (entry.start, entry.stop, entry.attributes) == (T0, T0 + 6 * 10**10, (("B", 5.5),))


def test_times_that_cannot_be_are_refused_and_named() -> None:
    data = json.loads(to_json(a_catalog()))
    data["events"][0]["stop"] = "2015-11-01"
    data["events"][1]["start"] = "noon"
    del data["events"][2]["stop"]
    found = read_catalog(json.dumps(data), "x.json")
    assert found.entries == () and [r.split(":")[0] for r in found.refused] == [
        "event 1",
        "event 2",
        "event 3",
    ]
    assert "before it starts" in found.refused[0] and "not a time" in found.refused[1]
    assert "stop" in found.refused[2]


def test_duplicate_ids_are_taken_once_when_equal_and_not_at_all_when_they_differ() -> None:
    data = json.loads(to_json(a_catalog()))
    data["events"].append(dict(data["events"][0]))
    data["events"].append(data["events"][1] | {"kind": "other"})
    found = read_catalog(json.dumps(data), "x.json")
    assert [e.id for e in found.entries] == [a_catalog().events[0].id, a_catalog().events[2].id]
    assert len(found.notes) == 1 and len(found.refused) == 2


def test_moving_a_rounded_time_is_seen() -> None:
    data = json.loads(to_tscat(a_catalog()))
    moved = next(e for e in data["events"] if "pipe_start" in e)
    moved["start"] = "2015-12-01T09:16:39.000000"
    entry = next(e for e in read_catalog(json.dumps(data), "x").entries if e.id == moved["uuid"])
    assert (
        entry.start == instant("2015-12-01T09:16:39") and entry.stop == a_catalog().events[1].stop
    )


def test_what_people_add_with_tscats_own_fields_is_kept() -> None:
    data = json.loads(to_tscat(a_catalog()))
    data["events"][0] |= {"rating": 7, "tags": ["magnetopause", "nice"], "products": ["amda/b"]}
    more = dict(read_catalog(json.dumps(data), "x").entries[0].attributes)
    assert (more["rating"], more["tags"], more["products"]) == (7, ["nice"], ["amda/b"])


def test_nan_is_nan() -> None:
    assert same_value(math.nan, math.nan) and not same_value(math.nan, 1.0)
    assert same_value([1, {"a": math.nan}], [1.0, {"a": math.nan}])
    assert Said("accept") == Said("accept")
