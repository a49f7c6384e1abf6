"""Small series that tests of field recipes are made of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import xarray as xr

AXES = ["x", "y", "z"]
START = np.datetime64("2020-01-01T12:00", "ns")


def clock(count: int, seconds: float, offset: float = 0.0) -> np.ndarray:
    """Times from noon on, every so many seconds."""
    since = np.round((offset + seconds * np.arange(count)) * 1e9).astype(np.int64)
    return START + since.astype("timedelta64[ns]")


def vector(values, time=None, *, units="nT", frame="GSE", seconds=1.0) -> xr.Dataset:
    values = np.atleast_2d(np.asarray(values, float))
    time = clock(len(values), seconds) if time is None else time
    attrs = {"units": units, "long_name": f"a vector ({frame})", "frame": frame}
    return xr.Dataset({"vector": (("time", "component"), values, attrs)},
                      {"time": time, "component": AXES})  # fmt: skip


def position(values, time=None, *, frame="GSE", seconds=30.0) -> xr.Dataset:
    ds = vector(values, time, units="km", frame=frame, seconds=seconds)
    return ds.rename(vector="position")


def moments(density, velocity, temperature=100.0, time=None, *, frame="GSE", seconds=1.0,
            species="H+") -> xr.Dataset:  # fmt: skip
    velocity = np.atleast_2d(np.asarray(velocity, float))
    n = len(velocity)
    time = clock(n, seconds) if time is None else time
    full = {k: np.broadcast_to(np.asarray(v, float), (n,)).copy()
            for k, v in (("density", density), ("temperature", temperature))}  # fmt: skip
    return xr.Dataset(
        {
            "density": ("time", full["density"], {"units": "cm^-3", "long_name": "n"}),
            "velocity": (("time", "component"), velocity,
                         {"units": "km s^-1", "long_name": "V", "frame": frame}),
            "temperature": ("time", full["temperature"], {"units": "eV", "long_name": "T"}),
        },
        {"time": time, "component": AXES},
        {"species": species},
    )  # fmt: skip


def between(ds: xr.Dataset, start, stop) -> xr.Dataset:
    """Return the records in [start, stop)."""
    low, high = np.searchsorted(ds["time"].values, [start, stop])
    return ds.isel(time=slice(low, high))


def cut(
    recipe: Callable[..., xr.Dataset], inputs: tuple[xr.Dataset, ...], edges: list[float],
    margin: float, **params,
) -> xr.Dataset:  # fmt: skip
    """Return what a recipe makes of granules with margins, joined; edges in seconds from noon."""
    times = [START + np.timedelta64(round(e * 1e9), "ns") for e in edges]
    beyond = np.timedelta64(round(margin * 1e9), "ns")
    pieces = []
    for a, b in pairwise(times):
        made = recipe(*(between(i, a - beyond, b + beyond) for i in inputs), **params)
        pieces.append(between(made, a, b))
    return xr.concat(pieces, "time", data_vars="minimal")
