"""What is compared of numbers made of moments or of parts of velocity space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import xarray as xr

from sciqlop_pipe.recipes.energy_flux import energy_flux
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.fused import fused
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.non_maxwellianity import non_maxwellianity
from sciqlop_pipe.recipes.partial_moments import partial_moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.spectra import energy_spectrum

from .angular import field_axes
from .cases import Case
from .off import Off, worst
from .plasmas import BiMaxwellian, speed_of
from .spheres import sphere

CONES = np.array([0.0, 45.0, 135.0, 180.0])


def of_parts(case: Case) -> Iterator[Off]:
    """Densities of cones of pitch angle: of all of them, and of each."""
    one = case.vdf.isel(time=[0])
    parts = [partial_moments(one, case.b, angle_min=a, angle_max=z)
             for a, z in pairwise(CONES)]  # fmt: skip
    whole = moments(one)
    # A cone that is out of sight has no density.
    n = np.nan_to_num([float(p["density"][0]) for p in parts])
    flow = sum(np.nan_to_num(p["velocity"].values[0]) * d for p, d in zip(parts, n, strict=True))
    density, velocity = float(whole["density"][0]), whole["velocity"].values[0]
    cones = sphere(case, field_axes(case), CONES, down=96)
    true = 1e-6 * cones.sums(case.plasma.f(cones.v)).sum((0, 2))
    yield Off("partial moments", "n, sum of cones", worst(n.sum() / density - 1),
              "n of moments", 0.001)  # fmt: skip
    off = np.linalg.norm(flow / density - velocity) / case.thermal
    yield Off("partial moments", "nV, sum of cones", worst(off), "n x thermal speed", 0.01)
    yield Off("partial moments", "n of a cone", worst((n - true) / true.sum()), "n of all")


def of_agyrotropy(case: Case) -> Iterator[Off]:
    """Three measures against those of the true tensor: 0 but for what is cut away."""
    found = field_aligned(moments(case.vdf), case.b).isel(time=0)
    b, p = case.plasma.direction, case.truths[0].pressure
    axes = field_axes(case)
    turned = axes @ p @ axes.T
    one, two = np.linalg.eigvalsh(turned[:2, :2])
    par, across = b @ p @ b, 0.5 * (one + two)
    sides = 0.25 * (two - one) ** 2 + turned[0, 2] ** 2 + turned[1, 2] ** 2
    true = {
        "agyrotropy": np.sqrt(sides / (across**2 + 2 * across * par)),
        "perpendicular_asymmetry": (two - one) / across,
        "nongyrotropy": 2 * np.sqrt(2 * sides) / np.trace(p),
    }
    words = ("sqrt(Q)", "A_phi", "D_ng")
    for (name, level), word in zip(true.items(), words, strict=True):
        off = float(found[name]) - level
        if np.isfinite(off):
            yield Off("agyrotropy", word, worst(off), "1")


def of_non_maxwellianity(case: Case) -> Iterator[Off]:
    """Distances to (bi-)Maxwellians against the integrals over fine cells (0 for Maxwellians)."""
    found, true = non_maxwellianity(case.vdf.isel(time=[0]), case.b), case.truths[0]
    b = case.plasma.direction
    par = float(b @ true.temperature_tensor @ b)
    perp = 0.5 * (3 * true.temperature - par)
    x, y, z = (float(v) for v in true.velocity)
    drift = (x, y, z)
    two = BiMaxwellian(true.density, drift, par, perp, case.plasma.b, case.plasma.species)
    round_ = BiMaxwellian(true.density, drift, true.temperature, true.temperature, case.plasma.b,
                          case.plasma.species)  # fmt: skip
    cells = sphere(case, field_axes(case), np.array([0.0, 180.0]))
    f, g, g2 = (p.f(cells.v) for p in (case.plasma, round_, two))
    n, n_of_g = (float(cells.sums(x).sum()) for x in (f, g))
    thermal = float(speed_of(true.temperature, case.plasma.mass))
    s, s_of_g = (-float(cells.sums(x * np.log(np.maximum(x, 1e-300))).sum()) for x in (f, g))
    values = {
        "epsilon": float(cells.sums(np.abs(f - g2)).sum()) / (2 * n),
        "epsilon_isotropic": float(cells.sums(np.abs(f - g)).sum()) / (2 * n),
        "epsilon_greco": thermal**1.5 / n * np.sqrt(float(cells.sums((f - g) ** 2).sum())),
        "entropy_deficit": (s_of_g / n_of_g - s / n) / 1.5,
    }
    for name, level in values.items():
        yield Off("non-Maxwellianity", name, worst(float(found[name][0]) - level), "1")


def of_energy_flux(case: Case) -> Iterator[Off]:
    """Kinetic and enthalpy flux of the true moments, and the whole flux of energy itself."""
    found, true = energy_flux(moments(case.vdf), case.b).isel(time=0), case.truths[0]
    v = true.velocity
    kinetic = 0.5e18 * case.plasma.mass * true.density * (v @ v) * v
    enthalpy = 1e-3 * (0.5 * np.trace(true.pressure) * v + true.pressure @ v)
    cells = sphere(case, field_axes(case), np.array([0.0, 180.0]))
    energy = 0.5e3 * case.plasma.mass * (cells.v**2).sum(-1) * case.plasma.f(cells.v)
    total = np.array([cells.sums(energy * cells.v[..., i]).sum() for i in range(3)])
    size = np.linalg.norm(total)
    for name, level in (("kinetic", kinetic), ("enthalpy", enthalpy), ("total", total)):
        off = np.linalg.norm(found[name].values - level) / size
        yield Off("energy flux", name, worst(off), "total flux")
    along = float(found["total_parallel"]) - total @ case.plasma.direction
    yield Off("energy flux", "total along b", worst(along / size), "total flux")


def of_fused(case: Case) -> Iterator[Off]:
    """What is made in one reading against what each recipe makes."""
    made = fused(case.vdf, case.b)
    pairs: list[tuple[xr.Dataset | None, xr.Dataset]] = [
        (made.moments, moments(case.vdf)),
        (made.energy_spectrum, energy_spectrum(case.vdf)),
        (made.pitch_angles, pitch_angle_distribution(case.vdf, case.b)),
    ]
    same = [one is not None and one.identical(other) for one, other in pairs]
    yield Off("fused", "products that differ", worst(1 - np.mean(same)), "three products", 0.0)


MEASURES: tuple[Callable[[Case], Iterator[Off]], ...] = (
    of_parts,
    of_agyrotropy,
    of_non_maxwellianity,
    of_energy_flux,
    of_fused,
)
