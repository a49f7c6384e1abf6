"""Leases: who is making which granule, so that two coordinators do not do the same work.

A lease expires unless its holder renews it; an expired one, or one of a process of this machine
that has ended, can be taken over. Leases save work, they do not guard the truth: that is the
commit's business.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..errors import StoreError
from ..granule import Granule
from .beat import Beat
from .database import Database
from .schema import lease

TTL = 60.0


class Leases:
    """The leases of one coordinator, renewed by a thread while it is entered.

    Parameters
    ----------
    database : Database
        The registry.
    holder : str
        A name nobody else has (the run).
    ttl : float
        Seconds after which a lease that is not renewed may be taken over.
    """

    def __init__(self, database: Database, holder: str, ttl: float = TTL) -> None:
        self.db, self.ttl = database, ttl
        self.holder = f"{holder}@{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"
        self._beat = Beat(self._renew, ttl / 4, "leases", first=ttl / 4)

    def __enter__(self) -> Leases:
        self._beat.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._beat.__exit__(*error)
        # A registry that does not answer now: the leases end by themselves.
        with suppress(StoreError), self.db.write() as conn:
            conn.execute(delete(lease).where(lease.c.holder == self.holder))

    def acquire(self, granules: Iterable[Granule]) -> bool:
        """Take the leases of all granules, or of none when somebody else holds one."""
        return self.acquire_each([list(granules)])[0]

    def acquire_each(self, groups: Sequence[Sequence[Granule]]) -> list[bool]:
        """Take, for each group, all its leases or none; one transaction for all groups."""
        now = time.time_ns()
        with self.db.write() as conn:
            return [self._acquire(conn, group, now) for group in groups]

    def _acquire(self, conn: Connection, granules: Sequence[Granule], now: int) -> bool:
        keys = [_key(g) for g in granules]
        for key in keys:
            found = conn.execute(_HELD, key).first()
            if found and self._respected(found.holder, found.expires, now):
                return False
        if not keys:
            return True
        conn.execute(_DROP, keys)
        expires = now + int(self.ttl * 1e9)
        conn.execute(
            _TAKE,
            [
                {
                    "dataset": g.dataset,
                    "start": g.interval.start,
                    "holder": self.holder,
                    "expires": expires,
                }
                for g in granules
            ],
        )
        return True

    def _respected(self, holder: str, expires: int, now: int) -> bool:
        return holder != self.holder and expires > now and not _dead(holder)

    def release(self, granules: Iterable[Granule]) -> None:
        """Give leases back."""
        rows = [_key(g) | {"me": self.holder} for g in granules]
        if rows:
            with self.db.write() as conn:
                conn.execute(_GIVE_BACK, rows)

    def _renew(self) -> None:
        # A locked registry: the next beat comes before the lease ends.
        with suppress(StoreError), self.db.write() as conn:
            conn.execute(
                update(lease)
                .where(lease.c.holder == self.holder)
                .values(expires=time.time_ns() + int(self.ttl * 1e9))
            )


def live(database: Database) -> set[tuple[str, int]]:
    """Return (dataset, start) of every lease that has not expired."""
    query = select(lease.c.dataset, lease.c.start).where(lease.c.expires > time.time_ns())
    with database.read() as conn:
        return {(d, s) for d, s in conn.execute(query)}


def _began(pid: int) -> str:
    """Return when a process of this machine began, in clock ticks; '' when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _dead(holder: str) -> bool:
    """Tell whether a holder is a process of this machine that has ended."""
    host, pid, began = holder.rsplit("@", 1)[1].rsplit(":", 2)
    return host == socket.gethostname() and bool(began) and _began(int(pid)) != began


def _key(granule: Granule) -> dict[str, str | int]:
    return {"of": granule.dataset, "at": granule.interval.start}


#: Made once: they are asked for every granule.
_SAME = (lease.c.dataset == bindparam("of")) & (lease.c.start == bindparam("at"))
_HELD = select(lease.c.holder, lease.c.expires).where(_SAME)
_DROP = delete(lease).where(_SAME)
_GIVE_BACK = delete(lease).where(_SAME, lease.c.holder == bindparam("me"))
_TAKE = insert(lease)
