"""Backup of what exists only in the registry, and rebuilding the rest from the tree."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from ..errors import StoreError
from ..granule import Granule, Interval
from . import schema, spans
from .bucket import measure, name_in, trees
from .granules import read_granule, read_record
from .layout import layout_of
from .records import InputUsed, Record
from .registry import Registry
from .store import Store

BATCH = 1000
#: The run that granules of the tree are registered under.
RUN = "rebuild"


def backup(registry: Registry, file: Path) -> int:
    """Write every row of the registry to a gzipped JSON-lines file; return how many.

    The same file restores into SQLite or PostgreSQL.

    Raises
    ------
    StoreError
        When the file cannot be written.
    """
    count = 0
    part = file.with_name(f".{file.name}.part")
    try:
        with registry.db.read() as conn, gzip.open(part, "wt", encoding="utf-8") as out:
            out.write(json.dumps({"format": schema.FORMAT, "written": time.time_ns()}) + "\n")
            for table in schema.metadata.sorted_tables:
                for row in conn.execute(select(table)).mappings():
                    out.write(json.dumps([table.name, dict(row)]) + "\n")
                    count += 1
        part.rename(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"the backup could not be written ({error.strerror or error})",
            str(file),
            "Choose a folder you may write to, with space",
        ) from error
    return count


def restore(registry: Registry, file: Path) -> int:
    """Fill an empty registry from a backup; return how many rows.

    Raises
    ------
    StoreError
        When the registry is not empty, or the file is of a newer format or does not read; then
        nothing is restored.
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
            for name, rows in groupby(map(json.loads, lines), key=itemgetter(0)):
                while batch := [row for _, row in islice(rows, BATCH)]:
                    conn.execute(insert(schema.metadata.tables[name]), batch)
                    count += len(batch)
            registry.db.renumber(conn)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, StopIteration) as e:
        raise StoreError(f"the backup does not read ({type(e).__name__}: {e})", str(file)) from e
    return count


def rebuild(store: Store) -> tuple[int, list[str]]:
    """Register every granule that only the tree knows; return how many, and problems in words.

    Where several granules cover the same time the one written last becomes current; what is older
    than what is current stays an orphan. Events, verdicts, releases and history are not in the
    tree: restore a backup first.
    """
    g = schema.granule
    with store.registry.db.read() as conn:
        known = {uid for (uid,) in conn.execute(select(g.c.uid))}
    found: list[tuple[int, Record]] = []
    problems: list[str] = []
    for path in trees(store.root):
        name = name_in(store.root, path)
        if path.name.startswith("."):
            continue
        try:
            facts = read_record(path)
            if facts["uid"] not in known:
                layout = layout_of(read_granule(store.root, name))
                found.append(
                    (facts.get("written", 0), _record(facts, name, measure(path)[0], layout))
                )
        except (StoreError, KeyError, TypeError) as error:
            problems.append(f"{name}: {error}")
    count = 0
    with store.registry.db.write() as conn:
        for written, record in sorted(found, key=itemgetter(0)):
            if not _is_older(conn, record, written):
                tx = store.registry.db.now(conn)
                store.registry.insert(conn, record, RUN, tx, "")
                count += 1
    return count, problems


def _is_older(conn: Connection, record: Record, written: int) -> bool:
    """Tell whether something is current in a granule's place that was committed after it."""
    g = schema.granule
    there = spans.current_over(conn, record.granule.dataset, record.granule.interval)
    since = select(g.c.run, g.c.written).where(g.c.uid.in_([span.uid for span in there]))
    return any(run != RUN and at > written for run, at in conn.execute(since))


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
