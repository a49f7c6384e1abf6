"""The registry's database refuses what cannot be trusted, and says what to do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from sciqlop_pipe.errors import PipeError, StoreError
from sciqlop_pipe.store import Store, database, schema
from sciqlop_pipe.store.database import Database
from sciqlop_pipe.store.mark import MARK
from tests.ledger import commit, current, made

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/shared nfs4 rw,vers=4.2 0 0
/dev/sdb1 /mnt/shared/local\\040disk xfs rw 0 0
broken line
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


def test_a_network_file_system_is_refused_with_advice(mounts: Path) -> None:
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*PostgreSQL"):
        database.refuse_network_file_system(Path("/mnt/shared/store"), mounts)


@pytest.mark.parametrize("place", ["/home/me/store", "/mnt/shared/local disk/s", "/mnt/sharedX"])
def test_a_local_disk_is_not_refused(mounts: Path, place: str) -> None:
    database.refuse_network_file_system(Path(place), mounts)


def test_a_machine_that_tells_no_mounts_is_trusted(tmp_path: Path) -> None:
    database.refuse_network_file_system(Path("/mnt/shared"), tmp_path / "nothing")


def test_a_store_on_a_network_file_system_is_made_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_file_system", lambda *_: "nfs")
    with pytest.raises(StoreError, match="network file system"):
        Store.open(tmp_path / "store", create=True)
    assert not (tmp_path / "store" / MARK).exists()


def test_a_locked_registry_is_said_and_nothing_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = made(store)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with Store.open(store.root) as second:
        with store.registry.db.write(), pytest.raises(StoreError, match="locked.*wait or stop"):
            commit(second, record)
        commit(second, record)
    assert current(store) == [(0, record.uid)]


def test_a_write_that_fails_leaves_nothing_and_says_its_own_reason(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.registry.db.write() as conn:
        conn.execute(insert(schema.release).values(name="half", tx=1))
        raise ZeroDivisionError
    with store.registry.db.read() as conn:
        assert conn.execute(select(schema.release)).first() is None


def test_a_full_disk_under_the_registry_is_said_and_half_of_nothing_stays(store: Store) -> None:
    with store.registry.db.engine.connect() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StoreError, match="full.*free space"), store.registry.db.write() as conn:
        for i in range(100):
            conn.execute(insert(schema.release).values(name=f"{i}" * 2000, tx=i))
    with store.registry.db.read() as conn:
        assert conn.execute(select(schema.release)).first() is None


def test_a_reader_sees_one_state_while_another_writes(store: Store) -> None:
    """Two queries of one reading must not see a commit that came between them."""
    first = commit(store, made(store)).committed[0]
    with store.registry.db.read() as conn:
        query = select(schema.currency.c.uid).where(schema.currency.c.tx_to.is_(None))
        before = conn.execute(query).all()
        thread = threading.Thread(target=commit, args=(store, made(store, value=1.0, over=first)))
        thread.start()
        thread.join()
        assert conn.execute(query).all() == before
    assert current(store) != [(0, first.uid)]


def test_a_read_only_store_writes_nothing(store: Store) -> None:
    record = made(store)
    commit(store, record)
    store.close()
    before = sorted(p.name for p in store.root.iterdir())
    with Store.open(store.root, read_only=True) as reader:
        assert current(reader) == [(0, record.uid)]
        with pytest.raises(StoreError, match="reading only"):
            commit(reader, made(store, value=1.0))
    assert sorted(p.name for p in store.root.iterdir()) == before


def test_a_reader_sees_what_a_running_coordinator_has_committed(store: Store) -> None:
    """The newest rows are in SQLite's log, not yet in its file."""
    record = commit(store, made(store)).committed[0]
    with Store.open(store.root, read_only=True) as reader:
        assert current(reader) == [(0, record.uid)]
        newer = commit(store, made(store, value=1.0, over=record)).committed[0]
        assert current(reader) == [(0, newer.uid)]


def test_what_a_killed_coordinator_committed_is_read(store: Store) -> None:
    script = (
        "import os, sys; from sciqlop_pipe.store import Store; from tests.ledger import *\n"
        "store = Store.open(sys.argv[1]); commit(store, made(store, 5)); os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", script, str(store.root)], check=False)
    assert died.returncode == -9
    with Store.open(store.root, read_only=True) as reader:
        assert [hour for hour, _ in current(reader)] == [5]


def test_a_long_reading_is_of_one_moment_though_a_writer_comes_and_goes(store: Store) -> None:
    """Nothing of what a coordinator writes into the file reaches a reading that goes on."""
    for hour in range(4):
        commit(store, made(store, hour))
    store.close()
    with Store.open(store.root, read_only=True) as reader, reader.registry.db.read() as conn:
        rows = conn.execution_options(yield_per=1).execute(select(schema.granule.c.uid))
        first = [next(rows) for _ in range(2)]
        with Store.open(store.root) as writer:
            for hour in range(4, 12):
                commit(writer, made(writer, hour))
            with writer.registry.db.engine.connect() as other:
                other.exec_driver_sql("PRAGMA busy_timeout=0")
                other.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        assert len([*first, *rows]) == 4


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root to mount read-only"
)
def test_a_store_on_a_read_only_disk_is_read_and_refused_for_writing(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    store.close()
    script = (
        "import sys; from sciqlop_pipe.store import Store; from sciqlop_pipe.errors import *\n"
        "from tests.ledger import *\n"
        "print(current(Store.open(sys.argv[1], read_only=True)))\n"
        "try: Store.open(sys.argv[1])\n"
        "except StoreError as error: print(error)"
    )
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3" "$1"'
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", str(store.root), sys.executable, script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "permitted" in ran.stderr or "denied" in ran.stderr:
        pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
    assert ran.stdout.splitlines()[0] == str([(0, record.uid)]), ran.stderr
    assert "not writable" in ran.stdout


@pytest.mark.parametrize(
    "content", [b"SQLite format 3\0" + b"\xff" * 5000, b"<html>gone</html>" * 99]
)
def test_a_damaged_registry_is_said_with_the_way_back(store: Store, content: bytes) -> None:
    store.close()
    (store.root / "registry.sqlite").write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"damaged.*store backup"):
            Store.open(store.root, read_only=read_only)


def test_a_registry_cut_short_is_said_with_the_way_back(store: Store) -> None:
    for hour in range(20):
        commit(store, made(store, hour))
    store.close()
    file = store.root / "registry.sqlite"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
    with (
        pytest.raises(StoreError, match=r"damaged.*store backup"),
        Store.open(store.root) as opened,
    ):
        opened.registry.current("toy.a")


def test_a_registry_that_is_gone_is_said(store: Store) -> None:
    store.close()
    for file in store.root.glob("registry.sqlite*"):
        file.unlink()
    with pytest.raises(StoreError, match=r"registry is gone.*store rebuild"):
        Store.open(store.root, create=True)


def test_an_empty_registry_file_is_said(store: Store) -> None:
    store.close()
    (store.root / "registry.sqlite").write_bytes(b"")
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"no tables.*store rebuild"):
            Store.open(store.root, read_only=read_only)


def test_a_newer_format_is_refused_and_an_older_one_wants_an_upgrade(store: Store) -> None:
    store.close()
    facts = json.loads((store.root / MARK).read_text())
    (store.root / MARK).write_text(json.dumps(facts | {"format": schema.FORMAT + 1}))
    with pytest.raises(StoreError, match="reads up to.*Update"):
        Store.open(store.root)
    with pytest.raises(StoreError, match="reads up to"):
        Store.upgrade(store.root)
    (store.root / MARK).write_text(json.dumps(facts | {"format": schema.FORMAT - 1}))
    with pytest.raises(StoreError, match="store upgrade"):
        Store.open(store.root)
    assert Store.upgrade(store.root) == (schema.FORMAT - 1, schema.FORMAT)
    Store.open(store.root).close()


@pytest.mark.parametrize("mark", ["", "[]", "{}", "<html>", '{"format": "new"}', '{"format": 1}'])
def test_a_mark_that_says_nothing_is_refused(store: Store, mark: str) -> None:
    store.close()
    (store.root / MARK).write_text(mark)
    with pytest.raises(StoreError, match="mark does not read"):
        Store.open(store.root)


def test_a_folder_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("text")
    with pytest.raises(StoreError, match="not a store"):
        Store.open(tmp_path, create=True)
    with pytest.raises(StoreError, match="no store here"):
        Store.open(tmp_path / "elsewhere")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("text")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "store", create=True)


def test_a_store_whose_making_was_interrupted_is_made_by_the_same_command(tmp_path: Path) -> None:
    root = tmp_path / "store"
    (root / "data").mkdir(parents=True)
    Database(f"sqlite:///{root / 'registry.sqlite'}").engine.connect().close()
    with Store.open(root, create=True) as opened:
        commit(opened, made(opened))
        assert len(current(opened)) == 1


def test_four_programs_that_make_one_store_at_once_all_open_it(tmp_path: Path) -> None:
    problems: list[PipeError] = []

    def make() -> None:
        try:
            Store.open(tmp_path / "store", create=True).close()
        except PipeError as error:
            problems.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert json.loads((tmp_path / "store" / MARK).read_text())["format"] == schema.FORMAT


@pytest.mark.parametrize("name", ["a b", "50%25", "what?", "a#b", "Ærø"])
def test_a_store_may_have_any_name(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path / name, create=True) as opened:
        commit(opened, made(opened))
    assert sqlite3.connect(tmp_path / name / "registry.sqlite").execute("select 1").fetchone()
    with Store.open(tmp_path / name, read_only=True) as reader:
        assert len(current(reader)) == 1


def test_a_password_is_never_printed() -> None:
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/none?connect_timeout=2"
    with pytest.raises(StoreError) as error, Database(url).read():
        pass
    assert "does not answer" in str(error.value)
    assert "secret" not in str(error.value)


def test_the_transaction_time_never_goes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(store, made(store)).tx
    monkeypatch.setattr(database.time, "time_ns", lambda: 5)
    assert commit(store, made(store, 1)).tx == first + 1


def test_several_programs_make_one_registry_at_once(tmp_path: Path) -> None:
    """SQLite lets one of them change the mode of the file, and refuses the others at once."""
    failed: list[Exception] = []

    def make(url: str, start: threading.Barrier) -> None:
        start.wait()
        try:
            db = Database(url)
            db.create()
            db.close()
        except Exception as error:
            failed.append(error)

    for attempt in range(30):  # without patience about one in thirty fails
        given = f"sqlite:///{tmp_path / str(attempt)}.sqlite", threading.Barrier(6)
        threads = [threading.Thread(target=make, args=given) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
