"""Instruments beyond the ordinary ones, written when asked for: `simulate(..., extras=True)`.

A monitor of the solar wind at the nose, an electric field, electrons, a search coil, the attitude,
and three companions 60 km away. What they see follows from the same World, so that products of
several spacecraft and instruments have a truth as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, VACUUM_PERMEABILITY
from sciqlop_pipe.granule import DAY, MINUTE, SECOND, Interval, datetime64
from sciqlop_pipe.kernels.tetrahedron import curls, reciprocal

from .instrument import Spectrometer, clock, despun_axes
from .noise import gaussian, stream_key
from .orbit import ephemeris
from .physics import plasma
from .vectors import Array, rotate
from .wind import ELECTRON_TEMPERATURE, Times, World, solar_wind
from .writer import REAL4, REAL8, Compression, Variable, epoch_variables, write_file

COMPANIONS = ("sim2", "sim3", "sim4")
OFFSETS = np.array([[0, 0, 0], [60, 0, 0], [30, 52, 0], [30, 17, 49.0]])
"""Of the spacecraft and its companions from it, GSE [km]."""

RESISTIVITY = 2e4
"""E' = eta J [ohm m]: anomalous, so that J . E' = eta J^2 is known and not zero."""

WAVE = (24.0, 0.3)
"""Frequency [Hz] and amplitude [nT] of a circular wave about x of GSE that the coil sees."""

_NOISE = {"edp": 0.05, "scm": 1e-3, "fgm": 0.02}  # mV/m, nT, nT
_FIELD_STEP, _COIL_STEP = SECOND // 16, SECOND // 128


def four_fields(world: World, time: Times) -> tuple[Array, ...]:
    """Return the true field [nT], GSE, at the spacecraft and its companions, four (time, 3)."""
    return tuple(plasma(world, time, offset).magnetic_field for offset in OFFSETS)


def true_current(world: World, time: Times) -> Array:
    """Return the current between the four spacecraft [nA m^-2], GSE, (time, 3)."""
    if not time.size:
        return np.zeros((0, 3))
    k = np.empty((2, 4, 3))
    for one in k:
        reciprocal(OFFSETS, one)
    knots = np.array([time[0] - 1, time[-1] + 1])
    return 1e-3 / VACUUM_PERMEABILITY * curls(*four_fields(world, time), time, knots, k)[:, :3]


def electric_field(world: World, time: Times) -> Array:
    """Return the true electric field -V x B + eta J [mV/m], GSE, (time, 3)."""
    here = plasma(world, time)
    induced = -1e-3 * np.cross(here.velocity, here.magnetic_field)
    return induced + 1e-6 * RESISTIVITY * true_current(world, time)


def electron_velocity(world: World, time: Times) -> Array:
    """Return the true velocity of the electrons V - J/(e n) [km/s], GSE, (time, 3)."""
    here = plasma(world, time)
    # nA m^-2 over C cm^-3, in km/s.
    scale = 1e-9 / (ELEMENTARY_CHARGE * 1e6 * 1e3)
    return here.velocity - scale * true_current(world, time) / here.density[:, None]


def wave_field(time: Times) -> Array:
    """Return the field of the wave [nT], GSE, (time, 3): it turns right-handed about x."""
    frequency, size = WAVE
    phase = 2 * np.pi * frequency * (time % (3600 * SECOND)) * 1e-9
    return size * np.stack([0 * phase, np.cos(phase), np.sin(phase)], axis=1)


def write_extras(
    out: Path,
    interval: Interval,
    world: World,
    instrument: Spectrometer,
    compression: Compression,
    pieces: Iterator[Interval],
) -> Iterator[tuple[str, int]]:
    """Write the files of an interval and yield the name below `out` and the size of each.

    Parameters
    ----------
    out, interval, world, instrument, compression
        As of `simulate.write_archive`.
    pieces : iterator of Interval
        What each file of a fast instrument holds.
    """

    def noisy(name: str, time: Times, values: Array) -> Array:
        key = np.uint64(stream_key(world.seed, name))
        return values + _NOISE[name.partition(" ")[0]] * gaussian(key, time, 3)

    def written(kind: str, time: Times, step: int, *variables: Variable) -> tuple[str, int]:
        stamp = "".join(c for c in str(datetime64(time[0]).astype("M8[s]")) if c.isdigit())
        half = step * 0.5e-9
        every = (*epoch_variables(time, "Interval centered time tag", half, half), *variables)
        name = f"{kind.rpartition('_')[2]}/sim_{kind}_l2_{stamp}_v1.0.0.cdf"
        return name, write_file(out / name, every, f"Simulated {kind}", compression)

    axes = despun_axes(instrument)
    for piece in pieces:
        time = clock(piece.start, piece.stop, _FIELD_STEP)
        if not time.size:
            continue
        e = noisy("edp", time, electric_field(world, time))
        yield written("edp", time, _FIELD_STEP, _vector("sim_edp_e_gse", e, "mV/m", "GSE"),
                      _vector("sim_edp_e_dbcs", rotate(axes, e), "mV/m", "DBCS"))  # fmt: skip
        n, v = plasma(world, time).density, electron_velocity(world, time)
        t = np.full(time.size, ELECTRON_TEMPERATURE)
        yield written("ele", time, _FIELD_STEP, _scalar("sim_ele_n", n, "cm^-3"),
                      _vector("sim_ele_v_dbcs", rotate(axes, v), "km/s", "DBCS"),
                      _scalar("sim_ele_t", t, "eV"))  # fmt: skip
        for k, name in enumerate(COMPANIONS, 1):
            b = noisy(f"fgm {name}", time, plasma(world, time, OFFSETS[k]).magnetic_field)
            kind = f"fgm{name[-1]}"
            yield written(kind, time, _FIELD_STEP, _vector(f"sim_{kind}_b_gse", b, "nT", "GSE"))
        fast = clock(piece.start, piece.stop, _COIL_STEP)
        coil = noisy("scm", fast, wave_field(fast))
        yield written("scm", fast, _COIL_STEP, _vector("sim_scm_b_gse", coil, "nT", "GSE"))
    minutes = np.arange(-(-interval.start // MINUTE), -(-interval.stop // MINUTE)) * MINUTE
    for day in np.unique(minutes // DAY):
        time = minutes[minutes // DAY == day]
        wind = solar_wind(world, time)
        yield written(
            "wind", time, MINUTE, _vector("sim_wind_b_gse", wind.magnetic_field, "nT", "GSE"),
            _vector("sim_wind_v_gse", wind.velocity, "km/s", "GSE"),
            _scalar("sim_wind_n", wind.density, "cm^-3"),
            _scalar("sim_wind_t", wind.temperature, "eV"),
        )  # fmt: skip
        turn = np.tile(Rotation.from_matrix(axes.T).as_quat(), (time.size, 1))
        places = ephemeris(world.orbit, time)[0]
        yield written(
            "att", time, MINUTE,
            Variable("sim_att_dbcs_to_gse", turn, REAL8, _about("Attitude, xyzw", "1", "")),
            *(_vector(f"sim_{name}_r_gse", places + OFFSETS[k], "km", "GSE", REAL8)
              for k, name in enumerate(COMPANIONS, 1)),
        )  # fmt: skip


def _vector(name: str, values: Array, units: str, frame: str, kind: object = REAL4) -> Variable:
    values = values.astype(np.float32) if kind is REAL4 else values
    return Variable(name, values, kind, _about(f"{name} ({frame})", units, frame), big=True)  # type: ignore[arg-type]


def _scalar(name: str, values: Array, units: str) -> Variable:
    return Variable(name, values.astype(np.float32), REAL4, _about(name, units, ""))


def _about(words: str, units: str, frame: str) -> dict[str, str]:
    known = {"DEPEND_0": "Epoch", "UNITS": units, "CATDESC": words, "DISPLAY_TYPE": "time_series"}
    return known | ({"COORDINATE_SYSTEM": frame} if frame else {})
