"""Answers that several users ask for at once are made once and kept for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The newest answers by key; whoever asks for one that is being made waits for it.

    Parameters
    ----------
    most : int
        Answers that are kept, which bounds memory; the one not asked for longest goes first.
    seconds : float
        How long an answer is kept. A key names all that is known to change it; what is not known
        (a file that somebody deleted) shows after that time.

    Errors are not kept.
    """

    def __init__(self, most: int = 64, seconds: float = 60.0) -> None:
        self.most, self.seconds = most, seconds
        self._answers: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the answer of a key, made where there is none."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            try:
                known = self._fresh(key)
                return self._put(key, make()) if known is None else known
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def _fresh(self, key: Hashable) -> T | None:
        with self._lock:
            made, answer = self._answers.get(key, (0.0, None))
            if answer is None or time.monotonic() - made > self.seconds:
                return None
            self._answers.move_to_end(key)
            return answer

    def _put(self, key: Hashable, answer: T) -> T:
        with self._lock:
            self._answers[key] = (time.monotonic(), answer)
            self._answers.move_to_end(key)
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
        return answer
