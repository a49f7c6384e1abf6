"""The trained model of interplanetary coronal mass ejections: numbers only, read with care.

A folder with `model.skops`, which holds arrays and nothing else, and `card.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
from numpy.typing import NDArray

from ..granule import HOUR
from ..kernels.forests import forest_means
from . import hourly, obstacles
from .drift import Seen
from .model_files import CARD_FILE, MODEL_FILE, ModelError, read_arrays, read_card, skops_io
from .models import Card

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

KIND = "icme"
_FORMAT = 1
_TOLERANCE = 1e-9
_CLIP = 5.0
_LEAST_KNOWN = 0.1  # of the temperatures; with fewer the poor model judges


@dataclass(frozen=True, slots=True)
class Linear:
    """Probability of an hour: a logistic regression on standardised features.

    Parameters
    ----------
    median, mean, scale, coefficient : ndarray (feature)
        What stands for an unknown value; of the training set; per standardised feature.
    intercept : ndarray (1)
        Log odds where all features are at their mean.
    """

    median: Array
    mean: Array
    scale: Array
    coefficient: Array
    intercept: Array

    def probability(self, matrix: Array) -> Array:
        """Return the probability of being inside an event, (hour).

        Parameters
        ----------
        matrix : ndarray (hour, feature)
            NaN where unknown.
        """
        score = np.full(len(matrix), self.intercept[0])
        for j in range(matrix.shape[1]):  # a matrix product may round by what else is in it
            column = np.where(np.isfinite(matrix[:, j]), matrix[:, j], self.median[j])
            column = np.clip((column - self.mean[j]) / self.scale[j], -_CLIP, _CLIP)
            score += self.coefficient[j] * column
        return np.asarray(1 / (1 + np.exp(-score)))


@dataclass(frozen=True, slots=True)
class Forest:
    """What an interval would overlap with a true event: a forest, as `forest_means` takes it."""

    roots: Numbers
    feature: Numbers
    threshold: Array
    left: Numbers
    right: Numbers
    value: Array

    def overlap(self, matrix: NDArray[np.float32]) -> Array:
        """Return the expected intersection over union, (interval).

        Parameters
        ----------
        matrix : ndarray float32 (interval, feature)
            Finite.
        """
        return np.asarray(forest_means(
            matrix, self.roots, self.feature, self.threshold, self.left, self.right, self.value
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """An event as the model gives it.

    Parameters
    ----------
    start, stop : int
        [ns].
    probability : float
        That it overlaps a true event, calibrated.
    overlap : float
        Expected intersection over union with it.
    start_uncertainty, stop_uncertainty : int
        Hours that the probability takes from 0.2 to 0.8.
    distance : float
        Median distance of its hours from the training set; above 1 the model extrapolates.
    first, last : int
        First hour, and the one after the last.
    """

    start: int
    stop: int
    probability: float
    overlap: float
    start_uncertainty: int
    stop_uncertainty: int
    distance: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class IcmeModel:
    """From hours of solar wind to intervals.

    Parameters
    ----------
    linear, forest
        Of hours, of intervals.
    threshold : float
        Least expected overlap of an event.
    calibration : ndarray (2)
        Intercept and slope of the log odds of being true over the expected overlap.
    card : Card
        What is to be known of it.
    seen : Seen, optional
        What it was trained on.
    poor : IcmeModel, optional
        The one that judges where no temperature and no direction is known, if any.
    """

    linear: Linear
    forest: Forest
    threshold: float
    calibration: Array
    card: Card
    seen: Seen | None = None
    poor: IcmeModel | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Return the features of an hour, in the order of the matrix."""
        return hourly.names()

    @property
    def content(self) -> str:
        """Return the hash of what decides its answers."""
        facts: list[Any] = [_FORMAT, hourly.VERSION, obstacles.VERSION, self.threshold]
        if self.poor is not None:
            facts.append(self.poor.threshold)
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
        for name, part in self.arrays().items():
            digest.update(name.encode() + np.ascontiguousarray(part).tobytes())
        if self.seen is not None:
            digest.update(self.seen.content.encode())
        return digest.hexdigest()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by name, as they are stored."""
        found = {f"linear.{f.name}": getattr(self.linear, f.name) for f in fields(Linear)}
        found |= {f"forest.{f.name}": getattr(self.forest, f.name) for f in fields(Forest)}
        found["calibration"] = self.calibration
        poor = {} if self.poor is None else self.poor.arrays()
        return found | {f"poor.{name}": part for name, part in poor.items()}

    def find(self, hours: hourly.Hours) -> list[Found]:
        """Return the events in some hours, in time order.

        Parameters
        ----------
        hours : Hours
            With 92 days more on both sides than are wanted, where data exist.
        """
        if len(hours) < 2:
            return []
        if self.poor is not None and np.isfinite(hours.temperature).mean() < _LEAST_KNOWN:
            found = self.poor.find(hours)
            far = self._distance(hourly.hourly_matrix(hours))
            return [replace(f, distance=_median(far[f.first : f.last])) for f in found]
        matrix = hourly.hourly_matrix(hours)
        probability = self.linear.probability(matrix)
        return self.intervals(hours, matrix, probability)

    def intervals(self, hours: hourly.Hours, matrix: Array, probability: Array) -> list[Found]:
        """Return the events that probabilities of hours make.

        Parameters
        ----------
        hours : Hours
            (hour).
        matrix : ndarray (hour, feature)
            From `hourly_matrix`.
        probability : ndarray (hour)
            Of being inside.
        """
        probability = np.where(obstacles.gaps(hours, matrix), np.nan, probability)
        spans = obstacles.candidates(probability)
        if not len(spans):
            return []
        overlap = self.forest.overlap(obstacles.interval_features(hours, probability, spans))
        taken = obstacles.chosen(spans, overlap, self.threshold)
        sure = self.sure(overlap)
        far = self._distance(matrix)
        found = []
        for i in taken.tolist():
            a, b = spans[i].tolist()
            found.append(Found(
                int(hours.time[a]) - HOUR // 2, int(hours.time[b - 1]) + HOUR // 2,
                float(sure[i]), float(overlap[i]),
                obstacles.edge_uncertainty(probability, a, True),
                obstacles.edge_uncertainty(probability, b, False),
                _median(far[a:b]), a, b,
            ))  # fmt: skip
        return found

    def sure(self, overlap: Array) -> Array:
        """Return the calibrated probability of being true for expected overlaps."""
        return np.asarray(1 / (1 + np.exp(-(self.calibration[0] + self.calibration[1] * overlap))))

    def _distance(self, matrix: Array) -> Array:
        if self.seen is None:
            return np.full(len(matrix), np.nan)
        columns = [self.features.index(f) for f in self.seen.features]
        return self.seen.distance(matrix[:, columns])


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def save_icme_model(folder: Path, model: IcmeModel, reference: Array) -> None:
    """Write a model as a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    model : IcmeModel
        What is written.
    reference : ndarray (hour, feature)
        Rows whose probabilities are kept, to be checked whenever it is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    skops_io().dump(model.arrays(), folder / MODEL_FILE, compression=ZIP_DEFLATED, compresslevel=9)
    rows = [[float(x) if np.isfinite(x) else None for x in row] for row in reference]
    facts = asdict(model.card) | {
        "kind": KIND, "format": _FORMAT, "content": model.content,
        "features_version": hourly.VERSION, "intervals_version": obstacles.VERSION,
        "features": len(model.features), "threshold": model.threshold,
        **({"poor_threshold": model.poor.threshold} if model.poor is not None else {}),
        "reference": {"input": rows, "output": model.linear.probability(reference).tolist()},
        **({"seen": model.seen.as_numbers()} if model.seen is not None else {}),
    }  # fmt: skip
    (folder / CARD_FILE).write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")


def load_icme_model(folder: Path) -> IcmeModel:
    """Return the model of a folder, after checking that it answers as it did when it was made.

    Raises
    ------
    ModelError
        When a file is missing or damaged, is a pickle or holds anything but arrays, belongs to
        other features, or does not reproduce its reference rows.
    """
    facts = read_card(folder)
    where = str(folder)
    if facts.get("kind") != KIND:
        raise ModelError("this is no model of ICMEs", where, "Train one: sciqlop-pipe train icme")
    mine = (_FORMAT, hourly.VERSION, obstacles.VERSION)
    theirs = tuple(facts.get(k) for k in ("format", "features_version", "intervals_version"))
    if theirs != mine or facts.get("features") != len(hourly.names()):
        raise ModelError(f"the model was trained with features of version {theirs[1]}.{theirs[2]}, "
                         f"here they are {mine[1]}.{mine[2]}", where, "Train it again")  # fmt: skip
    arrays = read_arrays(folder)
    card = Card(*(facts[k] for k in ("name", "training", "metrics", "command", "sklearn")))
    poor = None
    if "poor_threshold" in facts:
        poor = _built(arrays, "poor.", float(facts["poor_threshold"]), card, None, None, where)
    seen = Seen.of_numbers(facts["seen"]) if "seen" in facts else None
    model = _built(arrays, "", float(facts["threshold"]), card, seen, poor, where)
    if model.content != facts["content"]:
        raise ModelError("the model is not the one its card describes", where, "Copy both again")
    rows = [[np.nan if x is None else x for x in row] for row in facts["reference"]["input"]]
    got = model.linear.probability(np.array(rows, np.float64))
    if not np.allclose(got, facts["reference"]["output"], 0, _TOLERANCE):
        raise ModelError("the model does not reproduce its reference rows", where, "Train it again")
    return model


def _built(
    arrays: Mapping[str, NDArray[Any]], prefix: str, threshold: float, card: Card,
    seen: Seen | None, poor: IcmeModel | None, where: str,
) -> IcmeModel:  # fmt: skip
    try:
        model = IcmeModel(
            Linear(**{f.name: arrays[f"{prefix}linear.{f.name}"] for f in fields(Linear)}),
            Forest(**{f.name: arrays[f"{prefix}forest.{f.name}"] for f in fields(Forest)}),
            threshold, arrays[f"{prefix}calibration"], card, seen, poor,
        )  # fmt: skip
    except KeyError as error:
        raise ModelError(f"there is no array {error}", where, "Copy the model again") from error
    _check_forest(model.forest, where)
    return model


def _check_forest(forest: Forest, where: str) -> None:
    """Refuse nodes that lead nowhere or in circles: children come after their parents."""
    nodes = forest.feature.size
    inner = np.flatnonzero(forest.feature >= 0)
    sound = all(getattr(forest, f.name).shape == (nodes,) for f in fields(Forest)[1:])
    for child in (forest.left, forest.right):
        sound = sound and bool(((child[inner] > inner) & (child[inner] < nodes)).all())
    if not sound or not ((forest.roots >= 0) & (forest.roots < nodes)).all():
        raise ModelError("the forest is no forest", where, "Copy the model again")
