"""Bytes of raw files onto the local disk: whole, checked, under their final name at once."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError, TransientError
from .archive import RawFile
from .cdf_check import refuse_page
from .http import Patience, ask, is_url

if TYPE_CHECKING:
    import http.client

_BLOCK_BYTES = 1 << 20
_PAGES = (".html", ".htm", ".xml", ".vot", ".votable")


def fetch(raw: RawFile, into: Path, patience: Patience | None = None) -> Path:
    """Return the local path of a raw file, downloading it if it is remote.

    A remote file goes to a temporary name first and takes its own (``into/token/name``) when it
    is whole; a file that is there already for the same token is not fetched again.

    Parameters
    ----------
    raw : RawFile
        From a listing.
    into : Path
        Folder for downloads, made if needed.
    patience : Patience
        Tries, pauses and timeout.

    Raises
    ------
    SourceError
        The file is gone, refused by the server, empty, or a web page.
    TransientError
        The server failed, the body was cut short, or the file changed since it was listed.
    """
    if not is_url(raw.location):
        return _local(raw)
    target = Path(into) / raw.token / raw.name
    if target.is_file() and raw.size in (-1, target.stat().st_size):
        return target
    return _download(raw, target, patience or Patience())


def probe(raw: RawFile, patience: Patience | None = None) -> RawFile:
    """Return a remote file with size and stamp (ETag, else Last-Modified) as the server tells them.

    Local files, and those of listings that showed a stamp, come back unchanged.

    Raises
    ------
    SourceError, TransientError
        As `fetch`.
    """
    if not is_url(raw.location) or raw.stamp:
        return raw

    def read(response: http.client.HTTPResponse) -> RawFile:
        size = int(response.headers.get("Content-Length") or -1)
        stamp = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        return RawFile(
            raw.name, raw.location, raw.start, raw.stop, raw.version, size, stamp.strip()
        )

    return ask(raw.location, read, patience or Patience(), method="HEAD")


def checksum(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as "sha256:" and 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _local(raw: RawFile) -> Path:
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
    return path


def _download(raw: RawFile, target: Path, patience: Patience) -> Path:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)

        def save(response: http.client.HTTPResponse) -> None:
            _save(response, part, raw)

        ask(raw.location, save, patience)
        if not target.name.lower().endswith(_PAGES):
            _refuse_page(part, raw.location)
        part.replace(target)
    except OSError as error:
        raise SourceError(
            f"cannot be written to {target.parent} ({error.strerror or error})",
            raw.location,
            "Free some space or choose another folder for downloads",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def _save(response: http.client.HTTPResponse, part: Path, raw: RawFile) -> None:
    """Write the body; a short one is a passing fault (the library does not notice it)."""
    told = response.headers.get("Content-Length")
    with part.open("wb") as file:
        shutil.copyfileobj(response, file, _BLOCK_BYTES)
        size = file.tell()
    expected = int(told) if told and told.isdigit() else size
    if size != expected:
        raise TransientError(
            f"the connection ended after {size} of {expected} bytes", raw.location, "Try again"
        )
    if raw.size not in (-1, size) and "html" not in (response.headers.get("Content-Type") or ""):
        raise TransientError(
            f"has {size} bytes, its archive listed {raw.size}: it has been replaced",
            raw.location,
            "Run again: the archive is listed anew",
        )


def _refuse_page(part: Path, url: str) -> None:
    try:
        refuse_page(part)
    except SourceError as error:
        raise SourceError(error.what, url, error.todo) from error
