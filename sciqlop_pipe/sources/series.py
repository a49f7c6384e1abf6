"""Adapters for what is a few numbers per time: fields, positions, moments, spectra.

Each is a frozen declaration of where a file keeps things; called with an open CDF file it returns
the whole file as one dataset of its DataType: centre times, house units, flags decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import SourceError
from .conventions import (
    CENTRED,
    Quality,
    TimeTag,
    converted,
    extent_of,
    finished,
    require,
    table,
    time_of,
)
from .species import Species

if TYPE_CHECKING:
    from .cdf import CdfFile

_TIME = ("time",)
_VECTOR = ("time", "component")
_TENSOR = ("time", "component", "component_2")
_FLUX = "eV cm^-2 s^-1 sr^-1 eV^-1"
_AXES = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one output variable is: its dimensions, unit, name and (vectors, tensors) frame."""

    dims: tuple[str, ...]
    units: str
    long_name: str
    frame: str = ""

    @property
    def attrs(self) -> dict[str, str]:
        known = {"units": self.units, "long_name": self.long_name, "frame": self.frame}
        return {k: v for k, v in known.items() if v}

    def read(self, cdf: CdfFile, variable: str, columns: tuple[int, ...] = (0, 1, 2),
             declared: str = "") -> xr.DataArray:  # fmt: skip
        """Return a variable of the file as this part, an array of its own."""
        values = converted(cdf, variable, self.units, declared)
        if self.dims == _VECTOR and values.ndim == 2 and values.shape[1] > max(columns):
            values = values[:, list(columns)]
        elif self.dims == _TIME and values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.shape[1:] != (3,) * (len(self.dims) - 1):
            raise SourceError(
                f"{variable} has shape {values.shape}, expected ({', '.join(self.dims)})",
                str(cdf.path),
            )
        return xr.DataArray(np.array(values), dims=self.dims, attrs=self.attrs)

    def unmeasured(self, n: int) -> xr.DataArray:
        """Return this part as NaN for n records: granules of one dataset must look alike."""
        values = np.full((n, *(3 for _ in self.dims[1:])), np.nan, np.float32)
        return xr.DataArray(values, dims=self.dims, attrs=self.attrs)


def _dataset(variables: dict[str, xr.DataArray], time: np.ndarray, **attrs: str) -> xr.Dataset:
    ds = xr.Dataset(variables, coords={"time": time}, attrs=attrs)
    return ds.assign_coords({d: list(_AXES) for d in _TENSOR[1:] if d in ds.dims})


def _described(cdf: CdfFile, variable: str, long_name: str) -> str:
    attrs = cdf.attrs(variable)
    return long_name or str(attrs.get("CATDESC") or attrs.get("FIELDNAM") or variable).strip()


@dataclass(frozen=True, slots=True)
class VectorAdapter:
    """Reads a VectorSeries: three columns of one variable.

    Parameters
    ----------
    variable : str
        The vector, (n, 3) or more columns.
    units : str
        House unit to convert to.
    frame : str
        Its frame.
    long_name : str
        What it is; the file's CATDESC when empty.
    columns : tuple of int
        Which columns are x, y, z (a fourth is often the magnitude).
    time_tag : TimeTag
        What the time tag means.
    quality : Quality, optional
        The flag word.
    declared : str
        The unit of the file, where its UNITS attribute is absent or wrong.
    """

    variable: str
    units: str
    frame: str
    long_name: str = ""
    columns: tuple[int, int, int] = (0, 1, 2)
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None
    declared: str = ""

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.variable])
        return extent_of(time_of(cdf, self.variable, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VectorSeries."""
        require(cdf, [self.variable])
        long_name = _described(cdf, self.variable, self.long_name)
        part = _Part(_VECTOR, self.units, long_name, self.frame)
        vector = part.read(cdf, self.variable, self.columns, self.declared)
        ds = _dataset({"vector": vector}, time_of(cdf, self.variable, self.time_tag))
        return finished(ds, cdf, self.quality, ["vector"])


@dataclass(frozen=True, slots=True)
class ScalarAdapter:
    """Reads a ScalarSeries: one number per record.

    Parameters
    ----------
    variable : str
        The number, (n,) or (n, 1).
    units : str
        House unit to convert to.
    long_name : str
        What it is; the file's CATDESC when empty.
    time_tag, quality, declared
        As for `VectorAdapter`.
    """

    variable: str
    units: str
    long_name: str = ""
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None
    declared: str = ""

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.variable])
        return extent_of(time_of(cdf, self.variable, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a ScalarSeries."""
        require(cdf, [self.variable])
        part = _Part(_TIME, self.units, _described(cdf, self.variable, self.long_name))
        value = part.read(cdf, self.variable, declared=self.declared)
        ds = _dataset({"value": value}, time_of(cdf, self.variable, self.time_tag))
        return finished(ds, cdf, self.quality, ["value"])


@dataclass(frozen=True, slots=True)
class PositionAdapter:
    """Reads a Position: where the spacecraft is [km], and its velocity [km s^-1] if there.

    Parameters
    ----------
    position : str
        The position, (n, 3).
    frame : str
        Its frame.
    velocity : str
        The velocity of the spacecraft, (n, 3).
    time_tag, quality
        As for `VectorAdapter`.
    """

    position: str
    frame: str
    velocity: str = ""
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.position])
        return extent_of(time_of(cdf, self.position, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a Position."""
        require(cdf, [self.position, self.velocity])
        parts = {
            "position": (self.position, _Part(_VECTOR, "km", "spacecraft position", self.frame)),
            "velocity": (
                self.velocity,
                _Part(_VECTOR, "km s^-1", "spacecraft velocity", self.frame),
            ),
        }
        found = {name: part.read(cdf, v) for name, (v, part) in parts.items() if v}
        ds = _dataset(found, time_of(cdf, self.position, self.time_tag))
        return finished(ds, cdf, self.quality, list(found))


@dataclass(frozen=True, slots=True)
class SpectrumAdapter:
    """Reads an EnergySpectrum that an archive offers ready made.

    Parameters
    ----------
    spectrum : str
        Differential energy flux, (n, energies).
    energy : str
        Its energy table, fixed or per record.
    species : Species
        Whose energies they are.
    long_name : str
        What it is; the file's CATDESC when empty.
    time_tag, quality
        As for `VectorAdapter`.
    """

    spectrum: str
    energy: str
    species: Species
    long_name: str = ""
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.spectrum])
        return extent_of(time_of(cdf, self.spectrum, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as an EnergySpectrum."""
        require(cdf, [self.spectrum, self.energy])
        values = np.array(converted(cdf, self.spectrum, _FLUX))
        if values.ndim != 2:
            raise SourceError(
                f"{self.spectrum} has shape {values.shape}, expected time and energy", str(cdf.path)
            )
        attrs = {"units": _FLUX, "long_name": _described(cdf, self.spectrum, self.long_name)}
        spectrum = xr.DataArray(values, dims=("time", "energy_bin"), attrs=attrs)
        energy = table(cdf, self.energy, ("energy_bin",), "eV", spectrum.sizes)
        energy.attrs = {"units": "eV", "long_name": "energy"}
        time = time_of(cdf, self.spectrum, self.time_tag)
        ds = _dataset({"spectrum": spectrum, "energy": energy}, time, species=self.species.name)
        return finished(ds, cdf, self.quality, ["spectrum"])


@dataclass(frozen=True, slots=True)
class MomentsAdapter:
    """Reads Moments that an archive offers ready made.

    The scalar temperature is a third of the trace of the tensor where there is a tensor. What a
    salvaged file has lost comes back as NaN and is named in the attribute `lost`; density and
    velocity cannot be done without.

    Parameters
    ----------
    density, velocity : str
        Variable names; (n,) and (n, 3).
    species : Species
        Whose moments they are.
    frame : str
        Frame of every vector and tensor named here.
    temperature_tensor, pressure : str
        (n, 3, 3), "" when the archive has none.
    temperature : str
        (n,) where there is no tensor.
    temperature_parallel, temperature_perpendicular : str
        (n,).
    heat_flux : str
        (n, 3).
    time_tag, quality
        As for `VectorAdapter`.
    """

    density: str
    velocity: str
    species: Species
    frame: str
    temperature_tensor: str = ""
    pressure: str = ""
    temperature: str = ""
    temperature_parallel: str = ""
    temperature_perpendicular: str = ""
    heat_flux: str = ""
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None

    @property
    def _parts(self) -> dict[str, tuple[str, _Part]]:
        """Return per output the variable of the file and what becomes of it."""
        frame = self.frame
        known = {
            "density": (self.density, _Part(_TIME, "cm^-3", "number density")),
            "velocity": (self.velocity, _Part(_VECTOR, "km s^-1", "bulk velocity", frame)),
            "temperature": (self.temperature, _Part(_TIME, "eV", "temperature")),
            "temperature_tensor": (
                self.temperature_tensor,
                _Part(_TENSOR, "eV", "temperature tensor", frame),
            ),
            "temperature_parallel": (
                self.temperature_parallel,
                _Part(_TIME, "eV", "temperature along the magnetic field"),
            ),
            "temperature_perpendicular": (
                self.temperature_perpendicular,
                _Part(_TIME, "eV", "temperature across the magnetic field"),
            ),
            "pressure": (self.pressure, _Part(_TENSOR, "nPa", "pressure tensor", frame)),
            "heat_flux": (self.heat_flux, _Part(_VECTOR, "mW m^-2", "heat flux", frame)),
        }
        return {name: pair for name, pair in known.items() if pair[0]}

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.density])
        return extent_of(time_of(cdf, self.density, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as Moments."""
        lost = {
            name
            for name, (variable, _) in self._parts.items()
            if name not in ("density", "velocity")
            and variable in cdf.lost
            and not cdf.has(variable)
        }
        require(cdf, [v for name, (v, _) in self._parts.items() if name not in lost])
        time = time_of(cdf, self.density, self.time_tag)
        found = {
            name: part.unmeasured(time.size) if name in lost else part.read(cdf, variable)
            for name, (variable, part) in self._parts.items()
        }
        if self.temperature_tensor:
            found["temperature"] = _third_of_trace(found["temperature_tensor"])
        attrs = {"species": self.species.name}
        if lost:
            attrs["lost"] = ", ".join(v for name, (v, _) in self._parts.items() if name in lost)
        return finished(_dataset(found, time, **attrs), cdf, self.quality, list(found))


def _third_of_trace(tensor: xr.DataArray) -> xr.DataArray:
    values = np.trace(tensor.values, axis1=1, axis2=2) / 3
    attrs = {"units": "eV", "long_name": "temperature (a third of the trace of its tensor)"}
    return xr.DataArray(values.astype(tensor.dtype), dims=_TIME, attrs=attrs)
