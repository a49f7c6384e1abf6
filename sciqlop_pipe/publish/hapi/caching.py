"""What a client may keep of an answer, and whether it has it already."""

from __future__ import annotations

import hashlib
from email.utils import formatdate, parsedate_to_datetime

from starlette.datastructures import Headers
from starlette.responses import Response

from ... import __version__
from ...granule import SECOND

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Content-Type",
    "x-content-type-options": "nosniff",
}


def tag(*parts: str) -> str:
    """Return the ETag of what follows from some words."""
    digest = hashlib.blake2b("\0".join((__version__, *parts)).encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def cache(mark: str, changed: int) -> dict[str, str]:
    """Return the headers of an answer with an ETag that changed last at a time [ns]."""
    return {
        "etag": mark,
        "last-modified": formatdate(changed // SECOND, usegmt=True),
        "cache-control": "no-cache",  # keep it, and ask whether it is still the same
        "vary": "accept-encoding",
    }


def same(headers: Headers, mark: str, changed: int) -> Response | None:
    """Return 304 when the client has this very answer already."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = {t.strip().removeprefix("W/") for t in known.split(",")}
        fresh = mark in tags or "*" in tags
    else:
        try:
            since = parsedate_to_datetime(headers.get("if-modified-since") or "")
            fresh = changed // SECOND <= since.timestamp()
        except (ValueError, TypeError, OverflowError):
            fresh = False
    return Response(status_code=304, headers=CORS | cache(mark, changed)) if fresh else None


def gzip(headers: Headers) -> bool:
    """Tell whether a client takes gzip."""
    for word in (headers.get("accept-encoding") or "").lower().split(","):
        name, _, weight = word.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
