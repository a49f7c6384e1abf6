"""Rows for a dataset of any DataType, from its dimensions, units and names alone.

Numbers in time become lines (those with errors a band around them), vectors their components, what
depends on one more axis a spectrogram on the true values of that axis, what depends on two
velocities pictures at some times. So a new DataType has a quicklook without a line of code here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..granule import Interval
from ..kernels.energies import geometric_edges
from .painters import BLUE, GREEN, INK, PINK, RED, Line, Lines, Spectrogram, no_data
from .snapshots import Snapshots
from .words import label, long_name, ns, pretty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 8
COMPONENTS = (BLUE, GREEN, RED, PINK)
_COLOURS = (INK, BLUE, RED)
_BESIDE = ("quality", "coverage", "outside", "counts", "count", "frames")
_TOGETHER = 3
_MOST_LABELS = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row before it has a name: what it shows of which variable, and how high it is."""

    variable: str
    title: str
    paint: Callable[[Axes, Interval], None]
    tall: bool = False


def drawn(ds: xr.Dataset) -> list[Drawn]:
    """Return what can be drawn of a dataset, the first `MOST_ROWS`."""
    return [d for _, d in zip(range(MOST_ROWS), _every(ds), strict=False)]


def _every(ds: xr.Dataset) -> Iterator[Drawn]:
    lines: list[str] = []
    worth = list(_worth_drawing(ds))
    measured = [n for n in worth if np.isfinite(ds[n].values).any()]
    for name in measured or worth:
        array = ds[name]
        if array.dims == ("time",):
            if lines and (len(lines) == _TOGETHER or not _alike(ds, lines[0], name)):
                yield _lines(ds, lines)
                lines = []
            lines.append(name)
            continue
        if lines:
            yield _lines(ds, lines)
            lines = []
        for part, word in _parts(ds, name):
            if (found := _of_more(part, name)) is not None:
                title = f"{found.title} ({word})" if word else found.title
                yield replace(found, title=title, variable=f"{name}/{word}" if word else name)
    if lines:
        yield _lines(ds, lines)


def _worth_drawing(ds: xr.Dataset) -> Iterator[str]:
    """Yield variables in time that say something of their own: no tables, no errors of others."""
    tables = {str(d).removesuffix("_bin") for d in ds.dims} - {str(d) for d in ds.dims}
    for name in map(str, ds.data_vars):
        numeric = ds[name].dtype.kind in "fiu"
        error = name.endswith(("_error", "_limit")) and name.rpartition("_")[0] in ds
        beside = error or name in _BESIDE or name in tables
        if numeric and not beside and ds[name].dims[:1] == ("time",):
            yield name


def _parts(ds: xr.Dataset, name: str) -> Iterator[tuple[xr.Dataset, str]]:
    """Yield a variable's dataset for each label of an axis that has words (planes, cuts)."""
    dim = str(ds[name].dims[1])
    labelled = dim in ds.coords and ds[dim].dtype.kind in "UO" and ds.sizes[dim] <= _MOST_LABELS
    if ds[name].ndim < 3 or not labelled or dim.startswith("component"):
        yield ds, ""
        return
    alone = ds[[name, *_tables(ds, name)]]
    for k, word in enumerate(ds[dim].values):
        yield alone.isel({dim: k}), str(word).replace("_", ", ")


def _tables(ds: xr.Dataset, name: str) -> list[str]:
    """Return the variables that the axes of a variable are in ("energy" of "energy_bin")."""
    words = (str(d).removesuffix("_bin") for d in ds[name].dims)
    return [w for w in words if w in ds.data_vars and w != name]


def _alike(ds: xr.Dataset, one: str, other: str) -> bool:
    units = ds[one].attrs.get("units", "")
    return bool(units not in ("", "1") and units == ds[other].attrs.get("units", ""))


def _lines(ds: xr.Dataset, names: list[str]) -> Drawn:
    lines = []
    for name, colour in zip(names, _COLOURS, strict=False):
        value = np.asarray(ds[name].values, np.float64)
        error = np.asarray(ds[f"{name}_error"].values, float) if f"{name}_error" in ds else None
        band = (None, None) if error is None else (value - error, value + error)
        word = name.replace("_", " ") if len(names) > 1 else ""
        lines.append(Line(value, word, colour, *band))
    every = np.concatenate([line.values for line in lines])
    every = every[np.isfinite(every)]
    wide = bool(every.size and every.min() > 0 and every.max() > 10 * every.min())
    paint = Lines(ns(ds), tuple(lines), label("", ds[names[0]]), wide)
    return Drawn(names[0], long_name(ds, names[0]), paint)


def _of_more(ds: xr.Dataset, name: str) -> Drawn | None:
    """Return how a variable of two and more dimensions is drawn, None where it cannot be."""
    array = ds[name]
    inner = array.dims[1:]
    if _is_plane(ds, inner):
        return Drawn(name, long_name(ds, name), Snapshots.of(ds, name), tall=True)
    if len(inner) == 1 and array.sizes[inner[0]] <= len(COMPONENTS):
        words = [str(w) for w in ds[inner[0]].values] if inner[0] in ds.coords else [""] * 9
        values = np.asarray(array.values, np.float64)
        parts = tuple(
            Line(values[:, k], word, colour)
            for k, (word, colour) in enumerate(zip(words, COMPONENTS, strict=False))
            if k < values.shape[1]
        )
        paint = Lines(ns(ds), parts, label(array.attrs.get("frame", ""), array))
        return Drawn(name, long_name(ds, name), paint)
    if len(inner) == 2 and all(array.sizes[d] <= 4 for d in inner):
        return None  # a tensor: its parts are in other variables, or too many for a row
    return spectrogram(ds, name, inner[-1])


def _is_plane(ds: xr.Dataset, inner: tuple[Hashable, ...]) -> bool:
    """Tell whether the last two dimensions are velocities on axes of their own."""
    return len(inner) in (2, 3) and all(
        d in ds.coords and ds[d].attrs.get("units") == "km s^-1" for d in inner[-2:]
    )


def spectrogram(ds: xr.Dataset, name: str, dim: Hashable) -> Drawn:
    """Return a variable against time and one of its dimensions, the mean over all others."""
    array = ds[name]
    others = [d for d in array.dims if d not in ("time", dim)]
    mean = array.mean(others) if others else array
    values = np.asarray(mean.transpose("time", dim).values, np.float64)
    table, about, log = axis_of(ds, dim)
    title = long_name(ds, name) + (f", mean over {', '.join(map(str, others))}" if others else "")
    if not np.isfinite(table).any():
        return Drawn(name, title, no_data)
    lower, upper = edges_of(table, log=log)
    units = pretty(str(array.attrs.get("units", "")))
    paint = Spectrogram(
        ns(ds), values, lower, upper, about, f"[{units}]" if units else "", log,
        scale_of(values, str(array.attrs.get("units", ""))),
    )  # fmt: skip
    return Drawn(name, title, paint, tall=True)


def axis_of(ds: xr.Dataset, dim: Hashable) -> tuple[np.ndarray, str, bool]:
    """Values (time or 1, bin) along a dimension, the label of the axis, whether it is logarithmic.

    They are those of its coordinate, or of the variable that the dimension is named after
    (`energy` of `energy_bin`), which may change in time; numbered where there are neither.
    """
    word = str(dim).removesuffix("_bin")
    array = next((ds[n] for n in (dim, word) if n in ds and ds[n].dtype.kind in "fiu"), None)
    if array is None or array.dims not in ((dim,), ("time", dim)):
        return np.arange(float(ds.sizes[dim]))[None], word.replace("_", " "), False
    table = np.atleast_2d(np.asarray(array.values, np.float64))
    known = table[np.isfinite(table)]
    log = bool(known.size and known.min() > 0 and known.max() > 20 * known.min())
    log = log and array.attrs.get("units") != "deg"
    return table, label(word.replace("_", " "), array), log


def edges_of(table: np.ndarray, *, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edges of bins (time or 1, bin), of ln where the axis is logarithmic."""
    if log:
        lower, upper = geometric_edges(table)
        return np.log(lower), np.log(upper)
    if table.shape[-1] < 2:
        return table - 0.5, table + 0.5
    between = 0.5 * (table[:, 1:] + table[:, :-1])
    first, last = 2 * table[:, :1] - between[:, :1], 2 * table[:, -1:] - between[:, -1:]
    edges = np.concatenate([first, between, last], axis=1)
    return np.minimum(edges[:, 1:], edges[:, :-1]), np.maximum(edges[:, 1:], edges[:, :-1])


def scale_of(values: np.ndarray, units: str) -> str:
    """Return how values are coloured: "log", "linear", or "signed" (zero in the middle)."""
    known = values[np.isfinite(values)]
    if known.size and known.min() < 0:
        return "signed"
    return "linear" if units in ("1", "deg", "") else "log"
