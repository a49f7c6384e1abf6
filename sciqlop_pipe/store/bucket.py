"""Object stores (S3 and what speaks its language): what a store needs of a folder, in a bucket.

Credentials, region and endpoint come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL
...), never from an address.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import StorageFull, StoreError

#: How often a request is made again that failed by itself; obstore's own is ten times.
PATIENCE: Any = {"max_retries": 5}
SCHEMES = ("s3://",)


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath:
    """A place in a bucket, with the names that `pathlib.Path` gives to what is done with it.

    Parameters
    ----------
    bucket : str
        Scheme and bucket, "s3://archive".
    key : str
        What follows, without a slash at either end.
    """

    bucket: str
    key: str

    @classmethod
    def of(cls, url: str) -> ObjectPath:
        """Return the place of an address.

        Raises
        ------
        StoreError
            When it is no address of a bucket, or carries credentials.
        """
        parts = urlsplit(url)
        if f"{parts.scheme}://" not in SCHEMES or not parts.netloc:
            raise StoreError("this is not the address of a bucket", url, "Write s3://bucket/prefix")
        if "@" in parts.netloc:
            raise StoreError(
                "an address of a bucket holds no credentials", f"{parts.scheme}://...",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
            )  # fmt: skip
        return cls(f"{parts.scheme}://{parts.netloc}", parts.path.strip("/"))

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    def __truediv__(self, name: str) -> ObjectPath:
        return ObjectPath(self.bucket, f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """Return the last word."""
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Return the ending of the name, dot included."""
        return Path(self.name).suffix

    @property
    def parent(self) -> ObjectPath:
        """Return the place that holds it."""
        return ObjectPath(self.bucket, self.key.rpartition("/")[0])

    def resolve(self) -> ObjectPath:
        """Return itself: there are no links."""
        return self

    def relative_to(self, other: ObjectPath) -> str:
        """Return the key below another place."""
        return self.key.removeprefix(other.key).strip("/")

    @property
    def objects(self) -> Any:
        """Return the obstore store of the bucket."""
        return _bucket(self.bucket, os.getpid())

    def exists(self) -> bool:
        """Tell whether there is such an object, or anything below."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Tell whether there is such an object."""
        with _said(self):
            try:
                self.objects.head(self.key)
            except FileNotFoundError:
                return False
            return True

    def is_dir(self) -> bool:
        """Tell whether there is anything below."""
        return next(self.walk(), None) is not None

    def walk(self) -> Iterator[tuple[str, int, int]]:
        """Yield key, size in bytes and time [ns since 1970] of every object below."""
        with _said(self):
            for page in self.objects.list(prefix=f"{self.key}/" if self.key else None):
                for found in page:
                    when = int(found["last_modified"].timestamp() * 1e9)
                    yield found["path"], int(found["size"]), when

    def read_bytes(self) -> bytes:
        """Return what an object holds."""
        with _said(self):
            return bytes(self.objects.get(self.key).bytes())

    def read_text(self) -> str:
        """Return what an object holds, as text."""
        return self.read_bytes().decode()

    def write_bytes(self, data: bytes) -> None:
        """Make an object: all of it is there or nothing."""
        with _said(self):
            self.objects.put(self.key, data)

    def remove(self) -> None:
        """Delete an object and everything below."""
        with _said(self):
            keys = [key for key, *_ in self.walk()] or [self.key]
            for key in keys:
                try:
                    self.objects.delete(key)
                except FileNotFoundError:
                    continue

    def glob(self, pattern: str) -> Iterator[ObjectPath]:
        """Yield the places below whose first words fit a pattern of as many words."""
        depth = pattern.count("/") + 1
        start = ObjectPath(self.bucket, f"{self.key}/{pattern.split('*')[0]}".strip("/"))
        seen = set[str]()
        for key, *_ in start.walk():
            words = key.removeprefix(self.key).strip("/").split("/")
            name = "/".join(words[:depth])
            if len(words) >= depth and name not in seen and fnmatchcase(name, pattern):
                seen.add(name)
                yield self / name

    def zarr(self) -> Any:
        """Return the Zarr store of what is below, for reading."""
        from zarr.storage import ObjectStore

        return ObjectStore(_bucket(str(self), os.getpid()), read_only=True)


#: Where a store, or a granule, is.
Place = Path | ObjectPath


def place_of(url: str | os.PathLike[str]) -> Place:
    """Return the folder, or the place in a bucket, that an address means.

    Raises
    ------
    StoreError
        For an address of any other kind.
    """
    text = os.fspath(url).removeprefix("file://")
    return ObjectPath.of(text) if "://" in text else Path(text)


def trees(root: Place) -> list[Place]:
    """Return everything below a store that is, or was to become, a granule; in order of name."""
    found: list[Place] = [*(root / "data").glob("*/*/*")]
    return sorted(found, key=str)


def name_in(root: Place, place: Place) -> str:
    """Return the name of a granule's place relative to its store."""
    return str(place)[len(str(root)) + 1 :]


def measure(place: Place) -> tuple[int, int]:
    """Return bytes and time of writing [ns since 1970] of a file, or of everything below."""
    if isinstance(place, ObjectPath):
        found = [(size, when) for _, size, when in place.walk()]
        return sum(s for s, _ in found), max((w for _, w in found), default=0)
    files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files), place.stat().st_mtime_ns


def upload(folder: Path, place: ObjectPath) -> None:
    """Copy a small folder into a bucket."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            (place / str(file.relative_to(folder))).write_bytes(file.read_bytes())


@cache
def local_copy(place: Place) -> Path:
    """Return a folder that holds what a place does; one in a bucket is fetched once per process."""
    if isinstance(place, Path):
        return place
    folder = Path(tempfile.mkdtemp(prefix="sciqlop-pipe-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for key, *_ in place.walk():
        target = folder / ObjectPath(place.bucket, key).relative_to(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(ObjectPath(place.bucket, key).read_bytes())
    return folder


def write_all(place: ObjectPath, entries: Mapping[str, bytes]) -> int:
    """Write a granule as one object per file; return its bytes.

    Nobody looks there before it is committed; what a writer that died left is garbage.
    """
    objects = place.objects
    with _said(place):
        _together(entries, lambda name: objects.put_async(f"{place.key}/{name}", entries[name]))
    return sum(map(len, entries.values()))


def read_all(place: ObjectPath) -> dict[str, bytes]:
    """Return what the objects below a place hold, by their names below it."""
    objects = place.objects

    async def one(name: str) -> bytes:
        return bytes(await (await objects.get_async(f"{place.key}/{name}")).bytes_async())

    with _said(place):
        names = [ObjectPath(place.bucket, key).relative_to(place) for key, *_ in place.walk()]
        return dict(zip(names, _together(names, one), strict=True))


def _together(names: Iterable[str], ask: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """Return the answers to one request per name, of which 16 are under way at a time."""
    import asyncio

    from zarr.core.sync import sync

    async def every() -> list[Any]:
        many = asyncio.Semaphore(16)

        async def one(name: str) -> Any:
            async with many:
                return await ask(name)

        return await asyncio.gather(*map(one, names))

    return sync(every())


@cache
def _bucket(url: str, process: int) -> Any:
    """Return the obstore store of an address; one per process, as it holds connections."""
    try:
        from obstore.store import from_url
    except ModuleNotFoundError as error:
        raise StoreError(
            "object stores need a package that is not installed (obstore)", url,
            "pip install 'sciqlop-pipe[s3]'",
        ) from error  # fmt: skip
    return from_url(url, retry_config=PATIENCE)


class _said:
    """Turns the faults of an object store into ours, which say what to do."""

    def __init__(self, place: ObjectPath) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, (FileNotFoundError, StoreError, GeneratorExit)):
            return
        if not isinstance(error, Exception):
            return
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        said = " ".join(str(error).split())[:200]
        # Without credentials the machine is asked for some, at an address that only clouds have.
        nameless = "169.254.169.254" in str(error)
        if nameless or isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
            raise StoreError(
                "there are no credentials for the bucket" if nameless
                else f"the bucket does not let us in ({said})", str(self.place),
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, of "
                "workers too",
            ) from error  # fmt: skip
        raise StorageFull(
            f"the bucket does not answer ({said})", str(self.place),
            "Set AWS_ENDPOINT_URL where it is not Amazon's; then run the same command again",
        ) from error  # fmt: skip
