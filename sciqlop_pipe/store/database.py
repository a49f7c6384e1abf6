"""Opening the registry's database: SQLite beside the granules, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import registry as dialects
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.schema import CreateIndex, CreateTable

from ..errors import RegistryAway, StoreError
from . import schema

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.glusterfs",
    "lustre",
    "beegfs",
    "gpfs",
    "ceph",
    "glusterfs",
}
_LOCK = 0x5C1_910B
MOUNTS = Path("/proc/mounts")
#: When SQLite waits for the disk: at each commit, when it folds its log, or only when closed.
Syncs = Literal["FULL", "NORMAL", "OFF"]
#: How long a writer waits for another's transaction to end.
BUSY_SECONDS = 60.0


class Database:
    """One registry database with its two kinds of transaction: reading, and writing alone.

    Parameters
    ----------
    url : str
        SQLAlchemy address, `sqlite:////path/registry.sqlite` or `postgresql://...`.
    read_only : bool
        Refuse to write; what a coordinator commits meanwhile is seen.
    syncs : "FULL", "NORMAL" or "OFF"
        When SQLite waits for the disk. With "NORMAL" a power cut may take the last commits; with
        "OFF" the whole registry, until it is closed.

    Raises
    ------
    StoreError
        When the address means nothing or its driver is not installed.
    """

    def __init__(self, url: str, *, read_only: bool = False, syncs: Syncs = "FULL") -> None:
        self.read_only = read_only
        self.is_sqlite = url.startswith("sqlite")
        self.engine = (
            _sqlite(sqlite_file(url), read_only, syncs) if self.is_sqlite else _server(url)
        )
        #: The address for messages, without password.
        self.where = str(sqlite_file(url)) if self.is_sqlite else self.engine.url.render_as_string()

    def close(self) -> None:
        """Close every connection; SQLite folds its log back into the file."""
        if self.is_sqlite and not self.read_only:
            try:
                with self.engine.connect() as conn:
                    conn.exec_driver_sql("PRAGMA busy_timeout=0")
                    conn.exec_driver_sql("PRAGMA synchronous=FULL")
                    conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            except (OperationalError, DatabaseError):
                pass  # a reader holds the log; the next close folds it
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state, whatever others commit meanwhile."""
        with self._said(), self.engine.connect() as conn:
            if self.is_sqlite:
                conn.exec_driver_sql("BEGIN")
            else:
                conn.execution_options(isolation_level="REPEATABLE READ")
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside the one write transaction that may run at a time."""
        if self.read_only:
            raise StoreError("the store is open for reading only", self.where)
        with self._said(), self.engine.connect() as conn:
            if self.is_sqlite:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield conn
                except BaseException:
                    with suppress(DatabaseError):  # a full disk has rolled back already
                        conn.exec_driver_sql("ROLLBACK")
                    raise
                conn.exec_driver_sql("COMMIT")
            else:
                with conn.begin():
                    conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
                    yield conn

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn the database's faults into ours, which say what to do."""
        try:
            yield
        except OperationalError as error:
            raise RegistryAway(
                f"the registry does not answer ({_first_line(error)})",
                self.where,
                "If it is locked, another program holds it: wait or stop that program; "
                "if the disk is full, free space; then run the same command again",
            ) from error
        except DatabaseError as error:
            if "malformed" in str(error) or "not a database" in str(error):
                raise StoreError(
                    f"the registry is damaged ({_first_line(error)})",
                    self.where,
                    "Restore the last 'store backup', or move it away and run 'store rebuild'",
                ) from error
            raise

    def create(self) -> None:
        """Make the tables of a new registry; several programs may do so at once."""
        with self.write() as conn:
            for statement in _making(conn.dialect.name):
                conn.exec_driver_sql(statement)
            if conn.execute(select(schema.store_info).limit(1)).first() is None:
                conn.execute(
                    insert(schema.store_info).values(key="format", value=str(schema.FORMAT))
                )

    def renumber(self, conn: Connection) -> None:
        """Let new rows be numbered after those that were restored with their numbers."""
        if self.is_sqlite:
            return  # it looks for the highest number itself
        for table in schema.metadata.sorted_tables:
            if (column := table.autoincrement_column) is not None:
                highest = conn.execute(select(func.max(column))).scalar()
                if highest is not None:
                    sequence = func.pg_get_serial_sequence(table.name, column.name)
                    conn.execute(select(func.setval(sequence, highest)))

    def has_tables(self) -> bool:
        """Tell whether this is a registry at all."""
        with self._said():
            return inspect(self.engine).has_table("granule")

    def now(self, conn: Connection) -> int:
        """Return the transaction time: the database's clock, but later than any before."""
        clock = time.time_ns()
        if not self.is_sqlite:
            clock = int(
                conn.execute(
                    text("SELECT (extract(epoch FROM clock_timestamp())*1e9)::int8")
                ).scalar_one()
            )
        info = schema.store_info
        last = conn.execute(select(info.c.value).where(info.c.key == "tx")).scalar()
        tx = max(clock, int(last or 0) + 1)
        if last is None:
            conn.execute(insert(info).values(key="tx", value=str(tx)))
        else:
            conn.execute(info.update().where(info.c.key == "tx").values(value=str(tx)))
        return tx


@cache
def _making(dialect: str) -> tuple[str, ...]:
    """Return what makes those tables and indexes that a registry lacks, in the words of its SQL."""
    words = dialects.load(dialect)()
    tables = schema.metadata.sorted_tables
    lacking: list[CreateTable | CreateIndex] = [
        *(CreateTable(table, if_not_exists=True) for table in tables),
        *(CreateIndex(index, if_not_exists=True) for table in tables for index in table.indexes),
    ]
    return tuple(str(statement.compile(dialect=words)) for statement in lacking)


def sqlite_file(url: str) -> Path:
    """Return the file of a SQLite address."""
    return Path(url.removeprefix("sqlite:///"))


def _server(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        return create_engine(address, pool_pre_ping=True)
    except ArgumentError:
        raise StoreError(
            "this is not the address of a registry",
            todo="Write for example postgresql://user@host/database",
        ) from None
    except ModuleNotFoundError as error:
        raise StoreError(
            f"the driver of this registry is not installed ({error.name})",
            todo="pip install 'sciqlop-pipe[postgres]'",
        ) from error


def _sqlite(path: Path, read_only: bool, syncs: Syncs) -> Engine:
    alone = read_only and not _may_share(path)

    def connect() -> sqlite3.Connection:
        # We say BEGIN ourselves: the driver's own takes the lock too late.
        mode = _lone_mode(path) if alone else "mode=rw" if read_only else "mode=rwc"
        address = f"file:{quote(str(path))}?{mode}"
        connection = sqlite3.connect(
            address,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            if read_only:
                connection.execute("PRAGMA query_only=ON")
            else:
                connection.execute(f"PRAGMA synchronous={syncs}")
                _log_ahead(connection)
        except sqlite3.Error:  # of a damaged file
            connection.close()
            raise
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool if alone else QueuePool)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Let readers go on beside a writer.

    Where several make a registry at once, SQLite refuses all but one of them without waiting.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _may_share(path: Path) -> bool:
    """Tell whether a reader can share locks and log with a writer, and clean up after itself."""
    return os.access(path.parent, os.W_OK) and os.access(path, os.W_OK) and not _remote(path)


def _lone_mode(path: Path) -> str:
    """Return how a reader that cannot write opens the file: with a writer's log, or as it stands.

    Without a log the file is whole. Each reading opens anew, so as not to miss the writer who
    comes later.
    """
    log = path.with_name(f"{path.name}-wal")
    shared = log.exists() and log.stat().st_size and not _remote(path)
    return "mode=ro" if shared else "mode=ro&immutable=1"


def _remote(path: Path) -> bool:
    return _file_system(path.parent) in _NETWORK


def refuse_network_file_system(path: Path, mounts: Path = MOUNTS) -> None:
    """Refuse to write a SQLite registry where file locks cannot be trusted.

    Raises
    ------
    StoreError
        When `path` lies on a network file system.
    """
    kind = _file_system(path, mounts)
    if kind in _NETWORK:
        raise StoreError(
            f"a SQLite registry cannot be written safely on a network file system ({kind})",
            str(path),
            "Use a PostgreSQL registry (--registry postgresql://...) or put the registry on a "
            "local disk (--registry sqlite:////local/path.sqlite)",
        )


def _file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the file system that holds `path`, '' when unknown."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    target = str(path.resolve())
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point, fs = words[1].replace("\\040", " "), words[2]
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fs
    return kind


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
