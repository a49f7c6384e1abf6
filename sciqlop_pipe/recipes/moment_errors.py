"""Statistical errors of the moments of any distribution that has errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import VDF, MomentCorrelations, MomentErrors, ScalarSeries
from ..errors import DataTypeError
from ..kernels.covariance import moment_covariances
from ..kernels.energies import speed_weights
from ..kernels.errors import QUANTITIES, moment_variances
from ..kernels.errors_of_grid import moment_variances_of_grid
from ..kernels.moments import velocity_sums, velocity_sums_of_bins, velocity_sums_of_grid
from ..model import Margin, recipe
from .moments import POTENTIAL_REACH, potential_at
from .vdf import Directions, components, directions, distinct, distributions, energy_edges

_MOMENTS = ("n", "vx", "vy", "vz", "txx", "tyy", "tzz", "t")
_NAMES = ("density", "velocity", "temperature_tensor", "temperature")


@recipe(gives=MomentErrors, version=2)
def moment_errors(
    vdf: VDF,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """One sigma of n [cm^-3], V [km/s], diagonal of T and T [eV] by counting statistics, (time).

    Linear propagation of the errors of all bins, taken as independent, through the sums of
    `moments`: sigma_n^2 = sum (w sigma_f)^2, and with the covariance of n, V and <vv> (they are
    sums over the same counts) for V and T = m (<vv> - VV). A bin with counts has N = (f/sigma_f)^2
    of them. A bin without is not without error: in `*_limit` it contributes one count, an upper
    limit; in `*_error` nothing. What the instrument does not resolve, calibration, background and
    the error of the spacecraft potential are not in it.

    Parameters
    ----------
    vdf : VDF
        With `f_error`, as f: (time, phi_bin, theta_bin, energy_bin) or (time, direction,
        energy_bin) [s^3 m^-6]. Where it has `first_energy`, lower energies are left out.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], as in `moments`: it shifts centres and edges of energies.
        Where it is unknown the errors are NaN.
    energy_min, energy_max : float
        Integrate over bins with centres in this range [eV], as measured (before the potential).

    Returns
    -------
    Dataset
        density_error, temperature_error (time), velocity_error, temperature_tensor_error (time,
        component: its diagonal); the same as *_limit; counts (time); quality as in the VDF. NaN
        where there is no count.

    Raises
    ------
    DataTypeError
        Without f_error.

    References
    ----------
    Gershman, D. J. et al. (2015), The calculation of moment uncertainties from velocity
    distribution functions with random errors, J. Geophys. Res. Space Physics 120, 6633-6645,
    doi:10.1002/2014JA020775.
    """
    times = vdf.sizes["time"]
    variance, counts = np.empty((times, 2, QUANTITIES)), np.empty(times)
    for block, look, known, weights, f, sums in _counted(vdf, sc_pot, energy_min, energy_max):
        if look.separable:
            azimuth, polar = look.factors(block)
            grid = azimuth[..., 0, 0], polar[:, :, 0, :, 0]
            found = moment_variances_of_grid(f, *known, weights, *grid, sums)
        elif look.per_energy:
            every, seen = moment_covariances(f, *known, weights, look.weights(block), sums)
            found = np.diagonal(every, axis1=2, axis2=3), seen
        else:
            found = moment_variances(f, *known, weights, look.weights(block), sums)
        variance[block], counts[block] = found
    sigma = np.sqrt(np.maximum(variance, 0.0))
    return _dataset(vdf, sigma, counts, float(vdf.attrs["mass"])).assign_attrs(_about(sc_pot))


@recipe(gives=MomentCorrelations, version=1)
def moment_correlations(
    vdf: VDF,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Correlations [1] of the statistical errors of n, V, T_ii and T, (time, moment, moment_2).

        cov(a, b) = sum of (da/df) (db/df) sigma_f^2 = correlation x sigma_a x sigma_b

    over all bins with counts, with the errors that `moment_errors` gives. n, V and T are sums over
    the same counts: T of a fast plasma is bound to its V, and combinations of moments (pressure,
    Mach numbers) need the correlations to have errors at all.

    Parameters
    ----------
    vdf, sc_pot, energy_min, energy_max :
        As in `moment_errors`.

    Returns
    -------
    Dataset
        correlation (time, moment, moment_2) [1] of n, vx, vy, vz, txx, tyy, tzz, t in the frame of
        the distribution; quality as in the VDF. NaN where there is no count.

    Raises
    ------
    DataTypeError
        Without f_error.

    References
    ----------
    Gershman, D. J. et al. (2015), J. Geophys. Res. Space Physics 120, 6633,
    doi:10.1002/2014JA020775.
    """
    found = np.empty((vdf.sizes["time"], QUANTITIES, QUANTITIES))
    for block, look, known, weights, f, sums in _counted(vdf, sc_pot, energy_min, energy_max):
        geometry = look.weights(block)
        geometry = geometry if look.per_energy else geometry[..., None]
        found[block] = moment_covariances(f, *known, weights, geometry, sums)[0][:, 0]
    sigma = np.sqrt(np.diagonal(found, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        found /= sigma[:, :, None] * sigma[:, None, :]
    about = {
        "units": "1",
        "long_name": f"{vdf.attrs['species']} correlation of statistical errors",
        "frame": vdf.attrs["frame"],
    }
    variables: dict[str, object] = {
        "correlation": (("time", "moment", "moment_2"), found.astype(np.float32), about)
    }
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    coords = {"time": vdf["time"], "moment": list(_MOMENTS), "moment_2": list(_MOMENTS)}
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, coords, attrs).assign_attrs(_about(sc_pot))


def _about(sc_pot: xr.Dataset | None) -> dict[str, str]:
    return {"spacecraft_potential": "none" if sc_pot is None else "corrected"}


def _counted(
    vdf: xr.Dataset, sc_pot: xr.Dataset | None, energy_min: float, energy_max: float
) -> Iterator[tuple[slice, Directions, tuple[np.ndarray, ...], np.ndarray, np.ndarray, np.ndarray]]:
    """Yield records, directions, (error, energy, used, table), weights, f and velocity sums."""
    if "f_error" not in vdf:
        raise DataTypeError("there is no f_error", "VDF", "Take distributions that have errors")
    look, view, edges = directions(vdf), distributions(vdf), energy_edges(vdf)
    error = vdf["f_error"].transpose(*vdf["f"].dims).values.reshape(view.f.shape)
    use = view.selected(energy_min, energy_max)
    shift = np.zeros(1)
    if sc_pot is not None:
        shift = view.charge * potential_at(sc_pot, vdf["time"].values)
    kind, (lower, upper, used, energy, shift) = distinct(
        view.f.shape[0], edges.lower, edges.upper, use, view.energy, shift
    )
    used = used.astype(bool)
    weights, share = speed_weights(lower, upper, shift, used, view.mass)
    # Energies that the potential cuts off hold no counts of this plasma.
    used &= weights[:, 0] > 0
    for block in view.blocks():
        f = view.values(block)
        sigma = np.ascontiguousarray(error[block], dtype=np.float32)
        if look.separable:
            azimuth, polar = look.factors(block)
            sums = velocity_sums_of_grid(
                f, kind[block], weights, share, azimuth[..., 0, 0], polar[:, :, 0, :, 0]
            )
        else:
            kernel = velocity_sums_of_bins if look.per_energy else velocity_sums
            sums = kernel(f, kind[block], weights, share, look.weights(block))
        yield block, look, (sigma, energy, used, kind[block]), weights, f, sums


def _dataset(vdf: xr.Dataset, sigma: np.ndarray, counts: np.ndarray, mass: float) -> xr.Dataset:
    species, frame = vdf.attrs["species"], vdf.attrs["frame"]
    ev = mass * 1e12 / ELEMENTARY_CHARGE
    parts = (slice(0, 1), slice(1, 4), slice(4, 7), slice(7, 8))
    scales, units = (1.0, 1e3, ev, ev), ("cm^-3", "km s^-1", "eV", "eV")
    variables: dict[str, object] = {}
    for row, (which, words) in enumerate(
        (("error", "statistical error"), ("limit", "error with one count in every empty bin"))
    ):
        for name, part, scale, unit in zip(_NAMES, parts, scales, units, strict=True):
            values = (sigma[:, row, part] * scale).astype(np.float32)
            title = name.replace("_", " ").replace("tensor", "tensor's diagonal")
            about = {"units": unit, "long_name": f"{species} {title}: {words}"}
            if values.shape[1] == 3:
                about["frame"] = frame
                variables[f"{name}_{which}"] = (("time", "component"), values, about)
            else:
                variables[f"{name}_{which}"] = (("time",), values[:, 0], about)
    about = {"units": "1", "long_name": f"{species} counts"}
    variables["counts"] = (("time",), counts.astype(np.float32), about)
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    coords = {"time": vdf["time"], "component": components("component")}
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, coords, attrs)
