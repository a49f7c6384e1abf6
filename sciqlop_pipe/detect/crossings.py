"""Events: crossings of the magnetopause and the bow shock, from labels and the plasma state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..datatypes import Events, Labels, PlasmaState, VectorSeries
from ..granule import MINUTE, SECOND, Interval, duration, iso
from ..model import Margin, recipe
from ..store.records import Event
from .decoding import CONTEXT, UNKNOWN, WINDOW, Plasma, decode, runs, step_sizes
from .ids import event_id
from .models import REGIONS
from .normals import minimum_variance

KINDS = ("magnetopause", "bow_shock")
"""The boundaries outwards: the first one lies between regions 0 and 1, the second between 1 and 2."""

REACH = 10 * MINUTE
"""Nothing farther from the start of an event than this, decoding apart, has a say in it."""

MARGIN = "1h"
"""What the inputs are read beyond a granule: WINDOW + CONTEXT + REACH, rounded up."""

SIDE = 2 * MINUTE
"""Length of the stretches before and after a crossing that its statistics are made of, at most."""

_SEARCH = MINUTE  # how far from the change of label the step itself may be
_SHORTEST = 15 * SECOND  # half length of an event, at least
_GRAIN = SECOND // 10  # times of events are multiples of it
_LEAST_STEP = 0.15
_LEAST_PROBABILITY = 0.5

assert WINDOW + CONTEXT + REACH <= duration(MARGIN)

Array = NDArray[np.float64]


@recipe(gives=Events, version=1)
def boundary_crossings(
    labels: Annotated[Labels, Margin(MARGIN)],
    state: Annotated[PlasmaState, Margin(MARGIN)],
    b: Annotated[VectorSeries | None, Margin("10min")] = None,
    *,
    dataset: str,
    interval: Interval,
    dwell: str = "60s",
    gap: str = "60s",
) -> tuple[Event, ...]:
    """Crossings of magnetopause and bow shock that begin in the interval, in time order.

    Labels are decoded to a sequence of regions (`decoding.decode`). At each change between
    neighbours the time is that of the step itself: medians of both sides give the levels, and the
    crossing is where n and V (bow shock) or ln n and ln T (magnetopause) are half way. Dropped are
    changes within `dwell` of a data gap, and those where the plasma does not step, or steps the
    wrong way: a shock compresses and slows down, whichever way it moves.

    An event lasts from `time - uncertainty` to `time + uncertainty`, at least 15 s to each side.
    Its attributes:

    - `time`: of the crossing, UTC; `uncertainty` [s]: the longer part, before or after it, of the
      time in which the probability of the later region rises from 0.2 to 0.8;
    - `sense`: "in" towards the Earth, "out" away from it; `region_before`, `region_after`;
    - `probability`: of the labels on both sides, the lower mean of the two;
    - `step`: 1 for a full step of the plasma, see `decoding.step_sizes`;
    - `density_before`, `_after`, `_jump` [cm^-3], likewise `speed` [km/s], `temperature` [eV] and
      `magnetic_field` [nT]: medians of up to 2 min to the next crossing, and their difference;
    - `normal_x`, `_y`, `_z`, `normal_frame`: minimum-variance direction of B (Sonnerup and Cahill
      1967), x not negative; `normal_ratio`: intermediate over smallest variance (below about 5
      the direction means little);
    - `gap_fraction`: part of the statistics' time without records; `model`: hash of the model;
    - `absent`: what could not be used. Numbers it would give are None.

    Parameters
    ----------
    labels : Labels
        probability (time, label) of magnetosphere, magnetosheath, solar wind.
    state : PlasmaState
        On the clock of the labels, (time).
    b : VectorSeries, optional
        Magnetic field [nT] for the normal, (time, component).
    dataset : str
        Name of the dataset of events; enters their ids.
    interval : Interval
        Events that start inside are returned.
    dwell : str
        How long a region must be seen to count, e.g. "60s".
    gap : str
        Longest spacing of records that is no gap; nothing is concluded across a gap.
    """
    plasma, context = _joined(labels, state)
    span = interval.padded(REACH)
    path = decode(plasma, span, dwell=duration(dwell), gap=duration(gap))
    found = []
    for change in _changes(plasma.time, path, duration(dwell), duration(gap)):
        event = _event(plasma, context, change, b, dataset, duration(gap))
        if event is not None and interval.start <= event.start < interval.stop:
            found.append(event)
    return tuple(sorted(found, key=lambda e: (e.start, e.kind)))


@dataclass(frozen=True, slots=True)
class _Context:
    """What describes an event but does not find it: |B| [nT] (time), and the hash of the model."""

    magnetic_field: Array
    model: str


@dataclass(frozen=True, slots=True)
class _Change:
    """Two neighbouring records of different regions: the first after it, and where sides end."""

    after: int
    first: int
    last: int
    inner: int
    outward: bool


def _joined(labels: xr.Dataset, state: xr.Dataset) -> tuple[Plasma, _Context]:
    """Return the records that both inputs have and that carry information."""
    both, left, right = np.intersect1d(
        labels["time"].values, state["time"].values, assume_unique=True, return_indices=True
    )
    names = [str(n) for n in labels["label"].values]
    columns = [names.index(r) for r in REGIONS]
    probability = labels["probability"].values[left][:, columns].astype(np.float64)
    keep = np.isfinite(probability).all(axis=1)

    def values(name: str) -> Array:
        if name not in state:
            return np.full(int(keep.sum()), np.nan)
        return state[name].values[right][keep].astype(np.float64)

    plasma = Plasma(both[keep].astype(np.int64), probability[keep], values("density"),
                    values("speed"), values("temperature"))  # fmt: skip
    return plasma, _Context(values("magnetic_field"), str(labels.attrs.get("model", "")))


def _changes(time: NDArray[np.int64], path: NDArray[np.int8], dwell: int, gap: int) -> Iterator[_Change]:
    """Yield the changes between neighbouring regions that both sides bear out."""
    for run in runs(time, gap):
        for known in _known(path, run):
            at = np.flatnonzero(np.diff(path[known])) + 1 + known.start
            edges = [known.start, *at.tolist(), known.stop]
            for k, i in enumerate(at.tolist(), start=1):
                first, last = edges[k - 1], edges[k + 1]
                # A run may end because the decoded windows end: then its last stretch is open.
                opens = first == run.start and time[i] - time[first] < dwell
                closes = last == run.stop and time[last - 1] - time[i - 1] < dwell
                if abs(int(path[i]) - int(path[i - 1])) == 1 and not opens and not closes:
                    yield _Change(i, first, last, int(min(path[i], path[i - 1])),
                                  bool(path[i] > path[i - 1]))  # fmt: skip


def _known(path: NDArray[np.int8], run: slice) -> Iterator[slice]:
    inside = np.flatnonzero(path[run] != UNKNOWN)
    if inside.size:
        yield slice(run.start + int(inside[0]), run.start + int(inside[-1]) + 1)


def _event(plasma: Plasma, context: _Context, change: _Change, b: xr.Dataset | None,
           dataset: str, gap: int) -> Event | None:  # fmt: skip
    """Return the event of a change, None when the plasma does not bear it out."""
    split = change.after
    for _ in range(2):  # levels are taken anew once the step is known better
        before, after = _sides(plasma.time, split, change)
        split, crossing = _step_time(plasma, before, after, change, split)
    before, after = _sides(plasma.time, split, change)
    step = _step(plasma, before, after, change)
    later = change.inner + change.outward
    earlier = change.inner + (not change.outward)
    probability = min(
        float(plasma.probability[before, earlier].mean()),
        float(plasma.probability[after, later].mean()),
    )
    if step < _LEAST_STEP or probability < _LEAST_PROBABILITY:
        return None
    crossing = round(crossing / _GRAIN) * _GRAIN
    uncertainty = _uncertainty(plasma, crossing, before, after, earlier, later)
    half = max(uncertainty, _SHORTEST)
    start, stop = crossing - half, crossing + half
    kind = KINDS[change.inner]
    attributes = [
        ("time", iso(crossing)),
        ("uncertainty", uncertainty / SECOND),
        ("sense", "out" if change.outward else "in"),
        ("region_before", REGIONS[earlier]),
        ("region_after", REGIONS[later]),
        ("probability", round(probability, 3)),
        ("step", round(step, 3)),
        *_levels(plasma, context, before, after),
        *_normal(b, before, after, plasma.time, Interval(start, stop)),
        ("gap_fraction", _gap_fraction(plasma.time, before, after)),
        ("model", context.model),
    ]
    absent = [n for n in ("magnetic_field", "normal") if dict(attributes)[_SIGN[n]] is None]
    attributes.append(("absent", ", ".join(absent)))
    return Event(event_id(dataset, kind, start, stop, context.model), kind, start, stop,
                 tuple(attributes))  # fmt: skip
