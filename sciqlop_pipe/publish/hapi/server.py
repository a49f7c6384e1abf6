"""Running the application: uvicorn with clients that are slow to say what they want let go."""

from __future__ import annotations

import asyncio
import socket
from math import ceil
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import HapiApp


def protocol(idle: float, connections: int) -> type[H11Protocol]:
    """Return uvicorn's HTTP protocol with bounds that it lacks.

    A connection that has not sent a whole request within `idle` seconds is closed: otherwise a
    thousand of them cost an attacker nothing. Beyond `connections` new ones are closed at once.
    """

    class Patient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections:
                transport.write(_FULL)
                transport.close()
                return
            self._waiting_since = self.loop.time()
            self._arm()

        def on_response_complete(self) -> None:
            self._waiting_since = self.loop.time()
            super().on_response_complete()

        def _arm(self) -> None:
            self._late = self.loop.call_later(idle / 2, self._look)

        def _look(self) -> None:
            late = self.loop.time() - self._waiting_since >= idle
            if self.transport.is_closing() and late:
                self.transport.abort()  # what is left is for a client that does not read
                return
            if late and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
                self.transport.close()
            self._arm()

        def connection_lost(self, exc: Exception | None) -> None:
            if late := getattr(self, "_late", None):
                late.cancel()
            super().connection_lost(exc)

    return Patient


_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


def server_of(
    app: HapiApp, host: str = "127.0.0.1", port: int = 8000, *, connections: int = 1000
) -> uvicorn.Server:
    """Return a server that has not been started.

    Parameters
    ----------
    app : HapiApp
        What it runs.
    host, port
        Where it listens; port 0 takes any that is free.
    connections : int
        How many clients may be connected.
    """
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        http=protocol(app.limits.idle, connections),
        ws="none",
        log_level="warning",
        server_header=False,
        # After its 5 s, a client that is busy would find its connection closed as it asks again.
        timeout_keep_alive=ceil(app.limits.idle),
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=16 << 10,
        backlog=1024,
    )
    return uvicorn.Server(config)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes any that is free.

    Raises
    ------
    OSError
        When the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def run(app: HapiApp, sock: socket.socket, *, connections: int = 1000) -> None:
    """Serve until interrupted."""
    server = server_of(app, connections=connections)
    asyncio.run(server.serve(sockets=[sock]))
