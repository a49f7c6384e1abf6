"""The mark of a store: the file that makes a folder one, and names its format and registry."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from ..errors import StoreError
from . import schema
from .bucket import ObjectPath, Place
from .database import Database, refuse_network_file_system, sqlite_file

MARK = "sciqlop-store.json"


def make(root: Place, registry: str) -> None:
    """Make an empty store with its registry.

    Raises
    ------
    StoreError
        When something else is there, or it cannot be written.
    """
    if isinstance(root, ObjectPath):
        if root.is_dir():
            raise StoreError("something that is not a store is there", str(root), "Choose a prefix")
        database = Database(address_of(root, registry))
        database.create()
        database.close()
        write_mark(root, {"format": schema.FORMAT, "registry": registry})
        return
    try:
        if root.exists() and not _left_unfinished(root):
            raise StoreError(
                "this folder holds something that is not a store",
                str(root),
                "Give --store a new or empty folder",
            )
        (root / "data").mkdir(parents=True, exist_ok=True)
        address = address_of(root, registry or "sqlite")
        if address.startswith("sqlite:///"):
            refuse_network_file_system(sqlite_file(address).parent)
        database = Database(address, syncs="OFF")  # the mark that makes it a store comes after it
        database.create()
        database.close()
        write_mark(root, {"format": schema.FORMAT, "registry": registry or "sqlite"})
    except OSError as error:
        raise StoreError(
            f"a store cannot be made here ({error.strerror or error})",
            str(root),
            "Choose a folder you may write to",
        ) from error


def _left_unfinished(root: Path) -> bool:
    """Tell whether a folder holds no more than a store that is being made, or whose making died."""
    return all(
        (path.name == "data" and not any(path.iterdir()))
        or path.name.startswith(("registry.sqlite", f".{MARK}", MARK))
        for path in root.iterdir()
    )


def address_of(root: Place, registry: str) -> str:
    """Return the address of a store's registry; "sqlite" is the file inside the store.

    Raises
    ------
    StoreError
        When a store in a bucket is given none of its own.
    """
    if isinstance(root, ObjectPath):
        if not registry or registry == "sqlite":
            raise StoreError(
                "a store in a bucket needs a registry of its own",
                str(root),
                "Give --registry postgresql://user@host/database, or for one machine "
                "--registry sqlite:////local/path.sqlite",
            )
        return registry
    return f"sqlite:///{root.resolve() / 'registry.sqlite'}" if registry == "sqlite" else registry


def write_mark(root: Place, facts: dict[str, Any]) -> None:
    """Put the mark of a store into place, in one step."""
    if isinstance(root, ObjectPath):
        (root / MARK).write_bytes(json.dumps(facts).encode())
        return
    part = root / f".{MARK}.{uuid.uuid4().hex[:8]}"
    with part.open("w") as file:
        file.write(json.dumps(facts))
        file.flush()
        os.fsync(file.fileno())
    part.rename(root / MARK)


def read_mark(root: Place, *, older: bool = False) -> dict[str, Any]:
    """Return format and registry of a store; `older` takes an old format too.

    Raises
    ------
    StoreError
        When the mark does not read, or its format is newer or (unless `older`) older.
    """
    try:
        facts: dict[str, Any] = json.loads((root / MARK).read_text())
        if not isinstance(facts["format"], int) or not isinstance(facts["registry"], str):
            raise ValueError("format and registry are missing")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the store's mark does not read ({error})", str(root / MARK)) from error
    if facts["format"] > schema.FORMAT:
        raise StoreError(
            f"the store has format {facts['format']}, this version reads up to {schema.FORMAT}",
            str(root),
            "Update sciqlop-pipe",
        )
    if facts["format"] < schema.FORMAT and not older:
        raise StoreError(
            f"the store has the old format {facts['format']}",
            str(root),
            "Run 'sciqlop-pipe store upgrade'",
        )
    return facts
