"""Pictures of one interval judged by a method: variance, de Hoffmann-Teller and Walen, a shock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..errors import PipeError, UsageError
from ..recipes.de_hoffmann_teller import Frame, Walen
from ..recipes.minimum_variance import Variance
from ..recipes.plasma import Plasma, alfven_velocity
from ..recipes.shocks import Shock, Side
from .anything import COMPONENTS
from .painters import FAINT, INK, SOFT
from .whole import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UP, DOWN = "#4477AA", "#EE6677"
"""Colours of the two sides of a shock."""


def draw_variance(b: xr.Dataset, found: Variance, output: Path, title: str) -> None:
    """Write the field along L, M, N against time, and its hodograms, to a PNG file.

    Parameters
    ----------
    b : VectorSeries
        The field of the interval.
    found : Variance
        Its minimum variance.
    output : Path
        The PNG file.
    title : str
        What stands above.

    Raises
    ------
    UsageError
        When the file is not to be a PNG.
    PipeError
        When matplotlib is missing or the file cannot be written.
    """
    made = _figure(title, 12, 4.6)
    along = np.asarray(b["vector"].values, np.float64) @ found.axes.T
    units = str(b["vector"].attrs["units"])
    grid = made.add_gridspec(1, 3, width_ratios=[2, 1, 1], left=0.06, right=0.985, bottom=0.24,
                             top=0.88, wspace=0.28)  # fmt: skip
    ax = made.add_subplot(grid[0])
    _lines(ax, b["time"].values, along, "LMN", f"B [{units}]")
    for k, (one, other) in enumerate(((1, 0), (2, 0)), start=1):
        ax = made.add_subplot(grid[k])
        ax.plot(along[:, one], along[:, other], "-", color=SOFT, lw=0.8)
        known = np.flatnonzero(np.isfinite(along).all(axis=1))
        for at, mark in ((known[:1], "o"), (known[-1:], "s")):
            ax.plot(along[at, one], along[at, other], mark, color=INK, ms=5)
        ax.set_xlabel(f"$B_{'LMN'[one]}$ [{units}]")
        ax.set_ylabel(f"$B_{'LMN'[other]}$ [{units}]")
        ax.set_aspect("equal", adjustable="datalim")
        ax.grid(color=FAINT, lw=0.4)
    frame = b["vector"].attrs["frame"]
    word = "certain" if found.certain else "uncertain"
    axes = "   ".join(
        f"{name} = ({', '.join(f'{v:.3f}' for v in axis)})"
        for name, axis in zip("LMN", found.axes, strict=True)
    )
    made.text(0.06, 0.075, f"{axes}   {frame}", fontsize=9, color=INK)
    made.text(
        0.06, 0.025,
        f"$\\lambda_1/\\lambda_2$ = {found.eigenvalues[0] / found.eigenvalues[1]:.2f},  "
        f"$\\lambda_2/\\lambda_3$ = {found.ratio:.2f}: the normal is {word};  "
        f"$B_N$ = {found.mean[2]:.2f} $\\pm$ {found.normal_error:.2f} {units};  "
        f"first record: dot, last: square", fontsize=9, color=SOFT,
    )  # fmt: skip
    _write(made, output, title)


def draw_frame(plasma: Plasma, frame: Frame, walen: Walen, output: Path, title: str) -> None:
    """Write E against E of the de Hoffmann-Teller frame, and the Walen relation, to a PNG file.

    Parameters
    ----------
    plasma : Plasma
        The interval.
    frame, walen : Frame, Walen
        What was found.
    output, title
        As of `draw_variance`.

    Raises
    ------
    UsageError
        When the file is not to be a PNG, or the frame is not determined.
    PipeError
        When matplotlib is missing or the file cannot be written.
    """
    if frame.degenerate:
        raise UsageError("B keeps its direction: there is no frame to draw", "analyse ht",
                         "Take an interval in which the field turns")  # fmt: skip
    made = _figure(title, 10, 5.2)
    grid = made.add_gridspec(1, 2, left=0.08, right=0.98, bottom=0.2, top=0.9, wspace=0.24)
    use = plasma.whole
    v, b = plasma.velocity[use], plasma.b[use]
    _scatter(
        made.add_subplot(grid[0]), -1e-3 * np.cross(frame.velocity, b), -1e-3 * np.cross(v, b),
        ("$-V_{HT} \\times B$ [mV/m]", "$-V \\times B$ [mV/m]"), (1.0, 0.0),
    )  # fmt: skip
    _scatter(
        made.add_subplot(grid[1]), alfven_velocity(b, plasma.density[use], plasma.mass),
        v - frame.velocity, ("$V_A$ [km/s]", "$V - V_{HT}$ [km/s]"),
        (walen.slope, walen.intercept),
    )  # fmt: skip
    speed = ", ".join(f"{x:.0f}" for x in frame.velocity)
    made.text(
        0.08, 0.03,
        f"$V_{{HT}}$ = ({speed}) km/s {plasma.frame}, correlation {frame.correlation:.3f}, "
        f"{'good' if frame.good else 'poor'} frame;  Walen slope {walen.slope:.2f} $\\pm$ "
        f"{walen.slope_error:.2f}, correlation {walen.correlation:.2f}: "
        f"{'passed' if walen.passed else 'failed'};  {frame.records} records",
        fontsize=9, color=INK,
    )  # fmt: skip
    _write(made, output, title)


def draw_shock(
    moments: xr.Dataset, b: xr.Dataset, spans: Sequence[tuple[np.datetime64, np.datetime64]],
    sides: tuple[Side, Side], shocks: Sequence[Shock], flags: Sequence[str], output: Path,
    title: str,
) -> None:  # fmt: skip
    """Write field, density and velocity through a shock with both sides, and all normals, to a PNG.

    Parameters
    ----------
    moments, b : Moments, VectorSeries
        From before the first side to after the second.
    spans : sequence of two pairs of datetime64
        Upstream and downstream.
    sides : tuple of two Side
        Their means.
    shocks : sequence of Shock
        By method.
    flags : sequence of str
        What is wrong with them.
    output, title
        As of `draw_variance`.

    Raises
    ------
    UsageError
        When the file is not to be a PNG.
    PipeError
        When matplotlib is missing or the file cannot be written.
    """
    made = _figure(title, 12, 7.2)
    grid = made.add_gridspec(3, 1, left=0.07, right=0.56, bottom=0.08, top=0.92, hspace=0.12)
    n, v = moments["density"].values[:, None], moments["velocity"].values
    rows = (
        (b["time"].values, b["vector"].values, "B", "nT", lambda s: s.b),
        (moments["time"].values, n, "n", "cm$^{-3}$", lambda s: np.array([s.density])),
        (moments["time"].values, v, "V", "km/s", lambda s: s.velocity),
    )
    frame = str(moments["velocity"].attrs["frame"])
    first: Any = None
    for k, (time, values, name, units, mean) in enumerate(rows):
        ax = made.add_subplot(grid[k], sharex=first)
        first = first or ax
        words = [f"{name}$_{c}$" for c in "xyz"] if values.shape[1] == 3 else [name]
        about = f"{name} {frame} [{units}]" if len(words) > 1 else f"{name} [{units}]"
        _lines(ax, time, np.asarray(values, np.float64), words, about)
        for (start, stop), side, colour in zip(spans, sides, (UP, DOWN), strict=True):
            ax.axvspan(start, stop, color=colour, alpha=0.12, lw=0)
            ax.hlines(mean(side), start, stop, color=INK, lw=0.8, ls=":")
        if k < 2:
            ax.tick_params(labelbottom=False)
    places = (0.725, 0.835, 0.87, 0.925, 0.96)
    made.text(0.6, 0.89, "method", fontsize=9, color=SOFT)
    for x, word in zip(places, (f"normal, {frame}", r"$\theta_{Bn}$", "V [km/s]", "$M_A$", "$M_f$"),
                       strict=True):  # fmt: skip
        made.text(x, 0.89, word, fontsize=9, color=SOFT)
    for k, s in enumerate(shocks):
        y = 0.855 - 0.035 * k
        normal = ", ".join(f"{x:.2f}" for x in s.normal)
        made.text(0.6, y, s.method.replace("_", " "), fontsize=9, color=INK)
        numbers = (f"({normal})", f"{s.theta_bn:.0f}°", f"{s.speed:.0f}", f"{s.alfven_mach:.1f}",
                   f"{s.fast_mach:.1f}")  # fmt: skip
        for x, word in zip(places, numbers, strict=True):
            made.text(x, y, word, fontsize=9, color=INK)
    up, down = sides
    stronger = np.linalg.norm(down.b) / np.linalg.norm(up.b)
    notes = [
        "blue: upstream, red: downstream; dotted: their means",
        f"density ratio {down.density / up.density:.2f}, field ratio {stronger:.2f}",
        f"records: {up.records} and {down.records}",
        "flags: " + (", ".join(flags) or "none"),
    ]
    for k, note in enumerate(notes):
        made.text(0.6, 0.6 - 0.035 * k, note, fontsize=9, color=SOFT)
    _write(made, output, title)


def _figure(title: str, width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PipeError("pictures need matplotlib, which is not installed", "analyse",
                        "Install it: pip install 'sciqlop-pipe[plot]'") from error  # fmt: skip
    made = Figure(figsize=(width, height))
    made.suptitle(title, x=0.5, y=0.975, fontsize=11, color=INK)
    return made


def _lines(ax: Axes, time: np.ndarray, values: np.ndarray, words: Sequence[str], what: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for k, word in enumerate(words):
        ax.plot(time, values[:, k], color=COMPONENTS[k], lw=0.9)
        if len(words) > 1:
            ax.text(1.015, 0.9 - 0.12 * k, word, color=COMPONENTS[k], transform=ax.transAxes)
    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    ax.set_ylabel(what)
    ax.grid(color=FAINT, lw=0.4)
    ax.margins(x=0)


def _scatter(
    ax: Axes, x: np.ndarray, y: np.ndarray, words: tuple[str, str], line: tuple[float, float]
) -> None:
    for k, c in enumerate("xyz"):
        ax.plot(x[:, k], y[:, k], ".", color=COMPONENTS[k], ms=4, label=c)
    ends = np.array([np.nanmin(x), np.nanmax(x)])
    ax.plot(ends, line[0] * ends + line[1], "-", color=INK, lw=0.9)
    ax.set_xlabel(words[0])
    ax.set_ylabel(words[1])
    ax.grid(color=FAINT, lw=0.4)
    ax.legend(fontsize=8, framealpha=0.8)


def _write(made: Figure, output: Path, title: str) -> None:
    if output.suffix.lower() != ".png":
        raise UsageError("a picture of an analysis is a PNG", str(output),
                         "Give a name ending in .png")  # fmt: skip
    with replacing(output, "picture") as part:
        made.savefig(part, format="png", dpi=100, metadata={"Title": title})
