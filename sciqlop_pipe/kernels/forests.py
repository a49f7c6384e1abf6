"""Forests of regression trees, and what intervals of a series hold."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def forest_means(x, roots, feature, threshold, left, right, value):
    """Mean of the leaves that rows end in.

    Parameters
    ----------
    x : ndarray float32 (row, feature)
        Finite.
    roots : ndarray int64 (tree)
        First node of each tree.
    feature : ndarray int64 (node)
        What a node looks at; negative in a leaf.
    threshold : ndarray float64 (node)
        At most this goes left.
    left, right : ndarray int64 (node)
        Next nodes.
    value : ndarray float64 (node)
        What a leaf says.

    Returns
    -------
    mean : ndarray float64 (row)
        In the units of value.
    """
    mean = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] >= 0:
                small = x[i, feature[node]] <= threshold[node]
                node = left[node] if small else right[node]
            total += value[node]
        mean[i] = total / roots.size
    return mean


@njit(nogil=True, cache=True)
def range_moments(x, first, stop):
    """Mean, spread, smallest and largest known value within ranges of records.

    Parameters
    ----------
    x : ndarray float64 (record, column)
        NaN where nothing is known.
    first, stop : ndarray int64 (range)
        Records [first, stop); beyond the ends nothing is known.

    Returns
    -------
    mean, spread, least, most : ndarray float64 (range, column)
        In the units of x; NaN where nothing is known.
    """
    shape = (first.size, x.shape[1])
    mean, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    least, most = np.full(shape, np.nan), np.full(shape, np.nan)
    for r in range(first.size):
        low, high = max(first[r], 0), min(stop[r], x.shape[0])
        for c in range(x.shape[1]):
            count = 0
            total = square = 0.0
            base = np.nan
            for i in range(low, high):
                value = x[i, c]
                if np.isnan(value):
                    continue
                if count == 0:
                    base = least[r, c] = most[r, c] = value
                count += 1
                total += value - base
                square += (value - base) ** 2
                least[r, c] = min(least[r, c], value)
                most[r, c] = max(most[r, c], value)
            if count:
                mean[r, c] = base + total / count
                spread[r, c] = np.sqrt(max(square / count - (total / count) ** 2, 0.0))
    return mean, spread, least, most


@njit(nogil=True, cache=True)
def nearest_squares(x, mean, precision):
    """Squared Mahalanobis distance of rows to the nearest of several clouds.

    Parameters
    ----------
    x : ndarray float64 (row, feature)
        Finite.
    mean : ndarray float64 (cloud, feature)
        Centres.
    precision : ndarray float64 (cloud, feature, feature)
        Inverse covariances, symmetric.

    Returns
    -------
    square : ndarray float64 (row)
        Of the distance [1].
    """
    rows, features = x.shape
    square = np.empty(rows)
    apart = np.empty(features)
    for i in range(rows):
        best = np.inf
        for k in range(mean.shape[0]):
            total = 0.0
            for a in range(features):
                apart[a] = x[i, a] - mean[k, a]
                part = 0.5 * precision[k, a, a] * apart[a]
                for b in range(a):
                    part += precision[k, a, b] * apart[b]
                total += 2.0 * part * apart[a]
            best = min(best, max(total, 0.0))
        square[i] = best
    return square
