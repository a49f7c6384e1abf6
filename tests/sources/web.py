"""A web archive on the loopback interface, with faults on demand."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Fault = Callable[[http.server.SimpleHTTPRequestHandler], bool]


@dataclass
class Web:
    """A running server: its address, the requests it has seen, and what to do wrong next.

    Faults are filed by path; one that ends in * is for all paths that begin so. A fault is called with the request's handler and returns whether it has answered.
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
            waiting = web.faults.get(self.path) or next(
                (
                    f
                    for p, f in web.faults.items()
                    if p.endswith("*") and self.path.startswith(p[:-1])
                ),
                [],
            )
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


def stumbling(sent: int, data: bytes, etag: str = '"one"') -> Fault:
    """Send the first bytes of a file that has an ETag, then hang up."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(data[:sent])
        handler.close_connection = True
        return True

    return fault


def resumable(data: bytes, etag: str = '"one"', asked: list[str] | None = None, **headers) -> Fault:
    """Answer a request for the rest of a file with the rest, if it is still the same file."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        wish, same = handler.headers.get("Range"), handler.headers.get("If-Range") == etag
        if asked is not None:
            asked.append(wish or "")
        first = int(wish.removeprefix("bytes=").rstrip("-")) if wish and same else 0
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - first))
        handler.send_header("ETag", etag)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data[first:])
        return True

    return fault


def silent(seconds: float) -> Fault:
    """Say nothing for a while, then hang up."""

    def fault(handler: http.server.SimpleHTTPRequestHandler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


@contextmanager
def serving_one(folder: Path, name: str, content: bytes) -> Iterator[Web]:
    """A server of a new folder with one file."""
    folder.mkdir()
    (folder / name).write_bytes(content)
    with serving(folder) as running:
        yield running
