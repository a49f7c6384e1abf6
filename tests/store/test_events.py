"""Events are replaced with their granule, and what people said of them follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.errors import UnknownName, UsageError
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import (
    Verdict,
    add_verdict,
    current_events,
    event_datasets,
    find_event,
    iou,
    successors,
    verdicts,
)
from sciqlop_pipe.store.records import Event, Record
from sciqlop_pipe.store.staging import publish, rollback
from tests.ledger import BEGIN, commit, event, found, hours

NAME = "toy.events"


def replace_all(store: Store, before: Record, *events: Event, **options: object) -> Record:
    return commit(store, found(events, over=before, **options)).committed[0]  # type: ignore[arg-type]


def say(store: Store, event: Event, verdict: str = "accept") -> None:
    add_verdict(store.registry.db, Verdict(event.id, NAME, "me", verdict))


def heard(store: Store) -> tuple[dict[str, list[str]], list[str]]:
    """Return the verdicts by event, and those without one."""
    said, lost = verdicts(store.registry.db, NAME)
    return {id: [v.verdict for v in many] for id, many in said.items()}, [v.verdict for v in lost]


minutes = st.builds(
    event, st.integers(0, 50), st.integers(0, 9), kind=st.sampled_from(["in", "out"])
)


@given(st.lists(minutes, unique_by=lambda e: e.id), st.lists(minutes, unique_by=lambda e: e.id))
def test_succession_is_one_to_one_between_like_events(old: list[Event], new: list[Event]) -> None:
    pairs = successors(old, new)
    by_id = {e.id: e for e in (*old, *new)}
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    for a, b in pairs:
        assert by_id[a].kind == by_id[b].kind
        assert iou(by_id[a], by_id[b]) >= 0.5
    assert {a for a, _ in successors(old, old)} == {e.id for e in old}


def test_events_are_current_with_their_granule(store: Store) -> None:
    first = commit(store, found([event(1), event(5)])).committed[0]
    then = commit(store, found([event(70)], hour=1)).tx
    replace_all(store, first, event(5))
    db = store.registry.db
    assert current_events(db, NAME) == [event(5), event(70)]
    assert current_events(db, NAME, as_of=then) == [event(1), event(5), event(70)]
    assert current_events(db, NAME, hours(1)) == [event(70)]
    assert event_datasets(db) == {NAME: 2}


def test_a_verdict_follows_the_event_that_replaces_its_own(store: Store) -> None:
    old, newer, newest = event(10, 10), event(11, 10), event(12, 10)
    first = commit(store, found([old])).committed[0]
    say(store, old, "reject")
    second = replace_all(store, first, newer)
    assert heard(store) == ({newer.id: ["reject"]}, [])
    replace_all(store, second, newest)
    assert heard(store) == ({newest.id: ["reject"]}, [])


def test_a_verdict_on_an_event_that_vanished_is_listed_not_dropped(store: Store) -> None:
    old = event(10)
    first = commit(store, found([old, event(20)])).committed[0]
    say(store, old)
    replace_all(store, first, event(20))
    assert heard(store) == ({}, ["accept"])


def test_a_verdict_finds_its_event_again_when_a_later_run_does(store: Store) -> None:
    old, back = event(10, 10), event(11, 10)
    first = commit(store, found([old])).committed[0]
    say(store, old)
    second = replace_all(store, first)
    assert heard(store) == ({}, ["accept"])
    replace_all(store, second, back)
    assert heard(store) == ({back.id: ["accept"]}, [])


def test_an_event_of_another_kind_succeeds_nothing(store: Store) -> None:
    old = event(10, 10, kind="in")
    first = commit(store, found([old])).committed[0]
    say(store, old)
    replace_all(store, first, event(10, 10, kind="out"))
    assert heard(store) == ({}, ["accept"])


def test_verdicts_follow_when_granules_become_longer(store: Store) -> None:
    old = [event(10 + 60 * h, 10) for h in range(3)]
    new = [event(11 + 60 * h, 10) for h in range(3)]
    parts = [commit(store, found([e], hour=h)).committed[0] for h, e in enumerate(old)]
    for e in old:
        say(store, e)
    from dataclasses import replace

    long = replace(found(new, count=24), replaces=tuple(p.uid for p in parts))
    assert commit(store, long).committed
    assert heard(store) == ({e.id: ["accept"] for e in new}, [])


def test_verdicts_follow_when_granules_become_shorter_one_by_one(store: Store) -> None:
    old = [event(10 + 60 * h, 10) for h in range(3)]
    new = [event(11 + 60 * h, 10) for h in range(3)]
    long = commit(store, found(old, count=24)).committed[0]
    for e in old:
        say(store, e)
    for h, e in enumerate(new):
        assert commit(store, found([e], hour=h, over=None if h else long)).committed
    assert heard(store) == ({e.id: ["accept"] for e in new}, [])


def test_granules_replaced_together_share_one_best_succession(store: Store) -> None:
    """The best match of the whole transaction counts, not that of the granule that came first."""
    old = event(58, 6)
    poor, good = event(55, 6), event(59, 6, kind="rise")
    a = commit(store, found([old])).committed[0]
    b = commit(store, found([], hour=1)).committed[0]
    say(store, old)
    commit(store, found([poor], over=a), found([good], hour=1, over=b))
    assert heard(store) == ({good.id: ["accept"]}, [])


def test_verdicts_follow_publication_and_rollback(store: Store) -> None:
    old, new = event(10, 10), event(11, 10)
    first = commit(store, found([old])).committed[0]
    say(store, old, "accept")
    for _ in range(2):
        commit(store, found([new], over=first), stage="s")
        publish(store.registry, "s")
        assert heard(store)[1] == []
        assert list(heard(store)[0]) == [new.id]
        rollback(store.registry, "s")
        assert heard(store) == ({old.id: ["accept"]}, [])
    other = event(9, 10)
    commit(store, found([other], over=first), stage="s")
    publish(store.registry, "s")
    rollback(store.registry, "s")
    commit(store, found([new], over=first))
    assert heard(store) == ({new.id: ["accept"]}, [])


def test_an_event_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    commit(store, found([event(1), event(2)]))
    assert find_event(store.registry.db, event(1).id[:8]) == (NAME, event(1))
    with pytest.raises(UnknownName, match="no event 'zz'"):
        find_event(store.registry.db, "zz")
    with pytest.raises(UnknownName, match="no event '%'"):
        find_event(store.registry.db, "%")
    with pytest.raises(UsageError, match="2 events begin"):
        find_event(store.registry.db, "")


def test_a_word_that_is_no_verdict_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="not a verdict"):
        say(store, event(1), "nice")


def test_attributes_come_back_as_they_were(store: Store) -> None:
    rich = Event("x", "in", BEGIN, BEGIN + 1, (("normal", [1.0, 0.5, 0.0]), ("by", "MVA")))
    commit(store, found([rich]))
    assert current_events(store.registry.db, NAME) == [rich]
