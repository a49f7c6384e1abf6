"""Charts of tables by hvplot: durations, rates, calibration, places, superposed epochs, trends.

Figures against time that are dense, or logarithmic in energy, are tracks (`tracks`): see there why.
hvplot is imported when the first chart is drawn: it takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn

from ..publish.painters import BLUE, FAINT, GREY, INK, RED, REGIONS, SOFT
from .health import Drift
from .places import Places, boundaries
from .statistics import Epoch
from .words import plain

HEIGHT = 210
SQUARE = 290
_MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "plus", "x", "star")
"""Kinds differ in shape too, for whoever does not see the colours."""


def pane(plot: Any, *, wide: bool = True) -> pn.pane.Bokeh:
    """Return a chart as a pane in the style of all charts, as wide as the page or as it is."""
    import holoviews as hv

    figure = hv.render(plot, backend="bokeh")
    figure.toolbar.logo = None
    figure.axis.axis_label_text_font_style = "normal"
    figure.grid.grid_line_color = FAINT
    figure.min_border_left = 70
    figure.axis.axis_label_text_font_size = "11px"
    for legend in figure.legend:
        legend.background_fill_alpha = 0.6
        legend.label_text_font_size = "11px"
    if not wide:
        figure.update(width=None, height=None, frame_width=SQUARE, frame_height=SQUARE,
                      aspect_ratio=None, sizing_mode="fixed", toolbar_location=None)  # fmt: skip
        figure.legend.orientation = "vertical"
        return pn.pane.Bokeh(figure)
    figure.update(width=None, sizing_mode="stretch_width")
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width")


def _of(frame: pd.DataFrame) -> Any:
    import hvplot.pandas  # noqa: F401 - gives tables their `hvplot`

    return frame.hvplot


def _wide(x: str, y: str, height: int = HEIGHT) -> dict[str, Any]:
    return {"height": height, "xlabel": x, "ylabel": y, "grid": True}


def _colours(kinds: Sequence[Any]) -> list[str]:
    return [REGIONS[k % len(REGIONS)] for k in range(len(kinds))]


def _kinds(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["kind"].unique())


# -- events ------------------------------------------------------------------------------------


def durations_plot(frame: pd.DataFrame) -> Any:
    """Return histograms of durations [s] by kind, even in their logarithm where they span much."""
    seconds = frame["seconds"].to_numpy()
    wide = bool(seconds.max() > 20 * seconds.min())
    top = seconds.max() * 1.001
    space = np.geomspace if wide else np.linspace
    edges = space(seconds.min(), max(top, seconds.min() + 1e-9), 31)
    return _of(frame).hist(
        "seconds",
        by="kind",
        bins=edges.tolist(),
        logx=wide,
        alpha=0.65,
        color=_colours(_kinds(frame)),
        line_color="white",
        **_wide("duration [s]", "events"),
    )


def rates_plot(frame: pd.DataFrame) -> Any:
    """Return how many events of each kind begin when."""
    return _of(frame).step(
        "time", "events", by="kind", where="mid", color=_colours(_kinds(frame)), line_width=2,
        **_wide("UTC", "events"),
    )  # fmt: skip


def calibration_plot(frame: pd.DataFrame) -> Any:
    """Return the fraction accepted against the probability, with its error and the diagonal.

    Parameters
    ----------
    frame : DataFrame
        Columns probability, accepted, judged, below, above: as `statistics.calibration` gives.
    """
    diagonal = pd.DataFrame({"probability": [0.0, 1.0], "accepted": [0.0, 1.0]})
    line = _of(diagonal).line(
        "probability", "accepted", color=GREY, line_dash="dotted", hover=False,
        **_wide("probability", "fraction accepted"),
    )  # fmt: skip
    errors = _of(frame).errorbars(
        "probability", "accepted", yerr1="below", yerr2="above", color=SOFT
    )
    points = _of(frame).scatter(
        "probability", "accepted", hover_cols=["judged"], color=BLUE, size=60
    )
    return (line * errors * points).opts(xlim=(0, 1), ylim=(-0.05, 1.05))


def places_plots(places: Places) -> list[Any]:
    """Return where events were: two planes of space, and round the Earth L against local time."""
    rows, units = places.rows, places.units
    reach = 1.1 * float(np.abs(rows[["x", "y", "z"]].to_numpy()).max())
    ends = (-max(reach, 16.0), max(reach, 16.0)) if places.earth else (-reach, reach)
    found = []
    for second in ("y", "z"):
        plot = _scatter(
            rows, "x", second, f"x {places.frame} [{units}]", f"{second} {places.frame} [{units}]"
        )
        if places.earth:
            plot = _surroundings() * plot
        found.append(plot.opts(xlim=ends, ylim=ends, legend_position="bottom"))
    if rows["l"].notna().any():
        plot = _scatter(rows, "mlt", "l", "magnetic local time [h]", "L of the dipole")
        found.append(
            plot.opts(
                xlim=(0, 24), logy=bool(rows["l"].max() > 30), legend_position="bottom", title=""
            )
        )
    return found


def _scatter(rows: pd.DataFrame, x: str, y: str, xlabel: str, ylabel: str) -> Any:
    """Points by kind, each with its colour and shape."""
    import holoviews as hv

    points = []
    for k, kind in enumerate(_kinds(rows)):
        one = _of(rows[rows["kind"] == kind]).scatter(
            x, y, label=plain(kind), hover_cols=["start"], color=REGIONS[k % len(REGIONS)],
            marker=_MARKERS[k % len(_MARKERS)], size=30, alpha=0.75, grid=True,
            xlabel=xlabel, ylabel=ylabel,
        )  # fmt: skip
        points.append(one)
    return hv.Overlay(points)


def _surroundings() -> Any:
    """The Earth and the model boundaries of a usual solar wind."""
    import holoviews as hv

    made = hv.Overlay([hv.Ellipse(0, 0, 2).opts(color=INK, line_width=2)])
    for (name, rows), dash in zip(boundaries().groupby("name"), ("dashed", "solid"), strict=True):
        line = _of(rows).line("x", "rho", label=name, color=SOFT, line_dash=dash, hover=False)
        made = made * line
    return made


def epoch_plot(epoch: Epoch, label: str) -> Any:
    """Return median and quartiles around the middles of events."""
    frame = pd.DataFrame({"offset": epoch.offset, "low": epoch.low, "median": epoch.median,
                          "high": epoch.high, "events": epoch.count})  # fmt: skip
    axes = _wide("from the middle of the event [s]", label)
    look = {"color": BLUE, "alpha": 0.25, "line_alpha": 0, "hover": False}
    band = _of(frame).area("offset", "low", "high", **look, **axes)
    line = _of(frame).line("offset", "median", color=INK, hover_cols=["low", "high", "events"])
    return band * line * _middle()


def _middle() -> Any:
    import holoviews as hv

    return hv.VLine(0).opts(color=RED, line_width=1)


# -- campaigns ---------------------------------------------------------------------------------


def progress_plot(frame: pd.DataFrame) -> Any:
    """Return how many granules were made and failed when."""
    both = frame.melt("time", ["made", "failed"], "kind", "granules")
    made, failed = (
        _of(both[both["kind"] == kind]).step(
            "time", "granules", where="mid", label=kind, color=colour, line_dash=dash, line_width=2,
            **_wide("UTC", "granules"),
        )
        for kind, colour, dash in (("made", BLUE, "solid"), ("failed", RED, "dashed"))
    )  # fmt: skip
    return made * failed


def trend_plot(frame: pd.DataFrame, column: str, label: str) -> Any:
    """Return a number of granules against time."""
    return _of(frame).scatter("time", column, color=BLUE, size=25, **_wide("UTC", label, 190))


def drift_plot(drift: Drift) -> Any:
    """Return daily medians, what is usual, and the days that lie off it."""
    frame = pd.DataFrame({"time": drift.time.astype("datetime64[ns]"), "value": drift.daily,
                          "usual": drift.usual})  # fmt: skip
    axes = _wide("UTC", f"{drift.name.replace('_', ' ')}\n[{plain(drift.units)}]", 180)
    made = _of(frame).scatter("time", "value", label="daily median", color=BLUE, size=25, **axes)
    made = made * _of(frame).line("time", "usual", label="usual", color=INK)
    if drift.odd.any():
        off = _of(frame[drift.odd])
        made = made * off.scatter("time", "value", label="off", color=RED, marker="x", size=90)
    return made


def quality_plot(time: np.ndarray, masked: np.ndarray) -> Any:
    """Return the fraction of every day that is masked by quality."""
    frame = pd.DataFrame({"time": time.astype("datetime64[ns]"), "masked": 100 * masked})
    return _of(frame).scatter("time", "masked", color=RED, marker="square", size=22,
                              **_wide("UTC", "masked by quality [%]", 170))  # fmt: skip
