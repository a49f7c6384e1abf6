"""Verdicts on stretches of plasma regions, with what was measured there."""

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
from ..plasma_regions import features_of
from .verdicts import Measured, Said
from .windows import CLASSES

Array = NDArray[np.float64]


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
    """Return the verdicts that name a region, with the features of their records.

    An accepted stretch is in its region, a moved one where it was moved to, a missed one in the
    region that its comment names. A rejected one is left out: it says where a record is not.

    Parameters
    ----------
    store : Store
        With the spectra and states that the stretches were made from.
    dataset : str
        Of stretches of the six regions.
    said : sequence of Said
        What people said.

    Raises
    ------
    UsageError
        When the dataset is of something else, a missed stretch names no region, the store has
        nothing there, or all was rejected.
    """
    spectrum, state = _inputs(dataset)
    named = [s for s in said if s.true]
    if not named:
        raise UsageError("people only rejected: that says where nothing is, not what it is",
                         dataset, "Accept, move, or add stretches that were missed")  # fmt: skip
    return tuple(_measured(store, s, spectrum, state) for s in named)


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
        if s.measured is not None:
            one = np.ones(len(s.measured.time))
            parts.append(Taught(s.measured.x, (CLASSES.index(s.kind) * one).astype(np.int64),
                                s.weight * one, s.measured.time))  # fmt: skip
    return Taught(
        np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts]),
        np.concatenate([p.weight for p in parts]), np.concatenate([p.time for p in parts]),
    )  # fmt: skip


def _inputs(dataset: str) -> tuple[str, str]:
    """Return the names of the spectra and states that stretches are made from."""
    graph = Graph.discover()
    node = graph.nodes.get(dataset)
    labels = graph.nodes.get(dict(node.inputs).get("labels", "")) if node is not None else None
    inputs = dict(labels.inputs) if labels is not None else {}
    if labels is None or labels.model != "plasma_regions" or not {"spectrum", "state"} <= {*inputs}:
        raise UsageError(
            "verdicts on these events do not say in which of the six regions a record is", dataset,
            "Judge stretches of regions, like mms1.region_stretches",
        )  # fmt: skip
    return inputs["spectrum"], inputs["state"]


def _measured(store: Store, said: Said, spectrum: str, state: str) -> Said:
    where = f"{iso(said.start)} to {iso(said.stop)}"
    if said.kind not in CLASSES:
        raise UsageError(
            f"the stretch from {where} is in '{said.kind}', which is none of the regions",
            "regions", f"Name it as the comment of the verdict: {', '.join(CLASSES)}",
        )  # fmt: skip
    reach = spectral.REACH
    try:
        spectra = store.read(spectrum, said.start, said.stop + 1).load()
        states = store.read(state, said.start - reach, said.stop + reach + 1).load()
    except UnknownName as error:
        raise UsageError(
            f"the store has nothing to learn from, from {where}", error.where,
            f"'sciqlop-pipe run {spectrum} {state}' there first",
        ) from error  # fmt: skip
    return replace(said, measured=Measured(*features_of(spectra, states)))
