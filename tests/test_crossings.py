"""Bow-shock crossings of a real day without a magnetometer, found by the command a user types."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sciqlop_pipe.granule import SECOND, instant
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import current_events
from sciqlop_pipe.store.records import Event

#: By the data themselves: half-levels of V and n in the DIS fast moments.
TRUE = (("out", "09:11:14"), ("in", "09:19:55"), ("out", "09:22:47"), ("in", "09:30:40"))
POSSIBLE = ("09:31:50", "09:33:05")
GAP = "09:59:56"
NAME = "mms1.boundary_crossings"

Command = Callable[..., list[str]]


@pytest.fixture
def command(shared_data: Path, tmp_path: Path) -> Command:
    """Return the words of a run, in a store of its own."""

    def words(day: str, stop: str, *, store: str = "store", workers: int = 0, granule: str = "1d"):
        code = "from sciqlop_pipe.cli import main; main()"
        return [
            sys.executable, "-c", code, "run", NAME, "--start", day, "--stop", stop, "--salvage",
            "--archive", str(shared_data / "mms"), "--store", str(tmp_path / store),
            "--workers", str(workers), "--granule", granule, "--json", "--no-sync",
        ]  # fmt: skip

    return words


def run(words: list[str]) -> dict:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict = json.loads(done.stdout)
    return report


def found(store: Path) -> list[Event]:
    with Store.open(store, read_only=True) as opened:
        return current_events(opened.registry.db, NAME)


def attribute(event: Event, name: str) -> object:
    return dict(event.attributes)[name]


def when(event: Event) -> int:
    return instant(attribute(event, "time"))


def at(clock: str) -> int:
    return instant(f"2015-12-01T{clock}")


def test_bow_shocks_of_2015_12_01_are_found_with_their_sense(
    command: Command, tmp_path: Path
) -> None:
    report = run(command("2015-12-01", "2015-12-02"))
    assert report["rows"][NAME]["done"] == 1
    shocks = [
        e
        for e in found(tmp_path / "store")
        if e.kind == "bow_shock" and at("09:00") <= when(e) < at("10:00")
    ]
    right = {
        clock: [
            e
            for e in shocks
            if abs(when(e) - at(clock)) <= 30 * SECOND and attribute(e, "sense") == sense
        ]
        for sense, clock in TRUE
    }
    assert sum(bool(hits) for hits in right.values()) >= 3, [
        (when(e), e.attributes) for e in shocks
    ]
    known = {e.id for hits in right.values() for e in hits[:1]}
    others = [
        e for e in shocks if e.id not in known and not at(POSSIBLE[0]) <= when(e) <= at(POSSIBLE[1])
    ]
    assert len(others) <= 2
    assert not [e for e in found(tmp_path / "store") if abs(when(e) - at(GAP)) < 60 * SECOND]
    assert all(
        "magnetic_field" in str(attribute(e, "absent")) or "b" in str(attribute(e, "absent"))
        for e in shocks
    )


def test_a_day_all_in_the_magnetosheath_has_none(command: Command, tmp_path: Path) -> None:
    run(command("2015-10-17T04:55", "2015-10-17T14:00"))
    inside = [e for e in found(tmp_path / "store") if when(e) < instant("2015-10-17T14:00")]
    assert inside == []


@pytest.mark.long
def test_the_same_events_for_any_granule_worker_count_and_after_a_kill(
    command: Command, tmp_path: Path
) -> None:
    run(command("2015-12-01", "2015-12-02", store="a", granule="1d"))
    words = command("2015-12-01", "2015-12-02", store="b", workers=2, granule="2h")
    killed = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    wanted = random.Random(7).randint(2, 5)
    while time.monotonic() < deadline and killed.poll() is None:
        if len(list((tmp_path / "b" / "data").glob("*/*/*.zip"))) >= wanted:
            break
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    run(words)
    a, b = found(tmp_path / "a"), found(tmp_path / "b")
    assert a == b
    assert a
