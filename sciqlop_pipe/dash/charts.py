"""Charts of events: durations, rates, calibration, superposed epochs, before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import xarray as xr
from bokeh.plotting import figure

from .. import datatypes
from ..catalog import Catalog
from ..errors import PipeError, UsageError
from ..publish.levels import kind_of
from ..publish.painters import FAINT
from ..store import Store
from ..store.events import changed_at, current_events, staged_events
from ..store.records import Event
from ..store.staging import stages
from . import plots
from .chrome import html, said, say
from .desk import EVER, Desk
from .places import places_of, positions_of
from .statistics import (
    MOST_EPOCHS,
    Change,
    alike,
    calibration,
    change,
    durations,
    rates,
    scores,
    superposed_epoch,
)
from .words import clock, plain, safe, sentence, table

MOST_CHARTS = 6


def chart(x: str, y: str, *, time: bool = False, log: bool = False, height: int = 200) -> Any:
    """Return an empty figure in the style of all charts."""
    kind = "datetime" if time else "log" if log else "linear"
    fig = figure(
        height=height,
        sizing_mode="stretch_width",
        x_axis_type=kind,
        x_axis_label=x,
        y_axis_label=y,
        tools="pan,box_zoom,wheel_zoom,reset,save",
        toolbar_location="right",
        min_border_left=70,
    )
    fig.toolbar.logo = None
    fig.axis.axis_label_text_font_style = "normal"
    fig.grid.grid_line_color = FAINT
    return fig


def statistics_of(desk: Desk, catalog: Catalog, context: Callable[[], list[str]]) -> pn.Column:
    """Return what is under the plots of an event; each part is made when it is asked for."""
    parts: dict[str, Callable[[], pn.Column]] = {
        "Statistics": lambda: _summary(catalog),
        "Where": lambda: _where(desk, catalog),
        "Superposed epoch": lambda: _epoch(desk, catalog, context),
        "Before and after": lambda: _changes(desk, catalog),
    }
    which = pn.widgets.RadioButtonGroup(options=list(parts), value="Statistics")
    holder = pn.Column(parts["Statistics"](), sizing_mode="stretch_width")

    def show(event: Any) -> None:
        holder[:] = [parts[event.new]()]

    which.param.watch(show, "value")
    return pn.Column(which, holder, sizing_mode="stretch_width")


def _summary(catalog: Catalog) -> pn.Column:
    events = catalog.events
    found = scores(catalog)
    rows = [(k, f"{v:.3g}") for k, v in found.items()]
    parts: list[Any] = [html(table(rows))]
    lasting = durations(events)
    charts = []
    if len(lasting):
        charts.append(plots.durations_plot(lasting))
    if len(events):
        charts.append(plots.rates_plot(rates(events)))
    judged = calibration(catalog)
    if len(judged):
        charts.append(plots.calibration_plot(judged))
    parts += [plots.pane(c) for c in charts]
    if not len(judged):
        parts.append(
            html("<p class='quiet'>Calibration needs verdicts on events with a probability.</p>")
        )
    return pn.Column(*parts, sizing_mode="stretch_width")


def _where(desk: Desk, catalog: Catalog) -> pn.Column:
    try:
        store = desk.store()
        sources = positions_of(store, desk.graph, catalog.dataset)
        if not sources:
            raise UsageError(
                "the store has no position of this spacecraft, so it is not known where they were",
                catalog.dataset,
                "Run one, for example 'sciqlop-pipe run mms1.mec.srvy.position_gse'",
            )
        found = places_of(store, catalog.events, sources)
    except PipeError as error:
        return pn.Column(said(sentence(error)))
    words = (
        f"{len(found.rows)} of {found.events} events, at their middles, by {safe(found.source)}."
    )
    if found.earth:
        words += " Model boundaries are those of 2 nPa, Mach 8 and B_z = 0."
    charts = [plots.pane(p, wide=False) for p in plots.places_plots(found)]
    return pn.Column(
        html(f"<p>{words}</p>"), pn.Row(*charts[:2]), *charts[2:], sizing_mode="stretch_width"
    )


def _epoch(desk: Desk, catalog: Catalog, context: Callable[[], list[str]]) -> pn.Column:
    problem, holder = said(), pn.Column(sizing_mode="stretch_width")
    name = pn.widgets.Select(label="Dataset", options=context(), width=240)
    half = pn.widgets.FloatInput(label="Half width [s]", value=300.0, start=0.1, width=110)
    groups = alike(catalog.events)
    which = pn.widgets.Select(label="Events", options=list(groups), width=190)

    def draw(_: Any) -> None:
        name.options = context() or name.options
        try:
            events = groups.get(which.value or "", ())
            charts, words = epoch_chart(desk, events, name.value or "", half.value)
        except PipeError as error:
            say(problem, sentence(error))
            return
        say(problem, words, fine=True)
        holder[:] = [plots.pane(c) for c in charts]

    button = pn.widgets.Button(label="Superpose", align="end", on_click=draw)
    return pn.Column(
        pn.Row(name, which, half, button), problem, holder, sizing_mode="stretch_width"
    )


def epoch_chart(
    desk: Desk, events: Sequence[Event], dataset: str, half: float
) -> tuple[list[Any], str]:
    """Return the superposed epochs of the numbers of a dataset, and how many events are in them."""
    if not dataset:
        raise UsageError(
            "no dataset is chosen", todo="Open an event: what is drawn around it can be superposed"
        )
    store = desk.store()
    ds = store.read(dataset)
    charts: list[Any] = []
    used = 0
    for name in _numbers(store, dataset, ds)[:MOST_CHARTS]:
        made = superposed_epoch(store, events, dataset, name, half=half)
        used = max(used, made.events)
        if not made.count.any():
            continue
        word = f"|{name}|" if ds[name].ndim == 2 else name
        units = ds[name].attrs.get("units", "")
        charts.append(plots.epoch_plot(made, f"{word.replace('_', ' ')} [{plain(units)}]"))
    more = f" (the first {MOST_EPOCHS})" if len(events) > MOST_EPOCHS else ""
    return charts, f"Median and quartiles of {used} of {len(events)} events of {dataset}{more}"


def _numbers(store: Store, dataset: str, ds: xr.Dataset) -> list[str]:
    """Names of the numbers and vectors against time, in the order of their DataType."""
    kind = getattr(datatypes, kind_of(store, dataset, EVER), None)
    order = [v.name for v in kind.variables] if kind is not None else []
    found = [
        str(n)
        for n, a in ds.data_vars.items()
        if a.dims in (("time",), ("time", "component"))
        and a.dtype.kind == "f"
        and not str(n).endswith(("_error", "_limit"))
        and n != "coverage"
    ]
    return sorted(found, key=lambda n: order.index(n) if n in order else len(order))


def _changes(desk: Desk, catalog: Catalog) -> pn.Column:
    try:
        options = states(desk, catalog.dataset)
    except PipeError as error:
        return pn.Column(said(sentence(error)))
    if not options:
        return pn.Column(
            html(
                "<p class='quiet'>These events have not been replaced, and no staged run has "
                "others: there is no before and after.</p>"
            )
        )
    choice = pn.widgets.Select(label="Compare what is current with", options=options, width=420)

    def shown(value: str) -> pn.pane.HTML:
        try:
            return html(change_table(compared(desk, catalog, value)))
        except PipeError as error:
            return said(sentence(error))

    return pn.Column(choice, pn.bind(shown, choice), sizing_mode="stretch_width")


def states(desk: Desk, dataset: str) -> dict[str, str]:
    """Return the states of a catalog that can be compared with the current one, by their words."""
    registry = desk.store().registry
    times = changed_at(registry.db, dataset)
    found = {f"as it was before {clock(t)[:19]}": f"tx:{t - 1}" for t in times[:0:-1]}
    for stage in stages(registry):
        found[f"staged run {stage}"] = f"stage:{stage}"
    return found


def compared(desk: Desk, catalog: Catalog, state: str) -> Change:
    """Return what changes between another state of a catalog and the current one, older first."""
    what, _, value = state.partition(":")
    db = desk.store().registry.db
    now = list(catalog.events)
    if what == "stage":
        return change(now, staged_events(db, catalog.dataset, value))
    return change(current_events(db, catalog.dataset, None, int(value)), now)


def change_table(found: Change) -> str:
    """Return a change as a table."""
    rows: list[tuple[Any, ...]] = [
        ("the same", found.kept, ""),
        ("edges moved", found.moved, ""),
        ("gone", len(found.gone), ""),
        ("new", len(found.new), ""),
    ]
    for word, events in (("gone", found.gone), ("new", found.new)):
        rows += [(word, clock(e.start), e.kind) for e in events[:50]]
    return table(rows, ("", "events", ""))
