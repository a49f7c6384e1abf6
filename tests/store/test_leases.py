"""Leases keep two coordinators from the same work, and never outlive their holder for long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.granule import Granule
from sciqlop_pipe.store import Store, database, leases, schema
from sciqlop_pipe.store.leases import Leases, live
from tests.ledger import hours
from tests.waiting import until

ONE, TWO, THREE = (Granule("toy.a", hours(h)) for h in range(3))


@pytest.fixture
def ours(store: Store) -> Leases:
    return Leases(store.registry.db, "ours")


@pytest.fixture
def theirs(store: Store) -> Leases:
    return Leases(store.registry.db, "theirs")


@pytest.fixture
def far(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leases]:
    """The leases of a coordinator on another machine, whose processes we cannot look up."""
    with monkeypatch.context() as patch:
        patch.setattr(leases.socket, "gethostname", lambda: "far.away")
        yield Leases(store.registry.db, "far")


def test_what_one_holds_another_cannot_take(ours: Leases, theirs: Leases) -> None:
    assert ours.acquire([ONE, TWO])
    assert not theirs.acquire([TWO, THREE])
    assert theirs.acquire([THREE])
    ours.release([ONE, TWO])
    assert theirs.acquire([ONE, TWO])


def test_a_refusal_takes_nothing(ours: Leases, theirs: Leases) -> None:
    ours.acquire([TWO])
    theirs.acquire([ONE, TWO])
    assert ours.acquire([ONE])


def test_groups_are_taken_each_for_itself(ours: Leases, theirs: Leases) -> None:
    ours.acquire([TWO])
    assert theirs.acquire_each([[ONE], [TWO, THREE], [THREE]]) == [True, False, True]


def test_a_holder_may_take_its_own_again(ours: Leases) -> None:
    assert ours.acquire([ONE])
    assert ours.acquire([ONE, TWO])


def test_what_a_killed_process_held_is_free_at_once(store: Store, ours: Leases) -> None:
    script = (
        "import os, sys; from sciqlop_pipe.store import Store\n"
        "from sciqlop_pipe.store.leases import Leases; from tests.store.test_leases import ONE\n"
        "assert Leases(Store.open(sys.argv[1]).registry.db, 'x').acquire([ONE])\n"
        "os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", script, str(store.root)], check=False)
    assert died.returncode == -9
    assert live(store.registry.db) == {("toy.a", ONE.interval.start)}
    assert ours.acquire([ONE])


def test_a_process_that_got_the_number_of_a_dead_one_is_not_mistaken_for_it(
    store: Store, ours: Leases, theirs: Leases
) -> None:
    theirs.acquire([ONE])
    host, pid, began = theirs.holder.rsplit("@", 1)[1].rsplit(":", 2)
    assert int(pid) == os.getpid()
    older = f"theirs@{host}:{pid}:{int(began) - 1}"
    with store.registry.db.write() as conn:
        conn.execute(update(schema.lease).values(holder=older))
    assert ours.acquire([ONE])


def test_a_far_lease_is_respected_until_it_expires(
    ours: Leases, far: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert far.acquire([ONE])
    monkeypatch.undo()
    assert not ours.acquire([ONE])
    later = time.time_ns() + int((far.ttl + 1) * 1e9)
    monkeypatch.setattr(leases.time, "time_ns", lambda: later)
    assert ours.acquire([ONE])
    far.release([ONE])
    assert not far.acquire([ONE]), "what was taken over is no longer the first holder's to release"


def test_a_lease_is_renewed_while_its_holder_lives(store: Store) -> None:
    with Leases(store.registry.db, "ours", ttl=0.2) as held:
        held.acquire([ONE])
        first = _expires(store)
        until(lambda: _expires(store) > first)


def test_leaving_gives_everything_back(store: Store, theirs: Leases) -> None:
    with Leases(store.registry.db, "ours") as held:
        held.acquire([ONE, TWO])
    assert live(store.registry.db) == set()
    assert theirs.acquire([ONE, TWO])


def test_a_registry_that_does_not_answer_hides_no_other_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with (
        Store.open(store.root) as second,
        pytest.raises(KeyboardInterrupt),
        store.registry.db.write(),
        Leases(second.registry.db, "ours"),
    ):
        raise KeyboardInterrupt


def test_a_locked_registry_gives_no_lease(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with (
        Store.open(store.root) as second,
        store.registry.db.write(),
        pytest.raises(StoreError, match="locked"),
    ):
        Leases(second.registry.db, "ours").acquire([ONE])


def _expires(store: Store) -> int:
    with store.registry.db.read() as conn:
        return int(conn.execute(select(schema.lease.c.expires)).scalar_one())
