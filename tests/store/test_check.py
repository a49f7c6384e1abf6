"""A check finds everything that is not as the registry says, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import zarr

from sciqlop_pipe.store import Store, granules
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.records import Record
from tests.ledger import commit, found, made


def kinds(store: Store, *, content: bool = False) -> list[str]:
    return [p.kind for p in check_store(store, content=content)]


@pytest.fixture
def record(store: Store) -> Record:
    return commit(store, made(store)).committed[0]


def path(store: Store, record: Record) -> Path:
    assert record.path
    return store.root / record.path


def test_a_whole_store_has_no_problem(store: Store, record: Record) -> None:
    commit(store, made(store, value=1.0, over=record), found([]), made(store, 1))
    commit(store, made(store, 2), stage="s")
    assert kinds(store, content=True) == []


def test_a_missing_granule_is_found_with_what_to_do(store: Store, record: Record) -> None:
    path(store, record).unlink()
    (problem,) = check_store(store)
    assert (problem.kind, problem.where) == ("missing", "toy.a/20300101T0000")
    assert not problem.harmless
    assert "run its dataset again" in problem.said


def test_a_missing_granule_of_the_past_or_of_a_staged_run_is_found(
    store: Store, record: Record
) -> None:
    commit(store, made(store, value=1.0, over=record))
    staged = commit(store, made(store, 1), stage="s").committed[0]
    for lost in (record, staged):
        path(store, lost).unlink()
    found = sorted(check_store(store), key=lambda p: p.where)
    assert [(p.kind, p.where) for p in found] == [
        ("missing", "toy.a/20300101T0000"),
        ("missing", "toy.a/20300101T0100"),
    ]


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_granule_cut_short_is_found(store: Store, record: Record, keep: int) -> None:
    file = path(store, record)
    file.write_bytes(file.read_bytes()[:keep])
    assert kinds(store) == ["unreadable"]


def test_a_changed_byte_is_found_by_reading_the_content(store: Store, record: Record) -> None:
    file = path(store, record)
    whole = file.read_bytes()
    at = whole.index(b"value/c/0") + len(b"value/c/0") + 20
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    assert kinds(store, content=True) in (["unreadable"], ["changed"])


def test_changed_values_are_found_by_reading_the_content(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", 0)
    record = commit(store, made(store)).committed[0]
    array = zarr.open_group(path(store, record))["value"]
    array[1] = 7.0  # type: ignore[index]
    assert kinds(store) == []
    (problem,) = check_store(store, content=True)
    assert (problem.kind, problem.harmless) == ("changed", False)


def test_a_damaged_chunk_of_a_folder_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", 0)
    record = commit(store, made(store)).committed[0]
    (path(store, record) / "value" / "c" / "0").write_bytes(b"<html>")
    assert kinds(store, content=True) == ["unreadable"]


def test_a_lost_chunk_of_a_folder_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", 0)
    record = commit(store, made(store)).committed[0]
    (path(store, record) / "value" / "c" / "0").unlink()
    assert kinds(store, content=True) == ["unreadable"]


def test_another_granule_in_the_place_of_one_is_found(store: Store, record: Record) -> None:
    other = commit(store, made(store, 1)).committed[0]
    shutil.copy(path(store, other), path(store, record))
    assert kinds(store) == ["other"]


def test_html_in_the_place_of_a_granule_is_found(store: Store, record: Record) -> None:
    path(store, record).write_text("<html>503</html>")
    assert kinds(store) == ["unreadable"]


def test_a_zarr_of_somebody_else_is_found(store: Store, record: Record) -> None:
    file = path(store, record)
    file.unlink()
    zarr.create_group(zarr.storage.ZipStore(file, mode="w")).store.close()
    assert kinds(store) == ["unreadable"]


def test_what_was_never_committed_is_harmless(store: Store, record: Record) -> None:
    orphan = made(store, 5)
    path(store, record).with_name(".part-20300101T0000-x.zip").write_bytes(b"half")
    found = list(check_store(store, content=True))
    assert {p.kind for p in found} == {"orphan", "unfinished"}
    assert all(p.harmless for p in found)
    assert orphan.path in {p.where for p in found}


def test_overlapping_granules_would_be_found(store: Store, record: Record) -> None:
    other = commit(store, made(store, 1)).committed[0]
    with store.registry.db.write() as conn:
        conn.exec_driver_sql(f"update currency set start = start - 1 where uid = '{other.uid}'")
    assert "overlap" in kinds(store)
