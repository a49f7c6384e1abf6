"""A staged run becomes current as a whole or not at all, and comes off as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sciqlop_pipe.errors import Conflict, UsageError
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Record
from sciqlop_pipe.store.staging import (
    BaseMoved,
    make_release,
    publish,
    rollback,
    stages,
    unstage,
)
from tests.ledger import commit, current, made, used, values


@pytest.fixture
def base(store: Store) -> list[Record]:
    return [commit(store, made(store, h)).committed[0] for h in range(3)]


def stage(store: Store, *records: Record) -> None:
    assert commit(store, *records, stage="s").committed == list(records)


def test_a_staged_run_is_seen_only_by_itself(store: Store, base: list[Record]) -> None:
    new = made(store, 1, 1.0, over=base[1])
    stage(store, new)
    assert values(store) == [0.0]
    assert values(store, stage="s") == [0.0, 1.0]
    assert [u for _, u in current(store, stage="s")] == [base[0].uid, new.uid, base[2].uid]
    assert stages(store.registry) == {"s": 1}


def test_publishing_is_one_transaction_and_as_of_is_exact(store: Store, base: list[Record]) -> None:
    new = [made(store, h, 1.0, over=base[h]) for h in range(3)]
    stage(store, *new)
    before = make_release(store.registry, "before")
    assert publish(store.registry, "s") == 3
    after = make_release(store.registry, "after")
    with store.registry.db.read() as conn:
        times = conn.exec_driver_sql("select distinct tx from publication").scalars().all()
    assert len(times) == 1
    (tx,) = times
    assert before < tx < after
    assert values(store) == [1.0]
    for moment in (before, tx - 1, "before"):
        assert values(store, as_of=moment) == [0.0]
    for moment in (tx, after, "after"):
        assert values(store, as_of=moment) == [1.0]
    assert stages(store.registry) == {}


def test_a_stage_nobody_knows_is_answered_with_near_ones(store: Store) -> None:
    stage(store, made(store))
    with pytest.raises(UsageError, match=r"no staged run 'ss'.*Did you mean s"):
        publish(store.registry, "ss")


def test_a_base_that_moved_is_refused_with_the_list(store: Store, base: list[Record]) -> None:
    stage(store, *(made(store, h, 1.0, over=base[h]) for h in range(3)))
    commit(store, made(store, 1, 2.0, over=base[1]))
    with pytest.raises(BaseMoved, match=r"1 granules.*toy\.a/20300101T0100.*--rebase") as error:
        publish(store.registry, "s")
    assert [str(m.granule) for m in error.value.moved] == ["toy.a/20300101T0100"]
    assert values(store) == [0.0, 2.0]
    assert stages(store.registry) == {"s": 3}


def test_a_granule_that_appeared_meanwhile_is_a_moved_base(store: Store) -> None:
    stage(store, made(store, 5, 1.0))
    commit(store, made(store, 5, 2.0))
    with pytest.raises(BaseMoved):
        publish(store.registry, "s")


def test_an_input_that_moved_is_a_moved_base(store: Store, base: list[Record]) -> None:
    stage(store, made(store, 0, dataset="toy.b", inputs=[used(base[0])]))
    commit(store, made(store, 0, 2.0, over=base[0]))
    with pytest.raises(BaseMoved, match=r"input toy\.a is no longer current"):
        publish(store.registry, "s")


def test_an_input_replaced_by_the_same_content_has_not_moved(
    store: Store, base: list[Record]
) -> None:
    stage(store, made(store, 0, dataset="toy.b", inputs=[used(base[0])]))
    commit(store, replace(made(store, 0, over=base[0]), fingerprint="by newer code"))
    assert publish(store.registry, "s") == 1


def test_a_staged_input_counts_before_the_current_one(store: Store, base: list[Record]) -> None:
    new = made(store, 0, 1.0, over=base[0])
    stage(store, new)
    product = made(store, 0, dataset="toy.b", inputs=[used(new)])
    stage(store, product)
    assert commit(store, made(store, 1, dataset="toy.b", inputs=[used(new)]), stage="s").committed
    assert publish(store.registry, "s") == 3


def test_a_product_of_a_staged_input_that_was_staged_anew_has_moved(
    store: Store, base: list[Record]
) -> None:
    product = made(store, 0, dataset="toy.b", inputs=[used(base[0])])
    stage(store, product)
    stage(store, made(store, 0, 1.0, over=base[0]))
    with pytest.raises(BaseMoved, match=r"input toy\.a"):
        publish(store.registry, "s")


def test_what_is_staged_twice_still_replaces_the_first_base(
    store: Store, base: list[Record]
) -> None:
    first = made(store, 1, 1.0, over=base[1])
    stage(store, first)
    commit(store, made(store, 1, 5.0, over=base[1]))
    stage(store, made(store, 1, 2.0, over=first))
    with pytest.raises(BaseMoved):
        publish(store.registry, "s")


def test_unstaged_granules_are_staged_on_what_is_current(store: Store, base: list[Record]) -> None:
    old = made(store, 1, 1.0, over=base[1])
    stage(store, old, made(store, 2, 1.0, over=base[2]))
    moved = commit(store, made(store, 1, 5.0, over=base[1])).committed[0]
    unstage(store.registry, "s", [old.granule])
    assert values(store, stage="s") == [0.0, 5.0, 1.0]
    stage(store, made(store, 1, 1.0, over=moved))
    assert publish(store.registry, "s") == 2
    assert values(store) == [0.0, 1.0]


def test_longer_granules_are_staged_over_shorter_ones_and_back(
    store: Store, base: list[Record]
) -> None:
    day = replace(made(store, 0, 1.0, count=24), replaces=tuple(b.uid for b in base))
    stage(store, day)
    hour = made(store, 1, 2.0, over=day)
    stage(store, hour)
    assert publish(store.registry, "s") == 1
    assert [h for h, _ in current(store)] == [0, 1, 2]


def test_shorter_granules_are_staged_over_a_longer_one(store: Store) -> None:
    day = commit(store, made(store, 0, count=24)).committed[0]
    stage(store, made(store, 0, 1.0, over=day))
    stage(store, made(store, 1, 1.0))
    assert [h for h, _ in current(store, stage="s")] == [0, 1]
    assert publish(store.registry, "s") == 2
    rollback(store.registry, "s")
    assert current(store) == [(0, day.uid)]


def test_a_rollback_brings_everything_back_and_history_stays(
    store: Store, base: list[Record]
) -> None:
    was = current(store)
    stage(store, *(made(store, h, 1.0, over=base[h]) for h in (0, 2)), made(store, 7, 1.0))
    publish(store.registry, "s")
    published = make_release(store.registry, "published")
    assert rollback(store.registry, "s") == 2
    assert current(store) == was
    assert values(store, as_of=published) == [1.0, 0.0]
    with pytest.raises(UsageError, match="not published"):
        rollback(store.registry, "s")


def test_a_rollback_is_refused_with_the_list_when_newer_results_followed(
    store: Store, base: list[Record]
) -> None:
    new = made(store, 1, 1.0, over=base[1])
    stage(store, new, made(store, 0, 1.0, over=base[0]))
    publish(store.registry, "s")
    commit(store, made(store, 1, 2.0, over=new))
    with pytest.raises(Conflict, match=r"newer granules followed \(toy\.a/20300101T0100\)"):
        rollback(store.registry, "s")
    assert values(store) == [1.0, 2.0, 0.0]


def test_a_rollback_never_makes_two_granules_overlap(store: Store) -> None:
    day = commit(store, made(store, 0, count=24)).committed[0]
    stage(store, made(store, 0, 1.0, over=day))
    publish(store.registry, "s")
    other = commit(store, made(store, 5, 2.0)).committed[0]
    with pytest.raises(Conflict, match=r"toy\.a/20300101T0500"):
        rollback(store.registry, "s")
    assert other.uid in [u for _, u in current(store)]


def test_a_stage_may_be_published_again_under_its_name(store: Store, base: list[Record]) -> None:
    first = made(store, 1, 1.0, over=base[1])
    stage(store, first)
    publish(store.registry, "s")
    stage(store, made(store, 1, 2.0, over=first))
    publish(store.registry, "s")
    rollback(store.registry, "s")
    assert values(store) == [0.0, 1.0]
    rollback(store.registry, "s")
    assert values(store) == [0.0]


def test_a_release_name_is_given_once(store: Store, base: list[Record]) -> None:
    make_release(store.registry, "v1")
    with pytest.raises(UsageError, match="a release 'v1' already"):
        make_release(store.registry, "v1")


def test_a_moment_that_is_neither_time_nor_release_is_refused(
    store: Store, base: list[Record]
) -> None:
    make_release(store.registry, "v1")
    with pytest.raises(UsageError, match=r"'v2' is neither a release nor a time.*v1"):
        store.read("toy.a", as_of="v2")
