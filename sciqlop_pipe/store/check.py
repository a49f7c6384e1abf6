"""Checking a store: whether the tree holds what the registry says, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ..errors import StoreError
from ..granule import Granule, Interval
from . import schema
from .bucket import Place, name_in, trees
from .granules import read_granule, read_record
from .layout import content_hash
from .store import Store


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the registry says. An orphan is harmless: gc removes it."""

    kind: str
    where: str
    said: str

    @property
    def harmless(self) -> bool:
        """Tell whether nothing is lost or wrong."""
        return self.kind in ("orphan", "unfinished")


def check_store(store: Store, *, content: bool = False) -> Iterator[Problem]:
    """Yield everything wrong with a store.

    Parameters
    ----------
    store : Store
        Open for reading or writing.
    content : bool
        Whether every current granule is read and hashed, not just found and its record compared.
        Granules of the past and of staged runs are looked for, not read.
    """
    g, c = schema.granule, schema.currency
    facts = select(
        g.c.uid, g.c.dataset, g.c.start, g.c.stop, g.c.path, g.c.content, g.c.fingerprint
    )
    with store.registry.db.read() as conn:
        rows = conn.execute(facts.where(g.c.path.is_not(None))).all()
        spans = conn.execute(
            select(c.c.uid, c.c.dataset, c.c.start, c.c.stop)
            .where(c.c.tx_to.is_(None))
            .order_by(c.c.dataset, c.c.start)
        ).all()
    yield from _overlaps(spans)
    current = {span.uid for span in spans}
    for row in rows:
        granule = Granule(row.dataset, Interval(row.start, row.stop))
        path = store.root / row.path
        if not path.exists():
            todo = "run its dataset again" if row.uid in current else "it is not current now"
            yield Problem("missing", str(granule), f"{row.path} is not there; {todo}")
        elif row.uid in current:
            yield from _damage(store, row, str(granule), content)
    yield from _strangers(store.root, {row.path for row in rows})


def _damage(store: Store, row: Any, where: str, content: bool) -> Iterator[Problem]:
    try:
        if read_record(store.root / row.path).get("fingerprint") != row.fingerprint:
            yield Problem("other", where, f"{row.path} holds another granule")
        elif content and _altered(store, row):
            yield Problem("changed", where, f"{row.path} no longer holds what was written")
    except StoreError as error:
        yield Problem("unreadable", where, str(error))


def _altered(store: Store, row: Any) -> bool:
    return content_hash(read_granule(store.root, row.path), row.content) != str(row.content)


def _overlaps(rows: Sequence[Any]) -> Iterator[Problem]:
    last = None
    for row in rows:
        if last is not None and last.dataset == row.dataset and row.start < last.stop:
            granule = Granule(row.dataset, Interval(row.start, row.stop))
            yield Problem("overlap", str(granule), "two current granules share a stretch of time")
        last = row


def _strangers(root: Place, known: set[str]) -> Iterator[Problem]:
    for path in trees(root):
        name = name_in(root, path)
        if path.name.startswith("."):
            yield Problem("unfinished", name, "left by a run that was killed")
        elif name not in known:
            yield Problem("orphan", name, "written and never committed")
