"""Events: plasma that is unlike what surrounds it, whatever it may be."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ..datatypes import Events, PlasmaState
from ..errors import UsageError
from ..granule import HOUR, MINUTE, Interval, duration
from ..kernels.windows import medians_between
from ..model import Margin, recipe
from ..store.records import Event
from .describing import Detection, events, finite, inside, score, sides
from .series import edges_of, gap_fraction, ions_of, require_cadence, stretches

NAMES = ("log_density", "log_temperature", "log_speed", "log_field")

_STEP = MINUTE
_GAP = 2 * MINUTE
_FLOOR = 0.03  # least scatter of a logarithm to the base 10: a constant channel is no measure
_LEAST = 30


@recipe(gives=Events, version=1, gaps_ok=True)
def unusual_plasma(
    state: Annotated[PlasmaState, Margin("4h")],
    *,
    dataset: str,
    interval: Interval,
    threshold: float = 6.0,
    average: str = "6h",
    shortest: str = "1min",
) -> tuple[Event, ...]:
    """Stretches of plasma unlike that of the hours around it, for people to look at.

    For log10 of n, T, |V| and, where known, |B|: the distance from the median over `average`, in
    units of the scatter there (1.4826 times the median distance from the median, at least 0.03).
    A stretch counts where the root mean square of these distances exceeds `threshold` for
    `shortest` or longer. It knows nothing of what is usual elsewhere: crossing a boundary is
    unusual, a whole day of strange plasma is not.

    Attributes: distance (the largest), unusual (which quantity is farthest), and density, speed,
    temperature, magnetic_field before, after (10 min each), jump and during.

    Parameters
    ----------
    state : PlasmaState
        A record in 2 min or faster.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    threshold : float
        [1] (ours).
    average, shortest : str
        `average` at most 7 h.

    Raises
    ------
    UsageError
        When records are slower, or the average is longer.

    References
    ----------
    Hampel (1974), J. Am. Stat. Assoc. 69, 383, doi:10.1080/01621459.1974.10482962.
    """
    length = duration(average)
    if length > 7 * HOUR:
        raise UsageError(f"average={average} is above 7h", "unusual_plasma")
    ions = ions_of(state)
    require_cadence(ions.time, "2min", "the plasma", "unusual_plasma")
    if not ions.time.size:
        return ()
    logs = [np.log10(ions.density), np.log10(ions.temperature), np.log10(np.maximum(ions.speed, 1))]
    known = np.full(ions.time.size, np.nan)
    if "magnetic_field" in state:
        at = np.searchsorted(state["time"].values.astype(np.int64), ions.time)
        b = state["magnetic_field"].values[at].astype(np.float64)
        known = np.log10(np.where(b > 0, b, np.nan))
    columns = np.column_stack((*logs, known))
    clock = np.arange(ions.time[0] // _STEP, ions.time[-1] // _STEP + 1) * _STEP
    median, scatter = medians_between(ions.time, columns, clock, -length // 2, length // 2, _LEAST)
    row = ions.time // _STEP - clock[0] // _STEP
    with np.errstate(invalid="ignore"):
        z = (columns - median[row]) / np.maximum(scatter[row], _FLOOR)
    count = np.isfinite(z).sum(axis=1)
    distance = np.sqrt(np.nansum(z**2, axis=1) / np.maximum(count, 1))
    found = []
    for run in stretches(distance > threshold, ions.time, _GAP):
        start, stop, edge = edges_of(ions.time, run, _GAP)
        if stop - start < duration(shortest):
            continue
        top = run.start + int(np.argmax(distance[run]))
        farthest = NAMES[int(np.nanargmax(np.abs(z[top])))]
        span = Interval(start, stop)
        gaps = gap_fraction(ions.time, span.padded(10 * MINUTE))
        found.append(
            Detection(
                "unusual_plasma", start, stop, int(ions.time[top]), edge,
                score(float(distance[top]) / threshold),
                (
                    *finite({"distance": float(distance[top])}),
                    ("unusual", farthest),
                    *inside(ions, None, span),
                    *sides(ions, None, Interval(start - 10 * MINUTE, start),
                           Interval(stop, stop + 10 * MINUTE)),
                ),
                ("near_gap",) if gaps > 0.2 else (),
                () if np.isfinite(known).any() else ("magnetic_field",),
            )
        )  # fmt: skip
    return events(found, unusual_plasma, dataset, interval)
