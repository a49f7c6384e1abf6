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

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec, BloscShuffle, ZstdCodec
from zarr.storage import LocalStore, MemoryStore, ZipStore

from ..datatype import DataType
from ..errors import StoreError
from ..granule import Granule
from .layout import plain_attrs, raw_values, stored_attrs, words

ZIP_LIMIT = 64 << 20
CHUNK_BYTES = 4 << 20
RECORD = "sciqlop_pipe"


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


def encode(ds: xr.Dataset, datatype: DataType, record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a dataset as the files of a Zarr v3 group, compressed as its DataType wants."""
    memory = MemoryStore()
    coordinates = " ".join(sorted(str(c) for c in ds.coords if c not in ds.dims))
    attrs = plain_attrs(ds.attrs) | ({"coordinates": coordinates} if coordinates else {})
    group = zarr.create_group(memory, zarr_format=3, attributes=attrs | {RECORD: dict(record)})
    for name, var in ds.variables.items():
        values = raw_values(var)
        array = group.create_array(
            str(name),
            shape=values.shape,
            dtype=str if values.dtype.kind == "U" else values.dtype,
            chunks=_chunks(values, datatype),
            compressors=_codecs(var, values, datatype),
            dimension_names=[str(d) for d in var.dims],
            attributes=stored_attrs(var),
            fill_value=np.nan if values.dtype.kind == "f" else None,
            config={"write_empty_chunks": True},
        )
        if values.size:
            array[...] = values
    return {key: buffer.to_bytes() for key, buffer in sorted(memory._store_dict.items())}


def _chunks(values: np.ndarray[Any, Any], datatype: DataType) -> tuple[int, ...]:
    if values.ndim == 0:
        return ()
    per_record = max(1, values[:1].nbytes)
    records = (
        datatype.records if values.ndim > 2 and datatype.records else CHUNK_BYTES // per_record
    )
    return (min(max(1, records), max(1, values.shape[0])), *(max(1, s) for s in values.shape[1:]))


def _codecs(var: xr.Variable, values: np.ndarray[Any, Any], datatype: DataType) -> Any:
    # Arrays made of counts repeat whole words, which any shuffle destroys; see store-design notes.
    if values.dtype.kind == "U":
        return [ZstdCodec(level=3)]
    if datatype.numeric == "counts" and values.ndim > 2:
        return [ZstdCodec(level=3)]
    shuffle = BloscShuffle.shuffle if var.dtype.kind == "M" else BloscShuffle.bitshuffle
    return [BloscCodec(cname="zstd", clevel=3, shuffle=shuffle, typesize=values.dtype.itemsize)]


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
        with xr.open_zarr(store, consolidated=False, chunks=None) as lazy:
            ds: xr.Dataset = lazy.load()
        store.close()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"the granule does not read ({error})",
            str(root / path),
            "Run 'sciqlop-pipe store check', then run its dataset again",
        ) from error
    ds.attrs.pop(RECORD, None)
    for name, var in ds.variables.items():
        if var.dtype.kind in "OT":
            ds[name] = var.copy(data=words(var.values))
    for var in ds.variables.values():
        var.encoding = {}
    ds.encoding = {}
    return ds


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
