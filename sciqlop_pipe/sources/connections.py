"""HTTP connections that wait for the head of an answer as a whole, not for each of its bytes.

The library's timeout is of silence: a server that sends a byte of a header now and then is waited
for without end.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.request
from typing import Any

_TIMES = 2.0
"""How many timeouts a head may take."""


class _Hasty(http.client.HTTPConnection):
    """A connection that gives up an answer whose head does not come to its end."""

    def getresponse(self) -> http.client.HTTPResponse:
        """Return the answer.

        Raises
        ------
        TimeoutError
            Its head took more than twice the timeout.
        """
        if self.sock is None or not isinstance(self.timeout, (int, float)):
            return super().getresponse()
        late = threading.Event()

        def give_up(sock: socket.socket) -> None:
            late.set()
            with contextlib.suppress(OSError):  # it has ended by itself
                sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(_TIMES * self.timeout, give_up, [self.sock])
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()
        finally:
            timer.cancel()
            if late.is_set():
                # What the library makes of the broken connection may even be an answer.
                raise TimeoutError(f"no whole answer in {_TIMES * self.timeout:.0f} s")
        return response


class _HastyTls(_Hasty, http.client.HTTPSConnection):
    """The same, encrypted."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Hasty, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        context: Any = vars(self).get("_context")
        return self.do_open(_HastyTls, req, context=context)


def opened(request: urllib.request.Request, timeout: float) -> Any:
    """Return the answer to a request, as `urllib.request.urlopen`.

    Parameters
    ----------
    request : Request
        What is asked for.
    timeout : float
        How long the server may be silent [s].
    """
    return urllib.request.build_opener(_Http, _Https).open(request, timeout=timeout)
