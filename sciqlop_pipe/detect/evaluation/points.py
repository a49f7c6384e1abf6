"""Scores of labels: accuracy, F1 per class, calibration, and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from .groups import bootstrap, summed

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


def reliability(sure: Array, right: NDArray[np.bool_]) -> Reliability:
    """Return how probabilities compare with what came true.

    Parameters
    ----------
    sure : ndarray (record)
        Probability that was given to what was said.
    right : ndarray of bool (record)
        Whether it was so.
    """
    return _compared(_binned(sure, right).sum(axis=0))


def _binned(sure: Array, right: NDArray[np.bool_]) -> Array:
    """Return what records add to count, probability and truth of bins, (record, bin, 3)."""
    box = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    parts = np.zeros((len(sure), _BINS, 3))
    parts[np.arange(len(sure)), box] = np.stack([np.ones(len(sure)), sure, right], axis=1)
    return parts


def _compared(total: Array) -> Reliability:
    full = total[:, 0] > 0
    count, said, held = total[full].T
    said, held = said / count, held / count
    error = float(np.sum(count * np.abs(said - held)) / count.sum()) if full.any() else np.nan
    return Reliability(said, held, count.astype(np.int64), float(error))


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

    column = np.where(guess < 0, size, guess)
    tables = np.zeros((len(c.label), size, size + 1))
    tables[np.arange(len(c.label)), c.label, column] = 1.0
    by_group = summed(tables, c.group)
    confusion = by_group.sum(axis=0)
    f1 = _f1(confusion)
    binned = _binned(sure, right)
    curve = _compared(binned.sum(axis=0))
    bins = summed(binned, c.group)
    return {
        "records": len(c.label),
        "groups": len(np.unique(c.group)),
        "accuracy": round(float(right.mean()), 4),
        "macro_f1": round(_macro(confusion), 4),
        "interval_95": {
            "accuracy": _rounded(bootstrap(by_group, _accuracy, seed=seed)),
            "macro_f1": _rounded(bootstrap(by_group, _macro, seed=seed)),
            "ece": _rounded(bootstrap(bins, lambda t: _compared(t).error, seed=seed)),
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


def _accuracy(confusion: Array) -> float:
    return float(np.trace(confusion[:, :-1]) / confusion.sum())


def _macro(confusion: Array) -> float:
    occurs = confusion.sum(axis=1) > 0
    return float(_f1(confusion)[occurs].mean()) if occurs.any() else float("nan")


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return [round(x, 4) for x in interval] if interval else None
