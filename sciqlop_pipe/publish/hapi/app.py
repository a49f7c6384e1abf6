"""The ASGI application: HAPI endpoints, a landing page, health and metrics. It only reads."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import __version__
from ...errors import StoreError
from ...granule import SECOND, Interval
from ...ondemand import Broker, Busy, NotComputed
from ...store.records import Record
from . import VERSION, query, times
from .describe import Described
from .library import Library
from .limits import Limits, Rate, Turns, busy
from .meter import Meter
from .page import landing
from .status import NO_DATA, OK, HapiError, envelope
from .stream import Stream, json_bytes

log = logging.getLogger(__name__)
PREFIX = "/hapi"
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Content-Type",
    "x-content-type-options": "nosniff",
}
_PAGE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
}
_LONGEST_QUERY = 8192
_JSON = "application/json; charset=utf-8"


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


@dataclass
class HapiApp:
    """A HAPI server of one store.

    Parameters
    ----------
    library : Library
        What it serves.
    limits : Limits
        What it allows.
    about : About
        Who runs it.
    broker : Broker, optional
        Makes what the store lacks.
    """

    library: Library
    limits: Limits = field(default_factory=Limits)
    about: About = field(default_factory=About)
    broker: Broker | None = None
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self.turns, self.rate = Turns(self.limits), Rate(self.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong, the client gets a code and no traceback."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        began, code, started = time.perf_counter(), 0, False

        async def watched(message: Message) -> None:
            nonlocal code, started
            if message["type"] == "http.response.start":
                code, started = message["status"], True
            await send(message)

        endpoint = _endpoint(scope["path"])
        try:
            answer = await self._answer(endpoint, scope)
            await answer(scope, receive, watched)
        except HapiError as error:
            if not started:
                await _refusal(error)(scope, receive, watched)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"][:200])
            if started:  # the connection is closed: an answer cut short is no answer
                raise
            await _refusal(HapiError(1500))(scope, receive, watched)
        finally:
            self.meter.answered(endpoint or "other", code, time.perf_counter() - began)

    async def _answer(self, endpoint: str, scope: Scope) -> ASGIApp:
        method = scope["method"]
        if method == "OPTIONS":
            return Response(status_code=204, headers=_CORS)
        if method not in ("GET", "HEAD"):
            error = HapiError(1400, f"{method[:20]} is not understood; this only reads", http=405)
            return _refusal(error, {"allow": "GET, HEAD, OPTIONS"})
        headers = Headers(scope=scope)
        if endpoint == "health":
            return await self._health()
        if endpoint == "metrics":
            return Response(self._metrics(), media_type="text/plain; version=0.0.4")
        address = (scope.get("client") or ("", 0))[0]
        self.rate.check(address)
        if endpoint == "landing":
            text = await self.turns.work(self._landing)
            return Response(text, media_type="text/html", headers=_CORS | _PAGE)
        if endpoint not in ("capabilities", "about", "catalog", "info", "data"):
            raise HapiError(1400, "there is no such endpoint", http=404)
        raw = scope["query_string"]
        if len(raw) > _LONGEST_QUERY:
            raise HapiError(1400, "the request is too long", http=414)
        items = QueryParams(raw.decode("latin-1")).multi_items()
        request = Request(query.read(endpoint, items), headers, address)
        if endpoint == "data":
            return await self._data(request)
        return await self._metadata(endpoint, request)

    async def _metadata(self, endpoint: str, request: Request) -> ASGIApp:
        if endpoint == "info":
            await self._make_first(request.query.dataset, request.address)
        async with self.turns.turn():
            made = await self.turns.work(self._json, endpoint, request.query)
        body, tag, changed = made
        if same := _same(request.headers, tag, changed):
            return same
        headers = _CORS | _cache(tag, changed)
        if len(body) > 512 and _gzip(request.headers):
            body = await self.turns.work(lambda: zlib.compress(body, 6, wbits=31))
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type=_JSON)

    def _json(self, endpoint: str, q: query.Query) -> tuple[bytes, str, int]:
        library, about = self.library, self.about
        if endpoint == "capabilities":
            said = envelope() | {
                "outputFormats": ["csv", "binary", "json"],
                "catalogDepthOptions": ["dataset", "all"],
            }
        elif endpoint == "about":
            said = envelope() | {
                "id": about.id,
                "title": about.title,
                "contact": about.contact,
                "description": about.description,
                "x_note": f"SciQLOP Pipe {__version__}; changed last: {_when(library.tx())}",
            }
        elif endpoint == "catalog":
            said = envelope() | {"catalog": self._catalog(deep=q.deep)}
        else:
            said = self.info(q.dataset, q.parameters)
            changed = library.changed(q.dataset)
            return json_bytes(said), _tag(endpoint, repr(q), str(changed)), changed
        changed = int(library.tx())
        return json_bytes(said), _tag(endpoint, repr(q), str(changed)), changed

    def _catalog(self, *, deep: bool) -> list[dict[str, Any]]:
        listed = []
        for name in self.library.extents():
            entry: dict[str, Any] = {"id": name}
            if title := self.library.title(name):
                entry["title"] = title
            if deep:
                try:
                    info = self.info(name, None)
                except HapiError:  # it can be made, and has not been yet
                    continue
                entry["info"] = {k: v for k, v in info.items() if k not in ("HAPI", "status")}
            listed.append(entry)
        return listed

    def info(self, name: str, parameters: tuple[str, ...] | None) -> dict[str, Any]:
        """Return the answer to an info request, with what one request may ask for."""
        said = self.library.info(name, parameters)
        if longest := self._longest(self.library.described(name)):
            said["maxRequestDuration"] = times.duration_of(longest)
        return said

    def _longest(self, described: Described) -> int:
        """Return how long an interval of all parameters may be [s], 0 where it is not known."""
        longest = self.limits.seconds or float("inf")
        if described.cadence > 0:
            size = described.record(described.parameters).itemsize
            longest = min(longest, self.limits.nbytes / size * described.cadence)
        whole = (described.stop - described.start) / SECOND
        return int(longest) if longest < whole else 0

    async def _make_first(self, dataset: str, user: str) -> None:
        """Make one granule of what can be made and never was: its layout is not known before."""
        broker = self.broker
        if broker is None:
            return
        extents = await self.turns.work(self.library.extents)
        extent = extents.get(dataset)
        if extent is not None and not extent.records and not extent.events:
            with _said():
                await broker.first(dataset, extent.interval, user)
            await asyncio.to_thread(broker.maker.wait)

    async def _make(self, dataset: str, interval: Interval, user: str) -> tuple[Record, ...]:
        if self.broker is None:
            return ()
        with _said():
            made = await self.broker.make(dataset, interval, user)
        for failure in made.failures:
            log.error("%s could not be made: %s", failure.granule, failure.error)
        if made.failures and not made.records:
            raise HapiError(1501, f"'{dataset}' could not be computed; the server's log says why")
        return made.records

    async def _data(self, request: Request) -> ASGIApp:
        q = request.query
        await self._make_first(q.dataset, request.address)
        await self.turns.take()
        try:
            described = await self.turns.work(self.library.described, q.dataset)
            interval = query.interval_of(q, described)
            longest = self.limits.seconds
            if longest and interval.stop - interval.start > longest * SECOND:
                raise HapiError(1408, f"at most {times.duration_of(longest)} at once")
            fresh = await self._make(q.dataset, interval, request.address)
            answer = await self.turns.work(self._open, q, interval, request.headers, fresh)
        except BaseException:
            self.turns.give()
            raise
        if not isinstance(answer, Stream):
            self.turns.give()
        return answer

    def _open(
        self, q: query.Query, interval: Interval, headers: Headers, fresh: tuple[Record, ...]
    ) -> ASGIApp:
        changed = self.library.changed(q.dataset)
        packed = _gzip(headers)
        tag = _tag("data", repr(q), str(changed), str(packed), *(r.uid for r in fresh))
        if same := _same(headers, tag, changed):
            return same
        answer = self.library.open(q.dataset, interval, q.parameters, fresh)
        size = answer.count * answer.nbytes
        if size > self.limits.nbytes:
            raise HapiError(
                1408,
                f"{answer.count} records are {size / 1e6:.0f} MB, at most "
                f"{self.limits.nbytes / 1e6:.0f} MB at once: shorten the interval to "
                f"{self.limits.nbytes / size:.2g} of it, or ask for fewer parameters",
            )
        info = None
        if q.header or q.form == "json":
            info = self.info(q.dataset, q.parameters) | envelope(OK if answer.count else NO_DATA)
            info["format"] = q.form
        sent = self.meter.sent
        cached = _CORS | _cache(tag, changed) | {"x-sciqlop-records": str(answer.count)}
        return Stream(answer, q.form, info, cached, packed, self.turns, sent)

    async def _health(self) -> ASGIApp:
        try:
            async with asyncio.timeout(5):
                tx = await asyncio.to_thread(self.library.tx)
        except (StoreError, TimeoutError) as error:
            log.error("health: %s", error)
            return Response(json_bytes({"status": "broken"}), 503, media_type=_JSON)
        said = {"status": "ok", "HAPI": VERSION, "changed": _when(tx)}
        return Response(json_bytes(said), media_type=_JSON, headers={"cache-control": "no-store"})

    def _metrics(self) -> str:
        gauges = {"streams": self.turns.taken, "waiting": self.turns.waiting}
        if self.broker is not None:
            gauges |= {"computing": self.broker.computing, "compute_queue": self.broker.queued}
        return self.meter.text({k: float(v) for k, v in gauges.items()})

    def _landing(self) -> str:
        library = self.library
        rows = [(e, library.title(n)) for n, e in library.extents().items()]
        return landing(self.about.title, self.about.description, rows)


@contextmanager
def _said() -> Iterator[None]:
    """Turn what keeps a product from being made into a refusal."""
    try:
        yield
    except Busy as error:
        raise busy(str(error)) from None
    except NotComputed as error:
        raise HapiError(1408, str(error)) from None


def _endpoint(path: str) -> str:
    if path in ("/", PREFIX, f"{PREFIX}/"):
        return "landing"
    if path in ("/health", "/metrics"):
        return path[1:]
    found = path.removeprefix(f"{PREFIX}/")
    known = ("capabilities", "about", "catalog", "info", "data")
    return found if path.startswith(f"{PREFIX}/") and found in known else ""


def _refusal(error: HapiError, more: Mapping[str, str] | None = None) -> Response:
    headers = _CORS | {"cache-control": "no-store"} | dict(more or {})
    if error.retry_after:
        headers["retry-after"] = str(error.retry_after)
    body = json_bytes(envelope(error.code, error.detail))
    return Response(body, error.http, headers, _JSON)


def _tag(*parts: str) -> str:
    digest = hashlib.blake2b("\0".join((__version__, *parts)).encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def _cache(tag: str, changed: int) -> dict[str, str]:
    return {
        "etag": tag,
        "last-modified": formatdate(changed // SECOND, usegmt=True),
        "cache-control": "no-cache",  # keep it, and ask whether it is still the same
        "vary": "accept-encoding",
    }


def _same(headers: Headers, tag: str, changed: int) -> Response | None:
    """Return 304 when the client has this very answer already."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = {t.strip().removeprefix("W/") for t in known.split(",")}
        fresh = tag in tags or "*" in tags
    else:
        try:
            since = parsedate_to_datetime(headers.get("if-modified-since") or "")
            fresh = changed // SECOND <= since.timestamp()
        except (ValueError, TypeError, OverflowError):
            fresh = False
    return Response(status_code=304, headers=_CORS | _cache(tag, changed)) if fresh else None


def _gzip(headers: Headers) -> bool:
    for word in (headers.get("accept-encoding") or "").lower().split(","):
        name, _, weight = word.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _when(tx: str) -> str:
    return times.text_of(int(tx)) if int(tx) else "never"


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
