"""What is compared of products per angle: distributions, spectra, cuts, the plasma's own frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

from sciqlop_pipe.recipes.angle_spectra import (
    angle_spectrum,
    pitch_angle_cuts,
    pitch_angle_spectrum,
)
from sciqlop_pipe.recipes.angles import (
    azimuthal_distribution,
    gyrophase_distribution,
    polar_distribution,
)
from sciqlop_pipe.recipes.bulk_frame import bulk_frame_pitch_angles, bulk_frame_spectrum
from sciqlop_pipe.recipes.field_aligned import field_aligned_basis
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from tests.analytic import geometric

from .cases import Case
from .off import Off, rms, worst
from .plasmas import E
from .spheres import sphere

WHOLE = np.array([0.0, 180.0])


def of_angles(case: Case) -> Iterator[Off]:
    """f per colatitude, azimuth, gyrophase and energy, and the spectra made of them."""
    one, axes = case.vdf.isel(time=[0]), field_axes(case)
    polar = sphere(case, np.eye(3), np.linspace(0, 180, 17))
    azimuth = sphere(case, np.eye(3), WHOLE, 32)
    gyro = sphere(case, axes, WHOLE, 32)
    names = ("colatitude", "azimuth", "gyrophase")
    found = (
        polar_distribution(one),
        azimuthal_distribution(one),
        gyrophase_distribution(one, case.b, moments(one)),
    )
    true = (
        polar.means(case.plasma.f(polar.v))[0],
        azimuth.means(case.plasma.f(azimuth.v))[:, 0],
        gyro.means(case.plasma.f(gyro.v))[:, 0],
    )
    for name, distribution, f in zip(names, found, true, strict=True):
        off = _per_energy(case, distribution["f"].values[0], f)
        yield Off("angles", f"f per {name}, rms", rms(off), "peak at that energy")
    for name, distribution, f in zip(names, found, true, strict=True):
        yield _spectra(case, f"{name}", distribution, f, angle_spectrum)


def of_pitch_spectra(case: Case) -> Iterator[Off]:
    """Spectra per pitch angle, and along, across and against the field."""
    one, axes = case.vdf.isel(time=[0]), field_axes(case)
    pitch = pitch_angle_distribution(one, case.b)
    rings = sphere(case, axes, np.linspace(0, 180, 19))
    true = rings.means(case.plasma.f(rings.v))[0]
    yield _spectra(case, "pitch angle", pitch, true, pitch_angle_spectrum)
    edges = sphere(case, axes, np.array([0.0, 20.0, 70.0, 110.0, 160.0, 180.0]))
    cuts = edges.means(case.plasma.f(edges.v))[0, ::2]
    for quantity, factor in _factors(case).items():
        found = pitch_angle_cuts(pitch, quantity=quantity)["spectrum"].values[0]
        level = np.nanmax(cuts * factor)
        yield Off("pitch-angle cuts", f"{quantity}, rms", rms((found - cuts * factor) / level),
                  "peak")  # fmt: skip


def of_bulk_frame(case: Case) -> Iterator[Off]:
    """Energy spectrum and pitch angles around the bulk velocity."""
    one, bulk = case.vdf.isel(time=[0]), moments(case.vdf.isel(time=[0]))
    found = bulk_frame_spectrum(one, bulk)
    energy = found["energy"].values[0].astype(float)
    low, high = geometric(energy)
    low[0] = 0.0
    edges, bulk_v, axes = (low, high), case.truths[0].velocity, field_axes(case)
    shell = sphere(case, axes, WHOLE, energies=edges, origin=bulk_v)
    flux = _def(case, energy) * shell.means(case.plasma.f(shell.v))[0, 0]
    off = (found["spectrum"].values[0] - flux) / np.nanmax(flux)
    yield Off("plasma frame", "DEF, rms", rms(off), "peak")
    yield Off("plasma frame", "DEF, worst", worst(off[np.isfinite(off)]), "peak")
    rings = sphere(case, axes, np.linspace(0, 180, 19), energies=edges, origin=bulk_v)
    true = rings.means(case.plasma.f(rings.v))[0]
    pitch = bulk_frame_pitch_angles(one, case.b, bulk)["f"].values[0]
    off = _per_energy(case, pitch, true, energy)
    yield Off("plasma frame", "f per pitch angle, rms", rms(off), "peak at that energy")


MEASURES: tuple[Callable[[Case], Iterator[Off]], ...] = (
    of_angles,
    of_pitch_spectra,
    of_bulk_frame,
)


def field_axes(case: Case) -> np.ndarray:
    """Unit vectors perp1, perp2, par, one per row."""
    velocity = case.truths[0].velocity
    return field_aligned_basis(case.plasma.direction[None], velocity[None])[0]


def _def(case: Case, energy: np.ndarray) -> np.ndarray:
    """DEF [eV cm^-2 s^-1 sr^-1 eV^-1] per f [s^3 m^-6]."""
    return 2e-4 * (energy * E / case.plasma.mass) ** 2


def _factors(case: Case) -> dict[str, np.ndarray]:
    energy = case.instrument.energy[0]
    whole = _def(case, energy)
    return {"f": np.ones_like(energy), "def": whole, "dpf": whole / energy}


def _per_energy(
    case: Case, found: np.ndarray, true: np.ndarray, energy: np.ndarray | None = None
) -> np.ndarray:
    """Return deviations over the peak at each energy that has 1 % of the highest flux."""
    energy = case.instrument.energy[0] if energy is None else energy
    true = np.where(np.isfinite(found), true, np.nan)
    flux = true * energy**2
    top = np.nanmax(np.where(np.isfinite(flux), flux, 0.0), 0)
    core = top > 0.01 * top.max()
    return (found - true)[:, core] / np.nanmax(true[:, core], 0)


def _spectra(
    case: Case, name: str, distribution: xr.Dataset, true: np.ndarray, recipe: Callable
) -> Off:
    """The worst of f, DEF and DPF per angle."""
    low, high = geometric(case.instrument.energy[0])
    width = np.where(np.isfinite(true), np.log(high / low), 0.0)
    off = []
    for quantity, factor in _factors(case).items():
        found = recipe(distribution, quantity=quantity)["spectrum"].values[0]
        with np.errstate(invalid="ignore"):
            level = (np.nan_to_num(true) * factor * width).sum(1) / width.sum(1)
        off.append(rms((found - level) / np.nanmax(level)))
    return Off("angle spectra", f"{name}: f, DEF, DPF, rms", max(off), "peak")
