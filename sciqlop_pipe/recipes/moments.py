"""Velocity moments of any distribution."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Moments, ScalarSeries
from ..granule import duration
from ..kernels.energies import speed_weights
from ..kernels.moments import (
    SUMS,
    Bulk,
    bulk,
    velocity_sums,
    velocity_sums_of_bins,
    velocity_sums_of_grid,
)
from ..model import Margin, recipe
from .vdf import STREAM, components, directions, distinct, distributions, energy_edges

POTENTIAL_REACH = "10s"
"""A potential counts for a distribution only between two samples no farther away than this."""

SCHEME = (
    "exact bin volumes; powers of speed and direction divided by their mean over the bin, "
    "f being the bin average (Sheppard)"
)


@recipe(gives=Moments, version=1)
def moments(
    vdf: VDF,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Density [cm^-3], V [km/s], P [nPa], T [eV], Q [mW m^-2] and coverage, in time.

    With u the direction and v the speed of a bin, f its phase-space average,

        n = sum f dv3,  V = <v>,  P = m n (<vv> - VV),  T = P/n,
        Q = (m/2) integral of w^2 w f d3v with w = v - V

    in the frame of the distribution, non-relativistic. Bins that were not measured (NaN) add
    nothing, and `coverage` says so: it is the measured part of the sphere times ln E, over the
    energies that are integrated, 1 when every direction of 4 pi was measured at every energy.

    A mean over a bin is not the value at its centre. Integrating f as if it were constant inside
    bins makes T too large by twice the variance inside them: 2 % in a magnetosheath, 65 % in a
    solar wind, for bins of 11 degrees. The sums here are exact for smooth distributions seen by
    bins uniform in angle and ln E (see `speed_weights`); a plasma colder than a bin is wide keeps
    an error that no sum can remove, and its temperature may even come out negative. An instrument
    whose response is narrower than its bins is corrected too much, by part of the same 2 %.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], interpolated between neighbours within 10 s. Energies
        become E + qV (f is conserved, Liouville), for centres and edges; what lies below zero is
        cut off. Where it is unknown the moments are NaN. Deflection of directions is ignored.
    energy_min, energy_max : float
        Integrate over bins with centres in this range [eV], as measured (before the potential).

    Returns
    -------
    Dataset
        density (time), velocity (time, component), pressure and temperature_tensor (time,
        component, component_2), temperature (time) = trace/3, heat_flux (time, component),
        coverage (time); quality as in the VDF. Records without any measurement are NaN with
        coverage 0. Where f is zero everywhere n = P = Q = 0 and V, T are NaN.

    References
    ----------
    Paschmann, G. et al. (1998), Moments of Plasma Velocity Distributions, in: Analysis Methods for
    Multi-Spacecraft Data, ISSI SR-001, chapter 6. Sheppard, W. F. (1898), Proc. London Math. Soc.
    s1-29, 353.
    """
    work = MomentsWork(vdf, sc_pot, energy_min, energy_max)
    for block in work.view.blocks(STREAM):
        work.add(block, work.view.values(block))
    return work.result()


class MomentsWork:
    """`moments`, block by block: whoever holds a block of f in cache can make several products."""

    def __init__(
        self,
        vdf: xr.Dataset,
        sc_pot: xr.Dataset | None = None,
        energy_min: float = 0.0,
        energy_max: float = float("inf"),
    ) -> None:
        self.vdf, self.view, edges = vdf, distributions(vdf), energy_edges(vdf)
        shift = np.zeros(1)
        if sc_pot is not None:
            shift = self.view.charge * potential_at(sc_pot, vdf["time"].values)
        usable = self.view.selected(energy_min, energy_max)
        times = self.view.f.shape[0]
        self.kind, tables = distinct(times, edges.lower, edges.upper, shift, usable)
        self.weights, self.share = speed_weights(*tables, self.view.mass)
        self.look = look = directions(vdf)
        alike = look.steady and not look.separable
        self.steady = look.weights(slice(None)) if alike else None
        self.sums = np.empty((times, SUMS))
        self.attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")} | {
            "energy_edges": edges.choice,
            "scheme": SCHEME,
            "spacecraft_potential": "none" if sc_pot is None else "corrected",
        }

    def add(self, block: slice, f: np.ndarray) -> None:
        """Take some records of f (time, direction, energy) float32 [s^3 m^-6], contiguous."""
        known, look = (f, self.kind[block], self.weights, self.share), self.look
        if look.separable:
            azimuth, polar = look.factors(block)
            around, up = azimuth[..., 0, 0], polar[:, :, 0, :, 0]
            # One azimuth for all rows: that of directions nobody knows.
            if around.shape[2] * up.shape[2] < f.shape[1]:
                around = np.repeat(around, f.shape[1] // up.shape[2], axis=2)
            self.sums[block] = velocity_sums_of_grid(*known, around, up)
        else:
            geometry = look.weights(block) if self.steady is None else self.steady
            kernel = velocity_sums_of_bins if look.per_energy else velocity_sums
            self.sums[block] = kernel(*known, geometry)

    def result(self) -> xr.Dataset:
        """Return what `moments` returns."""
        return _dataset(bulk(self.sums, self.view.mass), self.vdf, self.attrs)


def potential_at(sc_pot: xr.Dataset, times: np.ndarray) -> np.ndarray:
    """Potential [V] (time,) by linear interpolation, NaN unless both neighbours are near.

    Parameters
    ----------
    sc_pot : Dataset
        `value` (time) [V]; NaN samples are skipped.
    times : ndarray of datetime64 (time,)
        Where it is wanted. Only samples within `POTENTIAL_REACH` count, so that the result does
        not depend on how time was cut into granules.
    """
    value = np.asarray(sc_pot["value"].values, np.float64)
    known = np.isfinite(value)
    value, at = value[known], sc_pot["time"].values[known].astype("datetime64[ns]").astype(np.int64)
    want = times.astype("datetime64[ns]").astype(np.int64)
    if not value.size:
        return np.full(want.size, np.nan)
    right = np.clip(np.searchsorted(at, want), 0, at.size - 1)
    left = np.where(at[right] == want, right, np.maximum(right - 1, 0))
    before, after = want - at[left], at[right] - want
    near = (before >= 0) & (after >= 0) & (np.maximum(before, after) <= duration(POTENTIAL_REACH))
    part = before / np.maximum(before + after, 1)
    return np.where(near, value[left] + (value[right] - value[left]) * part, np.nan)


def _dataset(found: Bulk, vdf: xr.Dataset, attrs: dict[str, object]) -> xr.Dataset:
    species, frame = str(attrs["species"]), str(attrs["frame"])
    vector, tensor = ("time", "component"), ("time", "component", "component_2")
    scalar = np.trace(found.temperature_tensor, axis1=1, axis2=2) / 3
    rows = [
        ("density", ("time",), found.density, "cm^-3", "number density"),
        ("velocity", vector, found.velocity, "km s^-1", "bulk velocity"),
        ("pressure", tensor, found.pressure, "nPa", "pressure tensor"),
        ("temperature_tensor", tensor, found.temperature_tensor, "eV", "temperature tensor"),
        ("temperature", ("time",), scalar, "eV", "temperature"),
        ("heat_flux", vector, found.heat_flux, "mW m^-2", "heat flux"),
    ]
    variables: dict[str, object] = {}
    for name, dims, values, units, long_name in rows:
        about = {"units": units, "long_name": f"{species} {long_name}"}
        if len(dims) > 1:
            about["frame"] = frame
        variables[name] = (dims, values.astype(np.float32), about)
    about = {"units": "1", "long_name": "measured part of the sphere and of ln E"}
    variables["coverage"] = (("time",), found.coverage.astype(np.float32), about)
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    coords = {"time": vdf["time"]} | {d: components(d) for d in ("component", "component_2")}
    return xr.Dataset(variables, coords, attrs)
