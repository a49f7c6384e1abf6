"""THEMIS electrostatic analysers (ESA): 3D distributions of ions and electrons (level 2 "ESD").

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import Quality, extent_of, finished, require
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.in_place import settled
from sciqlop_pipe.sources.skymap import VDF_WORDS
from sciqlop_pipe.sources.species import ELECTRON, PROTON, Species
from sciqlop_pipe.sources.view import Seen, density_per_energy_flux
from sciqlop_pipe.standard import particle_products

from .flags import CENTRED_UNIX, ESA_FLAGS

KINDS = {"f": "full", "r": "reduced", "b": "burst"}
SPECIES = {"i": (PROTON, "ions"), "e": (ELECTRON, "electrons")}

# Files are of days; full distributions come every 32 or 128 spins, the others every spin.
_GRANULE = {"f": "1d", "r": "6h", "b": "6h"}
_SPIN = "3s"
_V_MAX = {"i": 2000.0, "e": 40000.0}

_BLOCK = 100  # records of which the mask is in the second-level cache
_TABLES = ("theta", "dtheta", "phi", "dphi", "domega")
_BIN = ("direction", "energy_bin")


@dataclass(frozen=True, slots=True)
class Words:
    """The flag word of a distribution: its data quality, and whether it is valid at all."""

    name: str = "flags"
    like: str = "data_quality"
    units: str = "1"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the words (record,) as uint32."""
        require(cdf, ["data_quality", "valid"])
        invalid = (cdf.raw("valid") == 0).astype(np.uint32) << np.uint32(16)
        return cdf.raw("data_quality").astype(np.uint32) & np.uint32(0xFFFF) | invalid


@dataclass(frozen=True, slots=True)
class EsdAdapter:
    """Reads a VDF of one kind of particle: energy flux per energy and angle of numbered modes.

    Energies and angles of a mode are tables of the file; every record names its mode of energies
    (`en_ind`) and of angles (`an_ind`) and a rotation of the azimuths (`phi_offset`).
    """

    species: Species

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return extent_of(self._times(cdf))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF of a list of directions."""
        names = ("nenergy", "energy", "nbins", "en_ind", "an_ind", "phi_offset", "eflux", "bins")
        require(cdf, [*names, *_TABLES])
        flux = cdf.take("eflux")
        energies, bins = flux.shape[1:]
        energy_mode, angle_mode = (np.ravel(cdf.raw(v)).astype(int) for v in ("en_ind", "an_ind"))
        tables = {name: np.asarray(cdf.values(name), np.float32) for name in _TABLES}
        if any(table.shape[:2] != (energies, bins) for table in tables.values()):
            shapes = {name: table.shape for name, table in tables.items()}
            raise SourceError(f"eflux has {flux.shape}, its angles {shapes}", str(cdf.path))
        level = _of_modes(np.asarray(cdf.values("energy"), np.float64), energy_mode)
        used = _used(cdf.raw("nenergy"), energies, energy_mode)
        level = np.where(used & (level > 0), level, np.nan)
        in_use = _used(cdf.raw("nbins"), bins, angle_mode)
        ratio = density_per_energy_flux(level, self.species)[:, None]
        _mask(flux, cdf.raw("bins"))
        f = settled(flux, (2, 1), ratio, cdf.attrs("eflux").get("FILLVAL"))
        if not in_use.all():
            f[np.broadcast_to(~in_use, f.shape[:2])] = np.nan

        def table(name: str) -> np.ndarray:
            values = tables[name][:, :, np.unique(angle_mode)]
            steady = bool((values == values[:1]).all())
            kept = tables[name][:1] if steady else tables[name]
            return _of_modes(kept, angle_mode).transpose(0, 2, 1)

        turn = np.ravel(cdf.values("phi_offset")).astype(np.float32)
        turn = (turn[:1] if np.ptp(turn) == 0 else turn)[:, None, None]
        phi = table("phi") + turn
        np.mod(phi, np.float32(360), out=phi)
        solid = np.where(in_use, table("domega").mean(axis=2), np.float32(0))
        found = {
            "f": xr.DataArray(f, dims=("time", *_BIN)),
            "energy": _table(level, ("energy_bin",)),
            # Flow directions in DSL; latitudes.
            "phi": _table(phi, _BIN),
            "theta": _table(np.float32(90) - table("theta"), _BIN),
            "phi_width": _table(table("dphi"), _BIN),
            "theta_width": _table(table("dtheta"), _BIN),
            "solid_angle": _table(solid, ("direction",)),
        }
        for name, (units, words) in VDF_WORDS.items():
            found[name].attrs = {"units": units, "long_name": words}
        attrs = {"species": self.species.name, "mass": self.species.mass,
                 "charge": self.species.charge, "energy_kind": "energy_per_charge",
                 "frame": "DSL"}  # fmt: skip
        ds = xr.Dataset(found, coords={"time": self._times(cdf)}, attrs=attrs)
        return finished(ds, cdf, Quality("flags", ESA_FLAGS), ["f"])

    @staticmethod
    def _times(cdf: CdfFile) -> np.ndarray:
        require(cdf, ["time", "end_time"])
        first, last = (CENTRED_UNIX.centre(cdf, name) for name in ("time", "end_time"))
        return first + (last - first) // 2


def _mask(flux: np.ndarray, bins: np.ndarray) -> None:
    """Make a flux (record, energy, direction) NaN where its bin, likewise, is 0."""
    for first in range(0, len(flux), _BLOCK):
        some = slice(first, first + _BLOCK)
        np.copyto(flux[some], np.float32(np.nan), where=bins[some] == 0)


def _of_modes(table: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Return a table (..., mode) per record (record or 1, ...)."""
    same = mode[:1] if mode.size and (mode == mode[0]).all() else mode
    return np.moveaxis(table, -1, 0)[same]


def _used(counts: np.ndarray, size: int, mode: np.ndarray) -> np.ndarray:
    """Return which of the places of a table a mode uses, bool (record or 1, place)."""
    return np.arange(size) < _of_modes(np.ravel(counts), mode)[:, None]


def _table(values: np.ndarray, dims: tuple[str, ...]) -> xr.DataArray:
    """Return a table per record, or without records and energies where it does not have them."""
    if values.shape[0] == 1:
        values = values[0]
    else:
        dims = ("time", *dims)
    if "energy_bin" in dims and values.shape[-1] == 1:
        values, dims = values[..., 0], dims[:-1]
    return xr.DataArray(values.astype(np.float32, copy=False), dims=dims)


def distribution(kind: str) -> Seen:
    """Return the adapter for the distributions of one data type ("peif")."""
    return Seen(EsdAdapter(SPECIES[kind[2]][0]), made=(Words(),))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the distributions of one spacecraft and what follows from them."""
    return tuple(d for s in SPECIES for k in KINDS for d in _of_kind(probe, f"pe{s}{k}"))


def _of_kind(probe: str, kind: str) -> tuple[Dataset, ...]:
    base = f"themis{probe}.esa.{kind}"
    pattern = f"th{probe}_l2_esa_{kind}_{{start:%Y%m%d}}_v{{version}}.cdf"
    words = f"{SPECIES[kind[2]][1]}: velocity distribution, {KINDS[kind[3]]} mode"
    return (
        raw(f"{base}.vdf", VDF, FileSource(pattern, distribution(kind), pad="5min"),
            granule=_GRANULE[kind[3]], description=words),
        *_made(probe, kind),
    )  # fmt: skip


def _made(probe: str, kind: str) -> tuple[Dataset, ...]:
    """Return what follows from the distributions of one data type."""
    vdf, th = f"themis{probe}.esa.{kind}.vdf", f"themis{probe}"
    about: dict[str, Any] = {
        "b": f"{th}.fgm.fgs.b_dsl", "sc_pot": f"{th}.mom.sc_pot", "accumulation": _SPIN,
        "v_max": _V_MAX[kind[2]],
    }  # fmt: skip
    if kind[2] == "e":
        return particle_products(vdf, **about)
    return ion_products(vdf, field=f"{th}.fgm.fgs.b_gse", upstream="omni.hro.1min.plasma",
                        position=f"{th}.state.position_gse", **about)  # fmt: skip
