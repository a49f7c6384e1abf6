"""What the numbers of an archive mean: units, time tags, flag words, tables with or without time.

Shared by the adapters. Each declaration says one fact about a file, and its method applies it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..constants import BOLTZMANN, ELEMENTARY_CHARGE
from ..errors import SourceError, near
from ..granule import duration
from ..quality import FLAGS_MISSING, Flags

if TYPE_CHECKING:
    from .cdf import CdfFile

_EV_PER_K = BOLTZMANN / ELEMENTARY_CHARGE
_NPA_PER_EV = 1e15 * ELEMENTARY_CHARGE  # of 1 eV cm^-3

# House unit -> what archives write (as `_canonical` leaves it) -> factor.
_FACTORS: dict[str, dict[str, float]] = {
    "s^3 m^-6": {
        "s3/m6": 1.0, "s3m-6": 1.0, "s3/cm6": 1e12, "s3cm-6": 1e12, "s3/km6": 1e-18,
        "s3km-6": 1e-18,
    },
    "eV": {
        "eV": 1.0, "eV/q": 1.0, "keV": 1e3, "keV/q": 1e3, "MeV": 1e6, "J": 1 / ELEMENTARY_CHARGE,
        "K": _EV_PER_K, "MK": 1e6 * _EV_PER_K,
    },
    "nT": {"nT": 1.0, "pT": 1e-3, "T": 1e9},
    "km": {"km": 1.0, "m": 1e-3},
    "km s^-1": {"km/s": 1.0, "kms-1": 1.0, "km/sec": 1.0, "m/s": 1e-3, "ms-1": 1e-3},
    "cm^-3": {
        "cm-3": 1.0, "1/cm3": 1.0, "/cm3": 1.0, "1/cc": 1.0, "/cc": 1.0, "cc-1": 1.0,
        "N/cm3": 1.0, "n/cc": 1.0, "particlescm-3": 1.0,
        "m-3": 1e-6, "1/m3": 1e-6,
    },
    "nPa": {
        "nPa": 1.0, "Pa": 1e9, "eV/cm3": _NPA_PER_EV, "eV/cc": _NPA_PER_EV, "J/cm3": 1e15,
    },
    "mW m^-2": {"mW/m2": 1.0, "mWm-2": 1.0, "W/m2": 1e3, "Wm-2": 1e3},
    "mV m^-1": {"mV/m": 1.0, "mVm-1": 1.0, "V/m": 1e3},
    "V": {"V": 1.0},
    "deg": {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "Degrees": 1.0, "rad": 180 / np.pi},
    "eV cm^-2 s^-1 sr^-1 eV^-1": {
        "keV/cm2ssrkeV": 1.0, "eV/cm2ssreV": 1.0, "eV/cm2-s-sr-eV": 1.0,
        "eVcm-2s-1sr-1eV-1": 1.0, "keVcm-2s-1sr-1keV-1": 1.0, "eV/cm2-s-ster-eV": 1.0,
        "eV/cm2-sec-sr-eV": 1.0,
    },
    "cm^-2 s^-1 sr^-1 keV^-1": {
        "s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N": 1.0, "/cm2sstrMeV": 1e-3,
        "1/cm2ssrkeV": 1.0, "1/cm2-s-sr-keV": 1.0, "1/cm2-sr-s-keV": 1.0,
    },
    "cm^-2 s^-1 sr^-1 MeV^-1": {
        "Counts/sec/MeV/sr/cm2": 1.0, "particles/scm2srMeV": 1.0,
    },
    "(nT)^2 Hz^-1": {"nT2/Hz": 1.0},
    "(mV m^-1)^2 Hz^-1": {"mV/m2/Hz": 1.0, "mV2/m2/Hz": 1.0, "mV2m-2Hz-1": 1.0},
    "W m^-2 Hz^-1": {"W/m2/Hz": 1.0},
    "Hz": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6},
    "s": {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "1": {"": 1.0, "1": 1.0},
}  # fmt: skip


def _canonical(text: str) -> str:
    """Leave of a unit what matters: s^3/cm^6, "s3 / cm6" and s**3/cm**6 become one."""
    return "".join(c for c in text if c not in " \t^*(){}#")


def unit_factor(found: str, wanted: str, where: str = "") -> float:
    """Return the factor [wanted/found] that converts between two written units.

    Parameters
    ----------
    found : str
        The unit as the archive writes it.
    wanted : str
        The house unit, as in a DataType.
    where : str
        File and variable, for the error.

    Raises
    ------
    SourceError
        When the unit is not among those known for `wanted`: a guess would be worse.
    """
    known = {_canonical(wanted): 1.0} | _FACTORS.get(wanted, {})
    factor = known.get(_canonical(str(found)))
    if factor is None:
        raise SourceError(
            f"unit '{found}' cannot be read as {wanted}",
            where,
            near(_canonical(str(found)), known) or f"Known: {', '.join(k for k in known if k)}",
        )
    return factor


def require(cdf: CdfFile, names: Iterable[str]) -> None:
    """Refuse a file that lacks one of the variables (empty names are skipped).

    Raises
    ------
    SourceError
        Naming the absent variables and the nearest ones there.
    """
    if missing := [n for n in names if n and not cdf.has(n)]:
        gone = [n for n in missing if n in cdf.lost]
        raise SourceError(
            f"{'lost' if gone else 'no'} variable {', '.join(missing)}",
            str(cdf.path),
            "The file is cut short there: fetch it again"
            if gone
            else near(missing[0], cdf.names)
            or "Is it a file of this dataset, and of a version this adapter knows?",
        )


def converted(cdf: CdfFile, name: str, units: str, declared: str = "") -> np.ndarray:
    """Return a variable in the house unit, fills as NaN, in its own shape; floats keep their type.

    The array may be the file's own: copy before writing into it.

    Parameters
    ----------
    cdf : CdfFile
        The file.
    name : str
        Variable name.
    units : str
        The house unit.
    declared : str
        The variable's unit where its UNITS attribute is absent or known to be wrong.
    """
    values = cdf.values(name)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    factor = unit_factor(declared or units_of(cdf, name), units, f"{cdf.path}: {name}")
    return values if factor == 1.0 else values * factor


def units_of(cdf: CdfFile, name: str) -> str:
    """Return the UNITS attribute of a variable, '' without one."""
    return str(cdf.attrs(name).get("UNITS", "")).strip()


def table(
    cdf: CdfFile, name: str, dims: tuple[str, ...], units: str, sizes: Mapping[Hashable, int]
) -> xr.DataArray:
    """Return a support table in the house unit, with `time` in front where it varies by record.

    Parameters
    ----------
    cdf : CdfFile
        The file.
    name : str
        Variable name.
    dims : tuple of str
        Its dimensions besides time, in the file's order.
    units : str
        The house unit.
    sizes : mapping of str to int
        Records of the file ("time") and sizes of the dimensions.

    Raises
    ------
    SourceError
        When its shape is not that of `dims`.
    """
    values = np.asarray(converted(cdf, name, units))
    if values.ndim == len(dims) + 1 and cdf.is_record_varying(name):
        dims = ("time", *dims)
    # What does not vary comes with or without a record axis of one, as the writer pleased.
    elif values.ndim == len(dims) + 1 and len(values) == 1:
        values = values[0]
    if values.shape != tuple(sizes[d] for d in dims):
        expected = ", ".join(f"{d} {sizes[d]}" for d in dims)
        raise SourceError(f"{name} has shape {values.shape}, expected ({expected})", str(cdf.path))
    return xr.DataArray(values, dims=dims)


@dataclass(frozen=True, slots=True)
class Shift:
    """A time tag that lies a constant time [ns] before the centre of the measurement."""

    ns: int = 0

    @property
    def latest(self) -> int:
        """How much later than its tag [ns] a centre may be."""
        return self.ns

    def centre(self, cdf: CdfFile, name: str) -> np.ndarray:
        """Return the centre times (n,) as datetime64[ns] of a time variable."""
        return cdf.times(name) + np.timedelta64(self.ns, "ns")


@dataclass(frozen=True, slots=True)
class Deltas:
    """A time tag explained by the file: the measurement spans [tag - minus, tag + plus].

    Both come from the variables that the ISTP attributes DELTA_PLUS_VAR and DELTA_MINUS_VAR of
    the time variable name.
    """

    def centre(self, cdf: CdfFile, name: str) -> np.ndarray:
        """Return the centre times (n,) as datetime64[ns] of a time variable."""
        offset = (self._delta(cdf, name, "PLUS") - self._delta(cdf, name, "MINUS")) / 2
        # The deltas are float32 (150 ms reads 0.15000000596 s): microseconds are what they hold.
        shift = np.round(offset * 1e6).astype("timedelta64[us]").astype("timedelta64[ns]")
        return cdf.times(name) + (shift[0] if shift.size == 1 else shift)

    @staticmethod
    def _delta(cdf: CdfFile, name: str, side: str) -> np.ndarray:
        variable = str(cdf.attrs(name).get(f"DELTA_{side}_VAR", "")).strip()
        if not variable:
            raise SourceError(f"{name} has no DELTA_{side}_VAR", str(cdf.path))
        require(cdf, [variable])
        return np.ravel(converted(cdf, variable, "s")).astype(np.float64)


TimeTag = Shift | Deltas
CENTRED = Shift(0)


def begin(accumulation: str) -> Shift:
    """Return the tag of records that carry the start of an accumulation ("12.064s")."""
    return Shift(duration(accumulation) // 2)


def end(accumulation: str) -> Shift:
    """Return the tag of records that carry the end of an accumulation."""
    return Shift(-(duration(accumulation) // 2))


def time_of(cdf: CdfFile, name: str, tag: TimeTag) -> np.ndarray:
    """Return the centre times (n,) of the records of a variable.

    Raises
    ------
    SourceError
        When the variable has no DEPEND_0.
    """
    time = cdf.depend(name, 0)
    if not time:
        raise SourceError(f"{name} has no DEPEND_0, so its times are unknown", str(cdf.path))
    require(cdf, [time])
    return tag.centre(cdf, time)


def extent_of(time: np.ndarray) -> tuple[int, int] | None:
    """Return the first and last [ns] of some times, None without any."""
    dated = time[~np.isnat(time)].astype("datetime64[ns]").astype(np.int64)
    return (int(dated.min()), int(dated.max())) if dated.size else None


@dataclass(frozen=True, slots=True)
class Quality:
    """The flag word that goes with the data: a variable, and what its bits mean."""

    variable: str
    flags: Flags

    def words(self, cdf: CdfFile, n: int) -> xr.DataArray:
        """Return the flag words (time,) as uint32; where the archive has none, one bit says so.

        Raises
        ------
        SourceError
            When the variable is absent or has another number of records.
        """
        require(cdf, [self.variable])
        raw = np.ravel(cdf.raw(self.variable))
        if raw.size == 1 and n != 1:
            raw = np.broadcast_to(raw, (n,))
        if raw.size != n:
            raise SourceError(
                f"{self.variable} has {raw.size} records, data have {n}", str(cdf.path)
            )
        words = raw.astype(np.uint32)
        if (fill := cdf.attrs(self.variable).get("FILLVAL")) is not None:
            words[raw == np.ravel(fill)[0]] = 1 << FLAGS_MISSING
        return xr.DataArray(words, dims=("time",), attrs=self.flags.attrs)


def finished(
    ds: xr.Dataset, cdf: CdfFile, quality: Quality | None, measured: Iterable[str]
) -> xr.Dataset:
    """Return a dataset with its flag words, masked where they say so, without undated records.

    Parameters
    ----------
    ds : Dataset
        What an adapter has read, with its `time`. Masked in place.
    cdf : CdfFile
        Where it comes from.
    quality : Quality or None
        The flag word, if the archive has one.
    measured : iterable of str
        The variables that masking turns into NaN; tables of the instrument are not among them.
    """
    if quality is not None:
        words = quality.words(cdf, ds.sizes["time"])
        masked = quality.flags.masked(words.values)
        if masked.any():
            for name in measured:
                ds[name].values[masked] = np.nan
        ds["quality"] = words
    dated = ~np.isnat(ds["time"].values)
    return ds if dated.all() else ds.isel(time=dated)
