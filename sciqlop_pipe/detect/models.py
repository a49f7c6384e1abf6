"""Trained models of records: what they hold, and whether they answer as when they were made.

Such a model is a folder: `model.skops` (scikit-learn pipelines) and `card.json` (what it was
trained on, how well it does, and rows of input and output that must come out again).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from . import binned, features, spectral
from .drift import Seen
from .model_files import (
    CARD_FILE,
    MODEL_FILE,
    ModelError,
    read_card,
    read_pipelines,
    skops_io,
)

REGIONS = ("magnetosphere", "magnetosheath", "solar_wind")
"""Classes in the order they lie in, outwards: only neighbours touch."""

_FORMAT = 1
_TOLERANCE = 1e-9

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variant:
    """A standardised multinomial logistic regression on one set of features.

    Parameters
    ----------
    name : str
        What tells it from the others, e.g. "field".
    features : tuple of str
        Its features, in order.
    mean, scale : ndarray (feature)
        Of the training set.
    coefficients : ndarray (class, feature)
        Per standardised feature.
    intercept : ndarray (class)
        Log odds where all features are at their mean.
    """

    name: str
    features: tuple[str, ...]
    mean: Array
    scale: Array
    coefficients: Array
    intercept: Array

    def probability(self, matrix: Array) -> Array:
        """Return the probability of each class, (time, class).

        Written as a sum over columns: a matrix product may round a record differently when it is
        computed together with others, and labels must not depend on the length of a granule.

        Parameters
        ----------
        matrix : ndarray (time, feature)
            Finite.
        """
        score = np.tile(self.intercept, (len(matrix), 1))
        for j in range(len(self.features)):
            column = (matrix[:, j] - self.mean[j]) / self.scale[j]
            score += column[:, None] * self.coefficients[:, j]
        score -= score.max(axis=1, keepdims=True)
        share = np.exp(score)
        total = share[:, 0].copy()
        for k in range(1, share.shape[1]):
            total += share[:, k]
        return share / total[:, None]


@dataclass(frozen=True, slots=True)
class Card:
    """What is to be known of a model.

    Parameters
    ----------
    name : str
        Its name among models, "regions".
    training : str
        On what it was trained, in words.
    metrics : mapping
        How well it does, and on what: numbers by name, nested.
    command : str
        What made it.
    sklearn : str
        Version of scikit-learn that trained it.
    """

    name: str
    training: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    sklearn: str = ""


@dataclass(frozen=True, slots=True)
class RegionModel:
    """Probability of each region from a plasma state, whatever part of the state is known.

    Parameters
    ----------
    variants : tuple of Variant
        Richest first: a record is judged by the first one whose features it all has.
    classes : tuple of str
        In the order of the probabilities.
    card : Card
        What is to be known of it.
    seen : Seen, optional
        What it was trained on, to tell how far other data are from that.
    """

    variants: tuple[Variant, ...]
    classes: tuple[str, ...]
    card: Card
    seen: Seen | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Return every feature that some variant uses, in the order of the matrix."""
        seen = dict.fromkeys(f for v in self.variants for f in v.features)
        known = (*(f.name for f in features.FEATURES), *spectral.NAMES, *binned.names(binned.PARTS))
        return tuple(n for n in known if n in seen)

    @property
    def content(self) -> str:
        """Return the hash of what decides its answers: features, classes and numbers."""
        facts = [_FORMAT, features.VERSION, list(self.classes)]
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
        for v in self.variants:
            digest.update(json.dumps([v.name, list(v.features)]).encode())
            for numbers in (v.mean, v.scale, v.coefficients, v.intercept):
                digest.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
        if self.seen is not None:
            digest.update(self.seen.content.encode())
        return digest.hexdigest()

    def matrix(self, state: xr.Dataset) -> Array:
        """Return the features of a plasma state, (time, feature)."""
        return features.feature_matrix(state, self.features)

    def probability(self, matrix: Array) -> Array:
        """Return the probability of each class, (time, class); NaN where no variant applies.

        Parameters
        ----------
        matrix : ndarray (time, feature)
            In the order of `features`; NaN where unknown.
        """
        result = np.full((len(matrix), len(self.classes)), np.nan)
        known = np.isfinite(matrix)
        left = np.ones(len(matrix), bool)
        for variant in self.variants:
            columns = [self.features.index(f) for f in variant.features]
            mine = left & known[:, columns].all(axis=1)
            result[mine] = variant.probability(matrix[mine][:, columns])
            left &= ~mine
        return result


def from_pipelines(pipelines: Mapping[str, Any], order: Mapping[str, tuple[str, ...]],
                   classes: tuple[str, ...], card: Card,
                   seen: Seen | None = None) -> RegionModel:  # fmt: skip
    """Return the model that fitted scikit-learn pipelines make up.

    Parameters
    ----------
    pipelines : mapping of name to Pipeline
        StandardScaler and LogisticRegression on classes 0, 1, 2...; richest first.
    order : mapping of name to tuple of str
        Features of each.
    classes, card, seen
        As in `RegionModel`.

    Raises
    ------
    ModelError
        When a pipeline is anything else.
    """
    return RegionModel(
        tuple(_variant(n, p, tuple(order[n]), len(classes)) for n, p in pipelines.items()),
        classes,
        card,
        seen,
    )


def save_model(folder: Path, pipelines: Mapping[str, Any], order: Mapping[str, tuple[str, ...]],
               classes: tuple[str, ...], card: Card, reference: Array,
               seen: Seen | None = None) -> RegionModel:  # fmt: skip
    """Return the model after writing it as a folder (`model.skops`, `card.json`).

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    pipelines, order, classes, card, seen
        As in `from_pipelines`.
    reference : ndarray (row, feature)
        Rows, in the order of the model's features, whose probabilities are kept to be checked
        whenever it is read; NaN allowed.
    """
    skops = skops_io()
    model = from_pipelines(pipelines, order, classes, card, seen)
    folder.mkdir(parents=True, exist_ok=True)
    skops.dump(dict(pipelines), folder / MODEL_FILE, compression=ZIP_DEFLATED, compresslevel=9)
    facts = asdict(card) | {
        "format": _FORMAT,
        "content": model.content,
        "features_version": features.VERSION,
        "features": list(model.features),
        "variants": {v.name: list(v.features) for v in model.variants},
        "classes": list(classes),
        "reference": {"input": _rows(reference), "output": _rows(model.probability(reference))},
        **({"seen": seen.as_numbers()} if seen is not None else {}),
    }
    (folder / CARD_FILE).write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")
    return model


def load_model(folder: Path) -> RegionModel:
    """Return the model of a folder, after checking that it answers as it did when it was made.

    Parameters
    ----------
    folder : Path
        Holds `model.skops` and `card.json`.

    Raises
    ------
    ModelError
        When a file is missing or damaged, holds types other than those of such a model (a pickle,
        an unknown estimator), belongs to another version of the features, or does not reproduce
        its reference rows.
    """
    facts = read_card(folder)
    if not {"variants", "classes"} <= set(facts):
        raise ModelError("this is no model of regions", str(folder), "Name a model of regions")
    if facts.get("format") != _FORMAT or facts.get("features_version") != features.VERSION:
        raise ModelError(
            f"the model has format {facts.get('format')} and features of version "
            f"{facts.get('features_version')}, here {_FORMAT} and {features.VERSION} are needed",
            str(folder), "Train it again",
        )  # fmt: skip
    card = Card(*(facts[k] for k in ("name", "training", "metrics", "command", "sklearn")))
    order = {name: tuple(names) for name, names in facts["variants"].items()}
    pipelines = read_pipelines(folder)
    if set(pipelines) != set(order):
        raise ModelError("card and model do not belong together", str(folder), "Copy both again")
    seen = Seen.of_numbers(facts["seen"]) if "seen" in facts else None
    classes = tuple(facts["classes"])
    model = from_pipelines({n: pipelines[n] for n in order}, order, classes, card, seen)
    _check(model, facts, str(folder))
    return model


def _check(model: RegionModel, facts: Mapping[str, Any], where: str) -> None:
    if model.content != facts["content"]:
        raise ModelError("the model is not the one its card describes", where, "Copy both again")
    given, wanted = (_array(facts["reference"][k]) for k in ("input", "output"))
    got = model.probability(given)
    if got.shape != wanted.shape or not np.allclose(got, wanted, 0, _TOLERANCE, equal_nan=True):
        raise ModelError("the model does not reproduce its reference rows", where, "Train it again")


def _variant(name: str, pipeline: Any, names: tuple[str, ...], classes: int) -> Variant:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    steps = [s for _, s in pipeline.steps] if type(pipeline) is Pipeline else []
    if [type(s) for s in steps] != [StandardScaler, LogisticRegression]:
        raise ModelError(f"variant '{name}' is not StandardScaler and LogisticRegression", name)
    scaler, regression = steps
    mean, scale = np.asarray(scaler.mean_, float), np.asarray(scaler.scale_, float)
    coefficients = np.asarray(regression.coef_, float)
    intercept = np.asarray(regression.intercept_, float)
    if classes == 2 and intercept.shape == (1,):  # of two classes one has log odds of zero
        coefficients = np.concatenate([0 * coefficients, coefficients])
        intercept = np.concatenate([0 * intercept, intercept])
    fits = (
        mean.shape == scale.shape == (len(names),)
        and coefficients.shape == (classes, len(names))
        and intercept.shape == (classes,)
        and list(regression.classes_) == list(range(classes))
    )
    if not fits:
        raise ModelError(f"variant '{name}' does not fit its features and classes", name)
    return Variant(name, names, mean, scale, coefficients, intercept)


def _rows(matrix: Array) -> list[list[float | None]]:
    return [[float(x) if np.isfinite(x) else None for x in row] for row in matrix]


def _array(rows: list[list[float | None]]) -> Array:
    return np.array([[np.nan if x is None else x for x in row] for row in rows], dtype=np.float64)
