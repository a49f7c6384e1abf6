"""Normal and speed of a plane front from the times at which four spacecraft meet it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Position, TimingAnalysis, VectorSeries
from ..errors import UsageError
from ..granule import duration
from ..kernels.variance import covariances
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .formation import FLAGS as FORMATION_FLAGS
from .formation import Formation, formation, on_one_clock, one_frame
from .stretches import windows

GOOD = 0.8
"""Correlation from which on a delay is believed."""

SIMULTANEOUS = 0.05
"""Part of the sampling below which delays are rounding, and no motion."""

AMBIGUOUS = 0.02
"""How far below its highest value the correlation must fall on both sides of one peak."""

FLAGS = Flags(
    "timing",
    (
        *FORMATION_FLAGS.flags,
        Flag(3, "uncorrelated", f"a correlation below {GOOD:g}"),
        Flag(4, "at_limit", "a delay is the longest that was tried: no result"),
        Flag(5, "too_few", "fewer than 16 samples, unequal sampling or no variance: no result"),
        Flag(6, "simultaneous", f"delays below {SIMULTANEOUS:g} of the sampling: no result"),
        Flag(7, "ambiguous", "other delays correlate as well: a wave train, or a mere slope"),
    ),
    source="recipes.timing",
)
_LEAST = 16


@dataclass(frozen=True, slots=True)
class Front:
    """A plane front: normal (3), speed along it [km/s], delays (4) [s] and correlations (4).

    `ambiguous` tells that other delays correlate as well.
    """

    normal: np.ndarray
    speed: float
    delay: np.ndarray
    correlation: np.ndarray
    ambiguous: bool


def front_of(position: np.ndarray, delay: np.ndarray) -> tuple[np.ndarray, float]:
    """Unit normal (3) and speed [km/s] >= 0 of a plane front.

        D m = delay,  D rows r_a - r_4,  m = n / V

    Parameters
    ----------
    position : ndarray (4, 3)
        [km].
    delay : ndarray (4)
        Time of the front at each spacecraft [s], against any clock.

    Raises
    ------
    UsageError
        When the spacecraft lie in a plane.

    References
    ----------
    Schwartz (1998), ISSI SR-001, section 10.4.3; Harvey (1998), chapter 12.
    """
    d = position[:3] - position[3]
    lengths = np.linalg.norm(d, axis=1)
    if abs(np.linalg.det(d)) < 1e-9 * lengths.max() ** 3:
        raise UsageError("the spacecraft lie in a plane", "timing")
    m = np.linalg.solve(d, np.asarray(delay[:3]) - delay[3])
    slowness = float(np.linalg.norm(m))
    if slowness == 0:
        return np.full(3, np.nan), np.inf
    return m / slowness, 1 / slowness


def delays(values: np.ndarray, seconds: float, longest: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Delays (spacecraft) [s] against the first, by cross-correlation, and the correlations.

    Last comes whether another delay correlates as well: where the correlation is within
    `AMBIGUOUS` of its highest value at a second peak, or as far as the longest delay. Any delay of
    a straight slope does, and that of a wave train by its period.

    Parameters
    ----------
    values : ndarray (spacecraft, sample)
        Evenly sampled.
    seconds : float
        Between samples.
    longest : int
        Samples: the first spacecraft's are taken so far from the ends.

    Returns
    -------
    delay, correlation : ndarray (spacecraft)
        A delay is NaN where the correlation is highest at the longest delay that was tried.
    """
    inner = values[0, longest : values.shape[1] - longest]
    n = inner.size
    a = inner - inner.mean()
    delay, correlation, ambiguous = np.zeros(len(values)), np.ones(len(values)), False
    for s, other in enumerate(values[1:], start=1):
        slides = np.lib.stride_tricks.sliding_window_view(other, n)
        product = slides @ a
        spread = np.sqrt(np.maximum(n * (slides**2).sum(axis=1) - slides.sum(axis=1) ** 2, 0) / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            r = product / (spread * np.sqrt((a**2).sum()))
        r = np.where(np.isfinite(r), r, -1.0)
        top = int(np.argmax(r))
        correlation[s] = r[top]
        if top in (0, r.size - 1):
            delay[s] = np.nan
            continue
        high = np.flatnonzero(r > r[top] - AMBIGUOUS)
        alone = high.size == high[-1] - high[0] + 1 and high[0] > 0 and high[-1] < r.size - 1
        ambiguous |= not alone
        left, middle, right = r[top - 1 : top + 2]
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        delay[s] = (top - longest + shift) * seconds
    return delay, correlation, ambiguous


@recipe(gives=TimingAnalysis, version=2)
def timing(
    b1: Annotated[VectorSeries, Margin("window")],
    b2: Annotated[VectorSeries, Margin("window"), Margin("reach")],
    b3: Annotated[VectorSeries, Margin("window"), Margin("reach")],
    b4: Annotated[VectorSeries, Margin("window"), Margin("reach")],
    r1: Annotated[Position, Margin("window"), Margin("position_reach")],
    r2: Annotated[Position, Margin("window"), Margin("position_reach"), Margin("position_reach")],
    r3: Annotated[Position, Margin("window"), Margin("position_reach"), Margin("position_reach")],
    r4: Annotated[Position, Margin("window"), Margin("position_reach"), Margin("position_reach")],
    *,
    window: str = "20s",
    step: str = "10s",
    longest_delay: str = "4s",
    reach: str = "100ms",
    position_reach: str = "5min",
) -> xr.Dataset:
    """Normal (time, component) and speed (time) [km/s] of the plane front in each window.

        (r_a - r_4) . n/V = t_a - t_4

    The field along its direction of maximum variance (all four together) is correlated between
    the first spacecraft and the others, which gives the times. n points where the front moves;
    speeds are in the frame of the spacecraft.

    Parameters
    ----------
    b1, b2, b3, b4 : VectorSeries
        Magnetic field [nT] in one frame.
    r1, r2, r3, r4 : Position
        Of the same frame and all of one source [km].
    window, step, longest_delay : str
        Length of windows, time between their centres, longest delay that is tried (within the
        window: the first spacecraft is read so far from its ends).
    reach, position_reach : str
        How far apart records may be that are interpolated.

    Returns
    -------
    Dataset
        normal, speed, delay and correlation (time, spacecraft), count of samples, quality (time).

    Raises
    ------
    UsageError
        When the longest delay leaves nothing of the window.
    DataTypeError
        When frames differ.

    References
    ----------
    Schwartz (1998), ISSI SR-001, section 10.4.3; Harvey (1998), chapter 12.
    """
    if 2 * duration(longest_delay) >= duration(window):
        raise UsageError(f"delays of {longest_delay} leave nothing of a window of {window}",
                         "timing", "Take longer windows")  # fmt: skip
    fields, places = (b1, b2, b3, b4), formation((r1, r2, r3, r4), position_reach)
    frame = one_frame([*(b["vector"] for b in fields), r1["position"]])
    time, values = on_one_clock(fields, places, reach)
    found = windows(time, window, step)
    normal, speed = np.full((found.centre.size, 3), np.nan), np.full(found.centre.size, np.nan)
    delay, correlation = (np.full((found.centre.size, 4), np.nan) for _ in range(2))
    quality = np.zeros(found.centre.size, np.uint32)
    count = found.last - found.first
    for w, (first, last) in enumerate(zip(found.first, found.last, strict=True)):
        quality[w] = places.flags_at(time[first:last])[0]
        # Windows that the data do not fill are judged by their own records: no margin shows.
        front = _front(time[first:last], [v[first:last] for v in values], places, longest_delay)
        if front is None:
            quality[w] |= 32
            continue
        normal[w], speed[w], delay[w], correlation[w] = (
            front.normal, front.speed, front.delay, front.correlation,
        )  # fmt: skip
        quality[w] |= (
            (8 if front.correlation.min() < GOOD else 0)
            | (16 if np.isnan(front.delay).any() else 0)
            | (64 if np.isnan(front.speed) and not np.isnan(front.delay).any() else 0)
            | (128 if front.ambiguous else 0)
        )
    t, four = ("time",), ("time", "spacecraft")
    return xr.Dataset(
        {
            "normal": (("time", "component"), normal,
                       {"units": "1", "long_name": "normal of the front", "frame": frame}),
            "speed": (t, speed, {"units": "km s^-1", "long_name": "speed along the normal"}),
            "delay": (four, delay, {"units": "s", "long_name": "delay against spacecraft 1"}),
            "correlation": (four, correlation,
                            {"units": "1", "long_name": "correlation with spacecraft 1"}),
            "count": (t, count, {"units": "1", "long_name": "samples that all four have"}),
            "quality": (t, quality, FLAGS.attrs),
        },
        {"time": found.time, "component": ["x", "y", "z"], "spacecraft": [1, 2, 3, 4]},
        {"window": window},
    )  # fmt: skip


def _front(
    time: np.ndarray, values: list[np.ndarray], places: Formation, longest_delay: str
) -> Front | None:
    """Return the front in some samples; None where they are too few or uneven."""
    if time.size < _LEAST:
        return None
    spacing = np.diff(time)
    middle = float(np.median(spacing))
    longest = round(duration(longest_delay) / middle)
    if spacing.max() > 1.5 * middle or time.size < 2 * longest + _LEAST:
        return None
    all_four = np.ascontiguousarray(np.concatenate(values))
    _, _, covariance = covariances(all_four, np.array([0]), np.array([len(all_four)]))
    w, axes = np.linalg.eigh(covariance[0])
    if not w[2] > 0:
        return None
    along = np.stack([v @ axes[:, 2] for v in values])
    delay, correlation, ambiguous = delays(along, middle * 1e-9, longest)
    if np.isnan(delay).any() or np.abs(delay).max() < SIMULTANEOUS * middle * 1e-9:
        return Front(np.full(3, np.nan), np.nan, delay, correlation, ambiguous)
    centre = (time[0] + time[-1]) // 2
    knot = int(np.argmin(np.abs(places.time - centre)))
    try:
        normal, speed = front_of(places.position[knot], delay)
    except UsageError:
        return None
    return Front(normal, speed, delay, correlation, ambiguous)
