"""Fits of model distributions: drifting bi-Maxwellian and bi-kappa."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import VDF, PlasmaFit, ScalarSeries, VectorSeries
from ..kernels.comparing import RESULTS, compare, counts
from ..kernels.maxwellians import kappa_norm
from ..model import Margin, recipe
from .bins import Bins, bins
from .moments import POTENTIAL_REACH, moments, potential_at
from .rays import field_directions, require_same_frame

KAPPAS = (1.55, 200.0)
"""Kappas that a fit may find. Above, no instrument can tell it from a Maxwellian."""

STEPS = 40
"""Of a fit, at most. Three to eight are usual."""


@recipe(gives=PlasmaFit, version=1)
def bi_maxwellian_fit(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Density [cm^-3], V [km/s], T_par, T_perp [eV] of a bi-Maxwellian fitted to f, (time).

        f = n / (pi^1.5 v_par v_perp^2) exp(-w_par^2/v_par^2 - w_perp^2/v_perp^2),
        w = v - V,  v_par^2 = 2 T_par/m,  v_perp^2 = 2 T_perp/m

    averaged over each bin, is fitted to all measured bins, empty ones too, by maximum likelihood:
    what is minimised is sum of mu - (C + 1) ln(mu + 1), with C = N = (f/f_error)^2 counts where mu
    are expected. That is Poisson's statistics with one count more in every bin, so that a hot tail
    or background where the model expects nothing does not pull the fit, as it does pull moments.
    Distributions without errors are weighted as if the fullest bin (f E^2) had 1000 counts; then
    there are no errors of the parameters, and chi^2 is NaN. It starts from the moments; Fisher's
    scoring with Levenberg-Marquardt damping.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6], with
        f_error where there is one.
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution, averaged over the
        accumulation; without a sample there the nearest one within reach counts.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], as in `moments`.
    accumulation, reach : str
        How long a distribution takes; how far away a single sample of the field may be.
    energy_min, energy_max : float
        Fit bins with centres in this range [eV], as measured.

    Returns
    -------
    Dataset
        The parameters and their errors (one sigma; NaN without f_error), velocity in the frame of
        the distribution; reduced_chi2 = sum (C - mu)^2/mu over the bins with mu >= 1, per degree of
        freedom; residual = integral of |f - fit| d3v / 2n, n as measured; converged (1 or 0) and
        iterations. NaN where there is no field, nothing is measured, or no moments to start from.
        A fit that has not converged keeps its numbers and says so.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Cash, W. (1979), Astrophys. J. 228, 939, doi:10.1086/156922 (likelihood of counts). Paschmann,
    G. et al. (1998), ISSI SR-001, chapter 5.
    """
    require_same_frame(str(vdf.attrs["frame"]), b)
    along = field_directions(b, vdf["time"].values, accumulation, reach)
    return _fit(vdf, along, sc_pot, energy_min, energy_max, kappa=False)


@recipe(gives=PlasmaFit, version=1)
def bi_kappa_fit(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Density [cm^-3], V [km/s], T_par, T_perp [eV], kappa of a bi-kappa fitted to f, (time).

        f = n / (pi^1.5 v_par v_perp^2) Gamma(kappa + 1) / (q^1.5 Gamma(kappa - 1/2))
            (1 + (w_par^2/v_par^2 + w_perp^2/v_perp^2) / q)^-(kappa + 1),   q = kappa - 3/2,

    with v_par^2 = 2 T_par/m, v_perp^2 = 2 T_perp/m: T is the second moment, whatever kappa. It is
    fitted as in `bi_maxwellian_fit`, with the same inputs, params and results, and kappa between
    1.55 and 200; at 200 the distribution is a Maxwellian as far as can be told.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Summers, D. and Thorne, R. M. (1991), Phys. Fluids B 3, 1835, doi:10.1063/1.859653. Livadiotis,
    G. and McComas, D. J. (2013), Space Sci. Rev. 175, 183, doi:10.1007/s11214-013-9982-9.
    """
    require_same_frame(str(vdf.attrs["frame"]), b)
    along = field_directions(b, vdf["time"].values, accumulation, reach)
    return _fit(vdf, along, sc_pot, energy_min, energy_max, kappa=True)


def around(along: np.ndarray) -> np.ndarray:
    """Axes (time, 3, 3): the field is the third row, the others are any at right angles to it."""
    least = np.eye(3)[np.argmin(np.abs(np.nan_to_num(along)), axis=1)]
    first = np.cross(along, least)
    with np.errstate(invalid="ignore", divide="ignore"):
        first = first / np.sqrt((first**2).sum(axis=1, keepdims=True))
    return np.ascontiguousarray(np.stack([first, np.cross(along, first), along], axis=1))


def shifted(vdf: xr.Dataset, sc_pot: xr.Dataset | None) -> np.ndarray:
    """Charge times potential [eV] at every record, (time or 1,)."""
    if sc_pot is None:
        return np.zeros(1)
    return float(vdf.attrs["charge"]) * potential_at(sc_pot, vdf["time"].values)


def plasmas(p: np.ndarray, kappa: bool) -> np.ndarray:
    """Rows of plasmas (time, 9) from parameters (time, 7); see `kernels.maxwellians`."""
    out = np.empty((len(p), 9))
    out[:, 0], out[:, 1:4] = np.exp(p[:, 0]), p[:, 1:4]
    out[:, 4:6] = np.exp(p[:, 4:6] / 2)
    out[:, 6] = 1.5 + np.exp(p[:, 6]) if kappa else np.inf
    out[:, 7], out[:, 8] = kappa_norm(out[:, 6])
    return out


@dataclass(slots=True)
class _Found:
    """Fits of some records: parameters, inverse covariance, results of `compare`, state."""

    p: np.ndarray
    fisher: np.ndarray
    results: np.ndarray
    converged: np.ndarray
    steps: np.ndarray
    known: np.ndarray


def _fit(
    vdf: xr.Dataset, along: np.ndarray, sc_pot: xr.Dataset | None, energy_min: float,
    energy_max: float, *, kappa: bool,
) -> xr.Dataset:  # fmt: skip
    where = bins(vdf, shifted(vdf, sc_pot), energy_min, energy_max)
    basis = around(along)
    start = _start(moments(vdf, sc_pot, energy_min=energy_min, energy_max=energy_max), basis,
                   where.view.mass)  # fmt: skip
    error: np.ndarray = np.zeros((0, 1, 1), np.float32)
    if "f_error" in vdf:
        error = vdf["f_error"].transpose(*vdf["f"].dims).values.reshape(where.view.f.shape)
    parts = [
        _fit_block(where, block, error, basis[block], start[block], kappa)
        for block in where.view.blocks()
    ]
    if not parts:
        parts = [_nothing(0)]
    whole = _Found(*(np.concatenate([getattr(x, n) for x in parts]) for n in _Found.__slots__))
    return _dataset(vdf, whole, basis, where.view.mass, kappa)


def _start(found: xr.Dataset, basis: np.ndarray, mass: float) -> np.ndarray:
    """Parameters (time, 7) from moments; temperatures at least a twentieth of their mean."""
    tensor = found["temperature_tensor"].values.astype(np.float64)
    mean = np.trace(tensor, axis1=1, axis2=2) / 3
    parallel = np.einsum("ti,tij,tj->t", basis[:, 2], tensor, basis[:, 2])
    least = np.maximum(mean, 0.1) / 20
    across = np.maximum((3 * mean - parallel) / 2, least)
    density = found["density"].values.astype(np.float64)
    p = np.empty((len(mean), 7))
    with np.errstate(invalid="ignore", divide="ignore"):
        p[:, 0] = np.log(np.where(density > 0, density, np.nan))
        p[:, 1:4] = np.einsum("tij,tj->ti", basis, found["velocity"].values * 1e-3)
        p[:, 4] = np.log(np.maximum(parallel, least) * 2e-12 * ELEMENTARY_CHARGE / mass)
        p[:, 5] = np.log(across * 2e-12 * ELEMENTARY_CHARGE / mass)
    p[:, 6] = np.log(3.5)
    p[~np.isfinite(p).all(axis=1)] = np.nan
    return p


def _nothing(n: int) -> _Found:
    p, fisher, results = (np.full((n, *s), np.nan) for s in ((7,), (7, 7), (RESULTS,)))
    return _Found(p, fisher, results, np.zeros(n, bool), np.zeros(n), np.zeros(n, bool))


def _fit_block(
    where: Bins, block: slice, error: np.ndarray, basis: np.ndarray, start: np.ndarray, kappa: bool
) -> _Found:
    """Fit some records side by side; each goes its own way to its own end."""
    table, volumes, solid, rays, speeds = where.of(block)
    sigma = np.ascontiguousarray(error[block], np.float32) if error.size else error
    count, level, known = counts(
        where.view.values(block), sigma, where.energy, table, volumes, solid
    )
    size = 7 if kappa else 6
    out = _nothing(len(start))
    out.known = known
    run = np.flatnonzero(np.isfinite(start).all(axis=1) & np.isfinite(basis).all(axis=(1, 2)))

    def at(rows: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        steady = tuple(a if a.shape[0] == 1 else a[rows] for a in (solid, rays))
        return compare(plasmas(p, kappa), size, count[rows], level[rows], table[rows], volumes,
                       *steady, speeds, basis[rows])  # fmt: skip

    p = start[run]
    results, gradient, fisher = at(run, p)
    damping = np.full(run.size, 1e-3)
    for _ in range(STEPS):
        if not run.size:
            break
        move, gain = _moves(p, gradient, fisher, damping, kappa)
        trial = p + move
        now, slope, matrix = at(run, trial)
        better = now[:, 0] <= results[:, 0] + 1e-7 * np.abs(results[:, 0])
        p[better], gradient[better], fisher[better] = trial[better], slope[better], matrix[better]
        results[better] = now[better]
        damping = np.where(better, np.maximum(damping / 10, 1e-9), np.maximum(damping * 10, 1e-3))
        out.steps[run] += 1
        # A hundredth of a standard deviation, or what float32 can tell.
        ended = better & ((gain < 1e-4) | (np.abs(move).max(axis=1) < 1e-5))
        lost = (damping > 1e6) | ~np.isfinite(gain)
        out.p[run], out.fisher[run], out.results[run] = p, fisher, results
        out.converged[run] = ended
        on = ~(ended | lost)
        run, p, damping = run[on], p[on], damping[on]
        results, gradient, fisher = results[on], gradient[on], fisher[on]
    return out


def _moves(
    p: np.ndarray, gradient: np.ndarray, fisher: np.ndarray, damping: np.ndarray, kappa: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Damped steps (record, 7) of one e-fold or thermal speed at most, and their promised gain."""
    size = 7 if kappa else 6
    damped, down = fisher[:, :size, :size].copy(), gradient[:, :size].copy()
    diagonal = np.arange(size)
    damped[:, diagonal, diagonal] *= 1 + damping[:, None]
    low, high = (np.log(k - 1.5) for k in KAPPAS)
    if kappa:
        stuck = (p[:, 6] >= high) & (down[:, 6] > 0) | (p[:, 6] <= low) & (down[:, 6] < 0)
        down[stuck, 6] = 0
        damped[stuck, 6, :] = damped[stuck, :, 6] = 0
        damped[stuck, 6, 6] = 1
    # An empty record has no curvature: a little keeps the system solvable, its step being zero.
    damped[:, diagonal, diagonal] += 1e-30
    move = np.zeros(p.shape)
    move[:, :size] = np.linalg.solve(damped, down[:, :, None])[:, :, 0]
    gain = 0.5 * (down * move[:, :size]).sum(axis=1)
    speed = np.exp(p[:, [4, 5]] / 2)
    unit = np.ones(p.shape)
    unit[:, 1:3], unit[:, 3] = speed[:, 1:2], speed[:, 0]
    largest = np.abs(move / unit).max(axis=1, keepdims=True)
    move /= np.maximum(largest, 1.0)
    if kappa:
        move[:, 6] = np.clip(p[:, 6] + move[:, 6], low, high) - p[:, 6]
    return move, gain


def _covariance(found: _Found, kappa: bool) -> np.ndarray:
    """Covariances (time, 7, 7) of the parameters, NaN where counts are unknown."""
    size = 7 if kappa else 6
    out = np.full(found.fisher.shape, np.nan)
    matrix = found.fisher[:, :size, :size]
    good = np.isfinite(matrix).all(axis=(1, 2)) & found.known
    diagonal = np.einsum("tii->ti", matrix)
    good &= (diagonal > 0).all(axis=1)
    # Scaled to a unit diagonal: the parameters have different units.
    scale = np.sqrt(np.where(good[:, None], diagonal, 1.0))
    unit = np.where(good[:, None, None], matrix, np.eye(size)) / scale[:, :, None] / scale[:, None]
    inverse = np.linalg.pinv(unit, hermitian=True) / scale[:, :, None] / scale[:, None]
    out[:, :size, :size] = np.where(good[:, None, None], inverse, np.nan)
    return out


def _dataset(
    vdf: xr.Dataset, found: _Found, basis: np.ndarray, mass: float, kappa: bool
) -> xr.Dataset:
    species, frame = str(vdf.attrs["species"]), str(vdf.attrs["frame"])
    p, size = found.p, 7 if kappa else 6
    c = _covariance(found, kappa)
    sigma = np.sqrt(np.einsum("tii->ti", c))
    density = np.exp(p[:, 0])
    parallel, across = (np.exp(p[:, i]) * mass * 1e12 / (2 * ELEMENTARY_CHARGE) for i in (4, 5))
    velocity = np.einsum("tji,tj->ti", basis, p[:, 1:4]) * 1e3
    spread = np.einsum("tji,tjk,tki->ti", basis, c[:, 1:4, 1:4], basis)
    free = found.results[:, 2] - size
    chi2 = np.where((free > 0) & found.known, found.results[:, 1] / np.maximum(free, 1), np.nan)
    measured = found.results[:, 3]
    residual = found.results[:, 4] / np.where(measured > 0, 2 * measured, np.nan)
    q = np.exp(p[:, 6])
    rows = [
        ("density", density, "cm^-3", "number density"),
        ("velocity", velocity, "km s^-1", "bulk velocity"),
        ("velocity_parallel", p[:, 3] * 1e3, "km s^-1", "bulk velocity along the field"),
        ("temperature_parallel", parallel, "eV", "temperature along the field"),
        ("temperature_perpendicular", across, "eV", "temperature across the field"),
        ("temperature", (parallel + 2 * across) / 3, "eV", "temperature"),
        ("density_error", density * sigma[:, 0], "cm^-3", "error of the density"),
        ("velocity_error", np.sqrt(spread) * 1e3, "km s^-1", "error of the bulk velocity"),
        ("velocity_parallel_error", sigma[:, 3] * 1e3, "km s^-1",
         "error of the velocity along the field"),
        ("temperature_parallel_error", parallel * sigma[:, 4], "eV",
         "error of the temperature along the field"),
        ("temperature_perpendicular_error", across * sigma[:, 5], "eV",
         "error of the temperature across the field"),
        ("reduced_chi2", chi2, "1", "chi^2 per degree of freedom"),
        ("residual", residual, "1", "integral of |f - fit| over twice the density"),
        ("converged", found.converged, "1", "whether the fit has converged"),
        ("iterations", found.steps, "1", "steps of the fit"),
    ]  # fmt: skip
    if kappa:
        rows += [("kappa", 1.5 + q, "1", "kappa"), ("kappa_error", q * sigma[:, 6], "1",
                                                    "error of kappa")]  # fmt: skip
    variables: dict[str, object] = {}
    for name, values, units, words in rows:
        about = {"units": units, "long_name": f"{species} {words} (fit)"}
        dims: tuple[str, ...] = ("time",)
        if values.ndim == 2:
            about["frame"], dims = frame, ("time", "component")
        variables[name] = (dims, values.astype(np.float32), about)
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    attrs["model"] = "drifting bi-kappa" if kappa else "drifting bi-Maxwellian"
    return xr.Dataset(variables, {"time": vdf["time"], "component": ["x", "y", "z"]}, attrs)
