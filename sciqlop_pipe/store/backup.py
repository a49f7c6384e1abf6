"""Backup of what exists only in the registry, and rebuilding the rest from the tree."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from ..errors import StoreError
from ..granule import Granule, Interval
from . import schema
from .granules import read_granule, read_record
from .layout import layout_of
from .records import InputUsed, Record
from .registry import Registry
from .store import Store


def backup(registry: Registry, file: Path) -> int:
    """Write every row of the registry to a gzipped JSON-lines file; return how many.

    The same file restores into SQLite or PostgreSQL.
    """
    count = 0
    part = file.with_name(f".{file.name}.part")
    with registry.db.read() as conn, gzip.open(part, "wt", encoding="utf-8") as out:
        out.write(json.dumps({"format": schema.FORMAT, "written": time.time_ns()}) + "\n")
        for table in schema.metadata.sorted_tables:
            for row in conn.execute(select(table)).mappings():
                out.write(json.dumps([table.name, dict(row)]) + "\n")
                count += 1
    part.rename(file)
    return count


def restore(registry: Registry, file: Path) -> int:
    """Fill an empty registry from a backup; return how many rows.

    Raises
    ------
    StoreError
        When the registry is not empty, or the file is of a newer format or does not read.
    """
    count = 0
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines, registry.db.write() as conn:
            if conn.execute(select(schema.granule.c.uid).limit(1)).first() is not None:
                raise StoreError(
                    "the registry is not empty", registry.db.where, "Restore into a new registry"
                )
            head = json.loads(next(lines))
            if head["format"] > schema.FORMAT:
                raise StoreError(
                    f"the backup has format {head['format']}", str(file), "Update sciqlop-pipe"
                )
            conn.execute(schema.store_info.delete())
            for line in lines:
                name, row = json.loads(line)
                conn.execute(insert(schema.metadata.tables[name]).values(**row))
                count += 1
    except (OSError, ValueError, StopIteration) as error:
        raise StoreError(f"the backup does not read ({error})", str(file)) from error
    return count


def rebuild(store: Store) -> tuple[int, list[str]]:
    """Register every granule of the tree that is not registered; return count and problems.

    Where several granules cover the same time the one written last becomes current. Events,
    verdicts, releases and history are not in the tree: restore a backup first.
    """
    g = schema.granule
    with store.registry.db.read() as conn:
        known = {path for (path,) in conn.execute(select(g.c.path))}
    found: list[tuple[int, Record]] = []
    problems: list[str] = []
    for path in sorted((store.root / "data").glob("*/*/*")):
        name = str(path.relative_to(store.root))
        if path.name.startswith(".") or name in known:
            continue
        try:
            facts = read_record(path)
            layout = layout_of(read_granule(store.root, name))
            found.append((facts.get("written", 0), _record(facts, name, _bytes(path), layout)))
        except (StoreError, KeyError, ValueError, OSError) as error:
            problems.append(f"{name}: {error}")
    with store.registry.db.write() as conn:
        for _, record in sorted(found, key=lambda pair: pair[0]):
            tx = store.registry.db.now(conn)
            store.registry.insert(conn, record, "rebuild", tx, "")
    return len(found), problems


def _record(facts: dict[str, Any], path: str, nbytes: int, layout: Any) -> Record:
    granule = Granule(facts["dataset"], Interval(facts["start"], facts["stop"]))
    return Record(
        granule,
        facts["uid"],
        facts["fingerprint"],
        facts["content"],
        facts["n"],
        facts["first"],
        facts["last"],
        path,
        nbytes,
        layout,
        facts["code"],
        facts["version"],
        facts["params"],
        facts["inputs"],
        tuple(InputUsed(*used) for used in facts["lineage"]),
        facts["quality"],
        facts["completeness"],
        tuple(facts["waits_for"]),
    )


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files)
