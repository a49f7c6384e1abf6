"""Turns at a server: how many requests it sees at once, from a process or a whole Dask cluster."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import TransientError

if TYPE_CHECKING:
    from .access import Access

_WAIT_SECONDS = 3600.0  # others may be fetching large files: every one of them ends
_FAILURES = 3
_REST_SECONDS = 60.0


class Servers:
    """What one process knows of servers: its turns at them, and which of them do not answer.

    A server that has failed several requests in a row is left alone for a while: a campaign of
    thousands of granules then ends in minutes, not days, when an archive goes down.
    """

    def __init__(self, rest_seconds: float = _REST_SECONDS) -> None:
        self.rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._places: dict[tuple[str, int], threading.BoundedSemaphore] = {}
        self._failed: dict[str, tuple[int, float]] = {}

    @contextlib.contextmanager
    def turn(self, host: str, access: Access) -> Iterator[None]:
        """Wait for a place at a server and keep it; what is raised inside counts against it.

        Inside a Dask task the places are a `distributed.Semaphore`: the scheduler counts for the
        whole cluster, and takes back the place of a worker that died. Elsewhere they are counted
        in this process.

        Raises
        ------
        TransientError
            The server has not answered lately, or no place came free.
        """
        self._refuse_resting(host)
        with contextlib.ExitStack() as stack:
            stack.enter_context(_place(self._semaphore(host, access.at_once), host))
            began = time.monotonic()
            try:
                yield
            except TransientError:
                self._count(host)
                raise
            else:
                self._forget(host)
            finally:
                left = access.every_seconds - (time.monotonic() - began)
                if left > 0:
                    time.sleep(left)

    def _semaphore(self, host: str, at_once: int) -> Any:
        if in_task():
            from distributed import Semaphore

            # The limit is part of the name: two campaigns may ask for different ones.
            return Semaphore(max_leases=at_once, name=f"sciqlop-pipe {host} {at_once}")
        with self._lock:
            key = (host, at_once)
            return self._places.setdefault(key, threading.BoundedSemaphore(at_once))

    def _refuse_resting(self, host: str) -> None:
        with self._lock:
            failures, when = self._failed.get(host, (0, 0.0))
        if failures >= _FAILURES and time.monotonic() - when < self.rest_seconds:
            raise TransientError(
                f"{host} failed {failures} requests in a row and is left alone for a minute",
                host,
                "Look whether the server is up, then run again",
            )

    def _count(self, host: str) -> None:
        with self._lock:
            failures, _ = self._failed.get(host, (0, 0.0))
            self._failed[host] = (failures + 1, time.monotonic())

    def _forget(self, host: str) -> None:
        with self._lock:
            self._failed.pop(host, None)


servers = Servers()


@contextlib.contextmanager
def _place(semaphore: Any, host: str) -> Iterator[None]:
    if not semaphore.acquire(timeout=_WAIT_SECONDS):
        raise TransientError(
            f"no place came free at {host} in {_WAIT_SECONDS / 60:.0f} min", host, "Run again"
        )
    try:
        yield
    finally:
        semaphore.release()


def in_task() -> bool:
    """Tell whether this thread runs a Dask task."""
    # Only a process that has imported it can be inside one.
    worker = sys.modules.get("distributed.worker")
    if worker is None:
        return False
    try:
        worker.get_worker()
    except ValueError:
        return False
    return True


def tell(topic: str, nbytes: int) -> None:
    """Tell whoever subscribed to a topic of the scheduler that bytes have arrived."""
    if topic and nbytes and in_task():
        sys.modules["distributed.worker"].get_worker().log_event(topic, {"bytes": nbytes})
