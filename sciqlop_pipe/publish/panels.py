"""Panels: which rows a dataset of each DataType is drawn as, and how.

A painter takes matplotlib axes and draws; which axes and where they are is `quicklook`'s business.
Colours are those of Okabe & Ito and viridis, which people with any colour vision tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import PipeError
from ..granule import Interval
from ..kernels.energies import geometric_edges
from ..quality import FLAGS_MISSING
from .raster import Grid, cells, polyline, raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, GRID = "#1a1a1a", "#666666", "#e4e4e4"
BLUE, GREEN, RED, ORANGE = "#0072b2", "#009e73", "#d55e00", "#e69f00"
PALE, PINK, YELLOW, GREY = "#56b4e9", "#cc79a7", "#f0e442", "#999999"
COMPONENTS = (BLUE, GREEN, RED, PINK)
REGIONS = (ORANGE, PALE, GREEN, PINK, BLUE, RED, YELLOW, GREY)
NOTHING_COUNTED = "#21002c"
"""Zero on a logarithmic colour scale: darker than its lowest colour, and not white (no data)."""

SYMBOLS = {"nT": "B", "km s^-1": "V", "mV m^-1": "E", "nA m^-2": "J",
           "km": "R"}  # fmt: skip
TALL, LOW = 188, 104
FLAG = 9
MOST_FLAGS = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """A dataset to draw: its name, the name of its DataType, and what it holds (in memory)."""

    name: str
    datatype: str
    ds: xr.Dataset


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of axes of a picture.

    `name` is dataset/variable, `title` stands above, `height` and `above` (free space)
    are in pixels, `paint` draws into axes that already have their limits in time.
    """

    name: str
    title: str
    paint: Callable[[Axes, Interval], None]
    height: int = TALL
    above: int = 24


def rows(panel: Panel) -> tuple[Row, ...]:
    """Return the rows that show a dataset, a strip of its quality flags last where any is set.

    Raises
    ------
    PipeError
        When its DataType has no panel.
    """
    if panel.datatype not in _ROWS:
        raise PipeError(
            f"a {panel.datatype} has no panel", panel.name,
            f"A quicklook draws {', '.join(_ROWS)}; draw a product of this dataset",
        )  # fmt: skip
    if not panel.ds.sizes.get("time"):
        return (Row(f"{panel.name}/", "", _nothing, LOW),)
    return (*_ROWS[panel.datatype](panel), *_quality(panel))


# -- lines -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a row: (time,) values, its word in the legend, its colour."""

    values: np.ndarray
    word: str
    colour: str = INK


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that share a row, with the label of their axis."""

    time: np.ndarray
    lines: tuple[Line, ...]
    label: str
    logarithmic: bool = False

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw, never across a gap; values without neighbours as dots."""
        columns = pixels_in_time(ax, interval)
        signed = False
        for line in self.lines:
            at, value = polyline(self.time, line.values, columns)
            when = at.astype("datetime64[ns]")
            width = 1.1 if at.size < 2 * columns.size else 0.7
            ax.plot(when, value, color=line.colour, lw=width, label=line.word)
            there = np.isfinite(value)
            around = np.pad(there, 1)
            lonely = there & ~around[:-2] & ~around[2:]
            ax.plot(when[lonely], value[lonely], ".", color=line.colour, ms=3.5, label="_")
            signed |= bool((value < 0).any() and (value > 0).any())
        if self.logarithmic:
            logarithmic(ax)
        elif signed:
            ax.axhline(0, color=GREY, lw=0.6, zorder=0.8)
        ax.set_ylabel(self.label)
        if any(line.word for line in self.lines):
            ax.legend(loc="upper left", bbox_to_anchor=(1.004, 1.04), frameon=False, fontsize=9.5,
                      labelcolor="linecolor", handlelength=1.0, handletextpad=0.5)  # fmt: skip


def logarithmic(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers where it spans little."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    narrow = high / low < 100
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=9))
    ax.yaxis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=99))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if high < 1e5 and low > 1e-4:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def spans_a_decade(*values: np.ndarray) -> bool:
    """Tell whether values are positive throughout and spread over more than a factor of ten."""
    every = np.concatenate([np.ravel(v) for v in values])
    every = every[np.isfinite(every)]
    return bool(every.size and every.min() > 0 and every.max() > 10 * every.min())


def scalars(panel: Panel, variables: Sequence[str], symbol: str, words: Sequence[str] = ()) -> Row:
    """Return a row with one or more variables (time,) of the same units."""
    ds = panel.ds
    words = words or [""] * len(variables)
    colours = (INK,) if len(variables) == 1 else (BLUE, RED, GREEN)
    values = [np.asarray(ds[v].values, np.float64) for v in variables]
    lines = tuple(Line(v, w, c) for v, w, c in zip(values, words, colours, strict=False))
    paint = Lines(ns(ds), lines, _label(symbol, ds[variables[0]]), spans_a_decade(*values))
    title = _long_name(ds[variables[0]])
    if len(variables) > 1:
        title = re.sub(r"\s*\b(parallel|perpendicular)\b\s*", " ", title).strip()
    return Row(f"{panel.name}/{variables[0]}", title, paint)


def vector(panel: Panel, variable: str, *, magnitude: bool, scale: float = 1.0) -> Row:
    """Return a row with the components of a variable (time, component)."""
    array = panel.ds[variable]
    values = np.asarray(array.values, np.float64) / scale
    axes = array["component"].values if "component" in array.coords else "xyzuvw"
    symbol = SYMBOLS.get(array.attrs.get("units", ""), variable[:1].upper())
    lines = [
        Line(values[:, k], f"${symbol}_{{{axis}}}$", colour)
        for k, (axis, colour) in enumerate(zip(axes, COMPONENTS, strict=False))
        if k < values.shape[1]
    ]
    if magnitude:
        lines.insert(0, Line(np.sqrt((values**2).sum(1)), f"$|{symbol}|$"))
    frame = array.attrs.get("frame", "")
    label = _label(frame, array, scale)
    return Row(
        f"{panel.name}/{variable}", _long_name(array),
        Lines(ns(panel.ds), tuple(lines), label),
    )  # fmt: skip


# -- spectrograms ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """A spectrum in time on true energies: each record keeps its own table."""

    time: np.ndarray
    values: np.ndarray
    energy: np.ndarray
    label: str
    colour_label: str

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw the mean over each pixel, logarithmic in energy and colour; white = no data."""
        import matplotlib as mpl
        from matplotlib.colors import LogNorm
        from matplotlib.image import AxesImage

        lower, upper = (np.log(e) for e in geometric_edges(np.atleast_2d(self.energy)))
        used = np.isfinite(lower) & np.isfinite(upper)
        bottom, top = lower[used].min(), upper[used].max()
        ax.set_ylim(np.exp(bottom), np.exp(top))
        logarithmic(ax)
        ax.set_ylabel(self.label)
        # The grid is the pixels themselves, even in ln E as the axis is: nothing is resampled on
        # a linear scale, which would put energies in wrong places.
        height = max(1, round(ax.bbox.height))
        grid = Grid(pixels_in_time(ax, interval), np.linspace(bottom, top, height + 1))
        alone = (interval.stop - interval.start) // 200
        image = raster(self.values, lower, upper, cells(self.time, alone), grid)
        low, high = colour_range(image)
        norm = LogNorm(low, high)
        cmap = mpl.colormaps["viridis"]
        cmap = cmap.with_extremes(under=NOTHING_COUNTED, bad=(1, 1, 1, 0))
        drawn = AxesImage(ax, cmap=cmap, norm=norm, origin="lower", extent=(0, 1, 0, 1),
                          interpolation="nearest", transform=ax.transAxes, zorder=0.5)  # fmt: skip
        drawn.set_data(np.where(image == 0, low * 1e-3, image))
        drawn.set_clip_path(ax.patch)
        ax.add_image(drawn)
        bar = ax.inset_axes((1.012, 0, 0.014, 1))
        below = bool((image < low).any())
        colours = ax.figure.colorbar(drawn, cax=bar, extend="min" if below else "neither",
                                     extendfrac=0.04)  # fmt: skip
        colours.set_label(self.colour_label, fontsize=8.5)
        colours.outline.set_linewidth(0.6)
        bar.tick_params(labelsize=8.5, width=0.6)
        bar.minorticks_off()
        ax.grid(False)


def colour_range(image: np.ndarray) -> tuple[float, float]:
    """Lowest and highest value on the colour scale: most of what is positive, at most 7 decades."""
    positive = image[image > 0]
    if not positive.size:
        return 1.0, 10.0
    low, high = np.percentile(positive, [1, 99.9])
    low = max(low, high * 1e-7)
    return (low, high) if high > 1.01 * low else (low / 10, high)


def _spectrum(panel: Panel) -> tuple[Row, ...]:
    spectrum, energy = panel.ds["spectrum"], panel.ds["energy"]
    tables = np.asarray(energy.values, np.float64)
    if not (np.isfinite(tables) & (tables > 0)).any():
        return (Row(f"{panel.name}/spectrum", "", _nothing, LOW),)
    paint = Spectrogram(
        ns(panel.ds), np.asarray(spectrum.values, np.float64), tables,
        f"$E$\n[{pretty(energy.attrs.get('units', ''))}]", _flux_units(spectrum),
    )  # fmt: skip
    return (
        Row(f"{panel.name}/spectrum", _long_name(spectrum), paint, TALL + 16),
    )


def _flux_units(array: xr.DataArray) -> str:
    units = array.attrs.get("units", "")
    if units == "eV cm^-2 s^-1 sr^-1 eV^-1":
        units = "eV / (cm^2 s sr eV)"
    return f"[{pretty(units)}]"


# -- regions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Regions:
    """Probabilities (time, label) as areas, under a bar of the most probable label."""

    time: np.ndarray
    probability: np.ndarray
    labels: tuple[str, ...]

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw; where there is no label it stays white."""
        from matplotlib.patches import Patch

        columns = pixels_in_time(ax, interval)
        count = self.probability.shape[1]
        steps = np.arange(count + 1.0)
        grid = Grid(columns, steps)
        cell = cells(self.time, (interval.stop - interval.start) // 200)
        mean = raster(self.probability, steps[None, :-1], steps[None, 1:], cell, grid)
        known = np.isfinite(mean).all(0)
        most = np.where(known, np.argmax(np.where(known, mean, 0.0), axis=0), -1)
        edges = columns.astype("datetime64[ns]")
        floor = np.zeros(mean.shape[1])
        handles = []
        for k, word in enumerate(self.labels):
            colour = REGIONS[k % len(REGIONS)]
            ceiling = np.where(known, floor + np.nan_to_num(mean[k]), floor)
            _filled(ax, edges, floor, ceiling, known, colour)
            flat = np.ones_like(floor)
            _filled(ax, edges, 1.06 * flat, 1.24 * flat, most == k, colour)
            floor = ceiling
            handles.append(Patch(color=colour, label=word.replace("_", " ")))
        ax.set_ylim(0, 1.24)
        ax.set_yticks([0, 0.5, 1])
        ax.set_ylabel("probability")
        ax.grid(False)
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.004, 1.06), frameon=False,
                  fontsize=9, handlelength=1.0, handleheight=0.9, handletextpad=0.5)  # fmt: skip


def _filled(ax: Axes, edges: np.ndarray, low: np.ndarray, high: np.ndarray, where: np.ndarray,
            colour: str) -> None:  # fmt: skip
    """Fill whole columns between two heights."""
    high = np.where(where, high, low)
    ax.fill_between(edges, np.append(low, low[-1]), np.append(high, high[-1]), step="post",
                    color=colour, lw=0)  # fmt: skip


def _labels(panel: Panel) -> tuple[Row, ...]:
    array = panel.ds["probability"].transpose("time", "label")
    names = array["label"].values if "label" in array.coords else range(array.sizes["label"])
    values = np.asarray(array.values, np.float64)
    paint = Regions(ns(panel.ds), values, tuple(str(n) for n in names))
    return (
        Row(f"{panel.name}/probability", _long_name(array), paint, LOW),
    )


# -- the other kinds -------------------------------------------------------------------------


def _moments(panel: Panel) -> tuple[Row, ...]:
    found = [
        scalars(panel, ["density"], "$n$"),
        vector(panel, "velocity", magnitude=False),
    ]
    sides = {"temperature_parallel": r"$T_\parallel$", "temperature_perpendicular": r"$T_\perp$"}
    if both := [v for v in sides if v in panel.ds]:
        found.append(scalars(panel, both, "$T$", [sides[v] for v in both]))
    elif "temperature" in panel.ds:
        found.append(scalars(panel, ["temperature"], "$T$"))
    return tuple(found)


def _state(panel: Panel) -> tuple[Row, ...]:
    found = [
        scalars(panel, ["density"], "$n$"),
        vector(panel, "velocity", magnitude=True),
        scalars(panel, ["temperature"], "$T$"),
    ]
    if "magnetic_field" in panel.ds:
        found.append(scalars(panel, ["magnetic_field"], "$|B|$"))
    return tuple(found)


def _vector(panel: Panel) -> tuple[Row, ...]:
    return (vector(panel, "vector", magnitude=panel.ds.sizes.get("component", 3) > 1),)


def _scalar(panel: Panel) -> tuple[Row, ...]:
    return (scalars(panel, ["value"], ""),)


def _position(panel: Panel) -> tuple[Row, ...]:
    far = np.nanmax(np.abs(panel.ds["position"].values), initial=0.0) >= 1e4
    return (vector(panel, "position", magnitude=True, scale=1e3 if far else 1.0),)


_ROWS: dict[str, Callable[[Panel], tuple[Row, ...]]] = {
    "VectorSeries": _vector,
    "ScalarSeries": _scalar,
    "Moments": _moments,
    "EnergySpectrum": _spectrum,
    "PlasmaState": _state,
    "Labels": _labels,
    "Position": _position,
}


def _nothing(ax: Axes, interval: Interval) -> None:
    ax.set_yticks([])
    ax.text(0.5, 0.5, "no data in this interval", transform=ax.transAxes, ha="center", va="center",
            color=SOFT, fontsize=11)  # fmt: skip


# -- quality ---------------------------------------------------------------------------------


def _quality(panel: Panel) -> tuple[Row, ...]:
    """Return a strip with a line per quality bit that is set, the most frequent ones."""
    if "quality" not in panel.ds:
        return ()
    array = panel.ds["quality"]
    bits = flags_set(np.asarray(array.values).astype(np.int64) & 0xFFFFFFFF)
    if not bits:
        return ()
    paint = partial(_strip, array=array, time=ns(panel.ds), bits=bits)
    height = FLAG * min(len(bits), MOST_FLAGS) + 2
    return (Row(f"{panel.name}/quality", "", paint, height, 6),)


def flags_set(words: np.ndarray) -> list[int]:
    """Return the bits that are set anywhere, the most frequent first."""
    often = [(int(np.count_nonzero(words >> bit & 1)), bit) for bit in range(32)]
    return [bit for count, bit in sorted(often, key=lambda o: (-o[0], o[1])) if count]


def _strip(ax: Axes, interval: Interval, *, array: xr.DataArray, time: np.ndarray,
           bits: Sequence[int]) -> None:  # fmt: skip
    columns = pixels_in_time(ax, interval)
    shown, left = bits[:MOST_FLAGS], len(bits) - MOST_FLAGS
    words = np.asarray(array.values).astype(np.int64)
    values = np.stack([(words >> bit & 1).astype(np.float64) for bit in shown], -1)
    steps = np.arange(len(shown) + 1.0)
    cell = cells(time, (interval.stop - interval.start) // 200)
    mean = raster(values, steps[None, :-1], steps[None, 1:], cell, Grid(columns, steps))
    masking = int(array.attrs.get("masking", 0))
    names = flag_names(array)
    edges = columns.astype("datetime64[ns]")
    ax.set_ylim(len(shown), 0)
    for k, bit in enumerate(shown):
        flat = np.full(mean.shape[1], float(k))
        measured = np.isfinite(mean[k])
        colour = RED if masking >> bit & 1 else GREY
        _filled(ax, edges, flat + 0.12, flat + 0.88, measured, "#efefef")
        _filled(ax, edges, flat + 0.12, flat + 0.88, measured & (mean[k] > 0), colour)
        note = f" (+{left} more)" if left > 0 and k == len(shown) - 1 else ""
        ax.text(1.006, k + 0.5, names.get(bit, f"bit{bit}").replace("_", " ") + note,
                transform=ax.get_yaxis_transform(), va="center", fontsize=6.6,
                color=RED if colour == RED else SOFT)  # fmt: skip
    ax.set_yticks([])
    ax.set_ylabel("flags", rotation=0, ha="right", va="center", fontsize=7.5, color=SOFT)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(which="both", length=0)


def flag_names(array: xr.DataArray) -> dict[int, str]:
    """Return the name of each bit, from the CF attributes of a flag word."""
    masks = np.atleast_1d(array.attrs.get("flag_masks", []))
    names = str(array.attrs.get("flag_meanings", "")).split()
    known = {int(m).bit_length() - 1: n for m, n in zip(masks, names, strict=False)}
    return {FLAGS_MISSING: "flags_missing"} | known


# -- words -----------------------------------------------------------------------------------


def pretty(units: str) -> str:
    """Return units with raised exponents: "km s^-1" as mathematics."""
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", "" if units == "1" else units)


def _label(symbol: str, array: xr.DataArray, scale: float = 1.0) -> str:
    units = pretty(str(array.attrs.get("units", "")))
    if scale != 1.0:
        units = f"$10^{{{round(np.log10(scale))}}}$ {units}"
    return "\n".join(part for part in (symbol, f"[{units}]" if units else "") if part)


def _long_name(array: xr.DataArray) -> str:
    text = str(array.attrs.get("long_name", array.name))
    return re.sub(r"\b(H|He|O)(\+{1,2})", lambda m: f"{m[1]}$^{{{m[2]}}}$", text).replace(
        "e- ", "e$^{-}$ "
    )


def ns(ds: xr.Dataset) -> np.ndarray:
    """Return the times (time,) as integer nanoseconds since 1970."""
    return ds["time"].values.astype("datetime64[ns]").astype(np.int64)


def pixels_in_time(ax: Axes, interval: Interval) -> np.ndarray:
    """Return the edges [ns] of the columns of pixels that axes have."""
    width = max(1, round(ax.bbox.width))
    span = interval.stop - interval.start
    return interval.start + np.round(np.arange(width + 1) * (span / width)).astype(np.int64)
