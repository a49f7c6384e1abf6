"""What detectors by rule say of an event: score, medians, jumps, and the attributes all have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..catalog import event_id
from ..granule import SECOND, Interval, iso
from ..recipe import Recipe
from ..store.records import Event
from .series import Array, Field, Ions, Times, within

GRAIN = SECOND // 10
"""Times of events are multiples of it."""


def score(*margins: float) -> float:
    """Return how far the weakest criterion is beyond its threshold, 0.5 at it, below 1.

    Each margin is a number over its threshold. The score is 1 - 2^-m of the smallest: 0.75 at
    twice the threshold, 0.94 at four times. It orders events of one detector; it is no
    probability, and not calibrated.
    """
    least = min(margins)
    return short(1.0 - 0.5 ** max(least, 0.0))


def short(value: float) -> float:
    """Return a number with six digits: more say nothing, and differ between processors."""
    return float(f"{value:.6g}")


def median(values: Array) -> float | None:
    """Return the median of what is finite, None where nothing is."""
    known = values[np.isfinite(values)]
    return short(float(np.median(known))) if known.size else None


def levels(
    columns: Iterable[tuple[str, Array, slice, slice]],
) -> tuple[tuple[str, float | None], ...]:
    """Return NAME_before, NAME_after and NAME_jump of some series: medians and their difference.

    Parameters
    ----------
    columns : iterable of (name, values, before, after)
        Each series with the records of both sides.
    """
    found: list[tuple[str, float | None]] = []
    for name, x, before, after in columns:
        a, b = median(x[before]), median(x[after])
        jump = None if a is None or b is None else short(b - a)
        found += [(f"{name}_before", a), (f"{name}_after", b), (f"{name}_jump", jump)]
    return tuple(found)


def sides(
    ions: Ions | None, field: Field | None, before: Interval, after: Interval
) -> tuple[tuple[str, float | None], ...]:
    """Return density, speed, temperature and |B| on both sides of an event: see `levels`.

    Parameters
    ----------
    ions : Ions, optional
        Their numbers are None without.
    field : Field, optional
        Likewise.
    before, after : Interval
        The two stretches.
    """
    none, nowhere = np.zeros(0), slice(0, 0)

    def of(name: str, time: Times | None, x: Array) -> tuple[str, Array, slice, slice]:
        if time is None:
            return name, none, nowhere, nowhere
        return name, x, within(time, before), within(time, after)

    plasma = None if ions is None else ions.time
    magnetic = None if field is None else field.time
    return levels(
        (
            of("density", plasma, none if ions is None else ions.density),
            of("speed", plasma, none if ions is None else ions.speed),
            of("temperature", plasma, none if ions is None else ions.temperature),
            of("magnetic_field", magnetic, none if field is None else field.strength),
        )
    )


def inside(
    ions: Ions | None, field: Field | None, span: Interval
) -> tuple[tuple[str, float | None], ...]:
    """Return the medians of density, speed, temperature and |B| during an event."""
    numbers: list[tuple[str, float | None]] = []
    for name in ("density", "speed", "temperature"):
        x = None if ions is None else getattr(ions, name)[within(ions.time, span)]
        numbers.append((name, None if x is None else median(x)))
    x = None if field is None else field.strength[within(field.time, span)]
    numbers.append(("magnetic_field", None if x is None else median(x)))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Detection:
    """An event before it has a name: when, how sure, and what describes it.

    `time` and `uncertainty` [ns]; `score` as of `score`; `flags` are words that warn;
    `probability` where the detector has a calibrated one.
    """

    kind: str
    start: int
    stop: int
    time: int
    uncertainty: int
    score: float
    numbers: tuple[tuple[str, Any], ...] = ()
    flags: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    probability: float | None = None


def events(
    found: Iterable[Detection], recipe: Recipe, dataset: str, interval: Interval, model: str = ""
) -> tuple[Event, ...]:
    """Return the events that begin in an interval, in time order, with the attributes all have.

    These are `time` (UTC), `uncertainty` [s], `probability` where there is one, `score`, then what
    the detector says, then `flags` and `absent` (words, joined by a comma), `detector` (name and
    version) and `model` (of rules there is none).

    Parameters
    ----------
    found : iterable of Detection
        In any order; those outside of the interval are left out.
    recipe : Recipe
        The detector.
    dataset : str
        Enters the ids.
    interval : Interval
        The granule.
    model : str
        Hash of the trained model, of detectors that learned; enters the ids.
    """
    made = []
    for d in found:
        start, stop = d.start // GRAIN * GRAIN, -(-d.stop // GRAIN) * GRAIN
        if not interval.start <= start < interval.stop:
            continue
        attributes: tuple[tuple[str, Any], ...] = (
            ("time", iso(round(d.time / GRAIN) * GRAIN)),
            ("uncertainty", short(-(-d.uncertainty // GRAIN) * GRAIN / SECOND)),
            *((("probability", d.probability),) if d.probability is not None else ()),
            ("score", d.score),
            *d.numbers,
            ("flags", ", ".join(d.flags)),
            ("absent", ", ".join(d.absent)),
            ("detector", f"{recipe.name}@{recipe.version}"),
            ("model", model),
        )
        name = event_id(dataset, d.kind, start, stop, model)
        made.append(Event(name, d.kind, start, stop, attributes))
    return tuple(sorted(made, key=lambda e: (e.start, e.kind, e.id)))


def vector_numbers(
    name: str, vector: Sequence[float] | Array, frame: str
) -> tuple[tuple[str, Any], ...]:
    """Return NAME_x, _y, _z and NAME_frame; numbers that are not finite are None."""
    parts = [short(float(x)) if np.isfinite(x) else None for x in vector]
    known = frame if all(p is not None for p in parts) else None
    return (*zip((f"{name}_x", f"{name}_y", f"{name}_z"), parts, strict=True),
            (f"{name}_frame", known))  # fmt: skip


def finite(numbers: Mapping[str, float]) -> tuple[tuple[str, float | None], ...]:
    """Return numbers as attributes, None where they are not finite."""
    return tuple((k, short(float(v)) if np.isfinite(v) else None) for k, v in numbers.items())
