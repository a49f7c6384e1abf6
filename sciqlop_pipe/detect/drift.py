"""How far data are from what a model was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernels.forests import nearest_squares

Array = NDArray[np.float64]

LEVEL = 0.95
"""Part of the training rows, each judged without its own group, that lies within distance 1."""

_SHRINK = 0.1  # of the pooled variances, added to those of each class: few rows know few directions


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model has seen: a cloud of feature rows per class.

    Parameters
    ----------
    features : tuple of str
        Which features.
    mean : ndarray (class, feature)
        Centre of each cloud.
    covariance : ndarray (class, feature, feature)
        Its extent.
    limit : float
        Mahalanobis distance per square root of the number of features that is called 1.
    """

    features: tuple[str, ...]
    mean: Array
    covariance: Array
    limit: float

    @property
    def content(self) -> str:
        """Return the hash of the numbers."""
        digest = hashlib.blake2b(repr(self.features).encode(), digest_size=16)
        for part in (self.mean, self.covariance, np.array([self.limit])):
            digest.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        return digest.hexdigest()

    def as_numbers(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {"features": list(self.features), "mean": self.mean.tolist(),
                "covariance": self.covariance.tolist(), "limit": self.limit}  # fmt: skip

    @classmethod
    def of_numbers(cls, numbers: Mapping[str, Any]) -> Seen:
        """Return what `as_numbers` gave."""
        mean, covariance = (np.array(numbers[k], np.float64) for k in ("mean", "covariance"))
        return cls(tuple(numbers["features"]), mean, covariance, float(numbers["limit"]))

    def distance(self, x: Array) -> Array:
        """Return the distance of rows to the nearest cloud, (row); NaN for a row without numbers.

        Mahalanobis (Proc. Natl. Inst. Sci. India 2, 49, 1936), over the features that are known.

        Parameters
        ----------
        x : ndarray (row, feature)
            In the order of `features`; NaN where unknown.
        """
        found = np.full(len(x), np.nan)
        known = np.isfinite(x)
        patterns, which = np.unique(known, axis=0, return_inverse=True)
        for k, pattern in enumerate(patterns):
            if not pattern.any():
                continue
            rows = np.flatnonzero(which.ravel() == k)
            at = np.flatnonzero(pattern)
            inverse = np.stack([np.linalg.inv(c[np.ix_(at, at)]) for c in self.covariance])
            part = np.ascontiguousarray(x[np.ix_(rows, at)])
            squares = nearest_squares(part, np.ascontiguousarray(self.mean[:, at]), inverse)
            found[rows] = np.sqrt(squares / at.size)
        return found / self.limit


def learn_seen(
    features: Sequence[str], x: Array, label: NDArray[np.int64], group: NDArray[np.int64]
) -> Seen:
    """Return what there was to see in a training set.

    The limit is such that LEVEL of the rows lie within it when their own group is left out.

    Parameters
    ----------
    features : sequence of str
        Names of the columns.
    x : ndarray (row, feature)
        Finite.
    label, group : ndarray of int (row)
        The class; what belongs together.
    """
    apart = np.full(len(x), np.nan)
    for g in np.unique(group):
        out = group == g
        if not out.all():
            apart[out] = _fit(features, x[~out], label[~out], 1.0).distance(x[out])
    known = apart[np.isfinite(apart)]
    limit = float(np.quantile(known, LEVEL)) if known.size else 1.0
    return _fit(features, x, label, limit)


class Model(Protocol):
    """A model that knows what it has seen."""

    @property
    def features(self) -> tuple[str, ...]:
        """Return the names of the columns it takes."""

    @property
    def seen(self) -> Seen | None:
        """Return what it has seen; None when nobody wrote it down."""


def distance(model: Model, matrix: Array) -> Array:
    """Return how far rows are from what a model has seen, (row); NaN where it cannot be told.

    Parameters
    ----------
    model : Model
        With `features` and `seen`.
    matrix : ndarray (row, feature)
        In the order of the model's features.
    """
    if model.seen is None:
        return np.full(len(matrix), np.nan)
    columns = [model.features.index(f) for f in model.seen.features]
    return model.seen.distance(matrix[:, columns])


def _fit(features: Sequence[str], x: Array, label: NDArray[np.int64], limit: float) -> Seen:
    pooled = np.diag(x.var(axis=0) + 1e-12) * _SHRINK
    classes = np.unique(label)
    mean = np.stack([x[label == k].mean(axis=0) for k in classes])
    covariance = np.stack([
        np.cov(x[label == k].T, bias=True).reshape(x.shape[1], x.shape[1]) + pooled
        for k in classes
    ])  # fmt: skip
    return Seen(tuple(features), mean, covariance, limit)
