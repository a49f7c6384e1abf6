"""Rows of their own: structure functions with slopes, shocks by method, matrices of correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..granule import Interval
from .anything import COMPONENTS, Drawn, spectrogram
from .painters import FAINT, INK, SOFT, no_data
from .snapshots import SLOTS, stretches_of
from .words import label, long_name, ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (*COMPONENTS, "#E69F00", INK)
_MARKS = "osD^v*"


@dataclass(frozen=True, slots=True)
class Scalings:
    """Structure functions (time, order, lag) against lag [s], both logarithmic, with their slopes.

    One picture per stretch of the interval, of the means there; the number at the end of a line is
    the slope of the least-squares line through it.
    """

    time: np.ndarray
    lag: np.ndarray
    values: np.ndarray
    orders: tuple[int, ...]
    units: str

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw them side by side on the same axes."""
        parts = [(k, t, _mean(v)) for k, t, v in stretches_of(self.time, self.values, interval)]
        known = [v[np.isfinite(v) & (v > 0)] for _, _, v in parts]
        every = np.concatenate([*known, np.zeros(0)])
        if not every.size:
            no_data(ax, interval)
            return
        _bare(ax)
        limits = float(every.min()) / 2, float(every.max()) * 3
        for row, (order, colour) in enumerate(zip(self.orders, COMPONENTS, strict=False)):
            ax.text(1.045, 0.25 + 0.16 * row, f"p = {order}", color=colour, fontsize=9,
                    transform=ax.transAxes)  # fmt: skip
        for k, centre, mean in parts:
            here = _slot(ax, k, centre)
            here.set_xscale("log")
            here.set_yscale("log")
            here.set_xlim(self.lag[0] / 1.5, self.lag[-1] * 1.5)
            here.set_ylim(*limits)
            here.tick_params(which="minor", bottom=False, left=False)
            here.grid(color=FAINT, lw=0.4)
            for row, colour in zip(mean, COMPONENTS, strict=False):
                here.plot(self.lag, row, ".-", color=colour, lw=1, ms=3.5)
                use = np.isfinite(row) & (row > 0)
                if use.sum() > 1:
                    last = np.flatnonzero(use)[-1]
                    here.annotate(
                        f"{slope(self.lag[use], row[use]):.2f}", (self.lag[last], row[last]),
                        xytext=(4, 0), textcoords="offset points", fontsize=7.5, color=colour,
                        va="center", annotation_clip=False,
                    )  # fmt: skip
            here.set_xlabel("lag [s]", fontsize=7.5, labelpad=1)
            if k == parts[0][0]:
                here.set_ylabel(f"$\\langle|\\delta B|^p\\rangle$ [({self.units})$^p$]", fontsize=8)


@dataclass(frozen=True, slots=True)
class Matrices:
    """Matrices (time, row, column) between -1 and 1 with words, their means over stretches."""

    time: np.ndarray
    values: np.ndarray
    words: tuple[str, ...]

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw them side by side, purple for minus one and orange for one."""
        _bare(ax)
        drawn = None
        for k, centre, values in stretches_of(self.time, self.values, interval):
            here = _slot(ax, k, centre)
            drawn = here.imshow(_mean(values), cmap="PuOr_r", vmin=-1, vmax=1, aspect="auto")
            ticks = range(len(self.words))
            here.set_xticks(ticks, self.words, fontsize=6.5, rotation=90)
            here.set_yticks(ticks, self.words, fontsize=6.5)
            here.grid(False)
        if drawn is None:
            no_data(ax, interval)
            return
        bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.012, 0.2, 0.014, 0.66)))
        bar.set_ticks([-1, 0, 1])
        bar.outline.set_linewidth(0.6)
        bar.ax.tick_params(labelsize=8.5, width=0.6)


@dataclass(frozen=True, slots=True)
class Points:
    """Numbers (time, series) of a few events: a mark per series, its word beside the axes."""

    time: np.ndarray
    values: np.ndarray
    words: tuple[str, ...]
    label: str

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw marks, those of one event side by side."""
        if not np.isfinite(self.values).any():
            no_data(ax, interval)
            return
        apart = (interval.stop - interval.start) // 250
        for k, word in enumerate(self.words):
            at = self.time + round((k - 0.5 * (len(self.words) - 1)) * apart)
            ax.plot(at.astype("datetime64[ns]"), self.values[:, k], _MARKS[k % 6], ms=4.5,
                    color=_COLOURS[k % 6], label=word.replace("_", " "))  # fmt: skip
        ax.set_ylabel(self.label)
        ax.margins(y=0.15)
        if any(self.words):
            ax.legend(loc="upper left", bbox_to_anchor=(1.004, 1.04), frameon=False, fontsize=8.5,
                      labelcolor="linecolor", handlelength=0.8, handletextpad=0.4,
                      labelspacing=0.25)  # fmt: skip


def structure_functions(ds: xr.Dataset) -> list[Drawn]:
    """Return structure functions against lag with a slope per order, and flatness in time."""
    units = str(ds["structure"].attrs.get("units", "")).removesuffix("^order")
    paint = Scalings(ns(ds), ds["lag_seconds"].values, ds["structure"].values,
                     tuple(int(p) for p in ds["order"].values), units)  # fmt: skip
    lags = ds.assign_coords(lag=ds["lag_seconds"].rename("lag"))
    title = "structure functions, slopes beside them"
    return [Drawn("structure", title, paint, tall=True), spectrogram(lags, "flatness", "lag")]


def shocks(ds: xr.Dataset) -> list[Drawn]:
    """Return theta_Bn, speed, Mach number by method, and both compressions, a mark per shock."""
    words = tuple(str(w) for w in ds["technique"].values)
    found = [
        Drawn(n, long_name(ds, n), Points(ns(ds), ds[n].values, words, label("", ds[n])))
        for n in ("theta_bn", "speed", "alfven_mach")
    ]
    ratios = np.stack([ds["compression"].values, ds["field_ratio"].values], axis=1)
    both = Points(ns(ds), ratios, ("density", "field"), "")
    return [*found, Drawn("compression", "downstream over upstream", both)]


def correlations(ds: xr.Dataset) -> list[Drawn]:
    """Return the matrices of correlation of the errors of moments."""
    words = tuple(str(w) for w in ds["moment"].values)
    paint = Matrices(ns(ds), ds["correlation"].values, words)
    return [Drawn("correlation", long_name(ds, "correlation"), paint, tall=True)]


def slope(lag: np.ndarray, values: np.ndarray) -> float:
    """Return the slope of log(values) against log(lag), least squares."""
    return float(np.polyfit(np.log(lag), np.log(values), 1)[0])


def _bare(ax: Axes) -> None:
    """Leave nothing of the axes but the one of time."""
    ax.set_yticks([])
    ax.grid(False)
    for spine in ("left", "right", "top"):
        ax.spines[spine].set_visible(False)


def _slot(ax: Axes, k: int, centre: int) -> Axes:
    """Return the axes of one stretch, with its time above."""
    here = ax.inset_axes((k / SLOTS + 0.045, 0.2, 0.74 / SLOTS, 0.66))
    here.set_label(f"{ax.get_label()}@{k}")
    here.tick_params(which="both", width=0.5, labelsize=7, pad=1.5, length=2)
    here.text(0, 1.03, str(np.datetime64(centre, "ns"))[11:19], fontsize=8, color=SOFT,
              transform=here.transAxes, va="bottom")  # fmt: skip
    return here


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over records (order, lag) of what is known."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(known, values, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
