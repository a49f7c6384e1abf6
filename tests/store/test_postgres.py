"""The registry on PostgreSQL: everything that holds on SQLite holds there.

A private server is started in a temporary folder, as an unprivileged user where we are root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.backup import backup, restore
from sciqlop_pipe.store.compare import contents, contents_on_disk
from sciqlop_pipe.store.database import Database
from sciqlop_pipe.store.events import Verdict, add_verdict
from sciqlop_pipe.store.schema import FORMAT
from sciqlop_pipe.store.staging import make_release
from tests.ledger import commit, current, event, found, made, used, values
from tests.serial import Bench, SerialClient

# The same tests, on the store that the fixture below gives them.
from tests.store.test_events import *  # noqa: F403
from tests.store.test_garbage import *  # noqa: F403
from tests.store.test_leases import *  # noqa: F403
from tests.store.test_registry import *  # noqa: F403
from tests.store.test_staging import *  # noqa: F403
from tests.test_coordinators import GRANULES, contend, contradictions, total, undisturbed
from tests.torture import TARGETS
from tests.toy import DAY, toy_graph

pytestmark = pytest.mark.system

# These are about SQLite's file, or about a process that opens a store by its path alone.
for _name in (
    "test_a_registry_that_does_not_answer_hides_no_other_fault",
    "test_a_locked_registry_gives_no_lease",
):
    globals().pop(_name, None)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    if folders:
        return folders[-1].parent
    if where := shutil.which("initdb"):
        return Path(where).parent
    pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a private server, without the name of a database."""
    programs = _programs()
    # Not below pytest's own folder, which every session of pytest closes to other users again.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        user = ["runuser", "-u", "nobody", "--"]
        shutil.chown(folder, "nobody")
    data, sockets = folder / "data", folder

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [*user, *map(str, command)], cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"PostgreSQL does not start here: {done.stderr.strip()[-300:]}")

    try:
        run(programs / "initdb", "-D", data, "-U", "pipe", "-A", "trust", "-N", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={sockets} -c fsync=off"
        log = folder / "log"
        run(programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", log, "start")
        yield f"postgresql://pipe@/{{name}}?host={sockets}"
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """Make a database; return its address."""
    name = f"t{uuid.uuid4().hex[:10]}"
    address = server.format(name="postgres").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name=name)


@pytest.fixture
def registry(server: str) -> str:
    """Address of a new database."""
    return new_database(server)


@pytest.fixture
def store(tmp_path: Path, registry: str) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, durable=False, registry=registry) as opened:
        yield opened


def test_a_store_remembers_where_its_registry_is(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    with Store.open(store.root, read_only=True) as again:
        assert current(again) == [(0, record.uid)]


def test_four_threads_commit_at_once_and_nothing_is_twice(store: Store) -> None:
    """One makes each granule current, the others' equal results are dropped."""
    counts = {"committed": 0, "duplicates": 0, "conflicts": 0}
    lock = threading.Lock()

    def work() -> None:
        with Store.open(store.root) as own:
            for hour in range(6):
                done = commit(own, made(own, hour, 1.0))
                with lock:
                    for key in counts:
                        counts[key] += len(getattr(done, key))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {"committed": 6, "duplicates": 18, "conflicts": 0}
    assert [h for h, _ in current(store)] == list(range(6))


def test_four_programs_make_the_tables_at_once(tmp_path: Path, registry: str) -> None:
    problems: list[Exception] = []

    def make() -> None:
        try:
            Database(registry).create()
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_backup_moves_a_store_from_sqlite_to_postgresql_and_back(
    tmp_path: Path, registry: str
) -> None:
    with Store.open(tmp_path / "a", create=True, durable=False) as small:
        first = commit(small, made(small)).committed[0]
        commit(small, made(small, dataset="toy.b", inputs=[used(first)]), found([event(1)]))
        add_verdict(small.registry.db, Verdict(event(1).id, "toy.events", "me", "accept"))
        make_release(small.registry, "v1")
        rows = backup(small.registry, tmp_path / "a.gz")
        before = contents(small)
    shutil.copytree(tmp_path / "a" / "data", tmp_path / "b" / "data")
    database = Database(registry)
    database.create()
    database.close()
    (tmp_path / "b" / "sciqlop-store.json").write_text(
        f'{{"format": {FORMAT}, "registry": "{registry}"}}'
    )
    with Store.open(tmp_path / "b") as large:
        assert restore(large.registry, tmp_path / "a.gz") == rows
        assert contents(large) == before
        # Numbers go on after those restored.
        newer = commit(large, made(large, value=1.0, over=first)).committed
        add_verdict(large.registry.db, Verdict(event(1).id, "toy.events", "me", "reject"))
        assert len(newer) == 1
        assert values(large, as_of="v1") == [0.0]
        backup(large.registry, tmp_path / "b.gz")
        after = contents(large)
    for file in (tmp_path / "a").glob("registry.sqlite*"):
        file.unlink()
    Store.create_registry(tmp_path / "a")
    with Store.open(tmp_path / "a") as small:
        restore(small.registry, tmp_path / "b.gz")
        assert contents(small) == after


def test_a_campaign_leaves_the_same_store_as_on_sqlite(bench: Bench, registry: str) -> None:
    from sciqlop_pipe.campaign import run_campaign

    bench.files(17, 18)
    bench.run("toy.both", "toy.rises")
    with bench.store() as store:
        wanted = contents(store)
    for _ in range(2):
        with Store.open(
            bench.folder / "other", create=True, durable=False, registry=registry
        ) as other:
            report = run_campaign(
                other, toy_graph(), ("toy.both", "toy.rises"), [DAY], bench.listing(),
                SerialClient,  # type: ignore[arg-type]
            )  # fmt: skip
            assert report.status == 0
            assert contents(other) == wanted
    assert report.planned == 0


@pytest.mark.parametrize("how", [(), ("no-leases",)], ids=["leases", "no leases"])
def test_two_coordinators_contend_and_nothing_is_twice_or_lost(
    bench: Bench, registry: str, how: tuple[str, ...]
) -> None:
    """Two programs run the same targets at the same moment."""
    bench.files(17, 18, 19, trouble="slow0.05")
    assert bench.run(*TARGETS, name="undisturbed").status == 0
    Store.open(bench.folder / "store", create=True, durable=False, registry=registry).close()
    found = contend(bench, 2, *how)
    assert [r["status"] for r in found] == [0, 0]
    assert total(found, "done") == GRANULES
    assert bool(total(found, "duplicates")) == bool(how)
    with Store.open(bench.folder / "store") as store:
        assert store.registry.db.engine.dialect.name == "postgresql"
        assert contents_on_disk(store) == undisturbed(bench)
        assert contradictions(store) == []


def test_a_server_that_is_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not answer"):
        Store.open(
            tmp_path / "s", create=True, registry=f"postgresql://pipe@/x?host={tmp_path}/none"
        )


def test_the_registry_of_a_store_that_has_lost_its_tables_is_said(
    tmp_path: Path, store: Store
) -> None:
    with store.registry.db.write() as conn:
        conn.exec_driver_sql("DROP TABLE granule")
    with pytest.raises(StoreError, match="no tables"):
        Store.open(store.root)
