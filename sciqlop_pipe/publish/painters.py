"""Painters: lines, spectrograms, regions and flag strips, drawn into axes that are given.

A painter holds arrays and words; called with axes (their limits in time are set) it draws. The
colours are those of Okabe & Ito and viridis, which people with any colour vision tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..granule import Interval
from .raster import Grid, broken, cells, polyline, raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

INK, SOFT, FAINT = "#1a1a1a", "#666666", "#e6e6e6"
BLUE, GREEN, RED, ORANGE = "#0072b2", "#009e73", "#d55e00", "#e69f00"
PALE, PINK, YELLOW, GREY = "#56b4e9", "#cc79a7", "#f0e442", "#999999"
REGIONS = (ORANGE, PALE, GREEN, PINK, BLUE, RED, YELLOW, GREY)
NOTHING_COUNTED = "#21002c"
"""Zero on a logarithmic colour scale: darker than its lowest colour, and not white (no data)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a row: (time,) values, its word in the legend, its colour.

    `low` and `high` (time,) are the extremes that an overview has beside its means. A value on a
    `circle` of that size (360 for degrees) may step over its end, which is no motion.
    """

    values: np.ndarray
    word: str
    colour: str = INK
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    circle: float = 0.0


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that share a row, with the label of their axis."""

    time: np.ndarray
    lines: tuple[Line, ...]
    label: str
    logarithmic: bool = False

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw, never across a gap; values without neighbours as dots."""
        seen = [line for line in self.lines if np.isfinite(line.values).any()]
        if not seen:
            no_data(ax, interval)
            return
        columns = pixels_in_time(ax, interval)
        signed = False
        for line in seen:
            time, values = self.time, line.values
            if line.circle:
                time, values = unwound(time, values, line.circle)
            at, value = polyline(time, values, columns)
            when = at.astype("datetime64[ns]")
            width = 1.1 if at.size < 2 * columns.size else 0.7
            ax.plot(when, value, color=line.colour, lw=width, label=line.word)
            there = np.isfinite(value)
            around = np.pad(there, 1)
            lonely = there & ~around[:-2] & ~around[2:]
            ax.plot(when[lonely], value[lonely], ".", color=line.colour, ms=3.5, label="_")
            if line.low is not None and line.high is not None:
                at, low = broken(self.time, line.low)
                _, high = broken(self.time, line.high)
                ax.fill_between(at.astype("datetime64[ns]"), low, high, color=line.colour,
                                alpha=0.22, lw=0)  # fmt: skip
            signed |= bool((value < 0).any() and (value > 0).any())
        if self.logarithmic:
            logarithmic(ax)
        else:
            _short_numbers(ax)
            if signed:
                ax.axhline(0, color=GREY, lw=0.6, zorder=0.8)
        ax.set_ylabel(self.label)
        if any(line.word for line in seen):
            ax.legend(loc="upper left", bbox_to_anchor=(1.004, 1.04), frameon=False, fontsize=9.5,
                      labelcolor="linecolor", handlelength=1.0, handletextpad=0.5)  # fmt: skip


def unwound(time: np.ndarray, value: np.ndarray, circle: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and values on a circle with a NaN more where they step over its end."""
    with np.errstate(invalid="ignore"):
        steps = np.flatnonzero(np.abs(np.diff(value)) > 0.5 * circle) + 1
    return np.insert(time, steps, time[steps - 1] + 1), np.insert(value, steps, np.nan)


def _short_numbers(ax: Axes) -> None:
    """Write what is common to small and large numbers once, left of the axis.

    Above it, where it stands otherwise, is the title; long numbers would run into the label.
    """
    from matplotlib.ticker import ScalarFormatter

    form = ScalarFormatter(useMathText=True)
    form.set_powerlimits((-2, 5))
    ax.yaxis.set_major_formatter(form)
    common = ax.yaxis.get_offset_text()
    common.set_x(-0.004)
    common.set(horizontalalignment="right", fontsize=8.5, color=SOFT)


def logarithmic(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers where it spans little."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    narrow = high / low < 100
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=9))
    ax.yaxis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=99))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if narrow:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    if high < 1e5 and low > 1e-4:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _power(value: float) -> str:
    """Return a number as a factor and a power of ten, as mathematics."""
    if value <= 0:
        return ""
    power = int(np.floor(np.log10(value) + 1e-9))
    factor = f"{value / 10.0**power:.2g}"
    return f"$10^{{{power}}}$" if factor == "1" else rf"${factor} \times 10^{{{power}}}$"


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """A spectrum (time, bin) on true energies: each record keeps its own table.

    `lower` and `upper` (time or 1, bin) are the edges of the bins in ln E, NaN = not used; with
    `log_axis` False in the units of a linear axis. `scale` of the colours is "log", "linear" or
    "signed", which has zero in the middle; `bounds` are theirs where the drawn has bounds itself.
    """

    time: np.ndarray
    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    label: str
    colour_label: str
    log_axis: bool = True
    scale: str = "log"
    bounds: tuple[float, float] | None = None

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw the mean over each pixel; white = no data."""
        from matplotlib.image import AxesImage

        bottom, top = np.nanmin(self.lower), np.nanmax(self.upper)
        if self.log_axis:
            ax.set_ylim(np.exp(bottom), np.exp(top))
            logarithmic(ax)
        else:
            ax.set_ylim(bottom, top)
        ax.set_ylabel(self.label)
        # The grid is the pixels themselves, even in ln E as the axis is: nothing is resampled on
        # a linear scale, which would put energies in wrong places.
        height = max(1, round(ax.bbox.height))
        grid = Grid(pixels_in_time(ax, interval), np.linspace(bottom, top, height + 1))
        image = raster(self.values, self.lower, self.upper, _cells(self.time, interval), grid)
        norm, cmap = colours_of(image, self.scale)
        if self.bounds is not None:
            norm.vmin, norm.vmax = self.bounds
        drawn = AxesImage(ax, cmap=cmap, norm=norm, origin="lower", extent=(0, 1, 0, 1),
                          interpolation="nearest", transform=ax.transAxes, zorder=0.5)  # fmt: skip
        log = self.scale == "log"
        drawn.set_data(np.where(image == 0, norm.vmin * 1e-3, image) if log else image)
        drawn.set_clip_path(ax.patch)
        ax.add_image(drawn)
        bar = ax.inset_axes((1.012, 0, 0.014, 1))
        below = log and bool((image < norm.vmin).any())
        colours = ax.figure.colorbar(drawn, cax=bar, extend="min" if below else "neither",
                                     extendfrac=0.04)  # fmt: skip
        colours.set_label(self.colour_label, fontsize=8.5)
        colours.outline.set_linewidth(0.6)
        bar.tick_params(labelsize=8.5, width=0.6)
        if log:
            logarithmic(bar)
        bar.minorticks_off()
        ax.grid(False)


def colours_of(image: np.ndarray, scale: str) -> tuple[Normalize, Colormap]:
    """Return the norm and the colours of an image on a scale: "log", "linear" or "signed"."""
    import matplotlib as mpl
    from matplotlib.colors import LogNorm, Normalize

    clear = (1, 1, 1, 0)
    if scale == "log":
        cmap = mpl.colormaps["viridis"].with_extremes(under=NOTHING_COUNTED, bad=clear)
        return LogNorm(*colour_range(image)), cmap
    known = image[np.isfinite(image)]
    if scale == "signed":
        # Purple and orange, which do not turn into each other for anyone.
        most = float(np.percentile(np.abs(known), 99.5)) if known.size else 1.0
        cmap = mpl.colormaps["PuOr"].with_extremes(bad=clear)
        return Normalize(-(most or 1.0), most or 1.0), cmap
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    cmap = mpl.colormaps["viridis"].with_extremes(bad=clear)
    return Normalize(low, high if high > low else low + 1.0), cmap


def colour_range(image: np.ndarray) -> tuple[float, float]:
    """Lowest and highest value on the colour scale: most of what is positive, at most 7 decades."""
    positive = image[image > 0]
    if not positive.size:
        return 1.0, 10.0
    low, high = np.percentile(positive, [1, 99.9])
    low = max(low, high * 1e-7)
    return (low, high) if high > 1.01 * low else (low / 10, high)


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
        mean = _per_column(self.time, self.probability, columns, interval)
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


@dataclass(frozen=True, slots=True)
class Flags:
    """A line (time,) per flag: whether it is set, its name, and whether it masks data."""

    time: np.ndarray
    set: np.ndarray
    names: tuple[str, ...]
    masking: tuple[bool, ...]

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw a pale line where there are data, a dark one where the flag is set."""
        columns = pixels_in_time(ax, interval)
        steps = np.arange(len(self.names) + 1.0)
        mean = _per_column(self.time, self.set, columns, interval)
        edges = columns.astype("datetime64[ns]")
        ax.set_ylim(steps[-1], 0)
        for k, (name, masks) in enumerate(zip(self.names, self.masking, strict=True)):
            flat = np.full(mean.shape[1], float(k))
            _filled(ax, edges, flat + 0.12, flat + 0.88, np.isfinite(mean[k]), FAINT)
            colour = RED if masks else GREY
            _filled(ax, edges, flat + 0.12, flat + 0.88, mean[k] > 0, colour)
            ax.text(1.006, k + 0.5, name, transform=ax.get_yaxis_transform(), va="center",
                    fontsize=6.6, color=RED if masks else SOFT)  # fmt: skip
        ax.set_yticks([])
        ax.set_ylabel("flags", rotation=0, ha="right", va="center", fontsize=7.5, color=SOFT)
        ax.grid(False)
        ax.tick_params(which="both", length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)


def _per_column(
    time: np.ndarray, values: np.ndarray, columns: np.ndarray, interval: Interval
) -> np.ndarray:
    """Mean of values (time, kind) over each column, (kind, column)."""
    steps = np.arange(values.shape[1] + 1.0)
    return raster(values, steps[None, :-1], steps[None, 1:], _cells(time, interval),
                  Grid(columns, steps))  # fmt: skip


def _cells(time: np.ndarray, interval: Interval) -> tuple[np.ndarray, np.ndarray]:
    return cells(time, (interval.stop - interval.start) // 200)


def _filled(ax: Axes, edges: np.ndarray, low: np.ndarray, high: np.ndarray, where: np.ndarray,
            colour: str) -> None:  # fmt: skip
    """Fill whole columns between two heights."""
    high = np.where(where, high, low)
    ax.fill_between(edges, np.append(low, low[-1]), np.append(high, high[-1]), step="post",
                    color=colour, lw=0)  # fmt: skip


def no_data(ax: Axes, interval: Interval) -> None:
    """Say that there is nothing."""
    ax.set_yticks([])
    ax.grid(False)
    ax.text(0.5, 0.5, "no data in this interval", transform=ax.transAxes, ha="center", va="center",
            color=SOFT, fontsize=11)  # fmt: skip


def pixels_in_time(ax: Axes, interval: Interval) -> np.ndarray:
    """Return the edges [ns] of the columns of pixels that axes have."""
    width = max(1, round(ax.bbox.width))
    span = interval.stop - interval.start
    return interval.start + np.round(np.arange(width + 1) * (span / width)).astype(np.int64)
