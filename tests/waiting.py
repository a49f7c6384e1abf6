"""Waiting for a state instead of for a time: how fast a machine is decides no test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.request import urlopen

T = TypeVar("T")
#: Much longer than anything takes on a machine that is busy with something else [s].
PATIENCE = 180.0


def until(
    ask: Callable[[], T], what: str | Callable[[], str] = "", *, seconds: float = PATIENCE,
    every: float = 0.05,
) -> T:  # fmt: skip
    """Return the first answer that is true; what cannot be asked yet (OSError) is not.

    Raises
    ------
    AssertionError
        When the time is over, with what was waited for.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
        except OSError:
            pass
        if time.monotonic() >= end:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:g} s: {told}")
        time.sleep(every)


def answers(address: str) -> bool:
    """Whether a server answers there; anything that it says is an answer.

    Raises
    ------
    OSError
        When it does not.
    """
    with urlopen(address, timeout=30):
        return True
