"""The simulated instruments: an ion spectrometer like FPI/DIS on a spinning body, a magnetometer.

The spectrometer counts ions in 32 azimuths x 16 polar angles x 32 energies. Its angles are *look*
directions (an ion seen at n flies along -n) in a despun frame near GSE; the azimuths turn with the
spin and two energy tables alternate, half a step apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.granule import SECOND

from .counting import count, expect
from .noise import gaussian, stream_key
from .physics import Plasma
from .vectors import rotate, unit
from .wind import Times

MILLISECOND = 1_000_000

_SPEED_2 = 2 * ELEMENTARY_CHARGE / PROTON_MASS * 1e-6  # (km/s)^2 per eV


@dataclass(frozen=True, slots=True)
class Spectrometer:
    """The ion spectrometer.

    Parameters
    ----------
    accumulation : int
        Time of one distribution [ns]: the cadence, without dead time.
    lowest, highest : float
        First energy of the even table and last one [eV].
    azimuths, polars, energies : int
        Size of the grid.
    one_count : float
        f of a single count at 1 eV, accumulated for 1 s [s^3 cm^-6 eV^2]: f = one_count N / (E^2
        tau). The default is what f and its error say in MMS1 FPI/DIS burst data of 2020-11-19.
    spin : float
        Period of the spin [s].
    fineness : int
        Gauss-Legendre points per axis in the average of f over a bin. Two are right to 1 % in the
        core of the coldest beam of this simulation; one samples f at the centre of the bin.
    axis_longitude, axis_tilt : float
        GSE longitude of the spin axis and its angle to the ecliptic pole [deg].
    """

    accumulation: int = 4_500_000_000
    lowest: float = 10.0
    highest: float = 30_000.0
    azimuths: int = 32
    polars: int = 16
    energies: int = 32
    one_count: float = 2.25e-19
    spin: float = 20.03
    fineness: int = 2
    axis_longitude: float = 40.0
    axis_tilt: float = 3.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the numbers of azimuths, polar angles and energies."""
        return self.azimuths, self.polars, self.energies


@dataclass(frozen=True, slots=True)
class SkyMaps:
    """Distributions as the instrument delivers them, with their tables.

    `start` is the begin of each accumulation [ns]; `f` and `error` are (time, phi, theta, energy)
    [s^3 cm^-6], both 0 where nothing was counted; `phi` (time, 32) and `theta` (16) [deg] are look
    directions, `energy` is (time, 32) [eV], `parity` (time) names the energy table, 0 or 1, and
    `most_counts` (time) is the largest number of ions in one bin.
    """

    start: Times
    f: NDArray[np.float32]
    error: NDArray[np.float32]
    phi: NDArray[np.float32]
    theta: NDArray[np.float32]
    energy: NDArray[np.float32]
    parity: NDArray[np.uint8]
    most_counts: NDArray[np.float32]


def clock(start: int, stop: int, step: int) -> Times:
    """Return the ticks of an instrument in [start, stop), (time) [ns since 1970 UTC].

    The ticks are absolute, at (k + 1/7) steps since 1970, in whole ms: off the grid of minutes.

    Parameters
    ----------
    start, stop : int
        Nanoseconds since 1970 UTC.
    step : int
        Time between ticks [ns].
    """
    offset = step // 7 // MILLISECOND * MILLISECOND
    first, end = -((offset - start) // step), -((offset - stop) // step)
    return np.arange(first, end, dtype=np.int64) * step + offset


def despun_axes(instrument: Spectrometer) -> NDArray[np.float64]:
    """Return the rows x, y, z of the despun frame in GSE, (3, 3): z the spin axis, x sunward."""
    tilt, longitude = np.deg2rad(instrument.axis_tilt), np.deg2rad(instrument.axis_longitude)
    side = np.sin(tilt)
    z = np.array([side * np.cos(longitude), side * np.sin(longitude), np.cos(tilt)])
    y = np.cross(z, [1.0, 0.0, 0.0])
    y /= np.sqrt((y * y).sum())
    return np.stack([np.cross(y, z), y, z])


def energy_tables(instrument: Spectrometer) -> NDArray[np.float64]:
    """Return the even and the odd energy table, (2, energy) [eV], half a step apart."""
    steps = np.arange(2 * instrument.energies) / (2 * instrument.energies - 1)
    fine = instrument.lowest * (instrument.highest / instrument.lowest) ** steps
    return np.stack([fine[0::2], fine[1::2]])


def look_angles(
    instrument: Spectrometer, start: Times
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return azimuths (time, 32) and polar angles (16) the bins look at [deg], in the despun frame.

    Parameters
    ----------
    instrument : Spectrometer
        Its grid and spin.
    start : int64 array, (time)
        Begin of each accumulation [ns].
    """
    width = 360.0 / instrument.azimuths
    spin = round(instrument.spin * SECOND)
    turned = (start % spin) * (360.0 / spin) % width
    theta = (np.arange(instrument.polars, dtype=np.float64) + 0.5) * (180.0 / instrument.polars)
    return turned[:, None] + width * np.arange(instrument.azimuths), theta


def expected(instrument: Spectrometer, start: Times, plasma: Plasma) -> NDArray[np.float64]:
    """Return the distributions without counting noise, (time, phi, theta, energy) [s^3 cm^-6].

    Parameters
    ----------
    instrument : Spectrometer
        Its grid.
    start : int64 array, (time)
        Begin of each accumulation [ns].
    plasma : Plasma
        The ions at the centres of the accumulations.
    """
    model = _Model.of(instrument, start, plasma)
    out = np.empty((start.size, *instrument.shape))
    expect(out, *model.arguments)
    return out


def observe(instrument: Spectrometer, seed: int, start: Times, plasma: Plasma) -> SkyMaps:
    """Return counted distributions: each record's noise depends on the seed and its number only.

    Parameters
    ----------
    instrument : Spectrometer
        Its grid.
    seed : int
        Seed of the counting noise.
    start : int64 array, (time)
        Begin of each accumulation [ns].
    plasma : Plasma
        The ions at the centres of the accumulations.
    """
    model = _Model.of(instrument, start, plasma)
    f = np.empty((start.size, *instrument.shape), np.float32)
    error = np.empty_like(f)
    number = start // instrument.accumulation
    most = count(f, error, *model.arguments,
                 np.uint64(stream_key(seed, "counts")), number)  # fmt: skip
    return SkyMaps(
        start,
        f,
        error,
        model.phi.astype(np.float32),
        model.theta.astype(np.float32),
        model.tables[model.parity].astype(np.float32),
        model.parity.astype(np.uint8),
        most.astype(np.float32),
    )


def magnetometer(
    seed: int, time: Times, field: NDArray[np.float64], noise: float = 0.02
) -> NDArray[np.float64]:
    """Return a field with the white noise of a fluxgate, (time, 3) [nT].

    Parameters
    ----------
    seed : int
        Seed of the noise.
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    field : array, (time, 3)
        The true field [nT].
    noise : float
        Standard deviation per component [nT].
    """
    return field + noise * gaussian(np.uint64(stream_key(seed, "magnetometer")), time, 3)


@dataclass(frozen=True, slots=True)
class _Model:
    """What the kernels need: angles [deg] and tables [eV], and the gas of each record.

    `one_count` is f of a single count, (table, energy) [s^3 cm^-6]. Columns of `gas`: log of f's
    peak, 1/w_par^2, 1/w_perp^2 [(km/s)^-2], then velocity [km/s] and unit vector of the field in
    the despun frame.
    """

    parity: NDArray[np.int64]
    phi: NDArray[np.float64]
    theta: NDArray[np.float64]
    tables: NDArray[np.float64]
    one_count: NDArray[np.float64]
    gas: NDArray[np.float64]
    rule: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def of(cls, instrument: Spectrometer, start: Times, plasma: Plasma) -> _Model:
        """Return the model of the distributions that begin at `start`."""
        phi, theta = look_angles(instrument, start)
        tables = energy_tables(instrument)
        axes = despun_axes(instrument)
        parallel, perpendicular = _SPEED_2 * plasma.parallel, _SPEED_2 * plasma.perpendicular
        # n in cm^-3 over cubed speeds in km/s = 1e5 cm/s.
        peak = 1e-15 * plasma.density / (np.pi**1.5 * np.sqrt(parallel) * perpendicular)
        gas = np.column_stack(
            [
                np.log(peak),
                1 / parallel,
                1 / perpendicular,
                rotate(axes, plasma.velocity),
                rotate(axes, unit(plasma.magnetic_field)),
            ]
        )
        one_count = instrument.one_count / (instrument.accumulation * 1e-9) / tables**2
        parity = start // instrument.accumulation % 2
        rule = np.polynomial.legendre.leggauss(instrument.fineness)
        return cls(parity, phi, theta, tables, one_count, gas, rule)

    @property
    def arguments(self) -> tuple[NDArray[np.generic], ...]:
        """Return the arguments of the kernels in their order, angles in radians."""
        speed = np.sqrt(_SPEED_2 * self.tables)
        return (self.parity, np.deg2rad(self.phi), np.deg2rad(self.theta), speed, self.one_count,
                self.gas, *self.rule)  # fmt: skip
