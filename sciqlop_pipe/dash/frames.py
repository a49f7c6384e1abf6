"""Frames: the numbers of a panel at the pixels of a view, ready to be sent to a browser.

A frame is made of the same rows as a quicklook, so a product is drawn the same everywhere. Nothing
is resampled on a logarithmic axis: images are even in log10 of energy or frequency, means over the
area of each pixel, and the browser's axis is linear in log10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..granule import Interval
from ..publish.painters import (
    GREY,
    INK,
    RED,
    REGIONS,
    Flags,
    Lines,
    Regions,
    Spectrogram,
    colour_range,
)
from ..publish.panels import Panel, Row, rows
from ..publish.raster import Grid, broken, cells, polyline, raster
from ..publish.snapshots import Snapshots
from ..publish.wave_panels import Overlaid
from .words import plain

WIDTH, HEIGHT = 1100, 150
"""Pixels along time and up of a panel."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: x [ms since 1970 UTC] and y, NaN where it breaks; `band` is x, low, high."""

    word: str
    colour: str
    x: np.ndarray
    y: np.ndarray
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines that share an axis."""

    curves: tuple[Curve, ...]
    log: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """An image (row, column), rows from below, over x [ms] and y, which is log10 where `log`.

    `low` and `high` are the ends of the colours; `scale` is "log", "linear" or "signed"; zeros of
    a logarithmic scale lie below `low`, NaN is no data. `curves` lie over it, in its y.
    """

    image: np.ndarray
    x: tuple[float, float]
    y: tuple[float, float]
    low: float
    high: float
    scale: str
    units: str
    log: bool
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class Strip:
    """Stretches [ms] in which something holds."""

    word: str
    colour: str
    start: np.ndarray
    stop: np.ndarray


@dataclass(frozen=True, slots=True)
class Strips:
    """Lanes of stretches, from above; with `together` all in one lane, over curves of 0 to 1."""

    strips: tuple[Strip, ...]
    curves: tuple[Curve, ...] = ()
    together: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What stands where nothing can be drawn."""

    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One row of a page: a dataset's variable, its title and axis label, and what it shows."""

    name: str
    title: str
    label: str
    content: Curves | Picture | Strips | Words

    @property
    def shape(self) -> tuple[str, str, bool]:
        """Return what a figure must be rebuilt for when it changes."""
        log = getattr(self.content, "log", False)
        return self.name, type(self.content).__name__, bool(log)


NOTHING = "no data in this interval"


def frames_of(
    panel: Panel, interval: Interval, *, width: int = WIDTH, height: int = HEIGHT
) -> list[Frame]:
    """Return the frames of a dataset in an interval.

    Parameters
    ----------
    panel : Panel
        The dataset in memory.
    interval : Interval
        What is seen.
    width, height : int
        Pixels of a row.

    Raises
    ------
    PipeError
        When nothing of it can be drawn against time.
    """
    if not panel.ds.sizes.get("time"):
        return [Frame(f"{panel.name}/", panel.name, "", Words(NOTHING))]
    return [_frame(row, interval, width, height) for row in rows(panel)]


def titled(frames: Sequence[Frame], note: str) -> list[Frame]:
    """Return frames whose titles say what they were read from."""
    return [replace(f, title=f"{f.title} ({note})" if note else f.title) for f in frames]


def _frame(row: Row, interval: Interval, width: int, height: int) -> Frame:
    paint, title = row.paint, plain(row.title)
    columns = _columns(interval, width)
    if isinstance(paint, Lines):
        return Frame(row.name, title, plain(paint.label), _lines(paint, columns))
    if isinstance(paint, Spectrogram):
        return Frame(
            row.name, title, plain(paint.label), _picture(paint, interval, columns, height)
        )
    if isinstance(paint, Overlaid):
        below = paint.below
        found = _picture(below, interval, columns, height)
        curves = tuple(_over(word, values, below) for word, values in paint.lines)
        content = replace(found, curves=curves) if isinstance(found, Picture) else found
        return Frame(row.name, title, plain(below.label), content)
    if isinstance(paint, Regions):
        return Frame(row.name, title, "probability", _regions(paint, interval, columns))
    if isinstance(paint, Flags):
        return Frame(row.name, title or "quality flags", "flags", _flags(paint, interval, columns))
    if isinstance(paint, Snapshots):
        words = "planes of velocity do not lie along time: see the page Distribution"
        return Frame(row.name, title, "", Words(words))
    return Frame(row.name, title, "", Words(NOTHING))


def _columns(interval: Interval, width: int) -> np.ndarray:
    span = interval.stop - interval.start
    return interval.start + np.round(np.arange(width + 1) * (span / width)).astype(np.int64)


def _ms(time: np.ndarray) -> np.ndarray:
    return time.astype(np.int64) / 1e6


def _lines(paint: Lines, columns: np.ndarray) -> Curves | Words:
    curves = []
    for line in paint.lines:
        if not np.isfinite(line.values).any():
            continue
        at, value = polyline(paint.time, line.values, columns)
        band = None
        if line.low is not None and line.high is not None:
            band = _band(paint.time, line.low, line.high)
        curves.append(Curve(plain(line.word), line.colour, _ms(at), value, band))
    return Curves(tuple(curves), paint.logarithmic) if curves else Words(NOTHING)


def _band(
    time: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x [ms] and both edges of a band without NaN, closed on either side of every gap.

    A browser's area goes straight from one known point to the next; between points where both
    edges are equal it has no area.
    """
    when, low = broken(time, low)
    _, high = broken(time, high)
    known = np.isfinite(low) & np.isfinite(high)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    starts, stops = ends[::2], ends[1::2] - 1
    at = np.flatnonzero(known)
    x, low, high = (np.asarray(v, np.float64)[at] for v in (_ms(when), low, high))
    for where, before in ((starts, True), (stops, False)):
        place = np.searchsorted(x, _ms(when)[where], "left" if before else "right")
        value = low[place] if before else low[place - 1]
        x = np.insert(x, place, _ms(when)[where])
        low, high = np.insert(low, place, value), np.insert(high, place, value)
    return x, low, high


def _picture(
    paint: Spectrogram, interval: Interval, columns: np.ndarray, height: int
) -> Picture | Words:
    bottom, top = float(np.nanmin(paint.lower)), float(np.nanmax(paint.upper))
    grid = Grid(columns, np.linspace(bottom, top, height + 1))
    alone = (interval.stop - interval.start) // 200
    image = raster(paint.values, paint.lower, paint.upper, cells(paint.time, alone), grid)
    known = image[np.isfinite(image)]
    if not known.size:
        return Words(NOTHING)
    if paint.scale == "log":
        low, high = colour_range(image)
    elif paint.scale == "signed":
        high = float(np.percentile(np.abs(known), 99.5)) or 1.0
        low = -high
    else:
        low, high = float(known.min()), float(known.max())
        high = high if high > low else low + 1.0
    unit = np.log(10) if paint.log_axis else 1.0
    ends = _ms(columns[[0, -1]])
    return Picture(
        image.astype(np.float32),
        (float(ends[0]), float(ends[1])),
        (bottom / unit, top / unit),
        float(low),
        float(high),
        paint.scale,
        plain(paint.colour_label).strip("[]"),
        paint.log_axis,
    )


def _over(word: str, values: np.ndarray, below: Spectrogram) -> Curve:
    unit = np.log(10) if below.log_axis else 1.0
    bottom, top = np.nanmin(below.lower) / unit, np.nanmax(below.upper) / unit
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log10(values) if below.log_axis else np.asarray(values, float)
    at, y = broken(below.time, np.where((y >= bottom) & (y <= top), y, np.nan))
    return Curve(plain(word), INK, _ms(at), y)


def _regions(paint: Regions, interval: Interval, columns: np.ndarray) -> Strips:
    mean = _per_column(paint.time, paint.probability, columns, interval)
    known = np.isfinite(mean).all(0)
    most = np.where(known, np.argmax(np.where(known, mean, 0.0), axis=0), -1)
    strips, curves = [], []
    for k, word in enumerate(paint.labels):
        colour, name = REGIONS[k % len(REGIONS)], word.replace("_", " ")
        strips.append(_strip(name, colour, most == k, columns))
        at, value = polyline(paint.time, paint.probability[:, k], columns)
        curves.append(Curve(name, colour, _ms(at), value))
    return Strips(tuple(strips), tuple(curves), together=True)


def _flags(paint: Flags, interval: Interval, columns: np.ndarray) -> Strips:
    mean = _per_column(paint.time, paint.set, columns, interval)
    return Strips(
        tuple(
            _strip(name, RED if masks else GREY, mean[k] > 0, columns)
            for k, (name, masks) in enumerate(zip(paint.names, paint.masking, strict=True))
        )
    )


def _per_column(
    time: np.ndarray, values: np.ndarray, columns: np.ndarray, interval: Interval
) -> np.ndarray:
    """Mean of values (time, kind) over each column, (kind, column)."""
    steps = np.arange(values.shape[1] + 1.0)
    alone = (interval.stop - interval.start) // 200
    return raster(
        values, steps[None, :-1], steps[None, 1:], cells(time, alone), Grid(columns, steps)
    )


def _strip(word: str, colour: str, where: np.ndarray, columns: np.ndarray) -> Strip:
    """Return the runs of columns in which something holds."""
    change = np.diff(np.concatenate([[False], where, [False]]).astype(np.int8))
    start, stop = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return Strip(word, colour, _ms(columns[start]), _ms(columns[stop]))
