"""What a plasma and its field make together: beta, speeds, Mach numbers, pressures, lengths."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE, PROTON_MASS, SPEED_OF_LIGHT, VACUUM_PERMITTIVITY
from ..datatypes import Moments, PlasmaParameters, VectorSeries
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .joining import joined
from .plasma import MAGNETIC, NPA_PER_EV_CC, alfven_velocity, plasma_of, temperature_of

ADIABATIC = 5 / 3

FLAGS = Flags(
    "plasma parameters",
    (
        Flag(0, "no_field", "the field is unknown"),
        Flag(1, "zero_field", "B = 0: no beta, no gyroradius"),
        Flag(2, "no_density", "the density is unknown or not positive"),
        Flag(3, "no_temperature", "the temperature is unknown or negative"),
        Flag(4, "no_electrons", "electrons are unknown here: no pressure, beta, sound, fast speed"),
    ),
    source="recipes.plasma_parameters",
)

# Name: units, words.
_ABOUT = {
    "beta": ("1", "plasma beta"),
    "thermal_pressure": ("nPa", "thermal pressure"),
    "magnetic_pressure": ("nPa", "magnetic pressure"),
    "dynamic_pressure": ("nPa", "dynamic pressure"),
    "total_pressure": ("nPa", "thermal and magnetic pressure"),
    "alfven_speed": ("km s^-1", "Alfven speed"),
    "sound_speed": ("km s^-1", "sound speed"),
    "fast_speed": ("km s^-1", "fast magnetosonic speed across the field"),
    "alfven_mach": ("1", "Alfven Mach number"),
    "sonic_mach": ("1", "sonic Mach number"),
    "fast_mach": ("1", "fast magnetosonic Mach number"),
    "entropy": ("eV cm^2", "specific entropy T / n^(2/3)"),
    "gyroradius": ("km", "thermal gyroradius"),
    "gyrofrequency": ("Hz", "gyrofrequency"),
    "inertial_length": ("km", "inertial length"),
    "debye_length": ("km", "Debye length of this species"),
    "plasma_frequency": ("Hz", "plasma frequency of this species"),
}


@recipe(gives=PlasmaParameters, version=2)
def plasma_parameters(
    moments: Moments,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    electrons: Annotated[Moments | None, Margin("accumulation"), Margin("reach")] = None,
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
    mass_per_ion: float = 1.0,
) -> xr.Dataset:
    """Beta, pressures [nPa], characteristic speeds [km/s], Mach numbers, lengths [km], in (time).

        beta = P / (B^2/2 mu0),  P = n (T + T_e),  V_A = B / sqrt(mu0 n m)
        c_s = sqrt( (5/3) P / n m ),  V_f = sqrt(V_A^2 + c_s^2),  M = |V| / ...
        P_dyn = n m V^2,  entropy = T / n^(2/3)
        gyroradius = sqrt(2 T m) / (|q| B),  inertial length = c / omega_p = V_A / Omega

    |V| is in the frame of the spacecraft; Mach numbers of a moving shock are in `shocks`. The
    field is averaged over the accumulation of each record, or interpolated between near
    neighbours; without electrons their temperature counts as zero, and the attribute `absent`
    says so. Where they are given but have a gap, what needs them is NaN and flagged.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s], temperature [eV] (or tensor or pressure).
    b : VectorSeries
        Magnetic field [nT] in any frame: only |B| counts.
    electrons : Moments, optional
        Their temperature is added to the pressure.
    accumulation, reach : str
        How long a record takes; how far apart records of b and electrons may be that are
        interpolated where none lies in it.
    mass_per_ion : float
        Mean mass per ion, in masses of the species (1.16 for 4 % of alphas).

    Returns
    -------
    Dataset
        See `PlasmaParameters`; NaN with a flag where an input is unknown or B or n is zero.

    Raises
    ------
    DataTypeError
        When the moments have no temperature, or their species is not known.

    References
    ----------
    NRL Plasma Formulary (2019), p. 28-29; Baumjohann and Treumann (1996), Basic Space Plasma
    Physics; entropy: Borovsky and Cayton (2011), J. Geophys. Res. 116, A08216,
    doi:10.1029/2011JA016470.
    """
    anywhere = b.assign(vector=b["vector"].assign_attrs(frame=moments["velocity"].attrs["frame"]))
    plasma = plasma_of(moments, anywhere, accumulation, reach, mass_per_ion)
    temperature = temperature_of(moments)
    warm = _electrons(electrons, moments, accumulation, reach)
    total = temperature + warm
    n = np.where(plasma.density > 0, plasma.density, np.nan)
    strength = np.linalg.norm(plasma.b, axis=1)
    field = np.where(strength > 0, strength, np.nan)
    speed = np.linalg.norm(plasma.velocity, axis=1)
    mass, charge = plasma.mass, ELEMENTARY_CHARGE * (2 if moments.species == "He++" else 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        pressure, magnetic = n * total * NPA_PER_EV_CC, MAGNETIC * strength**2
        alfven = alfven_velocity(strength, n, mass)
        sound = 1e-3 * np.sqrt(ADIABATIC * np.maximum(total, 0) * ELEMENTARY_CHARGE / mass)
        fast = np.hypot(alfven, sound)
        gyro = charge * field * 1e-9 / mass
        frequency = np.sqrt(n * 1e6 * charge**2 / (VACUUM_PERMITTIVITY * mass))
        thermal = np.sqrt(2 * np.maximum(temperature, 0) * ELEMENTARY_CHARGE / mass)
        debye = np.sqrt(VACUUM_PERMITTIVITY * temperature * ELEMENTARY_CHARGE / (n * 1e6)) / charge
        found = {
            "beta": pressure / (MAGNETIC * field**2),
            "thermal_pressure": pressure,
            "magnetic_pressure": magnetic,
            "dynamic_pressure": n * mass * speed**2 * 1e21,
            "total_pressure": pressure + magnetic,
            "alfven_speed": alfven,
            "sound_speed": sound,
            "fast_speed": fast,
            "alfven_mach": speed / np.where(alfven > 0, alfven, np.nan),
            "sonic_mach": speed / np.where(sound > 0, sound, np.nan),
            "fast_mach": speed / np.where(fast > 0, fast, np.nan),
            "entropy": temperature / n ** (2 / 3),
            "gyroradius": 1e-3 * thermal / gyro,
            "gyrofrequency": gyro / (2 * np.pi),
            "inertial_length": 1e-3 * SPEED_OF_LIGHT / frequency,
            "debye_length": 1e-3 * debye,
            "plasma_frequency": frequency / (2 * np.pi),
        }
    quality = FLAGS.words(
        no_field=~np.isfinite(strength),
        zero_field=strength == 0,
        no_density=np.isnan(n),
        no_temperature=~(temperature >= 0),
        no_electrons=~(warm >= 0),
    )
    variables: dict[str, object] = {
        name: (("time",), values.astype(np.float32),
               {"units": _ABOUT[name][0], "long_name": _ABOUT[name][1]})
        for name, values in found.items()
    }  # fmt: skip
    variables["quality"] = (("time",), quality, FLAGS.attrs)
    return xr.Dataset(
        variables,
        {"time": moments["time"]},
        {"species": moments.attrs["species"],
         "absent": "" if electrons is not None else "electrons",
         "mass": mass / PROTON_MASS},
    )  # fmt: skip


def _electrons(
    electrons: xr.Dataset | None, moments: xr.Dataset, accumulation: str, reach: str
) -> np.ndarray:
    """Temperature of the electrons (time) [eV] on the clock of the ions, zero without them."""
    if electrons is None:
        return np.zeros(moments.sizes["time"])
    return joined(
        electrons["time"].values,
        temperature_of(electrons),
        moments["time"].values,
        accumulation,
        reach,
    )
