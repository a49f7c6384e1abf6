"""Painter of planes of velocity: pictures of means over stretches of time, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..granule import Interval
from .painters import FAINT, INK, NOTHING_COUNTED, SOFT, no_data
from .words import label, ns, pretty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SLOTS, CELLS = 6, 50
"""Pictures in a row, and cells along an axis: finer ones are averaged, hardly to be seen."""
_TOP, _BOTTOM, _LEFT, _RIGHT = 18, 30, 40, 8
"""Pixels around a picture, for its time and its ticks."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Means of f (time, v1, v2) over stretches of an interval, one picture per stretch.

    `extent` holds the lowest and highest edge of the first axis, which runs to the right, and of
    the second one.
    """

    time: np.ndarray
    values: np.ndarray
    extent: tuple[float, float, float, float]
    across: str
    up: str
    colour_label: str

    @classmethod
    def of(cls, ds: xr.Dataset, name: str, plane: int | None = None) -> Snapshots:
        """Return those of a variable (time, v1, v2), or of one plane of (time, plane, v1, v2)."""
        array = ds[name]
        first, second = array.dims[-2:]
        if len(array.dims) == 4:
            axis = array.dims[1]
            array = array.mean(str(axis)) if plane is None else array.isel({axis: plane})
        words = _axes(ds, array, first, second)
        array = _where_there_is_any(array)
        edges = [_reach(array[d].values) for d in (first, second)]
        step = {d: max(1, array.sizes[d] // CELLS) for d in (first, second)}
        array = array.coarsen(step, boundary="trim").mean()
        return cls(
            ns(ds), np.asarray(array.values, np.float64), (*edges[0], *edges[1]),
            label(words[0], ds[first]), label(words[1], ds[second]),
            f"[{pretty(str(array.attrs.get('units', '')))}]",
        )  # fmt: skip

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw equal axes of velocity and logarithmic colours; white = no data."""
        import matplotlib as mpl
        from matplotlib.colors import LogNorm

        slots = np.linspace(interval.start, interval.stop, SLOTS + 1)
        where = np.clip(np.searchsorted(slots, self.time, "right") - 1, 0, SLOTS - 1)
        means = [_mean(self.values[where == k]) for k in range(SLOTS)]
        every = np.concatenate([m[m > 0] for m in means if m is not None] or [np.zeros(0)])
        if not every.size:
            no_data(ax, interval)
            return
        high = float(every.max())
        norm = LogNorm(max(float(every.min()), high * 1e-5), high)
        cmap = mpl.colormaps["viridis"].with_extremes(under=NOTHING_COUNTED, bad=(1, 1, 1, 0))
        ax.set_yticks([])
        ax.grid(False)
        for spine in ("left", "right", "top"):
            ax.spines[spine].set_visible(False)
        drawn = None
        for k, mean in enumerate(means):
            begin, end = slots[k], slots[k + 1]
            middle = (0.5 * (begin + end) - interval.start) / (interval.stop - interval.start)
            if mean is None:
                continue
            here = self._frame(ax, middle, first=drawn is None)
            seen = self.time[where == k]
            centre = np.datetime64(int(seen.mean()), "ns")
            here.text(0, 1.03, f"{str(centre)[11:22]}  ({seen.size})", transform=here.transAxes,
                      fontsize=8, color=SOFT, va="bottom")  # fmt: skip
            shown = np.where(mean == 0, norm.vmin * 1e-3, mean)
            drawn = here.imshow(shown.T, origin="lower", extent=self.extent, cmap=cmap, norm=norm,
                                interpolation="nearest", aspect="auto", zorder=0.5)  # fmt: skip
        if drawn is not None:
            bar = ax.inset_axes((1.012, 0.15, 0.014, 0.75))
            colours = ax.figure.colorbar(drawn, cax=bar)
            colours.set_label(self.colour_label, fontsize=8.5)
            colours.outline.set_linewidth(0.6)
            bar.tick_params(labelsize=8.5, width=0.6)
            bar.minorticks_off()

    def _frame(self, ax: Axes, middle: float, *, first: bool) -> Axes:
        """Return square axes around a time; the first one has the labels."""
        side = min(ax.bbox.height - _TOP - _BOTTOM, ax.bbox.width / SLOTS - _LEFT - _RIGHT)
        width, height = side / ax.bbox.width, side / ax.bbox.height
        shift = 0.5 * (_LEFT - _RIGHT) / ax.bbox.width
        box = (middle - width / 2 + shift, _BOTTOM / ax.bbox.height, width, height)
        here = ax.inset_axes(box)
        here.set_label(f"{ax.get_label()}@{middle:.3f}")
        here.tick_params(direction="out", width=0.5, labelsize=7, colors=INK, pad=1.5, length=2)
        for spine in here.spines.values():
            spine.set_linewidth(0.5)
        here.axhline(0, color=FAINT, lw=0.5, zorder=1)
        here.axvline(0, color=FAINT, lw=0.5, zorder=1)
        here.set_xlim(*self.extent[:2])
        here.set_ylim(*self.extent[2:])
        here.locator_params(nbins=4)
        here.set_xlabel(self.across.replace("\n", " "), fontsize=7.5, labelpad=1)
        if first:
            here.set_ylabel(self.up.replace("\n", " "), fontsize=7.5, labelpad=1)
        return here


def stretches_of(
    time: np.ndarray, values: np.ndarray, interval: Interval
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield number, mean time [ns] and records of each stretch of an interval that has any."""
    slots = np.linspace(interval.start, interval.stop, SLOTS + 1)
    where = np.searchsorted(slots, time, "right") - 1
    for k in range(SLOTS):
        here = where == k
        if here.any():
            yield k, int(time[here].mean()), values[here]


def _mean(values: np.ndarray) -> np.ndarray | None:
    """Return the mean of what was measured, None where nothing was."""
    known = np.isfinite(values)
    if not known.any():
        return None
    count = known.sum(0)
    return np.where(known, values, 0.0).sum(0) / np.where(count > 0, count, np.nan)


def _where_there_is_any(array: xr.DataArray) -> xr.DataArray:
    """Return f without the outskirts where its mean is below a ten-thousandth of the peak."""
    mean = array.mean("time")
    most = float(mean.max())
    if not most > 0:
        return array
    dims = array.dims[-2:]
    seen = mean > 1e-4 * most
    far = max(
        float(np.abs(array[d].where(seen.any([o for o in dims if o != d]))).max()) for d in dims
    )
    return array.sel({d: np.abs(array[d].values) <= 1.15 * far for d in dims})


def _reach(centres: np.ndarray) -> tuple[float, float]:
    half = 0.5 * float(centres[1] - centres[0]) if centres.size > 1 else 0.5
    return float(centres[0]) - half, float(centres[-1]) + half


def _axes(ds: xr.Dataset, array: xr.DataArray, first: object, second: object) -> tuple[str, str]:
    """Return the names of both axes: those of the plane ("perp1_par"), else of the dimensions."""
    plane = str(array.coords["plane"].values) if "plane" in array.coords else ""
    parts = plane.split("_")
    if len(parts) == 2:
        return tuple(f"$v_{{{_SYMBOLS.get(p, p)}}}$" for p in parts)  # type: ignore[return-value]
    return str(first), str(second)


_SYMBOLS = {"par": r"\parallel", "perp1": r"\perp1", "perp2": r"\perp2"}
