"""The manifest of a release: every granule, event list and model of it, with hashes and credits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from ...catalog import Catalog
from ...errors import UnknownName, UsageError, near
from ...granule import iso
from ...graph import Graph
from ...store import Store
from ...store.events import current_events
from ...store.releases import (
    Release,
    Told,
    datasets_at,
    find_release,
    followed,
    models_at,
    releases,
    save_manifest,
    statements_until,
    told,
)
from ...store.staging import make_release
from ..citing import citation, software

FORMAT = 1


def create(store: Store, graph: Graph, name: str, patterns: Sequence[str] = ()) -> Release:
    """Freeze what is current now under a name, and return it with its manifest.

    Parameters
    ----------
    store, graph
        What there is, and who is to be thanked for it.
    name : str
        Letters, digits and `.-_`.
    patterns : sequence of str
        Names or globs of what is released; everything where empty. Reading `as_of=name` works
        for everything in any case, and garbage collection keeps it.

    Raises
    ------
    UsageError
        When the name is taken, or is no name.
    UnknownName
        When a pattern fits nothing.

    Notes
    -----
    The moment is taken first, the manifest follows from it. A release whose making died in between
    is completed by the same command.
    """
    if not name or not all(c.isalnum() or c in ".-_" for c in name) or name[0] in ".-":
        raise UsageError(f"'{name}' is no name for a release", todo="Use letters, digits and .-_")
    there = next((r for r in releases(store.registry.db) if r.name == name), None)
    if there is not None and there.digest:
        raise UsageError(f"there is a release '{name}' already", todo="Choose another name")
    chosen(store, patterns, None if there is None else there.tx)
    tx = there.tx if there is not None else make_release(store.registry, name)
    facts = manifest(store, graph, name, tx, patterns)
    save_manifest(store.registry.db, name, facts["digest"], json.dumps(facts))
    return find_release(store.registry.db, name)


def chosen(store: Store, patterns: Sequence[str], tx: int | None) -> dict[str, bool]:
    """Return the datasets that patterns mean at a moment, and whether they are events."""
    there = datasets_at(store.registry.db, 2**62 if tx is None else tx)
    if not patterns:
        return there
    found: dict[str, bool] = {}
    for pattern in patterns:
        fits = {n: e for n, e in there.items() if fnmatchcase(n, pattern)}
        if not fits:
            raise UnknownName(
                f"the store has nothing of '{pattern}'", str(store.root), near(pattern, there)
            )
        found |= fits
    return dict(sorted(found.items()))


def manifest(
    store: Store, graph: Graph, name: str, tx: int, patterns: Sequence[str]
) -> dict[str, Any]:
    """Return all that a release holds, as plain values; `digest` is the hash of the rest."""
    names = chosen(store, patterns, tx)
    until = told(store.registry.db)
    made_from: set[str] = set()
    datasets = {}
    for dataset in (n for n, events in names.items() if not events):
        datasets[dataset] = _dataset(store, dataset, tx, made_from)
    catalogs = {
        n: _catalog(store, n, tx, until, made_from) for n, events in names.items() if events
    }
    facts = {
        "format": FORMAT,
        "release": name,
        "at": iso(tx),
        "tx": tx,
        "software": software(),
        "datasets": datasets,
        "catalogs": catalogs,
        "models": {n: {"content": c, "path": p} for n, (c, p) in
                   sorted(models_at(store.registry.db, tx).items())},
        "told": asdict(until),
        "inputs": sorted(made_from),
        "credits": citation(graph, [n for n in names if n in graph.nodes]),
    }  # fmt: skip
    return facts | {"digest": digest(facts)}


def digest(facts: Any) -> str:
    """Return the hash of plain values, their `digest` left out."""
    bare = {k: v for k, v in facts.items() if k != "digest"} if isinstance(facts, dict) else facts
    text = json.dumps(bare, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _dataset(store: Store, dataset: str, tx: int, made_from: set[str]) -> dict[str, Any]:
    rows = store.registry.current(dataset, as_of=tx)
    for row in rows:
        for used in store.registry.lineage(row.uid):
            if used.kind == "file":
                made_from.add(f"{used.name} {used.content}")
    full = [r for r in rows if r.n]
    return {
        "code": sorted({r.code for r in rows}),
        "params": sorted({r.params for r in rows}),
        "records": sum(r.n for r in rows),
        "start": iso(min(r.first or 0 for r in full)) if full else "",
        "stop": iso(max(r.last or 0 for r in full)) if full else "",
        "granules": [
            [iso(r.start), iso(r.stop), r.n, r.fingerprint, r.content, r.path or ""] for r in rows
        ],
    }


def _catalog(
    store: Store, dataset: str, tx: int, until: Told, made_from: set[str]
) -> dict[str, Any]:
    rows = store.registry.current(dataset, as_of=tx)
    catalog = catalog_at(store, dataset, tx, until)
    return {
        "code": sorted({r.code for r in rows}),
        "params": sorted({r.params for r in rows}),
        "events": len(catalog.events),
        "content": catalog_digest(catalog),
    }


def catalog_at(store: Store, dataset: str, tx: int, until: Told) -> Catalog:
    """Return a catalog as a release froze it: its events, and what had been said of them."""
    db = store.registry.db
    events = current_events(db, dataset, as_of=tx)
    said, _ = statements_until(db, dataset, until)
    by_event, lost = followed(db, said, events, tx)
    return Catalog(dataset, tuple(events), by_event, tuple(lost))


def catalog_digest(catalog: Catalog) -> str:
    """Return the hash of events and verdicts."""
    events = [[e.id, e.kind, e.start, e.stop, list(e.attributes)] for e in catalog.events]
    said = sorted(
        [k, [[getattr(v, f) for f in v.__slots__] for v in vs]]
        for k, vs in catalog.verdicts.items()
    )
    return digest([events, said])


def facts_of(release: Release) -> dict[str, Any]:
    """Return the manifest of a release.

    Raises
    ------
    UsageError
        When it has none: its making died, or an older version made it.
    """
    if not release.json:
        raise UsageError(
            f"the release '{release.name}' has no manifest",
            todo=f"'sciqlop-pipe release create {release.name}' completes it",
        )
    found: dict[str, Any] = json.loads(release.json)
    return found
