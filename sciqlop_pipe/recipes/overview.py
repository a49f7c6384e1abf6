"""Overviews: minimum, mean, maximum and count per time bin, so that ten years can be looked at."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..datatypes import Anything, Overview
from ..model import recipe

#: Tables of the instrument, not measurements: they keep their name.
TABLES = ("energy",)


@recipe(gives=Overview, version=1, gaps_ok=True)
def overview(series: Anything, *, seconds: int = 60) -> xr.Dataset:
    """Minimum, mean, maximum and count of every variable per time bin; (time, ...) [its units].

    Bins are anchored to UTC and labelled by their centre; bins without a record are left out. NaN
    is not counted. Tables that vary with time (energies) are averaged geometrically and keep
    their name; quality bits are joined.

    Parameters
    ----------
    series : Dataset
        Any series or spectrum, (time, ...).
    seconds : int
        Length of a bin [s].
    """
    starts, centres = _bins(series["time"].values, seconds)
    out = xr.Dataset(coords={"time": centres})
    for name, array in series.data_vars.items():
        out = out.assign(_variable(str(name), array, starts))
    fixed = {n: c for n, c in series.coords.items() if "time" not in c.dims}
    return out.assign_coords(fixed).assign_attrs(series.attrs | {"bin_seconds": seconds})


@recipe(gives=Overview, version=1, gaps_ok=True)
def coarser_overview(fine: Overview, *, seconds: int = 3600) -> xr.Dataset:
    """Minimum, mean, maximum and count per longer time bin, from a finer overview; (time, ...).

    Means are weighted with counts, so the result is that of the series itself.

    Parameters
    ----------
    fine : Dataset
        An overview whose bins tile the longer ones.
    seconds : int
        Length of a bin [s].
    """
    starts, centres = _bins(fine["time"].values, seconds)
    out = xr.Dataset(coords={"time": centres})
    for name, array in fine.data_vars.items():
        out = out.assign(_coarser(str(name), array, fine, starts))
    fixed = {n: c for n, c in fine.coords.items() if "time" not in c.dims}
    return out.assign_coords(fixed).assign_attrs(fine.attrs | {"bin_seconds": seconds})


def _bins(time: np.ndarray, seconds: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first record of every occupied bin, and the centres of these bins."""
    step = seconds * 1_000_000_000
    number = time.astype("datetime64[ns]").astype(np.int64) // step
    starts = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    centres = (number[starts] * step + step // 2).astype("datetime64[ns]")
    return starts, centres


def _variable(
    name: str, array: xr.DataArray, starts: np.ndarray
) -> dict[str, tuple | xr.DataArray]:
    if "time" not in array.dims:
        return {name: array}
    values, dims, attrs = array.values, array.dims, dict(array.attrs)
    if name == "quality":
        return {name: (dims, np.bitwise_or.reduceat(values, starts, axis=0), attrs)}
    if values.dtype.kind not in "fiu":
        return {}
    title = attrs.get("long_name", name)
    about = {"units": "1", "long_name": f"number of values of {title}"}
    if name in TABLES:
        mean, count = _mean(_log(values), starts)
        return {
            name: (dims, np.exp(mean).astype(values.dtype), attrs),
            f"{name}_count": (dims, count, about),
        }
    mean, count = _mean(values.astype(np.float64), starts)
    lowest, highest = (f.reduceat(values, starts, axis=0) for f in (np.fmin, np.fmax))
    return {
        f"{name}_min": (dims, lowest, _titled(attrs, "minimum", title)),
        f"{name}_mean": (dims, mean.astype(np.float32), _titled(attrs, "mean", title)),
        f"{name}_max": (dims, highest, _titled(attrs, "maximum", title)),
        f"{name}_count": (dims, count, about),
    }


def _coarser(
    name: str, array: xr.DataArray, fine: xr.Dataset, starts: np.ndarray
) -> dict[str, tuple | xr.DataArray]:
    base, _, statistic = name.rpartition("_")
    if "time" not in array.dims or name == "quality":
        return _variable(name, array, starts)
    if name in TABLES:
        # Without counts where days with a fixed table and days with a changing one meet.
        count = fine.get(f"{name}_count", xr.ones_like(array)).values
        mean = _weighted(_log(array.values), count, starts)
        return {name: (array.dims, np.exp(mean).astype(array.dtype), array.attrs)}
    if statistic == "mean":
        mean = _weighted(array.values, fine[f"{base}_count"].values, starts)
        return {name: (array.dims, mean.astype(array.dtype), array.attrs)}
    reduce = {"min": np.fmin, "max": np.fmax, "count": np.add}[statistic]
    values = reduce.reduceat(array.values, starts, axis=0).astype(array.dtype)
    return {name: (array.dims, values, array.attrs)}


def _titled(attrs: dict, statistic: str, title: str) -> dict:
    return attrs | {"long_name": f"{statistic} of {title}"}


def _mean(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(values)
    count = np.add.reduceat(known, starts, axis=0, dtype=np.int32)
    total = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan), count


def _weighted(mean: np.ndarray, count: np.ndarray, starts: np.ndarray) -> np.ndarray:
    weight = count.astype(np.float64)
    total = np.add.reduceat(np.where(weight > 0, mean * weight, 0.0), starts, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / np.add.reduceat(weight, starts, axis=0))


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(values.astype(np.float64))
