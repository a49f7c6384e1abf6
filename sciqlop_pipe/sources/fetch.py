"""Bytes of raw files onto the local disk: whole, checked, under their final name at once."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError, StorageFull, TransientError
from .access import Access
from .archive import RawFile
from .cache import Kept, RawCache, checksum
from .cdf_check import refuse_page
from .http import RangeRefused, Unpacking, ask, blocks, encoding, host_of, is_url
from .rate import servers, tell

if TYPE_CHECKING:
    import http.client

_TELL_SECONDS = 0.5
_PAGES = (".html", ".htm", ".xml", ".vot", ".votable")
_HAPI = "hapi+"
_SPEASY = "speasy:"

__all__ = ["checksum", "fetch", "is_remote", "probe"]


def fetch(raw: RawFile, into: Path, access: Access | None = None) -> Path:
    """Return the local path of a raw file, downloading it if it is remote.

    Where it cannot be had, the same file behind other doors is (`RawFile.others`), in their order.

    A remote file is collected in a part and takes its own name when it is whole and its checksum,
    if the server tells one, fits. A part that was cut off is continued where it ended, if the
    server says that it is still the same file. With a cache, a file of the same token is not
    fetched again.

    Parameters
    ----------
    raw : RawFile
        From a listing.
    into : Path
        Folder for what the task reads, made if needed.
    access : Access
        Cache, patience, turns at servers; whether the network may be used at all.

    Raises
    ------
    SourceError
        The file is gone, refused by the server, empty, or a web page; or offline and not in the
        cache.
    TransientError
        The server failed, the body was cut short, or the file changed since it was listed.
    StorageFull
        There is no room for it here.
    """
    access = access or Access()
    try:
        return _fetch(raw, Path(into), access)
    except StorageFull:
        raise
    except (SourceError, TransientError) as error:
        for other in raw.others:
            with contextlib.suppress(SourceError, TransientError):
                return _fetch(other, Path(into), access)
        if not raw.others:
            raise
        also = f"{error.what}; nor can it be had from {len(raw.others)} other door(s)"
        kind = SourceError if isinstance(error, SourceError) else TransientError
        raise kind(also, error.where, error.todo) from error


def _fetch(raw: RawFile, into: Path, access: Access) -> Path:
    if not is_remote(raw.location):
        return _local(raw, into)
    cache = RawCache(Path(access.cache), access.cache_bytes) if access.cache else RawCache(into)
    try:
        with cache.alone(raw.token) as part:
            for _ in range(3):
                kept = cache.find(raw.token, raw.name) or _get(raw, cache, part, access)
                try:
                    return kept.path if not access.cache else cache.borrow(kept, into / raw.token)
                except FileNotFoundError:  # removed by a full cache in this very moment
                    continue
    except OSError as error:
        raise StorageFull(
            f"cannot be written to {cache.folder} ({error.strerror or error})",
            raw.location,
            "Free some space or choose another folder with --cache, then run the same command "
            "again: what has arrived is continued",
        ) from error
    raise TransientError("the cache is too small to hold it", raw.location, "Give --cache-size")


def is_remote(location: str) -> bool:
    """Tell whether a location needs the network."""
    return is_url(location) or location.startswith((_HAPI, _SPEASY))


def probe(raw: RawFile, access: Access | None = None) -> RawFile:
    """Return a remote file with size and stamp (ETag, else Last-Modified) as the server tells them.

    Local files, those of listings that showed a stamp, and those about which the server does not
    tell, come back unchanged. Offline it is what the server said last.

    Raises
    ------
    TransientError
        As `fetch`.
    """
    if not is_url(raw.location) or raw.stamp:
        return raw
    access = access or Access()
    memory = RawCache(Path(access.cache)) if access.cache else None
    key = f"probe {raw.location}"
    if access.offline:
        said = memory.recall(key) if memory is not None else None
        size, stamp = json.loads(said) if said else (raw.size, raw.stamp)
        return replace(raw, size=size, stamp=stamp)

    def read(response: http.client.HTTPResponse) -> RawFile:
        size = _length(response, 0)
        stamp = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        return replace(raw, size=size, stamp=stamp.strip())

    try:
        with servers.turn(host_of(raw.location), access):
            known = ask(raw.location, read, access.patience, method="HEAD")
    except SourceError:
        return raw  # it tells nothing, or not to HEAD; whoever fetches the file will see
    if memory is not None:
        memory.remember(key, json.dumps([known.size, known.stamp]))
    return known


def _local(raw: RawFile, into: Path) -> Path:
    path = Path(raw.location)
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise SourceError(
            "the file is gone since its archive was listed",
            raw.location,
            "Check that the archive is mounted, and run again",
        ) from error
    except OSError as error:
        raise TransientError(
            f"cannot be reached ({error.strerror or error})", raw.location, "Check the archive"
        ) from error
    if raw.size not in (-1, size):
        raise TransientError(
            f"has {size} bytes, its archive listed {raw.size}: it is being replaced or copied",
            raw.location,
            "Run again when the copy is complete",
        )
    return path if raw.location.isprintable() else _named_well(path, into / raw.token / raw.name)


def _named_well(path: Path, link: Path) -> Path:
    """Return a link to a file below a folder whose name no library could write down."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    return link


def _get(raw: RawFile, cache: RawCache, part: Path, access: Access) -> Kept:
    if access.offline:
        raise SourceError(
            "it is not in the cache, and the network is not to be used",
            raw.location,
            "Run once without --offline",
        )
    part.parent.mkdir(parents=True, exist_ok=True)
    if raw.location.startswith(_SPEASY):
        from .speasy import save_variables

        with servers.turn(raw.location.split("/")[0], access):
            save_variables(raw.location, part, access)
        tell(access.topic, part.stat().st_size)
    else:
        download = _Download(raw, part, access)
        with servers.turn(host_of(download.url), access):
            download.run()
        if not raw.name.lower().endswith(_PAGES):
            _refuse_page(part, raw.location)
        if raw.location.startswith(_HAPI):
            from .hapi import refuse_error

            refuse_error(part, raw.location)
    return cache.put(raw.token, raw.name, part)


class _Download:
    """One file on its way; a part that a fault left behind is continued."""

    def __init__(self, raw: RawFile, part: Path, access: Access) -> None:
        self.raw, self.part, self.access = raw, part, access
        self.url = raw.location.removeprefix(_HAPI)
        self.mark = part.with_name(part.name + ".validator")

    def run(self) -> None:
        """Get it; what is here and cannot be continued is got anew."""
        try:
            ask(self.url, self.save, self.access.patience, headers=self.headers)
        except RangeRefused:
            # All of it had come when the process was killed, or it is another file by now.
            self._drop()
            ask(self.url, self.save, self.access.patience, headers=self.headers)

    def headers(self) -> dict[str, str]:
        """Ask for the rest, if what is here can be told to be of the same file."""
        try:
            have, validator = self.part.stat().st_size, self.mark.read_text()
        except OSError:
            return {}
        if not have or not validator:
            return {}
        return {"Range": f"bytes={have}-", "If-Range": validator}

    def save(self, response: http.client.HTTPResponse) -> None:
        """Write the body; a short one is a passing fault (the library does not notice it)."""
        continued = response.status == 206
        have = self.part.stat().st_size if continued else 0
        if continued and not (_continues(response, have) and self._is_same(response)):
            self._drop()
            raise TransientError("another part came than was asked for", self.url, "Try again")
        # A file that is called so is meant to stay packed, whatever the server makes of its name.
        packed = encoding(response) and not self.raw.name.lower().endswith(".gz")
        expected = _length(response, have)
        if not continued:
            # What is unpacked on the way cannot be continued.
            self.mark.write_text("" if packed else _validator(response))
        size = self._copy(response, have, expected, Unpacking(self.url) if packed else None)
        page = "html" in (response.headers.get("Content-Type") or "")
        try:
            if self.raw.size not in (-1, size) and not page:
                raise TransientError(
                    f"has {size} bytes, its archive listed {self.raw.size}: it has been replaced",
                    self.url,
                    "Run again: the archive is listed anew",
                )
            if not packed:
                self._compare(response)
        except TransientError:
            self._drop()
            raise
        self.mark.unlink(missing_ok=True)

    def _is_same(self, response: http.client.HTTPResponse) -> bool:
        """Tell whether the rest is of the file that was begun: some servers ignore If-Range."""
        with contextlib.suppress(OSError):
            told = _validator(response)
            return not told or told == self.mark.read_text()
        return False

    def _copy(
        self, response: http.client.HTTPResponse, have: int, expected: int,
        unpack: Unpacking | None,
    ) -> int:  # fmt: skip
        """Write what comes behind what is here; return the size of the file."""
        told = time.monotonic()
        came, untold = have, 0
        with self.part.open("r+b" if have else "wb") as file:
            file.seek(have)
            file.truncate()
            for block in blocks(response, self.access.patience):
                file.write(unpack(block) if unpack else block)
                came, untold = came + len(block), untold + len(block)
                if (now := time.monotonic()) - told > _TELL_SECONDS:
                    tell(self.access.topic, untold)
                    told, untold = now, 0
            tell(self.access.topic, untold)
            size = file.tell()
        if expected not in (-1, came):
            raise TransientError(
                f"the connection ended after {came} of {expected} bytes", self.url, "Try again"
            )
        if unpack:
            unpack.finish()
        return size

    def _compare(self, response: http.client.HTTPResponse) -> None:
        """Refuse a file whose checksum is not the one that the server tells."""
        for name, told in _digests(response):
            with self.part.open("rb") as file:
                found = hashlib.file_digest(file, name).digest()
            if found != told:
                raise TransientError(
                    f"its {name.upper()} is not the one that the server tells: damaged on the way",
                    self.url,
                    "Try again",
                )

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)


def _length(response: http.client.HTTPResponse, have: int) -> int:
    """Return the size of the whole file [bytes], -1 where the server does not tell it."""
    # A server may send less than the rest that it was asked for.
    whole = (response.headers.get("Content-Range") or "").rpartition("/")[2].strip()
    told = (response.headers.get("Content-Length") or "").strip()
    if response.status == 206 and whole.isdigit():
        return int(whole)
    return have + int(told) if told.isdigit() else -1


def _validator(response: http.client.HTTPResponse) -> str:
    """Return what identifies this very file; a weak ETag does not."""
    etag = response.headers.get("ETag") or ""
    strong = etag if etag.startswith('"') else ""
    return strong or response.headers.get("Last-Modified") or ""


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    return (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


def _digests(response: http.client.HTTPResponse) -> list[tuple[str, bytes]]:
    """Return the checksums of the whole file that a response tells (RFC 9530, RFC 3230, 1864)."""
    if response.headers.get("Content-Encoding") or response.status == 206:
        told = [("Repr-Digest", response.headers.get("Repr-Digest") or "")]
    else:
        told = [(n, response.headers.get(n) or "") for n in ("Repr-Digest", "Digest")]
        told.append(("Content-MD5", f"md5={response.headers.get('Content-MD5') or ''}"))
    found = []
    for _, text in told:
        for item in text.split(","):
            name, _, value = item.strip().partition("=")
            method = name.lower().replace("-", "")
            try:
                digest = base64.b64decode(value.strip(":"), validate=True)
            except (binascii.Error, ValueError):
                continue
            if method in ("sha256", "md5", "sha512") and digest:
                found.append((method, digest))
    return found


def _refuse_page(part: Path, url: str) -> None:
    try:
        refuse_page(part)
    except SourceError as error:
        part.unlink(missing_ok=True)
        raise SourceError(error.what, url, error.todo) from error
