"""Pictures: rows of panels on one time axis, with events over all of them, as one PNG.

Nothing here uses pyplot, so pictures can be drawn from any thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..errors import PipeError, UsageError
from ..granule import DAY, MINUTE, SECOND, Interval
from .ephemeris import Scale, scales
from .painters import FAINT, INK, SOFT
from .panels import Panel, Row, rows
from .whole import replacing

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..store.records import Event

WIDTH, DPI = 1400, 100
LEFT, RIGHT = 96, 176
PIXELS = WIDTH - LEFT - RIGHT
"""Width of all axes."""
HEAD, FOOT = 60, 66
LANE = 17
LANES = 3
SCALE = 14
"""Height of a line of numbers under the time axis."""
_MARKUP = re.compile(r"\\[a-z]+|[${}^ ]")
"""What of a number in mathematics takes no room."""

EVENT_COLOURS = ("#aa3377", "#882255", "#332288", "#117733")
"""Dark tones of Tol's palettes, apart from the colours of the data."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event to draw over all panels: start and stop in ns since 1970 UTC, kind and sense."""

    start: int
    stop: int
    kind: str
    sense: str = ""

    @classmethod
    def of(cls, event: Event) -> Mark:
        """Return the mark of an event of a store."""
        sense = dict(event.attributes).get("sense", "")
        return cls(event.start, event.stop, event.kind, str(sense))

    @property
    def label(self) -> str:
        """Return what is written above it."""
        return " ".join(w for w in (self.kind.replace("_", " "), self.sense) if w)


def draw(panels: Sequence[Panel], interval: Interval, output: Path, title: str, *,
         events: Sequence[Mark] = (), source: str = "", dpi: int = DPI,
         facts: Mapping[str, str] | None = None,
         position: xr.Dataset | None = None) -> None:  # fmt: skip
    """Write a picture of datasets to a PNG file; either all of it is there or nothing.

    Parameters
    ----------
    panels : sequence of Panel
        What to draw, from above; see `panels.rows` for what each DataType looks like.
    interval : Interval
        The time axis.
    output : Path
        The PNG file, replaced when it exists.
    title : str
        What stands above.
    events : sequence of Mark
        Drawn over all panels.
    source : str
        Where the data come from, for the footer.
    dpi : int
        Pixels per inch, 14 inches wide.
    facts : mapping of str to str, optional
        Further words that the file carries.
    position : Position, optional
        Where the spacecraft was, written under the time axis.

    Raises
    ------
    UsageError
        When the file is not to be a PNG, or there is no panel.
    PipeError
        When matplotlib is missing or the file cannot be written.
    """
    output = Path(output)
    if output.suffix.lower() != ".png":
        raise UsageError("a quicklook is a PNG picture", str(output), "Give a name ending in .png")
    made = figure(panels, interval, title, events=events, source=source, position=position)
    with replacing(output, "picture") as part:
        words = {"Software": _software(), "Title": title, **(facts or {})}
        made.savefig(part, format="png", dpi=dpi, metadata=words)


def figure(panels: Sequence[Panel], interval: Interval, title: str, *,
           events: Sequence[Mark] = (), source: str = "",
           position: xr.Dataset | None = None) -> Figure:  # fmt: skip
    """Return the matplotlib Figure that `draw` writes.

    Its axes are labelled dataset/variable (`Axes.get_label`), from above.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PipeError(
            "pictures need matplotlib, which is not installed", "quicklook",
            "Install it: pip install 'sciqlop-pipe[plot]'",
        ) from error  # fmt: skip
    if not panels:
        raise UsageError("there is nothing to draw", "quicklook", "Name at least one dataset")
    every = [row for panel in panels for row in rows(_within(panel, interval))]
    inside = sorted(
        (e for e in events if e.start < interval.stop and e.stop >= interval.start),
        key=lambda e: (e.start, e.stop),
    )
    lanes = _lanes(inside, interval)
    head = HEAD + LANE * (max(lanes, default=-1) + 1)
    below = scales(position, ticks(interval)) if position is not None else ()
    foot = FOOT + (SCALE * len(below) + 8 if below else 0)
    height = head + foot + sum(r.height + r.above for r in every)
    fig = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    at = height - head
    drawn: list[Axes] = []
    for row in every:
        at -= row.above + row.height
        box = (LEFT / WIDTH, at / height, PIXELS / WIDTH, row.height / height)
        drawn.append(_axes(fig, row, box, interval, last=row is every[-1]))
    _scales(drawn[-1], below, ticks(interval))
    _mark(drawn, inside, lanes, interval)
    _words(fig, height, title, interval, panels, source)
    return fig


def _within(panel: Panel, interval: Interval) -> Panel:
    """Return the panel without records outside the interval."""
    if "time" not in panel.ds.coords:
        return panel
    time = panel.ds["time"].values.astype("datetime64[ns]")
    low, high = np.searchsorted(time, interval.slice64)
    return replace(panel, ds=panel.ds.isel(time=slice(int(low), int(high))))


def _axes(fig: Figure, row: Row, box: tuple[float, ...], interval: Interval, *, last: bool) -> Axes:
    ax = fig.add_axes(box, label=row.name)
    ax.set_xlim(*interval.slice64)
    ax.grid(True, color=FAINT, lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(direction="out", width=0.6, labelsize=9.5, colors=INK)
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)
    row.paint(ax, interval)
    ax.set_xlim(*interval.slice64)
    ax.yaxis.label.set_size(min(10.5, ax.yaxis.label.get_size()))
    ax.yaxis.set_label_coords(-(74 if _wide_numbers(ax) else 58) / ax.bbox.width, 0.5)
    at = ticks(interval)
    ax.set_xticks(at, tick_words(at) if last else [""] * at.size)
    if last:
        where = (1 + 42 / PIXELS, -13 / row.height)
        ax.text(*where, "UTC", transform=ax.transAxes, fontsize=9.5, color=INK, va="center")
    if row.title:
        up = 1 + 5 / row.height
        ax.text(0, up, row.title, transform=ax.transAxes, fontsize=9.5, color=INK, va="bottom")
    if row.above >= LANE:
        up = 1 + 5 / row.height
        ax.text(1, up, row.name.split("/")[0], transform=ax.transAxes, fontsize=8.5, color=SOFT,
                ha="right", va="bottom")  # fmt: skip
    return ax


def _wide_numbers(ax: Axes) -> bool:
    """Tell whether numbers on the vertical axis would run into its label where that usually is."""
    words = ax.yaxis.get_major_formatter().format_ticks(ax.get_yticks())
    return max((len(_MARKUP.sub("", w)) for w in words), default=0) > 6


def _scales(ax: Axes, below: Sequence[Scale], times: np.ndarray) -> None:
    """Write lines of numbers under the words of the ticks."""
    height = ax.bbox.height
    for k, scale in enumerate(below):
        up = -(48 + SCALE * k) / height
        ax.text(-28 / PIXELS, up, scale.word, transform=ax.transAxes, fontsize=8.5, color=SOFT,
                ha="right", va="center")  # fmt: skip
        for when, text in zip(times, scale.texts, strict=True):
            ax.text(when, up, text, transform=ax.get_xaxis_transform(), fontsize=8.5, color=INK,
                    ha="center", va="center")  # fmt: skip


def ticks(interval: Interval) -> np.ndarray:
    """Return round times inside an interval, datetime64[ns]."""
    from dateutil.rrule import HOURLY, MINUTELY, SECONDLY
    from matplotlib.dates import AutoDateLocator, num2date

    start, stop = (
        t.astype("datetime64[us]").item().replace(tzinfo=UTC) for t in interval.slice64
    )  # fmt: skip
    locator = AutoDateLocator(minticks=5, maxticks=10)
    # Its own steps leave ten minutes with two ticks.
    locator.intervald[SECONDLY] = locator.intervald[MINUTELY] = [1, 2, 5, 10, 15, 20, 30]
    locator.intervald[HOURLY] = [1, 2, 3, 4, 6, 12]
    found = num2date(locator.tick_values(start, stop))
    # Days as floating point are good to a microsecond.
    at = np.array([t.replace(tzinfo=None) for t in found], "datetime64[us]").astype(np.int64)
    at = (at + 5) // 10 * 10 * 1000
    return at[(at >= interval.start) & (at <= interval.stop)].astype("datetime64[ns]")


def tick_words(times: np.ndarray) -> list[str]:
    """Return the label of each tick: as short as its spacing allows, the date where it begins.

    Parameters
    ----------
    times : ndarray of datetime64[ns] (ticks,)
        Round times, ascending.
    """
    step = int(np.diff(times.astype(np.int64)).min()) if times.size > 1 else SECOND
    texts = [str(t) for t in times]
    if step >= DAY:
        end = 4 if step >= 365 * DAY else 7 if step >= 28 * DAY else 10
        return [text[:end] for text in texts]
    end = 16 if step % MINUTE == 0 else 19 if step % SECOND == 0 else 23
    clocks = [text[11:end] for text in texts]
    days = [text[:10] for text in texts]
    return [
        clock if k and day == days[k - 1] else f"{clock}\n{day}"
        for k, (clock, day) in enumerate(zip(clocks, days, strict=True))
    ]


def _words(fig: Figure, height: int, title: str, interval: Interval, panels: Sequence[Panel],
           source: str) -> None:  # fmt: skip
    left, right = LEFT / WIDTH, (WIDTH - RIGHT) / WIDTH
    top, bottom = 1 - 22 / height, 12 / height
    fig.text(left, top, title, fontsize=15, weight="bold", color=INK, va="top")
    fig.text(right, top, span_text(interval), fontsize=11.5, color=INK, va="top", ha="right")
    names = list(dict.fromkeys(p.name for p in panels))
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    note = " · ".join(part for part in (listed, source) if part)
    note = note if len(note) < 150 else note[:149] + "…"
    fig.text(left, bottom, note, fontsize=7.5, color=SOFT, va="bottom")
    edge = 1 - 14 / WIDTH
    fig.text(edge, bottom, _software(), fontsize=7.5, color=SOFT, va="bottom", ha="right")


def _software() -> str:
    return f"SciQLOP Pipe {__version__}"


def span_text(interval: Interval) -> str:
    """Return an interval as a person writes it, UTC."""
    (day, first), (last_day, last) = (_clock(t) for t in (interval.start, interval.stop))
    if day == last_day:
        return f"{day}  {first} – {last} UTC"
    return f"{day} {first} – {last_day} {last} UTC"


def _clock(when: int) -> tuple[str, str]:
    text = str(np.datetime64(when, "ns"))
    day, clock = text[:10], text[11:]
    if "." in clock:
        clock = clock.rstrip("0").rstrip(".")
    return day, clock.removesuffix(":00") if clock.count(":") == 2 else clock


# -- events ----------------------------------------------------------------------------------


def _lanes(events: Sequence[Mark], interval: Interval) -> list[int]:
    """Return for each event the lane that its label has room in, -1 where there is none."""
    ends = [-np.inf] * LANES
    scale = PIXELS / (interval.stop - interval.start)
    found = []
    for event in events:
        half = 3.4 * len(event.label) + 5
        centre = _centre(event, interval, scale)
        lane = next((k for k, end in enumerate(ends) if centre - half > end), -1)
        if lane >= 0:
            ends[lane] = centre + half
        found.append(lane)
    return found


def _centre(event: Mark, interval: Interval, scale: float) -> float:
    """Return where an event's label stands, in pixels from the left edge of the axes."""
    start, stop = max(event.start, interval.start), min(event.stop, interval.stop)
    return ((start + stop) / 2 - interval.start) * scale


def _mark(axes: Sequence[Axes], events: Sequence[Mark], lanes: Sequence[int],
          interval: Interval) -> None:  # fmt: skip
    """Draw events over all axes: a span with its edges, or a line where it is but a moment."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.8, foreground="white", alpha=0.75)]
    kinds = list(dict.fromkeys(e.kind for e in events))
    scale = PIXELS / (interval.stop - interval.start)
    for event, lane in zip(events, lanes, strict=True):
        colour = EVENT_COLOURS[kinds.index(event.kind) % len(EVENT_COLOURS)]
        start, stop = np.datetime64(event.start, "ns"), np.datetime64(event.stop, "ns")
        wide = (event.stop - event.start) * scale > 3
        for ax in axes:
            if wide and not ax.images:  # a tint would change the colours of a spectrogram
                ax.axvspan(start, stop, color=colour, alpha=0.13, lw=0, zorder=1.5)
            for when in (start, stop) if wide else (start + (stop - start) // 2,):
                ax.axvline(when, color=colour, lw=1.3, zorder=3, path_effects=halo,
                           ls="--" if event.sense == "out" else "-")  # fmt: skip
        if lane >= 0:
            first = axes[0]
            up = 1 + (26 + LANE * lane) / first.bbox.height
            x = _centre(event, interval, scale) / first.bbox.width
            first.text(x, up, event.label, transform=first.transAxes, fontsize=8.5, color=colour,
                       ha="center", va="bottom", weight="bold")  # fmt: skip
