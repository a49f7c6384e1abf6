"""What is compared of each product, and how good it has to be.

To add a product: a function that takes a `Case` and yields `Off`s, in `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

from sciqlop_pipe.recipes.angle_spectra import particle_spectrum
from sciqlop_pipe.recipes.field_aligned import field_aligned, field_aligned_basis
from sciqlop_pipe.recipes.fits import bi_kappa_fit, bi_maxwellian_fit
from sciqlop_pipe.recipes.moment_errors import moment_errors
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from sciqlop_pipe.recipes.slices import slices, slices_between
from sciqlop_pipe.recipes.spectra import energy_spectrum

from . import angular, frames, scalars
from .cases import Case
from .off import Off, percent, worst
from .plasmas import BiKappa, E, nodes, speed_of


def of_moments(case: Case) -> Iterator[Off]:
    """Density, velocity, temperature tensor, heat flux."""
    found = moments(case.vdf)
    n, v, t, q = [], [], [], []
    for k, true in enumerate(case.truths):
        n.append(float(found["density"][k]) / true.density - 1)
        v.append(np.linalg.norm(found["velocity"].values[k] - true.velocity) / case.thermal)
        off = found["temperature_tensor"].values[k] - true.temperature_tensor
        t.append(np.linalg.norm(off) / np.linalg.norm(true.temperature_tensor))
        scale = np.trace(true.pressure) / 3 * case.thermal * 1e-3
        q.append(np.linalg.norm(found["heat_flux"].values[k] - true.heat_flux) / scale)
    yield Off("moments", "n", worst(n), "n", 0.3)
    yield Off("moments", "V", worst(v), "thermal speed", 0.2)
    yield Off("moments", "T tensor", worst(t), "T", 0.5)
    yield Off("moments", "Q", worst(q), "P x thermal speed")


def of_errors(case: Case) -> Iterator[Off]:
    """What is said of the scatter of n, V, T, against that of the same plasma counted 300 times."""
    one = case.vdf.isel(time=[0])
    table = one["energy"].values[0]
    level = (table / 1000.0) ** -2.0
    mean = one["f"].values[0] / level
    level = level * mean.max() / 200.0
    counts = np.random.default_rng(1).poisson(mean * 200.0 / mean.max(), (300, *mean.shape))
    ds = one.isel(time=np.zeros(300, int)).assign_coords(
        time=one["time"].values + np.arange(300) * np.timedelta64(1, "s")
    )
    dims, attrs = one["f"].dims, one["f"].attrs
    ds["f"] = (dims, (counts * level).astype(np.float32), attrs)
    ds["f_error"] = (dims, (np.sqrt(counts) * level).astype(np.float32), attrs)
    said, seen = moment_errors(ds), moments(ds)
    ratios = []
    for name in ("density", "velocity", "temperature"):
        sigma = np.sqrt((said[f"{name}_error"].values.astype(float) ** 2).mean(0))
        ratios += list(np.atleast_1d(sigma / seen[name].values.std(0, ddof=1) - 1))
    yield Off("moment errors", "sigma of n, V, T, mean", worst(np.mean(ratios)), "their scatter")


def of_spectrum(case: Case) -> Iterator[Off]:
    """DEF against 2 E^2/m^2 times the mean of f over sky and bin, DPF against that over E."""
    spectrum = energy_spectrum(case.vdf)
    found = spectrum["spectrum"].values
    particles = particle_spectrum(spectrum, quantity="dpf")["spectrum"].values
    means = particle_spectrum(spectrum, quantity="f")["spectrum"].values
    off, off_dpf, off_f = [], [], []
    for k in range(len(found)):
        mean = _sky_mean(case, k)
        true = 2e-4 * (case.instrument.energy[k] * E / case.plasma.mass) ** 2 * mean
        core = true > 1e-3 * true.max()
        off += list(found[k][core] / true[core] - 1)
        per_energy = (true / case.instrument.energy[k])[core]
        off_dpf += list(particles[k][core] / per_energy - 1)
        off_f += list(means[k][core] / mean[core] - 1)
    target = 0.01 if case.resolved else None
    yield Off("energy spectrum", "DEF", worst(off), "DEF", target)
    yield Off("energy spectrum", "DPF", worst(off_dpf), "DPF", target)
    yield Off("energy spectrum", "f", worst(off_f), "f", target)


def of_pitch_angles(case: Case) -> Iterator[Off]:
    """f per pitch angle and energy, where there is 1 % of the highest flux."""
    found = pitch_angle_distribution(case.vdf, case.b)["f"].values
    rms, most = [], []
    for k in range(len(found)):
        true = case.pitch(found.shape[1], k)
        true = np.where(np.isfinite(found[k]), true, np.nan)
        flux = true * case.instrument.energy[k] ** 2
        core = np.nanmax(flux, 0) > 0.01 * np.nanmax(flux)
        off = (found[k] - true)[:, core] / np.nanmax(true, 0)[core]
        off = off[np.isfinite(off)]
        rms.append(np.sqrt((off**2).mean()))
        most.append(np.abs(off).max())
    yield Off("pitch angles", "f, rms", worst(rms), "peak at that energy")
    yield Off("pitch angles", "f, worst", worst(most), "peak at that energy")


def of_field_aligned(case: Case) -> Iterator[Off]:
    """Temperatures along and across the field."""
    found = field_aligned(moments(case.vdf), case.b)
    along, across, ratio = [], [], []
    for k, true in enumerate(case.truths):
        b = case.plasma.direction
        par = b @ true.temperature_tensor @ b
        perp = 0.5 * (np.trace(true.temperature_tensor) - par)
        along.append(float(found["temperature_parallel"][k]) / par - 1)
        across.append(float(found["temperature_perpendicular"][k]) / perp - 1)
        ratio.append(float(found["anisotropy"][k]) * par / perp - 1)
    yield Off("field-aligned", "T parallel", worst(along), "it", 0.5)
    yield Off("field-aligned", "T perpendicular", worst(across), "it", 0.5)
    yield Off("field-aligned", "anisotropy", worst(ratio), "it")


def of_reduced_1d(case: Case) -> Iterator[Off]:
    """Projection on b, and the density of what is on the grid and outside."""
    one = case.vdf.isel(time=[0])
    v_max = case.instrument.v_max
    found = reduced_1d(one, case.b, v_max=v_max)
    true = case.line(case.plasma.direction, found["v"].values)
    off = found["f"].values[0] - true
    rms = percent(np.sqrt((off**2).mean()) / true.max())
    target = 0.4 if case.instrument.name.startswith("FPI") else None
    yield Off("reduced 1D", "F, rms", rms, "peak (target: FPI)", target)
    total = float(found["f"].astype(float).sum()) * (2e-3 * v_max / found.sizes["v"])
    yield Off("reduced 1D", "n kept", _kept(total, found["outside"], one), "n of moments", 0.01)


def of_reduced_2d(case: Case) -> Iterator[Off]:
    """Projection on the plane of perp1 and par, and the density of all three planes."""
    one = case.vdf.isel(time=[0])
    v_max = case.instrument.v_max
    found = reduced_2d(one, case.b, v_max=v_max, bins=50)
    basis = field_aligned_basis(case.plasma.direction[None], np.array([case.plasma.velocity]))[0]
    true = case.plane(basis[0], basis[2], found["v1"].values)
    off = found["f"].sel(plane="perp1_par").values[0] - true
    yield Off("reduced 2D", "F, rms", percent(np.sqrt((off**2).mean()) / true.max()), "peak")
    cell = (2 * v_max / found.sizes["v1"]) ** 2
    total = found["f"].astype(float).sum(("v1", "v2")).values[0] * cell
    yield Off("reduced 2D", "n kept", _kept(total, found["outside"][0], one), "n of moments", 0.1)


def of_fits(case: Case) -> Iterator[Off]:
    """Density and temperatures of the fit of the plasma's own model (not cut at any energy)."""
    one = case.vdf.isel(time=[0])
    fit = bi_kappa_fit if isinstance(case.plasma, BiKappa) else bi_maxwellian_fit
    found, plasma = fit(one, case.b), case.plasma
    n = float(found["density"][0]) / plasma.density - 1
    v = np.linalg.norm(found["velocity"].values[0] - np.array(plasma.velocity)) / case.thermal
    along = float(found["temperature_parallel"][0]) / plasma.parallel - 1
    across = float(found["temperature_perpendicular"][0]) / plasma.perpendicular - 1
    yield Off("fits", "n", worst(n), "n")
    yield Off("fits", "V", worst(v), "thermal speed")
    yield Off("fits", "T parallel, perpendicular", worst([along, across]), "it")


def of_slices(case: Case) -> Iterator[Off]:
    """f in the plane of the field and the flow, at the centres of the cells that are seen."""
    one, v_max = case.vdf.isel(time=[0]), case.instrument.v_max
    basis = field_aligned_basis(case.plasma.direction[None], np.array([case.plasma.velocity]))[0]
    for recipe, words in ((slices, "bins"), (slices_between, "interpolated")):
        found = recipe(one, case.b, v_max=v_max, bins=50)
        v = 1e3 * found["v1"].values
        true = case.plasma.f(v[:, None, None] * basis[0] + v[:, None] * basis[2])
        off = (found["f"].sel(plane="perp1_par").values[0] - true) / true.max()
        rms = np.sqrt(np.nanmean(off**2))
        yield Off("slices", f"f, {words}, rms", percent(rms), "peak")


MEASURES: tuple[Callable[[Case], Iterator[Off]], ...] = (
    of_moments,
    of_errors,
    of_spectrum,
    of_pitch_angles,
    of_field_aligned,
    of_reduced_1d,
    of_reduced_2d,
    of_fits,
    of_slices,
    *angular.MEASURES,
    *frames.MEASURES,
    *scalars.MEASURES,
)


def _kept(inside: object, outside: xr.DataArray, vdf: xr.Dataset) -> float:
    total = np.asarray(inside) / (1 - outside.values)
    return worst(total / float(moments(vdf)["density"][0]) - 1)


def _sky_mean(case: Case, record: int) -> np.ndarray:
    """Mean of f over the field of view and each bin of energy, (energy,), by fine quadrature."""
    low, high = (speed_of(e[record], case.plasma.mass) for e in case.instrument.limits)
    (first, last), (top, bottom) = case.instrument.field_of_view
    mu, dmu = nodes(np.cos(np.radians(bottom)), np.cos(np.radians(top)), 96)
    if case.instrument.whole:
        phi, dphi = 2 * np.pi * (np.arange(96) + 0.5) / 96, np.full(96, 1 / 96)
    else:
        phi, dphi = nodes(float(np.radians(first)), float(np.radians(last)), 48)
        dphi = dphi / dphi.sum()
    sin = np.sqrt(1 - mu**2)
    u = np.stack([np.outer(sin, np.cos(phi)), np.outer(sin, np.sin(phi)),
                  np.outer(mu, np.ones_like(phi))], -1)  # fmt: skip
    share = np.outer(dmu / dmu.sum(), dphi)
    total, volume = np.zeros(low.size), np.zeros(low.size)
    for x, w in zip(*nodes(-1.0, 1.0, 8), strict=True):
        speed = 0.5 * (high - low) * x + 0.5 * (high + low)
        for k, s in enumerate(speed):
            total[k] += w * s**2 * (case.plasma.f(s * u) * share).sum()
        volume += w * speed**2
    return total / volume
