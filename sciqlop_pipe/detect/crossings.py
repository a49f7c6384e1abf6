"""Events: crossings of the magnetopause and the bow shock, from labels and the plasma state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..catalog import event_id
from ..datatypes import Events, Labels, PlasmaState, VectorSeries
from ..errors import UsageError
from ..granule import MINUTE, SECOND, Interval, duration, iso
from ..model import Margin, Without, recipe
from ..store.records import Event
from .decoding import CONTEXT, UNKNOWN, WINDOW, Plasma, Times, decode, runs, step_sizes
from .describing import levels as levels_of
from .describing import median, short
from .models import REGIONS
from .normals import coplanarity, minimum_variance

KINDS = ("magnetopause", "bow_shock")
"""The boundaries outwards: between regions 0 and 1, and between 1 and 2."""

REACH = 10 * MINUTE
"""Nothing farther from the start of an event than this, decoding apart, has a say in it."""

MARGIN = "1h"
"""What the inputs are read beyond a granule: WINDOW + CONTEXT + REACH, rounded up."""

SIDE = 2 * MINUTE
"""Length of the stretches before and after a crossing that its statistics are made of, at most."""

# Side and search of each pass that looks for the step: labels may change with a foreshock minutes
# before the shock, so that the levels of the first pass come from farther away.
_PASSES = ((5 * MINUTE, 2 * MINUTE), (SIDE, MINUTE), (SIDE, MINUTE))
_SHORTEST = 15 * SECOND  # half length of an event, at least
_NORMAL_REACH = 15 * SECOND  # beyond the event, of the field that the normal is made from
_GRAIN = SECOND // 10  # times of events are multiples of it
_LONGEST = CONTEXT // 3  # dwell and gap: what they decide must lie well inside the context
_LEAST_STEP = 0.25
_LEAST_PROBABILITY = 0.3
_BESIDE = 15 * SECOND  # of a crossing, where the vectors of B are taken
_WEAK = 5.0  # ratio of variances of a normal
_MANY_GAPS = 0.2

assert duration(MARGIN) >= WINDOW + CONTEXT + REACH

Array = NDArray[np.float64]


@recipe(gives=Events, version=3, gaps_ok=True)
def boundary_crossings(
    labels: Annotated[Labels, Margin(MARGIN)],
    state: Annotated[PlasmaState, Margin(MARGIN)],
    b: Annotated[
        VectorSeries | None,
        Margin("10min"),
        Without("no normal, no |B| around the boundary, labels from n, V and T alone"),
    ] = None,
    *,
    dataset: str,
    interval: Interval,
    dwell: str = "90s",
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
    - `field_before`, `field_after` [nT]: medians of the components of B within 15 s;
    - `coplanarity_x`, `_y`, `_z`: of bow shocks, the normal by magnetic coplanarity of the medians
      of both sides, 15 s to 2 min from the crossing, x not negative, and `theta_bn` [deg]; a
      shock's variance is that of its turbulence. None where the fields are parallel within 5 deg
      (Schwartz 1998, ISSI SR-001, equation 10.13);
    - `gap_fraction`: part of the statistics' time without records;
    - `distance` of the side that is farther from what the model of the labels has seen (the median
      of its records), and `extrapolated`, whether it is above 1;
    - `flags`: near_gap (that part is above 0.2), weak_normal (its ratio is below 5), extrapolated;
    - `absent`: what could not be used. Numbers it would give are None;
    - `detector`: name and version; `model`: hash of the model.

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
        How long a region must be seen to count (`decoding.decode`), e.g. "90s"; at most 5 min.
    gap : str
        Longest spacing of records that is no gap, at most 5 min; nothing is concluded across a gap.
        Longer than the cadence, or every record stands alone.

    Raises
    ------
    UsageError
        When `dwell` or `gap` is longer than the margins allow.
    """
    if max(duration(dwell), duration(gap)) > _LONGEST:
        raise UsageError(f"dwell={dwell}, gap={gap}: one is above 5 min", "boundary_crossings",
                         "Decoding sees 15 min beyond its windows only")  # fmt: skip
    plasma, context = _joined(labels, state)
    span = interval.padded(REACH)
    path = decode(plasma, span, dwell=duration(dwell), gap=duration(gap))
    found = []
    for change in _changes(plasma.time, path, duration(dwell), duration(gap)):
        event = _event(plasma, context, change, b, dataset)
        if event is not None and interval.start <= event.start < interval.stop:
            found.append(event)
    return tuple(sorted(found, key=lambda e: (e.start, e.kind)))


@dataclass(frozen=True, slots=True)
class _Context:
    """What describes an event but does not find it.

    |B| [nT] and the distance from the training set, (time), and the hash of the model.
    """

    magnetic_field: Array
    distance: Array
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
    far = np.full(plasma.time.size, np.nan)
    if "distance" in labels:
        far = labels["distance"].values[left][keep].astype(np.float64)
    return plasma, _Context(values("magnetic_field"), far, str(labels.attrs.get("model", "")))


def _changes(time: Times, path: NDArray[np.int8], dwell: int, gap: int) -> Iterator[_Change]:
    """Yield the changes between neighbouring regions that both sides bear out."""
    for run in runs(time, gap):
        inside = np.flatnonzero(path[run] != UNKNOWN)
        if not inside.size:
            continue
        low, high = run.start + int(inside[0]), run.start + int(inside[-1]) + 1
        at = (np.flatnonzero(np.diff(path[low:high])) + 1 + low).tolist()
        edges = [low, *at, high]
        stretches = ((k, edges[k], edges[k + 1]) for k in range(1, len(at)))
        through = {k for k, a, b in stretches if _passes_through(time, path, a, b, dwell)}
        for k, i in enumerate(at, start=1):
            first, last = edges[k - 1], edges[k + 1]
            inner, outer = sorted((int(path[i - 1]), int(path[i])))
            opens = first == run.start and time[i] - time[first] < dwell
            closes = last == run.stop and time[last - 1] - time[i - 1] < dwell
            if outer - inner == 1 and not (opens or closes or {k - 1, k} & through):
                yield _Change(i, first, last, inner, bool(path[i] == outer))


def _passes_through(time: Times, path: NDArray[np.int8], first: int, stop: int, dwell: int) -> bool:
    """Tell whether a stretch is only the way from one of its neighbours to the other.

    Regions lie in a row, so a doubt between the outer ones shows as a moment in the middle one.
    """
    return bool(path[first - 1] != path[stop] and time[stop] - time[first] < dwell // 2)


def _event(plasma: Plasma, context: _Context, change: _Change, b: xr.Dataset | None,
           dataset: str) -> Event | None:  # fmt: skip
    """Return the event of a change, None when the plasma does not bear it out."""
    split, half_way = change.after, 0.0
    for side, search in _PASSES:  # the levels are taken anew once the step is known better
        around = _sides(plasma.time, split, change, side)
        split, half_way = _step_time(plasma, around, change, split, search)
    sides = _sides(plasma.time, split, change)
    before, after = sides
    earlier, later = change.inner + (not change.outward), change.inner + change.outward
    step = _step(plasma, sides, change)
    probability = min(
        float(plasma.probability[before, earlier].mean()),
        float(plasma.probability[after, later].mean()),
    )
    if not (step >= _LEAST_STEP and probability >= _LEAST_PROBABILITY):
        return None
    crossing = round(half_way / _GRAIN) * _GRAIN
    uncertainty = _uncertainty(plasma, crossing, sides, earlier, later)
    half = max(uncertainty, _SHORTEST)
    span = Interval(crossing - half, crossing + half)
    levels = _levels(plasma, context, sides)
    normal = _normal(b, span)
    absent = [word for word, numbers in (("magnetic_field", levels), ("normal", normal))
              if any(k.startswith(word) and v is None for k, v in numbers)]  # fmt: skip
    gaps = _gap_fraction(plasma.time, crossing)
    sides_far = [median(context.distance[s]) for s in sides]
    far = max((d for d in sides_far if d is not None), default=None)
    beyond = far is not None and far > 1
    attributes = (
        ("time", iso(crossing)),
        ("uncertainty", uncertainty / SECOND),
        ("sense", "out" if change.outward else "in"),
        ("region_before", REGIONS[earlier]),
        ("region_after", REGIONS[later]),
        ("probability", short(probability)),
        ("step", short(step)),
        *levels,
        *_vectors(b, crossing),
        *normal,
        *_coplanarity(b if change.inner else None, crossing),
        ("gap_fraction", short(gaps)),
        ("extrapolated", beyond),
        ("distance", far),
        ("flags", ", ".join([*_flags(gaps, normal), *["extrapolated"] * beyond])),
        ("absent", ", ".join(absent)),
        ("detector", f"{boundary_crossings.name}@{boundary_crossings.version}"),
        ("model", context.model),
    )
    kind = KINDS[change.inner]
    name = event_id(dataset, kind, span.start, span.stop, context.model)
    return Event(name, kind, span.start, span.stop, attributes)


def _sides(time: Times, split: int, change: _Change, side: int = SIDE) -> tuple[slice, slice]:
    """Return the records before and after the space in front of record `split`."""
    low, high = np.searchsorted(time, [time[split - 1] - side, time[split] + side])
    return slice(max(int(low), change.first), split), slice(split, min(int(high), change.last))


def _step(plasma: Plasma, sides: tuple[slice, slice], change: _Change) -> float:
    """Return how full the step is, positive when it is one of this kind and sense [1]."""
    series = (plasma.density, np.maximum(plasma.speed, 1.0), plasma.temperature)
    before, after = (np.array([np.log(np.median(x[s])) for x in series]) for s in sides)
    outward = float(step_sizes(after - before)[change.inner])
    return outward if change.outward else -outward


def _step_time(plasma: Plasma, sides: tuple[slice, slice], change: _Change, split: int,
               search: int) -> tuple[int, float]:  # fmt: skip
    """Return the record that follows the step, and the time of its half level [ns].

    It is looked for within `search` of record `split`, and between the neighbouring changes.

    The split is where records before it are nearest to the level before and records after it to
    the level after (sum of absolute distances, each at most the whole step).
    """
    series = (
        (plasma.density, plasma.speed) if change.inner
        else (np.log(plasma.density), np.log(plasma.temperature))
    )  # fmt: skip
    time = plasma.time
    reach = [time[split] - search, time[split] + search]
    low, high = np.searchsorted(time, reach)
    part = slice(max(int(low), change.first), min(int(high), change.last))
    risen = np.zeros(part.stop - part.start)
    weights = 0.0
    for x in series:
        level, rise = np.median(x[sides[0]]), np.median(x[sides[1]]) - np.median(x[sides[0]])
        # What steps more counts more: its noise is the smaller part of it.
        weight = abs(rise) / (np.median(np.abs(x[sides[0]] - level)) + abs(rise))
        if rise != 0:
            risen += weight * (x[part] - level) / rise
            weights += weight
    if weights == 0.0 or risen.size < 2:
        return split, float(time[split])
    risen /= weights
    cost_before = np.cumsum(np.minimum(np.abs(risen), 1.0))[:-1]
    cost_after = np.cumsum(np.minimum(np.abs(1.0 - risen), 1.0)[::-1])[::-1][1:]
    k = int(np.argmin(cost_before + cost_after)) + 1
    split = part.start + k
    a, c = risen[k - 1], risen[k]
    share = (0.5 - a) / (c - a) if a < 0.5 < c else 0.5
    return split, float(time[split - 1]) + share * float(time[split] - time[split - 1])


def _uncertainty(plasma: Plasma, crossing: int, sides: tuple[slice, slice], earlier: int,
                 later: int) -> int:  # fmt: skip
    """Return the longer part, before or after, of the rise of probability from 0.2 to 0.8 [ns]."""
    part = slice(sides[0].start, sides[1].stop)
    time, p = plasma.time[part], plasma.probability[part]
    odds = p[:, later] / np.maximum(p[:, later] + p[:, earlier], 1e-30)
    below = time[(odds <= 0.2) & (time <= crossing)]
    above = time[(odds >= 0.8) & (time >= crossing)]
    start = below[-1] if below.size else time[0]
    stop = above[0] if above.size else time[-1]
    longer = max(crossing - int(start), int(stop) - crossing)
    return -(-longer // _GRAIN) * _GRAIN


def _levels(plasma: Plasma, context: _Context,
            sides: tuple[slice, slice]) -> tuple[tuple[str, float | None], ...]:  # fmt: skip
    series = (
        ("density", plasma.density),
        ("speed", plasma.speed),
        ("temperature", plasma.temperature),
        ("magnetic_field", context.magnetic_field),
    )
    return levels_of((name, x, *sides) for name, x in series)


def _vectors(b: xr.Dataset | None, crossing: int) -> tuple[tuple[str, Any], ...]:
    """Return the medians of the components of B just before and after, None without records."""
    spans = (Interval(crossing - _BESIDE, crossing), Interval(crossing, crossing + _BESIDE))
    medians = (_median_vector(b, span) for span in spans)
    found = (None if m is None else [short(float(x)) for x in m] for m in medians)
    return tuple(zip(("field_before", "field_after"), found, strict=True))


def _coplanarity(b: xr.Dataset | None, crossing: int) -> tuple[tuple[str, Any], ...]:
    """Return the normal of a shock by the fields of both sides, and their angle to it."""
    names = ("coplanarity_x", "coplanarity_y", "coplanarity_z", "theta_bn")
    spans = (Interval(crossing - SIDE, crossing - _BESIDE),
             Interval(crossing + _BESIDE, crossing + SIDE))  # fmt: skip
    before, after = (_median_vector(b, span) for span in spans)
    found = None if before is None or after is None else coplanarity(before, after)
    if found is None:
        return tuple((name, None) for name in names)
    numbers = (*found.direction, found.theta_bn)
    return tuple((k, short(float(x))) for k, x in zip(names, numbers, strict=True))


def _median_vector(b: xr.Dataset | None, span: Interval) -> Array | None:
    """Return the median field of a span, None where there are no vectors."""
    if b is None:
        return None
    low, high = np.searchsorted(b["time"].values, span.slice64)
    part = b["vector"].transpose("time", "component").values[low:high, :3].astype(np.float64)
    part = part[np.isfinite(part).all(axis=1)]
    return np.median(part, axis=0) if len(part) else None


def _flags(gaps: float, normal: tuple[tuple[str, Any], ...]) -> list[str]:
    ratio = dict(normal)["normal_ratio"]
    weak = ratio is not None and ratio < _WEAK
    return ["near_gap"] * (gaps > _MANY_GAPS) + ["weak_normal"] * weak


def _normal(b: xr.Dataset | None, span: Interval) -> tuple[tuple[str, Any], ...]:
    names = ("normal_x", "normal_y", "normal_z", "normal_ratio", "normal_frame")
    found = None
    if b is not None:
        low, high = np.searchsorted(b["time"].values, span.padded(_NORMAL_REACH).slice64)
        found = minimum_variance(
            b["vector"].transpose("time", "component").values[low:high, :3].astype(np.float64)
        )
    if b is None or found is None:
        return tuple((n, None) for n in names)
    numbers = [short(float(x)) for x in (*found.direction, found.ratio)]
    return tuple(zip(names, [*numbers, str(b["vector"].attrs.get("frame", ""))], strict=True))


def _gap_fraction(time: Times, crossing: int) -> float:
    low, high = np.searchsorted(time, [crossing - SIDE, crossing + SIDE])
    spacing = np.diff(time[low:high])
    if not spacing.size:
        return 1.0
    return max(0.0, 1.0 - float(high - low) * float(np.median(spacing)) / (2 * SIDE))
