"""Hours of the solar wind with what is known of them: events, quiet, corrections by verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...granule import Interval, iso
from .. import hourly
from ..evaluation.events import by_year
from ..evaluation.matching import Mark
from ..evaluation.stored import common
from .verdicts import Said, taught

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FEWEST = 3  # events a year must have to be left out


@dataclass(frozen=True, slots=True)
class Labelled:
    """Hours with what is known of them.

    Parameters
    ----------
    hours : Hours
        Without holes in time.
    matrix : ndarray (hour, feature)
        Their features.
    inside : ndarray of bool (hour)
        Whether an event is there.
    known : ndarray of bool (hour)
        Whether that is known: labelled, and no sheath.
    group : ndarray of int (hour)
        The year.
    marks : tuple of Mark
        The events of the lists: what is scored.
    taught : tuple of Mark
        The same as corrected by verdicts: what is learned.
    weight : ndarray (hour)
        How much each counts in training.
    spans : tuple of Interval
        Where labels are complete and data are.
    truth, scored : ndarray of bool (hour)
        `inside` and `known` by the lists alone: what is scored.
    """

    hours: hourly.Hours
    matrix: Array
    inside: NDArray[np.bool_]
    known: NDArray[np.bool_]
    group: Numbers
    marks: tuple[Mark, ...]
    taught: tuple[Mark, ...]
    weight: Array
    spans: tuple[Interval, ...]
    truth: NDArray[np.bool_]
    scored: NDArray[np.bool_]

    @property
    def groups(self) -> tuple[int, ...]:
        """Return the years that have enough events to be left out in turn."""
        years = [int(by_year(m)) for m in self.marks]
        return tuple(sorted(y for y in set(years) if years.count(y) >= _FEWEST))


def labelled(
    series: hourly.Hours,
    marks: Sequence[Mark],
    sheaths: Sequence[Interval],
    spans: Sequence[Interval],
    said: Sequence[Said] = (),
) -> Labelled:
    """Return hours with their labels.

    Parameters
    ----------
    series : Hours
        All of them.
    marks : sequence of Mark
        True events.
    sheaths : sequence of Interval
        Neither event nor quiet.
    spans : sequence of Interval
        Where the lists are complete.
    said : sequence of Said
        What people said of events: learned from, never scored against.

    Raises
    ------
    UsageError
        When no event lies within the data.
    """
    if not len(series):
        raise UsageError("there are no hours", "icme", "Give --input with hourly data")
    half = (series.time[1] - series.time[0]) // 2 if len(series) > 1 else 0
    there = common([Interval(int(series.time[0]) - half, int(series.time[-1]) + half)], spans)
    here = tuple(m for m in marks if any(s.start < m.stop and m.start < s.stop for s in there))
    if not here:
        raise UsageError(
            "no event of the lists lies within the data", "icme",
            f"The data are from {iso(int(series.time[0]))} to {iso(int(series.time[-1]))}",
        )  # fmt: skip

    def within(intervals: Sequence[Mark] | Sequence[Interval]) -> NDArray[np.bool_]:
        flags = np.zeros(len(series), bool)
        for s in intervals:
            low, high = np.searchsorted(series.time, [s.start, s.stop])
            flags[low:high] = True
        return flags

    matrix = hourly.hourly_matrix(series)
    constant = _constant(matrix[within(there)])
    if constant:
        raise UsageError(f"'{constant}' has one value in all hours: a constant is no measurement",
                         "icme", "Check the input for fills")  # fmt: skip
    lessons = taught(here, said)
    inside, truth = within(lessons), within(here)
    weight = np.ones(len(series))
    for s in said:
        weight[within([Interval(s.start, s.stop)])] = s.weight
    judged = within([Interval(s.start, s.stop) for s in said])
    listed, before = within(there), within(list(sheaths))
    years = series.time.astype("M8[ns]").astype("M8[Y]").astype(np.int64) + 1970
    return Labelled(
        series, matrix, inside, judged | listed & ~(before & ~inside), years, here, lessons,
        weight, tuple(there), truth, listed & ~(before & ~truth),
    )  # fmt: skip


def years_of(data: Labelled) -> tuple[int, ...]:
    """Return the years that are left out in turn.

    Parameters
    ----------
    data : Labelled
        Hours of several years.

    Raises
    ------
    UsageError
        When there are fewer than three.
    """
    if len(data.groups) < 3:
        raise UsageError(
            f"{len(data.groups)} years have {_FEWEST} events or more, at least 3 are needed to "
            "choose and to judge", "icme", "Add --input and --labels of more years",
        )  # fmt: skip
    return data.groups


def blinded(data: Labelled) -> Labelled:
    """Return the same hours as if only |B|, n and the speed had been measured.

    Parameters
    ----------
    data : Labelled
        With everything.
    """
    h = data.hours
    nothing = np.full(len(h), np.nan)
    velocity = np.zeros((len(h), 3))
    velocity[:, 0] = -np.sqrt((h.velocity**2).sum(axis=1))
    blind = hourly.Hours(h.time, np.full((len(h), 3), np.nan), h.strength, nothing, h.density,
                         nothing, velocity, nothing)  # fmt: skip
    return replace(data, hours=blind, matrix=hourly.hourly_matrix(blind))


def _constant(x: Array) -> str:
    """Return the name of a quantity that never changes, "" when all do."""
    for k, name in enumerate(hourly.BASE):
        if name.startswith("flow_"):  # zero where only a speed is known
            continue
        known = x[:, k][np.isfinite(x[:, k])]
        if known.size > 10 and known.min() == known.max():
            return name
    return ""
