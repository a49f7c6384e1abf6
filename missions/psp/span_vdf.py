"""Parker Solar Probe SWEAP: SPAN-I, distributions of the protons (channel sf00)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF, VectorSeries
from sciqlop_pipe.detect.products import solar_wind_products
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import (
    CENTRED,
    Quality,
    converted,
    extent_of,
    finished,
    require,
    time_of,
    unit_factor,
    units_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.in_place import fill_at, settled, steady
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.skymap import VDF_WORDS, solid_angles
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import density_per_energy_flux

from .span import FILES as MOMENTS
from .span import FLAGS, ID

FILES = (
    "psp_swp_spi_sf00_l2_8dx32ex8a_{start:%Y%m%d}_v{version}.cdf",
    "psp_swp_spi_sf00_L2_8Dx32Ex8A_{start:%Y%m%d}_v{version}.cdf",
)

# A record is flat: anode (azimuth), energy, deflection (elevation).
_SHAPE = (8, 32, 8)
_FLUX = "eV cm^-2 s^-1 sr^-1 eV^-1"
_GRID = ("phi_bin", "theta_bin", "energy_bin")


@dataclass(frozen=True, slots=True)
class SpanAdapter:
    """Reads a VDF of a part of the sky, whose elevations depend on the energy."""

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, ["EFLUX"])
        return extent_of(time_of(cdf, "EFLUX", CENTRED))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF."""
        require(cdf, ["EFLUX", "ENERGY", "PHI", "THETA"])
        energy, phi, theta = (
            _table(_turned(cdf, name, _steady(cdf, name, units)))
            for name, units in (("ENERGY", "eV"), ("PHI", "deg"), ("THETA", "deg"))
        )
        if set(energy.dims) - {"time", "energy_bin"}:
            raise SourceError("the energies differ between directions", str(cdf.path))
        ratio = density_per_energy_flux(energy.values, PROTON)
        ratio *= unit_factor(units_of(cdf, "EFLUX"), _FLUX, f"{cdf.path}: EFLUX")
        flux = cdf.take("EFLUX")
        _turned(cdf, "EFLUX", flux)
        f = settled(flux.reshape(-1, *_SHAPE), (1, 3, 2),
                    ratio[:, None, None] if "time" in energy.dims else ratio,
                    cdf.attrs("EFLUX").get("FILLVAL"))  # fmt: skip
        # Archives hold elevations; widths follow from the distance of the centres.
        theta = 90.0 - theta
        around, down = _widths(phi, "phi_bin"), _widths(theta, "theta_bin")
        solid = solid_angles(theta, down / 2, around / 2)
        found = {
            "f": xr.DataArray(f, dims=("time", *_GRID)),
            "energy": energy,
            "phi": phi % 360.0,
            "theta": theta,
            "phi_width": around,
            "theta_width": down,
            "solid_angle": solid,
        }
        order = ("time", *_GRID)
        for name, (units, words) in _ABOUT.items():
            array = found[name]
            found[name] = array.transpose(*(d for d in order if d in array.dims)).astype("f4")
            found[name].attrs = {"units": units, "long_name": words}
        attrs = {"species": PROTON.name, "mass": PROTON.mass, "charge": PROTON.charge,
                 "energy_kind": "energy_per_charge", "frame": "SPAN-I"}  # fmt: skip
        ds = xr.Dataset(found, coords={"time": time_of(cdf, "EFLUX", CENTRED)}, attrs=attrs)
        flags = Quality("QUALITY_FLAG", FLAGS) if cdf.has("QUALITY_FLAG") else None
        return finished(ds, cdf, flags, ["f"])


_ABOUT = VDF_WORDS | {"solid_angle": ("sr", "solid angle of the bin, mean over energy")}


def _turned(cdf: CdfFile, name: str, values: np.ndarray) -> np.ndarray:
    """Return a flat variable as (record, phi, theta, energy), a view."""
    if values.shape[1:] != (int(np.prod(_SHAPE)),):
        raise SourceError(f"{name} has shape {values.shape}, expected (n, 2048)", str(cdf.path))
    return values.reshape(-1, *_SHAPE).transpose(0, 1, 3, 2)


def _steady(cdf: CdfFile, name: str, units: str) -> np.ndarray:
    """Return a flat table [units], one record where all are the same."""
    values = cdf.take(name)
    if steady(values):
        factor = unit_factor(units_of(cdf, name), units, f"{cdf.path}: {name}")
        fill = fill_at(values[:1], cdf.attrs(name).get("FILLVAL"))
        if fill is None or not fill.any():
            return values[:1] * values.dtype.type(factor)
    return converted(cdf, name, units)


def _table(values: np.ndarray) -> xr.DataArray:
    """Return a table without the dimensions along which it is the same."""
    table = xr.DataArray(values, dims=("time", *_GRID))
    for dim in table.dims:
        first = table.isel({dim: slice(0, 1)})
        if (table.values == first.values).all():
            table = first.isel({dim: 0})
    return table.astype(np.float64)


def _widths(centre: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the widths [deg] of bins that touch halfway between their centres."""
    widths = np.abs(np.gradient(centre.values, axis=centre.get_axis_num(dim)))
    return centre.copy(data=widths)


def field() -> VectorAdapter:
    """Return the adapter for the magnetic field in the instrument's frame (moments file)."""
    return VectorAdapter("MAGF_INST", "nT", "SPAN-I", "magnetic field (SPAN-I)")


def datasets() -> tuple[Dataset, ...]:
    """Return the distributions of SPAN-I and what follows from them."""
    return (
        raw(
            "psp.spi.sf00.vdf",
            VDF,
            FileSource(FILES, SpanAdapter(), remote=on_cdaweb("PSP_SWP_SPI_SF00_L2_8DX32EX8A")),
            granule="6h",
            description="protons: velocity distribution of part of the sky, 8 x 8 x 32",
        ),
        raw(
            "psp.spi.sf00.b_inst",
            VectorSeries,
            FileSource(MOMENTS, field(), remote=on_cdaweb(ID, "MAGF_INST")),
            granule="1d",
            description="magnetic field in the frame of SPAN-I",
        ),
        *solar_wind_products(
            "psp.spi.sf00.vdf", b="psp.spi.sf00.b_inst", lag="10s", accumulation="7s", v_max=1500.0
        ),
    )
