"""Statistics of events: durations, rates, calibration, superposed epochs, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ..catalog import Catalog, Opinion
from ..errors import PipeError
from ..granule import Interval
from ..store import Store
from ..store.events import successors
from ..store.records import Event
from .judging import missed, probability

MOST_EPOCHS = 200
_SENSES = {"in", "out"}
"""Each is the other when time runs backwards."""


def durations(events: Sequence[Event]) -> pd.DataFrame:
    """Return kind and duration [s] of every event that lasts."""
    rows = [(e.kind, (e.stop - e.start) / 1e9) for e in events if e.stop > e.start]
    return pd.DataFrame(rows, columns=["kind", "seconds"])


def rates(events: Sequence[Event], bins: int = 40) -> pd.DataFrame:
    """Return how many events of each kind begin in each of some equal stretches of time."""
    if not events:
        return pd.DataFrame({"time": [], "kind": [], "events": []})
    start = np.array([e.start for e in events])
    edges = np.linspace(start.min(), start.max() + 1, bins + 1)
    middle = (0.5 * (edges[1:] + edges[:-1])).astype("datetime64[ns]")
    parts = []
    for kind in sorted({e.kind for e in events}):
        mine = np.array([e.start for e in events if e.kind == kind])
        counts = np.histogram(mine, edges)[0]
        parts.append(pd.DataFrame({"time": middle, "kind": kind, "events": counts}))
    return pd.concat(parts, ignore_index=True)


def calibration(catalog: Catalog, bins: int = 5) -> pd.DataFrame:
    """Return per bin of probability its mean, the fraction accepted, and how many were judged.

    Only events that were judged and on which people agree; a calibrated detector lies on the
    diagonal. `below` and `above` reach to the ends of Wilson's interval of one sigma (Wilson 1927,
    J. Am. Stat. Assoc. 22, 209).
    """
    found = _judged(catalog)
    rows = []
    edges = np.linspace(0, 1, bins + 1)
    for low, high in pairwise(edges):
        mine = [(p, a) for p, a in found if low <= p < high or (high == 1 and p == 1)]
        if mine:
            part = float(np.mean([a for _, a in mine]))
            ends = _wilson(part, len(mine))
            rows.append(
                (np.mean([p for p, _ in mine]), part, len(mine), part - ends[0], ends[1] - part)
            )
    return pd.DataFrame(rows, columns=["probability", "accepted", "judged", "below", "above"])


def _wilson(part: float, n: int) -> tuple[float, float]:
    """Ends of the interval of one sigma of a fraction that was seen in n trials."""
    middle = (part + 0.5 / n) / (1 + 1 / n)
    half = np.sqrt(part * (1 - part) / n + 0.25 / n**2) / (1 + 1 / n)
    return middle - half, middle + half


def brier(catalog: Catalog) -> float:
    """Return the mean squared error of the probabilities of judged events [1], NaN without any."""
    found = _judged(catalog)
    return float(np.mean([(p - a) ** 2 for p, a in found])) if found else float("nan")


def _judged(catalog: Catalog) -> list[tuple[float, bool]]:
    """Probability, and whether it was accepted, of the events on which people agree."""
    found = []
    for event in catalog.events:
        word = Opinion.of(catalog.verdicts.get(event.id, ())).word
        if word in ("accept", "moved", "reject") and "probability" in dict(event.attributes):
            found.append((probability(event), word != "reject"))
    return found


def scores(catalog: Catalog) -> dict[str, float]:
    """Return precision [1] of what was judged, and the counts behind it."""
    words = [Opinion.of(catalog.verdicts.get(e.id, ())).word for e in catalog.events]
    good = sum(w in ("accept", "moved") for w in words)
    bad, lost = words.count("reject"), len(missed(catalog))
    found: dict[str, float] = {
        "events": len(words),
        "accepted": good,
        "rejected": bad,
        "disputed": words.count("disputed"),
        "missed": lost,
    }
    if good + bad:
        found["precision of the judged"] = good / (good + bad)
    if good + lost:
        found["found of what people know"] = good / (good + lost)
    if not np.isnan(error := brier(catalog)):
        found["Brier score of the judged"] = error
    return found


def alike(events: Sequence[Event]) -> dict[str, tuple[Event, ...]]:
    """Return the events that can be superposed, by words: those of a kind and of one sense.

    Where a kind has both senses, a last group has all of them: those that go in are then to be read
    backwards (`superposed_epoch`), as if they went out.
    """
    found: dict[str, tuple[Event, ...]] = {}
    for kind in sorted({e.kind for e in events}):
        mine = [e for e in events if e.kind == kind]
        senses = sorted({sense_of(e) for e in mine})
        for sense in senses:
            found[f"{kind} {sense}".strip()] = tuple(e for e in mine if sense_of(e) == sense)
        if set(senses) >= _SENSES:
            found[f"{kind} out, and in turned"] = tuple(e for e in mine if sense_of(e) in _SENSES)
    return found


def sense_of(event: Event) -> str:
    """Return which way an event goes ("in", "out"), '' where that means nothing."""
    return str(dict(event.attributes).get("sense") or "")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Quartiles (offset,) of a variable around events; `count` events have values there."""

    offset: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray
    count: np.ndarray
    events: int


def superposed_epoch(
    store: Store,
    events: Sequence[Event],
    dataset: str,
    variable: str,
    *,
    half: float = 300.0,
    points: int = 121,
    component: int = -1,
) -> Epoch:
    """Return quartiles of a variable around the middles of events, against the offset [s].

    The value at an offset is that of the nearest record, not farther away than a step of the grid
    and two usual steps of the data; a gap gives no value. Where some of the events go in and some
    out, time runs backwards around those that go in.

    Parameters
    ----------
    store : Store
        Where to read.
    events : sequence of Event
        The first 200 are taken.
    dataset, variable : str
        What is superposed, (time) or (time, component).
    half : float
        How far it reaches on either side [s].
    points : int
        Steps of the grid.
    component : int
        Which one of a vector; -1 the magnitude.
    """
    offset = np.linspace(-half, half, points)
    rows = []
    turns = {sense_of(e) for e in events} >= _SENSES
    for event in events[:MOST_EPOCHS]:
        middle = (event.start + event.stop) // 2
        reach = round(half * 1e9)
        try:
            ds = store.read(dataset, middle - reach, middle + reach + 1)[[variable]].load()
        except PipeError:
            continue
        values = np.asarray(ds[variable].values, np.float64)
        if values.ndim == 2:
            values = np.sqrt((values**2).sum(1)) if component < 0 else values[:, component]
        time = (ds["time"].values.astype("datetime64[ns]").astype(np.int64) - middle) / 1e9
        found = _nearest(time, values, offset)
        rows.append(found[::-1] if turns and sense_of(event) == "in" else found)
    table = np.array(rows).reshape(len(rows), points)
    count = np.isfinite(table).sum(0)
    low, median, high = np.full((3, points), np.nan)
    there = count > 0
    if there.any():
        low[there], median[there], high[there] = np.nanpercentile(table[:, there], (25, 50, 75), 0)
    return Epoch(offset, low, median, high, count, len(rows))


def _nearest(time: np.ndarray, values: np.ndarray, offset: np.ndarray) -> np.ndarray:
    if not time.size:
        return np.full(offset.size, np.nan)
    right = np.clip(np.searchsorted(time, offset), 0, time.size - 1)
    left = np.clip(right - 1, 0, time.size - 1)
    at = np.where(np.abs(time[left] - offset) < np.abs(time[right] - offset), left, right)
    usual = np.median(np.diff(time)) if time.size > 1 else 0.0
    near = np.abs(time[at] - offset) <= max(2 * usual, offset[1] - offset[0])
    return np.where(near, values[at], np.nan)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of events when something replaced them."""

    kept: int
    moved: int
    gone: tuple[Event, ...]
    new: tuple[Event, ...]


def change(before: Sequence[Event], after: Sequence[Event]) -> Change:
    """Return which events stayed (the same id), which moved (succession), are gone or new."""
    old, now = {e.id: e for e in before}, {e.id: e for e in after}
    same = old.keys() & now.keys()
    left = [e for i, e in old.items() if i not in same]
    came = [e for i, e in now.items() if i not in same]
    pairs = successors(left, came)
    gone, found = {a for a, _ in pairs}, {b for _, b in pairs}
    return Change(
        len(same),
        len(pairs),
        tuple(e for e in left if e.id not in gone),
        tuple(e for e in came if e.id not in found),
    )


def around(events: Sequence[Event], interval: Interval) -> list[Event]:
    """Return the events that touch an interval."""
    return [e for e in events if e.start < interval.stop and e.stop >= interval.start]
