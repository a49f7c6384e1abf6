"""Events: flux ropes and flux transfer events, from the field of one spacecraft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..datatypes import Events, Moments, VectorSeries
from ..granule import SECOND, Interval
from ..kernels.windows import medians_between
from ..model import Margin, Without, recipe
from ..recipes.minimum_variance import variance_of
from ..store.records import Event
from .describing import Detection, events, finite, inside, score, sides, vector_numbers
from .series import Array, Field, Times, best_of, field_of, ions_of, require_cadence, within

WIDTHS = (5, 10, 20, 40, 80, 160)
"""Half widths of ropes that are looked for [s]."""

_LEAST = 4
_PER_WIDTH = 8  # times that are looked at in a half width


@recipe(gives=Events, version=2, gaps_ok=True)
def flux_ropes(
    b: Annotated[VectorSeries, Margin("30min")],
    moments: Annotated[
        Moments | None, Margin("30min"), Without("no size, and no plasma in and around a rope")
    ] = None,
    *,
    dataset: str,
    interval: Interval,
    core: float = 1.1,
    bipolar: float = 0.35,
    ratio: float = 2.5,
) -> tuple[Event, ...]:
    """Flux ropes and flux transfer events: a bipolar field around a strong core, in time order.

    A stretch of half width w (5 s to 160 s) is one when

    - |B| in its middle third is `core` times that of the stretches of w/2 beside it, on both
      sides;
    - by minimum variance of the stretch, one of the two components that vary is bipolar: its
      medians of both outer thirds lie on both sides of that in the middle and differ by `bipolar`
      times the core's |B| at least;
    - largest and intermediate variance are above `ratio` times the smallest one together: it is a
      plane rotation, not noise.

    The core field is along the other one: a strong core may vary more than what turns. Of
    candidates that overlap the one with the highest score counts. No model is fitted: a current
    sheet in a compression can pass.

    Attributes: core_ratio, bipolar [1] (peak to peak over |B| of the core), core_field [nT],
    `axis` (of the core) and the ratio of intermediate to smallest variance, duration [s], size
    [km] (duration times flow speed), and medians before, after, inside. `absent`: moments.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT], a record in 4 s or faster.
    moments : Moments, optional
        Density, velocity, temperature.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    core, bipolar, ratio : float
        [1] (ours; the latter two chosen on half of 55 windows of Cluster, checked on the other).

    Raises
    ------
    UsageError
        When records are slower than one in 4 s.

    References
    ----------
    Russell and Elphic (1978), Space Sci. Rev. 22, 681, doi:10.1007/BF00212619: the signature;
    Elphic (1995), Geophys. Monogr. 90, 225, doi:10.1029/GM090p0225: axes of variance.
    """
    field = field_of(b)
    require_cadence(field.time, "4s", "the field", "flux_ropes")
    ions = None if moments is None else ions_of(moments)
    span = interval.padded(2 * WIDTHS[-1] * SECOND)
    found: list[_Rope] = []
    for width in WIDTHS:
        found += _of_width(field, span, width * SECOND, core, bipolar, ratio)
    found.sort(key=lambda r: (r.time, r.half))
    made = []
    for k in _without_overlap(found):
        r = found[k]
        start, stop = r.time - r.half, r.time + r.half
        inner = Interval(start, stop)
        duration = 2 * r.half / SECOND
        speed = float("nan")
        if ions is not None and len(part := ions.speed[within(ions.time, inner)]):
            speed = float(np.median(part))
        numbers = {"core_ratio": r.core, "bipolar": r.bipolar, "core_field": r.field,
                   "axis_ratio": r.ratio, "duration": duration,
                   "size": duration * speed}  # fmt: skip
        made.append(
            Detection(
                "flux_rope", start, stop, r.time, r.half // 3, score(*r.margins),
                (
                    *finite(numbers),
                    *vector_numbers("axis", r.axis, field.frame),
                    *inside(ions, field, inner),
                    *sides(ions, field, Interval(start - r.half, start),
                           Interval(stop, stop + r.half)),
                ),
                (),
                ("moments",) if ions is None else (),
            )
        )  # fmt: skip
    return events(made, flux_ropes, dataset, interval)


@dataclass(frozen=True, slots=True)
class _Rope:
    time: int
    half: int
    core: float
    bipolar: float
    field: float
    axis: Array
    ratio: float
    margins: tuple[float, ...]


def _of_width(
    field: Field, span: Interval, half: int, core: float, bipolar: float, ratio: float
) -> list[_Rope]:
    if field.time.size < 4 * _LEAST:
        return []
    step = half // _PER_WIDTH
    first, last = max(span.start, int(field.time[0])), min(span.stop, int(field.time[-1]))
    centre: Times = np.arange(first // step, last // step + 1, dtype=np.int64) * step
    strength = field.strength[:, None]
    middle, _ = medians_between(field.time, strength, centre, -half // 3, half // 3, _LEAST)
    beside = [
        medians_between(field.time, strength, centre, a, z, _LEAST)[0][:, 0]
        for a, z in ((-3 * half // 2, -half), (half, 3 * half // 2))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        above = middle[:, 0] / np.maximum(*beside)
    at = np.flatnonzero(above >= core)
    found = []
    for k in best_of(centre[at], above[at], half):
        rope = _rope(field, int(centre[at[k]]), half, float(above[at[k]]), core, bipolar, ratio)
        if rope is not None:
            found.append(rope)
    return found


def _rope(
    field: Field, time: int, half: int, above: float, core: float, bipolar: float, ratio: float
) -> _Rope | None:
    part = within(field.time, Interval(time - half, time + half))
    v, when = field.vector[part], (field.time[part] - time) / half
    if len(v) < 4 * _LEAST or when[0] > -0.8 or when[-1] < 0.8:
        return None
    variance = variance_of(v)
    strength = float(np.median(np.linalg.norm(v[np.abs(when) < 1 / 3], axis=1)))
    # A strong core varies more than what turns: the bipolar component is then the second one.
    turns = [_bipolar(v @ variance.axes[k], when, strength) for k in (0, 1)]
    across = int(np.argmax(turns))
    change = turns[across]
    spread = float(variance.eigenvalues[1] / max(variance.eigenvalues[2], 1e-12))
    if not (change >= bipolar and spread >= ratio):
        return None
    margins = ((above - 1) / (core - 1), change / bipolar, spread / ratio)
    return _Rope(time, half, above, change, strength, variance.axes[1 - across], spread, margins)


def _bipolar(along: Array, when: Array, strength: float) -> float:
    """Return how far a component goes from one side to the other over |B|; 0 where it peaks."""
    parts = [along[when < -0.3], along[np.abs(when) < 0.2], along[when > 0.3]]
    if min(len(parts[0]), len(parts[2])) < _LEAST or not len(parts[1]):
        return 0.0
    left, middle, right = (float(np.median(p)) for p in parts)
    between = (middle - left) / (right - left) if right != left else np.nan
    return abs(right - left) / strength if 0.15 < between < 0.85 else 0.0


def _without_overlap(found: list[_Rope]) -> list[int]:
    """Return those that no better one within its own or their half width outdoes."""
    kept = []
    times = np.array([r.time for r in found], np.int64)
    reach = WIDTHS[-1] * SECOND
    for k, r in enumerate(found):
        low, high = np.searchsorted(times, [r.time - reach, r.time + reach + 1])
        own = (score(*r.margins), r.half)
        if all(
            (score(*o.margins), o.half) <= own
            for o in found[low:high]
            if o is not r and abs(o.time - r.time) < max(o.half, r.half)
        ):
            kept.append(k)
    return kept
