"""The status codes of HAPI, and a refusal that carries one (specification 3.3, section 4.2)."""

from __future__ import annotations

from typing import Any

from . import VERSION

OK, NO_DATA = 1200, 1201

#: HAPI code: HTTP code and message.
CODES = {
    1200: (200, "OK"),
    1201: (200, "OK - no data for time range"),
    1400: (400, "Bad request - user input error"),
    1401: (400, "Bad request - unknown API parameter name"),
    1402: (400, "Bad request - syntax error in start time"),
    1403: (400, "Bad request - syntax error in stop time"),
    1404: (400, "Bad request - start equal to or after stop"),
    1405: (400, "Bad request - start < startDate and/or stop > stopDate"),
    1406: (404, "Bad request - unknown dataset id"),
    1407: (404, "Bad request - unknown dataset parameter"),
    1408: (400, "Bad request - too much time or data requested"),
    1409: (400, "Bad request - unsupported output format"),
    1410: (400, "Bad request - unsupported include value"),
    1411: (400, "Bad request - out-of-order or duplicate parameters"),
    1412: (400, "Bad request - unsupported resolve_references value"),
    1413: (400, "Bad request - unsupported depth value"),
    1500: (500, "Internal server error"),
    1501: (500, "Internal server error - upstream request error"),
}


class HapiError(Exception):
    """A request that is refused.

    Parameters
    ----------
    code : int
        The HAPI status code.
    detail : str
        What is wrong with this very request.
    http : int
        The HTTP status where it is not the code's own.
    retry_after : int
        Seconds after which the same request may succeed; 0 where it will not.
    """

    def __init__(self, code: int, detail: str = "", *, http: int = 0, retry_after: int = 0) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail
        self.http, self.retry_after = http or CODES[code][0], retry_after


def status(code: int, detail: str = "") -> dict[str, Any]:
    """Return the status object of an answer."""
    text = CODES[code][1]
    return {"code": code, "message": f"{text}: {detail}" if detail else text}


def envelope(code: int = OK, detail: str = "") -> dict[str, Any]:
    """Return what every JSON answer begins with."""
    return {"HAPI": VERSION, "status": status(code, detail)}
