"""When two stores are the same: the same granules are current, and the same events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace

from sqlalchemy import select

from ..errors import StoreError
from ..granule import Granule, Interval
from . import schema
from .granules import read_granule
from .layout import content_hash
from .store import Store

_G, _C, _E = schema.granule, schema.currency, schema.event


@dataclass(frozen=True, slots=True, order=True)
class Content:
    """What a store says of one granule or one event; uids, paths and times of writing differ.

    `n` and `fingerprint` are those of a granule, or 0 and the id of an event; `content` is the
    hash of decoded arrays and attributes, or the kind and the attributes of the event.
    """

    dataset: str
    start: int
    stop: int
    n: int
    fingerprint: str
    content: str

    def __str__(self) -> str:
        return f"{Granule(self.dataset, Interval(self.start, self.stop))} {self.fingerprint[:12]}"


def contents(store: Store) -> list[Content]:
    """Return everything current in a store, granules and events, as registered, in order."""
    granules = (
        select(_C.c.dataset, _C.c.start, _C.c.stop, _G.c.n, _G.c.fingerprint, _G.c.content)
        .join(_G, _G.c.uid == _C.c.uid)
        .where(_C.c.tx_to.is_(None))
    )
    events = (
        select(_E.c.dataset, _E.c.start, _E.c.stop, _E.c.id, _E.c.kind, _E.c.attributes)
        .join(_C, _C.c.uid == _E.c.uid)
        .where(_C.c.tx_to.is_(None))
    )
    with store.registry.db.read() as conn:
        found = [Content(*row) for row in conn.execute(granules)]
        found.extend(
            Content(dataset, start, stop, 0, id, f"{kind} {attributes}")
            for dataset, start, stop, id, kind, attributes in conn.execute(events)
        )
    return sorted(found)


def contents_on_disk(store: Store) -> list[Content]:
    """Return the same with the hash of what each kept granule really holds; reads all of them."""
    paths = {
        (c.dataset, c.start): c.path
        for name in store.registry.datasets()
        for c in store.registry.current(name)
    }
    return [
        replace(c, content=_hash(store, path))
        if (path := paths.get((c.dataset, c.start))) is not None
        else c
        for c in contents(store)
    ]


def _hash(store: Store, path: str) -> str:
    try:
        return content_hash(read_granule(store.root, path))
    except StoreError as error:
        return f"unreadable: {error.what}"


def digest(found: Iterable[Content]) -> str:
    """Return a hash of what a store holds: equal for stores that are the same."""
    total = hashlib.blake2b(digest_size=16)
    for item in found:
        total.update(repr(astuple(item)).encode())
    return total.hexdigest()
