"""Tracks: one panel of a board, a frame as a Bokeh figure that is updated in place."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    CrosshairTool,
    CustomJSHover,
    CustomJSTickFormatter,
    DatetimeTickFormatter,
    FixedTicker,
    HoverTool,
    Label,
    Legend,
    LegendItem,
    LinearColorMapper,
    LogColorMapper,
    LogTicker,
    Model,
    Range1d,
    Span,
    Tool,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from ..publish.painters import FAINT, GREY, INK, NOTHING_COUNTED, SOFT
from .frames import Curve, Curves, Frame, Picture, Strips, Words

LEFT, RIGHT = 78, 140
"""Pixels beside every panel, so that their time axes lie above each other."""
HEIGHTS = {"Curves": 150, "Picture": 180, "Strips": 110, "Words": 78}
LANE = 13

_PURPLE, _WHITE, _ORANGE = (45, 0, 75), (247, 247, 247), (179, 88, 6)


def _between(first: tuple[int, ...], last: tuple[int, ...], n: int) -> list[str]:
    parts = np.linspace(first, last, n).round().astype(int)
    return ["#" + "".join(f"{v:02x}" for v in part) for part in parts]


SIGNED = _between(_PURPLE, _WHITE, 128) + _between(_WHITE, _ORANGE, 128)
"""Purple and orange, which do not turn into each other for anyone."""

POWER = (
    "const up = {'-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', "
    "8: '⁸', 9: '⁹'};"
    "const n = Math.round(tick);"
    "if (n >= -2 && n <= 3) return String(Number((10 ** n).toFixed(2)));"
    "return '10' + Array.from(String(n)).map(c => up[c]).join('')"
)
_TIME = {"$x": "datetime", "@x": "datetime"}
_CLOCK = "{%F %T.%3N}"


@dataclass(frozen=True, slots=True)
class Over:
    """What lies over every panel: events, the marked box, the crosshair, and what a page adds."""

    marks: ColumnDataSource
    box: BoxAnnotation
    cross: Span
    extra: tuple[Model, ...] = ()


class Track:
    """One panel: a figure and the sources of what is drawn in it.

    Parameters
    ----------
    frame : Frame
        What it shows first; later ones are of the same shape.
    shared : Range1d
        The range of time of all panels [ms].
    tools : sequence of Tool
        Shared by all panels; the first drags, the second zooms.
    over : Over
        What lies over all of them.
    first, last : bool
        Whether it is at the top, at the bottom.
    """

    def __init__(
        self,
        frame: Frame,
        shared: Range1d,
        tools: Sequence[Tool],
        over: Over,
        *,
        first: bool,
        last: bool,
    ) -> None:
        content = frame.content
        height = HEIGHTS[type(content).__name__]
        if isinstance(content, Strips) and not content.together:
            height = 40 + LANE * len(content.strips)
        if isinstance(content, Words):
            height += 16 * _wrapped(content.text).count("\n")
        height += (46 if last else 0) + (30 if first else 0)
        log = isinstance(content, Curves) and content.log
        self.figure = figure(
            height=height,
            x_axis_type="datetime",
            y_axis_type="log" if log else "linear",
            x_range=shared,
            tools=list(tools),
            sizing_mode="stretch_width",
            toolbar_location="above" if first else None,
            min_border_left=LEFT,
            min_border_right=RIGHT,
            min_border_bottom=6,
            min_border_top=4,
            name=frame.name,
            output_backend="canvas",
        )
        self.figure.toolbar.update(
            logo=None, active_drag=tools[0], active_scroll=tools[1], autohide=False
        )
        self.lines: list[tuple[ColumnDataSource, ColumnDataSource, Any]] = []
        self._style(last)
        self.image = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.bars = ColumnDataSource({"x0": [], "x1": [], "y0": [], "y1": [], "c": [], "word": []})
        self.mapper: Any = None
        self.legend = Legend(
            items=[],
            location="top_left",
            click_policy="hide",
            border_line_color=None,
            padding=2,
            label_text_font_size="11px",
            spacing=0,
            margin=2,
            glyph_width=14,
        )
        self.figure.add_layout(self.legend, "right")
        self.text = Label(
            x=12,
            y=10,
            x_units="screen",
            y_units="screen",
            text="",
            text_color=SOFT,
            text_font_size="13px",
        )
        self.figure.add_layout(self.text)
        if isinstance(content, Picture):
            self._picture(content)
        if isinstance(content, Strips):
            self._strips(content)
        self._over(over)
        self.update(frame)

    def _style(self, last: bool) -> None:
        fig = self.figure
        fig.title.text_font_size, fig.title.text_color = "12px", INK
        fig.title.text_font_style = "normal"
        fig.grid.grid_line_color = FAINT
        fig.yaxis.axis_label_text_font_style = "normal"
        fig.yaxis.axis_label_text_font_size = "12px"
        fig.outline_line_color = GREY
        fig.xaxis.axis_label_text_font_style = "normal"
        fig.xaxis.axis_label_text_font_size = "11px"
        fig.xaxis.formatter = DatetimeTickFormatter(
            microseconds="%H:%M:%S.%f",
            milliseconds="%H:%M:%S.%3N",
            seconds="%H:%M:%S",
            minsec="%H:%M:%S",
            minutes="%H:%M",
            hourmin="%H:%M",
            hours="%H:%M",
            days="%Y-%m-%d",
            months="%Y-%m",
            years="%Y",
            boundary_scaling=True,
        )
        if not last:
            fig.xaxis.major_label_text_font_size = "0pt"
            fig.xaxis.formatter = CustomJSTickFormatter(code="return ''")

    def _picture(self, content: Picture) -> None:
        fig = self.figure
        scale = content.scale
        palette = SIGNED if scale == "signed" else Viridis256
        kind = LogColorMapper if scale == "log" else LinearColorMapper
        under = NOTHING_COUNTED if scale == "log" else None
        self.mapper = kind(
            palette=palette,
            low=content.low,
            high=content.high,
            nan_color="rgba(0,0,0,0)",
            low_color=under,
        )
        drawn = fig.image(
            "image",
            "x",
            "y",
            "dw",
            "dh",
            source=self.image,
            color_mapper=self.mapper,
            level="image",
        )
        bar = ColorBar(
            color_mapper=self.mapper,
            width=10,
            padding=4,
            title=None,
            major_label_text_font_size="10px",
            label_standoff=4,
        )
        if scale == "log":
            bar.ticker = LogTicker(desired_num_ticks=4)
        self.bar = bar
        fig.add_layout(bar, "right")
        fig.grid.visible = False
        up: list[Any] = [("time", f"$x{_CLOCK}"), ("value", f"@image {content.units}")]
        formatters: dict[str, Any] = dict(_TIME)
        if content.log:
            formatters["$y"] = CustomJSHover(code="return Number((10 ** value).toPrecision(4))")
            up.insert(1, ("at", "$y{custom}"))
            fig.yaxis.formatter = CustomJSTickFormatter(code=POWER)
        else:
            up.insert(1, ("at", "$y{0.0}"))
        fig.add_tools(HoverTool(renderers=[drawn], tooltips=up, formatters=formatters))

    def _strips(self, content: Strips) -> None:
        fig = self.figure
        drawn = fig.quad("x0", "x1", "y1", "y0", source=self.bars, fill_color="c", line_color=None)
        fig.add_tools(
            HoverTool(
                renderers=[drawn],
                tooltips=[("", "@word"), ("time", f"$x{_CLOCK}")],
                formatters=_TIME,
            )
        )
        if content.together:
            fig.y_range = Range1d(0, 1.24)
            fig.yaxis.ticker = FixedTicker(ticks=[0, 0.5, 1])
            return
        fig.y_range = Range1d(len(content.strips), 0)
        fig.yaxis.ticker = FixedTicker(ticks=[k + 0.5 for k in range(len(content.strips))])
        fig.yaxis.major_label_overrides = {k + 0.5: s.word for k, s in enumerate(content.strips)}
        fig.yaxis.major_label_text_font_size = "9px"
        fig.yaxis.axis_label = None
        fig.grid.visible = False

    def _over(self, over: Over) -> None:
        fig = self.figure
        drawn = fig.vstrip(
            "x0",
            "x1",
            source=over.marks,
            fill_color="colour",
            fill_alpha=0.08,
            line_color="colour",
            line_width=1.2,
            line_alpha=0.9,
        )
        fig.add_tools(CrosshairTool(overlay=over.cross))
        if fig.select_one(HoverTool) is None:
            fig.add_tools(HoverTool(renderers=[drawn], tooltips=[("", "@word")], visible=False))
        fig.add_layout(over.box)
        for model in over.extra:
            fig.add_layout(model)

    def update(self, frame: Frame) -> None:
        """Show another frame of the same shape."""
        content, fig = frame.content, self.figure
        fig.title.text = frame.title
        if not (isinstance(content, Strips) and not content.together):
            fig.yaxis.axis_label = frame.label
        self.text.text = _wrapped(content.text) if isinstance(content, Words) else ""
        if isinstance(content, Words):
            fig.yaxis.visible = False
            fig.y_range = Range1d(0, 1)
            return
        if isinstance(content, Picture):
            self._update_picture(content)
        if isinstance(content, Strips):
            self._update_strips(content)
        if isinstance(content, Curves) and content.log:
            fig.yaxis.ticker = _log_ticker(content.curves)
        self._curves(content.curves, over=isinstance(content, Picture), units=_units(frame.label))

    def _update_picture(self, content: Picture) -> None:
        (x0, x1), (y0, y1) = content.x, content.y
        self.mapper.update(low=content.low, high=content.high)
        self.image.data = {
            "image": [content.image],
            "x": [x0],
            "y": [y0],
            "dw": [x1 - x0],
            "dh": [y1 - y0],
        }
        self.figure.y_range.update(start=y0, end=y1)
        self.bar.title = None
        if content.log:
            whole = range(int(np.ceil(y0)), int(np.floor(y1)) + 1)
            small = [
                k + np.log10(m)
                for k in range(int(np.floor(y0)), int(np.ceil(y1)) + 1)
                for m in range(2, 10)
            ]
            self.figure.yaxis.ticker = FixedTicker(ticks=list(whole), minor_ticks=small)

    def _update_strips(self, content: Strips) -> None:
        columns: dict[str, list[Any]] = {k: [] for k in ("x0", "x1", "y0", "y1", "c", "word")}
        for k, strip in enumerate(content.strips):
            low, high = (1.06, 1.24) if content.together else (k + 0.12, k + 0.88)
            n = strip.start.size
            columns["x0"] += strip.start.tolist()
            columns["x1"] += strip.stop.tolist()
            columns["y0"] += [low] * n
            columns["y1"] += [high] * n
            columns["c"] += [strip.colour] * n
            columns["word"] += [strip.word] * n
        self.bars.data = columns

    def _curves(self, curves: Sequence[Curve], *, over: bool, units: str) -> None:
        while len(self.lines) < len(curves):
            self._another(curves[len(self.lines)], over=over, units=units)
        items = []
        for k, (line, band, drawn) in enumerate(self.lines):
            if k >= len(curves):
                line.data, band.data = {"x": [], "y": []}, {"x": [], "low": [], "high": []}
                continue
            curve = curves[k]
            line.data = {"x": curve.x, "y": curve.y}
            x, low, high = curve.band or (curve.x[:0],) * 3
            band.data = {"x": x, "low": low, "high": high}
            if not over:
                drawn[0].glyph.line_color = curve.colour
                drawn[1].glyph.fill_color = curve.colour
            if curve.word:
                items.append(LegendItem(label=curve.word, renderers=list(drawn)))
        self.legend.items = items
        self.legend.visible = bool(items)

    def _another(self, curve: Curve, *, over: bool, units: str) -> None:
        line, band = (
            ColumnDataSource({"x": [], "y": []}),
            ColumnDataSource({"x": [], "low": [], "high": []}),
        )
        fig = self.figure
        drawn = [fig.line("x", "y", source=line, line_color=curve.colour, line_width=1.3)]
        if over:
            drawn[0].glyph.line_color, drawn[0].glyph.line_width = "white", 3
            drawn.append(fig.line("x", "y", source=line, line_color="black", line_width=1.2))
        else:
            drawn.append(
                fig.varea("x", "low", "high", source=band, fill_color=curve.colour, fill_alpha=0.22)
            )
        text = [
            ("", curve.word or "value"),
            ("time", f"@x{_CLOCK}"),
            ("value", f"@y {units}"),
        ]
        fig.add_tools(
            HoverTool(
                renderers=[drawn[0]],
                tooltips=text,
                formatters=_TIME,
                mode="mouse",
                visible=not self.lines,
            )
        )
        self.lines.append((line, band, drawn))


def _log_ticker(curves: Sequence[Curve]) -> FixedTicker | LogTicker:
    """Ticks at decades, and 2 and 5 of them where there are few: those of Bokeh would overlap."""
    values = np.concatenate([c.y[np.isfinite(c.y) & (c.y > 0)] for c in curves] or [np.ones(1)])
    low, high = (np.log10(values.min()), np.log10(values.max())) if values.size else (0.0, 1.0)
    if high - low < 0.6:
        return LogTicker(desired_num_ticks=4)
    whole = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    heads = (1, 2, 5) if high - low < 2 else (1,)
    return FixedTicker(
        ticks=[m * 10.0**k for k in whole for m in heads],
        minor_ticks=[m * 10.0**k for k in whole for m in range(2, 10)],
    )


def _units(label: str) -> str:
    return label.partition("[")[2].rpartition("]")[0]


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 125))
