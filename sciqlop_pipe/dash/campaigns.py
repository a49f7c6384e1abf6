"""Campaigns and health: what exists, what runs, what fails, where it came from, how it drifts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool, LabelSet, Range1d

from ..campaign.reprocess import unresolved
from ..campaign.status import status_of
from ..errors import PipeError, UsageError
from ..granule import DAY, Interval, instant
from ..publish.painters import BLUE, GREEN, INK, ORANGE, RED, SOFT
from ..standard import is_overview
from ..store import campaigns as book
from ..store.staging import stages
from .charts import chart
from .chrome import html, page, said, say
from .desk import Desk
from .health import (
    HATCHES,
    MOST_DATASETS,
    STATES,
    Cell,
    Provenance,
    coverage,
    drift,
    granule_trend,
    losses,
    placed,
    provenance,
    rate,
)
from .state import View, parsed
from .tables import difference_table, failure_rows, status_table
from .words import clock, plain, safe, sentence, table

REFRESH_MS = 5000
_EMPTY = "This store is empty: nothing was run into it yet. 'sciqlop-pipe run TARGET' begins."


class Campaigns:
    """One user's page of campaigns and health; `root` is what is served."""

    def __init__(self, desk: Desk, query: Any = None) -> None:
        self.desk = desk
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
        self.which.param.watch(lambda _: self.show(), "value")
        self.root = page(
            "campaigns", desk.url, pn.Row(self.which), self.said, self.holder, links=desk.links
        )
        self.show()

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
                within = Interval.of(*(w.value.strip().replace(" ", "T", 1) for w in (start, stop)))
                names = [n for n in self.names if all(w in n for w in words.value.split())]
                if not names:
                    raise UsageError("no dataset of this store has these words in its name")
                cells = coverage(self.desk.store(), self.desk.graph, names, within)
            except PipeError as error:
                say(problem, sentence(error))
                return
            over = len(names) - MOST_DATASETS
            say(problem, f"{over} more datasets: narrow them by words." if over > 0 else "")
            names = names[:MOST_DATASETS]
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
            fig = chart("UTC", "granules", time=True)
            fig.step(
                frame["time"],
                frame["made"],
                mode="center",
                color=BLUE,
                line_width=2,
                legend_label="made",
            )
            fig.step(
                frame["time"],
                frame["failed"],
                mode="center",
                color=RED,
                line_width=2,
                line_dash="dashed",
                legend_label="failed",
            )
            parts += [
                html("<h2>The last day of work</h2>"),
                pn.pane.Bokeh(fig, sizing_mode="stretch_width"),
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
        token = pn.widgets.PasswordInput(
            label="Token", visible=bool(self.desk.access.token), width=120
        )
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
                at = instant(when.value.strip().replace(" ", "T", 1))
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


def _extent(desk: Desk) -> Interval:
    """Return the newest year of what a store has, on whole days."""
    rows = [r for r in desk.store().registry.summary() if r["start"]]
    if not rows:
        return Interval.of("2020-01-01", "2020-01-02")
    newest = max(instant(r["stop"]) for r in rows)
    oldest = min(instant(r["start"]) for r in rows)
    start = max(oldest, newest - 366 * DAY) // DAY * DAY
    return Interval(start, (newest // DAY + 1) * DAY)


def coverage_chart(cells: list[Cell], names: list[str], within: Interval) -> Any:
    """Return the map of datasets against time; states differ in colour and hatching."""
    fig = chart("UTC", "", time=True, height=max(150, 60 + 22 * len(names)))
    fig.x_range = Range1d(within.start / 1e6, within.stop / 1e6)
    fig.y_range = Range1d(len(names), 0)
    rows = {n: k for k, n in enumerate(names)}
    for state, colour in STATES.items():
        mine = [c for c in cells if c.state == state]
        # A granule that is narrower than a pixel is still to be seen.
        least = (within.stop - within.start) / 900
        source = ColumnDataSource(
            {
                "left": [c.start / 1e6 for c in mine],
                "right": [max(c.stop, c.start + least) / 1e6 for c in mine],
                "top": [rows[c.dataset] + 0.1 for c in mine],
                "bottom": [rows[c.dataset] + 0.9 for c in mine],
                "dataset": [c.dataset for c in mine],
                "state": [c.state for c in mine],
                "why": [c.why for c in mine],
                "granules": [c.granules for c in mine],
                "span": [f"{clock(c.start)[:16]} to {clock(c.stop)[:16]}" for c in mine],
            }
        )
        fig.quad(
            "left",
            "right",
            "top",
            "bottom",
            source=source,
            fill_color=colour,
            line_color=None,
            hatch_pattern=HATCHES[state],
            hatch_color="white",
            hatch_scale=6,
            legend_label=f"{state} ({sum(c.granules for c in mine)})",
        )
    fig.add_tools(
        HoverTool(
            tooltips=[
                ("", "@dataset"),
                ("", "@state @why"),
                ("granules", "@granules"),
                ("", "@span"),
            ]
        )
    )
    ticks = [k + 0.5 for k in range(len(names))]
    fig.yaxis.ticker = ticks
    fig.yaxis.major_label_overrides = {k + 0.5: n for n, k in rows.items()}
    fig.add_layout(fig.legend[0], "above")
    fig.legend.update(orientation="horizontal", border_line_color=None, label_text_font_size="11px")
    return fig


def provenance_chart(found: Provenance) -> Any:
    """Return the graph of what a granule was made from, the granule on the right."""
    where = placed(found)
    width = max((x for x, _ in where.values()), default=0.0) + 1
    height = max((y for _, y in where.values()), default=0.0) + 0.5
    fig = chart("", "", height=int(min(900, 130 + 62 * height)))
    fig.x_range, fig.y_range = Range1d(-0.5, width - 0.5), Range1d(height, 0)
    fig.axis.visible, fig.grid.visible = False, False
    lines = [(where[a], where[b]) for a, b, _ in found.edges]
    fig.multi_line(
        [[a[0] + 0.42, b[0] - 0.42] for a, b in lines],
        [[a[1], b[1]] for a, b in lines],
        line_color=SOFT,
        line_width=1.2,
    )
    colours = {"granule": BLUE, "file": ORANGE, "model": GREEN}
    source = ColumnDataSource(
        {
            "x": [where[n.key][0] for n in found.nodes],
            "y": [where[n.key][1] for n in found.nodes],
            "colour": [colours.get(n.kind, RED) for n in found.nodes],
            "first": [_fitting(n.words[0], width) for n in found.nodes],
            "rest": [_fitting(n.words[1] if len(n.words) > 1 else "", width) for n in found.nodes],
            "all": ["\n".join(n.words) for n in found.nodes],
            "kind": [n.kind for n in found.nodes],
        }
    )
    fig.rect(
        "x",
        "y",
        0.84,
        0.74,
        source=source,
        fill_color="colour",
        fill_alpha=0.14,
        line_color="colour",
        line_width=1.4,
    )
    for field, offset in (("first", 3), ("rest", -13)):
        fig.add_layout(
            LabelSet(
                x="x",
                y="y",
                text=field,
                y_offset=offset,
                source=source,
                text_color=INK,
                text_align="center",
                text_font_size="10px",
            )
        )
    fig.add_tools(HoverTool(tooltips=[("", "@kind"), ("", "@all")]))
    return fig


def _fitting(text: str, columns: float) -> str:
    room = int(150 / max(columns, 1))
    return text if len(text) <= room else f"{text[: room // 2 - 1]}…{text[-room // 2 :]}"


def trend_charts(desk: Desk, name: str) -> pn.Column:
    """Return charts of how a dataset went over the years: granules, losses, daily medians."""
    parts: list[Any] = []
    try:
        store = desk.store()
        frame = granule_trend(store, name)
        for column, label in (
            ("records_per_hour", "records per hour"),
            ("seconds", "seconds to make"),
            ("completeness", "completeness"),
        ):
            if (
                len(frame) > 1
                and np.isfinite(frame[column]).any()
                and (column != "completeness" or frame[column].min() < 1)
            ):
                fig = chart("UTC", label, time=True, height=190)
                fig.scatter(frame["time"], frame[column], color=BLUE, size=5)
                parts.append(pn.pane.Bokeh(fig, sizing_mode="stretch_width"))
        if len(frame) == 1:
            row = [(c.replace("_", " "), f"{frame[c].iloc[0]:.4g}") for c in frame.columns[1:]]
            parts += [html("<p>There is one granule, so there is no trend.</p>"), html(table(row))]
        lost = losses(store, name)
        if lost:
            parts += [
                html("<h2>What granules say of their quality</h2>"),
                html(table(lost[:50], ("granule", ""))),
            ]
        for d in drift(store, name):
            fig = chart("UTC", f"{d.name} [{plain(d.units)}]", time=True, height=170)
            fig.scatter(d.time, d.daily, color=BLUE, size=5, legend_label="daily median")
            fig.line(d.time, d.usual, color=INK, legend_label="usual")
            fig.scatter(
                d.time[d.odd],
                d.daily[d.odd],
                color=RED,
                size=9,
                marker="x",
                line_width=2,
                legend_label="off",
            )
            fig.legend.background_fill_alpha = 0.6
            parts.append(pn.pane.Bokeh(fig, sizing_mode="stretch_width"))
    except PipeError as error:
        parts.append(said(sentence(error)))
    return pn.Column(*parts, sizing_mode="stretch_width")
