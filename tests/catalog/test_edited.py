"""What people do to events in a file of each form: refused by name or merged, never lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sciqlop_pipe.catalog import (
    Merge,
    import_catalog,
    load_catalog,
    merge,
    read_catalog,
    to_json,
    to_tscat,
    to_votable,
)  # fmt: skip
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import verdicts
from sciqlop_pipe.store.statements import edits
from tests.ledger import commit, event, found

NAME = "toy.events"
EVENTS = [event(1), event(5), event(9)]


class Json:
    """A file of JSON whose events are edited as dictionaries; ids are under `key`."""

    key = "id"

    def __init__(self, text: str) -> None:
        self.data = json.loads(text)

    def row(self, id: str) -> dict[str, Any]:
        row: dict[str, Any] = next(e for e in self.data["events"] if e[self.key] == id)
        return row

    def change(self, id: str, **values: Any) -> None:
        row = self.row(id)
        known = row.get("attributes")
        for name, value in values.items():
            beside = name in row or name in ("verdict", "comment") or not isinstance(known, dict)
            (row if beside else known)[name] = value

    def double(self, id: str, **values: Any) -> None:
        self.data["events"].append(json.loads(json.dumps(self.row(id))))
        self.data["events"][-1] |= values

    def text(self) -> str:
        return json.dumps(self.data)


class Tscat(Json):
    """TSCat's JSON: attributes lie beside the times."""

    key = "uuid"

    def change(self, id: str, **values: Any) -> None:
        self.row(id).update(values)


class Votable:
    """A VOTable whose rows are edited cell by cell; unknown names become columns."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)
        self.space = self.root.tag.partition("}")[0] + "}"

    def _all(self, tag: str) -> list[ET.Element]:
        return list(self.root.iter(f"{self.space}{tag}"))

    def _column(self, name: str) -> int:
        also = {"start": "Start Time", "stop": "Stop Time"}.get(name, name)
        names = [f.get("name") for f in self._all("FIELD")]
        if also not in names:
            table = self._all("TABLE")[0]
            at = list(table).index(self._all("FIELD")[-1]) + 1
            about = {"name": also, "ID": also, "datatype": "char", "arraysize": "*"}
            table.insert(at, ET.Element(f"{self.space}FIELD", about))
            for row in self._all("TR"):
                ET.SubElement(row, f"{self.space}TD")
            return len(names)
        return names.index(also)

    def _row(self, id: str) -> ET.Element:
        return next(r for r in self._all("TR") if id in [c.text for c in r])

    def change(self, id: str, **values: Any) -> None:
        for name, value in values.items():
            column = self._column(name)
            self._row(id)[column].text = str(value)

    def double(self, id: str, **values: Any) -> None:
        data = self._all("TABLEDATA")[0]
        data.append(ET.fromstring(ET.tostring(self._row(id))))
        for name, value in values.items():
            data[-1][self._column(name)].text = str(value)

    def text(self) -> str:
        return ET.tostring(self.root, encoding="unicode")


@dataclass(frozen=True)
class Form:
    """A form in which catalogs go out, and how a person edits such a file."""

    write: Callable[[Any], str]
    edit: Any


FORMS = {
    "json": Form(to_json, Json), "tscat": Form(to_tscat, Tscat), "votable": Form(to_votable, Votable),
}  # fmt: skip
Edit = Callable[[Any], object]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        commit(opened, found(EVENTS))
        yield opened


@pytest.fixture(params=list(FORMS))
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


def edited(store: Store, form: Form, edit: Edit) -> str:
    file = form.edit(form.write(load_catalog(store, NAME)))
    edit(file)
    text: str = file.text()
    return text


def brought(store: Store, form: Form, edit: Edit, author: str = "ada") -> Merge:
    return merge(store, NAME, read_catalog(edited(store, form, edit), "file"), author)


def nothing_dropped(store: Store) -> bool:
    return load_catalog(store, NAME).events == tuple(EVENTS)


@pytest.mark.parametrize(
    ("start", "stop", "why"),
    [
        ("2030-01-01T00:05:00", "2029-01-01T00:00:00", "before it starts"),
        ("noon", "2030-01-01T00:06:00", "not a time"),
        ("2030-13-45T00:05:00", "2030-01-01T00:06:00", "not a time"),
        ("9999-01-01T00:00:00", "9999-01-01T00:01:00", "outside of 1678 to 2262"),
        ("", "2030-01-01T00:06:00", ""),
    ],
)
def test_impossible_times_are_refused_by_name_and_the_rest_is_taken(
    store: Store, form: Form, start: str, stop: str, why: str
) -> None:
    def edit(file: Any) -> None:
        file.change(EVENTS[1].id, start=start, stop=stop)
        file.change(EVENTS[2].id, verdict="accept")

    made = brought(store, form, edit)
    assert len(made.refused) == 1 and why in made.refused[0], made.refused
    assert made.added.verdicts == 1
    by_event, lost = verdicts(store.registry.db, NAME)
    assert {k: [v.verdict for v in vs] for k, vs in by_event.items()} == {EVENTS[2].id: ["accept"]}
    assert not lost and nothing_dropped(store)


def test_an_id_twice_is_taken_once_when_equal_and_told_when_not(store: Store, form: Form) -> None:
    same = brought(store, form, lambda file: file.double(EVENTS[0].id))
    assert not same.refused and same.added.verdicts == same.added.edits == 0
    assert any("taken once" in n and EVENTS[0].id in n for n in same.notes), same.notes

    def edit(file: Any) -> None:
        file.double(EVENTS[0].id, stop="2030-01-01T00:02:30")
        file.change(EVENTS[2].id, verdict="reject")

    differ = brought(store, form, edit)
    assert len(differ.refused) == 2 and all(EVENTS[0].id in r for r in differ.refused)
    assert differ.added.verdicts == 1 and nothing_dropped(store)


def test_unknown_attributes_are_kept_as_edits_with_a_note(store: Store, form: Form) -> None:
    made = brought(store, form, lambda file: file.change(EVENTS[1].id, mood="odd"))
    kept = [(e.event, e.name, json.loads(e.value)) for e in edits(store.registry.db, NAME)]
    assert kept == [(EVENTS[1].id, "mood", "odd")]
    assert any("mood" in n for n in made.notes) and nothing_dropped(store)


def test_an_unknown_verdict_is_refused_with_the_near_one(store: Store, form: Form) -> None:
    made = brought(store, form, lambda file: file.change(EVENTS[0].id, verdict="acept"))
    assert "accept" in made.refused[0] and made.added.verdicts == 0 and nothing_dropped(store)


def test_two_people_who_began_from_the_same_file_are_both_kept(store: Store, form: Form) -> None:
    def moved(stop: str, comment: str) -> str:
        change = {"stop": stop, "comment": comment, "jump": 2.5 if comment == "ada" else 3.5}
        return edited(store, form, lambda file: file.change(EVENTS[0].id, **change))

    texts = {"ada": moved("2030-01-01T00:02:30", "ada"), "bob": moved("2030-01-01T00:02:45", "bob")}
    notes = {
        who: merge(store, NAME, read_catalog(text, who), who).notes for who, text in texts.items()
    }
    assert not [n for n in notes["ada"] if "both are kept" in n]
    assert [n for n in notes["bob"] if "both are kept" in n]
    by_event, _ = verdicts(store.registry.db, NAME)
    said = sorted((v.author, v.verdict) for v in by_event[EVENTS[0].id])
    assert said == [("ada", "moved"), ("bob", "moved")]
    jumps = {(e.author, float(json.loads(e.value))) for e in edits(store.registry.db, NAME)}
    assert jumps == {("ada", 2.5), ("bob", 3.5)}
    again = merge(store, NAME, read_catalog(texts["ada"], "ada"), "ada")
    assert again.added.verdicts == again.added.edits == 0 and nothing_dropped(store)


def test_one_file_of_one_form_says_the_same_in_another(store: Store, form: Form) -> None:
    brought(store, form, lambda file: file.change(EVENTS[2].id, verdict="reject", comment="no"))
    for other in FORMS.values():
        text = other.write(load_catalog(store, NAME))
        made = merge(store, NAME, read_catalog(text, "x"), "bob")
        assert made.added.verdicts == made.added.edits == 0 and not made.refused


def test_a_list_with_impossible_or_doubtful_events_is_imported_not_at_all(
    store: Store, form: Form, tmp_path: Path
) -> None:
    file = tmp_path / ("list.xml" if form.edit is Votable else "list.json")
    wrong: list[Edit] = [
        lambda f: f.change(EVENTS[1].id, stop="2029-01-01T00:00:00"),
        lambda f: f.double(EVENTS[0].id, stop="2030-01-01T00:02:30"),
    ]
    for edit in wrong:
        file.write_text(edited(store, form, edit))
        with pytest.raises(UsageError):
            import_catalog(store, "lists.theirs", file)
    assert "lists.theirs" not in store.registry.datasets()
    file.write_text(edited(store, form, lambda f: f.change(EVENTS[1].id, mood="odd")))
    assert import_catalog(store, "lists.theirs", file) == 3
    theirs = {e.id: dict(e.attributes) for e in load_catalog(store, "lists.theirs").events}
    assert theirs[EVENTS[1].id]["mood"] == "odd"


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_file_that_is_cut_short_changes_nothing(store: Store, form: Form, cut: int) -> None:
    text = edited(store, form, lambda file: file.change(EVENTS[0].id, verdict="accept"))
    with pytest.raises(UsageError):
        read_catalog(text[:-cut], "file")
    assert nothing_dropped(store)
