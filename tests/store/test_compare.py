"""Two stores are the same when the same is current in them, however it came about."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciqlop_pipe.store import Store
from sciqlop_pipe.store.compare import contents, contents_on_disk, digest
from tests.ledger import commit, event, found, made


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "other", create=True, durable=False)


def test_order_history_and_names_do_not_matter(store: Store, other: Store) -> None:
    commit(store, made(store, 0), made(store, 1, 2.0), found([event(1)]))
    commit(other, found([event(1)]))
    old = commit(other, made(other, 1, 7.0)).committed[0]
    commit(other, made(other, 1, 2.0, over=old))
    commit(other, made(other, 0))
    assert digest(contents(store)) == digest(contents(other))
    assert contents_on_disk(store) == contents_on_disk(other) == contents(store)


def test_a_missing_event_is_a_difference(store: Store, other: Store) -> None:
    commit(store, found([event(1), event(2)]))
    commit(other, found([event(1), event(2)]))
    with other.registry.db.write() as conn:
        conn.exec_driver_sql(f"delete from event where id = '{event(2).id}'")
    (missing,) = set(contents(store)) - set(contents(other))
    assert missing.fingerprint == event(2).id
    assert digest(contents(store)) != digest(contents(other))


def test_what_is_on_disk_counts_not_what_was_promised(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    assert contents_on_disk(store) == contents(store)
    assert record.path
    (store.root / record.path).write_bytes(b"half")
    (item,) = contents_on_disk(store)
    assert item.content.startswith("unreadable")
