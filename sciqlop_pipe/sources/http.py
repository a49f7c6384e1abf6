"""HTTP requests that tell what may pass by itself from what will not."""

from __future__ import annotations

import errno
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from ..errors import SourceError, TransientError

if TYPE_CHECKING:
    import http.client

T = TypeVar("T")
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_AGENT = "sciqlop-pipe"
_BLOCK_BYTES = 1 << 18
# What the kernel says of a network, not of a disk; Python has no exception of its own for these.
_NETWORK = frozenset(
    (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.EHOSTDOWN)
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, and how often to ask again (pauses double).

    Parameters
    ----------
    tries : int
        Requests for one thing.
    pause_seconds : float
        Before the second try; a server's Retry-After counts if it is longer.
    timeout_seconds : float
        How long a server may be silent.
    longest_pause_seconds : float
        Pauses grow no longer than this, whatever the server asks for.
    slowest_bytes : float
        A download slower than this [bytes/s] over a timeout is given up.
    """

    tries: int = 4
    pause_seconds: float = 0.5
    timeout_seconds: float = 60.0
    longest_pause_seconds: float = 60.0
    slowest_bytes: float = 1000.0


class Missing(SourceError):
    """The server answers that there is no such thing (404, 410)."""


class _Later(TransientError):
    """The server is there but not willing now; `seconds` is what it asks to wait."""

    def __init__(self, what: str, where: str, todo: str, seconds: float) -> None:
        super().__init__(what, where, todo)
        self.seconds = seconds


class RangeRefused(SourceError):
    """The server has nothing behind the bytes that are here already (416)."""


class Encoded(SourceError):
    """The server has packed its answer in a way that nobody asked for."""


def is_url(location: str) -> bool:
    """Tell whether a location is an http or https address."""
    return location.startswith(("http://", "https://"))


def host_of(url: str) -> str:
    """Return the server of an address, with its port."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def ask(
    url: str,
    use: Callable[[http.client.HTTPResponse], T],
    patience: Patience,
    *,
    method: str = "GET",
    headers: Callable[[], Mapping[str, str]] = dict,
) -> T:
    """Return what `use` makes of the response, trying again after faults that may pass.

    Parameters
    ----------
    url : str
        An http or https address.
    use : callable
        Reads the response; may raise TransientError to be tried again.
    patience : Patience
        Number of tries, pauses and timeout.
    method : str
        GET or HEAD.
    headers : callable
        Gives the headers of the next try: what has arrived already need not come again.

    Raises
    ------
    SourceError
        The server refuses (401, 403, 404, ...).
    TransientError
        No answer, a 5xx answer, or a body cut short, after all tries.
    """
    fault = TransientError("was not asked", url)
    for attempt in range(patience.tries):
        if attempt:
            asked = fault.seconds if isinstance(fault, _Later) else 0.0
            pause = max(asked, patience.pause_seconds * 2 ** (attempt - 1))
            time.sleep(min(pause, patience.longest_pause_seconds))
        try:
            return _once(url, use, patience, method, headers())
        except TransientError as error:
            fault = error
    raise TransientError(fault.what, fault.where, fault.todo) from fault


_REFUSALS = {404: Missing, 410: Missing, 416: RangeRefused}


def encoding(response: http.client.HTTPResponse) -> str:
    """Return how the body is packed: "" as it is, or "gzip", asked for or not.

    Raises
    ------
    Encoded
        In another way.
    """
    told = (response.headers.get("Content-Encoding") or "").strip().lower()
    if told in ("", "identity"):
        return ""
    if told not in ("gzip", "x-gzip"):
        raise Encoded(
            f"the answer comes encoded as {told}, which was not asked for", response.url,
            "Tell those who run the server, or use another door",
        )  # fmt: skip
    return "gzip"


def blocks(response: http.client.HTTPResponse, patience: Patience) -> Iterator[bytes]:
    """Yield the body as it comes, packed as it is.

    Raises
    ------
    TransientError
        Over a timeout it came slower than `patience` has it.
    """
    began, fresh = time.monotonic(), 0
    while block := response.read1(_BLOCK_BYTES):
        yield block
        fresh += len(block)
        spent = time.monotonic() - began
        if spent <= patience.timeout_seconds:
            continue
        if fresh < patience.slowest_bytes * spent:
            raise TransientError(
                f"the server sent {fresh} bytes in {spent:.0f} s", response.url,
                "Try again when it is less busy",
            )  # fmt: skip
        began, fresh = time.monotonic(), 0


class Unpacking:
    """Unpacks a gzip body block by block."""

    def __init__(self, url: str) -> None:
        self.url, self._stream = url, zlib.decompressobj(wbits=31)

    def __call__(self, block: bytes) -> bytes:
        """Return what a block unpacks to."""
        try:
            return self._stream.decompress(block)
        except zlib.error as error:
            raise TransientError(
                f"its gzip encoding is damaged ({error})", self.url, "Try again"
            ) from error

    def finish(self) -> None:
        """Refuse a stream that has not come to its end."""
        if not self._stream.eof:
            raise TransientError("its gzip encoding breaks off", self.url, "Try again")


def body(response: http.client.HTTPResponse, patience: Patience, most: int) -> bytes:
    """Return the body of an answer, unpacked: a page, not a file.

    Raises
    ------
    TransientError
        It is cut, or comes too slowly.
    SourceError
        It is larger than `most` bytes, or encoded otherwise than with gzip.
    """
    unpack = Unpacking(response.url) if encoding(response) else None
    told = response.headers.get("Content-Length") or ""
    data, size = bytearray(), 0
    for block in blocks(response, patience):
        size += len(block)
        data += unpack(block) if unpack else block
        if len(data) > most:
            raise SourceError(f"more than {most >> 20} MB", response.url, "Ask for less of it")
    if told.isdigit() and size < int(told):
        raise TransientError(
            f"the answer ended after {size} of {told} bytes", response.url, "Try again"
        )
    if unpack:
        unpack.finish()
    return bytes(data)


def _once(
    url: str,
    use: Callable[[http.client.HTTPResponse], T],
    patience: Patience,
    method: str,
    headers: Mapping[str, str],
) -> T:
    # Slow to import, and most archives are folders.
    import http.client
    import ssl
    import urllib.error
    import urllib.request

    from .connections import opened

    named = {"User-Agent": _AGENT, **headers}
    try:
        request = urllib.request.Request(url, method=method, headers=named)
        with opened(request, patience.timeout_seconds) as response:
            return use(response)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"the server answers {error.code} ({error.reason})"
        if error.code in _PASSING:
            waits = error.headers.get("Retry-After") or ""
            seconds = float(waits) if waits.isdigit() else 0.0
            raise _Later(said, url, "Try again later", seconds) from error
        raise _REFUSALS.get(error.code, SourceError)(
            said, url, "Check the address and the login"
        ) from error
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        TimeoutError,
        ConnectionError,
        ssl.SSLError,
    ) as error:
        if isinstance(error, http.client.InvalidURL):
            raise SourceError(f"no address ({error})", url, "Check its spelling") from error
        reason = getattr(error, "reason", None) or error
        raise _no_answer(reason, url) from error
    except OSError as error:
        if error.errno not in _NETWORK:
            raise
        raise _no_answer(error.strerror or error, url) from error


def _no_answer(reason: object, url: str) -> TransientError:
    said = f"the server does not answer properly ({reason})"
    return TransientError(said, url, "Check the network, try again")
