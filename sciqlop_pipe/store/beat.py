"""A heart-beat: something done every so many seconds, beside the work it tells of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Beat:
    """Calls back every so many seconds, in a thread of its own, while it is entered.

    Parameters
    ----------
    beat : callable
        What is done; what it raises would end the thread.
    seconds : float
        Between two beats.
    name : str
        Of the thread.
    first : float
        Seconds before the first one.
    """

    def __init__(
        self, beat: Callable[[], None], seconds: float, name: str, *, first: float = 0.0
    ) -> None:
        self.beat, self.seconds, self.first = beat, seconds, first
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def __enter__(self) -> Beat:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _go(self) -> None:
        pause = self.first
        while not self._stop.wait(pause):
            self.beat()
            pause = self.seconds
