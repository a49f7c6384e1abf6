"""Series of a store and what lists say of them: pieces without long gaps, bins told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ...errors import UnknownName, UsageError
from ...granule import DAY, MINUTE, SECOND, Interval
from ...model import Dataset
from ...store import Store
from .. import binned
from ..evaluation.matching import Mark
from ..evaluation.stored import common, joined
from ..learned import without_constants
from .verdicts import Said, taught

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]

BLOCKS = 10
_LONGEST = 2.0  # times the longest event that was listed: longer ones are none


@dataclass(frozen=True, slots=True)
class Scale:
    """How long the events of a list are.

    Parameters
    ----------
    step, duration : int
        Of a bin; median length [ns].
    shortest, longest : int
        [bin].
    """

    step: int
    duration: int
    shortest: int
    longest: int

    @property
    def reach(self) -> int:
        """Return half the width of the widest window [bin]."""
        return binned.reaches(self.duration, self.step)[-1]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of data without a long gap, each array (bin).

    Parameters
    ----------
    series : Binned
        The data.
    matrix : ndarray (bin, feature)
        In the order of `binned.names(binned.PARTS)`.
    inside : ndarray of bool
        In an event, as verdicts have corrected the lists.
    scored : ndarray of bool
        Where lists speak, and nobody has corrected them.
    weight : ndarray
        How much each counts in training; 0 where nobody said anything.
    group : ndarray of int
        What belongs together; negative outside of the lists.
    """

    series: binned.Binned
    matrix: Array
    inside: Bools
    scored: Bools
    weight: Array
    group: Numbers


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything that is trained on.

    Parameters
    ----------
    pieces : tuple of Piece
        In time order.
    marks : tuple of Mark
        Events of the lists, within the data.
    spans : tuple of Interval
        What was both measured and labelled.
    scale : Scale
        Of the events.
    by : str
        What a group is.
    constant : tuple of str
        Inputs that never change, and are not used.
    """

    pieces: tuple[Piece, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Interval, ...]
    scale: Scale
    by: str
    constant: tuple[str, ...] = ()

    @property
    def groups(self) -> Numbers:
        """Return the groups that lists speak of, ascending."""
        found = [np.unique(p.group[p.scored]) for p in self.pieces]
        return np.unique(np.concatenate(found))

    @property
    def content(self) -> str:
        """Return the hash of data and labels."""
        digest = hashlib.blake2b(digest_size=16)
        for p in self.pieces:
            for part in (p.matrix, p.inside & p.scored, p.scored):
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def scale_of(marks: Sequence[Mark], cadence: float, where: str) -> Scale:
    """Return how long events are, in bins that fit data and events.

    Parameters
    ----------
    marks : sequence of Mark
        Intervals.
    cadence : float
        Of the data [ns].
    where : str
        For messages.

    Raises
    ------
    UsageError
        When the events are moments, or shorter than the data can show.
    """
    length = np.array([m.stop - m.start for m in marks], np.float64)
    if not (length > 0).any():
        raise UsageError("the events of the list are moments: nothing says how long one lasts",
                         where, "Give intervals, or --around 30s")  # fmt: skip
    duration = int(np.median(length[length > 0]))
    if duration < 2 * cadence:
        raise UsageError(
            f"half of the events are shorter than {duration / SECOND:g} s, the data have a record "
            f"every {cadence / SECOND:g} s", where, "Bind data of higher cadence",
        )  # fmt: skip
    step = binned.step_for(duration, cadence)
    short, long = np.quantile(length[length > 0], 0.05), length.max()
    return Scale(
        step, duration, max(1, int(short / step / 2)), int(np.ceil(_LONGEST * long / step))
    )


def read_inputs(
    store: Store, node: Dataset, spans: Sequence[Interval], padded: int
) -> list[tuple[xr.Dataset | None, xr.Dataset | None]]:
    """Return moments and field of a dataset's inputs, for each span that has either.

    Parameters
    ----------
    store : Store
        Has them.
    node : Dataset
        Of learned events.
    spans : sequence of Interval
        Where; they do not overlap once padded.
    padded : int
        How far beyond [ns].

    Raises
    ------
    UnknownName
        When the store has none of the inputs at all.
    """
    inputs = dict(node.inputs)
    known = set(store.registry.datasets())
    have = {k: v for k, v in inputs.items() if v in known}
    if not have:
        raise UnknownName(f"the store has none of {', '.join(inputs.values())}", str(store.root),
                          f"'sciqlop-pipe run {' '.join(inputs.values())}' first")  # fmt: skip
    found = []
    for span in spans:
        wide = span.padded(padded)
        read = {k: _read(store, v, wide) for k, v in have.items()}
        if any(ds is not None for ds in read.values()):
            found.append((read.get("moments"), read.get("b")))
    return found


def _read(store: Store, name: str, span: Interval) -> xr.Dataset | None:
    try:
        ds = store.read(name, span.start, span.stop).load()
    except UnknownName:
        return None
    return ds if ds.sizes["time"] else None


def joined_spans(spans: Sequence[Interval], padded: int) -> list[Interval]:
    """Return intervals as one where they would overlap once padded [ns]."""
    return joined(list(spans), 2 * padded)


def listed(
    inputs: Sequence[tuple[xr.Dataset | None, xr.Dataset | None]],
    marks: Sequence[Mark],
    labelled: Sequence[Interval],
    scale: Scale,
    by: str,
    lists: Sequence[Sequence[Interval]] = (),
    said: Sequence[Said] = (),
) -> Listed:
    """Return what is trained on.

    Parameters
    ----------
    inputs : sequence of (moments, field)
        From `read_inputs`.
    marks : sequence of Mark
        Of the lists.
    labelled : sequence of Interval
        Where the lists are complete.
    scale : Scale
        Of the events.
    by : str
        How groups are told: "day", "year", "pass", "block", "group".
    lists : sequence of sequence of Interval
        Where each list speaks, for "group": one list, one group.
    said : sequence of Said
        What people said: trained on, never scored.
    """
    pieces: list[Piece] = []
    spans: list[Interval] = []
    constant: set[str] = set()
    corrected = taught(marks, said)
    for pair in inputs:
        usable, never = without_constants({"moments": pair[0], "b": pair[1]})
        constant |= {*never}
        for moments, b in _without_gaps(usable["moments"], usable["b"], scale):
            series = binned.binned(moments, b, scale.step)
            if len(series) < 2:
                continue
            matrix = binned.matrix(series, scale.duration, binned.PARTS)
            time = series.time
            known = np.isfinite(series.speed) | np.isfinite(series.strength)
            spoken = _within(time, [(s.start, s.stop) for s in labelled]) & known
            corrections = _within(time, [(s.start, s.stop) for s in said])
            weight = spoken.astype(np.float64)
            for s in said:
                at = _within(time, [(s.start, s.stop)]) & known
                weight[at] = s.weight
            inside = _within(time, [(m.start, m.stop) for m in corrected])
            group = _groups(time, by, len(pieces), lists)
            pieces.append(Piece(series, matrix, inside, spoken & ~corrections, weight, group))
            edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
            spans += [
                Interval(int(time[a]) - scale.step // 2, int(time[z - 1]) + scale.step // 2)
                for a, z in edges.reshape(-1, 2).tolist()
            ]
    if by == "block":
        pieces = _blocked(pieces)
    seen = common(spans, list(labelled)) if spans else []
    return Listed(tuple(pieces), tuple(marks), tuple(seen), scale, by, tuple(sorted(constant)))


def _within(time: Numbers, spans: Sequence[tuple[int, int]]) -> Bools:
    found = np.zeros(time.size, bool)
    for start, stop in spans:
        low, high = np.searchsorted(time, [start, stop])
        found[low:high] = True
        if low == high and stop > start and low < time.size and stop > time[0]:
            found[low] = True  # shorter than a bin
    return found


def _without_gaps(
    moments: xr.Dataset | None, b: xr.Dataset | None, scale: Scale
) -> list[tuple[xr.Dataset | None, xr.Dataset | None]]:
    """Return inputs cut where neither has a record for longer than anything looks."""
    times = [ds["time"].values.astype(np.int64) for ds in (moments, b) if ds is not None]
    if not times:
        return []
    every = np.sort(np.concatenate(times))
    longest = max((2 * scale.reach + scale.longest) * scale.step, 10 * MINUTE)
    cuts = np.flatnonzero(np.diff(every) > longest)
    edges = [int(every[0]), *(int(every[k + 1]) for k in cuts), int(every[-1]) + 1]

    def part(ds: xr.Dataset | None, a: int, z: int) -> xr.Dataset | None:
        if ds is None:
            return None
        low, high = np.searchsorted(ds["time"].values.astype(np.int64), [a, z])
        return ds.isel(time=slice(int(low), int(high))) if high > low else None

    return [(part(moments, a, z), part(b, a, z)) for a, z in pairwise(edges)]


def _groups(time: Numbers, by: str, piece: int, lists: Sequence[Sequence[Interval]]) -> Numbers:
    tell: dict[str, Callable[[], Numbers]] = {
        "day": lambda: time // DAY,
        "year": lambda: time.astype("M8[ns]").astype("M8[Y]").astype(np.int64) + 1970,
        "pass": lambda: np.full(time.size, piece, np.int64),
        "block": lambda: np.zeros(time.size, np.int64),
        "group": lambda: np.select(
            [_within(time, [(s.start, s.stop) for s in spans]) for spans in lists],
            list(range(len(lists))),
            -1,
        ).astype(np.int64),
    }
    return tell[by]()


def _blocked(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces in contiguous blocks with as many labelled bins each."""
    count = max(1, -(-sum(int(p.scored.sum()) for p in pieces) // BLOCKS))
    before, found = 0, []
    for p in pieces:
        at = before + np.cumsum(p.scored) - p.scored
        found.append(replace(p, group=(at // count).astype(np.int64)))
        before += int(p.scored.sum())
    return found
