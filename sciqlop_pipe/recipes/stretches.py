"""Windows anchored to UTC: which records each holds, and whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..granule import duration
from .joining import ascending


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows with records in them: `centre` (window) [ns], records [first, last) of each."""

    centre: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @property
    def time(self) -> np.ndarray:
        """Return the centres as datetime64[ns]."""
        return self.centre.astype("datetime64[ns]")


def windows(time: np.ndarray, window: str, step: str) -> Windows:
    """Windows of a length, centred on full steps of UTC, that hold a record.

    Parameters
    ----------
    time : ndarray int64 (record)
        [ns] since 1970 UTC, ascending.
    window, step : str
        Durations; a window is [centre - window/2, centre + window/2).

    Raises
    ------
    UsageError
        When a duration is zero.
    DataTypeError
        When times do not ascend.
    """
    length, every = duration(window), duration(step)
    if length <= 0 or every <= 0:
        raise UsageError(f"windows of {window} every {step}", todo="Give durations above zero")
    time = ascending(time, "windows")
    if not time.size:
        empty = np.zeros(0, np.int64)
        return Windows(empty, empty, empty)
    half = length // 2
    low, high = (time[0] - half) // every, -((-(time[-1] + half)) // every)
    centre = np.arange(low, high + 1) * every
    first = np.searchsorted(time, centre - half)
    last = np.searchsorted(time, centre + half)
    held = last > first
    return Windows(centre[held], first[held], last[held])


def longest_gap(time: np.ndarray, first: int, last: int, start: int, stop: int) -> int:
    """Longest time without a record within [start, stop) [ns], its ends included."""
    edges = np.r_[start, time[first:last], stop]
    return int(np.diff(edges).max())
