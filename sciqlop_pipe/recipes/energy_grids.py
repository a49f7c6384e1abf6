"""Distributions on one table of energies: rebinned, or interleaved where tables alternate."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF
from ..errors import DataTypeError, UsageError
from ..granule import duration
from ..kernels.energies import geometric_edges
from ..model import Margin, recipe
from .resample import runs
from .vdf import distinct, distributions, energy_edges

LEAST = 0.5
"""Part of a new bin that must have been measured."""

_OLD = ("energy", "energy_lower", "energy_upper", "f_error", "first_energy")


@recipe(gives=VDF, version=1)
def common_energies(
    vdf: VDF, *, energy_min: float = 10.0, energy_max: float = 30000.0, bins: int = 32
) -> xr.Dataset:
    """The same distribution on one table of energies for all records; f [s^3 m^-6].

        f' = sum f W / sum W,  W = (v_hi^3 - v_lo^3)/3 of the part that an old and a new bin share

    f is taken as constant inside the old bins, so that particles are conserved wherever the new
    table covers the old one, and a spectrum becomes wider by less than a bin.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    energy_min, energy_max : float
        Edges of the new table [eV] (of the particle, not per charge).
    bins : int
        Bins of equal width in ln E.

    Returns
    -------
    Dataset
        A VDF with energy, energy_lower, energy_upper (energy_bin). NaN where less than half of a
        new bin was measured.

    Raises
    ------
    UsageError
        For a table without extent.
    DataTypeError
        When directions depend on energy.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 6: volume elements of velocity space.
    """
    if not (0 < energy_min < energy_max and bins >= 1):
        raise UsageError(
            f"{bins} energies from {energy_min:g} to {energy_max:g} eV",
            "energy_min, energy_max, bins",
            "Take 0 < energy_min < energy_max and at least one bin",
        )
    if odd := [str(n) for n in ("phi", "theta", "phi_width", "theta_width")
               if n in vdf and "energy_bin" in vdf[n].dims]:  # fmt: skip
        raise DataTypeError(f"{odd[0]} depends on energy", "vdf", "Rebin another product of it")
    view, edges = distributions(vdf), energy_edges(vdf)
    new = np.geomspace(energy_min, energy_max, bins + 1)
    kind, (lower, upper, used) = distinct(
        view.f.shape[0], edges.lower, edges.upper, view.selected(0.0, np.inf)
    )
    f = np.full((*view.f.shape[:2], bins), np.nan, np.float32)
    for k in range(lower.shape[0] if kind.size else 0):
        share = _shares(lower[k], upper[k], used[k].astype(bool), new)
        whole = new[1:] ** 1.5 - new[:-1] ** 1.5
        for block in runs(np.flatnonzero(kind == k)):
            old = view.values(block)
            for n in range(bins):
                total, seen = np.zeros((2, *old.shape[:2]))
                for e in np.flatnonzero(share[n] > 0):
                    there = np.isfinite(old[..., e])
                    total += np.where(there, old[..., e], 0.0) * share[n, e]
                    seen += there * share[n, e]
                enough = seen >= LEAST * whole[n]
                with np.errstate(invalid="ignore", divide="ignore"):
                    f[block, :, n] = np.where(enough, total / seen, np.nan)
    return _on_table(vdf, f, np.sqrt(new[1:] * new[:-1]), new[:-1], new[1:])


def _shares(lower: np.ndarray, upper: np.ndarray, used: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Volumes that new and old bins share, in units of (2 e/m)^1.5 / 3, (new, old)."""
    low = np.maximum(np.where(used, lower, np.inf), new[:-1, None])
    high = np.minimum(np.where(used, upper, -np.inf), new[1:, None])
    meet = high > low
    return np.where(meet, np.where(meet, high, 0.0) ** 1.5 - np.where(meet, low, 0.0) ** 1.5, 0.0)


@recipe(gives=VDF, version=1)
def interleaved(vdf: Annotated[VDF, Margin("apart")], *, apart: str = "1s") -> xr.Dataset:
    """Pairs of records whose energy tables interleave as one record of twice the energies.

    Where an instrument alternates between two tables, a record with the lower and the next one
    with the higher table make one, at the mean of their times (E32 -> E64). Which two are a pair
    follows from their tables alone (E_k < E'_k < E_k+1), never from flags or counting. Azimuths
    that turned between the two are matched bin to nearest bin, around the circle; the result has
    the means of both.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6], energy
        (time, energy_bin). With one table for all records there are no pairs, and no records.
    apart : str
        The longest time between the two of a pair.

    Returns
    -------
    Dataset
        A VDF with energy ascending, its edges geometric; quality has the flags of both.

    References
    ----------
    Pollock, C. et al. (2016), Space Sci. Rev. 199, 331, doi:10.1007/s11214-016-0245-4: FPI
    alternates its energies in burst mode.
    """
    view = distributions(vdf)
    energy = np.broadcast_to(view.energy, (view.f.shape[0], view.energy.shape[1]))
    order = np.argsort(energy, axis=1, kind="stable")
    table = np.take_along_axis(energy, order, axis=1)
    time = vdf["time"].values.astype("datetime64[ns]").astype(np.int64)
    one, other = table[:-1], table[1:]
    pair = (other > one).all(axis=1) & (other[:, :-1] < one[:, 1:]).all(axis=1)
    first = np.flatnonzero(pair & (np.diff(time) <= duration(apart)))
    second = first + 1
    merged = np.empty((first.size, 2 * table.shape[1]))
    merged[:, 0::2], merged[:, 1::2] = table[first], table[second]
    base = vdf.isel(time=first)
    turn = _turns(vdf, first, second)
    phis, n = (1, 0) if turn is None else (vdf.sizes["phi_bin"], vdf["f"].ndim - 2)
    grid = np.take_along_axis
    f = np.empty((first.size, view.f.shape[1], merged.shape[1]), np.float32)
    for i, (a, c) in enumerate(zip(first, second, strict=True)):
        f[i, :, 0::2] = grid(view.f[a], order[a][None], axis=1)
        late = grid(view.f[c], order[c][None], axis=1)
        if turn is not None:
            late = np.roll(late.reshape(phis, -1, late.shape[-1]), -turn[i], axis=0)
        f[i, :, 1::2] = late.reshape(f.shape[1], -1)
    if turn is not None and n:
        base = _mean_azimuths(base, vdf, second, turn)
    middle = time[first] + (time[second] - time[first]) // 2
    base = base.assign_coords(time=middle.astype("datetime64[ns]"))
    if "quality" in vdf:
        both = vdf["quality"].values[first] | vdf["quality"].values[second]
        base["quality"] = ("time", both, dict(vdf["quality"].attrs))
    lower, upper = geometric_edges(merged)
    return _on_table(base, f, merged, lower, upper)


def _turns(vdf: xr.Dataset, first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """By how many bins azimuths of second records are ahead, None where they stand still."""
    phi = vdf["phi"]
    if phi.dims != ("time", "phi_bin"):
        return None
    values = phi.values.astype(np.float64)
    gap = np.abs((values[second] - values[first][:, :1] + 180.0) % 360.0 - 180.0)
    return np.argmin(gap, axis=1) if first.size else np.zeros(0, int)


def _mean_azimuths(
    base: xr.Dataset, vdf: xr.Dataset, second: np.ndarray, turn: np.ndarray
) -> xr.Dataset:
    phi = vdf["phi"].values.astype(np.float64)
    rows = (np.arange(phi.shape[1]) + turn[:, None]) % phi.shape[1]
    late = np.take_along_axis(phi[second], rows, axis=1)
    early = base["phi"].values.astype(np.float64)
    mean = (early + 0.5 * ((late - early + 180.0) % 360.0 - 180.0)) % 360.0
    return base.assign(phi=(base["phi"].dims, mean.astype(np.float32), dict(base["phi"].attrs)))


def _on_table(
    vdf: xr.Dataset, f: np.ndarray, energy: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> xr.Dataset:
    """Return a VDF with f (time, direction, energy) and another table of energies [eV]."""
    dims = vdf["f"].dims
    shape = (*(vdf.sizes[d] for d in dims[:-1]), energy.shape[-1])
    out = vdf.drop_vars(["f", *(n for n in _OLD if n in vdf)])
    out["f"] = (dims, f.reshape(shape), dict(vdf["f"].attrs))
    where = ("time", "energy_bin")[-energy.ndim :]
    tables = (
        ("energy", energy, "energy"),
        ("energy_lower", lower, "lower edge of the energy bin"),
        ("energy_upper", upper, "upper edge of the energy bin"),
    )
    for name, values, words in tables:
        about = {"units": "eV", "long_name": f"{vdf.attrs['species']} {words}"}
        out[name] = (where, np.asarray(values), about)
    # Energies are those of particles now, whatever the table of the instrument was.
    return out.assign_attrs(energy_kind="energy")
