"""What goes with a distribution, and the numbers of a look at it, ready for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import contourpy
import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..errors import UsageError
from ..granule import Interval
from ..graph import Graph
from ..interactive import Look, Session
from ..kernels.energies import geometric_edges
from ..publish.levels import kind_of
from ..publish.raster import Grid, raster
from ..standard import is_overview
from ..store import Store
from .desk import EVER
from .words import clock

MOST = 400
"""Distributions that one look averages: what bounds its memory (50 MB of FPI) and its time."""
DECADES = 5.0
CONTOURS = 8


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes with a distribution, by what is declared of it and what a store has."""

    vdf: str
    b: str = ""
    attitude: str = ""
    frame: str = ""
    spectrum: str = ""
    accumulation: str = "150ms"
    v_max: float = 2500.0


def distributions_of(store: Store, graph: Graph) -> list[str]:
    """Return the names of the distributions that a store keeps."""
    names = [n for n in store.registry.datasets() if not is_overview(n)]
    kinds = {
        n: graph.nodes[n].gives.name if n in graph.nodes else kind_of(store, n, EVER) for n in names
    }
    return [
        n
        for n in names
        if kinds[n] == "VDF" and any(c.path and c.n for c in store.registry.stored(n))
    ]


def beside(store: Store, graph: Graph, vdf: str) -> Beside:
    """Return the field, attitude and spectrum that products of a distribution are made with."""
    have = set(store.registry.datasets())
    found = {"b": "", "attitude": "", "spectrum": ""}
    accumulation, v_max = "150ms", 2500.0
    for d in graph:
        inputs = dict(d.inputs)
        if inputs.get("vdf") != vdf:
            continue
        for key in ("b", "attitude"):
            if inputs.get(key) in have:
                found[key] = found[key] or inputs[key]
        if d.gives.name == "EnergySpectrum" and d.name in have:
            found["spectrum"] = found["spectrum"] or d.name
        params = dict(d.params)
        accumulation = str(params.get("accumulation", accumulation))
        v_max = float(params.get("v_max", v_max))
    return Beside(vdf, found["b"], found["attitude"], "", found["spectrum"], accumulation, v_max)


def session(store: Store, what: Beside, within: Interval) -> Session:
    """Return a distribution kept open over an interval."""
    return Session(
        store,
        what.vdf,
        what.b,
        attitude=what.attitude,
        within=within,
        accumulation=what.accumulation,
    )


def taken(session: Session, start: int, stop: int | None) -> int:
    """Return how many distributions a look takes.

    Raises
    ------
    UsageError
        When they are too many.
    """
    if stop is None:
        return 1
    low, high = np.searchsorted(session.times, [start, stop])
    if high - low > MOST:
        raise UsageError(
            f"{high - low} distributions lie in the box; a look averages up to {MOST}",
            session.name,
            "Make the box narrower",
        )
    return int(high - low)


@dataclass(frozen=True, slots=True)
class Plane:
    """f (v2, v1) of one plane, rows from below, over velocities [km/s]; colours; contours."""

    name: str
    image: np.ndarray
    reach: float
    low: float
    high: float
    contours: tuple[tuple[np.ndarray, np.ndarray], ...]
    units: str


def planes_of(look: Look) -> list[Plane]:
    """Return the three planes of a look on one scale of colours, with contours of log f."""
    f = np.asarray(look.planes["f"].values[0], np.float64)
    reach = float(look.planes["v1"].values[-1]) + 0.5 * _step(look.planes["v1"].values)
    positive = f[f > 0]
    high = float(positive.max()) if positive.size else 1.0
    low = max(float(positive.min()) if positive.size else 0.1, high * 10**-DECADES)
    names = [str(p) for p in look.planes["plane"].values]
    units = str(look.planes["f"].attrs.get("units", ""))
    return [
        Plane(
            name,
            f[k].T.astype(np.float32),
            reach,
            low,
            high,
            contours(f[k].T, reach, low, high),
            units,
        )
        for k, name in enumerate(names)
    ]


def _step(values: np.ndarray) -> float:
    return float(values[1] - values[0]) if values.size > 1 else 1.0


def contours(
    f: np.ndarray, reach: float, low: float, high: float
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return lines (v1, v2) [km/s] of equal f, evenly spaced in log f.

    Parameters
    ----------
    f : ndarray (v2, v1)
        On cells from -reach to reach.
    reach, low, high : float
        Extent [km/s]; range of f.
    """
    if not high > low > 0:
        return ()
    n = f.shape[0]
    centre = (np.arange(n) + 0.5) * (2 * reach / n) - reach
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.ma.masked_invalid(np.log10(np.where(f > 0, f, np.nan)))
    made = contourpy.contour_generator(centre, centre, log)
    levels = np.linspace(np.log10(low), np.log10(high), CONTOURS + 2)[1:-1]
    lines = [np.asarray(line) for level in levels for line in made.lines(level)]
    return tuple((line[:, 0], line[:, 1]) for line in lines)


def one_count(vdf: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Speed [km/s] and f [s^3 m^-6] of one count per energy; empty where there are no errors.

    A bin with N counts has f = N f1 and an error of sqrt(N) f1, so f1 = error^2 / f; the median
    over all bins of an energy that counted anything, over the number of distributions averaged.
    """
    if "f_error" not in vdf:
        return np.zeros(0), np.zeros(0)
    f, error = (np.asarray(vdf[n].values, np.float64) for n in ("f", "f_error"))
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.where((f > 0) & (error > 0), error**2 / f, np.nan)
    level = level.reshape(-1, level.shape[-1])
    energy = np.atleast_2d(np.asarray(vdf["energy"].values, np.float64)).mean(0)
    known = np.isfinite(level).any(0)
    speed = np.sqrt(2 * energy * ELEMENTARY_CHARGE / float(vdf.attrs["mass"])) / 1e3
    middle = np.nanmedian(level[:, known], axis=0) / vdf.sizes["time"]
    order = np.argsort(speed[known])
    return speed[known][order], middle[order]


@dataclass(frozen=True, slots=True)
class Angles:
    """f (energy, pitch angle) as an image even in log10 E [eV], and its range."""

    image: np.ndarray
    bottom: float
    top: float
    low: float
    high: float


def angles_of(look: Look, rows: int = 120) -> Angles | None:
    """Return f against pitch angle and energy, bins at their energies; None without a field."""
    if look.pitch_angles is None:
        return None
    f = np.asarray(look.pitch_angles["f"].values[0], np.float64)
    energy = look.pitch_angles["energy"]
    table = np.atleast_2d(np.asarray(energy.values, np.float64))[:1]
    lower, upper = (np.log(e) for e in geometric_edges(table))
    n = f.shape[0]
    edges = np.arange(n + 1) * 1_000_000
    grid = Grid(edges, np.linspace(np.nanmin(lower), np.nanmax(upper), rows + 1))
    image = raster(f, lower, upper, (edges[:-1], edges[1:]), grid)
    positive = image[image > 0]
    if not positive.size:
        return None
    high = float(positive.max())
    low = max(float(positive.min()), high * 1e-7)
    return Angles(
        image.astype(np.float32),
        float(grid.level[0] / np.log(10)),
        float(grid.level[-1] / np.log(10)),
        low,
        high,
    )


def moments_table(look: Look) -> list[tuple[str, str]]:
    """Return the moments of a look, means over its distributions, as rows of a table."""
    rows: list[tuple[str, str]] = [("distributions", str(look.count))]
    for name, array in look.moments.data_vars.items():
        if array.dims not in (("time",), ("time", "component")) or array.dtype.kind != "f":
            continue
        with np.errstate(invalid="ignore"):
            mean = np.nanmean(array.values.astype(np.float64), axis=0) if array.size else np.nan
        units = str(array.attrs.get("units", ""))
        text = ", ".join(f"{v:.4g}" for v in np.atleast_1d(mean))
        frame = f" ({array.attrs['frame']})" if "frame" in array.attrs else ""
        rows.append(
            (str(name).replace("_", " ") + frame, f"{text} {'' if units == '1' else units}".strip())
        )
    return rows


def cuts_of(look: Look) -> Sequence[tuple[str, np.ndarray, np.ndarray]]:
    """Return name, velocity [km/s] and f of a cut along every axis through the origin."""
    v = np.asarray(look.planes["v1"].values, np.float64)
    f = np.asarray(look.planes["f"].values[0], np.float64)
    half = f.shape[-1] // 2
    middle = slice((f.shape[-1] - 1) // 2, half + 1)
    found: dict[str, np.ndarray] = {}
    for k, plane in enumerate(look.planes["plane"].values):
        first, second = str(plane).split("_")
        found.setdefault(first, f[k][:, middle].mean(1))
        found.setdefault(second, f[k][middle].mean(0))
    return [(name, v, values) for name, values in found.items()]


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers of one look."""

    planes: list[Plane]
    cuts: Any
    angles: Angles | None
    count: tuple[np.ndarray, np.ndarray]
    line: tuple[np.ndarray, np.ndarray]
    moments: list[tuple[str, str]]
    words: str


def seen(session_: Session, start: int, stop: int | None, options: dict[str, Any]) -> Seen:
    """Return the numbers of a look at a time, or over an interval.

    Raises
    ------
    UsageError
        When there is no distribution, too many, or not what the axes need.
    """
    taken(session_, start, stop)
    look: Look = session_.look(start, stop, **options)
    vdf = session_.distributions(start, stop)
    times = vdf["time"].values.astype("datetime64[ns]").astype(np.int64)
    words = clock(int(times[0]))
    if times.size > 1:
        words += f" to {clock(int(times[-1]))}, mean of {times.size} distributions"
    line = (look.line["v"].values, look.line["f"].values[0])
    return Seen(
        planes_of(look),
        cuts_of(look),
        angles_of(look),
        one_count(vdf),
        line,
        moments_table(look),
        words,
    )
