"""Events of the foreshock: short large-amplitude magnetic structures (SLAMS)."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ..datatypes import Events, Labels, VectorSeries
from ..errors import UsageError
from ..granule import MINUTE, SECOND, Interval, duration
from ..kernels.windows import medians_between
from ..model import Margin, Without, recipe
from ..store.records import Event
from .describing import Detection, events, finite, score, sides, vector_numbers
from .normals import minimum_variance
from .series import (
    edges_of,
    field_of,
    label_probability,
    nearest,
    require_cadence,
    stretches,
    within,
)

_STEP = SECOND


@recipe(gives=Events, version=1, gaps_ok=True)
def slams(
    b: Annotated[VectorSeries, Margin("10min")],
    labels: Annotated[
        Labels | None, Margin("10min"), Without("boundaries and the magnetosheath are not left out")
    ] = None,
    *,
    dataset: str,
    interval: Interval,
    factor: float = 2.0,
    average: str = "1min",
    shortest: str = "2s",
    longest: str = "30s",
) -> tuple[Event, ...]:
    """Short large-amplitude magnetic structures of the foreshock, in time order.

    A stretch of `shortest` to `longest` in which |B| is above `factor` times its running median
    over `average`; stretches less than 1 s apart are one. With labels, the stretch must be solar
    wind (which includes the foreshock), as must most of the minute before and after.

    Attributes: amplitude [1], the largest ratio; field_max [nT]; duration [s]; `normal` by minimum
    variance and its ratio; magnetic_field before, after (30 s each) and jump.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field [nT], a record a second or faster.
    labels : Labels, optional
        Of regions.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    factor : float
        [1]: an amplitude above the field around it (Schwartz et al.: above 2, unconfirmed).
    average : str
        At most 5 min (unconfirmed).
    shortest, longest : str
        Of an event (ours).

    Raises
    ------
    UsageError
        When records are slower than one a second, or the average is longer.

    References
    ----------
    Schwartz et al. (1992), J. Geophys. Res. 97, 4209, doi:10.1029/91JA02581.
    """
    if duration(average) > 5 * MINUTE:
        raise UsageError(f"average={average} is above 5min", "slams")
    field = field_of(b)
    require_cadence(field.time, "1s", "the field", "slams")
    if not field.time.size:
        return ()
    first, last = int(field.time[0]) // _STEP, int(field.time[-1]) // _STEP + 1
    clock = np.arange(first, last + 1, dtype=np.int64) * _STEP
    half = duration(average) // 2
    median, _ = medians_between(field.time, field.strength[:, None], clock, -half, half, 10)
    with np.errstate(invalid="ignore"):
        ratio = field.strength / median[nearest(clock, field.time), 0]
        high = np.nan_to_num(ratio) > factor
    wind = None if labels is None else label_probability(labels, field.time, "solar_wind") > 0
    found = []
    for run in _near_ones(stretches(high, field.time, _STEP), field.time):
        start, stop, edge = edges_of(field.time, run, _STEP)
        if not duration(shortest) <= stop - start <= duration(longest):
            continue
        around = within(field.time, Interval(start - MINUTE, stop + MINUTE))
        if wind is not None and not (wind[run].mean() > 0.5 and wind[around].mean() > 0.5):
            continue
        top = run.start + int(np.argmax(ratio[run]))
        normal = minimum_variance(field.vector[run])
        numbers = {"amplitude": float(ratio[top]), "field_max": float(field.strength[top]),
                   "duration": (stop - start) / SECOND}  # fmt: skip
        direction = np.full(3, np.nan) if normal is None else normal.direction
        beside = 30 * SECOND
        found.append(
            Detection(
                "slams", start, stop, int(field.time[top]), edge, score(float(ratio[top]) / factor),
                (
                    *finite(numbers),
                    *vector_numbers("normal", direction, field.frame),
                    *finite({"normal_ratio": np.nan if normal is None else normal.ratio}),
                    *sides(None, field, Interval(start - beside, start),
                           Interval(stop, stop + beside))[-3:],
                ),
                (),
                () if labels is not None else ("labels",),
            )
        )  # fmt: skip
    return events(found, slams, dataset, interval)


def _near_ones(runs: list[slice], time: np.ndarray) -> list[slice]:
    """Return runs, those less than a second apart as one."""
    merged: list[slice] = []
    for run in runs:
        if merged and time[run.start] - time[merged[-1].stop - 1] <= _STEP:
            merged[-1] = slice(merged[-1].start, run.stop)
        else:
            merged.append(run)
    return merged
