"""Distribution viewer: one time or an interval of a distribution, in planes, cuts and angles."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.events import Tap
from bokeh.models import Span

from ..errors import PipeError
from ..granule import MINUTE, Interval
from ..interactive import Session
from ..publish.painters import RED
from .chrome import html, page, remember, said, say
from .desk import Desk, load
from .distribution_figures import DistributionFigures
from .figures import Board, interval_of, on_range, x_range
from .latest import Latest
from .looking import Seen, beside, distributions_of, seen, session
from .state import View, parsed
from .words import sentence, table, typed


class Distribution:
    """One user's distribution page; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None) -> None:
        self.desk = desk
        self.said = said()
        self._session: Session | None = None
        self._key: Any = None
        self._answering = False
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
        self.drawn = DistributionFigures()
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

    def _layout(self) -> pn.Column:
        first = pn.Row(self.which, self.time, self.back, self.next, self.axes, self.v_max)
        second = pn.Row(self.mode, self.how, self.bulk, self.contours, self.words)
        planes = pn.Row(*(pn.pane.Bokeh(p.figure) for p in self.drawn.planes), self.moments)
        below = pn.Row(*self.drawn.below)
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
        doc = pn.state.curdoc
        if self.desk.warming and doc is not None and doc.session_context is not None:
            words = (
                "Kernels are being compiled, once on this machine: the planes come in less than "
                "a minute."
            )
            say(self.said, words, fine=True)
            pn.state.onload(self.request)
        else:
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
        if self._answering:
            # An answer says whose time it is; it does not take the marker from who drags it.
            return
        try:
            at = typed(text)
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
        self.drawn.update(
            answer, sliced=self.how.value == "slices", contours=bool(self.contours.value)
        )
        self.moments.object = table(answer.moments)
        if self.mode.value == "one time":
            self._answering = True
            self.time.value = answer.words
            self._answering = False
        at = round(float(self.marker.location) * 1e6)
        remember(View((self.which.value,), interval_of(self.range), at=at).query)
