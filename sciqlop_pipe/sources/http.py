"""HTTP requests that tell what may pass by itself from what will not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ..errors import SourceError, TransientError

if TYPE_CHECKING:
    import http.client

T = TypeVar("T")
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_AGENT = "sciqlop-pipe"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, and how often to ask again (pauses double)."""

    tries: int = 4
    pause_seconds: float = 0.5
    timeout_seconds: float = 60.0


def is_url(location: str) -> bool:
    """Tell whether a location is an http or https address."""
    return location.startswith(("http://", "https://"))


def ask(
    url: str,
    use: Callable[[http.client.HTTPResponse], T],
    patience: Patience,
    *,
    method: str = "GET",
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
            time.sleep(patience.pause_seconds * 2 ** (attempt - 1))
        try:
            return _once(url, use, patience, method)
        except TransientError as error:
            fault = error
    raise fault


def _once(
    url: str, use: Callable[[http.client.HTTPResponse], T], patience: Patience, method: str
) -> T:
    # Slow to import, and most archives are folders.
    import http.client
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, method=method, headers={"User-Agent": _AGENT})
    try:
        with urllib.request.urlopen(request, timeout=patience.timeout_seconds) as response:
            return use(response)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"the server answers {error.code} ({error.reason})"
        if error.code in _PASSING:
            raise TransientError(said, url, "Try again later") from error
        raise SourceError(said, url, "Check the address and the login") from error
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        TimeoutError,
        ConnectionError,
    ) as error:
        reason = getattr(error, "reason", None) or error
        raise TransientError(
            f"the server does not answer properly ({reason})", url, "Check the network, try again"
        ) from error
