"""MMS Fast Plasma Investigation (FPI): ion (DIS) and electron (DES) distributions and moments.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sciqlop_pipe.datatypes import VDF, EnergySpectrum, Moments
from sciqlop_pipe.detect.products import BURST, ion_products
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.sources.conventions import Deltas, Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, SpectrumAdapter
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from sciqlop_pipe.standard import energy_products, particle_products
from sciqlop_pipe.standard.memory import of_distributions

from .fpi_flags import DISTRIBUTION_FLAGS, MOMENTS_FLAGS

if TYPE_CHECKING:
    import xarray as xr

    from sciqlop_pipe.sources.cdf import CdfFile

SENSORS = ("dis", "des")
MODES = ("fast", "brst")
GRANULE = {"fast": "2h", "brst": "10min"}
CADENCE = {
    ("dis", "fast"): "4.5s", ("des", "fast"): "4.5s", ("dis", "brst"): "150ms",
    ("des", "brst"): "30ms",
}  # fmt: skip

_FULL = {
    ("dis", "fast"): 1600,
    ("des", "fast"): 1600,
    ("dis", "brst"): 4000,
    ("des", "brst"): 10_000,
}
"""Distributions of a full granule; of electron bursts 5 min, since longer ones are rare."""

FIELD = {"fast": "srvy", "brst": "brst"}
"""The mode of the magnetometer that goes with each mode of the spectrometers."""

# FPI Data Users and Products Guide: 4.5 s in fast survey, 150 (DIS) and 30 ms (DES) in burst.
_ACCUMULATION = {("dis", "fast"): "4500ms", ("des", "fast"): "4500ms",
                 ("dis", "brst"): "150ms", ("des", "brst"): "30ms"}  # fmt: skip
# Of the grids of velocity [km/s]: protons of 30 keV fly at 2400, electrons of 4.5 keV at 40,000.
_V_MAX = {"dis": 2500.0, "des": 40000.0}

_SPECIES = {"dis": PROTON, "des": ELECTRON}
_WORDS = {"dis": "ions", "des": "electrons"}

# Longest file. A fast file holds the records that begin within 2 h; their centres lie up to
# 2.25 s later, so one may belong to the next granule.
_SPAN = {"fast": "121min", "brst": "15min"}


def distribution(probe: str, sensor: str, mode: str) -> SkymapAdapter:
    """Return the adapter for the sky maps of one sensor (dist files)."""
    name = f"mms{probe}_{sensor}_{{}}_{mode}".format
    return SkymapAdapter(
        f=name("dist"),
        f_error=name("disterr"),
        phi=Angle(name("phi"), name("phi_delta"), ("phi_bin",)),
        theta=Angle(name("theta"), name("theta_delta"), ("theta_bin",)),
        # Per record; some burst data alternate two tables. `steptable_parity` also alternates
        # where there is but one, and energy_delta is not the sampled bandwidth: neither is used.
        energy=name("energy"),
        species=_SPECIES[sensor],
        frame="DBCS",
        directions="look",
        time_tag=Deltas(),
        quality=Quality(name("errorflags"), DISTRIBUTION_FLAGS),
    )


def moments(probe: str, sensor: str, mode: str) -> MomentsAdapter:
    """Return the adapter for the archive's own moments (moms files)."""
    name = f"mms{probe}_{sensor}_{{}}_{mode}".format
    return MomentsAdapter(
        density=name("numberdensity"),
        velocity=name("bulkv_dbcs"),
        temperature_tensor=name("temptensor_dbcs"),
        pressure=name("prestensor_dbcs"),
        temperature_parallel=name("temppara"),
        temperature_perpendicular=name("tempperp"),
        heat_flux=name("heatq_dbcs"),
        species=_SPECIES[sensor],
        frame="DBCS",
        time_tag=Deltas(),
        quality=Quality(name("errorflags"), MOMENTS_FLAGS),
    )


def spectrum(probe: str, sensor: str, mode: str) -> SpectrumAdapter:
    """Return the adapter for the archive's own omnidirectional spectrum (moms files)."""
    name = f"mms{probe}_{sensor}_{{}}_{mode}".format
    return SpectrumAdapter(
        spectrum=name("energyspectr_omni"),
        energy=name("energy"),
        species=_SPECIES[sensor],
        long_name="omnidirectional differential energy flux (archive)",
        time_tag=Deltas(),
        quality=Quality(name("errorflags"), MOMENTS_FLAGS),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FPI on one spacecraft, raw and made from it."""
    return tuple(
        d for sensor in SENSORS for mode in MODES for d in _sensor_in_mode(probe, sensor, mode)
    )


def _sensor_in_mode(probe: str, sensor: str, mode: str) -> tuple[Dataset, ...]:
    base = f"mms{probe}.fpi.{sensor}.{mode}"
    words, granule, every = _WORDS[sensor], GRANULE[mode], CADENCE[sensor, mode]
    stem = f"mms{probe}_fpi_{mode}_l2_{sensor}"
    stamp = "{start:%Y%m%d%H%M%S}_v{version}.cdf"

    def files(kind: str, adapter: Callable[[CdfFile], xr.Dataset]) -> FileSource:
        return FileSource(
            f"{stem}-{kind}_{stamp}",
            adapter,
            version=1,
            span=_SPAN[mode],
            remote=on_cdaweb(f"{stem}-{kind}".upper()),
        )

    maps = files("dist", distribution(probe, sensor, mode))
    moms = files("moms", moments(probe, sensor, mode))
    spectra = files("moms", spectrum(probe, sensor, mode))
    return (
        raw(f"{base}.vdf", VDF, maps, granule=granule, cadence=every,
            memory=of_distributions(_FULL[sensor, mode], 32 * 16 * 32),
            description=f"{words}: velocity distribution, 32 x 16 directions x 32 energies"),
        raw(f"{base}.moms", Moments, moms, granule=granule, cadence=every,
            description=f"{words}: moments of the FPI team"),
        raw(f"{base}.archive_spectrum", EnergySpectrum, spectra, granule=granule, cadence=every,
            description=f"{words}: omnidirectional energy spectrum of the FPI team"),
        *_made(probe, sensor, mode),
    )  # fmt: skip


def _made(probe: str, sensor: str, mode: str) -> tuple[Dataset, ...]:
    """Return what follows from the distributions of one sensor in one mode."""
    field = f"mms{probe}.fgm.{FIELD[mode]}"
    about: dict[str, Any] = {
        "b": f"{field}.b_dmpa",
        "sc_pot": f"mms{probe}.edp.{mode}.sc_pot",
        "accumulation": _ACCUMULATION[sensor, mode],
        "v_max": _V_MAX[sensor],
        "errors": True,
    }
    vdf = f"mms{probe}.fpi.{sensor}.{mode}.vdf"
    every = particle_products(vdf, **about) if sensor == "des" else ion_products(
        vdf, field=f"{field}.b_gse", **(BURST if mode == "brst" else {}), **about)  # fmt: skip
    base = vdf.rpartition(".")[0]
    return (
        *every,
        *(energy_products(vdf) if mode == "brst" else ()),
        product(f"{base}.moms_field_aligned", field_aligned, moments=f"{base}.moms",
                b=about["b"], accumulation=about["accumulation"]),
    )  # fmt: skip
