"""MMS Hot Plasma Composition Analyzer (HPCA): H+, He++, He+, O+, distributions and moments.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from sciqlop_pipe.constants import ELEMENTARY_CHARGE
from sciqlop_pipe.datatypes import VDF, Moments, VectorSeries
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import (
    Deltas,
    extent_of,
    require,
    table,
    time_of,
    unit_factor,
    units_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, VectorAdapter
from sciqlop_pipe.sources.skymap import solid_angles
from sciqlop_pipe.sources.species import ALPHA, HELIUM, OXYGEN, PROTON, Species
from sciqlop_pipe.standard import particle_products

IONS = {"hplus": PROTON, "heplusplus": ALPHA, "heplus": HELIUM, "oplus": OXYGEN}
MODES = ("srvy", "brst")
GRANULE = {"srvy": "2h", "brst": "10min"}
FIELD = {"srvy": "srvy", "brst": "brst"}
POTENTIAL = {"srvy": "fast", "brst": "brst"}

_SPAN = {"srvy": "1d", "brst": "15min"}
_HALF_SPIN = "10s"
_HIGHEST = 40e3  # eV per charge
_AZIMUTHS = 16
_BINS = ("phi_bin", "theta_bin", "energy_bin")


@dataclass(frozen=True, slots=True)
class HalfSpinAdapter:
    """Reads a VDF: every 16 sweeps of half a spin, with azimuths per energy and anode.

    The file has a record per sweep, (anode, energy), and a record per half spin with the azimuths
    the anodes look at. Half spins that are not whole, or without azimuths, are left out.

    Parameters
    ----------
    prefix : str
        What variables begin with ("mms1_hpca").
    ion : str
        The ion as the variables write it ("hplus").
    """

    prefix: str
    ion: str

    @property
    def _f(self) -> str:
        return f"{self.prefix}_{self.ion}_phase_space_density"

    @property
    def _azimuth(self) -> str:
        return f"{self.prefix}_azimuth_angles_per_ev_degrees"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        return extent_of(self._half_spins(cdf)[2])

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as a VDF on a grid of azimuth steps and anodes."""
        anodes, energies = (f"{self.prefix}_centroid_elevation_angle", f"{self.prefix}_ion_energy")
        require(cdf, [anodes, energies])
        first, angles, time = self._half_spins(cdf)
        factor = unit_factor(units_of(cdf, self._f), "s^3 m^-6", f"{cdf.path}: {self._f}")
        f = cdf.values(self._f)[first[:, None] + np.arange(_AZIMUTHS)].astype(
            np.float32, copy=False
        )
        f *= np.float32(factor)
        sizes: dict[Hashable, int] = dict(zip(("time", *_BINS), f.shape, strict=True))
        # Anodes look at these azimuths; their polar angles are those of the velocity (README).
        looking = cdf.values(self._azimuth)
        if looking.shape[1:] != f.shape[1:]:
            raise SourceError(f"azimuths have {looking.shape}, half spins {f.shape}", str(cdf.path))
        phi = np.empty_like(f)
        for i, row in enumerate(angles):
            phi[i] = (looking[row] + 180.0) % 360.0
        theta = table(cdf, anodes, ("theta_bin",), "deg", sizes).astype(np.float64)
        half_theta, half_phi = xr.DataArray(11.25), xr.DataArray(90.0 / _AZIMUTHS)
        found = {
            "f": xr.DataArray(f, dims=("time", *_BINS)),
            "energy": table(cdf, energies, ("energy_bin",), "eV", sizes),
            "phi": xr.DataArray(phi, dims=("time", *_BINS)),
            "theta": theta.astype(np.float32),
            "phi_width": (2 * half_phi).astype(np.float32),
            "theta_width": (2 * half_theta).astype(np.float32),
            "solid_angle": solid_angles(theta, half_theta, half_phi).astype(np.float32),
        }
        for name, (units, words) in _ABOUT.items():
            found[name].attrs = {"units": units, "long_name": words}
        ion = IONS[self.ion]
        attrs = {"species": ion.name, "mass": ion.mass, "charge": ion.charge,
                 "energy_kind": "energy_per_charge", "frame": "DBCS"}  # fmt: skip
        return xr.Dataset(found, coords={"time": time}, attrs=attrs)

    def _half_spins(self, cdf: CdfFile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return of each half spin its first sweep, its record of azimuths, and its centre."""
        steps = f"{self.prefix}_start_azimuth"
        require(cdf, [self._f, self._azimuth, steps])
        step = np.ravel(cdf.raw(steps)).astype(np.int64)
        tags = cdf.times(cdf.depend(self._f, 0) or "").astype(np.int64)
        named = cdf.times(cdf.depend(self._azimuth, 0) or "").astype(np.int64)
        none = np.empty(0, np.int64)
        if step.size < _AZIMUTHS or named.size == 0:
            return none, none, none.astype("M8[ns]")
        sweep = int(np.median(np.diff(tags)))
        first = np.flatnonzero(step[: 1 - _AZIMUTHS] == 0)
        rows = first[:, None] + np.arange(_AZIMUTHS)
        whole = (step[rows] == np.arange(_AZIMUTHS)).all(axis=1)
        whole &= tags[rows[:, -1]] - tags[rows[:, 0]] < _AZIMUTHS * sweep
        first, rows = first[whole], rows[whole]
        # Azimuths carry the time of the first sweep of their half spin.
        after = np.clip(np.searchsorted(named, tags[first]), 0, named.size - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(named[before] - tags[first]) < np.abs(named[after] - tags[first])
        angles = np.where(nearer, before, after)
        known = np.abs(named[angles] - tags[first]) < sweep // 2
        centre = time_of(cdf, self._f, Deltas()).astype(np.int64)[rows[known]]
        middle = centre[:, 0] + (centre[:, -1] - centre[:, 0]) // 2
        return first[known], angles[known], middle.astype("M8[ns]")


_ABOUT = {
    "f": ("s^3 m^-6", "phase space density"),
    "energy": ("eV", "energy per charge"),
    "phi": ("deg", "azimuth of the velocity"),
    "theta": ("deg", "colatitude of the velocity"),
    "phi_width": ("deg", "width of the azimuth bin"),
    "theta_width": ("deg", "width of the polar bin"),
    "solid_angle": ("sr", "solid angle of the bin"),
}


def moments(probe: str, ion: str) -> MomentsAdapter:
    """Return the adapter for the team's moments of one ion, in DBCS."""
    name = f"mms{probe}_hpca_{ion}_{{}}".format
    return MomentsAdapter(
        density=name("number_density"),
        velocity=name("ion_bulk_velocity"),
        temperature_tensor=name("temperature_tensor"),
        pressure=name("ion_pressure"),
        temperature_parallel=name("tparallel"),
        temperature_perpendicular=name("tperp"),
        species=IONS[ion],
        frame="DBCS",
        time_tag=Deltas(),
    )


def velocity(probe: str, ion: str) -> VectorAdapter:
    """Return the adapter for the team's velocity of one ion, in GSM."""
    return VectorAdapter(
        variable=f"mms{probe}_hpca_{ion}_ion_bulk_velocity_GSM",
        units="km s^-1",
        frame="GSM",
        long_name=f"bulk velocity of {IONS[ion].name} (GSM)",
        time_tag=Deltas(),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of HPCA on one spacecraft, raw and made from it."""
    return tuple(d for ion in IONS for mode in MODES for d in _ion_in_mode(probe, ion, mode))


def _ion_in_mode(probe: str, ion: str, mode: str) -> tuple[Dataset, ...]:
    base, granule, species = f"mms{probe}.hpca.{ion}.{mode}", GRANULE[mode], IONS[ion]

    def files(kind: str, adapter: object) -> FileSource:
        pattern = f"mms{probe}_hpca_{mode}_l2_{kind}_{{start:%Y%m%d%H%M%S}}_v{{version}}.cdf"
        remote = on_cdaweb(f"MMS{probe}_HPCA_{mode}_L2_{kind}".upper())
        return FileSource(pattern, adapter, span=_SPAN[mode], pad="1min",  # type: ignore[arg-type]
                          remote=remote)  # fmt: skip

    return (
        raw(f"{base}.vdf", VDF, files("ion", HalfSpinAdapter(f"mms{probe}_hpca", ion)),
            granule=granule,
            description=f"{species.name}: velocity distribution, 16 x 16 directions x 63 energies"),
        raw(f"{base}.moms", Moments, files("moments", moments(probe, ion)), granule=granule,
            description=f"{species.name}: moments of the HPCA team, DBCS"),
        raw(f"{base}.v_gsm", VectorSeries, files("moments", velocity(probe, ion)), granule=granule,
            description=f"{species.name}: velocity of the HPCA team, GSM"),
        *_made(probe, ion, mode),
    )  # fmt: skip


def _made(probe: str, ion: str, mode: str) -> tuple[Dataset, ...]:
    """Return what follows from the distributions of one ion; of protons also regions and events."""
    vdf, field = f"mms{probe}.hpca.{ion}.{mode}.vdf", f"mms{probe}.fgm.{FIELD[mode]}"
    about: dict[str, Any] = {
        "b": f"{field}.b_dmpa", "sc_pot": f"mms{probe}.edp.{POTENTIAL[mode]}.sc_pot",
        "accumulation": _HALF_SPIN, "v_max": _fastest(IONS[ion]), "instabilities": False,
    }  # fmt: skip
    if ion != "hplus":
        return particle_products(vdf, **about)
    return ion_products(vdf, field=f"{field}.b_gse", **about)


def _fastest(species: Species) -> float:
    """Return the speed [km/s] at the highest energy of the instrument, to 50 km/s."""
    joule = _HIGHEST * species.charge * ELEMENTARY_CHARGE
    return 50.0 * round(float(np.sqrt(2 * joule / species.mass)) / 50e3)
