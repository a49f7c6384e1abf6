"""Verdicts on stretches of plasma regions and on boundaries, with what was measured there.

What a verdict leaves open is filled in by what the store's model says is most probable among what
is left: a stretch that is no lobe is the next best, both sides of a crossing that is none are one
region. Such records count by how probable that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import UnknownName, UsageError
from ...granule import DAY, iso
from ...graph import Graph
from ...store import Store
from .. import spectral
from ..crossings import KINDS, SIDE, boundary_crossings
from ..models import RegionModel, load_model
from ..plasma_regions import features_of
from ..promoted import folder_of
from .verdicts import Measured, Said
from .windows import CLASSES

Array = NDArray[np.float64]

NAME = "plasma_regions"

FAMILIES = ((3, 4, 5), (2,), (0, 1))
"""Places in CLASSES of magnetosphere, magnetosheath and solar wind, outwards."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Records whose region somebody told.

    Parameters
    ----------
    x : ndarray (record, feature)
        In the order of `spectral.NAMES`.
    y : ndarray of int (record)
        Place in CLASSES.
    weight : ndarray (record)
        How much each counts, against one of a labelled window.
    time : ndarray of int64 (record)
        [ns].
    """

    x: Array
    y: NDArray[np.int64]
    weight: Array
    time: NDArray[np.int64]

    @property
    def group(self) -> NDArray[np.int64]:
        """Return the day of each record, below zero: no number of a pass."""
        return -1 - self.time // DAY

    def outside(self, start: int, stop: int) -> Taught:
        """Return the records that are not within [start, stop]."""
        keep = (self.time < start) | (self.time > stop)
        return Taught(self.x[keep], self.y[keep], self.weight[keep], self.time[keep])


def with_measurements(store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
    """Return what verdicts say of regions, with the features of the records.

    Of stretches: an accepted one is in its region, a moved one where it was moved to, a missed one
    in the region that its comment names. A rejected one, or what a moved one gave up, is in any of
    the other regions.

    Of crossings: 2 min before and after an accepted, moved or missed one are in the regions that it
    parts (the comment of a missed one names kind and sense, "bow_shock in"); those of one that was
    rejected are in the same one of these two, that which is more probable on both sides together.
    The solar wind may be foreshock, the magnetosphere plasma sheet or lobe.

    Parameters
    ----------
    store : Store
        With the spectra and states that the events were made from.
    dataset : str
        Of stretches of the six regions, or of crossings.
    said : sequence of Said
        What people said.

    Raises
    ------
    UsageError
        When the dataset is of something else, a missed event names no region or boundary, or the
        store has nothing there.
    """
    spectrum, state, crossings = _inputs(dataset)
    spoken = _beside(said) if crossings else [_Spoken(s, _allowed(s)) for s in said]
    open_ = any(len(x.either) > 1 or len(x.either[0]) > 1 for x in spoken)
    model = load_model(folder_of(store, NAME)) if open_ else None
    return tuple(
        t for x in spoken if (t := _measured(store, x, spectrum, state, model)) is not None
    )


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What was said of a stretch: it is in one of the classes of one of some sets."""

    said: Said
    either: tuple[tuple[int, ...], ...]


def _allowed(s: Said) -> tuple[tuple[int, ...], ...]:
    if s.kind not in CLASSES:
        raise UsageError(
            f"the stretch from {iso(s.start)} to {iso(s.stop)} is in '{s.kind}', which is none of "
            "the regions", "regions",
            f"Name it as the comment of the verdict: {', '.join(CLASSES)}",
        )  # fmt: skip
    at = CLASSES.index(s.kind)
    return ((at,) if s.true else tuple(k for k in range(len(CLASSES)) if k != at),)


def _beside(said: Sequence[Said]) -> list[_Spoken]:
    """Return what verdicts on crossings say of the stretches beside them."""
    found = []
    true = [_sided(s) for s in said if s.true]
    for s in true:
        inner = KINDS.index(s.kind)
        out = s.sense == "out"
        before, after = FAMILIES[inner + (not out)], FAMILIES[inner + out]
        found += [
            _Spoken(replace(s, start=s.start - SIDE, stop=s.start), (before,)),
            _Spoken(replace(s, start=s.stop, stop=s.stop + SIDE), (after,)),
        ]
    for s in said:
        moved = any(t.kind == s.kind and t.start - 2 * SIDE < s.stop and s.start < t.stop + 2 * SIDE
                    for t in true)  # fmt: skip
        if not s.true and s.kind in KINDS and not moved:
            inner = KINDS.index(s.kind)
            wide = replace(s, start=s.start - SIDE, stop=s.stop + SIDE)
            found.append(_Spoken(wide, (FAMILIES[inner], FAMILIES[inner + 1])))
    return found


def _sided(s: Said) -> Said:
    """Return a crossing with kind and sense; of a missed one the comment says both."""
    words = s.kind.replace(",", " ").split()
    kind = next((w for w in words if w in KINDS), "")
    sense = s.sense or next((w for w in words if w in ("in", "out")), "")
    if not kind or not sense:
        raise UsageError(
            f"the crossing from {iso(s.start)} is '{s.kind}', which names no boundary and sense",
            "regions", f"Give a comment like '{KINDS[0]} in' or '{KINDS[1]} out'",
        )  # fmt: skip
    return replace(s, kind=kind, sense=sense)


def taught_records(said: Sequence[Said]) -> Taught:
    """Return the records of verdicts that carry measurements.

    Parameters
    ----------
    said : sequence of Said
        From `with_measurements`.
    """
    none = np.zeros(0, np.int64)
    parts = [Taught(np.zeros((0, len(spectral.NAMES))), none, np.zeros(0), none)]
    for s in said:
        if s.measured is None:
            continue
        m, one = s.measured, np.ones(len(s.measured.time))
        label = CLASSES.index(s.kind) * one if m.label is None else m.label
        share = one if m.share is None else m.share
        parts.append(Taught(m.x, label.astype(np.int64), s.weight * share, m.time))
    return Taught(
        np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts]),
        np.concatenate([p.weight for p in parts]), np.concatenate([p.time for p in parts]),
    )  # fmt: skip


def _inputs(dataset: str) -> tuple[str, str, bool]:
    """Return the spectra and states that events are made from, and whether these are crossings."""
    graph = Graph.discover()
    node = graph.nodes.get(dataset)
    inputs = dict(node.inputs) if node is not None else {}
    labels = graph.nodes.get(inputs.get("labels", ""))
    made = dict(labels.inputs) if labels is not None else {}
    if labels is not None and labels.model == NAME and {"spectrum", "state"} <= {*made}:
        return made["spectrum"], made["state"], False
    if node is not None and node.recipe is not None and node.recipe.name == boundary_crossings.name:
        judged = (graph[n] for n in graph.nodes)
        for other in judged:
            takes = dict(other.inputs)
            if other.model == NAME and takes.get("state") == inputs["state"]:
                return takes["spectrum"], takes["state"], True
    raise UsageError(
        "verdicts on these events do not say in which of the six regions a record is", dataset,
        "Judge stretches of regions, like mms1.region_stretches, or crossings beside them",
    )  # fmt: skip


def _measured(
    store: Store, spoken: _Spoken, spectrum: str, state: str, model: RegionModel | None
) -> Said | None:
    """Return what was said with what was measured there; None where nothing can be told."""
    s, reach = spoken.said, spectral.REACH
    try:
        spectra = store.read(spectrum, s.start, s.stop + 1).load()
        states = store.read(state, s.start - reach, s.stop + reach + 1).load()
    except UnknownName as error:
        raise UsageError(
            f"the store has nothing to learn from, from {iso(s.start)} to {iso(s.stop)}",
            error.where, f"'sciqlop-pipe run {spectrum} {state}' there first",
        ) from error  # fmt: skip
    time, x = features_of(spectra, states)
    if len(spoken.either) == len(spoken.either[0]) == 1:
        label = np.full(len(time), spoken.either[0][0], np.int64)
        return replace(s, measured=Measured(time, x, label))
    assert model is not None
    p = model.probability(x[:, [spectral.NAMES.index(f) for f in model.features]])
    known = np.isfinite(p).all(axis=1)
    if not known.any():
        return None
    time, x, p = time[known], x[known], np.maximum(p[known], 1e-6)
    sums = [np.log(p[:, list(c)].sum(axis=1)).sum() for c in spoken.either]
    allowed = list(spoken.either[int(np.argmax(sums))])
    best = np.array(allowed)[np.argmax(p[:, allowed], axis=1)]
    share = p[np.arange(len(p)), best] / p[:, allowed].sum(axis=1)
    return replace(s, measured=Measured(time, x, best.astype(np.int64), share))
