"""The model of six plasma regions: trained on labelled windows, judged by passes it has not seen.

A multinomial logistic regression on `spectral` features of single records. Its training set is made
more various: copies with other n, T, |B| and Mach numbers, moved consistently through beta (Tobin
et al., arXiv 1703.06907, 2017), and noise on every feature, so that no single one decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...granule import HOUR
from .. import spectral
from ..drift import Seen, learn_seen
from ..evaluation.points import Classified, score_points
from ..models import Card, RegionModel, from_pipelines
from .stretches import NAME, Taught, taught_records
from .verdicts import Said, told
from .windows import CLASSES, Windows, counted

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

VARIANTS = {
    "field": spectral.NAMES,
    "no_field": tuple(n for n in spectral.NAMES if n not in spectral.NEED_FIELD),
}
"""Sets of features, richer first: without a magnetometer the second one judges."""

SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "6 classes": {c: (c,) for c in CLASSES},
    "5 classes": {c: (c,) for c in CLASSES if c != "foreshock"},
    "3 regions": {c: (c,) for c in ("solar_wind", "magnetosheath", "magnetosphere")},
}
"""What is scored: records of classes that are in none of a set are left out of it."""

SCALES = tuple((n, b) for n in (1.0, 0.5, 2.0) for b in (1.0, 0.5, 2.0))
"""Factors of n and |B| under which a model should still know the region."""

_STRENGTHS = (0.1, 0.3, 1.0, 3.0)  # C of the regression: chosen on inner passes
_STEP = 10  # every how many records of a window are trained on
_COPIES = 4
_SPREAD = {"density": 0.35, "temperature": 0.30, "field": 0.30, "mach": 0.10}
_NOISE = 0.3  # of each feature, in its standard deviations
_INNER = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """What is trained on: features (record, feature), class, pass, how much each counts."""

    x: Array
    y: Numbers
    group: Numbers
    weight: Array

    def only(self, keep: NDArray[np.bool_]) -> Rows:
        """Return some of the rows."""
        return Rows(self.x[keep], self.y[keep], self.group[keep], self.weight[keep])

    def heard(self, taught: Taught) -> Rows:
        """Return the rows with some of the records whose region somebody told."""
        some = slice(None, None, _STEP)
        return Rows(
            np.concatenate([self.x, taught.x[some]]), np.concatenate([self.y, taught.y[some]]),
            np.concatenate([self.group, taught.group[some]]),
            np.concatenate([self.weight, taught.weight[some]]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Validated:
    """Probabilities of each window by a model that has not seen its pass, by variant and scale."""

    windows: Mapping[tuple[str, float, float], Classified]
    strengths: tuple[float, ...]


def train(
    windows: Windows, *, said: Sequence[Said] = (), seed: int = 0, command: str = ""
) -> tuple[dict[str, Any], Card, Seen]:
    """Return fitted pipelines by variant, the card of how they do on unseen passes, what was seen.

    Parameters
    ----------
    windows : Windows
        Of all classes, each from at least two passes.
    said : sequence of Said
        Stretches that people judged, with measurements: learned from, never scored.
    seed : int
        Same seed, same model.
    command : str
        What the card says made it.

    Raises
    ------
    UsageError
        When a class is absent, or from one pass only.
    """
    import sklearn

    refuse_absent(windows)
    validated = cross_validate(windows, said=said, seed=seed)
    rows, taught = training_rows(windows), taught_records(said)
    every = rows.heard(taught)
    metrics: dict[str, Any] = {}
    pipelines = {}
    for variant, names in VARIANTS.items():
        strength = _choose(rows, taught, variant, seed)
        pipelines[variant] = _fit(every, names, strength, seed)
        metrics[variant] = {
            name: score_points(validated.windows[variant, 1.0, 1.0].merged(s), seed=seed)
            for name, s in SETS.items()
        }
    metrics["scaled"] = scaled_table(
        {(n, b): c for (v, n, b), c in validated.windows.items() if v == "field"}
    )
    metrics["split"] = {
        "by": windows.by, "told by": windows.how, "passes": len(np.unique(windows.group)),
        "protocol": f"each {windows.by} left out in turn; strength of the penalty chosen on the "
        "others",
        "strengths chosen": sorted(set(validated.strengths)),
    }  # fmt: skip
    words = (
        f"{len(windows)} windows of {windows.length} records, "
        f"{windows.groups}; hash {windows.content}{told(said)}"
    )
    whole = every.only(_known(every.x))
    seen = learn_seen(spectral.NAMES, whole.x, whole.y, whole.group)
    return pipelines, Card(NAME, words, metrics, command, sklearn.__version__), seen


def cross_validate(windows: Windows, *, said: Sequence[Said] = (), seed: int = 0) -> Validated:
    """Return what models say of passes that they have not seen.

    Every pass is left out in turn; the penalty is chosen on the others, by passes again. So is
    what people told of its time, where windows have times.

    Parameters
    ----------
    windows : Windows
        Of several passes.
    said : sequence of Said
        Stretches that people judged, with measurements.
    seed : int
        Of the copies and their noise.
    """
    rows, taught = training_rows(windows), taught_records(said)
    seen = {(n, b): windows.matrix(n, b) for n, b in SCALES}
    size = (len(windows), len(CLASSES))
    judged = {(v, n, b): np.full(size, np.nan) for v in VARIANTS for n, b in SCALES}
    strengths = []
    for group in np.unique(windows.group):
        out = windows.group == group
        rest = rows.only(rows.group != group)
        heard = taught
        if windows.time is not None:
            when = windows.time[out]
            heard = taught.outside(int(when.min()) - HOUR, int(when.max()) + HOUR)
        for variant, names in VARIANTS.items():
            strength = _choose(rest, heard, variant, seed)
            strengths.append(strength)
            fitted = _fit(rest.heard(heard), names, strength, seed)
            model = _model({variant: fitted}, {variant: names})
            for n, b in SCALES:
                judged[variant, n, b][out] = of_windows(model, seen[n, b][out])
    return Validated(
        {k: Classified(CLASSES, p, windows.label, windows.group) for k, p in judged.items()},
        tuple(strengths),
    )


def of_windows(model: RegionModel, matrix: Array) -> Array:
    """Return the probability of each class in windows, (window, class): the mean over records.

    Parameters
    ----------
    model : RegionModel
        On spectral features.
    matrix : ndarray (window, record, feature)
        In the order of `spectral.NAMES`; records with NaN in what a model needs are left out.
    """
    windows, length, _ = matrix.shape
    columns = [spectral.NAMES.index(f) for f in model.features]
    flat = model.probability(matrix[:, :, columns].reshape(windows * length, -1))
    each = flat.reshape(windows, length, -1)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(each).all(axis=2))
    total = np.where(known[:, :, None], each, 0.0).sum(axis=1)
    count = known.sum(axis=1)[:, None]
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def evaluate(model: RegionModel, windows: Windows) -> dict[tuple[float, float], Classified]:
    """Return what a model says of windows, n and |B| as they are and scaled.

    Parameters
    ----------
    model : RegionModel
        Of the six regions.
    windows : Windows
        Not those it was trained on, if the numbers are to mean anything.
    """
    return {
        (n, b): Classified(CLASSES, of_windows(model, windows.matrix(n, b)), windows.label,
                           windows.group)
        for n, b in SCALES
    }  # fmt: skip


def scaled_table(scaled: Mapping[tuple[float, float], Classified]) -> list[dict[str, Any]]:
    """Return the main scores for each pair of factors of n and |B|."""
    table = []
    for (n, b), c in scaled.items():
        row: dict[str, Any] = {"density_factor": n, "field_factor": b}
        for name, classes in SETS.items():
            part = c.merged(classes)
            if len(part.label):
                scores = score_points(replace(part, group=np.zeros(len(part.label), np.int64)))
                row[name] = {k: scores[k] for k in ("accuracy", "macro_f1")}
        table.append(row)
    return table


def training_rows(windows: Windows) -> Rows:
    """Return records of windows to train on: some of each window, those with all features.

    Parameters
    ----------
    windows : Windows
        Labelled.
    """
    some = windows.matrix()[:, ::_STEP]
    x = some.reshape(-1, some.shape[2])
    y, group = (np.repeat(a, some.shape[1]) for a in (windows.label, windows.group))
    known = _known(x)
    return Rows(x[known], y[known], group[known], np.ones(int(known.sum())))


def _known(x: Array) -> NDArray[np.bool_]:
    """Return which rows have all their features."""
    return np.asarray(np.isfinite(x).all(axis=1))


def refuse_absent(windows: Windows) -> None:
    """Refuse to learn a class that is not there, or of one pass only.

    Raises
    ------
    UsageError
        Names the class.
    """
    for k, name in enumerate(CLASSES):
        groups = len(np.unique(windows.group[windows.label == k]))
        if groups < 2:
            raise UsageError(
                f"class '{name}' has windows of {counted(groups, windows.by)}, at least 2 are "
                "needed to learn and judge it",
                                "training", "Add windows of it",
            )  # fmt: skip


def _various(rows: Rows, seed: int) -> Rows:
    """Return the rows with copies in other climates: one draw per row."""
    rng = np.random.default_rng(seed)
    at = {n: k for k, n in enumerate(spectral.NAMES)}
    copies = [rows.x]
    for _ in range(_COPIES - 1):
        n, t, b, mach = (rng.normal(0, s, len(rows.y)) for s in _SPREAD.values())
        x = rows.x.copy()
        for name, change in (
            ("spectral_density", n), ("spectral_temperature", t), ("spectral_field", b),
            ("spectral_beta", n + t - 2 * b), ("spectral_mach", mach), ("spectral_centre", mach),
        ):  # fmt: skip
            x[:, at[name]] += change
        copies.append(x)
    x = np.concatenate(copies)
    x = x + rng.normal(0, _NOISE, x.shape) * x.std(axis=0)
    return Rows(
        x, np.tile(rows.y, _COPIES), np.tile(rows.group, _COPIES), np.tile(rows.weight, _COPIES)
    )


def _fit(rows: Rows, names: tuple[str, ...], strength: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    columns = [spectral.NAMES.index(n) for n in names]
    various = _various(rows.only(_known(rows.x[:, columns])), seed)
    count = np.bincount(various.y, various.weight, minlength=len(CLASSES))
    balance = various.weight.sum() / len(CLASSES) / np.maximum(count, 1)
    weight = balance[various.y] * various.weight
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=400))
    return pipeline.fit(various.x[:, columns], various.y, logisticregression__sample_weight=weight)


def _choose(rows: Rows, taught: Taught, variant: str, seed: int) -> float:
    """Return the strength with the least logarithmic loss on inner passes."""
    from sklearn.model_selection import GroupKFold

    names = VARIANTS[variant]
    columns = [spectral.NAMES.index(n) for n in names]
    loss = np.zeros(len(_STRENGTHS))
    for train_, test in GroupKFold(_INNER).split(rows.x, rows.y, rows.group):
        keep = np.zeros(len(rows.y), bool)
        keep[train_] = True
        for k, strength in enumerate(_STRENGTHS):
            fitted = _fit(rows.only(keep).heard(taught), names, strength, seed)
            p = fitted.predict_proba(rows.x[test][:, columns])
            at = {c: j for j, c in enumerate(fitted.classes_)}
            right = np.array([p[i, at[c]] if c in at else 0.0 for i, c in enumerate(rows.y[test])])
            loss[k] -= np.log(np.maximum(right, 1e-3)).sum()
    return _STRENGTHS[int(loss.argmin())]


def _model(pipelines: Mapping[str, Any], order: Mapping[str, tuple[str, ...]]) -> RegionModel:
    return from_pipelines(pipelines, order, CLASSES, Card(NAME, ""))


def reference_rows(windows: Windows, seed: int = 0) -> Array:
    """Return rows that use every variant of a model, to be kept in its card, (row, feature).

    Parameters
    ----------
    windows : Windows
        Where rows are taken from.
    seed : int
        Which.
    """
    rows = training_rows(windows).x
    some = rows[np.random.default_rng(seed).choice(len(rows), 8, replace=False)].round(4)
    some[4:, [spectral.NAMES.index(n) for n in spectral.NEED_FIELD]] = np.nan
    return some
