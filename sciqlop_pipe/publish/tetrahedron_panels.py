"""Rows of four spacecraft: nulls by kind where they can be trusted, sizes and shapes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..granule import Interval
from .anything import Drawn
from .painters import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PINK,
    RED,
    Line,
    Lines,
    logarithmic,
    no_data,
)
from .words import label, long_name, ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (BLUE, GREEN, RED, PINK, ORANGE, PALE)
_KINDS = {"A": BLUE, "B": RED, "As": PALE, "Bs": ORANGE, "X": GREEN, "O": PINK}


@dataclass(frozen=True, slots=True)
class Nulls:
    """Distances (time,) [km] of nulls: coloured by kind where no flag is set, pale elsewhere."""

    time: np.ndarray
    distance: np.ndarray
    kind: np.ndarray
    trusted: np.ndarray
    kinds: tuple[str, ...]
    label: str

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw a dot per record."""
        known = np.isfinite(self.distance) & (self.distance > 0)
        if not known.any():
            no_data(ax, interval)
            return
        when = self.time.astype("datetime64[ns]")
        rest = known & ~self.trusted
        ax.plot(when[rest], self.distance[rest], ".", color=GREY, ms=1.5, label="not trusted")
        for number, word in enumerate(self.kinds):
            here = known & self.trusted & (self.kind == number)
            if here.any():
                ax.plot(when[here], self.distance[here], ".", ms=4, label=word,
                        color=_KINDS.get(word, INK))  # fmt: skip
        logarithmic(ax)
        ax.set_ylabel(self.label)
        ax.legend(loc="upper left", bbox_to_anchor=(1.004, 1.06), frameon=False, fontsize=9,
                  handlelength=1.0, handletextpad=0.4, labelspacing=0.25)  # fmt: skip


def nulls(ds: xr.Dataset) -> list[Drawn]:
    """Return where nulls are and of which kind, and the two measures of trust."""
    kind = ds["kind"]
    time, trusted = ns(ds), ds["quality"].values == 0
    words = tuple(str(kind.attrs.get("flag_meanings", "")).split())
    paint = Nulls(time, np.asarray(ds["distance"].values, float), kind.values, trusted, words,
                  label("", ds["distance"]))  # fmt: skip
    share = f"{100 * trusted.mean():.2g} % of the records can be trusted"
    found = [Drawn("distance", f"{long_name(ds, 'distance')}: {share}", paint, tall=True)]
    return [*found, _together(ds, ("eta", "xi"), "eta and xi", wide=True)]


def shape(ds: xr.Dataset) -> list[Drawn]:
    """Return size, distances, elongation and planarity, and both factors of quality."""
    between = ds["separation"]
    pairs = between["pair"].values if "pair" in between.coords else range(between.sizes["pair"])
    lines = tuple(
        Line(np.asarray(between.values[:, k], float), str(pair), colour)
        for k, (pair, colour) in enumerate(zip(pairs, _COLOURS, strict=False))
    )
    size = Line(np.asarray(ds["size"].values, float), "size", INK)
    apart = Lines(ns(ds), (size, *lines), label("", between))
    return [
        Drawn("separation", "characteristic size, distances between spacecraft", apart),
        _together(ds, ("elongation", "planarity"), "elongation and planarity"),
        _together(ds, ("quality_gm", "quality_rr"),
                  "quality factors: Glassmeier (1 line, 2 plane, 3 regular), Robert and Roux"),
    ]  # fmt: skip


def _together(ds: xr.Dataset, names: Sequence[str], title: str, *, wide: bool = False) -> Drawn:
    words = {"quality_gm": "Q_GM", "quality_rr": "Q_RR"}
    lines = tuple(
        Line(np.asarray(ds[n].values, float), words.get(n, n.replace("_", " ")), colour)
        for n, colour in zip(names, (INK, BLUE), strict=True)
    )
    return Drawn(names[0], title, Lines(ns(ds), lines, label("", ds[names[0]]), wide))
