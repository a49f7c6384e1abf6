"""Watching names what a person must look at, and is silent about everything else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sciqlop_pipe.concerns import damaged, deaf, failed, late, stalled
from sciqlop_pipe.granule import HOUR, MINUTE
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Failure
from tests.ledger import BEGIN, commit, made
from tests.sources.web import serving


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        yield store


def test_a_store_that_is_well_gives_no_concern(store: Store, tmp_path: Path) -> None:
    commit(store, made(store))
    soon = BEGIN + HOUR
    assert [
        *damaged(store),
        *late(store, {"toy.a": "2h"}, soon),
        *stalled(store),
        *failed(store),
    ] == []
    assert list(deaf([str(tmp_path)])) == []


def test_data_older_than_allowed_are_late(store: Store) -> None:
    commit(store, made(store))  # last record at 00:45
    (concern,) = late(store, {"toy.a": "2h"}, BEGIN + 3 * HOUR)
    assert (concern.kind, concern.where) == ("late", "toy.a")
    assert "2.2 h old" in concern.said and "2h are allowed" in concern.said


def test_a_dataset_that_the_store_has_not_is_late_with_near_names(store: Store) -> None:
    commit(store, made(store))
    (concern,) = late(store, {"toy.b": "2h"}, BEGIN)
    assert "Did you mean toy.a?" in concern.said


def test_a_run_that_records_nothing_is_stalled_until_it_ends(store: Store) -> None:
    store.registry.start_run("r1", "sciqlop-pipe run toy.a", "{}")
    began = time.time_ns()
    assert list(stalled(store, "10min", began + 5 * MINUTE)) == []
    (concern,) = stalled(store, "10min", began + 11 * MINUTE)
    assert concern.where == "r1" and "sciqlop-pipe run toy.a" in concern.said
    store.registry.finish_run("r1", "done")
    assert list(stalled(store, "10min", began + 11 * MINUTE)) == []


def test_failures_are_named_and_many_are_counted(store: Store) -> None:
    bad = [made(store, hour).granule for hour in range(4)]
    commit(store, *(Failure(g, "failed", "no such table") for g in bad))
    concerns = list(failed(store, most=3))
    assert [c.kind for c in concerns] == ["failed"] * 4
    assert concerns[0].said == "no such table" and concerns[3].said.startswith("1 more")


def test_a_lost_granule_is_damage(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    (store.root / str(record.path)).unlink()
    (concern,) = damaged(store)
    assert concern.kind == "damage" and "is not there" in concern.said


def test_an_archive_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        address = web.address
        assert list(deaf([address])) == []
    (concern,) = deaf([address])
    assert (concern.kind, concern.where) == ("archive", address)
    (gone,) = deaf([str(tmp_path / "unmounted")])
    assert gone.kind == "archive"
