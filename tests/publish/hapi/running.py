"""A server in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.hapi.app import HapiApp
from sciqlop_pipe.publish.hapi.library import Library
from sciqlop_pipe.publish.hapi.limits import Limits
from sciqlop_pipe.publish.hapi.server import bound, server_of
from sciqlop_pipe.store import Store

ANY = Limits(rate=0)


@contextmanager
def app_of(root: Path, limits: Limits = ANY, graph: Graph | None = None) -> Iterator[HapiApp]:
    """The application of a store."""
    with Store.open(root, read_only=True) as store:
        yield HapiApp(Library(store, graph), limits)


@contextmanager
def running(root: Path, limits: Limits = ANY, graph: Graph | None = None) -> Iterator[str]:
    """A server of a store over loopback; gives its address, which ends in /hapi."""
    with app_of(root, limits, graph) as app, listening(app) as base:
        yield f"{base}/hapi"


@contextmanager
def listening(app: HapiApp) -> Iterator[str]:
    """An application over loopback."""
    sock = bound("127.0.0.1", 0)
    server = server_of(app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[sock])))
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Here:
    """An application without a network: `get` answers as a client would see it."""

    def __init__(self, app: HapiApp) -> None:
        self.app = app

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Send one request; header names have _ for -."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}

        async def ask() -> httpx.Response:
            transport: Any = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, headers=named)

        return asyncio.run(ask())
