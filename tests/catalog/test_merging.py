"""What people did elsewhere comes back with its history; nothing is dropped, nothing is invented."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sciqlop_pipe.catalog import (
    Merge,
    import_catalog,
    judged,
    load_catalog,
    merge,
    read_catalog,
    to_csv,
    to_json,
    to_tscat,
    to_votable,
)  # fmt: skip
from sciqlop_pipe.errors import UnknownName, UsageError
from sciqlop_pipe.granule import MINUTE, instant, iso
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import verdicts
from sciqlop_pipe.store.records import Record
from sciqlop_pipe.store.statements import edits
from tests.ledger import BEGIN, commit, event, found

NAME = "toy.events"
Change = Callable[[list[dict[str, Any]]], object]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        yield opened


@pytest.fixture
def before(store: Store) -> Record:
    return commit(store, found([event(1), event(5), event(9)])).committed[0]


def edited(store: Store, change: Change) -> str:
    """Return the catalog as TSCat's JSON with changes that a person made."""
    data = json.loads(to_tscat(load_catalog(store, NAME)))
    change(data["events"])
    return json.dumps(data)


def brought(store: Store, change: Change, author: str = "ada") -> Merge:
    return merge(store, NAME, read_catalog(edited(store, change), "x"), author)


def said(store: Store) -> list[tuple[str, str, str]]:
    by_event, lost = verdicts(store.registry.db, NAME)
    return sorted((v.author, v.verdict, v.comment) for vs in (*by_event.values(), lost) for v in vs)


def test_a_verdict_comes_back_once(store: Store, before: Record) -> None:
    def accept(events: list[dict[str, Any]]) -> None:
        events[0] |= {"verdict": "accept", "comment": "clear"}

    text = edited(store, accept)
    first, again = (merge(store, NAME, read_catalog(text, "x"), "ada") for _ in range(2))
    assert said(store) == [("ada", "accept", "clear")]
    assert (first.added.verdicts, again.added.verdicts) == (1, 0) and not first.notes


def test_a_table_that_nobody_touched_repeats_no_verdict_and_shows_disputes(
    store: Store, before: Record
) -> None:
    brought(store, lambda events: events[0].update(verdict="reject", comment="a wave"))
    brought(store, lambda events: events[1].update(verdict="reject"))
    brought(store, lambda events: events[1].update(verdict="accept", verdict_author="ben"))
    table = to_csv(load_catalog(store, NAME))
    shown = [row["verdict"] for row in csv.DictReader(io.StringIO(table))]
    assert shown == ["reject", "disputed", ""]
    known = said(store)
    untouched = merge(store, NAME, read_catalog(table, "x.csv"), "eve")
    assert said(store) == known and not untouched.refused
    merge(store, NAME, read_catalog(table.replace("disputed", "accept"), "x.csv"), "ada")
    assert said(store) == known, "what ben said last is what the table says"
    merge(store, NAME, read_catalog(table.replace("disputed", "reject"), "x.csv"), "ben")
    assert said(store) == sorted([*known, ("ben", "reject", "")])


@pytest.mark.parametrize("write", [to_tscat, to_votable, to_json])
def test_what_nobody_touched_says_nothing(store: Store, before: Record, write) -> None:
    brought(store, lambda events: events[0].update(verdict="reject"))
    brought(store, lambda events: events[1].update(stop=iso(BEGIN + 8 * MINUTE)))
    text = write(load_catalog(store, NAME))
    made = merge(store, NAME, read_catalog(text, "x"), "bob")
    assert made.verdicts == made.edits == made.notes == () or made.added.verdicts == 0
    assert made.added.verdicts == made.added.edits == 0


def test_moved_times_become_a_verdict_and_the_event_stays(store: Store, before: Record) -> None:
    made = brought(store, lambda events: events[1].update(stop="2030-01-01T00:07:30"))
    (verdict,) = made.verdicts
    assert (verdict.verdict, verdict.author) == ("moved", "ada")
    assert (verdict.start, verdict.stop) == (BEGIN + 5 * MINUTE, instant("2030-01-01T00:07:30"))
    assert load_catalog(store, NAME).events == before.events


def test_unknown_attributes_and_changed_ones_are_edits(store: Store, before: Record) -> None:
    made = brought(store, lambda events: events[0].update(jump=2.5, mood="odd", kind="fall"))
    assert sorted((e.name, e.was, e.value) for e in edits(store.registry.db, NAME)) == [
        ("jump", "1.5", "2.5"), ("kind", '"rise"', '"fall"'), ("mood", "null", '"odd"'),
    ]  # fmt: skip
    assert [n for n in made.notes if "no attribute 'mood'" in n]
    assert load_catalog(store, NAME).events == before.events


def test_two_people_at_once_are_both_kept_with_a_note(store: Store, before: Record) -> None:
    texts = {
        who: edited(store, lambda events, m=minute, w=who: events[0].update(
            start=f"2030-01-01T00:0{m}:30", verdict="", jump=m + 2.5, comment=w))
        for who, minute in (("ada", 1), ("bob", 0))
    }  # fmt: skip
    first = merge(store, NAME, read_catalog(texts["ada"], "x"), "ada")
    second = merge(store, NAME, read_catalog(texts["bob"], "x"), "bob")
    assert not [n for n in first.notes if "both are kept" in n]
    assert len([n for n in second.notes if "both are kept" in n]) == 2
    assert [(a, v) for a, v, _ in said(store)] == [("ada", "moved"), ("bob", "moved")]
    assert [(e.author, e.value) for e in edits(store.registry.db, NAME)] == [
        ("ada", "3.5"), ("bob", "2.5"),
    ]  # fmt: skip


def test_merges_at_the_same_moment_lose_nothing(store: Store, before: Record) -> None:
    def text(k: int) -> str:
        return edited(store, lambda events: events[k % 3].update(verdict="accept", comment=str(k)))

    texts = [text(k) for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(
            lambda k: merge(store, NAME, read_catalog(texts[k % 8], "x"), f"p{k % 8}"), range(16)
        ))  # fmt: skip
    assert said(store) == sorted((f"p{k}", "accept", str(k)) for k in range(8))


def test_an_event_of_ones_own_was_missed(store: Store, before: Record) -> None:
    new = {
        "uuid": "",
        "start": "2030-01-01T00:20:00",
        "stop": "2030-01-01T00:21:00",
        "kind": "rise",
        "who": 1,
    }
    made = brought(store, lambda events: events.append(new))
    (verdict,) = made.verdicts
    assert (verdict.verdict, verdict.start) == (
        "missed",
        BEGIN + 20 * MINUTE,
    ) and '"who": 1' in verdict.comment
    assert "missed" in made.notes[0]
    assert brought(store, lambda events: events.append(new)).added.verdicts == 0


def test_what_is_not_in_the_file_stays_with_a_note(store: Store, before: Record) -> None:
    made = brought(store, lambda events: events.pop(1))
    assert (
        made.added.verdicts == 0 and "1 events of the catalog are not in the file" in made.notes[0]
    )
    assert len(load_catalog(store, NAME).events) == 3


def test_nonsense_is_refused_by_row_and_the_rest_is_taken(store: Store, before: Record) -> None:
    def change(events: list[dict[str, Any]]) -> None:
        events[0]["verdict"] = "acept"
        events[1]["stop"] = "2029-01-01T00:00:00"
        events[2]["verdict"] = "accept"

    made = brought(store, change)
    assert len(made.refused) == 2 and made.added.verdicts == 1
    assert any("Did you mean accept?" in r for r in made.refused)
    assert any("before it starts" in r for r in made.refused)


def test_what_was_said_of_a_replaced_event_follows_it(store: Store, before: Record) -> None:
    text = edited(store, lambda events: events[0].update(verdict="reject"))
    longer = event(1, 2)
    commit(store, found([longer, event(5), event(9)], over=before))
    made = merge(store, NAME, read_catalog(text, "x"), "ada")
    assert any("was replaced since" in n for n in made.notes)
    by_event, lost = verdicts(store.registry.db, NAME)
    assert [v.verdict for v in by_event[longer.id]] == ["reject"] and not lost


def test_a_catalog_as_people_see_it(store: Store, before: Record) -> None:
    def change(events: list[dict[str, Any]]) -> None:
        events[0]["verdict"] = "reject"
        events[1] |= {"stop": "2030-01-01T00:07:30", "jump": 9.0}
        events.append({"start": "2030-01-01T00:20:00", "stop": "2030-01-01T00:21:00"})

    brought(store, change)
    seen = judged(store, load_catalog(store, NAME)).events
    assert [(e.kind, e.stop) for e in seen] == [
        ("rise", instant("2030-01-01T00:07:30")), ("rise", BEGIN + 10 * MINUTE),
        ("missed", BEGIN + 21 * MINUTE),
    ]  # fmt: skip
    assert dict(seen[0].attributes)["jump"] == 9.0


def test_an_unknown_catalog_and_nobody_are_refused(store: Store, before: Record) -> None:
    nothing = read_catalog('{"events": []}', "x")
    with pytest.raises(UnknownName, match="Did you mean toy.events"):
        merge(store, "toy.event", nothing, "ada")
    with pytest.raises(UsageError, match="who says so"):
        merge(store, NAME, nothing, " ")


def test_a_list_with_an_impossible_event_is_not_imported(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("start,stop\n2030-01-01,2030-01-02\n2030-01-02,2030-01-01\n")
    with pytest.raises(UsageError, match="row 2: it ends"):
        import_catalog(store, "lists.mine", file)
    file.write_text("start,stop\n2030-01-01,2030-01-02\n")
    assert import_catalog(store, "lists.mine", file) == 1
    file.write_text("start,stop,verdict\n2030-01-01,2030-01-02,accept\n")
    assert (
        merge(store, "lists.mine", read_catalog(file.read_text(), "x"), "ada").added.verdicts == 1
    )


def test_a_list_in_votable_or_of_tscat_is_imported(
    store: Store, before: Record, tmp_path: Path
) -> None:
    for write, name in ((to_votable, "a.xml"), (to_tscat, "a.json")):
        (tmp_path / name).write_text(write(load_catalog(store, NAME)))
        import_catalog(store, f"lists.{name[2:]}", tmp_path / name)
        assert load_catalog(store, f"lists.{name[2:]}").events == before.events
