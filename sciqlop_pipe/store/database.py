"""Opening the registry's database: SQLite beside the granules, or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError

from ..errors import StoreError
from . import schema

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "lustre",
    "beegfs",
    "gpfs",
    "ceph",
    "glusterfs",
}
_LOCK = 0x5C1_910B


class Database:
    """One registry database with its two kinds of transaction: reading, and writing alone.

    Parameters
    ----------
    url : str
        SQLAlchemy address, `sqlite:////path/registry.sqlite` or `postgresql+psycopg://...`.
    read_only : bool
        Open as an immutable snapshot; nothing is created or locked.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url, self.read_only = url, read_only
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _engine(url, read_only)

    def close(self) -> None:
        """Close every connection; SQLite folds its log back into the file."""
        if self.is_sqlite and not self.read_only:
            try:
                with self.engine.connect() as conn:
                    conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            except (OperationalError, DatabaseError):
                pass  # a reader holds the log; the next close folds it
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with self._said(), self.engine.connect() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside the one write transaction that may run at a time."""
        if self.read_only:
            raise StoreError("the store is open for reading only", self.url)
        with self._said(), self.engine.connect() as conn:
            if self.is_sqlite:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield conn
                except BaseException:
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
            raise StoreError(
                f"the registry does not answer ({_first_line(error)})",
                self.url,
                "If it is locked, another program holds it: wait or stop that program; "
                "if the disk is full, free space; then run the same command again",
            ) from error
        except DatabaseError as error:
            if "malformed" in str(error) or "not a database" in str(error):
                raise StoreError(
                    f"the registry is damaged ({_first_line(error)})",
                    self.url,
                    "Restore the last 'store backup', or move it away and run 'store rebuild'",
                ) from error
            raise

    def create(self) -> None:
        """Make the tables of a new registry."""
        with self._said():
            schema.metadata.create_all(self.engine)
        with self.write() as conn:
            if conn.execute(select(schema.store_info).limit(1)).first() is None:
                conn.execute(
                    insert(schema.store_info).values(key="format", value=str(schema.FORMAT))
                )

    def has_tables(self) -> bool:
        """Tell whether this is a registry at all."""
        with self._said():
            return inspect(self.engine).has_table("granule")

    def now(self, conn: Connection) -> int:
        """Return the transaction time: the database's clock, but later than any before.

        Raises
        ------
        StoreError
            When the clock stands more than a day before the last transaction.
        """
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


def _engine(url: str, read_only: bool) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    path = Path(url.removeprefix("sqlite:///"))
    if read_only:
        url = f"sqlite:///file:{path}?mode=ro&immutable=1&uri=true"
    engine = create_engine(url, connect_args={"timeout": 60, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        # We say BEGIN IMMEDIATE ourselves: the driver's own BEGIN takes the lock too late.
        connection.isolation_level = None
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=60000")

    return engine


def refuse_network_file_system(path: Path) -> None:
    """Refuse to write a SQLite registry where file locks cannot be trusted.

    Raises
    ------
    StoreError
        When `path` lies on a network file system.
    """
    kind = _file_system(path)
    if kind in _NETWORK:
        raise StoreError(
            f"a SQLite registry cannot be written safely on a network file system ({kind})",
            str(path),
            "Use a PostgreSQL registry (--registry postgresql://...) or put the registry on a "
            "local disk (--registry sqlite:////local/path.sqlite)",
        )


def _file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the type of the file system that holds `path`, '' when unknown."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    target = str(path.resolve())
    for line in lines:
        _, point, fs, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fs
    return kind


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
