"""The ASGI application: HAPI endpoints, a landing page, health and metrics. It only reads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import StoreError
from ...granule import SECOND, Interval
from ...ondemand import Broker, Busy, NotComputed
from ...store.records import Record
from . import VERSION, query, times
from .caching import CORS, cache, gzip, same, tag
from .library import Library
from .limits import Limits, Rate, Turns, busy
from .meter import Meter
from .page import landing
from .status import NO_DATA, OK, HapiError, envelope
from .stream import Stream, json_bytes
from .telling import JSON, About, Request, Teller, when

__all__ = ["About", "HapiApp"]

log = logging.getLogger(__name__)
PREFIX = "/hapi"
_PAGE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
}
_LONGEST_QUERY = 8192


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
        self.teller = Teller(self.library, self.limits, self.about)

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
            return Response(status_code=204, headers=CORS)
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
            return Response(text, media_type="text/html", headers=CORS | _PAGE)
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
            return await self.turns.work(self.teller.told, endpoint, request)

    async def _make_first(self, dataset: str, user: str) -> None:
        """Make one granule of what can be made and never was: its layout is not known before."""
        broker = self.broker
        if broker is None:
            return
        extents = await self.turns.work(self.library.extents)
        if await self.turns.work(self.library.is_promised, dataset):
            with _said():
                await broker.first(dataset, extents[dataset].interval, user)
            await asyncio.to_thread(broker.maker.wait)

    async def _make(self, dataset: str, interval: Interval, user: str) -> tuple[Record, ...]:
        if self.broker is None:
            return ()
        with _said():
            made = await self.broker.make(dataset, interval, user)
        for failure in made.failures:
            log.error("%s could not be made: %s", failure.granule, failure.error)
        events = await self.turns.work(self.library.holds_events, dataset)
        if made.records and events:
            await asyncio.to_thread(self.broker.maker.wait)  # events are read from the registry
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
        packed = gzip(headers)
        mark = tag("data", repr(q), str(changed), str(packed), *(r.uid for r in fresh))
        if known := same(headers, mark, changed):
            return known
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
            info = self.teller.info(q.dataset, q.parameters) | envelope(
                OK if answer.count else NO_DATA
            )
            info["format"] = q.form
        sent = self.meter.sent
        cached = CORS | cache(mark, changed) | {"x-sciqlop-records": str(answer.count)}
        return Stream(answer, q.form, info, cached, packed, self.turns, sent)

    async def _health(self) -> ASGIApp:
        try:
            async with asyncio.timeout(5):
                tx = await asyncio.to_thread(self.library.tx)
        except (StoreError, TimeoutError) as error:
            log.error("health: %s", error)
            return Response(json_bytes({"status": "broken"}), 503, media_type=JSON)
        said = {"status": "ok", "HAPI": VERSION, "changed": when(tx)}
        return Response(json_bytes(said), media_type=JSON, headers={"cache-control": "no-store"})

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
    headers = CORS | {"cache-control": "no-store"} | dict(more or {})
    if error.retry_after:
        headers["retry-after"] = str(error.retry_after)
    body = json_bytes(envelope(error.code, error.detail))
    return Response(body, error.http, headers, JSON)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
