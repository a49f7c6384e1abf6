"""A web archive on the loopback interface, with faults on demand."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Fault = Callable[[http.server.SimpleHTTPRequestHandler], bool]


@dataclass
class Web:
    """A running server: its address, the requests it has seen, and what to do wrong next.

    A fault is called with the request's handler and returns whether it has answered.
    """

    address: str
    requests: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve a folder on a free port."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *args) -> None:
            pass

        def _answer(self, verb: str, ordinary: Callable[[], None]) -> None:
            web.requests.append(f"{verb} {self.path}")
            waiting = web.faults.get(self.path, [])
            if not (waiting and waiting.pop(0)(self)):
                ordinary()

        def do_GET(self) -> None:
            self._answer("GET", super().do_GET)

        def do_HEAD(self) -> None:
            self._answer("HEAD", super().do_HEAD)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(f"http://127.0.0.1:{server.server_address[1]}/")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status(code: int) -> Fault:
    """Answer with an error status."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        handler.send_error(code)
        return True

    return fault


def page(text: str, kind: str = "text/html") -> Fault:
    """Answer 200 with a page."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        body = text.encode()
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return fault


def short_body(told: int, sent: bytes) -> Fault:
    """Promise more bytes than are sent, then hang up."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(told))
        handler.end_headers()
        handler.wfile.write(sent)
        handler.close_connection = True
        return True

    return fault


def hang_up(handler: http.server.SimpleHTTPRequestHandler) -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    return True
