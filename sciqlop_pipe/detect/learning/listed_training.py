"""Training of events from a list: bins, then cutting and certainty, each on groups left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from .. import binned, calibration
from ..drift import Seen, learn_seen
from ..evaluation.matching import Mark, Overlap, match
from ..event_model import QUIET, VARIANTS, Cutting, EventModel, Found
from ..models import Card, from_pipelines
from .pieces import Array, Listed, Numbers, Piece
from .windows import counted

_STRENGTHS = (0.001, 0.03, 1.0)  # C of the regression
_FOLDS, _INNER = 12, 3
_ROWS = 30_000  # about as many bins are trained on; quiet ones far from events are thinned
_COPIES = 2  # of them in another climate
_SPREAD = 0.15  # of n, T and |B| then, in log10
_THRESHOLDS = np.array([0.05, 0.08, 0.12, 0.18, 0.25, 0.33, 0.42, 0.52, 0.64, 0.78])
_NAMES = binned.names(binned.PARTS)
_SEEN_AT_LEAST = 20  # bins of a sort, to say what was seen


@dataclass(frozen=True, slots=True)
class Validated:
    """What models say that have not seen the group, nor has anything that chose for them.

    Parameters
    ----------
    found : tuple of Mark
        Events of all groups left out.
    probability : tuple of ndarray (bin)
        Of each piece; NaN outside of the groups.
    strengths, thresholds : tuple of float
        Chosen for each fold, on the others.
    folds : int
        How many there were.
    """

    found: tuple[Mark, ...]
    probability: tuple[Array, ...]
    strengths: tuple[float, ...]
    thresholds: tuple[float, ...]
    folds: int


def refuse_absent(data: Listed, where: str) -> None:
    """Refuse to learn what is not there, or is in too few groups to be judged.

    Raises
    ------
    UsageError
        Says how many groups have events, and what to do.
    """
    if not data.pieces or not any(p.scored.any() for p in data.pieces):
        raise UsageError("nothing was both measured and labelled", where,
                         "Run the inputs where the list has events")  # fmt: skip
    quiet = any((p.scored & ~p.inside).any() for p in data.pieces)
    if not quiet:
        raise UsageError("all that was labelled is inside events: nothing says what is none", where,
                         "Say with --start and --stop where the list is complete")  # fmt: skip
    with_events = {int(g) for p in data.pieces for g in np.unique(p.group[p.inside & p.scored])}
    if len(with_events) < 3:
        raise UsageError(
            f"events are in {counted(len(with_events), data.by)}, at least 3 are needed to learn, "
            "to choose and to judge", where, "Label more, or try --split block",
        )  # fmt: skip


def variants_of(data: Listed) -> tuple[str, ...]:
    """Return which sets of channels the data have, richest first."""
    known = {}
    for name in VARIANTS:
        columns = _columns(name)
        known[name] = any(
            np.isfinite(p.matrix[p.scored & p.inside][:, columns]).all(axis=1).any()
            for p in data.pieces
        )
    return tuple(name for name, there in known.items() if there)


def validate(data: Listed, kind: str, *, seed: int = 0) -> Validated:
    """Return how events are found in groups that are left out in turn, everything nested.

    Parameters
    ----------
    data : Listed
        With events in three groups at least.
    kind : str
        What the events are called.
    seed : int
        Of the climates that are made up.
    """
    found: list[Mark] = []
    judged = [np.full(len(p.series), np.nan) for p in data.pieces]
    strengths, thresholds = [], []
    folds = list(_folds(data.groups, _FOLDS))
    for out in folds:
        rest = np.setdiff1d(data.groups, out)
        model, _, strength = fit(data, kind, Card(kind, ""), rest, seed=seed)
        strengths.append(strength)
        thresholds.append(model.cutting.high)
        for p, whole in zip(data.pieces, judged, strict=True):
            mine = np.isin(p.group, out)
            if mine.any():
                sure = _judge(model, p)
                whole[mine] = sure[mine]
                found += _marks(model.events(p.series, sure, 0 * sure), mine, kind)
    return Validated(tuple(found), tuple(judged), tuple(strengths), tuple(thresholds), len(folds))


def fit(
    data: Listed, kind: str, card: Card, groups: Numbers, *, seed: int = 0
) -> tuple[EventModel, dict[str, Any], float]:
    """Return a model of some groups, the pipelines it is made of, and the strength chosen.

    The strength of the penalty has the least logarithmic loss, the threshold the greatest sum of F1
    with any overlap and with one above 0.3, both on inner groups left out; certainty is calibrated
    on the events found there.

    Parameters
    ----------
    data : Listed
        Everything.
    kind : str
        What the events are called.
    card : Card
        What is to be known of the model.
    groups : ndarray of int
        What may be seen.
    seed : int
        Of the climates that are made up.
    """
    variants = variants_of(data)
    losses = [_out_of_fold(data, variants[:1], groups, c, seed)[1] for c in _STRENGTHS]
    strength = _STRENGTHS[int(np.argmin(losses))]
    cutting = _cutting(data, groups, _out_of_fold(data, variants, groups, strength, seed)[0])
    pipelines = {
        v: _fitted(data, v, groups, np.zeros(0, np.int64), strength, seed) for v in variants
    }
    points = from_pipelines(pipelines, _order(variants), (QUIET, kind), card, _seen(data, groups))
    return EventModel(kind, points, cutting), pipelines, strength


def _folds(groups: Numbers, count: int) -> Iterator[Numbers]:
    """Yield groups to be left out together: each alone, or dealt out to at most `count` folds."""
    count = min(count, len(groups))
    yield from (groups[k::count] for k in range(count))


def _columns(variant: str) -> list[int]:
    return [_NAMES.index(n) for n in binned.names(VARIANTS[variant])]


def _order(variants: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {v: binned.names(VARIANTS[v]) for v in variants}


def _out_of_fold(
    data: Listed, variants: Sequence[str], groups: Numbers, strength: float, seed: int
) -> tuple[list[Array], float]:
    """Return probabilities of bins by models of the other inner groups, and their log loss."""
    judged = [np.full(len(p.series), np.nan) for p in data.pieces]
    for out in _folds(groups, _INNER):
        pipelines = {v: _fitted(data, v, groups, out, strength, seed) for v in variants}
        points = from_pipelines(pipelines, _order(variants), (QUIET, "event"), Card("", ""))
        for p, whole in zip(data.pieces, judged, strict=True):
            mine = np.isin(p.group, out)
            columns = [_NAMES.index(n) for n in points.features]
            whole[mine] = points.probability(p.matrix[mine][:, columns])[:, 1]
    total = count = 0.0
    for p, whole in zip(data.pieces, judged, strict=True):
        known = p.scored & np.isfinite(whole)
        right = np.where(p.inside[known], whole[known], 1 - whole[known])
        total -= float(np.log(np.maximum(right, 1e-4)).sum())
        count += int(known.sum())
    return judged, total / max(count, 1)


def _fitted(
    data: Listed, variant: str, groups: Numbers, out: Numbers, strength: float, seed: int
) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    columns = _columns(variant)
    x, y, weight = _rows(data, columns, np.setdiff1d(groups, out), groups)
    if not y.any() or y.all():
        raise UsageError("some groups are all inside events, or all outside", "training",
                         "Label more, or try --split block")  # fmt: skip
    names, rng = binned.names(VARIANTS[variant]), np.random.default_rng(seed)
    copies = [x]
    for _ in range(_COPIES - 1):
        n, t, b = rng.normal(0, _SPREAD, (3, len(x)))
        copies.append(binned.in_other_climate(x, names, n, t, b))
    pipeline = make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, max_iter=100, tol=1e-3)
    )
    return pipeline.fit(np.concatenate(copies), np.tile(y, _COPIES),
                        logisticregression__sample_weight=np.tile(weight, _COPIES))  # fmt: skip


def _rows(
    data: Listed, columns: Sequence[int], keep: Numbers, allowed: Numbers
) -> tuple[Array, Numbers, Array]:
    """Return bins to train on: all near events, some of the others, none near what is left out.

    What people said counts wherever its time is not that of a group that is left out.
    """
    total = sum(int((p.weight > 0).sum()) for p in data.pieces)
    every = max(1, total // _ROWS)
    near = max(1, data.scale.duration // data.scale.step)
    x, y, weight = [], [], []
    for p in data.pieces:
        spoken = np.isin(p.group, data.groups)
        hidden = spoken & ~np.isin(p.group, keep)
        mine = (p.weight > 0) & ~_widened(hidden, data.scale.reach)
        close = _widened(p.inside, near)
        some = close | (np.arange(len(p.inside)) % every == 0) | (p.weight > 1)
        known = np.isfinite(p.matrix[:, columns]).all(axis=1)
        at = np.flatnonzero(mine & some & known)
        x.append(p.matrix[at][:, columns])
        y.append(p.inside[at].astype(np.int64))
        weight.append(np.where(close[at], 1.0, float(every)) * p.weight[at])
    return np.concatenate(x), np.concatenate(y), np.concatenate(weight)


def _widened(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    count = np.r_[0, np.cumsum(mask)]
    at = np.arange(mask.size)
    low, high = np.maximum(at - by, 0), np.minimum(at + by + 1, mask.size)
    return np.asarray(count[high] > count[low])


def _cutting(data: Listed, groups: Numbers, judged: Sequence[Array]) -> Cutting:
    """Return how events are cut and how sure they are, by bins judged from other inner groups."""
    scale = data.scale
    join = max(1, scale.duration // scale.step // 4)
    base = Cutting(scale.step, scale.duration, scale.shortest, scale.longest, join, 0.5)
    true = [m for m in data.marks if _in_groups(data, m, groups)]
    best, chosen = -1.0, base
    for high in _THRESHOLDS.tolist():
        cutting = replace(base, high=high)
        found = [m for p, s in zip(data.pieces, judged, strict=True)
                 for m in _cut(cutting, p, s)]  # fmt: skip
        both = len(found) + len(true)
        value = (
            sum(2 * len(match(found, true, Overlap(x))) / both for x in (0.0, 0.3)) if both else 0.0
        )
        if value > best:
            best, chosen = value, cutting
    return replace(
        chosen, sure=_certainty(replace(chosen, high=chosen.high / 2), data, judged, true)
    )


def _in_groups(data: Listed, m: Mark, groups: Numbers) -> bool:
    for p in data.pieces:
        k = int(np.searchsorted(p.series.time, m.moment))
        if 0 < k < len(p.series) and p.scored[k] and p.group[k] in groups:
            return True
    return False


def _cut(cutting: Cutting, p: Piece, sure: Array) -> list[Mark]:
    time, half = p.series.time, p.series.step // 2
    return [
        Mark(int(time[a]) - half, int(time[b - 1]) + half)
        for a, b in cutting.spans(sure).tolist()
        if p.scored[a:b].any()
    ]


def _certainty(
    cutting: Cutting, data: Listed, judged: Sequence[Array], true: Sequence[Mark]
) -> tuple[float, ...]:
    found: list[Mark] = []
    evidence: list[Array] = []
    for p, sure in zip(data.pieces, judged, strict=True):
        spans = cutting.spans(sure)
        spans = (
            spans[[bool(p.scored[a:b].any()) for a, b in spans.tolist()]] if len(spans) else spans
        )
        evidence.append(cutting.evidence(sure, spans))
        found += _cut(cutting, p, sure)
    right = np.zeros(len(found), bool)
    right[[i for i, _ in match(found, true, Overlap(0.0))]] = True
    if not len(found):
        return cutting.sure
    return calibration.fitted(np.concatenate(evidence), right)


def _judge(model: EventModel, p: Piece) -> Array:
    columns = [_NAMES.index(n) for n in model.points.features]
    return model.points.probability(p.matrix[:, columns])[:, 1]


def _marks(found: Sequence[Found], mine: NDArray[np.bool_], kind: str) -> list[Mark]:
    return [
        Mark(f.start, f.stop, kind, probability=f.probability, time=f.peak)
        for f in found
        if mine[f.first]
    ]


def _seen(data: Listed, groups: Numbers) -> Seen | None:
    """Return what there was to see of levels: of the channels that most labelled bins have."""
    names = [f"{c}_level" for c in binned.PARTS]
    columns = [_NAMES.index(n) for n in names]
    rows, label, group = [], [], []
    for p in data.pieces:
        keep = np.flatnonzero(p.scored & np.isin(p.group, groups))[::3]
        rows.append(p.matrix[keep][:, columns])
        label.append(p.inside[keep].astype(np.int64))
        group.append(p.group[keep])
    x, y, g = np.concatenate(rows), np.concatenate(label), np.concatenate(group)
    used = np.flatnonzero(np.isfinite(x).mean(axis=0) > 0.5) if len(x) else np.zeros(0, np.int64)
    known = np.isfinite(x[:, used]).all(axis=1)
    enough = [int((y[known] == k).sum()) >= _SEEN_AT_LEAST for k in (0, 1)]
    if not used.size or not all(enough):
        return None
    return learn_seen([names[k] for k in used], x[known][:, used], y[known], g[known])


def reference_rows(data: Listed, model: EventModel, seed: int = 0) -> Array:
    """Return rows to be kept in the card of a model, in the order of its features, (row, feature).

    Parameters
    ----------
    data : Listed
        Where they are from.
    model : EventModel
        Of it.
    seed : int
        Which.
    """
    columns = [_NAMES.index(n) for n in model.points.features]
    rows = np.concatenate([p.matrix[p.scored][:, columns] for p in data.pieces])
    at = np.random.default_rng(seed).choice(len(rows), min(8, len(rows)), replace=False)
    return np.asarray(rows[at].round(4))


def scores(validated: Validated, data: Listed) -> Mapping[str, Any]:
    """Return what was chosen in the folds, as a card says it."""
    return {
        "by": data.by, "groups": len(data.groups), "folds": validated.folds,
        "protocol": f"groups ({data.by}) left out in turn; strength, threshold and certainty "
        "chosen on the others, nested",
        "strengths chosen": sorted(set(validated.strengths)),
        "thresholds chosen": sorted(set(validated.thresholds)),
    }  # fmt: skip
