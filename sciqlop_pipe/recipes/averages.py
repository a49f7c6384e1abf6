"""Averages over time of distributions that lie on a grid of velocity."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Cartesian, Reduced1D, Reduced2D, Slices
from ..granule import duration
from ..model import Margin, recipe


@recipe(gives=Reduced1D, version=1)
def mean_reduced_1d(
    series: Annotated[Reduced1D, Margin("window")], *, window: str = "10s"
) -> xr.Dataset:
    """Mean of F over windows of time (time, v) [s m^-4], with the count of distributions.

    Parameters
    ----------
    series : Reduced1D
        f (time, v) [s m^-4].
    window : str
        Length of the windows, anchored to 1970 UTC; a result is at the centre of its window.

    Returns
    -------
    Dataset
        As `mean_over`.
    """
    return mean_over(series, window)


@recipe(gives=Reduced2D, version=1)
def mean_reduced_2d(
    series: Annotated[Reduced2D, Margin("window")], *, window: str = "10s"
) -> xr.Dataset:
    """Mean of F over windows of time (time, plane, v1, v2) [s^2 m^-5], with the count.

    Parameters
    ----------
    series : Reduced2D
        f (time, plane, v1, v2) [s^2 m^-5].
    window : str
        As in `mean_reduced_1d`.

    Returns
    -------
    Dataset
        As `mean_over`.
    """
    return mean_over(series, window)


@recipe(gives=Slices, version=1)
def mean_slices(series: Annotated[Slices, Margin("window")], *, window: str = "10s") -> xr.Dataset:
    """Mean of f over windows of time (time, plane, v1, v2) [s^3 m^-6], with the count.

    Parameters
    ----------
    series : Slices
        f (time, plane, v1, v2) [s^3 m^-6].
    window : str
        As in `mean_reduced_1d`.

    Returns
    -------
    Dataset
        As `mean_over`.
    """
    return mean_over(series, window)


@recipe(gives=Cartesian, version=1)
def mean_cartesian(
    series: Annotated[Cartesian, Margin("window")], *, window: str = "10s"
) -> xr.Dataset:
    """Mean of f over windows of time (time, v1, v2, v3) [s^3 m^-6], with the count.

    Parameters
    ----------
    series : Cartesian
        f (time, v1, v2, v3) [s^3 m^-6].
    window : str
        As in `mean_reduced_1d`.

    Returns
    -------
    Dataset
        As `mean_over`.
    """
    return mean_over(series, window)


def mean_over(series: xr.Dataset, window: str) -> xr.Dataset:
    """Mean over windows of time, dims as in the series, one record per window that has any.

    f is the mean of the distributions in which a cell is known; coverage is the mean over all of
    them, `outside` over those where it is known, and `count` (time) says how many were measured at
    all. Quality bits are joined.

    Parameters
    ----------
    series : Dataset
        Distributions on a grid of velocity.
    window : str
        Length of the windows, anchored to 1970 UTC.
    """
    step = duration(window)
    number = series["time"].values.astype("datetime64[ns]").astype(np.int64) // step
    first = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    stops = [*first[1:], number.size]
    centres = (number[first] * step + step // 2).astype("datetime64[ns]")
    out: dict[str, object] = {}
    for name in ("f", "outside", "coverage"):
        if name in series:
            a = series[name]
            means = [_mean(a.values[i:j]) for i, j in zip(first, stops, strict=True)]
            values = np.stack(means) if means else a.values[:0]
            out[name] = (a.dims, values.astype(np.float32), a.attrs)
    seen = series["coverage"].values > 0
    counts = [int(seen[i:j].sum()) for i, j in zip(first, stops, strict=True)]
    about = {"units": "1", "long_name": "number of distributions in the mean"}
    out["count"] = (("time",), np.asarray(counts, np.int32), about)
    if "quality" in series:
        q = series["quality"]
        joined = np.bitwise_or.reduceat(q.values, first) if first.size else q.values[:0]
        out["quality"] = (q.dims, joined, q.attrs)
    fixed = {n: c for n, c in series.coords.items() if n != "time"}
    attrs = series.attrs | {"averaged_over": window}
    return xr.Dataset(out, {"time": centres, **fixed}, attrs)


def _mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / known.sum(axis=0))
