"""Small in-memory datasets of each DataType, for tests that need something of the right shape.

Each passes the check of its DataType. They are plain; physics to compare with is in `analytic`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.constants import ELECTRON_MASS, PROTON_MASS

START = "2020-11-19T23:34:00"
AXES = ["x", "y", "z"]
MASS = {"H+": PROTON_MASS, "e-": ELECTRON_MASS}
CHARGE = {"H+": 1.0, "e-": -1.0}


def times(records: int, start: str = START, step: str = "4500ms") -> np.ndarray:
    """Evenly spaced datetime64[ns] (records,); `step` is a number and a numpy unit."""
    digits = step.rstrip("abcdefghijklmnopqrstuvwxyz")
    every = np.timedelta64(int(digits), step[len(digits) :]).astype("timedelta64[ns]")
    return np.datetime64(start, "ns") + np.arange(records) * every


def _phase(time: np.ndarray) -> np.ndarray:
    """0 to 1 over the records."""
    return np.linspace(0, 1, time.size) if time.size else np.zeros(0)


def _rows(values: np.ndarray | float | Sequence[float], shape: tuple[int, ...]) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(values, np.float32), shape))


def vdf(
    time: np.ndarray | None = None,
    *,
    f: np.ndarray | float = 1e-13,
    energy: np.ndarray | None = None,
    phis: int = 8,
    thetas: int = 4,
    directions: int = 0,
    species: str = "H+",
    frame: str = "DBCS",
) -> xr.Dataset:
    """A VDF on a grid, or with `directions` as a list; `energy` is (time?, energy_bin)."""
    time = times(3) if time is None else time
    energy = np.geomspace(10, 30000, 16) if energy is None else np.asarray(energy)
    ds = xr.Dataset(
        coords={"time": time},
        attrs={
            "species": species,
            "mass": MASS[species],
            "charge": CHARGE[species],
            "energy_kind": "energy",
            "frame": frame,
        },
    )
    if directions:
        dims, sizes = ("direction",), (directions,)
        theta = np.degrees(np.arccos(1 - 2 * (np.arange(directions) + 0.5) / directions))
        phi = (np.arange(directions) * 137.50776) % 360
        angles = {
            "phi": (dims, phi, "deg"),
            "theta": (dims, theta, "deg"),
            "solid_angle": (dims, np.full(directions, 4 * np.pi / directions), "sr"),
        }
    else:
        dims, sizes = ("phi_bin", "theta_bin"), (phis, thetas)
        edges = np.linspace(0, np.pi, thetas + 1)
        ring = 2 * np.pi / phis * (np.cos(edges[:-1]) - np.cos(edges[1:]))
        angles = {
            "phi": (("phi_bin",), 360 / phis * (np.arange(phis) + 0.5), "deg"),
            "theta": (("theta_bin",), np.degrees(0.5 * (edges[1:] + edges[:-1])), "deg"),
            "solid_angle": (("theta_bin",), ring, "sr"),
        }
    ds["f"] = (
        ("time", *dims, "energy_bin"),
        _rows(f, (time.size, *sizes, energy.shape[-1])),
        {"units": "s^3 m^-6", "long_name": f"{species} velocity distribution"},
    )
    ds["energy"] = (
        ("time", "energy_bin")[-energy.ndim :],
        energy.astype(np.float32),
        {"units": "eV", "long_name": f"{species} energy"},
    )
    for name, (where, values, units) in angles.items():
        ds[name] = (where, values.astype(np.float32), {"units": units, "long_name": name})
    return datatypes.VDF.check(ds)


def vector_series(
    time: np.ndarray | None = None,
    vector: np.ndarray | Sequence[float] | None = None,
    *,
    units: str = "nT",
    frame: str = "GSE",
    long_name: str = "magnetic field",
) -> xr.Dataset:
    """A VectorSeries; `vector` (time, component) or (component,), otherwise a slow rotation."""
    time = times(60) if time is None else time
    if vector is None:
        turn = 2 * np.pi * _phase(time)
        vector = np.stack([5 * np.cos(turn), 5 * np.sin(turn), 2 + turn], -1)
    ds = xr.Dataset(coords={"time": time, "component": AXES})
    ds["vector"] = (
        ("time", "component"),
        _rows(vector, (time.size, 3)),
        {"units": units, "long_name": long_name, "frame": frame},
    )
    return datatypes.VectorSeries.check(ds)


def scalar_series(
    time: np.ndarray | None = None,
    value: np.ndarray | float | None = None,
    *,
    units: str = "V",
    long_name: str = "spacecraft potential",
) -> xr.Dataset:
    """A ScalarSeries; `value` (time,) or a number, otherwise a slow wave."""
    time = times(60) if time is None else time
    value = 8 + 2 * np.sin(2 * np.pi * _phase(time)) if value is None else value
    ds = xr.Dataset(coords={"time": time})
    ds["value"] = (
        ("time",),
        _rows(value, (time.size,)),
        {"units": units, "long_name": long_name},
    )
    return datatypes.ScalarSeries.check(ds)


def position(
    time: np.ndarray | None = None,
    where: np.ndarray | Sequence[float] | None = None,
    *,
    frame: str = "GSE",
) -> xr.Dataset:
    """A Position [km]; `where` (time, component) or (component,), otherwise an arc."""
    time = times(60) if time is None else time
    if where is None:
        turn = 0.4 * _phase(time)
        where = 7e4 * np.stack([np.cos(turn), np.sin(turn), 0.2 + 0 * turn], -1)
    ds = xr.Dataset(coords={"time": time, "component": AXES})
    ds["position"] = (
        ("time", "component"),
        _rows(where, (time.size, 3)),
        {"units": "km", "long_name": "position", "frame": frame},
    )
    return datatypes.Position.check(ds)


def moments(
    time: np.ndarray | None = None,
    *,
    density: np.ndarray | float = 10.0,
    velocity: np.ndarray | Sequence[float] = (-350.0, 20.0, -10.0),
    temperature: np.ndarray | float = 100.0,
    parallel: np.ndarray | float | None = None,
    quality: np.ndarray | None = None,
    species: str = "H+",
    frame: str = "DBCS",
) -> xr.Dataset:
    """Moments, isotropic; `parallel` [eV] adds parallel and perpendicular temperatures."""
    time = times(60) if time is None else time
    n = time.size
    temperature = _rows(temperature, (n,))
    density = _rows(density, (n,))
    tensor = temperature[:, None, None] * np.eye(3, dtype=np.float32)
    rows = {
        "density": (("time",), density, "cm^-3", "number density"),
        "velocity": (("time", "component"), _rows(velocity, (n, 3)), "km s^-1", "bulk velocity"),
        "temperature": (("time",), temperature, "eV", "temperature"),
        "temperature_tensor": (
            ("time", "component", "component_2"), tensor, "eV", "temperature tensor",
        ),
        "pressure": (
            ("time", "component", "component_2"),
            1.602176634e-4 * density[:, None, None] * tensor, "nPa", "pressure tensor",
        ),
        "coverage": (("time",), np.ones(n, np.float32), "1", "measured part of the sphere"),
    }  # fmt: skip
    if parallel is not None:
        parallel = _rows(parallel, (n,))
        across = (3 * temperature - parallel) / 2
        rows["temperature_parallel"] = (("time",), parallel, "eV", "parallel temperature")
        rows["temperature_perpendicular"] = (("time",), across, "eV", "perpendicular temperature")
    ds = xr.Dataset(
        coords={"time": time, "component": AXES, "component_2": AXES},
        attrs={"species": species, "frame": frame},
    )
    for name, (dims, values, units, words) in rows.items():
        about = {"units": units, "long_name": f"{species} {words}"}
        if len(dims) > 1:
            about["frame"] = frame
        ds[name] = (dims, values.astype(np.float32), about)
    if quality is not None:
        ds["quality"] = quality_word(quality, n)
    return datatypes.Moments.check(ds)


def quality_word(word: np.ndarray | int, records: int) -> xr.Variable:
    """A quality variable (time,) with two documented bits; the first one masks."""
    return xr.Variable(
        ("time",),
        np.array(np.broadcast_to(np.asarray(word, np.uint32), (records,))),
        {
            "units": "1",
            "long_name": "quality flags",
            "flag_masks": [1, 2],
            "flag_meanings": "manually_flagged saturated",
            "masking": 1,
        },
    )


def energy_spectrum(
    time: np.ndarray | None = None,
    spectrum: np.ndarray | None = None,
    *,
    energy: np.ndarray | None = None,
    quality: np.ndarray | None = None,
    species: str = "H+",
) -> xr.Dataset:
    """An EnergySpectrum; `spectrum` is broadcast, otherwise a peak that rises in energy.

    `energy` is (energy_bin,) or (time, energy_bin) [eV], ascending or descending.
    """
    time = times(60) if time is None else time
    energy = np.geomspace(10, 30000, 32) if energy is None else np.asarray(energy)
    bins = energy.shape[-1]
    if spectrum is None:
        peak = 300 * 10 ** _phase(time)[:, None]
        rows = np.broadcast_to(energy, (time.size, bins))
        spectrum = 1e3 + 1e8 * np.exp(-((np.log(rows / peak) / 0.6) ** 2))
    ds = xr.Dataset(coords={"time": time}, attrs={"species": species})
    ds["spectrum"] = (
        ("time", "energy_bin"),
        _rows(spectrum, (time.size, bins)),
        {
            "units": "eV cm^-2 s^-1 sr^-1 eV^-1",
            "long_name": f"{species} omnidirectional differential energy flux",
        },
    )
    ds["energy"] = (
        ("time", "energy_bin")[-energy.ndim :],
        energy.astype(np.float32),
        {"units": "eV", "long_name": f"{species} energy"},
    )
    if quality is not None:
        ds["quality"] = quality_word(quality, time.size)
    return datatypes.EnergySpectrum.check(ds)


def plasma_state(
    time: np.ndarray | None = None,
    *,
    density: np.ndarray | float = 10.0,
    velocity: np.ndarray | Sequence[float] = (-350.0, 20.0, -10.0),
    temperature: np.ndarray | float = 100.0,
    magnetic_field: np.ndarray | float | None = 5.0,
    frame: str = "GSE",
) -> xr.Dataset:
    """A PlasmaState; without `magnetic_field` as on a day without a magnetometer."""
    time = times(60) if time is None else time
    n = time.size
    velocity = _rows(velocity, (n, 3))
    rows = {
        "density": (("time",), density, "cm^-3", "number density"),
        "speed": (("time",), np.linalg.norm(velocity, axis=1), "km s^-1", "bulk speed"),
        "temperature": (("time",), temperature, "eV", "temperature"),
        "velocity": (("time", "component"), velocity, "km s^-1", "bulk velocity"),
    }
    if magnetic_field is not None:
        rows["magnetic_field"] = (("time",), magnetic_field, "nT", "magnetic field magnitude")
    ds = xr.Dataset(coords={"time": time, "component": AXES})
    for name, (dims, values, units, words) in rows.items():
        about = {"units": units, "long_name": words}
        if len(dims) > 1:
            about["frame"] = frame
        ds[name] = (dims, _rows(values, (n, 3)[: len(dims)]), about)
    return datatypes.PlasmaState.check(ds)


def labels(
    time: np.ndarray | None = None,
    probability: np.ndarray | None = None,
    *,
    names: Sequence[str] = ("magnetosphere", "magnetosheath", "solar_wind"),
) -> xr.Dataset:
    """Labels; `probability` (time, label), otherwise each label in its turn."""
    time = times(60) if time is None else time
    if probability is None:
        middle = (np.arange(len(names)) + 0.5) / len(names)
        weight = np.exp(-(((_phase(time)[:, None] - middle) * 5) ** 2))
        probability = weight / weight.sum(1, keepdims=True)
    ds = xr.Dataset(coords={"time": time, "label": list(names)})
    ds["probability"] = (
        ("time", "label"),
        _rows(probability, (time.size, len(names))),
        {"units": "1", "long_name": "probability of each region"},
    )
    return datatypes.Labels.check(ds)
