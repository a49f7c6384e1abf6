"""The truth beside the files: written by the simulation, read back, and held against products.

Lies in the folder `truth`: `plasma_*.npz` at the centre of every distribution, `crossings_*.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import Interval, datetime64, instant

from .boundaries import REGIONS, Crossing
from .physics import Plasma
from .vectors import rotate

FOLDER = "truth"

_VARIABLES = {
    "density": ("cm^-3", "number density", ""),
    "velocity": ("km s^-1", "bulk velocity", "DBCS"),
    "velocity_gse": ("km s^-1", "bulk velocity", "GSE"),
    "temperature_parallel": ("eV", "temperature along the field", ""),
    "temperature_perpendicular": ("eV", "temperature across the field", ""),
    "magnetic_field": ("nT", "magnetic field", "GSE"),
    "position": ("km", "spacecraft position", "GSE"),
    "region": ("1", "0 solar wind, 1 magnetosheath, 2 magnetosphere", ""),
}


@dataclass(frozen=True, slots=True)
class Errors:
    """Median errors of moments against the truth, over the records of one region or of all.

    `density` and `temperature` are relative [1], `velocity` is the length of the difference [km/s].
    """

    region: str
    records: int
    density: float
    velocity: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Score:
    """How well events found match true crossings of one kind; `timing` is the median |dt| [s]."""

    kind: str
    true: int
    found: int
    matched: int
    timing: float

    @property
    def precision(self) -> float:
        """Return the share of found events that are true [1], 0 without any."""
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Return the share of true events that were found [1], 0 without any."""
        return self.matched / self.true if self.true else 0.0


def write_plasma(out: Path, plasma: Plasma, axes: NDArray[np.float64]) -> Path:
    """Write the truth at the centres of some distributions and return the file.

    Parameters
    ----------
    out : Path
        The archive.
    plasma : Plasma
        The truth, GSE.
    axes : array, (3, 3)
        Rows of the despun frame in GSE.
    """
    path = out / FOLDER / f"plasma_{_stamp(plasma.time[0])}.npz"
    values: dict[str, NDArray[Any]] = {
        "time": plasma.time,
        "density": plasma.density,
        "velocity": rotate(axes, plasma.velocity),
        "velocity_gse": plasma.velocity,
        "temperature_parallel": plasma.parallel,
        "temperature_perpendicular": plasma.perpendicular,
        "magnetic_field": plasma.magnetic_field,
        "position": plasma.position,
        "region": plasma.region,
    }
    draft = path.with_name(f".{path.name}")
    np.savez(draft, allow_pickle=False, **values)
    draft.replace(path)
    return path


def write_crossings(out: Path, interval: Interval, found: Sequence[Crossing]) -> Path:
    """Write the true crossings of an interval as CSV and return the file.

    Parameters
    ----------
    out : Path
        The archive.
    interval : Interval
        What was simulated: names the file.
    found : sequence of Crossing
        The crossings in it.
    """
    path = out / FOLDER / f"crossings_{_stamp(interval.start)}_{_stamp(interval.stop)}.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "kind", "sense", "speed_km_s"))
        for c in found:
            rows.writerow((f"{datetime64(c.time)}", c.kind, c.sense, f"{c.speed:.1f}"))
    return path


def load_crossings(out: Path) -> tuple[Crossing, ...]:
    """Return all true crossings of an archive, in time order, each once."""
    found: set[Crossing] = set()
    for path in sorted((out / FOLDER).glob("crossings_*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                speed = float(row["speed_km_s"])
                found.add(Crossing(instant(row["time"]), row["kind"], row["sense"], speed))
    return tuple(sorted(found, key=lambda c: (c.time, c.kind)))


def load_truth(out: Path) -> xr.Dataset:
    """Return the truth of an archive.

    Per distribution, on `time` at its centre: density [cm^-3], velocity (time, component) [km/s] in
    DBCS and velocity_gse, temperature and its two parts [eV], magnetic_field [nT], position [km]
    and region; per crossing, on `crossing`: crossing_time, _kind, _sense and _speed [km/s].

    Raises
    ------
    UsageError
        When the folder holds no simulation.
    """
    paths = sorted((out / FOLDER).glob("plasma_*.npz"))
    if not paths:
        raise UsageError("no simulation here", str(out), "Make one: python -m sciqlop_missions.sim")
    pieces = []
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            pieces.append({name: stored[name] for name in stored.files})
    time, first = np.unique(np.concatenate([p["time"] for p in pieces]), return_index=True)
    ds = xr.Dataset(coords={"time": time.view("datetime64[ns]"), "component": ["x", "y", "z"]})
    for name, (units, words, frame) in _VARIABLES.items():
        values = np.concatenate([p[name] for p in pieces])[first]
        dims = ("time", "component")[: values.ndim]
        attrs = {"units": units, "long_name": words} | ({"frame": frame} if frame else {})
        ds[name] = (dims, values, attrs)
    mean = (ds["temperature_parallel"] + 2 * ds["temperature_perpendicular"]) / 3
    ds["temperature"] = mean.assign_attrs(units="eV", long_name="temperature, a third of the trace")
    events = load_crossings(out)
    ds["crossing_time"] = ("crossing", np.array([c.time for c in events], "datetime64[ns]"))
    for name in ("kind", "sense"):
        ds[f"crossing_{name}"] = ("crossing", np.array([getattr(c, name) for c in events], str))
    speed = np.array([c.speed for c in events], float)
    said = {"units": "km s^-1", "long_name": "speed of the boundary along the radius"}
    ds["crossing_speed"] = ("crossing", speed, said)
    return ds


def compare(moments: xr.Dataset, truth: xr.Dataset) -> tuple[Errors, ...]:
    """Return the median errors of moments against the truth: one row per region, and "all".

    Records without a truth at exactly their time, and those that are NaN, do not count.

    Parameters
    ----------
    moments : Dataset
        DataType Moments, its velocity in DBCS or GSE.
    truth : Dataset
        From `load_truth`.

    Raises
    ------
    UsageError
        When nothing can be compared, or the velocity is in another frame.
    """
    _, mine, theirs = np.intersect1d(
        moments["time"].values, truth["time"].values, return_indices=True
    )
    frame = moments["velocity"].attrs.get("frame", "")
    names = {"DBCS": "velocity", "GSE": "velocity_gse"}
    if not mine.size or frame not in names:
        why = f"the velocity is in frame '{frame}'" if mine.size else "they share no time"
        raise UsageError(f"moments cannot be compared with the truth: {why}")
    found, true = moments.isel(time=mine), truth.isel(time=theirs)
    density = np.abs(found["density"].values / true["density"].values - 1)
    temperature = np.abs(found["temperature"].values / true["temperature"].values - 1)
    difference = found["velocity"].values - true[names[frame]].values
    velocity = np.sqrt((difference * difference).sum(axis=1))
    whole = np.isfinite(density) & np.isfinite(velocity) & np.isfinite(temperature)
    region = true["region"].values
    chosen = {name: whole & (region == i) for i, name in enumerate(REGIONS)} | {"all": whole}
    errors = (density, velocity, temperature)
    return tuple(
        Errors(name, int(k.sum()), *(float(np.median(e[k])) for e in errors))
        for name, k in chosen.items()
        if k.any()
    )


def score_crossings(
    time: NDArray[np.datetime64],
    kind: Sequence[str],
    truth: Sequence[Crossing],
    tolerance: float = 60.0,
) -> tuple[Score, ...]:
    """Return how found crossings match the true ones, a row per kind.

    Each true crossing takes the nearest found one of its kind that is still free, nearest pairs
    first.

    Parameters
    ----------
    time : datetime64 array, (event)
        When crossings were found.
    kind : sequence of str
        "magnetopause" or "bow_shock", per event.
    truth : sequence of Crossing
        The true ones, in the interval that was searched.
    tolerance : float
        Largest difference of a match [s].
    """
    found = np.asarray(time, "datetime64[ns]").astype(np.int64)
    kinds = np.asarray(kind, dtype=str)
    rows = []
    for name in sorted({c.kind for c in truth} | set(kinds.tolist())):
        p = found[kinds == name]
        q = np.array([c.time for c in truth if c.kind == name], np.int64)
        apart = np.abs(p[:, None] - q[None, :]) * 1e-9
        matched: list[float] = []
        while apart.size and apart.min() <= tolerance:
            i, j = np.unravel_index(int(apart.argmin()), apart.shape)
            matched.append(float(apart[i, j]))
            apart[i, :] = apart[:, j] = np.inf
        timing = float(np.median(matched)) if matched else float("nan")
        rows.append(Score(name, q.size, p.size, len(matched), timing))
    return tuple(rows)


def _stamp(time: int) -> str:
    return str(datetime64(time)).replace("-", "").replace(":", "")
