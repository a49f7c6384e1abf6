"""Makes the archive of the demo probe: CDF files whose every number is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pycdfpp

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS

DENSITY, VELOCITY, TEMPERATURE = 8.0, np.array([-180.0, 40.0, 25.0]), 150.0  # cm^-3, km/s, eV
ENERGIES = np.geomspace(25_000.0, 6.0, 32)
# Directions per latitude, from pole to pole: 88 in all, like those of THEMIS/ESA.
RINGS = {-78.75: 4, -56.25: 8, -33.75: 16, -11.25: 16, 11.25: 16, 33.75: 16, 56.25: 8, 78.75: 4}
BAD_SPIN, SUNNY_SPIN = 5, 7
AMPLITUDE, PERIOD = 2.0, 20.0  # of a sine on By [nT, s]
TURNS = ("2030-01-01T00:20", "2030-01-01T00:59:59.875", "2030-01-01T01:30")  # of Bz

_TT2000 = pycdfpp.DataType.CDF_TIME_TT2000


def look_directions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Azimuths, latitudes and half widths in azimuth [deg], (direction)."""
    latitude = np.repeat(list(RINGS), list(RINGS.values()))
    half = np.repeat([180 / n for n in RINGS.values()], list(RINGS.values()))
    azimuth = np.concatenate([(np.arange(n) + 0.5) * 360 / n for n in RINGS.values()])
    return azimuth, latitude, half


def maxwellian(azimuth: np.ndarray, latitude: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """f [s^3 km^-6] of ions flying opposite to the look directions, (energy, direction)."""
    phi, lam = np.radians(azimuth), np.radians(latitude)
    look = np.stack([np.cos(lam) * np.cos(phi), np.cos(lam) * np.sin(phi), np.sin(lam)], axis=-1)
    speed = np.sqrt(2 * energy * ELEMENTARY_CHARGE / PROTON_MASS) / 1e3
    thermal = np.sqrt(2 * TEMPERATURE * ELEMENTARY_CHARGE / PROTON_MASS) / 1e3
    away = -speed[:, None, None] * look - VELOCITY
    norm = DENSITY * 1e15 / (np.pi**1.5 * thermal**3)
    return norm * np.exp(-(away**2).sum(axis=-1) / thermal**2)


def bin_averages() -> np.ndarray:
    """The Maxwellian averaged over each bin, as an instrument sees it, (energy, direction)."""
    azimuth, latitude, half = look_directions()
    ratio = ENERGIES[0] / ENERGIES[1]
    parts = (np.arange(6) + 0.5) / 6 - 0.5
    total = np.zeros((ENERGIES.size, azimuth.size))
    weights = np.zeros(azimuth.size)
    for e in parts:
        for lam in parts:
            here = latitude + 22.5 * lam
            solid = np.cos(np.radians(here))
            for phi in parts:
                f = maxwellian(azimuth + 2 * half * phi, here, ENERGIES * ratio**e)
                total += f * solid * ratio ** (1.5 * e)
                weights += solid * ratio ** (1.5 * e)
    return total / weights


def write_esa(folder: Path, start: str = "2030-01-01T00:00", spins: int = 60) -> Path:
    """Write one file of distributions; a spin is incomplete, in another the Sun is seen."""
    azimuth, latitude, half = look_directions()
    begin = np.datetime64(start, "ns") + np.arange(spins) * np.timedelta64(3, "s")
    f = np.repeat(bin_averages()[None], spins, axis=0)
    f[BAD_SPIN] *= 0.5
    flags = np.zeros(spins, np.uint8)
    flags[BAD_SPIN], flags[SUNNY_SPIN] = 1, 2
    cdf = pycdfpp.CDF()
    add(cdf, "Epoch", begin, type=_TT2000)
    add(cdf, "demo_esa_flags", flags, DEPEND_0="Epoch")
    add(cdf, "demo_esa_f", f.astype(np.float32), DEPEND_0="Epoch", DEPEND_1="demo_esa_energy",
        DEPEND_2="demo_esa_phi", UNITS="s^3/km^6")  # fmt: skip
    add(cdf, "demo_esa_energy", ENERGIES[None], fixed=True, UNITS="eV")
    add(cdf, "demo_esa_phi", azimuth[None], fixed=True, UNITS="deg")
    add(cdf, "demo_esa_phi_half", half[None], fixed=True, UNITS="deg")
    add(cdf, "demo_esa_latitude", latitude[None], fixed=True, UNITS="deg")
    add(cdf, "demo_esa_latitude_half", np.full((1, 88), 11.25), fixed=True, UNITS="deg")
    stamp = start.replace("-", "").replace(":", "").replace("T", "")
    return _save(cdf, folder / f"demo_esa_l2_{stamp}_v01.cdf")


def write_fgm(folder: Path, day: str = "2030-01-01", hours: int = 2) -> Path:
    """Write one file of the field: Bx steady, By a sine, Bz turns over at known times."""
    time = np.datetime64(day, "ns") + np.arange(hours * 3600 * 4) * np.timedelta64(250, "ms")
    seconds = (time - time[0]) / np.timedelta64(1, "s")
    sign = (-1.0) ** sum((time >= np.datetime64(t, "ns")).astype(int) for t in TURNS)
    by = AMPLITUDE * np.sin(2 * np.pi * seconds / PERIOD)
    field = np.stack([np.full(time.size, 1.0), by, 10.0 * sign], axis=1)
    cdf = pycdfpp.CDF()
    add(cdf, "Epoch", time, type=_TT2000)
    add(cdf, "demo_fgm_b", field.astype(np.float32), DEPEND_0="Epoch", UNITS="nT")
    return _save(cdf, folder / f"demo_fgm_l2_{day.replace('-', '')}_v01.cdf")


def add(cdf: Any, name: str, values: np.ndarray, *, fixed: bool = False, type: Any = None,
        **attributes: str) -> None:  # fmt: skip
    """Add a variable with its attributes to a file."""
    cdf.add_variable(name, values=values, data_type=type, is_nrv=fixed, attributes=attributes)


def _save(cdf: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pycdfpp.save(cdf, str(path))
    return path
