"""From how sure a detector is to how often that is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEAST = 1e-4  # a probability of a record is no surer than that


def log_odds(p: Array) -> Array:
    """Return ln(p / (1 - p)), p kept within 1e-4 of 0 and 1."""
    kept = np.clip(p, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(kept / (1 - kept)))


def fitted(x: Array, right: NDArray[np.bool_], weight: Array | None = None) -> tuple[float, ...]:
    """Return intercept and slopes of the log odds of being right, over some numbers.

    Platt, in Advances in Large Margin Classifiers, 61, 1999, with his targets: as if one more event
    of each sort were known, so that few events never make certainty.

    Parameters
    ----------
    x : ndarray (event, number)
        How sure the detector is, as log odds, and what else tells.
    right : ndarray of bool (event)
        Whether it was.
    weight : ndarray (event), optional
        How much each counts.
    """
    from sklearn.linear_model import LogisticRegression

    ones = np.ones(len(x)) if weight is None else weight
    yes, no = float(ones[right].sum()), float(ones[~right].sum())
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    both = np.concatenate([x, x])
    label = np.repeat([True, False], len(x))
    share = np.concatenate([target * ones, (1 - target) * ones])
    fit = LogisticRegression(C=10.0).fit(both, label, sample_weight=share)
    return float(fit.intercept_[0]), *(float(c) for c in fit.coef_[0])


def probability(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return the probability of being right, (event).

    Parameters
    ----------
    coefficients : tuple of float
        From `fitted`.
    x : ndarray (event, number)
        As there.
    """
    return np.asarray(1 / (1 + np.exp(-(coefficients[0] + x @ np.array(coefficients[1:])))))
