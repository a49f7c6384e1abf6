"""Charts of campaigns and health: what exists, where a granule came from, how a dataset drifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool, LabelSet, Range1d

from ..errors import PipeError
from ..granule import Interval
from ..publish.painters import BLUE, GREEN, INK, ORANGE, RED, SOFT
from . import plots
from .charts import chart
from .chrome import html, said
from .desk import Desk
from .health import HATCHES, STATES, Cell, Provenance, drift, granule_trend, losses, placed
from .words import clock, sentence, table


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
    # Lines that pass behind a box are not seen through it.
    fig.rect("x", "y", 0.84, 0.74, source=source, fill_color="white", line_color=None)
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
                parts.append(plots.pane(plots.trend_plot(frame, column, label)))
        if len(frame) == 1:
            row = [(c.replace("_", " "), f"{frame[c].iloc[0]:.4g}") for c in frame.columns[1:]]
            parts += [html("<p>There is one granule, so there is no trend.</p>"), html(table(row))]
        lost = losses(store, name)
        if lost:
            parts += [
                html("<h2>What granules say of their quality</h2>"),
                html(table(lost[:50], ("granule", ""))),
            ]
        found = drift(store, name)
        parts += [plots.pane(plots.drift_plot(d)) for d in found]
        if found and found[0].masked.any():
            parts.append(plots.pane(plots.quality_plot(found[0].time, found[0].masked)))
    except PipeError as error:
        parts.append(said(sentence(error)))
    return pn.Column(*parts, sizing_mode="stretch_width")
