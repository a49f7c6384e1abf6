"""Explorer: products on one time axis, from ten years to a burst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel as pn
from bokeh.models import CustomJS

from ..errors import PipeError, UsageError
from ..granule import DAY, SECOND, Interval, instant
from ..publish.picture import Mark
from ..publish.quicklook import marks_of
from .chrome import ASSETS, html, page, remember, said, say
from .desk import Desk, held, load, opening
from .exporting import export_bar
from .figures import Board, interval_of, on_range, x_range
from .latest import Latest
from .state import MOST, View, parsed
from .tree import tree_of
from .words import clock, safe, sentence, typed


class Explorer:
    """One user's explorer page; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None) -> None:
        self.desk = desk
        self.said = said()
        self.view, problem = _first(desk, query)
        interval = self.view.interval or Interval(instant("2020-01-01"), instant("2020-01-02"))
        self.range = x_range(interval)
        self.board = Board(self.range)
        self.plots = pn.Column(sizing_mode="stretch_width", margin=0)
        self.start = pn.widgets.TextInput(label="From (UTC)", width=205)
        self.stop = pn.widgets.TextInput(label="To (UTC)", width=205)
        self.status = html("", styles={"color": "#666"})
        self.latest = Latest(self._asked, self._loaded, self.apply)
        try:
            self.tree = tree_of(held(desk), (*self.view.show, *self.view.events))
        except PipeError as error:
            self.tree = tree_of([], ())
            problem = problem or sentence(error)
        self.tree.param.watch(self._chosen, "chosen")
        self.exports = export_bar(desk, lambda: self.view)
        self.root = self._layout()
        if problem:
            say(self.said, problem)
        elif not self.tree.items:
            say(
                self.said,
                "This store is empty: there is nothing to show yet. "
                "'sciqlop-pipe run TARGET --store DIR' fills it.",
            )
        on_range(self.range, self.latest.request)
        self._times(interval)
        self.apply(self._loaded(self.view))

    def _layout(self) -> pn.Column:
        buttons = pn.Row(
            self.start,
            self.stop,
            pn.widgets.Button(label="Go", width=50, align="end", on_click=self._go),
            _button("◀", "Earlier (left arrow)", lambda _: self._move(-0.5)),
            _button("▶", "Later (right arrow)", lambda _: self._move(0.5)),
            _button("−", "Zoom out (-)", lambda _: self._zoom(2.0)),
            _button("+", "Zoom in (+)", lambda _: self._zoom(0.5)),
            _button("All", "Everything that the store has of these", self._whole, 50),
            sizing_mode="stretch_width",
        )
        main = pn.Column(
            buttons, self.said, self.plots, self.status, self.exports, sizing_mode="stretch_width"
        )
        side = pn.Column(self.tree, width=290, margin=(6, 4))
        body = pn.Row(side, main, sizing_mode="stretch_width")
        return page("explorer", self.desk.url, body, links=self.desk.links)

    # -- what is wanted ------------------------------------------------------------------

    def _asked(self) -> tuple[View]:
        return (replace(self.view, interval=interval_of(self.range)),)

    def _loaded(self, view: View) -> tuple[View, list[Any], list[Mark], str]:
        """Return frames and marks of a view; runs beside the server's own thread."""
        if view.interval is None:
            return view, [], [], ""
        try:
            frames = load(self.desk, view)
            marks = [m for n in view.events for m in marks_of(self.desk.store(), n, view.interval)]
        except PipeError as error:
            return view, [], [], sentence(error)
        return view, frames, marks, ""

    def apply(self, answer: tuple[View, list[Any], list[Mark], str]) -> None:
        """Draw an answer."""
        view, frames, marks, problem = answer
        self.view = view
        if problem:
            say(self.said, problem)
        if not frames and not problem:
            self.plots[:] = [
                html("<p class='quiet'>Tick datasets on the left to see them here.</p>")
            ]
            self.board.shapes = []
        elif frames and self.board.show(frames):
            self.plots[:] = [pn.pane.Bokeh(self.board.root, sizing_mode="stretch_width")]
        shown = self.board.mark(marks)
        words = f"{len(marks)} events" if marks else ""
        words += f", the longest {shown} drawn" if shown < len(marks) else ""
        self.status.object = safe(words)
        if view.interval is not None:
            self._times(view.interval)
        remember(view.query)

    def _times(self, interval: Interval) -> None:
        self.start.value, self.stop.value = clock(interval.start), clock(interval.stop)

    # -- what users do -------------------------------------------------------------------

    def _chosen(self, event: Any) -> None:
        names = list(event.new)
        say(self.said, "")
        if len(names) > MOST:
            say(self.said, f"A page shows up to {MOST} datasets: untick one first.")
            return
        catalogs = [n for n in names if self._kind(n) == "Events"]
        shown = tuple(n for n in names if n not in catalogs)
        first = not self.view.show and shown and self.view.interval is None
        self.view = replace(self.view, show=shown, events=tuple(catalogs))
        if first:
            self._whole(None)
        self.latest.request()

    def _kind(self, name: str) -> str:
        return next((i[1] for i in self.tree.items if i[0] == name), "")

    def _go(self, _: Any) -> None:
        try:
            self._set(Interval.of(typed(self.start.value), typed(self.stop.value)))
            say(self.said, "")
        except PipeError as error:
            say(self.said, sentence(error))

    def _set(self, interval: Interval) -> None:
        self.range.update(start=interval.start / 1e6, end=interval.stop / 1e6)

    def _move(self, part: float) -> None:
        now = interval_of(self.range)
        by = round(part * (now.stop - now.start))
        self._set(Interval(now.start + by, now.stop + by))

    def _zoom(self, factor: float) -> None:
        now = interval_of(self.range)
        half = max(round(factor * (now.stop - now.start) / 2), SECOND // 100)
        middle = (now.start + now.stop) // 2
        self._set(Interval(middle - half, middle + half))

    def _whole(self, _: Any) -> None:
        names = (*self.view.show, *self.view.events)
        rows = [i for i in self.tree.items if i[0] in names and i[5]]
        if rows:
            start = min(instant(r[5]) for r in rows)
            self._set(Interval(start, max(start + SECOND, *(instant(r[6]) for r in rows))))


def _button(label: str, description: str, act: Callable[[Any], None], width: int = 40) -> Any:
    return pn.widgets.Button(
        label=label, width=width, align="end", description=description, on_click=act
    )


def _first(desk: Desk, query: Any) -> tuple[View, str]:
    """Return the view that a page opens with, and what is to be said about it."""
    try:
        view = parsed(query or {})
    except UsageError as error:
        return View(), sentence(error)
    try:
        if not (view.show or view.events):
            first = opening(desk)
            return replace(first, interval=view.interval or first.interval), ""
        if view.interval is None:
            return replace(view, interval=_extent(desk, (*view.show, *view.events))), ""
        return view, ""
    except PipeError as error:
        return view, sentence(error)


def _extent(desk: Desk, names: tuple[str, ...]) -> Interval | None:
    """Return the last day of what a store has of the first of some datasets that it has."""
    rows = {h.name: h for h in held(desk) if h.start}
    first = next((rows[n] for n in names if n in rows), None)
    if first is None:
        return None
    stop = instant(first.stop) + 1
    return Interval(max(instant(first.start), stop - DAY), stop)


def keys(document: Any, explorer: Explorer) -> None:
    """Let the keyboard pan and zoom."""
    document.js_on_event(
        "document_ready",
        CustomJS(args={"range": explorer.range}, code=(ASSETS / "explorer_keys.js").read_text()),
    )
