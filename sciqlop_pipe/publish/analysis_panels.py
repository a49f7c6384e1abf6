"""Rows of analyses in time: minimum variance, the wind ahead of the Earth, the way to the Sun."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .anything import COMPONENTS, Drawn
from .painters import BLUE, INK, RED, Line, Lines
from .words import axes_of, label, long_name, ns

_CERTAIN = "lambda2/lambda3 (above 4: a certain normal), lambda1/lambda2"


def variance(ds: xr.Dataset) -> list[Drawn]:
    """Return N and L, the variances and their ratios, what is along N, and how far N may be off."""
    longest, middle, normal = range(3)
    along, error = _of(ds, "mean")[:, normal], _of(ds, "normal_error")
    across = _of(ds, "error")[:, normal]
    off = Line(across[:, longest], "to L", INK), Line(across[:, middle], "to M", BLUE)
    mean = Line(along, "", INK, along - error, along + error)
    return [
        _vector(ds, "axes", normal, "normal N"),
        _vector(ds, "axes", longest, "direction L of largest variance"),
        Drawn("eigenvalues", long_name(ds, "eigenvalues"),
              Lines(ns(ds), _lines(_of(ds, "eigenvalues"), "LMN"), label("", ds["eigenvalues"]),
                    _wide(ds, "eigenvalues"))),
        Drawn("ratio", _CERTAIN, Lines(ns(ds), (
            Line(_of(ds, "ratio"), "2 / 3", INK), Line(_of(ds, "ratio_lm"), "1 / 2", BLUE)),
            "", _wide(ds, "ratio", "ratio_lm"))),
        Drawn("error", "error of the normal", Lines(ns(ds), off, label("", ds["error"]))),
        Drawn("mean", "mean along N", Lines(ns(ds), (mean,), label("", ds["mean"]))),
    ]  # fmt: skip


def upstream(ds: xr.Dataset) -> list[Drawn]:
    """Return the spacecraft among the model boundaries, and the wind that puts them there."""
    far = 1e-3 * np.stack([_of(ds, "magnetopause") + _of(ds, "magnetopause_offset"),
                           _of(ds, "magnetopause"), _of(ds, "bow_shock")], 1)  # fmt: skip
    words = ("spacecraft", "magnetopause", "bow shock")
    styles = zip(words, (INK, BLUE, RED), strict=True)
    lines = tuple(Line(far[:, k], w, c) for k, (w, c) in enumerate(styles))
    title = "distance of spacecraft, magnetopause (Shue 1998) and bow shock (Farris and Russell)"
    return [
        Drawn("magnetopause", title, Lines(ns(ds), lines, label("", ds["magnetopause"], 1e3))),
        _vector(ds, "b"),
        *(_one(ds, n) for n in ("dynamic_pressure", "density")),
        _pair(ds, ("alfven_mach", "fast_mach"), ("Alfven", "fast"), "Mach numbers"),
        _vector(ds, "velocity"),
    ]


def connection(ds: xr.Dataset) -> list[Drawn]:
    """Return spiral and field, both longitudes, and what they follow from."""
    return [
        _pair(ds, ("parker_angle", "field_angle"), ("Parker", "field"),
              "Parker spiral and field, from R towards T", circle=360.0),
        _pair(ds, ("carrington_longitude", "source_longitude"), ("here", "source"),
              "Carrington longitude, here and at 2.5 solar radii", circle=360.0),
        *(_one(ds, n) for n in ("speed", "distance", "heliographic_latitude")),
    ]  # fmt: skip


def _of(ds: xr.Dataset, name: str) -> np.ndarray:
    return np.asarray(ds[name].values, np.float64)


def _wide(ds: xr.Dataset, *names: str) -> bool:
    every = np.concatenate([_of(ds, n).ravel() for n in names])
    every = every[np.isfinite(every)]
    return bool(every.size and every.min() > 0 and every.max() > 10 * every.min())


def _lines(values: np.ndarray, words: Sequence[str]) -> tuple[Line, ...]:
    return tuple(Line(values[:, k], w, c)
                 for k, (w, c) in enumerate(zip(words, COMPONENTS, strict=False)))  # fmt: skip


def _vector(ds: xr.Dataset, name: str, part: int | None = None, title: str = "") -> Drawn:
    values = _of(ds, name) if part is None else _of(ds, name)[:, part]
    words = axes_of(ds[name])
    text = label(str(ds[name].attrs.get("frame", "")), ds[name])
    variable = name if part is None else f"{name}/{part}"
    return Drawn(variable, title or long_name(ds, name), Lines(ns(ds), _lines(values, words), text))


def _one(ds: xr.Dataset, name: str) -> Drawn:
    return Drawn(name, long_name(ds, name),
                 Lines(ns(ds), (Line(_of(ds, name), "", INK),), label("", ds[name])))  # fmt: skip


def _pair(
    ds: xr.Dataset, names: tuple[str, str], words: tuple[str, str], title: str, circle: float = 0.0
) -> Drawn:
    lines = tuple(Line(_of(ds, n), w, c, circle=circle)
                  for n, w, c in zip(names, words, (INK, BLUE), strict=True))  # fmt: skip
    return Drawn(names[0], title, Lines(ns(ds), lines, label("", ds[names[0]])))
