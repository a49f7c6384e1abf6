"""Means and medians over stretches of time. Every number depends on its own records only.

Sums run record by record, so that the last bit of a result does not depend on what else is in the
array: how a series is cut into pieces must not show.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def group_means(x, first):
    """Mean over groups of consecutive records; NaN where one of them is NaN.

    Parameters
    ----------
    x : ndarray float64 (record, column)
        Values.
    first : ndarray int64 (group)
        First record of each group; the last group reaches to the end.

    Returns
    -------
    mean : ndarray float64 (group, column)
        In the units of x.
    """
    groups, columns = first.size, x.shape[1]
    mean = np.empty((groups, columns))
    for g in range(groups):
        stop = first[g + 1] if g + 1 < groups else x.shape[0]
        for c in range(columns):
            total = 0.0
            for i in range(first[g], stop):
                total += x[i, c]
            mean[g, c] = total / (stop - first[g])
    return mean


@njit(nogil=True, cache=True)
def means_around(time, x, centre, half):
    """Mean of the finite values within `half` of each centre, [centre - half, centre + half).

    Parameters
    ----------
    time : ndarray int64 (record)
        Ascending [ns].
    x : ndarray float64 (record)
        Values.
    centre : ndarray int64 (centre)
        Ascending [ns].
    half : int
        [ns].

    Returns
    -------
    mean : ndarray float64 (centre)
        NaN where there is no value.
    """
    mean = np.full(centre.size, np.nan)
    low = 0
    for c in range(centre.size):
        while low < time.size and time[low] < centre[c] - half:
            low += 1
        total, count = 0.0, 0
        i = low
        while i < time.size and time[i] < centre[c] + half:
            if np.isfinite(x[i]):
                total += x[i]
                count += 1
            i += 1
        if count:
            mean[c] = total / count
    return mean


@njit(nogil=True, cache=True)
def medians_beside(time, x, reach, least):
    """Medians of the records just before and just after the space between two neighbours.

    Parameters
    ----------
    time : ndarray int64 (record)
        Ascending [ns], without gaps.
    x : ndarray float64 (record, column)
        Finite values.
    reach : int
        How far each side extends from the middle of the space [ns].
    least : int
        Records a side must have.

    Returns
    -------
    before, after : ndarray float64 (record - 1, column)
        In the units of x, NaN where a side has too few records.
    """
    spaces, columns = max(time.size - 1, 0), x.shape[1]
    before = np.full((spaces, columns), np.nan)
    after = np.full((spaces, columns), np.nan)
    low, high = 0, 0
    for i in range(spaces):
        middle = time[i] + (time[i + 1] - time[i]) // 2
        while time[low] < middle - reach:
            low += 1
        while high < time.size and time[high] < middle + reach:
            high += 1
        if i + 1 - low < least or high - i - 1 < least:
            continue
        for c in range(columns):
            before[i, c] = np.median(x[low : i + 1, c])
            after[i, c] = np.median(x[i + 1 : high, c])
    return before, after


@njit(nogil=True, cache=True)
def medians_between(time, x, centre, start, stop, least):
    """Medians of the finite values in [centre + start, centre + stop), and their scatter.

    Parameters
    ----------
    time : ndarray int64 (record)
        Ascending [ns].
    x : ndarray float64 (record, column)
        Values.
    centre : ndarray int64 (centre)
        Ascending [ns].
    start, stop : int
        Where the window lies from its centre [ns].
    least : int
        Finite values a column must have.

    Returns
    -------
    median, scatter : ndarray float64 (centre, column)
        In the units of x; the scatter is 1.4826 times the median distance from the median (the
        standard deviation, where values are normal). NaN where there are too few values.
    """
    columns = x.shape[1]
    median = np.full((centre.size, columns), np.nan)
    scatter = np.full((centre.size, columns), np.nan)
    low, high = 0, 0
    for k in range(centre.size):
        while low < time.size and time[low] < centre[k] + start:
            low += 1
        high = max(high, low)
        while high < time.size and time[high] < centre[k] + stop:
            high += 1
        for c in range(columns):
            part = x[low:high, c]
            part = part[np.isfinite(part)]
            if part.size >= least:
                m = np.median(part)
                median[k, c] = m
                scatter[k, c] = 1.4826 * np.median(np.abs(part - m))
    return median, scatter


@njit(nogil=True, cache=True)
def moments_between(x, low, high, least):
    """Mean and spread of the known values of records i + low to i + high, for every i.

    Parameters
    ----------
    x : ndarray float64 (record, column)
        Evenly spaced; NaN where nothing is known.
    low, high : int
        First and last record, counted from each; beyond the ends nothing is known.
    least : int
        Fewer known values make no number.

    Returns
    -------
    mean, spread : ndarray float64 (record, column)
        In the units of x; spread is the standard deviation.
    """
    records, columns = x.shape
    mean = np.full((records, columns), np.nan)
    spread = np.full((records, columns), np.nan)
    for i in range(records):
        first, stop = max(i + low, 0), min(i + high + 1, records)
        for c in range(columns):
            count = 0
            total = square = 0.0
            base = np.nan
            for k in range(first, stop):
                value = x[k, c]
                if np.isnan(value):
                    continue
                if np.isnan(base):
                    base = value  # keeps the sum of squares from cancelling
                count += 1
                total += value - base
                square += (value - base) ** 2
            if count >= least:
                mean[i, c] = base + total / count
                spread[i, c] = np.sqrt(max(square / count - (total / count) ** 2, 0.0))
    return mean, spread
