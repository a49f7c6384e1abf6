"""Bounds of what one client, and all of them together, may ask of a server."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from .status import HapiError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows.

    Parameters
    ----------
    nbytes : int
        Size of one answer, as binary [bytes].
    seconds : float
        Length of the interval of one request; 0 is any.
    streams : int
        Answers that are being sent at the same time.
    threads : int
        Of these, those that are being made at the same moment: more would only get into each
        other's way.
    waiting : int
        Requests that may wait for their turn.
    patience : float
        How long they wait [s].
    rate, burst : float
        Requests per second of one address, and how many at once on top; rate 0 is any.
    idle : float
        How long a client may take to read a piece of an answer, or to send its request [s].
    """

    nbytes: int = 10 * 10**9
    seconds: float = 0.0
    streams: int = 32
    threads: int = 3
    waiting: int = 512
    patience: float = 20.0
    rate: float = 100.0
    burst: float = 200.0
    idle: float = 30.0


class Turns:
    """A number of places, and a queue of limited length and patience before them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting = 0
        self.taken = 0
        self._places = asyncio.Semaphore(limits.streams)
        self._threads = anyio.CapacityLimiter(limits.threads)

    async def work(self, function: Callable[..., T], *args: Any) -> T:
        """Return what a function gives in one of the few threads that make answers."""
        return await anyio.to_thread.run_sync(function, *args, limiter=self._threads)

    async def take(self) -> None:
        """Take a place.

        Raises
        ------
        HapiError
            503 with the time after which to try again, when the queue is full or does not move.
        """
        if self.waiting >= self.limits.waiting:
            raise busy("too many requests are waiting")
        self.waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), self.limits.patience)
        except TimeoutError:
            raise busy("all places are taken") from None
        finally:
            self.waiting -= 1
        self.taken += 1

    def give(self) -> None:
        """Give the place back."""
        self.taken -= 1
        self._places.release()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a place for as long as this is entered."""
        await self.take()
        try:
            yield
        finally:
            self.give()


def busy(why: str) -> HapiError:
    """Return the refusal of a request that may succeed later."""
    return HapiError(1500, f"{why}; try again later", http=503, retry_after=5)


@dataclass
class Rate:
    """Requests per second of each address: a bucket of tokens, forgotten when it is full again."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    addresses: int = 10_000
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def check(self, address: str) -> None:
        """Count a request of an address.

        Raises
        ------
        HapiError
            503 when there were too many.
        """
        rate, burst = self.limits.rate, self.limits.burst
        if not rate:
            return
        now = self.clock()
        tokens, then = self._buckets.pop(address, (burst, now))
        tokens = min(burst, tokens + (now - then) * rate)
        self._buckets[address] = (max(0.0, tokens - 1), now)
        if len(self._buckets) > self.addresses:
            self._buckets.popitem(last=False)
        if tokens < 1:
            raise busy("too many requests from this address")
