"""Is a release still what its manifest says: in the store, and in a folder it was exported to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...detect.trained import content_hash as model_hash
from ...errors import PipeError
from ...granule import iso
from ...store import Store
from ...store.granules import read_granule
from ...store.layout import content_hash
from ...store.releases import Told, find_release
from .manifest import catalog_at, catalog_digest, digest, facts_of

SUMS = "SHA256SUMS"


def verify(store: Store, name: str, *, content: bool = True) -> Iterator[str]:
    """Yield, in words, everything of a release that is not as its manifest says.

    Parameters
    ----------
    store : Store
        Where it was made.
    name : str
        Of the release.
    content : bool
        Whether values are read and hashed; otherwise files only have to be there.

    Raises
    ------
    UnknownName, UsageError
        When there is no such release, or it has no manifest.
    """
    facts = facts_of(find_release(store.registry.db, name))
    if digest(facts) != facts["digest"]:
        yield "the manifest itself was changed: its digest does not fit"
    tx, until = int(facts["tx"]), Told(**facts["told"])
    for dataset, said in facts["datasets"].items():
        yield from _dataset(store, dataset, said, tx, content)
    for dataset, said in facts["catalogs"].items():
        found = catalog_at(store, dataset, tx, until)
        if catalog_digest(found) != said["content"]:
            yield f"{dataset}: events or verdicts differ ({len(found.events)} events)"
    for model, said in facts["models"].items():
        folder = store.root / said["path"]
        if not folder.is_dir():
            yield f"model {model}: {said['path']} is gone"
        elif content:
            try:
                found_content = model_hash(folder)
            except PipeError as error:
                yield f"model {model}: {error}"
                continue
            if found_content != said["content"]:
                yield f"model {model}: {said['path']} was changed"


def _dataset(
    store: Store, dataset: str, said: dict[str, Any], tx: int, content: bool
) -> Iterator[str]:
    try:
        rows = store.registry.current(dataset, as_of=tx)
    except PipeError as error:  # garbage collection of another program took part of it
        yield str(error)
        return
    now = {iso(r.start): r for r in rows}
    for start, _, n, fingerprint, hash_, path in said["granules"]:
        row = now.pop(start, None)
        where = f"{dataset} {start}"
        if row is None or (row.fingerprint, row.content, row.n) != (fingerprint, hash_, n):
            yield f"{where}: the registry says something else"
        elif path and not (store.root / path).exists():
            yield f"{where}: {path} is gone"
        elif path and content:
            try:
                found = content_hash(read_granule(store.root, path), hash_)
            except PipeError as error:
                yield f"{where}: {error}"
                continue
            if found != hash_:
                yield f"{where}: the values of {path} were changed"
    for start in now:
        yield f"{dataset} {start}: not in the manifest"


def verify_folder(folder: Path) -> Iterator[str]:
    """Yield, in words, every file of an exported release that is gone, changed, or new."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError as error:
        raise PipeError("this is no exported release", str(folder), f"It has no {SUMS}") from error
    listed = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines)}
    for name, want in listed.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is gone"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != want:
            yield f"{name} was changed"
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name != SUMS and name not in listed:
            yield f"{name} is not part of the release"
