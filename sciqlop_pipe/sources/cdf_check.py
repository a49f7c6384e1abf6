"""Is this CDF file whole, and what its bytes are worth: checked without any CDF library.

A CDF reader in C++ dies with the process on a truncated file, so nothing is opened before this.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ..errors import SourceError, TruncatedFile
from .cdf_layout import AGAIN, MD5_BYTES, ending
from .cdf_walk import walk_records

__all__ = ["check_whole", "expected_size", "has_md5", "refuse_page", "verify_md5", "walk_records"]

_SNIFF_BYTES = 2048
_BLOCK_BYTES = 1 << 20


def expected_size(path: str | os.PathLike[str]) -> int:
    """Return the size [bytes] that a CDF file says it has, its checksum included.

    Every CDF stores its end-of-file offset (global descriptor record, field ``eof``; 64 bits in
    version 3, 32 bits in version 2). A file compressed as a whole ends with its compressed record
    or with the record of the compression's parameters.

    Raises
    ------
    TruncatedFile
        The file is so short that its header records are cut.
    SourceError
        Not a CDF file.

    Notes
    -----
    Source: CDF Internal Format Description, NASA/GSFC Space Physics Data Facility.
    """
    end, has_sum = ending(path)
    if end <= 0:
        raise SourceError(f"damaged: it says that it ends at byte {end}", str(path), AGAIN)
    return end + (MD5_BYTES if has_sum else 0)


def check_whole(path: str | os.PathLike[str]) -> None:
    """Return None for a file that is a CDF and has all its bytes.

    A file may be longer: version 2 is padded to blocks.

    Raises
    ------
    TruncatedFile
        Bytes are missing at the end.
    SourceError
        The file is empty, a web page, or not a CDF.
    """
    where = str(path)
    refuse_page(path)
    size = Path(path).stat().st_size
    todo = f"{AGAIN}, or read its whole variables with --salvage"
    try:
        expected = expected_size(path)
    except TruncatedFile as error:
        raise TruncatedFile(f"truncated within its header ({error.what})", where, AGAIN) from error
    if expected > size:
        raise TruncatedFile(
            f"truncated: {expected - size} of {expected} bytes are missing", where, todo
        )


def refuse_page(path: str | os.PathLike[str]) -> None:
    """Refuse a file that is empty or a web page, whatever its name.

    Raises
    ------
    SourceError
        Quotes the title of the page: it often says what the server wanted.
    """
    where = str(path)
    try:
        with Path(path).open("rb") as file:
            start = file.read(_SNIFF_BYTES)
    except OSError as error:
        raise SourceError(
            f"cannot be opened ({error.strerror or error})", where, "Check the path and rights"
        ) from error
    if not start:
        raise SourceError("the file is empty", where, AGAIN)
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)", start, re.I):
        title = re.search(rb"<title[^>]*>(.*?)(</title|$)", start, re.I | re.S)
        words = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
        quoted = f" titled {words[:80]!r}" if words else ""
        raise SourceError(
            f"a web page{quoted} instead of data",
            where,
            "Check the address and the login, then download it again",
        )


def has_md5(path: str | os.PathLike[str]) -> bool:
    """Tell whether a whole CDF file ends with an MD5 of all before it."""
    return ending(path)[1]


def verify_md5(path: str | os.PathLike[str]) -> bool | None:
    """Return whether the MD5 at the end of a CDF fits its bytes, None where it has none.

    Parameters
    ----------
    path : path
        A whole CDF file (`check_whole`).
    """
    end, has_sum = ending(path)
    if not has_sum:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    with Path(path).open("rb") as file:
        left = end
        while left and (block := file.read(min(left, _BLOCK_BYTES))):
            digest.update(block)
            left -= len(block)
        return left == 0 and file.read(MD5_BYTES) == digest.digest()
