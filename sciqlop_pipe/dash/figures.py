"""Figures: frames as Bokeh figures on one shared time axis, updated in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bokeh.layouts import column
from bokeh.models import (
    BoxAnnotation,
    BoxZoomTool,
    ColumnDataSource,
    Model,
    PanTool,
    Range1d,
    ResetTool,
    Span,
    Tool,
    WheelZoomTool,
)

from ..granule import Interval, iso
from ..publish.painters import SOFT
from ..publish.picture import EVENT_COLOURS, Mark
from .frames import Frame
from .tracks import Over, Track

MOST_MARKS = 2000


def x_range(interval: Interval) -> Range1d:
    """Return the shared range of time of some figures [ms]."""
    return Range1d(interval.start / 1e6, interval.stop / 1e6, min_interval=1.0)


def interval_of(shared: Range1d) -> Interval:
    """Return the interval that a range shows."""
    start, stop = round(shared.start * 1e6), round(shared.end * 1e6)
    return Interval(min(start, stop), max(start, stop, start + 1_000_000))


class Board:
    """Panels above each other on one time axis.

    Parameters
    ----------
    shared : Range1d
        Their range of time [ms].
    editable : bool
        Whether the marked box (`self.box`) can be dragged and resized.
    """

    def __init__(self, shared: Range1d, *, editable: bool = False) -> None:
        self.shared = shared
        self.marks = ColumnDataSource({"x0": [], "x1": [], "colour": [], "word": []})
        self.box = BoxAnnotation(
            left=0,
            right=0,
            fill_alpha=0.12,
            fill_color="#332288",
            line_color="#332288",
            line_width=2,
            visible=False,
            editable=editable,
            movable="x",
            resizable="x",
        )
        self.cross = Span(dimension="height", line_color=SOFT, line_width=1, line_dash="dotted")
        self.extra: list[Model] = []
        self.tools: list[Tool] = []
        self.tracks: list[Track] = []
        self.shapes: list[tuple[str, str, bool]] = []
        self.root: Model | None = None

    def show(self, frames: Sequence[Frame]) -> bool:
        """Show frames; return whether the figures had to be built anew."""
        anew = self._show(frames)
        if self.tracks:
            self.tracks[-1].figure.xaxis.axis_label = _days(interval_of(self.shared))
        return anew

    def _show(self, frames: Sequence[Frame]) -> bool:
        shapes = [f.shape for f in frames]
        if shapes == self.shapes and self.root is not None:
            for track, frame in zip(self.tracks, frames, strict=True):
                track.update(frame)
            return False
        self.shapes = shapes
        last = len(frames) - 1
        self.tools = [
            PanTool(dimensions="width"),
            WheelZoomTool(dimensions="width"),
            BoxZoomTool(dimensions="width"),
            ResetTool(),
        ]
        over = Over(self.marks, self.box, self.cross, tuple(self.extra))
        self.tracks = [
            Track(f, self.shared, self.tools, over, first=k == 0, last=k == last)
            for k, f in enumerate(frames)
        ]
        self.root = column(*(t.figure for t in self.tracks), sizing_mode="stretch_width")
        return True

    def mark(self, marks: Sequence[Mark]) -> int:
        """Draw events over every panel, the longest where there are too many; return how many."""
        shown = sorted(marks, key=lambda m: m.start - m.stop)[:MOST_MARKS]
        kinds = sorted({m.kind for m in shown})
        self.marks.data = {
            "x0": [m.start / 1e6 for m in shown],
            "x1": [m.stop / 1e6 for m in shown],
            "colour": [EVENT_COLOURS[kinds.index(m.kind) % len(EVENT_COLOURS)] for m in shown],
            "word": [m.label for m in shown],
        }
        return len(shown)


def _days(interval: Interval) -> str:
    """Return the days of an interval for the label of its axis."""
    first, last = (iso(t)[:10] for t in (interval.start, interval.stop - 1))
    return f"UTC, {first}" if first == last else f"UTC, {first} to {last}"


def on_range(shared: Range1d, changed: Callable[[], None]) -> None:
    """Call back when a range of time was panned or zoomed."""

    def moved(attr: str, old: Any, new: Any) -> None:
        changed()

    shared.on_change("start", moved)
    shared.on_change("end", moved)
