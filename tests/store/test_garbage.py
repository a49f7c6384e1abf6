"""Garbage collection takes what nothing refers to, late, and never leaves a hole behind."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import xarray as xr

from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.granule import DAY
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.events import current_events
from sciqlop_pipe.store.garbage import Garbage, collect, find_garbage, usage
from sciqlop_pipe.store.leases import Leases
from sciqlop_pipe.store.records import Record
from sciqlop_pipe.store.staging import make_release, publish, rollback, unstage
from tests.ledger import commit, current, event, found, hours, made, values


def later(days: float = 8) -> int:
    return time.time_ns() + int(days * DAY)


def uids(garbage: list[Garbage]) -> set[str]:
    return {g.uid for g in garbage}


@pytest.fixture
def old(store: Store) -> Record:
    """A granule that has been superseded."""
    first = commit(store, made(store)).committed[0]
    commit(store, made(store, value=1.0, over=first))
    return first


def test_a_dry_run_takes_nothing(store: Store, old: Record) -> None:
    (item,) = find_garbage(store, "7d", now=later())
    assert (item.uid, item.path) == (old.uid, old.path)
    assert item.nbytes == (store.root / old.path).stat().st_size
    assert (store.root / old.path).exists()


def test_what_was_superseded_lately_stays(store: Store, old: Record) -> None:
    assert find_garbage(store, "7d") == []
    assert find_garbage(store, "7d", now=later(6.9)) == []


def test_collected_granules_are_gone_and_what_is_current_reads(store: Store, old: Record) -> None:
    assert collect(store, find_garbage(store, now=later())) == old.nbytes
    assert not (store.root / old.path).exists()
    assert values(store) == [1.0]
    assert list(check_store(store, content=True)) == []
    assert find_garbage(store, now=later()) == []


def test_what_is_staged_stays_until_it_is_unstaged(store: Store) -> None:
    staged = commit(store, made(store), stage="s").committed[0]
    assert find_garbage(store, now=later()) == []
    unstage(store.registry, "s", [staged.granule])
    assert uids(find_garbage(store, now=later())) == {staged.uid}


def test_what_a_release_names_stays(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    make_release(store.registry, "v1")
    second = commit(store, made(store, value=1.0, over=first)).committed[0]
    commit(store, made(store, value=2.0, over=second))
    assert uids(find_garbage(store, now=later())) == {second.uid}
    collect(store, find_garbage(store, now=later()))
    assert values(store, as_of="v1") == [0.0]


def test_what_somebody_works_on_stays(store: Store, old: Record) -> None:
    with Leases(store.registry.db, "run", ttl=30 * 86_400) as leases:
        leases.acquire([old.granule])
        assert find_garbage(store, now=later()) == []
    assert uids(find_garbage(store, now=later())) == {old.uid}


def test_what_a_worker_has_written_and_nobody_committed_stays_while_leased(store: Store) -> None:
    record = made(store)
    with Leases(store.registry.db, "run", ttl=30 * 86_400) as leases:
        leases.acquire([record.granule])
        assert find_garbage(store, now=later()) == []
    (orphan,) = find_garbage(store, now=later())
    assert (orphan.path, orphan.uid) == (record.path, "")


def test_orphans_go_after_the_grace_period(store: Store) -> None:
    record = made(store)
    torn = (store.root / record.path).with_name(".part-20300101T0100-torn.zip")
    torn.write_bytes(b"half")
    tree = (store.root / record.path).with_name("20300101T0200-abc.zarr")
    (tree / "c").mkdir(parents=True)
    (tree / "c" / "0").write_bytes(b"chunk")
    assert find_garbage(store) == []
    garbage = find_garbage(store, now=later())
    assert {Path(g.path).name for g in garbage} == {Path(record.path).name, torn.name, tree.name}
    assert collect(store, garbage) == record.nbytes + 4 + 5
    assert [p for p in store.root.rglob("*") if p.is_file() and "data" in p.parts] == []


def test_what_became_current_again_since_it_was_found_stays(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    commit(store, made(store, value=1.0, over=first), stage="s")
    publish(store.registry, "s")
    garbage = find_garbage(store, now=later())
    assert uids(garbage) == {first.uid}
    rollback(store.registry, "s")
    assert collect(store, garbage) == 0
    assert values(store) == [0.0]


def test_what_was_committed_since_it_was_found_as_an_orphan_stays(store: Store) -> None:
    record = made(store)
    garbage = find_garbage(store, now=later())
    commit(store, record)
    assert collect(store, garbage) == 0
    assert values(store) == [0.0]


def test_a_rollback_to_what_was_collected_is_refused(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    commit(store, made(store, value=1.0, over=first), stage="s")
    publish(store.registry, "s")
    collect(store, find_garbage(store, now=later()))
    with pytest.raises(StoreError, match="garbage collection has taken"):
        rollback(store.registry, "s")
    assert values(store) == [1.0]


def test_the_past_raises_with_the_earliest_exact_time_and_never_has_a_hole(store: Store) -> None:
    other = commit(store, made(store, 1)).committed[0]
    first = commit(store, made(store)).committed[0]
    before = make_release(store.registry, "x")
    with store.registry.db.write() as conn:
        conn.exec_driver_sql("delete from release")
    second = commit(store, made(store, value=1.0, over=first))
    collect(store, find_garbage(store, now=later()))
    with pytest.raises(StoreError, match="The earliest exact time is") as error:
        store.read("toy.a", as_of=before)
    moment = re.search(r"earliest exact time is (\S+)\.?$", str(error.value))
    assert moment is not None
    assert values(store, as_of=moment[1]) == [1.0, 0.0]
    assert store.when(moment[1]) == second.tx
    with pytest.raises(StoreError, match="garbage collection"):
        store.read("toy.a", as_of=second.tx - 1)
    hour = hours(1)
    assert values(store, start=hour.start, stop=hour.stop, as_of=before) == [0.0]
    assert (1, other.uid) in current(store)


def test_an_open_reader_keeps_what_it_opened_for_the_grace_period(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    reader = xr.open_dataset(store.root, engine="sciqlop", dataset="toy.a")
    commit(store, made(store, value=1.0, over=first))
    collect(store, find_garbage(store, "7d"))
    assert reader["value"].values.tolist() == [0.0] * 4
    reader.close()


def test_an_open_reader_of_what_was_collected_is_told_and_gets_no_hole(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    reader = xr.open_dataset(store.root, engine="sciqlop", dataset="toy.a")
    commit(store, made(store, value=1.0, over=first))
    collect(store, find_garbage(store, now=later()))
    with pytest.raises(StoreError, match=r"gone|not there|does not read"):
        reader["value"].load()
    again = xr.open_dataset(store.root, engine="sciqlop", dataset="toy.a")
    assert again["value"].values.tolist() == [1.0] * 4


def test_events_of_the_past_outlive_collection(store: Store) -> None:
    first = commit(store, found([event(1)])).committed[0]
    then = commit(store, made(store)).tx
    commit(store, found([event(2)], over=first))
    collect(store, find_garbage(store, now=later()))
    assert current_events(store.registry.db, "toy.events", as_of=then) == [event(1)]


def test_usage_tells_current_from_the_rest(store: Store, old: Record) -> None:
    (row,) = usage(store)
    assert (row.dataset, row.granules) == ("toy.a", 1)
    assert row.other == old.nbytes
    assert row.current == sum(
        (store.root / r.path).stat().st_size for r in store.registry.current("toy.a") if r.path
    )
