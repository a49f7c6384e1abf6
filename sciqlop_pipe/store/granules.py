"""Granules on disk: immutable Zarr v3 trees, invisible until renamed into place.

A granule is compressed in memory first. Up to `ZIP_LIMIT` bytes it becomes one zip file (an inode
instead of a hundred), beyond that a folder. Either opens with plain xarray.
"""

from __future__ import annotations

import io
import os
import shutil
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
import zarr
from zarr.storage import LocalStore, ZipStore

from ..datatype import DataType
from ..errors import StoreError
from ..granule import Granule
from .tree import RECORD, decode, encode

ZIP_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """Where a granule is, relative to the store's root, and its size on disk."""

    path: str
    nbytes: int


def granule_path(granule: Granule, uid: str) -> str:
    """Return the unique path of a granule relative to the store, without its suffix."""
    return f"data/{granule.dataset}/{granule.stamp[:4]}/{granule.stamp}-{uid}"


def new_uid(fingerprint: str) -> str:
    """Return a name nobody else has, recognisable by the fingerprint it starts with."""
    return f"{fingerprint[:8]}-{uuid.uuid4().hex[:8]}"


def write_granule(
    root: Path,
    granule: Granule,
    uid: str,
    ds: xr.Dataset,
    datatype: DataType,
    record: Mapping[str, Any],
    *,
    durable: bool = True,
) -> Written:
    """Return where a dataset was written; either all of it is there or nothing.

    Parameters
    ----------
    root : Path
        The store.
    granule, uid
        What it is; together they make the path.
    ds : Dataset
        In memory, checked against its DataType.
    record : mapping
        The registry's record, kept in the granule's attributes so that the tree can be re-read
        without the registry.
    durable : bool
        Whether to fsync before it becomes visible.

    Raises
    ------
    StoreError
        When the disk is full or not writable; nothing is left behind.
    """
    entries = encode(ds, datatype, record)
    size = sum(map(len, entries.values()))
    final = root / (granule_path(granule, uid) + (".zip" if size <= ZIP_LIMIT else ".zarr"))
    part = final.with_name(f".part-{final.name}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if size <= ZIP_LIMIT:
            _write_file(part, _zipped(entries), durable)
        else:
            for key, value in entries.items():
                (part / key).parent.mkdir(parents=True, exist_ok=True)
                _write_file(part / key, value, durable)
        part.rename(final)
        if durable:
            _sync_folder(final.parent)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)
        raise StoreError(
            f"the granule could not be written ({error.strerror or error})",
            f"{granule} in {root}",
            "Free space or fix permissions, then run the same command again",
        ) from error
    return Written(str(final.relative_to(root)), size)


def _zipped(entries: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for key, value in entries.items():
            file.writestr(zipfile.ZipInfo(key), value)
    return buffer.getvalue()


def _write_file(path: Path, data: bytes, durable: bool) -> None:
    with path.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def zarr_store(path: Path) -> Any:
    """Return the Zarr store of a granule for reading."""
    if path.suffix == ".zip":
        return ZipStore(path, mode="r", read_only=True)
    return LocalStore(path, read_only=True)


def read_granule(root: Path, path: str) -> xr.Dataset:
    """Return a granule in memory, without the registry's record.

    Raises
    ------
    StoreError
        When the file is gone or does not read.
    """
    try:
        store = zarr_store(root / path)
        try:
            return decode(store)
        finally:
            store.close()
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"the granule does not read ({error})",
            str(root / path),
            "Run 'sciqlop-pipe store check', then run its dataset again",
        ) from error


def read_record(path: Path) -> dict[str, Any]:
    """Return the registry record that a granule carries in its attributes."""
    store = zarr_store(path)
    try:
        record: Any = zarr.open_group(store, mode="r").attrs[RECORD]
        return dict(record)
    finally:
        store.close()


def remove_granule(root: Path, path: str) -> None:
    """Delete a granule that nothing refers to."""
    target = root / path
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)
