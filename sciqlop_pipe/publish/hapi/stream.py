"""An answer that is made and sent piece by piece, in constant memory, to slow clients too."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from . import encode
from .library import Answer
from .limits import Turns

PIECE = 1 << 19
"""Bytes that are handed to the network at once."""


@dataclass
class Stream:
    """The body of a data answer; an ASGI application of one request.

    It holds a place of `turns`, which it gives back whatever happens. A client that takes longer
    than `turns.limits.idle` for a piece is let go: its connection is closed in the middle, which
    tells it that the answer is not whole.
    """

    answer: Answer
    form: str
    info: Mapping[str, Any] | None
    headers: Mapping[str, str]
    gzip: bool
    turns: Turns
    sent: Callable[[int], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await self._send(scope, receive, send)
        finally:
            self.turns.give()

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(self.headers) | {"content-type": encode.CONTENT[self.form]}
        if self.gzip:
            headers["content-encoding"] = "gzip"
        pairs = [(k.encode(), v.encode()) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.ensure_future(_gone(receive))
        pieces = self._pieces()
        try:
            while (piece := await self.turns.work(next, pieces, None)) is not None:
                whole = memoryview(piece)
                for at in range(0, len(whole), PIECE):
                    if gone.done():
                        return
                    message = {"type": "http.response.body", "body": bytes(whole[at : at + PIECE]),
                               "more_body": True}  # fmt: skip
                    try:
                        await asyncio.wait_for(send(message), self.turns.limits.idle)
                    except TimeoutError:
                        return
                    self.sent(min(PIECE, len(whole) - at))
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    def _pieces(self) -> Iterator[bytes]:
        if not self.gzip:
            yield from self._plain()
            return
        packer = zlib.compressobj(1, wbits=31)
        for piece in self._plain():
            if packed := packer.compress(piece):
                yield packed
        yield packer.flush()

    def _plain(self) -> Iterator[bytes]:
        if self.form == "json":
            yield encode.header(self.info or {}, "json")
        elif self.info is not None:
            yield encode.header(self.info, self.form)
        between = b""
        chosen = self.answer.parameters
        for block in self.answer.blocks:
            if self.form == "json":
                yield between + encode.records(block, chosen)
                between = b",\n"
            else:
                yield (encode.csv if self.form == "csv" else encode.binary)(block, chosen)
        if self.form == "json":
            yield b"\n]\n}\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def json_bytes(value: Any) -> bytes:
    """Return a metadata answer."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
