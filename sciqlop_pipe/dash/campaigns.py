"""Campaigns and health: what exists, what runs, what fails, where it came from, how it drifts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from ..campaign.reprocess import unresolved
from ..campaign.status import status_of
from ..errors import PipeError, UsageError
from ..granule import DAY, Interval, instant
from ..standard import is_overview
from ..store import campaigns as book
from ..store.staging import stages
from . import plots
from .campaign_charts import coverage_chart, provenance_chart, trend_charts
from .chrome import html, page, said, say, token_field
from .desk import Desk
from .health import MOST_DATASETS, coverage, provenance, rate
from .state import View, parsed
from .tables import difference_table, failure_rows, status_table
from .words import clock, safe, sentence, table, typed

REFRESH_MS = 5000
_EMPTY = "This store is empty: nothing was run into it yet. 'sciqlop-pipe run TARGET' begins."


class Campaigns:
    """One user's page of campaigns and health; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None, token: str = "") -> None:
        self.desk, self.token = desk, token
        self.said = said()
        parts: dict[str, Callable[[], Any]] = {
            "Coverage": self._coverage,
            "Progress": self._progress,
            "Failures": self._failures,
            "Staged runs": self._staged,
            "Provenance": self._provenance,
            "Trends": self._trends,
        }
        self.view = View()
        try:
            self.view = parsed(query or {})
            self.names = [n for n in desk.store().registry.datasets() if not is_overview(n)]
            if not self.names:
                say(self.said, _EMPTY)
        except PipeError as error:
            self.names = []
            say(self.said, sentence(error))
        self.parts = parts
        self.which = pn.widgets.RadioButtonGroup(options=list(parts), value="Coverage")
        self.holder = pn.Column(sizing_mode="stretch_width")
        self.which.param.watch(lambda _: self._wanted(), "value")
        self.root = page(
            "campaigns", desk.url, pn.Row(self.which), self.said, self.holder, links=desk.links
        )
        self.show()

    def _wanted(self) -> None:
        """Say that a part is being made, then make it: plans and differences take a while."""
        doc = pn.state.curdoc
        if doc is None or doc.session_context is None:
            self.show()
            return
        self.holder[:] = [html("<p class='quiet' role='status'>Looking ...</p>")]
        doc.add_next_tick_callback(self.show)

    def show(self) -> None:
        """Make the part that is chosen; what goes wrong is a sentence in its place."""
        try:
            self.holder[:] = [self.parts[self.which.value]()]
        except Exception as error:  # noqa: BLE001 - said on the page
            self.holder[:] = [said(sentence(error))]

    def refresh(self) -> None:
        """Show how what runs went on; the other parts are made when they are asked for."""
        if self.which.value == "Progress":
            self.show()

    # -- coverage --------------------------------------------------------------------------

    def _coverage(self) -> pn.Column:
        if not self.names:
            return pn.Column()
        ends = self.view.interval or _extent(self.desk)
        start = pn.widgets.TextInput(label="From (UTC)", value=clock(ends.start)[:16], width=170)
        stop = pn.widgets.TextInput(label="To (UTC)", value=clock(ends.stop)[:16], width=170)
        words = pn.widgets.TextInput(label="Names with", value="", width=170)
        holder, problem = pn.Column(sizing_mode="stretch_width"), said()

        def draw(_: Any = None) -> None:
            try:
                within = Interval.of(typed(start.value), typed(stop.value))
                names = [n for n in self.names if all(w in n for w in words.value.split())]
                if not names:
                    raise UsageError("no dataset of this store has these words in its name")
                cells = coverage(self.desk.store(), self.desk.graph, names, within)
            except PipeError as error:
                say(problem, sentence(error))
                return
            over = len(names) - MOST_DATASETS
            names = names[:MOST_DATASETS]
            notes = [f"{over} more datasets: narrow them by words."] if over > 0 else []
            notes += _elsewhere(self.desk, set(names) - {c.dataset for c in cells})
            say(problem, " ".join(notes))
            holder[:] = [
                pn.pane.Bokeh(coverage_chart(cells, names, within), sizing_mode="stretch_width")
            ]

        draw()
        button = pn.widgets.Button(label="Show", align="end", on_click=draw)
        return pn.Column(
            pn.Row(start, stop, words, button), problem, holder, sizing_mode="stretch_width"
        )

    # -- what runs -------------------------------------------------------------------------

    def _progress(self) -> pn.Column:
        store = self.desk.store()
        parts: list[Any] = []
        parts += [
            html(status_table(status_of(store, standing.name)))
            for standing in book.campaigns(store.registry.db)[:10]
        ]
        if not parts:
            parts.append(
                html(
                    "<p class='quiet'>No campaign was launched into this store; single runs "
                    "are below.</p>"
                )
            )
        frame = rate(store)
        if len(frame):
            parts += [
                html("<h2>The last day of work</h2>"),
                plots.pane(plots.progress_plot(frame)),
            ]
        if self.desk.links:
            links = ", ".join(f"<a href='{safe(u)}'>{safe(w)}</a>" for w, u in self.desk.links)
            parts.append(html(f"<p>Their own pages: {links}</p>"))
        return pn.Column(*parts, sizing_mode="stretch_width")

    # -- failures --------------------------------------------------------------------------

    def _failures(self) -> pn.Column:
        store = self.desk.store()
        parts: list[Any] = []
        for standing in book.campaigns(store.registry.db):
            bad = unresolved(store, standing.name)
            if bad:
                parts += [
                    html(f"<h2>Campaign {safe(standing.name)}</h2>"),
                    self._deciding(standing.name, bad),
                ]
        rows = failure_rows(store)
        if rows:
            parts.append(html("<h2>Last attempts that failed</h2>"))
            head = ("dataset", "granule", "state", "error", "to try it again")
            parts.append(html(table(rows[:200], head)))
            if len(rows) > 200:
                parts.append(html(f"<p>and {len(rows) - 200} more</p>"))
        if not parts:
            parts.append(
                html(
                    "<div class='fine' role='status'>Nothing failed that was not made since.</div>"
                )
            )
        return pn.Column(*parts, sizing_mode="stretch_width")

    def _deciding(self, name: str, bad: list[book.Poison]) -> pn.Column:
        options = {f"{p.granule}: {p.error[:120]}": p.granule for p in bad}
        picked = pn.widgets.MultiSelect(
            label="Granules",
            options=options,
            size=min(10, len(bad) + 1),
            sizing_mode="stretch_width",
        )
        author = pn.widgets.TextInput(label="Author", width=140)
        why = pn.widgets.TextInput(label="Why (to go on without)", width=280)
        token = token_field(self.desk.access, self.token, wanted=True)
        problem = said(self.desk.refusal)

        def decide(decided: str) -> None:
            try:
                if not picked.value:
                    raise UsageError("no granule is chosen")
                if not author.value.strip() or (decided == "excused" and not why.value.strip()):
                    raise UsageError("a decision needs an author, and an excuse a reason")
                with self.desk.writing(token.value) as store:
                    book.decide(
                        store.registry.db,
                        name,
                        picked.value,
                        decided,
                        why.value[:500],
                        author.value.strip()[:60],
                    )
            except Exception as error:  # noqa: BLE001 - said on the page
                say(problem, sentence(error))
                return
            words = f"'sciqlop-pipe campaign resume {name}' does so." if decided == "retry" else ""
            say(problem, f"{len(picked.value)} granules: {decided}. {words}", fine=True)

        buttons = pn.Row(
            author,
            why,
            token,
            pn.widgets.Button(
                label="Try again",
                align="end",
                disabled=bool(self.desk.refusal),
                on_click=lambda _: decide("retry"),
            ),
            pn.widgets.Button(
                label="Go on without",
                align="end",
                disabled=bool(self.desk.refusal),
                on_click=lambda _: decide("excused"),
            ),
        )
        return pn.Column(picked, buttons, problem, sizing_mode="stretch_width")

    # -- staged runs -----------------------------------------------------------------------

    def _staged(self) -> pn.Column:
        names = stages(self.desk.store().registry)
        if not names:
            return pn.Column(
                html(
                    "<p class='quiet'>No run is staged. 'sciqlop-pipe run ... --stage NAME' "
                    "keeps results aside until they are published.</p>"
                )
            )
        which = pn.widgets.Select(
            label="Staged run",
            options={f"{n} ({k} granules)": n for n, k in names.items()},
            width=330,
        )
        return pn.Column(which, pn.bind(self._difference, which), sizing_mode="stretch_width")

    def _difference(self, stage: str) -> pn.pane.HTML:
        try:
            return html(difference_table(self.desk.store(), stage))
        except PipeError as error:
            return said(sentence(error))

    # -- provenance ------------------------------------------------------------------------

    def _provenance(self) -> pn.Column:
        if not self.names:
            return pn.Column()
        first = next((n for n in self.view.show if n in self.names), self.names[0])
        which = pn.widgets.Select(label="Dataset", options=self.names, value=first, width=330)
        when = pn.widgets.TextInput(label="At (UTC)", width=190)
        holder, problem = pn.Column(sizing_mode="stretch_width"), said()

        def last(_: Any = None) -> None:
            rows = self.desk.store().registry.stored(which.value)
            if rows:
                when.value = clock(rows[-1].start)[:19]
            draw()

        def draw(_: Any = None) -> None:
            try:
                at = typed(when.value)
                found = provenance(self.desk.store(), which.value, at)
            except PipeError as error:
                say(problem, sentence(error))
                holder[:] = []
                return
            more = f"{found.left_out} more inputs are not drawn; 'sciqlop-pipe explain' lists them."
            say(problem, more if found.left_out else "")
            holder[:] = [pn.pane.Bokeh(provenance_chart(found), sizing_mode="stretch_width")]

        which.param.watch(last, "value")
        if self.view.at is not None:
            when.value = clock(self.view.at)
            draw()
        else:
            last()
        button = pn.widgets.Button(label="Show", align="end", on_click=draw)
        return pn.Column(pn.Row(which, when, button), problem, holder, sizing_mode="stretch_width")

    # -- trends ----------------------------------------------------------------------------

    def _trends(self) -> pn.Column:
        if not self.names:
            return pn.Column()
        first = next((n for n in self.view.show if n in self.names), self.names[0])
        which = pn.widgets.Select(label="Dataset", options=self.names, value=first, width=330)
        return pn.Column(
            which, pn.bind(lambda n: trend_charts(self.desk, n), which), sizing_mode="stretch_width"
        )


def _elsewhere(desk: Desk, names: set[str]) -> list[str]:
    """Return a sentence on what there is, at other times, of datasets with nothing in view."""
    rows = [r for r in desk.store().registry.summary() if r["dataset"] in names and r["start"]]
    if not rows:
        return []
    first, *others = sorted(r["dataset"] for r in rows)
    who = f"{first} and {len(others)} more have" if others else f"{first} has"
    start, stop = min(r["start"] for r in rows)[:10], max(r["stop"] for r in rows)[:10]
    return [f"{who} nothing in this interval, but between {start} and {stop}."]


def _extent(desk: Desk) -> Interval:
    """Return where to look first, on whole days: what there is of the dataset of most granules.

    Widened to the others that touch it, not longer than its newest year.
    """
    rows = [r for r in desk.store().registry.summary() if r["start"]]
    if not rows:
        return Interval.of("2020-01-01", "2020-01-02")
    best = max(rows, key=lambda r: (r["granules"], r["stop"]))
    near = [r for r in rows if r["start"] <= best["stop"] and r["stop"] >= best["start"]]
    newest = max(instant(r["stop"]) for r in near)
    oldest = min(instant(r["start"]) for r in near)
    start = max(oldest, newest - 366 * DAY) // DAY * DAY
    return Interval(start, (newest // DAY + 1) * DAY)
