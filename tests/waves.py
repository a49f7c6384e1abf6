"""Waveforms with known waves in them."""

from __future__ import annotations

import numpy as np
import xarray as xr

AXES = ["x", "y", "z"]
T0 = np.datetime64("2020-01-01T12:00:00", "ns")


def series(values: np.ndarray, rate: float, *, start: float = 0.0, units: str = "nT",
           frame: str = "GSE") -> xr.Dataset:  # fmt: skip
    """A VectorSeries sampled evenly, `start` seconds after noon."""
    since = np.round((start + np.arange(len(values)) / rate) * 1e9).astype(np.int64)
    about = {"units": units, "long_name": "field", "frame": frame}
    return xr.Dataset(
        {"vector": (("time", "component"), values, about)},
        {"time": T0 + since.astype("timedelta64[ns]"), "component": AXES},
    )


def seconds(count: int, rate: float) -> np.ndarray:
    """Times of the samples [s]."""
    return np.arange(count) / rate


def steady(direction: tuple[float, float, float], length: float = 60.0) -> xr.Dataset:
    """A background field of 16 Hz that does not change."""
    return series(np.tile(np.asarray(direction, float), (int(length * 16), 1)), 16.0)


def wave(
    axis: np.ndarray, frequency: float, ellipticity: float, count: int, rate: float
) -> np.ndarray:
    """An elliptic wave of amplitude 1 that turns right-handed about an axis, (sample, 3)."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    first = np.cross(axis, [0.3, 0.5, -0.8])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    phase = 2 * np.pi * frequency * seconds(count, rate)[:, None]
    return np.cos(phase) * first + ellipticity * np.sin(phase) * second
