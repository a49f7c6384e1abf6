"""Where a spacecraft was, in numbers under a time axis: distance, GSE, L, magnetic local time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..constants import EARTH_RADIUS
from ..errors import DataTypeError
from ..recipes.axes import rotation
from ..recipes.upstream import magnetic_location

_AU = 149_597_870.7
#: Beyond this distance [R_E] a dipole says nothing about the field.
_DIPOLE = 20.0
#: Records further apart than this many usual steps have a gap between them.
_GAP = 10


@dataclass(frozen=True, slots=True)
class Scale:
    """One line of numbers under a time axis: its word, and a text for each tick."""

    word: str
    texts: tuple[str, ...]


def scales(position: xr.Dataset, times: np.ndarray) -> tuple[Scale, ...]:
    """Return what is written under the ticks of a time axis about a position.

    Parameters
    ----------
    position : Position
        (time, component) [km]; in a frame centred on the Earth it is told in GSE.
    times : ndarray of datetime64[ns] (tick,)
        Where; beside the records and in their gaps nothing is written.
    """
    records, r = _finite(position)
    if not len(records) or not len(times):
        return ()
    at = _between(records, r, times)
    try:
        here = _located(position, at, times)
        frame = "GSE"
        x, y, z = np.einsum("tij,tj->it", rotation(_frame(position), "GSE", _ns(times)), at)
    except DataTypeError:  # around the Sun, or another body
        length = _AU if np.nanmax(np.abs(r)) > 1e7 else 1.0
        unit, frame = ("AU" if length == _AU else "km"), _frame(position)
        found = [(f"R [{unit}]", np.linalg.norm(at, axis=1) / length)]
        found += [(f"{w} {frame}", v / length) for w, v in zip("XYZ", at.T, strict=True)]
        return _written(found, 3 if length == _AU else 0)
    far = np.linalg.norm(at, axis=1) / EARTH_RADIUS
    found = [("R [$R_E$]", far)]
    found += [(f"{w} {frame}", v / EARTH_RADIUS) for w, v in zip("XYZ", (x, y, z), strict=True)]
    told = _written(found, 1 if np.nanmin(far, initial=np.inf) > 3 else 2)
    if not (far < _DIPOLE).any():
        return told
    shell = np.where(far < _DIPOLE, here["dipole_l"].values, np.nan)
    clock = tuple(_clock(h) for h in here["magnetic_local_time"].values)
    return (*told, *_written([("L (dipole)", shell)], 1), Scale("MLT", clock))


def _frame(position: xr.Dataset) -> str:
    return str(position["position"].attrs["frame"])


def _ns(times: np.ndarray) -> np.ndarray:
    found: np.ndarray = times.astype("datetime64[ns]").astype(np.int64)
    return found


def _finite(position: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    r = position["position"].values.astype(np.float64)
    known = np.isfinite(r).all(axis=1)
    return _ns(position["time"].values)[known], r[known]


def _between(records: np.ndarray, r: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the position (tick, 3) between its records, NaN in gaps and beyond them."""
    when = _ns(times)
    after = np.clip(np.searchsorted(records, when), 1, max(1, len(records) - 1))
    step = float(np.median(np.diff(records))) if len(records) > 1 else 0.0
    left, right = records[after - 1], records[np.minimum(after, len(records) - 1)]
    inside = (when >= left - step) & (when <= right + step) & (right - left <= _GAP * step)
    found = np.stack([np.interp(when, records, r[:, k]) for k in range(3)], axis=1)
    return np.where(inside[:, None], found, np.nan)


def _located(position: xr.Dataset, at: np.ndarray, times: np.ndarray) -> xr.Dataset:
    ds = xr.Dataset(
        {"position": (("time", "component"), at, position["position"].attrs)},
        {"time": times.astype("datetime64[ns]")},
    )
    found: xr.Dataset = magnetic_location(ds)
    return found


def _written(found: Iterable[tuple[str, np.ndarray]], digits: int) -> tuple[Scale, ...]:
    return tuple(
        Scale(word, tuple(f"{v + 0.0:.{digits}f}" if np.isfinite(v) else "" for v in values))
        for word, values in found
    )


def _clock(hours: float) -> str:
    if not np.isfinite(hours):
        return ""
    minutes = round(hours * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
