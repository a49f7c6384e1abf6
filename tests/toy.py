"""A tiny mission whose raw files are .npz: the engine is tested with it, without any CDF."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import Events, ScalarSeries
from sciqlop_pipe.errors import SourceError, TransientError
from sciqlop_pipe.granule import HOUR, SECOND, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Margin, Mission, product, raw, recipe
from sciqlop_pipe.sources.archive import FilePattern, Listing, RawFile
from sciqlop_pipe.sources.files import Loaded, LocalFile, merge_by_time, trim
from sciqlop_pipe.store.records import Event

DAY = Interval.of("2030-01-01", "2030-01-02")
UNIT = {"units": "nT", "long_name": "toy field"}


def series(time: np.ndarray, values: np.ndarray) -> xr.Dataset:
    """Return a ScalarSeries."""
    return xr.Dataset({"value": ("time", values, UNIT)}, coords={"time": time})


@dataclass(frozen=True)
class ToySource:
    """Reads time and value from .npz files; a file may ask for trouble through its content."""

    pattern: str = "toy_{start:%Y%m%d%H}_v{version}.npz"
    version: int = 1
    span: int = HOUR

    def candidates(self, listing: Listing) -> tuple[RawFile, ...]:
        return tuple(listing.match(FilePattern(self.pattern), self.span))

    def extent(self, file: RawFile) -> Interval:
        return Interval(file.start, file.start + self.span)

    def read(self, files: Sequence[LocalFile], interval: Interval, *, salvage: bool) -> Loaded:
        pieces, used = [], []
        for file in files:
            with np.load(file.path) as data:
                _trouble(str(data["trouble"]), file.path)
                piece = trim(series(data["time"].astype("M8[ns]"), data["value"]), interval)
            if piece.sizes["time"]:
                pieces.append(piece)
                used.append(file)
        return Loaded(merge_by_time(pieces), tuple(used), ())


def _trouble(kind: str, path: Path) -> None:
    if kind == "bad":
        raise SourceError("the file is corrupt", str(path))
    if kind == "kill":
        os.kill(os.getpid(), 9)
    if kind == "network":
        raise TransientError("the server does not answer", str(path))
    if kind.startswith("once"):  # fails the first time it is read, then works
        mark = path.with_suffix(".seen")
        if not mark.exists():
            mark.touch()
            raise TransientError("the server hiccupped", str(path))
    if kind.startswith("slow"):
        clock.sleep(float(kind.removeprefix("slow")))


def write_file(folder: Path, start: str, *, n: int = 60, version: str = "1", trouble: str = "",
               offset: float = 0.0, days: int = 1) -> Path:  # fmt: skip
    """Write one hour of a file named by its start; values follow from the time alone."""
    begin = instant(start)
    time = begin + np.arange(n) * (HOUR // max(n, 1))
    value = np.sin(time / (HOUR * 3)) + offset
    name = start.replace("-", "").replace("T", "")[:10]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"toy_{name}_v{version}.npz"
    np.savez(path, time=time, value=value, trouble=np.array(trouble))
    return path


def write_day(folder: Path, hours: Sequence[int] = range(24), **options: object) -> None:
    """Write hourly files of 2030-01-01."""
    for hour in hours:
        write_file(folder, f"2030-01-01T{hour:02d}", **options)


@recipe(gives=ScalarSeries, version=1)
def doubled(x: ScalarSeries, *, factor: float = 2.0) -> xr.Dataset:
    """Twice the value; (time) [nT]."""
    return series(x["time"].values, x["value"].values * factor)


@recipe(gives=ScalarSeries, version=2)
def doubled_anew(x: ScalarSeries, *, factor: float = 2.0) -> xr.Dataset:
    """Twice the value, by newer code; (time) [nT]."""
    return series(x["time"].values, x["value"].values * factor + 1e-3)


@recipe(gives=ScalarSeries, version=1)
def smooth(x: Annotated[ScalarSeries, Margin("window")], *, window: str = "10min") -> xr.Dataset:
    """Mean over +-5 min; (time) [nT]."""
    half = 5 * 60 * SECOND
    t = x["time"].values.astype("i8")
    lo, hi = np.searchsorted(t, t - half), np.searchsorted(t, t + half, side="right")
    value = np.array([x["value"].values[a:b].mean() for a, b in zip(lo, hi, strict=True)])
    return series(x["time"].values, value)


@recipe(gives=ScalarSeries, version=1, gaps_ok=True)
def hourly(x: ScalarSeries, other: ScalarSeries | None = None) -> xr.Dataset:
    """Mean per hour; (time) [nT]."""
    bins = x["time"].values.astype("M8[h]")
    hours, start = np.unique(bins, return_index=True)
    mean = np.add.reduceat(x["value"].values, start) / np.diff([*start, bins.size])
    extra = 0.0 if other is None else float(other["value"].mean())
    return series(hours.astype("M8[ns]") + np.timedelta64(30, "m"), mean + extra)


@recipe(gives=Events, version=1)
def rises(x: ScalarSeries, *, dataset: str, interval: Interval, level: float = 0.0) -> list[Event]:
    """Where the value rises through a level."""
    from sciqlop_pipe.catalog import event_id

    t, v = x["time"].values.astype("i8"), x["value"].values
    at = np.flatnonzero((v[:-1] < level) & (v[1:] >= level))
    found = []
    for i in at:
        start, stop = int(t[i]), int(t[i + 1])
        attributes = (("level", level), ("jump", float(v[i + 1] - v[i])))
        found.append(Event(event_id(dataset, "rise", start, stop), "rise", start, stop, attributes))
    return found


def toy_mission(*, doubling: object = doubled, factor: float = 2.0, transient: bool = False,
                smooth_granule: str = "1h", level: float = 0.0) -> Mission:  # fmt: skip
    """Return raw hours, a product, one with a margin, a daily one, one of a daily one, events."""
    return Mission(
        "toy",
        [
            raw("toy.raw", ScalarSeries, ToySource(), granule="1h", transient=transient),
            product("toy.double", doubling, x="toy.raw", factor=factor),
            product("toy.smooth", smooth, x="toy.raw", granule=smooth_granule),
            product("toy.day", hourly, x="toy.double", granule="1d"),
            product("toy.both", hourly, x="toy.smooth", other="toy.day", granule="1d"),
            product("toy.rises", rises, x="toy.double", granule="1d", level=level),
        ],
    )


def toy_graph(**options: object) -> Graph:
    """Return the graph of the toy mission."""
    return Graph.of([toy_mission(**options)])
