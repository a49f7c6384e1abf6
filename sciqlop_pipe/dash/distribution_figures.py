"""Figures of a distribution: planes with contours, cuts, the reduced one, pitch angles."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
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

from ..publish.painters import BLUE, FAINT, GREEN, GREY, INK, NOTHING_COUNTED, RED
from .chrome import html
from .looking import Angles, Plane, Seen
from .tracks import POWER

SIDE, SQUARE = 290, 222
_SIGNS = {"par": "v∥", "perp1": "v⊥1", "perp2": "v⊥2", "x": "vx", "y": "vy", "z": "vz"}


class PlaneFigure:
    """One plane of velocities with its contours."""

    def __init__(self, mapper: LogColorMapper) -> None:
        self.source = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.lines = ColumnDataSource({"xs": [], "ys": []})
        self.figure = figure(
            frame_width=SQUARE,
            frame_height=SQUARE,
            x_range=Range1d(-1000, 1000),
            y_range=Range1d(-1000, 1000),
            tools="pan,wheel_zoom,reset,save",
            toolbar_location=None,
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


class DistributionFigures:
    """All figures of one look at a distribution, updated in place."""

    def __init__(self) -> None:
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
        self.cuts = _against_velocity("f")
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
        self.reduced = _against_velocity("F [s m⁻⁴]")
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

    @property
    def below(self) -> tuple[Any, ...]:
        """Return what stands below the planes: cuts, the reduced distribution, pitch angles."""
        return (
            pn.pane.Bokeh(self.cuts), pn.pane.Bokeh(self.reduced), self.angle_pane, self.no_angles,
        )  # fmt: skip

    def update(self, look: Seen, *, sliced: bool, contours: bool) -> None:
        """Show another look."""
        self.mapper.update(low=look.planes[0].low, high=look.planes[0].high)
        for shown, plane in zip(self.planes, look.planes, strict=True):
            shown.update(plane, contours=contours)
        self.cuts.yaxis.axis_label = "f [s³ m⁻⁶]" if sliced else "F [s² m⁻⁵]"
        for (source, _), item, cut in zip(
            self.lines, self.cuts.legend.items, look.cuts, strict=False
        ):
            name, v, f = cut
            source.data = {"x": v, "y": np.where(f > 0, f, np.nan)}
            item.label = {"value": _SIGNS.get(name, name)}
        speed, level = look.count if sliced else (np.zeros(0), np.zeros(0))
        reach = look.planes[0].reach
        inside = speed <= reach
        self.count.data = {
            "x": np.concatenate([-speed[inside][::-1], speed[inside]]),
            "y": np.concatenate([level[inside][::-1], level[inside]]),
        }
        self.cuts.legend.items[-1].visible = bool(inside.any())
        v, f = look.line
        self.reduced_source.data = {"x": v, "y": np.where(f > 0, f, np.nan)}
        self._show_angles(look.angles)

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


def _against_velocity(y: str) -> Any:
    """Return an empty figure of something against velocity."""
    fig = figure(
        width=SIDE,
        height=250,
        y_axis_type="log",
        toolbar_location=None,
        x_axis_label="velocity [km/s]",
        y_axis_label=y,
        tools="pan,wheel_zoom,reset,hover",
        tooltips=[("v", "@x{0.0} km/s"), ("f", "@y")],
    )
    fig.axis.axis_label_text_font_style = "normal"
    fig.axis.axis_label_text_font_size = "11px"
    fig.grid.grid_line_color = FAINT
    return fig
