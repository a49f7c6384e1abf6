"""What is committed is true, once, and what contradicts it never becomes so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sciqlop_pipe.errors import StoreError, UnknownName
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.records import Failure, Unchanged
from tests.ledger import commit, current, hours, made, used, values


def states(store: Store) -> list[str]:
    """Return the states of all attempts, oldest first."""
    return [a["state"] for a in reversed(store.registry.attempts())]


def test_a_committed_granule_is_current_and_reads_back(store: Store) -> None:
    record = made(store, 3, 1.5)
    assert current(store) == []
    assert commit(store, record).committed == [record]
    assert current(store) == [(3, record.uid)]
    assert values(store) == [1.5]
    assert states(store) == ["done"]


def test_the_same_result_of_another_is_dropped_with_its_file(store: Store) -> None:
    first, second = made(store), made(store)
    commit(store, first)
    assert commit(store, second).duplicates == [second]
    assert current(store) == [(0, first.uid)]
    assert (store.root / first.path).exists()
    assert not (store.root / second.path).exists()


def test_one_batch_may_hold_a_granule_twice(store: Store) -> None:
    first, second = made(store), made(store)
    done = commit(store, first, second)
    assert (done.committed, done.duplicates) == ([first], [second])


def test_a_record_reported_twice_keeps_its_file(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    done = commit(store, record)
    assert (done.repeated, done.duplicates, done.conflicts) == ([record], [], [])
    assert values(store) == [0.0]


def test_replacing_what_has_changed_meanwhile_is_a_conflict(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    ours, theirs = made(store, value=1.0, over=first), made(store, value=2.0, over=first)
    commit(store, theirs)
    assert commit(store, ours).conflicts == [ours]
    assert current(store) == [(0, theirs.uid)]
    assert not (store.root / ours.path).exists()
    assert states(store) == ["done", "done", "conflict"]


def test_a_first_granule_that_somebody_else_made_otherwise_is_a_conflict(store: Store) -> None:
    theirs = commit(store, made(store, value=1.0)).committed[0]
    assert len(commit(store, made(store, value=2.0)).conflicts) == 1
    assert current(store) == [(0, theirs.uid)]


def test_a_result_of_an_input_that_changed_is_a_conflict(store: Store) -> None:
    source = commit(store, made(store)).committed[0]
    product = made(store, dataset="toy.b", inputs=[used(source)])
    commit(store, made(store, value=1.0, over=source))
    assert commit(store, product).conflicts == [product]
    assert current(store, "toy.b") == []


def test_a_result_of_an_input_that_is_not_committed_is_a_conflict(store: Store) -> None:
    source = made(store)
    assert len(commit(store, made(store, dataset="toy.b", inputs=[used(source)])).conflicts) == 1


def test_a_result_follows_its_input_within_one_batch(store: Store) -> None:
    source = made(store)
    product = made(store, dataset="toy.b", inputs=[used(source)])
    assert commit(store, source, product).committed == [source, product]


def test_lineage_names_what_is_current_where_an_equal_input_was_dropped(store: Store) -> None:
    kept = commit(store, made(store)).committed[0]
    dropped = made(store)
    product = made(store, dataset="toy.b", inputs=[used(dropped)])
    assert commit(store, dropped, product).committed == [product]
    assert [i.ref for i in store.registry.lineage(product.uid)] == [kept.uid]


def test_a_longer_granule_replaces_all_it_covers(store: Store) -> None:
    parts = [commit(store, made(store, h)).committed[0] for h in (4, 5, 7)]
    long = replace(made(store, 4, count=4), replaces=tuple(p.uid for p in parts))
    assert commit(store, long).committed == [long]
    assert current(store) == [(4, long.uid)]


def test_a_longer_granule_that_missed_one_it_covers_is_a_conflict(store: Store) -> None:
    parts = [commit(store, made(store, h)).committed[0] for h in (4, 5)]
    long = replace(made(store, 4, count=4), replaces=(parts[0].uid,))
    assert commit(store, long).conflicts == [long]
    assert current(store) == [(4, parts[0].uid), (5, parts[1].uid)]


def test_a_shorter_granule_inside_one_that_came_meanwhile_is_a_conflict(store: Store) -> None:
    long = commit(store, made(store, 0, count=24)).committed[0]
    assert len(commit(store, made(store, 5)).conflicts) == 1
    assert commit(store, made(store, 5, over=long)).committed


def test_unchanged_inputs_are_remembered(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    commit(store, Unchanged(record.granule, record.uid, "another key"))
    commit(store, Unchanged(record.granule, record.uid, "another key"))
    assert store.registry.verified("toy.a") == {record.uid: {"another key"}}
    assert states(store) == ["done", "unchanged", "unchanged"]


def test_the_inputs_of_a_dropped_duplicate_are_remembered_of_what_it_equals(store: Store) -> None:
    base = commit(store, made(store)).committed[0]
    staged = made(store, value=1.0, over=base)
    again = replace(made(store, value=1.0, over=base), inputs_key="other files")
    commit(store, staged, stage="s")
    assert commit(store, again, stage="s").duplicates == [again]
    assert store.registry.verified("toy.a") == {staged.uid: {"other files"}}


def test_failures_are_recorded_until_they_are_made_good(store: Store) -> None:
    record = made(store)
    commit(store, Failure(record.granule, "refused", "the file is cut short"))
    (left,) = store.registry.unresolved()
    assert (left["dataset"], left["state"], left["error"]) == (
        "toy.a", "refused", "the file is cut short",
    )  # fmt: skip
    commit(store, record)
    assert store.registry.unresolved() == []


def test_a_change_of_mode_names_its_segments(store: Store) -> None:
    one, two = made(store, 0), made(store, 1)
    assert two.layout
    wide = replace(two.layout.variables[-1], shape=(3,))
    commit(store, one, replace(two, layout=replace(two.layout, variables=(wide,))))
    with pytest.raises(StoreError, match=r"changes its mode.*from 2030-01-01 .*T01:00:00"):
        store.read("toy.a")
    assert store.read("toy.a", hours(0).start, hours(0).stop).sizes["time"] == 4


def test_an_unknown_name_is_answered_with_near_ones(store: Store) -> None:
    commit(store, made(store))
    with pytest.raises(UnknownName, match=r"Did you mean toy\.a"):
        store.read("toy.aa")


def test_a_range_without_records_is_said(store: Store) -> None:
    commit(store, made(store))
    with pytest.raises(UnknownName, match="no records"):
        store.read("toy.a", "2031-01-01", "2031-01-02")


#: Steps of a history: hour, length, value.
STEPS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=12
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(STEPS)
def test_as_of_every_moment_reads_exactly_what_was_current_then(
    store: Store, steps: list[tuple[int, int, int]]
) -> None:
    """Granules of any length over each other: at each moment none overlap, and none is lost."""
    name = f"toy.d{len(store.registry.datasets())}"
    truth: dict[str, Interval] = {}
    history: list[tuple[int, list[str]]] = []
    for hour, count, value in steps:
        span = hours(hour, count)
        over = tuple(uid for uid, where in truth.items() if where.overlaps(span))
        record = replace(made(store, hour, value, count=count, dataset=name), replaces=over)
        done = commit(store, record)
        if done.committed:
            truth = {u: w for u, w in truth.items() if u not in over} | {record.uid: span}
        else:
            assert done.duplicates
        history.append((done.tx, sorted(truth)))
    for tx, then in history:
        assert sorted(uid for _, uid in current(store, name, as_of=tx)) == then
    assert sorted(uid for _, uid in current(store, name)) == history[-1][1]
    with store.registry.db.read() as conn:
        spans = conn.execute(schema.currency.select().where(schema.currency.c.dataset == name))
        assert all(s.tx_to is None or s.tx_to > s.tx_from for s in spans)
