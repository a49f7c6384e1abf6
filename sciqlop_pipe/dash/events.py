"""Events: a table of what is worth a look, the event in its context, and a verdict on it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import panel as pn

from ..catalog import Catalog, load_catalog
from ..errors import PipeError, UsageError
from ..granule import Interval
from ..publish.quicklook import marks_of, neighbourhood
from ..store.records import Event
from .charts import statistics_of
from .chrome import html, page, remember, said, say, token_field
from .desk import Desk, catalogs, context, load
from .figures import Board, interval_of, on_range, x_range
from .judging import COLUMNS, add_missed, details, filtered, frame_of, judge, missed
from .latest import Latest
from .state import View, parsed
from .words import clock, safe, sentence, table

REFRESH_MS = 5000
STATES = ("unjudged", "accept", "reject", "moved", "disputed", "missed")
WIDTHS = {
    "worth": 56,
    "start": 152,
    "kind": 92,
    "sense": 50,
    "lasts": 56,
    "probability": 52,
    "verdict": 66,
}
_SMALL = """
.tabulator .tabulator-row, .tabulator .tabulator-header { font-size: 11.5px }
.tabulator .tabulator-header .tabulator-col-sorter { display: none !important }
.tabulator .tabulator-header .tabulator-col .tabulator-col-title { padding: 0 !important }
"""


class Events:
    """One user's events page; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None, user: str = "", token: str = "") -> None:
        self.desk, self.user = desk, user
        self.said = said()
        self.latest = Latest(self._asked, self._loaded, self._draw)
        self.event: Event | None = None
        self.catalog: Catalog | None = None
        self.names: list[str] = []
        problem, view, known = "", View(), []
        try:
            view = parsed(query or {})
            known = list(catalogs(desk))
        except PipeError as error:
            problem = sentence(error)
        self._widgets(known, view)
        self.token = token_field(desk.access, token, wanted=not user)
        self.range = x_range(Interval(0, 10**9))
        self.board = Board(self.range, editable=True)
        self.plots = pn.Column(sizing_mode="stretch_width", margin=0)
        self.facts = html("")
        self.more = pn.Column(sizing_mode="stretch_width")
        self.root = self._layout()
        on_range(self.range, self.latest.request)
        if problem:
            say(self.said, problem)
        elif not known:
            say(
                self.said,
                "This store has no catalog of events yet. Run a detector, for example "
                "'sciqlop-pipe run mms1.boundary_crossings', or import a list.",
            )
        if known:
            self._load()
            self._open(view.event)

    # -- layout --------------------------------------------------------------------------

    def _widgets(self, known: list[str], view: View) -> None:
        first = next((n for n in view.events if n in known), known[0] if known else None)
        self.which = pn.widgets.Select(label="Catalog", options=known, value=first, width=330)
        self.kind = pn.widgets.Select(label="Kind", options={"any": ""}, width=130)
        self.state = pn.widgets.Select(
            label="Verdict",
            width=110,
            options={"any": "", **{w: w for w in STATES}},
        )
        self.words = pn.widgets.TextInput(label="Words", placeholder="2015-12 in", width=110)
        self.rows = pn.widgets.Tabulator(
            pd.DataFrame(columns=list(COLUMNS)),
            disabled=True,
            selectable=1,
            show_index=False,
            pagination="local",
            page_size=12,
            height=390,
            hidden_columns=["id"],
            sizing_mode="stretch_width",
            theme="simple",
            widths=WIDTHS,
            stylesheets=[_SMALL],
            titles={"probability": "prob."},
        )
        self.author = pn.widgets.TextInput(
            label="Author", value=self.user, width=130, disabled=bool(self.user)
        )
        self.comment = pn.widgets.TextInput(label="Comment", width=250)
        make = pn.widgets.Button
        self.accept = make(
            label="Accept (a)", button_type="success", on_click=lambda _: self._judge("accept")
        )
        self.reject = make(
            label="Reject (r)", button_type="danger", on_click=lambda _: self._judge("reject")
        )
        self.move = make(label="Save moved edges (m)", on_click=lambda _: self._judge("moved"))
        self.missed = make(label="Box is a missed event", on_click=lambda _: self._missed())
        self.next = make(label="Next (j)", on_click=lambda _: self._step(1))
        self.back = make(label="Back (k)", on_click=lambda _: self._step(-1))
        self.which.param.watch(lambda _: self._changed(), "value")
        for widget in (self.kind, self.state, self.words):
            widget.param.watch(lambda _: self._fill(), "value")
        self.rows.on_click(self._clicked)
        self.rows.param.watch(lambda e: self._picked(e.new), "selection")

    def _layout(self) -> pn.Column:
        refusal = self.desk.refusal
        judging = [
            pn.Row(self.author, self.comment, self.token),
            pn.Row(self.accept, self.reject, self.move),
            pn.Row(self.missed, self.back, self.next),
        ]
        if refusal:
            judging = [
                html(f"<div class='said' role='status'>{safe(refusal)}</div>"),
                pn.Row(self.back, self.next),
            ]
        left = pn.Column(
            self.which,
            pn.Row(self.kind, self.state, self.words),
            self.rows,
            *judging,
            self.facts,
            width=540,
        )
        hint = html(
            "<span class='quiet'>Drag the blue box, or its edges, to where the event is.</span>"
        )
        right = pn.Column(self.said, self.plots, hint, self.more, sizing_mode="stretch_width")
        body = pn.Row(left, right, sizing_mode="stretch_width")
        return page("events", self.desk.url, body, links=self.desk.links)

    # -- the table -----------------------------------------------------------------------

    def _load(self) -> None:
        if not self.which.value:
            return
        try:
            self.catalog = load_catalog(self.desk.store(), self.which.value)
        except PipeError as error:
            say(self.said, sentence(error))
            return
        frame = frame_of(self.catalog)
        kinds = sorted(set(frame["kind"]))
        self.kind.options = {"any": "", **{k: k for k in kinds}}
        self._fill()
        self.more[:] = [statistics_of(self.desk, self.catalog, self._context)]

    def _changed(self) -> None:
        self._load()
        self._open("")

    def _context(self) -> list[str]:
        return self.names

    def _fill(self) -> None:
        if self.catalog is None:
            return
        shown = filtered(
            frame_of(self.catalog),
            kind=self.kind.value or "",
            verdict=self.state.value or "",
            words=self.words.value or "",
        )
        self.rows.value = shown.reset_index(drop=True)
        self._select()

    def _select(self) -> None:
        ids = list(self.rows.value["id"])
        here = [ids.index(self.event.id)] if self.event and self.event.id in ids else []
        if self.rows.selection != here:
            self.rows.selection = here

    def refresh(self) -> None:
        """Show what others said since."""
        if self.catalog is None:
            return
        try:
            now = load_catalog(self.desk.store(), self.catalog.dataset)
        except PipeError as error:
            say(self.said, sentence(error))
            return
        if now != self.catalog:
            self.catalog = now
            self._fill()
            self._describe()

    def _clicked(self, event: Any) -> None:
        self._picked([event.row])

    def _picked(self, selection: list[int]) -> None:
        if not selection or selection[0] >= len(self.rows.value):
            return
        id_ = str(self.rows.value["id"].iloc[selection[0]])
        if self.event is None or self.event.id != id_:
            self._open(id_)

    def _step(self, by: int) -> None:
        ids = list(self.rows.value["id"])
        if ids:
            at = ids.index(self.event.id) if self.event and self.event.id in ids else -by
            self._open(ids[(at + by) % len(ids)])

    # -- one event -----------------------------------------------------------------------

    def _open(self, id_: str) -> None:
        events = {e.id: e for e in self._all()}
        if id_ and not (found := [e for i, e in events.items() if i.startswith(id_)]):
            say(self.said, "There is no current event with the id of the address in this catalog.")
        ids = [i for i in self.rows.value["id"] if i in events]
        self.event = (found[0] if id_ and found else None) or (events[ids[0]] if ids else None)
        if self.event is None:
            self.plots[:] = [html("<p class='quiet'>There is no event here.</p>")]
            return
        if id_:
            say(self.said, "")
        interval = neighbourhood(self.event)
        self.range.update(start=interval.start / 1e6, end=interval.stop / 1e6)
        self._draw(self._loaded(*self._asked()))
        self.board.box.update(
            left=self.event.start / 1e6, right=self.event.stop / 1e6, visible=True
        )
        self._select()
        self._describe()
        remember(View(events=(self.which.value,), event=self.event.id).query)

    def _all(self) -> list[Event]:
        if self.catalog is None:
            return []
        lost = [
            Event(v.event, "missed", v.start or 0, v.stop or v.start or 0)
            for v in missed(self.catalog)
        ]
        return [*self.catalog.events, *lost]

    def _describe(self) -> None:
        if self.event is None or self.catalog is None:
            return
        said_ = self.catalog.verdicts.get(self.event.id, ()) or [
            v for v in self.catalog.unmatched if v.event == self.event.id
        ]
        self.facts.object = table(details(self.event, said_))

    def _asked(self) -> tuple[Any, ...]:
        return self.catalog, self.event, interval_of(self.range)

    def _loaded(self, catalog: Catalog | None, event: Event | None, interval: Interval) -> Any:
        """Return what is drawn around an event, and the sentence where it cannot be."""
        if event is None or catalog is None:
            return [], [], [], ""
        try:
            store = self.desk.store()
            names = context(self.desk, catalog.dataset, event, interval)
            frames = load(self.desk, View(names, interval))
            return list(names), frames, marks_of(store, catalog.dataset, interval), ""
        except PipeError as error:
            return [], [], [], sentence(error)

    def _draw(self, answer: Any) -> None:
        self.names, frames, marks, problem = answer
        if problem:
            say(self.said, problem)
            return
        if not frames:
            words = (
                "The store holds nothing to draw here: neither what it was found in nor anything "
                "of its spacecraft at this time."
            )
            self.plots[:] = [html(f"<p class='said'>{words}</p>")]
            self.board.shapes = []
            return
        if self.board.show(frames):
            self.plots[:] = [pn.pane.Bokeh(self.board.root, sizing_mode="stretch_width")]
        self.board.mark(marks)

    # -- verdicts ------------------------------------------------------------------------

    def span(self) -> Interval:
        """Return where the box is."""
        ends = sorted((round(self.board.box.left * 1e6), round(self.board.box.right * 1e6)))
        return Interval(ends[0], ends[1])

    def _span(self) -> Interval | None:
        """Return where the box is, None where nobody moved it (milliseconds lose nanoseconds)."""
        assert self.event is not None
        span = self.span()
        near = (
            abs(span.start - self.event.start) < 10**6 and abs(span.stop - self.event.stop) < 10**6
        )
        return None if near else span

    def _judge(self, verdict: str) -> None:
        if self.event is None or self.catalog is None:
            say(self.said, "There is no event to judge.")
            return
        before = len(self.catalog.verdicts.get(self.event.id, ()))
        try:
            with self.desk.writing(self._token()) as store:
                judge(
                    store,
                    self.event,
                    self.catalog.dataset,
                    verdict,
                    self.author.value,
                    span=self._span(),
                    comment=self.comment.value,
                )
                now = load_catalog(store, self.catalog.dataset)
        except Exception as error:  # noqa: BLE001 - said on the page
            say(self.said, sentence(error))
            return
        others = [
            v for v in now.verdicts.get(self.event.id, ())[before:] if v.author != self.author.value
        ]
        words = f"{verdict} by {self.author.value.strip()} is kept."
        if others:
            words += f" Meanwhile {others[-1].author} said {others[-1].verdict}: both are kept."
        self.catalog = now
        self.comment.value = ""
        self._fill()
        self._describe()
        say(self.said, words, fine=True)

    def _missed(self) -> None:
        if self.catalog is None:
            return
        try:
            if self.event is not None and self._span() is None:
                raise UsageError("the box lies on an event that is known", todo="Drag it elsewhere")
            with self.desk.writing(self._token()) as store:
                verdict = add_missed(
                    store, self.catalog.dataset, self.span(), self.author.value, self.comment.value
                )
        except Exception as error:  # noqa: BLE001 - said on the page
            say(self.said, sentence(error))
            return
        self.refresh()
        span = f"{clock(verdict.start or 0)} to {clock(verdict.stop or 0)}"
        say(self.said, f"A missed event is kept: {span}.", fine=True)

    def _token(self) -> str:
        return self.desk.access.token if self.user else self.token.value
