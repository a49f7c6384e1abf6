"""Reduced distributions along any axis and in three planes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Reduced1D, Reduced2D, VectorSeries
from ..errors import UsageError
from ..kernels.energies import speed_weights
from ..kernels.reduced import (
    projection,
    reduce_1d_of_grid,
    reduce_1d_of_list,
    reduce_2d,
    shells_of,
    speeds,
)
from ..model import Margin, recipe
from .field_aligned import field_aligned_basis
from .moments import moments
from .rays import field_directions, rays, require_same_frame
from .vdf import Distributions, distinct, distributions, energy_edges

LINE_PARTS, PLANE_PARTS = 3, 2
"""Rays per direction along either angle; nine in the planes would halve their pattern and double
their time."""

PLANES = (("perp1", "perp2"), ("perp1", "par"), ("perp2", "par"))


@recipe(gives=Reduced1D, version=1)
def reduced_1d(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    *,
    axis: tuple = (1.0, 0.0, 0.0),
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Reduced F along b or a fixed axis (time, v) [s m^-4], with what lies outside the grid.

        F(w) = integral of f delta(w - v.e) d3v

    Deterministic. Each direction is three by three rays over its width, each bin of energy the
    shell between its edges with f constant in it: the sum of F dv and what lies outside is the
    density of `moments` to 1e-5. As f is constant in bins, F is wider than that of the plasma by
    the variance inside them (about 2 % of T in a magnetosheath). No potential is applied.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution: the axis is its
        direction, averaged over the accumulation; without a sample there the nearest one within
        reach counts.
    axis : tuple of three numbers
        Without b: the axis in the frame of the distribution, of any length.
    v_max : float
        The grid is `bins` equal cells from -v_max to v_max [km/s].
    bins : int
        Number of cells.
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        f (time, v) [s m^-4], v [km/s] the centres of the cells in the frame of the distribution;
        outside (time): part of the density beyond the grid; coverage (time) as in `moments`;
        quality as in the VDF. NaN where nothing was measured or b is zero or unknown (coverage 0).

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent or an axis without length.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5. Share of a shell below a velocity:
    `kernels.reduced.projection`.
    """
    _check_grid(v_max, bins)
    view, times = distributions(vdf), vdf.sizes["time"]
    if b is None:
        along, name = np.tile(_unit(axis), (times, 1)), "{:g} {:g} {:g}".format(*axis)
    else:
        require_same_frame(str(vdf.attrs["frame"]), b)
        along, name = field_directions(b, vdf["time"].values, accumulation, reach), "b"
    edges = np.linspace(-1e-3 * v_max, 1e-3 * v_max, bins + 1)
    density = np.full((times, bins + 2), np.nan)
    coverage = np.zeros(times)
    for chosen, looks in rays(vdf, LINE_PARTS):
        kernel = reduce_1d_of_grid if looks.separable else reduce_1d_of_list
        for at, slow, fast, share in _tables(vdf, view, chosen):
            line = (*projection(slow, fast, edges), bins + 2)
            for block in _runs(at):
                f = np.ascontiguousarray(view.values(block)[..., chosen])
                known = *looks.geometry(block), looks.parts, looks.weights(block)
                found, seen = kernel(f, along[block], *known, share, line)
                density[block] = np.where(
                    (coverage[block] > 0)[:, None] & (seen > 0)[:, None],
                    density[block] + found, np.where((seen > 0)[:, None], found, density[block]),
                )  # fmt: skip
                coverage[block] += seen
    total = density.sum(axis=1)
    outside = _ratio(density[:, 0] + density[:, -1], total)
    width = 2 * v_max / bins
    variables = _variables(
        vdf,
        ("time", "v"),
        density[:, 1:-1] * (1e3 / width),
        "s m^-4",
        "distribution of one component of velocity",
        ("time",),
        outside,
        coverage,
    )
    coords = {"time": vdf["time"], "v": _axis("v", v_max, bins, f"velocity along {name}")}
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")} | {"axis": name}
    return xr.Dataset(variables, coords, attrs)


@recipe(gives=Reduced2D, version=1)
def reduced_2d(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    *,
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Reduced F in three planes (time, plane, v1, v2) [s^2 m^-5], with the part outside the grid.

        F(w1, w2) = integral of f delta(w1 - v.e1) delta(w2 - v.e2) d3v

    in one deterministic pass. Each bin is two by two rays over its width and up to four shells of
    equal volume, staggered from ray to ray, and every piece goes into one cell: the sum over the
    grid and what lies outside is the density of `moments` to 1e-4. Cells finer than the bins of
    the instrument show their pattern: 0.6 % of the peak (rms), up to 16 % in single cells, for a
    magnetosheath in 50 km/s cells. No potential is applied, the bulk velocity is not subtracted.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution. With it the axes
        are par = b, perp2 along b x V, perp1 = perp2 x b (V the bulk velocity of the whole
        distribution); without it those of the frame.
    v_max : float
        The grid is `bins` equal cells from -v_max to v_max [km/s] along both axes.
    bins : int
        Number of cells along an axis.
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        f (time, plane, v1, v2) [s^2 m^-5]; planes perp1_perp2, perp1_par, perp2_par, or x_y, x_z,
        y_z; v1 and v2 [km/s] along the first and second axis of the plane's name; outside (time,
        plane): part of the density beyond the grid; coverage (time) as in `moments`; quality as
        in the VDF. NaN where nothing was measured or the axes are undefined (coverage 0).

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    _check_grid(v_max, bins)
    view, times = distributions(vdf), vdf.sizes["time"]
    if b is None:
        basis, planes = np.tile(np.eye(3), (times, 1, 1)), ["x_y", "x_z", "y_z"]
    else:
        require_same_frame(str(vdf.attrs["frame"]), b)
        along = field_directions(b, vdf["time"].values, accumulation, reach)
        velocity = np.asarray(moments(vdf)["velocity"].values, np.float64)
        basis, planes = field_aligned_basis(along, velocity), ["_".join(p) for p in PLANES]
    step = 2e-3 * v_max / bins
    shape = (times, 3, bins, bins)
    f2, outside = np.full(shape, np.nan, np.float32), np.full((times, 3), np.nan)
    total, coverage = np.zeros((times, 3)), np.zeros(times)
    scale = np.float32((2 * v_max / bins) ** -2)
    for chosen, looks in rays(vdf, PLANE_PARTS):
        for at, slow, fast, share in _tables(vdf, view, chosen):
            shells = shells_of(slow, fast, step, looks.parts)
            for block in _runs(at):
                f = np.ascontiguousarray(view.values(block)[..., chosen])
                known = looks.directions(block), looks.parts, looks.weights(block), share
                found, seen = reduce_2d(f, basis[block], *known, *shells, bins, step)
                some = seen > 0
                inside = found[some, :, 1:-1, 1:-1]
                every = found[some].sum(axis=(2, 3), dtype=np.float64)
                beyond = every - inside.sum(axis=(2, 3), dtype=np.float64)
                rows = np.arange(times)[block][some]
                fresh = coverage[rows] == 0
                f2[rows[fresh]], outside[rows[fresh]] = 0, 0
                f2[rows] += inside * scale
                outside[rows] += beyond
                total[rows] += every
                coverage[block] += seen
    variables = _variables(
        vdf,
        ("time", "plane", "v1", "v2"),
        f2,
        "s^2 m^-5",
        "distribution of two components of velocity",
        ("time", "plane"),
        _ratio(outside, total),
        coverage,
    )
    coords = {
        "time": vdf["time"],
        "plane": planes,
        "v1": _axis("v1", v_max, bins, "velocity along the first axis of the plane"),
        "v2": _axis("v2", v_max, bins, "velocity along the second axis of the plane"),
    }
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, coords, attrs | {"basis": "frame" if b is None else "FAC"})


def _tables(
    vdf: xr.Dataset, view: Distributions, chosen: slice
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield records of one energy table, its edges as speeds [Mm/s], its shares of ln E."""
    edges = energy_edges(vdf)
    use = view.selected(0.0, np.inf)
    kind, (lower, upper, used) = distinct(view.f.shape[0], edges.lower, edges.upper, use)
    used = used.astype(bool)
    _, share = speed_weights(lower, upper, np.zeros(lower.shape[0]), used, view.mass)
    for k in range(lower.shape[0] if kind.size else 0):
        slow, fast = (
            np.where(used[k], speeds(e[k], view.mass), np.nan)[chosen] for e in (lower, upper)
        )
        yield np.flatnonzero(kind == k), slow, fast, np.ascontiguousarray(share[k, chosen])


def _runs(at: np.ndarray, size: int = 32) -> Iterator[slice]:
    """Yield runs of consecutive records, a few at a time."""
    breaks = np.flatnonzero(np.diff(at) > 1) + 1
    for run in np.split(at, breaks) if at.size else ():
        for start in range(int(run[0]), int(run[-1]) + 1, size):
            yield slice(start, min(start + size, int(run[-1]) + 1))


def _check_grid(v_max: float, bins: int) -> None:
    if bins < 1 or not v_max > 0:
        raise UsageError(
            f"a grid of {bins} cells up to {v_max:g} km/s", "bins, v_max", "Both must be positive"
        )


def _unit(axis: tuple) -> np.ndarray:
    vector = np.asarray(axis, np.float64)
    length = np.linalg.norm(vector)
    if vector.shape != (3,) or not 0 < length < np.inf:
        raise UsageError(f"{axis} is no direction", "axis", "Take three numbers, not all zero")
    return vector / length


def _ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Part of the total, 0 where that is zero, NaN where it is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total == 0, part, part / total)


def _axis(name: str, v_max: float, bins: int, words: str) -> tuple:
    edges = np.linspace(-v_max, v_max, bins + 1)
    return name, 0.5 * (edges[1:] + edges[:-1]), {"units": "km s^-1", "long_name": words}


def _variables(
    vdf: xr.Dataset,
    dims: tuple[str, ...],
    f: np.ndarray,
    units: str,
    words: str,
    out: tuple[str, ...],
    outside: np.ndarray,
    coverage: np.ndarray,
) -> dict[str, object]:
    about = {"units": units, "long_name": f"{vdf.attrs['species']} {words}"}
    lost = {"units": "1", "long_name": "part of the density outside the grid"}
    seen = {"units": "1", "long_name": "measured part of the sphere and of ln E"}
    variables: dict[str, object] = {
        "f": (dims, f.astype(np.float32), about),
        "outside": (out, outside.astype(np.float32), lost),
        "coverage": (("time",), coverage.astype(np.float32), seen),
    }
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    return variables
