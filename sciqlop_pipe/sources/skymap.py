"""The adapter for velocity distributions that a file keeps as a map of the sky.

`SkymapAdapter` declares where a file keeps the map, its angles and its energies, and what they
mean; called with an open CDF file it returns the whole file as one VDF.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from ..errors import SourceError
from .conventions import (
    CENTRED,
    Quality,
    TimeTag,
    extent_of,
    finished,
    require,
    table,
    time_of,
    unit_factor,
    units_of,
)
from .in_place import settled
from .species import Species

if TYPE_CHECKING:
    from .cdf import CdfFile

GRID = ("phi_bin", "theta_bin", "energy_bin")
LIST = ("direction", "energy_bin")

_F_UNITS = "s^3 m^-6"


VDF_WORDS = {
    "f": ("s^3 m^-6", "phase space density"),
    "energy": ("eV", "energy per charge"),
    "phi": ("deg", "azimuth of the velocity"),
    "theta": ("deg", "colatitude of the velocity"),
    "phi_width": ("deg", "width of the azimuth bin"),
    "theta_width": ("deg", "width of the polar bin"),
    "solid_angle": ("sr", "solid angle of the bin"),
}
"""Units and words of a distribution's variables, for adapters with arithmetic of their own."""


@dataclass(frozen=True, slots=True)
class Angle:
    """One of the two angles of the directions, as a file tells it.

    Parameters
    ----------
    variable : str
        Bin centres.
    half_width : str or float
        Half the width of the bins: a variable, or one number [deg] for all of them.
    dims : tuple of str
        What the centres depend on besides time, in the file's order: ("phi_bin",),
        ("theta_bin", "energy_bin"), ("direction",) ...
    """

    variable: str
    half_width: str | float
    dims: tuple[str, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the variables the file must have."""
        widths = (self.half_width,) if isinstance(self.half_width, str) else ()
        return (self.variable, *widths)

    def centres(self, cdf: CdfFile, sizes: Mapping[Hashable, int]) -> xr.DataArray:
        """Return the bin centres [deg] as the file has them, float64."""
        return table(cdf, self.variable, self.dims, "deg", sizes).astype(np.float64)

    def half_widths(self, cdf: CdfFile, sizes: Mapping[Hashable, int]) -> xr.DataArray:
        """Return half the bin widths [deg], float64."""
        if isinstance(self.half_width, str):
            dims = self.dims
            if np.asarray(cdf.values(self.half_width)).size == 1:
                dims = ()
            return table(cdf, self.half_width, dims, "deg", sizes).astype(np.float64)
        return xr.DataArray(np.float64(self.half_width))


@dataclass(frozen=True, slots=True)
class SkymapAdapter:
    """Reads a VDF: f on a grid (phi, theta, energy) or a list (direction, energy).

    The axes are put in order after the variables that DEPEND_1, DEPEND_2 ... name, whatever
    their order in the file. Angles and energies stay per record where the file has them so.

    Parameters
    ----------
    f : str
        Phase space density, (n, ...).
    phi, theta : Angle
        Azimuth and polar angle.
    energy : str
        Energy table, fixed or per record.
    species : Species
        Whose distribution it is.
    frame : str
        Frame of the directions.
    directions : {"look", "flow"}
        Where the instrument looks, or where the particles fly: the opposite.
    polar : {"colatitude", "latitude"}
        Whether theta counts from the pole or from the equator.
    energy_kind : {"energy", "energy_per_charge"}
        What the energy table holds.
    f_error : str
        One standard deviation of f, in its layout.
    energy_half_widths : tuple of (str, str)
        Variables with the distance down and up to the bin's edges, where the instrument's guide
        says that they are edges. (An ISTP DELTA_PLUS_VAR alone does not.)
    first_energy : str
        Index of the first energy that is to be trusted, per record.
    axes : tuple of str
        The axes of f after time, where DEPEND attributes do not tell.
    time_tag : TimeTag
        What the time tag means.
    quality : Quality, optional
        The flag word.
    declared : str
        The unit of f, where its UNITS attribute is absent or wrong.
    """

    f: str
    phi: Angle
    theta: Angle
    energy: str
    species: Species
    frame: str
    directions: Literal["look", "flow"]
    polar: Literal["colatitude", "latitude"] = "colatitude"
    energy_kind: Literal["energy", "energy_per_charge"] = "energy"
    f_error: str = ""
    energy_half_widths: tuple[str, str] | None = None
    first_energy: str = ""
    axes: tuple[str, ...] = ()
    time_tag: TimeTag = CENTRED
    quality: Quality | None = None
    declared: str = ""

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self.f])
        return extent_of(time_of(cdf, self.f, self.time_tag))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF."""
        tables = [*self.phi.variables, *self.theta.variables, self.energy, self.first_energy]
        require(cdf, [self.f, self.f_error, *tables, *(self.energy_half_widths or ())])
        time = time_of(cdf, self.f, self.time_tag)
        found = {"f": self._map(cdf, self.f, "phase space density")}
        if self.f_error:
            found["f_error"] = self._map(cdf, self.f_error, "one standard deviation of f")
        measured = list(found)
        sizes = found["f"].sizes
        if any(found[name].sizes != sizes for name in measured) or sizes["time"] != time.size:
            shapes = [found[name].shape for name in measured]
            raise SourceError(f"f and its error have {shapes}, times {time.size}", str(cdf.path))
        found |= self._energies(cdf, sizes)
        found |= self._directions(cdf, sizes)
        if self.first_energy:
            found["first_energy"] = self._first_energy(cdf, sizes)
        attrs = {
            "species": self.species.name,
            "mass": self.species.mass,
            "charge": self.species.charge,
            "energy_kind": self.energy_kind,
            "frame": self.frame,
        }
        ds = xr.Dataset(found, coords={"time": time}, attrs=attrs)
        return finished(ds, cdf, self.quality, measured)

    def _map(self, cdf: CdfFile, name: str, long_name: str) -> xr.DataArray:
        """Return f or its error in house order and unit, float32, in memory of its own."""
        values = cdf.take(name)
        axes = self.axes or self._axes_by_depend(cdf, values.ndim - 1)
        if values.ndim != len(axes) + 1:
            raise SourceError(
                f"{name} has shape {values.shape}, expected time and {', '.join(axes)}",
                str(cdf.path),
            )
        order = LIST if "direction" in axes else GRID
        where = f"{cdf.path}: {name}"
        factor = unit_factor(self.declared or units_of(cdf, name), _F_UNITS, where)
        turn = [1 + axes.index(dim) for dim in order]
        out = settled(values, turn, factor, cdf.attrs(name).get("FILLVAL"))
        attrs = {"units": _F_UNITS, "long_name": long_name}
        return xr.DataArray(out, dims=("time", *order), attrs=attrs)

    def _axes_by_depend(self, cdf: CdfFile, count: int) -> tuple[str, ...]:
        """Return what the axes of f after time are, by the variables its DEPEND_i name."""
        known = {self.energy: "energy_bin"} | {
            angle.variable: next(d for d in angle.dims if d != "energy_bin")
            for angle in (self.phi, self.theta)
        }
        depends = [cdf.depend(self.f, i + 1) or "(none)" for i in range(count)]
        axes = tuple(known.get(d, d) for d in depends)
        if sorted(axes) not in (sorted(GRID), sorted(LIST)):
            raise SourceError(
                f"the axes of {self.f} are {', '.join(depends)}",
                str(cdf.path),
                "They should be its azimuth, polar angle and energy: declare `axes` in the adapter",
            )
        return axes

    def _energies(self, cdf: CdfFile, sizes: Mapping[Hashable, int]) -> dict[str, xr.DataArray]:
        energy = table(cdf, self.energy, ("energy_bin",), "eV", sizes)
        words = "energy" if self.energy_kind == "energy" else "energy per charge"
        energy.attrs = {"units": "eV", "long_name": words}
        if self.energy_half_widths is None:
            return {"energy": energy}
        down, up = (table(cdf, v, ("energy_bin",), "eV", sizes) for v in self.energy_half_widths)
        lower, upper = (energy - down).clip(min=0), energy + up
        lower.attrs = {"units": "eV", "long_name": f"lower edge of {words}"}
        upper.attrs = {"units": "eV", "long_name": f"upper edge of {words}"}
        return {"energy": energy, "energy_lower": lower, "energy_upper": upper}

    def _directions(self, cdf: CdfFile, sizes: Mapping[Hashable, int]) -> dict[str, xr.DataArray]:
        """Return phi and theta of the velocity [deg], bin widths and solid angles."""
        phi, theta = self.phi.centres(cdf, sizes), self.theta.centres(cdf, sizes)
        half_phi = self.phi.half_widths(cdf, sizes)
        half_theta = self.theta.half_widths(cdf, sizes)
        if self.polar == "latitude":
            theta = 90.0 - theta
        if self.directions == "look":
            phi, theta = phi + 180.0, 180.0 - theta
        if bool(((theta < 0.0) | (theta > 180.0)).any()):
            raise SourceError(
                f"{self.theta.variable} read as {self.polar} gives colatitudes from "
                f"{float(theta.min())} to {float(theta.max())} deg",
                str(cdf.path),
                "Declare `polar` in the adapter as the instrument's guide says",
            )
        found = {
            "phi": phi % 360.0,
            "theta": theta,
            "phi_width": 2 * half_phi,
            "theta_width": 2 * half_theta,
            "solid_angle": solid_angles(theta, half_theta, half_phi),
        }
        words = {
            "phi": ("deg", "azimuth of the velocity"),
            "theta": ("deg", "colatitude of the velocity"),
            "phi_width": ("deg", "width of the azimuth bin"),
            "theta_width": ("deg", "width of the polar bin"),
            "solid_angle": ("sr", "solid angle of the bin"),
        }
        order = ("time", "phi_bin", "theta_bin", "direction", "energy_bin")
        for name, (units, long_name) in words.items():
            dims = [d for d in order if d in found[name].dims]
            found[name] = found[name].transpose(*dims).astype(np.float32)
            found[name].attrs = {"units": units, "long_name": long_name}
        return found

    def _first_energy(self, cdf: CdfFile, sizes: Mapping[Hashable, int]) -> xr.DataArray:
        first = table(cdf, self.first_energy, (), "1", sizes).astype(np.int32)
        first.attrs = {"units": "1", "long_name": "index of the first valid energy"}
        return first if "time" in first.dims else first.expand_dims(time=sizes["time"])


def solid_angles(
    theta: xr.DataArray, half_theta: xr.DataArray, half_phi: xr.DataArray
) -> xr.DataArray:
    """Return the solid angle [sr] of each direction: (cos a - cos b) times the azimuth width.

    The band between two colatitudes is taken exactly: the rule sin(theta) * dtheta is wrong by
    8 % in wide polar bins. Colatitudes that change with energy are averaged, since a direction of
    a VDF has one solid angle.

    Parameters
    ----------
    theta : DataArray
        Colatitude [deg] of the centres, any of (time, phi_bin, theta_bin, direction, energy_bin).
    half_theta, half_phi : DataArray
        Half widths [deg]; fixed, or with dimensions of theta's kind.
    """
    upper = _cos((theta - half_theta).clip(0.0, 180.0))
    lower = _cos((theta + half_theta).clip(0.0, 180.0))
    solid = (upper - lower) * (half_phi * (np.pi / 90))
    return solid.mean("energy_bin") if "energy_bin" in solid.dims else solid


def _cos(degrees: xr.DataArray) -> xr.DataArray:
    return degrees.copy(data=np.cos(np.deg2rad(degrees.values)))
