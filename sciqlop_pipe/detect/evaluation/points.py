"""Scores of labels: accuracy, F1 per class, calibration, and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from .groups import bootstrap

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_BINS = 10


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often what was said with some probability is so, in bins of the probability.

    Parameters
    ----------
    said, held, count : ndarray (bin)
        Mean probability and fraction that is right in each bin that is not empty; how many.
    error : float
        Expected calibration error: mean of |said - held| weighted by count [1]. Naeini et al.,
        AAAI 29, 2901, 2015.
    """

    said: Array
    held: Array
    count: Numbers
    error: float

    def as_numbers(self) -> dict[str, Any]:
        """Return it by name, as JSON takes it."""
        return {
            "ece": round(self.error, 4) if np.isfinite(self.error) else None,
            "bins": [
                {"said": round(float(s), 4), "held": round(float(h), 4), "count": int(c)}
                for s, h, c in zip(self.said, self.held, self.count, strict=True)
            ],
        }


def reliability(sure: Array, right: NDArray[np.bool_], weight: Array | None = None) -> Reliability:
    """Return how probabilities compare with what came true.

    Parameters
    ----------
    sure : ndarray (record)
        Probability that was given to what was said.
    right : ndarray of bool (record)
        Whether it was so.
    weight : ndarray (record), optional
        How much each counts.
    """
    w = np.ones(len(sure)) if weight is None else weight
    box = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    total = np.bincount(box, w, _BINS)
    full = total > 0
    said = np.bincount(box, w * sure, _BINS)[full] / total[full]
    held = np.bincount(box, w * right, _BINS)[full] / total[full]
    share = total[full] / total.sum() if full.any() else total[full]
    error = float(np.sum(share * np.abs(said - held))) if full.any() else float("nan")
    return Reliability(said, held, np.bincount(box, minlength=_BINS)[full], error)


@dataclass(frozen=True, slots=True)
class Classified:
    """Probabilities beside the truth.

    Parameters
    ----------
    classes : tuple of str
        Names, in the order of the columns.
    probability : ndarray (record, class)
        Rows sum to 1; a row of NaN is a record about which nothing was said: always wrong.
    label : ndarray of int (record)
        The true class.
    group : ndarray (record)
        What belongs together: a pass, a day.
    """

    classes: tuple[str, ...]
    probability: Array
    label: Numbers
    group: NDArray[Any]

    def __post_init__(self) -> None:
        shape = (len(self.label), len(self.classes))
        if self.probability.shape != shape or self.group.shape != (shape[0],):
            raise UsageError(
                f"probabilities {self.probability.shape} and groups {self.group.shape} do not fit "
                f"{shape[0]} labels of {shape[1]} classes"
            )
        if len(self.label) and not 0 <= self.label.min() <= self.label.max() < shape[1]:
            raise UsageError("a label is none of the classes")

    def merged(self, names: Mapping[str, Sequence[str]]) -> Classified:
        """Return it with classes put together; records of classes in none are left out.

        Probabilities are those given that the class is one of these.

        Parameters
        ----------
        names : mapping of name to sequence of str
            The new classes and what each is made of.
        """
        into = {self.classes.index(c): k for k, part in enumerate(names.values()) for c in part}
        keep = np.isin(self.label, list(into))
        sums = np.stack(
            [self.probability[keep][:, [i for i, k in into.items() if k == n]].sum(axis=1)
             for n in range(len(names))], axis=1,
        )  # fmt: skip
        with np.errstate(invalid="ignore", divide="ignore"):
            sums = sums / sums.sum(axis=1, keepdims=True)
        label = np.array([into[int(x)] for x in self.label[keep]], dtype=np.int64)
        return Classified(tuple(names), sums, label, self.group[keep])

    @property
    def guess(self) -> Numbers:
        """Return the most probable class, -1 where nothing was said."""
        known = np.isfinite(self.probability).all(axis=1)
        return np.where(known, np.nan_to_num(self.probability).argmax(axis=1), -1)


def score_points(c: Classified, *, seed: int = 0) -> dict[str, Any]:
    """Return accuracy, macro-F1, F1 per class, confusion and calibration of labels.

    Intervals are 95 %, by group. Macro-F1 is the mean over the classes that occur.

    Parameters
    ----------
    c : Classified
        With at least one record.
    seed : int
        Of the draws.

    Raises
    ------
    UsageError
        When there is no record.
    """
    if not len(c.label):
        raise UsageError("there is nothing to score", todo="Give labelled records")
    size = len(c.classes)
    guess = c.guess
    right = guess == c.label
    sure = np.where(guess >= 0, np.nan_to_num(c.probability).max(axis=1), 0.0)

    def table(w: Array) -> Array:
        """Return the confusion, true by rows; the last column is "nothing said"."""
        column = np.where(guess < 0, size, guess)
        return np.bincount(c.label * (size + 1) + column, w, size * (size + 1)).reshape(size, -1)

    ones = np.ones(len(c.label))
    confusion = table(ones)
    f1 = _f1(confusion)
    curve = reliability(sure, right)
    return {
        "records": len(c.label),
        "groups": len(np.unique(c.group)),
        "accuracy": round(float(right.mean()), 4),
        "macro_f1": round(_macro(confusion), 4),
        "interval_95": {
            "accuracy": _rounded(bootstrap(c.group, lambda w: float(w @ right / w.sum()),
                                           seed=seed)),
            "macro_f1": _rounded(bootstrap(c.group, lambda w: _macro(table(w)), seed=seed)),
            "ece": _rounded(bootstrap(c.group, lambda w: reliability(sure, right, w).error,
                                      seed=seed)),
        },
        "f1": {n: round(float(f1[k]), 4) if np.isfinite(f1[k]) else None
               for k, n in enumerate(c.classes)},
        "confusion": {n: confusion[k].astype(int).tolist() for k, n in enumerate(c.classes)},
        "calibration": curve.as_numbers(),
    }  # fmt: skip


def _f1(confusion: Array) -> Array:
    """Return F1 per class; NaN for one that neither occurs nor is guessed."""
    square = confusion[:, :-1]
    hit, both = np.diag(square), confusion.sum(axis=1) + square.sum(axis=0)
    return np.divide(2 * hit, both, out=np.full(len(hit), np.nan), where=both > 0)


def _macro(confusion: Array) -> float:
    occurs = confusion.sum(axis=1) > 0
    return float(_f1(confusion)[occurs].mean()) if occurs.any() else float("nan")


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return [round(x, 4) for x in interval] if interval else None
