"""What exists only in the registry survives in a backup, the rest in the tree."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy.event import listens_for

from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.backup import backup, rebuild, restore
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.compare import contents
from sciqlop_pipe.store.events import Verdict, add_verdict, current_events, verdicts
from sciqlop_pipe.store.garbage import collect, find_garbage
from sciqlop_pipe.store.records import Failure, Record
from sciqlop_pipe.store.staging import make_release, stages
from tests.ledger import commit, current, event, found, made, used, values

NAME = "toy.events"


@pytest.fixture
def full(store: Store) -> Store:
    """A store with a bit of everything."""
    first = commit(store, made(store)).committed[0]
    make_release(store.registry, "v1")
    newer = commit(store, made(store, value=1.0, over=first)).committed[0]
    commit(store, made(store, dataset="toy.b", inputs=[used(newer)]))
    commit(store, made(store, 3, 2.0), stage="s")
    events = commit(store, found([event(10, 10), event(30)])).committed[0]
    add_verdict(store.registry.db, Verdict(event(10, 10).id, NAME, "me", "reject", comment="n≈0"))
    commit(store, found([event(11, 10), event(30)], over=events))
    commit(store, Failure(made(store, 5).granule, "refused", "cut short"))
    return store


def without_registry(store: Store) -> Store:
    """Return the store after its registry was lost and an empty one made."""
    store.close()
    for file in store.root.glob("registry.sqlite*"):
        file.unlink()
    Store.create_registry(store.root)
    return Store.open(store.root)


def tables(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.registry.db.read() as conn:
        return {
            t.name: sorted((tuple(r) for r in conn.execute(t.select())), key=repr)
            for t in schema.metadata.sorted_tables
        }


def test_a_backup_restores_every_row(full: Store, tmp_path: Path) -> None:
    file = tmp_path / "monday.jsonl.gz"
    count, before = backup(full.registry, file), tables(full)
    assert count == sum(map(len, before.values()))
    with without_registry(full) as again:
        assert restore(again.registry, file) == count
        assert tables(again) == before
        assert all(p.harmless for p in check_store(again, content=True))
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_events_and_verdicts_survive_a_backup(full: Store, tmp_path: Path) -> None:
    backup(full.registry, tmp_path / "b.gz")
    with without_registry(full) as again:
        restore(again.registry, tmp_path / "b.gz")
        assert current_events(again.registry.db, NAME) == [event(11, 10), event(30)]
        said, lost = verdicts(again.registry.db, NAME)
        assert [v.comment for v in said[event(11, 10).id]] == ["n≈0"]
        assert lost == []


def test_life_goes_on_after_a_restore(full: Store, tmp_path: Path) -> None:
    """New rows get new numbers, and the transaction time does not go back."""
    backup(full.registry, tmp_path / "b.gz")
    last = full.registry.info("tx")
    with without_registry(full) as again:
        restore(again.registry, tmp_path / "b.gz")
        assert commit(again, made(again, 7)).tx > int(last or 0)
        add_verdict(again.registry.db, Verdict(event(30).id, NAME, "me", "accept"))
        assert values(again, as_of="v1") == [0.0]
        assert stages(again.registry) == {"s": 1}


def test_a_restore_into_a_registry_that_holds_something_is_refused(
    full: Store, tmp_path: Path
) -> None:
    backup(full.registry, tmp_path / "b.gz")
    with pytest.raises(StoreError, match="not empty"):
        restore(full.registry, tmp_path / "b.gz")


def test_a_backup_of_a_newer_format_is_refused(full: Store, tmp_path: Path) -> None:
    file = tmp_path / "b.gz"
    with gzip.open(file, "wt") as out:
        out.write(json.dumps({"format": schema.FORMAT + 1}) + "\n")
    with without_registry(full) as again, pytest.raises(StoreError, match="Update sciqlop-pipe"):
        restore(again.registry, file)


@pytest.mark.parametrize("damage", ["empty", "cut", "html", "bytes", "other", "table", "gone"])
def test_a_backup_that_does_not_read_restores_nothing(
    full: Store, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "b.gz"
    backup(full.registry, file)
    whole = file.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    file.write_bytes(
        {
            "empty": b"",
            "cut": whole[: len(whole) // 2],
            "html": b"<html>",
            "bytes": whole[:-200] + bytes(100) + whole[-100:],
            "other": gzip.compress(b"[1, 2]\n"),
            "table": gzip.compress(lines[0] + b'["unknown", {}]\n'),
            "gone": b"",
        }[damage]
    )
    if damage == "gone":
        file.unlink()
    with without_registry(full) as again:
        with pytest.raises(StoreError, match="backup does not read"):
            restore(again.registry, file)
        assert current(again) == []


def test_a_backup_of_a_running_store_is_of_one_moment(full: Store, tmp_path: Path) -> None:
    """While it is written somebody commits: the file holds all of that, or nothing."""
    calls: list[int] = []

    @listens_for(full.registry.db.engine, "before_cursor_execute")
    def _commit_meanwhile(_c: object, _k: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT event") and not calls:
            calls.append(1)
            with Store.open(full.root) as other:
                commit(other, made(other, 9))

    backup(full.registry, tmp_path / "b.gz")
    assert calls
    with without_registry(full) as again:
        restore(again.registry, tmp_path / "b.gz")
        rows = tables(again)
        registered = {r[0] for r in rows["granule"]}
        assert {r[1] for r in rows["currency"]} <= registered
        assert not any("T0900" in str(r) for r in rows["granule"])


def test_the_tree_alone_gives_the_granules_back(store: Store) -> None:
    source = commit(store, made(store, value=3.0)).committed[0]
    commit(store, made(store, dataset="toy.b", inputs=[used(source)]), made(store, 5))
    before = contents(store)
    with without_registry(store) as again:
        assert rebuild(again) == (3, [])
        assert contents(again) == before
        assert values(again) == [3.0, 0.0]
        (row,) = again.registry.current("toy.b")
        assert [i.name for i in again.registry.lineage(row.uid)] == ["toy.a"]
        assert list(check_store(again, content=True)) == []


def test_of_several_granules_of_one_time_the_last_written_is_current(store: Store) -> None:
    first = commit(store, made(store)).committed[0]
    newer = commit(store, made(store, value=1.0, over=first)).committed[0]
    _written(store, first, 2)
    _written(store, newer, 1)
    with without_registry(store) as again:
        rebuild(again)
        assert values(again) == [0.0]


def test_a_rebuild_takes_nothing_that_does_not_read(store: Store) -> None:
    good, bad = made(store), made(store, 1)
    assert bad.path
    (store.root / bad.path).write_bytes(b"half")
    (store.root / bad.path).with_name(".part-x.zip").write_bytes(b"half")
    with without_registry(store) as again:
        count, problems = rebuild(again)
        assert count == 1
        assert len(problems) == 1
        assert bad.path in problems[0]
        assert current(again) == [(0, good.uid)]


def test_a_rebuild_of_a_whole_store_changes_nothing(store: Store) -> None:
    commit(store, made(store), made(store, 1))
    before = contents(store)
    assert rebuild(store) == (0, [])
    assert contents(store) == before


def test_a_rebuild_after_an_old_backup_adds_what_came_since(store: Store, tmp_path: Path) -> None:
    first = commit(store, made(store)).committed[0]
    backup(store.registry, tmp_path / "b.gz")
    since = commit(store, made(store, 1)).committed[0]
    with without_registry(store) as again:
        restore(again.registry, tmp_path / "b.gz")
        assert rebuild(again) == (1, [])
        assert current(again) == [(0, first.uid), (1, since.uid)]


def test_an_orphan_older_than_what_is_current_does_not_replace_it(store: Store) -> None:
    orphan = made(store, value=9.0)
    now = commit(store, made(store)).committed[0]
    rebuild(store)
    assert current(store) == [(0, now.uid)]
    assert orphan.uid not in str(current(store))


def test_a_file_that_collection_could_not_remove_stays_collected(store: Store) -> None:
    """The registry forgot it and the program died before the file was gone."""
    first = commit(store, made(store)).committed[0]
    commit(store, made(store, value=1.0, over=first))
    assert first.path
    copy = (store.root / first.path).read_bytes()
    collect(store, find_garbage(store, "0s", now=2**62))
    (store.root / first.path).write_bytes(copy)
    assert rebuild(store) == (0, [])
    assert values(store) == [1.0]


def test_a_registry_is_not_made_over_one_that_is_there(store: Store) -> None:
    with pytest.raises(StoreError, match="still there"):
        Store.create_registry(store.root)


def _written(store: Store, record: Record, when: int) -> None:
    """Change when a granule says that it was written (its record is in its attributes)."""
    assert record.path
    file = store.root / record.path
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(entries["zarr.json"])
    head["attributes"]["sciqlop_pipe"]["written"] = when
    entries["zarr.json"] = json.dumps(head).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
