"""Records in time as pixels: the cell of each record, where lines break, exact means over pixels.

Numpy only; times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

GAP = 3.0
"""Neighbours farther apart than this many usual steps have a gap between them."""

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixels of a picture: edges in time (columns + 1) [ns] and in ln E (rows + 1), ascending."""

    time: np.ndarray
    level: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return self.level.size - 1, self.time.size - 1


def cells(time: np.ndarray, alone: int) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end (time,) [ns] of the stretch that each record stands for.

    Cells meet halfway between neighbours; beside a gap (more than `GAP` times the median step) a
    cell reaches half a median step and no farther.

    Parameters
    ----------
    time : ndarray of int64 (time,)
        Centres [ns], ascending.
    alone : int
        Width of the cell of a single record [ns].
    """
    if time.size < 2:
        return time - alone // 2, time + alone // 2
    step = np.diff(time)
    usual = np.median(step)
    half = np.where(step <= GAP * usual, step / 2, usual / 2).astype(np.int64)
    edge = np.array([usual / 2], np.int64)
    return time - np.concatenate([edge, half]), time + np.concatenate([half, edge])


def gaps(time: np.ndarray) -> np.ndarray:
    """Positions k at which records k - 1 and k have a gap between them.

    Parameters
    ----------
    time : ndarray of int64 (time,)
        Centres [ns], ascending.
    """
    step = np.diff(time)
    return np.flatnonzero(step > GAP * np.median(step)) + 1 if step.size else step


def broken(time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times [ns] and values with a NaN more in every gap, so that no line crosses it.

    Parameters
    ----------
    time : ndarray of int64 (time,)
        Centres [ns], ascending.
    value : ndarray (time,)
        NaN = no value.
    """
    breaks = gaps(time)
    value = np.insert(value.astype(np.float64), breaks, np.nan)
    return np.insert(time, breaks, time[breaks - 1] + 1), value


def polyline(
    time: np.ndarray, value: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Times [ns] and values of a line to draw, NaN in every gap.

    More than four records per column become the lowest and the highest of each column, in order:
    what a screen of that many columns shows anyway.

    Parameters
    ----------
    time : ndarray of int64 (time,)
        Centres [ns], ascending.
    value : ndarray (time,)
        NaN = no value.
    columns : ndarray of int64 (columns + 1,)
        Edges of the columns [ns].
    """
    at, value = broken(time, value)
    if at.size <= 4 * columns.size:
        return at, value
    column = np.searchsorted(columns, at, "right")
    # A gap separates what is drawn before it from what is drawn after it in the same column.
    column = column + np.cumsum(np.isnan(value) != np.isnan(np.roll(value, 1)))
    first = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    size = np.diff(np.append(first, at.size))
    group = np.repeat(np.arange(first.size), size)
    order = np.lexsort((value, group))
    picked = np.unique(np.concatenate([order[first], order[first + size - 1]]))
    return at[picked], value[picked]


def raster(
    values: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    cell: tuple[np.ndarray, np.ndarray],
    grid: Grid,
) -> np.ndarray:
    """Mean of the measured values over each pixel, (rows, columns); NaN where there is none.

    Each value fills the rectangle of its own record and its own bin in (t, ln E); a pixel is the
    mean over the part of it that is filled, weighted by area. So records with different tables
    share one picture, every energy at its place, and zero is not the same as nothing.

    Parameters
    ----------
    values : ndarray (time, bin)
        NaN = not measured.
    lower, upper : ndarray (time or 1, bin)
        Edges of the bins in ln E; NaN = the bin is not used.
    cell : pair of ndarray of int64 (time,)
        Begin and end of each record [ns], not overlapping.
    grid : Grid
        The pixels.
    """
    total, area = np.zeros(grid.shape), np.zeros(grid.shape)
    count, bins = values.shape
    both = np.concatenate([lower, upper], -1)
    # NaN differs from itself: every table with an unused bin would be one of its own.
    both = np.where(np.isnan(both), np.inf, both)
    tables, kind = np.unique(both, axis=0, return_inverse=True)
    kind = np.broadcast_to(kind.ravel(), count)
    for record, column, weight in _shares(*cell, grid.time):
        seen = values[record]
        there = np.isfinite(seen)
        filled = weight[:, None] * there
        sums = weight[:, None] * np.where(there, seen, 0.0)
        for k in np.unique(kind[record]):
            mine = kind[record] == k
            where, first = np.unique(column[mine], return_index=True)
            overlap = _overlap(tables[k, :bins], tables[k, bins:], grid.level)
            total[:, where] += (np.add.reduceat(sums[mine], first) @ overlap).T
            area[:, where] += (np.add.reduceat(filled[mine], first) @ overlap).T
    return np.divide(total, area, out=np.full(grid.shape, np.nan), where=area > 0)


def _shares(
    begin: np.ndarray, end: np.ndarray, edges: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield records, the columns they touch and for how long [ns], in blocks, ordered by time."""
    last_column = edges.size - 2
    first = np.searchsorted(edges, begin, "right") - 1
    last = np.searchsorted(edges, end, "left") - 1
    seen = (last >= 0) & (first <= last_column)
    first, last = np.clip(first, 0, last_column), np.clip(last, 0, last_column)
    inside = np.flatnonzero(seen)
    for some in np.split(inside, range(_BLOCK, inside.size, _BLOCK)):
        if not some.size:
            continue
        touched = last[some] - first[some] + 1
        record = np.repeat(some, touched)
        ahead = np.arange(record.size) - np.repeat(np.cumsum(touched) - touched, touched)
        column = first[record] + ahead
        shared = np.minimum(end[record], edges[column + 1]) - np.maximum(
            begin[record], edges[column]
        )
        yield record, column, shared.astype(np.float64)


def _overlap(lower: np.ndarray, upper: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Extent that bins and rows share, (bin, row); none where an edge is infinite."""
    shared = np.minimum(upper[:, None], edges[1:]) - np.maximum(lower[:, None], edges[:-1])
    return np.where(shared > 0, shared, 0.0)
