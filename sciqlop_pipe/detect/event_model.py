"""A model of events that was learned from a list: bins are judged, then cut into events.

Bins are judged by the regressions of a `RegionModel` with two classes; how events are cut out of
these probabilities, and how sure they are, was chosen on groups that nobody had trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import binned, calibration, drift
from .binned import Binned
from .model_files import CARD_FILE, ModelError, read_card
from .models import Card, RegionModel, load_model, save_model

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

KIND = "events"
QUIET = "quiet"

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "plasma_field": binned.PARTS,
    "plasma": binned.PLASMA,
    "field": binned.FIELD,
}
"""Channels by what is known, richest first."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How probabilities of bins become events.

    Parameters
    ----------
    step, duration : int
        Of a bin; median length of the events that were learned [ns].
    shortest, longest : int
        Of an event [bin].
    join : int
        Bins below the level, or without data, that do not end an event.
    high : float
        What the probability must exceed somewhere in an event; half of it everywhere.
    sure : tuple of float
        Log odds of being right: intercept, over the mean log odds of its bins, over the logarithm
        of its length.
    """

    step: int
    duration: int
    shortest: int
    longest: int
    join: int
    high: float
    sure: tuple[float, ...] = (0.0, 1.0, 0.0)

    @property
    def reach(self) -> int:
        """Return how far from the start of an event something has a say in it [ns]."""
        widest = binned.reaches(self.duration, self.step)[-1]
        return (widest + 2 * self.longest + self.join + 2) * self.step

    def spans(self, probability: Array) -> Numbers:
        """Return the events that probabilities make, (event, 2): first bin, one after the last.

        Parameters
        ----------
        probability : ndarray (bin)
            NaN where nothing is known.
        """
        above = np.nan_to_num(probability) > 0.5 * self.high
        edges = np.flatnonzero(np.diff(np.r_[False, above, False].astype(np.int8)))
        runs: list[list[int]] = []
        for first, last in edges.reshape(-1, 2).tolist():
            if runs and first - runs[-1][1] <= self.join:
                runs[-1][1] = last
            else:
                runs.append([first, last])
        kept = [
            r for r in runs
            if self.shortest <= r[1] - r[0] <= self.longest
            and np.nanmax(probability[r[0] : r[1]]) > self.high
        ]  # fmt: skip
        return np.array(kept, np.int64).reshape(-1, 2)

    def evidence(self, probability: Array, spans: Numbers) -> Array:
        """Return what `sure` is over: mean log odds and logarithm of the length, (event, 2)."""
        odds = calibration.log_odds(probability)
        rows = [(np.nanmean(odds[a:b]), np.log((b - a) * self.step / self.duration))
                for a, b in spans.tolist()]  # fmt: skip
        return np.array(rows, np.float64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """An event as a model gives it.

    Parameters
    ----------
    first, last : int
        First bin, and the one after the last.
    start, stop : int
        [ns].
    probability : float
        That it is one of those that were listed, calibrated.
    mean : float
        Mean probability of its bins.
    peak : int
        Middle of the bin of highest probability [ns].
    start_uncertainty, stop_uncertainty : int
        Time in which the probability rises from a fifth to four fifths [ns].
    distance : float
        Median distance of its bins from the training set; above 1 the model extrapolates.
    """

    first: int
    last: int
    start: int
    stop: int
    probability: float
    mean: float
    peak: int
    start_uncertainty: int
    stop_uncertainty: int
    distance: float


@dataclass(frozen=True, slots=True)
class EventModel:
    """From series to events.

    Parameters
    ----------
    kind : str
        What the events are called.
    points : RegionModel
        Of bins, with the classes QUIET and `kind`.
    cutting : Cutting
        From bins to events.
    """

    kind: str
    points: RegionModel
    cutting: Cutting

    @property
    def card(self) -> Card:
        """Return what is to be known of it."""
        return self.points.card

    @property
    def content(self) -> str:
        """Return the hash of what decides its answers."""
        facts = json.dumps([binned.VERSION, binned.HALF_WIDTHS, self.kind, asdict(self.cutting)])
        return hashlib.blake2b((facts + self.points.content).encode(), digest_size=16).hexdigest()

    def probability(self, series: Binned) -> tuple[Array, Array]:
        """Return of each bin the probability of an event and the distance from the training set.

        Parameters
        ----------
        series : Binned
            With `cutting.reach` more on both sides than is wanted, where data exist.
        """
        whole = binned.matrix(series, self.cutting.duration, binned.PARTS)
        columns = [binned.names(binned.PARTS).index(f) for f in self.points.features]
        x = whole[:, columns]
        return self.points.probability(x)[:, 1], drift.distance(self.points, x)

    def find(self, series: Binned) -> list[Found]:
        """Return the events in a series, in time order.

        Parameters
        ----------
        series : Binned
            As `probability` takes it, in bins of `cutting.step`.
        """
        if len(series) < 2:
            return []
        return self.events(series, *self.probability(series))

    def events(self, series: Binned, probability: Array, distance: Array) -> list[Found]:
        """Return the events that probabilities make, in time order.

        Parameters
        ----------
        series : Binned
            For its times.
        probability, distance : ndarray (bin)
            From `probability`.
        """
        spans = self.cutting.spans(probability)
        sure = calibration.probability(self.cutting.sure, self.cutting.evidence(probability, spans))
        time, step = series.time, series.step
        found = []
        for (a, b), p in zip(spans.tolist(), sure.tolist(), strict=True):
            far = distance[a:b][np.isfinite(distance[a:b])]
            found.append(Found(
                a, b, int(time[a]) - step // 2, int(time[b - 1]) - step // 2 + step, p,
                float(np.nanmean(probability[a:b])),
                int(time[a + int(np.nanargmax(probability[a:b]))]),
                _rise(probability[: b][::-1], b - a, self.cutting.high) * step,
                _rise(probability[a:], b - a, self.cutting.high) * step,
                float(np.median(far)) if far.size else float("nan"),
            ))  # fmt: skip
        return found


def _rise(outwards: Array, inside: int, high: float) -> int:
    """Return how many bins the probability takes across the end of an event, at least 1.

    From four to one fifth of `high` on both sides; `outwards` begins at the other end.
    """
    before = np.flatnonzero(np.nan_to_num(outwards[:inside]) > 0.8 * high)
    after = np.flatnonzero(~(outwards[inside : 2 * inside] > 0.2 * high))
    last = int(before[-1]) + 1 if before.size else 0
    return max(inside + (int(after[0]) if after.size else inside) - last, 1)


def save_event_model(folder: Path, model: EventModel, pipelines: Mapping[str, Any],
                     reference: Array) -> None:  # fmt: skip
    """Write a model as a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    model : EventModel
        What is written.
    pipelines : mapping
        What its points are made of, by variant.
    reference : ndarray (row, feature)
        Rows whose probabilities are kept, to be checked whenever it is read.
    """
    points = model.points
    order = {v.name: v.features for v in points.variants}
    save_model(folder, pipelines, order, points.classes, points.card, reference, points.seen)
    file = folder / CARD_FILE
    facts = json.loads(file.read_text()) | {
        "kind": KIND, "events": asdict(model.cutting), "bins_version": binned.VERSION,
        "events_content": model.content,
    }  # fmt: skip
    file.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")


def load_event_model(folder: Path) -> EventModel:
    """Return the model of a folder, after checking that it answers as it did when it was made.

    Raises
    ------
    ModelError
        When it is of another kind, cannot be trusted (`load_model`) or was trained with features of
        another version.
    """
    facts, where = read_card(folder), str(folder)
    if facts.get("kind") != KIND:
        raise ModelError("this is no model of events that was learned from a list", where,
                         "Train one: sciqlop-pipe train DATASET --labels events.csv")  # fmt: skip
    if facts.get("bins_version") != binned.VERSION:
        raise ModelError(
            f"the model was trained with features of version {facts.get('bins_version')}, here "
            f"they are {binned.VERSION}", where, "Train it again",
        )  # fmt: skip
    points = load_model(folder)
    numbers = facts.get("events")
    if not isinstance(numbers, dict) or {f.name for f in fields(Cutting)} != set(numbers):
        raise ModelError("the card does not say how events are cut", where, "Train it again")
    cutting = Cutting(**(numbers | {"sure": tuple(numbers["sure"])}))
    model = EventModel(points.classes[1], points, cutting)
    if model.content != facts.get("events_content"):
        raise ModelError("the model is not the one its card describes", where, "Copy both again")
    return model
