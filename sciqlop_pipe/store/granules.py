"""Granules on disk: immutable Zarr v3 trees, invisible until renamed into place.

A granule is compressed in memory first. Up to `ZIP_LIMIT` bytes it becomes one zip file (an inode
instead of a hundred), beyond that a folder. Either opens with plain xarray.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
from zarr.storage import LocalStore, WrapperStore, ZipStore

from ..datatype import DataType
from ..errors import StorageFull, StoreError
from ..granule import Granule
from .bucket import ObjectPath, Place, read_all, write_all
from .tree import META, RECORD, decode, encode

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer, BufferPrototype

ZIP_LIMIT = 64 << 20
#: What Zarr, its codecs and zipfile raise for a tree that is damaged or something else.
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
)


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
    root: Place,
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
    root : Place
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
    StorageFull
        When the disk is full or not writable; nothing is left behind.
    """
    entries = encode(ds, datatype, record)
    if isinstance(root, ObjectPath):
        group = root / f"{granule_path(granule, uid)}.zarr"
        return Written(group.relative_to(root), write_all(group, entries))
    small = sum(map(len, entries.values())) <= ZIP_LIMIT
    final = root / (granule_path(granule, uid) + (".zip" if small else ".zarr"))
    part = final.with_name(f".part-{final.name}")
    files = {part: _zipped(entries)} if small else {part / k: v for k, v in entries.items()}
    # A file whose folder is not synced is safe and nameless.
    named_in = {final.parent, *(p.parent for p in final.parents if not p.exists())}
    try:
        for path, value in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_file(path, value, durable)
        part.rename(final)
        if durable:
            inside = [] if small else [final, *final.rglob("*")]
            for folder in (*(p for p in inside if p.is_dir()), *named_in):
                _sync_folder(folder)
    except OSError as error:
        for left in (part, final):
            _remove(left)
        raise StorageFull(
            f"the granule could not be written ({error.strerror or error})",
            f"{granule} in {root}",
            "Free space or fix permissions, then run the same command again",
        ) from error
    return Written(str(final.relative_to(root)), sum(map(len, files.values())))


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


class NoHoles(WrapperStore[Any]):
    """A granule whose chunks are all there: Zarr reads a lost one as fill values, silently."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: Any = None
    ) -> Buffer | None:
        """Return the bytes of a key; a chunk that is not there is an error."""
        found: Buffer | None = await self._store.get(key, prototype, byte_range)
        if found is None and ("/c/" in key or key.endswith("/c")):
            raise FileNotFoundError(f"chunk {key} is gone")
        return found


def zarr_store(path: Place) -> Any:
    """Return the Zarr store of a granule for reading."""
    if isinstance(path, ObjectPath):
        return NoHoles(path.zarr())
    if path.suffix == ".zip":
        return NoHoles(ZipStore(path, mode="r", read_only=True))
    return NoHoles(LocalStore(path, read_only=True))


def read_granule(root: Place, path: str) -> xr.Dataset:
    """Return a granule in memory, without the registry's record.

    Raises
    ------
    StoreError
        When the file is gone or does not read.
    """
    place = root / path
    with _reading(place):
        return decode(_files(place))


def read_record(path: Place) -> dict[str, Any]:
    """Return the registry record that a granule carries in its attributes.

    Raises
    ------
    StoreError
        When the file is gone or does not read.
    """
    with _reading(path):
        if isinstance(path, Path) and path.suffix == ".zip":
            with zipfile.ZipFile(path) as file:
                text = file.read(META)
        else:
            text = (path / META).read_bytes()
        return dict(json.loads(text)["attributes"][RECORD])


def _files(place: Place) -> dict[str, bytes]:
    if isinstance(place, ObjectPath):
        return read_all(place)
    if place.suffix == ".zip":
        with zipfile.ZipFile(place) as file:  # which compares checksums
            return {name: file.read(name) for name in file.namelist()}
    found = (p for p in place.rglob("*") if p.is_file())
    return {p.relative_to(place).as_posix(): p.read_bytes() for p in found}


@contextmanager
def _reading(path: Place) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise StoreError(
            f"the granule does not read ({type(error).__name__}: {error})",
            str(path),
            "Run 'sciqlop-pipe store check', then run its dataset again",
        ) from error


def remove_granule(root: Place, path: str) -> None:
    """Delete a granule that nothing refers to."""
    _remove(root / path)


def _remove(path: Place) -> None:
    if isinstance(path, ObjectPath):
        path.remove()
    elif path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
