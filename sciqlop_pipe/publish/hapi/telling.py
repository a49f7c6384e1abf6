"""What a server says of itself and of its datasets: every endpoint but data."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

from ... import __version__
from ...granule import SECOND
from . import query, times
from .caching import CORS, cache, gzip, same, tag
from .describe import Described
from .library import Library
from .limits import Limits
from .status import envelope
from .stream import json_bytes

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class About:
    """Who runs a server."""

    id: str = "SciQLOP-Pipe"
    title: str = "SciQLOP Pipe"
    contact: str = "not given"
    description: str = "Products and event catalogs made by SciQLOP Pipe"


@dataclass(frozen=True, slots=True)
class Request:
    """What an endpoint needs of a request."""

    query: query.Query
    headers: Headers
    address: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """The catalog with all that is in it, as it was told last."""

    mark: str = ""
    body: bytes = b""
    packed: bytes = b""


class Teller:
    """Answers about a library, for several threads."""

    def __init__(self, library: Library, limits: Limits, about: About) -> None:
        self.library, self.limits, self.about = library, limits, about
        self._lock, self._kept = threading.Lock(), _Kept()

    def told(self, endpoint: str, request: Request) -> Response:
        """Return an answer about datasets, none where the client has it already.

        Raises
        ------
        HapiError
            As the endpoint does.
        """
        if endpoint == "catalog" and request.query.deep:
            return self._deep(request)
        q, library = request.query, self.library
        body = json_bytes(self._answer(endpoint, q))
        changed = library.changed(q.dataset) if endpoint == "info" else int(library.tx())
        mark = tag(endpoint, repr(q), str(changed))
        if known := same(request.headers, mark, changed):
            return known
        headers = CORS | cache(mark, changed)
        if len(body) > 512 and gzip(request.headers):
            body = zlib.compress(body, 6, wbits=31)
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type=JSON)

    def _deep(self, request: Request) -> Response:
        """Return the catalog with all that is in it: made once for each state of the store."""
        library, changed = self.library, int(self.library.tx())
        mark = tag("catalog", library.revision(), library.declared, repr(self.limits))
        if request.headers.get("if-none-match") and (
            known := same(request.headers, mark, changed)
        ):  # a date would not tell of judged events
            return known
        with self._lock:  # one makes what all wait for
            if self._kept.mark != mark:
                body = json_bytes(self._answer("catalog", request.query))
                self._kept = _Kept(mark, body, zlib.compress(body, 6, wbits=31))
            kept = self._kept
        headers = CORS | cache(mark, changed)
        if not gzip(request.headers):
            return Response(kept.body, headers=headers, media_type=JSON)
        headers["content-encoding"] = "gzip"
        return Response(kept.packed, headers=headers, media_type=JSON)

    def _answer(self, endpoint: str, q: query.Query) -> dict[str, Any]:
        library, about = self.library, self.about
        if endpoint == "capabilities":
            return envelope() | {
                "outputFormats": ["csv", "binary", "json"],
                "catalogDepthOptions": ["dataset", "all"],
            }
        if endpoint == "about":
            return envelope() | {
                "id": about.id,
                "title": about.title,
                "contact": about.contact,
                "description": about.description,
                "x_note": f"SciQLOP Pipe {__version__}; changed last: {when(library.tx())}",
            }
        if endpoint == "catalog":
            return envelope() | {"catalog": self._catalog(deep=q.deep)}
        return self.info(q.dataset, q.parameters)

    def _catalog(self, *, deep: bool) -> list[dict[str, Any]]:
        if not deep:
            return [self._entry(name) for name in self.library.extents()]
        listed = []
        for name, described, info in self.library.every():
            if described is None:  # its shape is known once some of it is made
                listed.append(self._entry(name) | {"x_promised": info})
                continue
            about = self._bounded(described, info)
            told = {k: v for k, v in about.items() if k not in ("HAPI", "status")}
            listed.append(self._entry(name) | {"info": told})
        return listed

    def _entry(self, name: str) -> dict[str, Any]:
        title = self.library.title(name)
        return {"id": name, "title": title} if title else {"id": name}

    def info(self, name: str, parameters: tuple[str, ...] | None) -> dict[str, Any]:
        """Return the answer to an info request, with what one request may ask for."""
        info = self.library.info(name, parameters)
        return self._bounded(self.library.described(name), info)

    def _bounded(self, described: Described, info: dict[str, Any]) -> dict[str, Any]:
        if longest := self._longest(described):
            info["maxRequestDuration"] = times.duration_of(longest)
        return info

    def _longest(self, described: Described) -> int:
        """Return how long an interval of all parameters may be [s], 0 where it is not known."""
        longest = self.limits.seconds or float("inf")
        if described.cadence > 0:
            size = described.record(described.parameters).itemsize
            longest = min(longest, self.limits.nbytes / size * described.cadence)
        whole = (described.stop - described.start) / SECOND
        return int(longest) if longest < whole else 0


def when(tx: str) -> str:
    """Return a transaction time as text."""
    return times.text_of(int(tx)) if int(tx) else "never"
