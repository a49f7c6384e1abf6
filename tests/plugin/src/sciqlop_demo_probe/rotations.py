"""A detector of the mission's own: a rule that gives events."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from sciqlop_pipe.catalog import event_id
from sciqlop_pipe.datatypes import Events, VectorSeries
from sciqlop_pipe.granule import Interval, duration
from sciqlop_pipe.model import Margin, recipe
from sciqlop_pipe.store.records import Event

from .windows import means

SIDE = "10s"
"""Length of the stretches of field that are compared."""


@recipe(gives=Events, version=1)
def rotations(
    # An event may begin at the end of the granule; whether it is the largest turn nearby takes
    # another side, and to know that turn a third.
    b: Annotated[VectorSeries, Margin(SIDE), Margin(SIDE), Margin(SIDE)],
    *,
    dataset: str,
    interval: Interval,
    angle: float = 60.0,
) -> tuple[Event, ...]:
    """Where the field turns: the means of 10 s before and after a moment differ in direction.

    Each event lasts from the last record before the turn to the first one after it; of several
    within 10 s the largest counts. Attributes: `angle` [deg], `sense` ("up" or "down", of Bz).

    Parameters
    ----------
    b : VectorSeries
        Magnetic field, (time, component).
    dataset, interval
        Name and granule of the events.
    angle : float
        Smallest turn [deg].
    """
    t, side = b["time"].values.astype(np.int64), duration(SIDE)
    field, here = b["vector"].values.astype(np.float64), np.arange(t.size)
    before = means(field, np.searchsorted(t, t - side), here)
    after = means(field, here, np.searchsorted(t, t + side))
    turn = np.degrees(np.arccos(_cosine(before, after)))
    found = []
    for i in np.flatnonzero(turn >= angle):
        first, last = np.searchsorted(t, (t[i] - side, t[i] + side))
        start, stop = int(t[i - 1]), int(t[i])
        largest = first + np.nanargmax(turn[first:last])
        if i != largest or not interval.start <= start < interval.stop:
            continue
        sense = "up" if after[i, 2] > before[i, 2] else "down"
        attributes = (("angle", round(float(turn[i]), 3)), ("sense", sense))
        id = event_id(dataset, "rotation", start, stop)
        found.append(Event(id, "rotation", start, stop, attributes))
    return tuple(found)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
