"""Distribution viewer: one time or an interval of a distribution, in planes, cuts and angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import Tap
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJSHover,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LogColorMapper,
    LogTicker,
    Range1d,
    Span,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from ..errors import PipeError
from ..granule import MINUTE, Interval, instant
from ..interactive import Look, Session
from ..publish.painters import BLUE, FAINT, GREEN, GREY, INK, NOTHING_COUNTED, RED
from .chrome import html, page, said, say
from .desk import Desk, load
from .figures import POWER, Board, interval_of, on_range, x_range
from .latest import Latest
from .looking import (
    Angles,
    Plane,
    angles_of,
    beside,
    cuts_of,
    distributions_of,
    moments_table,
    one_count,
    planes_of,
    session,
    taken,
)
from .state import View, parsed
from .words import clock, sentence, table

SIDE = 290
_COLOURS = {"x": BLUE, "y": GREEN, "z": RED, "perp1": BLUE, "perp2": GREEN, "par": RED}
_SIGNS = {"par": "v∥", "perp1": "v⊥1", "perp2": "v⊥2", "x": "vx", "y": "vy", "z": "vz"}


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers of one look."""

    planes: list[Plane]
    cuts: Any
    angles: Angles | None
    count: tuple[np.ndarray, np.ndarray]
    line: tuple[np.ndarray, np.ndarray]
    moments: list[tuple[str, str]]
    words: str


def seen(session_: Session, start: int, stop: int | None, options: dict[str, Any]) -> Seen:
    """Return the numbers of a look at a time, or over an interval.

    Raises
    ------
    UsageError
        When there is no distribution, too many, or not what the axes need.
    """
    taken(session_, start, stop)
    look: Look = session_.look(start, stop, **options)
    vdf = session_.distributions(start, stop)
    times = vdf["time"].values.astype("datetime64[ns]").astype(np.int64)
    words = clock(int(times[0]))
    if times.size > 1:
        words += f" to {clock(int(times[-1]))}, mean of {times.size} distributions"
    line = (look.line["v"].values, look.line["f"].values[0])
    return Seen(
        planes_of(look),
        cuts_of(look),
        angles_of(look),
        one_count(vdf),
        line,
        moments_table(look),
        words,
    )


class PlaneFigure:
    """One plane of velocities with its contours."""

    def __init__(self, mapper: LogColorMapper) -> None:
        self.source = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.lines = ColumnDataSource({"xs": [], "ys": []})
        self.figure = figure(
            width=SIDE,
            height=SIDE,
            x_range=Range1d(-1, 1),
            y_range=Range1d(-1, 1),
            tools="pan,wheel_zoom,reset,save",
            toolbar_location=None,
            match_aspect=True,
        )
        fig = self.figure
        drawn = fig.image(
            "image", "x", "y", "dw", "dh", source=self.source, color_mapper=mapper, level="image"
        )
        fig.multi_line("xs", "ys", source=self.lines, line_color="white", line_width=1.6)
        fig.multi_line("xs", "ys", source=self.lines, line_color=INK, line_width=0.7)
        fig.add_layout(Span(location=0, dimension="width", line_color=GREY, line_width=0.5))
        fig.add_layout(Span(location=0, dimension="height", line_color=GREY, line_width=0.5))
        fig.add_tools(
            HoverTool(renderers=[drawn], tooltips=[("v", "($x{0}, $y{0}) km/s"), ("f", "@image")])
        )
        fig.axis.axis_label_text_font_style = "normal"
        fig.axis.axis_label_text_font_size = "11px"
        fig.grid.visible = False

    def update(self, plane: Plane, *, contours: bool) -> None:
        """Show another plane."""
        first, _, second = plane.name.partition("_")
        reach, fig = plane.reach, self.figure
        self.source.data = {
            "image": [plane.image],
            "x": [-reach],
            "y": [-reach],
            "dw": [2 * reach],
            "dh": [2 * reach],
        }
        lines = plane.contours if contours else ()
        self.lines.data = {"xs": [x for x, _ in lines], "ys": [y for _, y in lines]}
        fig.x_range.update(start=-reach, end=reach)
        fig.y_range.update(start=-reach, end=reach)
        fig.xaxis.axis_label = f"{_SIGNS.get(first, first)} [km/s]"
        fig.yaxis.axis_label = f"{_SIGNS.get(second, second)} [km/s]"


class Distribution:
    """One user's distribution page; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None) -> None:
        self.desk = desk
        self.said = said()
        self._session: Session | None = None
        self._key: Any = None
        self.latest = Latest(self._asked, self._looked, self.apply)
        problem, view, names = "", View(), []
        try:
            view = parsed(query or {})
            names = distributions_of(desk.store(), desk.graph)
        except PipeError as error:
            problem = sentence(error)
        self._widgets(names, view)
        self.range = x_range(Interval(0, 10**9))
        self.board = Board(self.range, editable=True)
        self.marker = Span(
            dimension="height", line_color=RED, line_width=3, editable=True, location=0
        )
        self.board.extra.append(self.marker)
        self.marker.on_change("location", lambda a, o, n: self.request())
        self.board.box.on_change("left", lambda a, o, n: self.request())
        self.board.box.on_change("right", lambda a, o, n: self.request())
        self.plots = pn.Column(sizing_mode="stretch_width", margin=0)
        self._figures()
        self.words = html("")
        self.moments = html("", width=300)
        self.root = self._layout()
        on_range(self.range, self._redraw)
        if problem:
            say(self.said, problem)
        elif not names:
            say(
                self.said,
                "This store keeps no velocity distributions. Run one, for example "
                "'sciqlop-pipe run mms1.fpi.dis.brst.vdf --keep'.",
            )
        if names:
            self._open(view)

    # -- layout --------------------------------------------------------------------------

    def _widgets(self, names: list[str], view: View) -> None:
        first = next((n for n in view.show if n in names), names[0] if names else None)
        self.which = pn.widgets.Select(label="Distribution", options=names, value=first, width=260)
        self.mode = pn.widgets.RadioButtonGroup(
            options=["one time", "mean over the box"], width=210
        )
        self.how = pn.widgets.RadioButtonGroup(options=["reduced", "slices"], width=140)
        self.axes = pn.widgets.Select(label="Axes", options={"instrument": "instrument"}, width=130)
        self.bulk = pn.widgets.Checkbox(label="bulk frame", value=False, align="end")
        self.contours = pn.widgets.Checkbox(label="contours", value=True, align="end")
        self.v_max = pn.widgets.FloatInput(label="to [km/s]", value=1000.0, start=1.0, width=90)
        self.back = pn.widgets.Button(
            label="◀ (k)", width=64, align="end", on_click=lambda _: self._step(-1)
        )
        self.next = pn.widgets.Button(
            label="(j) ▶", width=64, align="end", on_click=lambda _: self._step(1)
        )
        self.time = pn.widgets.TextInput(label="Time (UTC)", width=200)
        self.which.param.watch(lambda _: self._open(View()), "value")
        self.time.param.watch(lambda e: self._typed(e.new), "value")
        self.mode.param.watch(lambda _: self._moded(), "value")
        for widget in (self.how, self.axes, self.bulk, self.contours, self.v_max):
            widget.param.watch(lambda _: self.request(), "value")

    def _figures(self) -> None:
        self.mapper = LogColorMapper(
            palette=Viridis256,
            low=1e-20,
            high=1e-10,
            nan_color="rgba(0,0,0,0)",
            low_color=NOTHING_COUNTED,
        )
        self.planes = [PlaneFigure(self.mapper) for _ in range(3)]
        bar = ColorBar(color_mapper=self.mapper, width=10, ticker=LogTicker(desired_num_ticks=4))
        self.planes[-1].figure.add_layout(bar, "right")
        self.planes[-1].figure.width = SIDE + 70
        self.cut_sources: dict[str, ColumnDataSource] = {}
        self.cuts = self._axes_figure("velocity [km/s]", "f", log=True)
        self.lines: list[Any] = []
        for k in range(3):
            source = ColumnDataSource({"x": [], "y": []})
            self.lines.append(
                (
                    source,
                    self.cuts.line(
                        "x",
                        "y",
                        source=source,
                        line_width=1.6,
                        color=(BLUE, GREEN, RED)[k],
                        legend_label=f"cut {k}",
                    ),
                )
            )
        self.count = ColumnDataSource({"x": [], "y": []})
        self.counted = self.cuts.line(
            "x", "y", source=self.count, color=GREY, line_dash="dashed", legend_label="one count"
        )
        self.cuts.legend.update(
            label_text_font_size="10px",
            background_fill_alpha=0.6,
            padding=2,
            spacing=-6,
            glyph_width=12,
        )
        self.reduced = self._axes_figure("velocity [km/s]", "F [s m⁻⁴]", log=True)
        self.reduced_source = ColumnDataSource({"x": [], "y": []})
        self.reduced.line("x", "y", source=self.reduced_source, color=INK, line_width=1.6)
        self.angle_mapper = LogColorMapper(
            palette=Viridis256, low=1, high=10, nan_color="rgba(0,0,0,0)", low_color=NOTHING_COUNTED
        )
        self.angle_source = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.angles = figure(
            width=SIDE + 70,
            height=250,
            x_range=Range1d(0, 180),
            toolbar_location=None,
            x_axis_label="pitch angle [deg]",
            y_axis_label="E [eV]",
            tools="",
        )
        drawn = self.angles.image(
            "image", "x", "y", "dw", "dh", source=self.angle_source, color_mapper=self.angle_mapper
        )
        power = CustomJSHover(code="return Number((10 ** value).toPrecision(4))")
        self.angles.add_tools(
            HoverTool(
                renderers=[drawn],
                formatters={"$y": power},
                tooltips=[("pitch angle", "$x{0} deg"), ("E", "$y{custom} eV"), ("f", "@image")],
            )
        )
        self.angles.yaxis.formatter = CustomJSTickFormatter(code=POWER)
        self.angles.axis.axis_label_text_font_style = "normal"
        self.angles.add_layout(
            ColorBar(
                color_mapper=self.angle_mapper, width=10, ticker=LogTicker(desired_num_ticks=4)
            ),
            "right",
        )
        self.angle_pane = pn.pane.Bokeh(self.angles)
        self.no_angles = html(
            "<p class='quiet'>A pitch-angle spectrum needs the magnetic field in the "
            "frame of the distribution.</p>",
            width=SIDE,
            visible=False,
        )

    def _axes_figure(self, x: str, y: str, *, log: bool) -> Any:
        fig = figure(
            width=SIDE,
            height=250,
            y_axis_type="log" if log else "linear",
            toolbar_location=None,
            x_axis_label=x,
            y_axis_label=y,
            tools="pan,wheel_zoom,reset,hover",
            tooltips=[("v", "@x{0.0} km/s"), ("f", "@y")],
        )
        fig.axis.axis_label_text_font_style = "normal"
        fig.axis.axis_label_text_font_size = "11px"
        fig.grid.grid_line_color = FAINT
        return fig

    def _layout(self) -> pn.Column:
        first = pn.Row(self.which, self.time, self.back, self.next, self.axes, self.v_max)
        second = pn.Row(self.mode, self.how, self.bulk, self.contours, self.words)
        planes = pn.Row(*(pn.pane.Bokeh(p.figure) for p in self.planes), self.moments)
        below = pn.Row(
            pn.pane.Bokeh(self.cuts), pn.pane.Bokeh(self.reduced), self.angle_pane, self.no_angles
        )
        hint = html(
            "<span class='quiet'>Drag the red line, or click into the panel; for a mean choose the "
            "box and drag it.</span>"
        )
        return page(
            "distribution",
            self.desk.url,
            first,
            second,
            self.said,
            self.plots,
            hint,
            planes,
            below,
            links=self.desk.links,
        )

    # -- what is looked at ----------------------------------------------------------------

    def _open(self, view: View) -> None:
        if not self.which.value:
            return
        try:
            store = self.desk.store()
            self.what = beside(store, self.desk.graph, self.which.value)
            rows = [
                c for c in store.registry.stored(self.which.value) if c.n and c.first is not None
            ]
            last = next(
                (c for c in rows if view.at is not None and c.start <= view.at < c.stop), rows[-1]
            )
            first, stop = int(last.first or 0), int(last.last or 0) + 1
        except (PipeError, IndexError) as error:
            say(self.said, sentence(error))
            return
        at = view.at if view.at is not None else (first + stop) // 2
        around = Interval(first, stop)
        if around.stop - around.start > 20 * MINUTE:
            around = Interval(max(first, at - 10 * MINUTE), min(stop, at + 10 * MINUTE))
        if view.interval is not None:
            around = view.interval
        self.range.update(start=around.start / 1e6, end=around.stop / 1e6)
        width = (around.stop - around.start) / 1e6
        self.marker.location = at / 1e6
        self.board.box.update(left=at / 1e6 - width / 20, right=at / 1e6 + width / 20)
        self._redraw()
        options = {"instrument": "instrument"}
        if self.what.b:
            options = {"field-aligned": "field", **options}
        try:
            turned = self._kept(around).turned_to if self.what.attitude else ""
        except PipeError as error:
            turned = ""
            say(self.said, sentence(error))
        if turned:
            options[turned] = "turned"
        self.axes.options = options
        self.axes.value = next(iter(options.values()))
        self.v_max.value = self.what.v_max if self.what.v_max != 2500.0 else 1000.0
        self.apply(self._looked(*self._asked()))

    def _redraw(self) -> None:
        name = self.what.spectrum or self.what.vdf
        frames = load(self.desk, View((name,), interval_of(self.range)))
        frames = frames[:1] + [f for f in frames[1:] if not f.name.endswith("/quality")]
        if self.board.show(frames):
            for track in self.board.tracks:
                track.figure.on_event(Tap, self._tapped)
            self.plots[:] = [pn.pane.Bokeh(self.board.root, sizing_mode="stretch_width")]
        self._moded(ask=False)

    def _moded(self, *, ask: bool = True) -> None:
        one = self.mode.value == "one time"
        self.marker.visible, self.board.box.visible = one, not one
        if ask:
            self.request()

    def _tapped(self, event: Any) -> None:
        if event.x is not None and self.mode.value == "one time":
            self.marker.location = event.x

    def _typed(self, text: str) -> None:
        try:
            at = instant(text.strip().replace(" ", "T", 1))
        except PipeError as error:
            say(self.said, sentence(error))
            return
        if abs(at / 1e6 - float(self.marker.location)) > 1e-3:
            self.marker.location = at / 1e6

    def _step(self, by: int) -> None:
        try:
            times = self._kept(interval_of(self.range)).times
        except PipeError as error:
            say(self.said, sentence(error))
            return
        if times.size:
            at = int(np.argmin(np.abs(times / 1e6 - float(self.marker.location))))
            self.marker.location = times[int(np.clip(at + by, 0, times.size - 1))] / 1e6

    def _kept(self, within: Interval) -> Session:
        """Return the session of what is in view; another one is opened when that moves."""
        key = (self.what, within)
        if self._session is None or key != self._key:
            self._session, self._key = session(self.desk.store(), self.what, within), key
        return self._session

    # -- looks ----------------------------------------------------------------------------

    def request(self) -> None:
        """Ask for a look; answers that came too late are not drawn."""
        if not self.which.value or not hasattr(self, "what"):
            return
        self.latest.request()

    def _asked(self) -> tuple[Interval, int, int | None, dict[str, Any]]:
        view = interval_of(self.range)
        options = {
            "sliced": self.how.value == "slices",
            "axes": self.axes.value,
            "bulk": self.bulk.value,
            "v_max": self.v_max.value or 1000.0,
        }
        if self.mode.value == "one time":
            return view, round(float(self.marker.location) * 1e6), None, options
        ends = sorted(round(float(e) * 1e6) for e in (self.board.box.left, self.board.box.right))
        return view, ends[0], max(ends[1], ends[0] + 1), options

    def _looked(
        self, view: Interval, start: int, stop: int | None, options: dict[str, Any]
    ) -> Seen | str:
        try:
            return seen(self._kept(view), start, stop, options)
        except Exception as error:  # noqa: BLE001 - said on the page
            return sentence(error)

    def apply(self, answer: Seen | str) -> None:
        """Show an answer."""
        if isinstance(answer, str):
            say(self.said, answer)
            return
        say(self.said, "")
        self.words.object = f"<b>{answer.words}</b>"
        self.mapper.update(low=answer.planes[0].low, high=answer.planes[0].high)
        for shown, plane in zip(self.planes, answer.planes, strict=True):
            shown.update(plane, contours=bool(self.contours.value))
        sliced = self.how.value == "slices"
        self.cuts.yaxis.axis_label = "f [s³ m⁻⁶]" if sliced else "F [s² m⁻⁵]"
        for (source, _), item, cut in zip(
            self.lines, self.cuts.legend.items, answer.cuts, strict=False
        ):
            name, v, f = cut
            source.data = {"x": v, "y": np.where(f > 0, f, np.nan)}
            item.label = {"value": _SIGNS.get(name, name)}
        speed, level = answer.count if sliced else (np.zeros(0), np.zeros(0))
        reach = answer.planes[0].reach
        inside = speed <= reach
        self.count.data = {
            "x": np.concatenate([-speed[inside][::-1], speed[inside]]),
            "y": np.concatenate([level[inside][::-1], level[inside]]),
        }
        v, f = answer.line
        self.reduced_source.data = {"x": v, "y": np.where(f > 0, f, np.nan)}
        self.moments.object = table(answer.moments)
        self._show_angles(answer.angles)
        if self.mode.value == "one time":
            self.time.value = answer.words
        if pn.state.location is not None:
            at = round(float(self.marker.location) * 1e6)
            pn.state.location.search = View(
                (self.which.value,), interval_of(self.range), at=at
            ).query

    def _show_angles(self, angles: Angles | None) -> None:
        self.angle_pane.visible, self.no_angles.visible = angles is not None, angles is None
        if angles is None:
            return
        self.angle_mapper.update(low=angles.low, high=angles.high)
        height = angles.top - angles.bottom
        self.angle_source.data = {
            "image": [angles.image],
            "x": [0],
            "y": [angles.bottom],
            "dw": [180],
            "dh": [height],
        }
        whole = range(int(np.ceil(angles.bottom)), int(np.floor(angles.top)) + 1)
        self.angles.yaxis.ticker = FixedTicker(ticks=list(whole))
        self.angles.y_range.update(start=angles.bottom, end=angles.top)
