"""Reduced distributions along any axis and in three planes."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Moments, Reduced1D, Reduced2D, ScalarSeries, VectorSeries
from ..kernels.reduced import add_lines, add_planes, smooth_planes
from ..model import Margin, recipe
from .moments import POTENTIAL_REACH
from .rays import field_directions, require_same_frame
from .vdf import distributions
from .velocity import (
    FRAME_AXES,
    Pieces,
    Sky,
    Table,
    axes_of,
    blocks,
    bulk_velocity,
    drift_along,
    origin,
    pieces,
    some,
    tables,
    unit,
)
from .velocity_grids import cells, check_grid, dataset, outside_of, ratio

LINE_PARTS = 3
"""Rays per direction along either angle."""

LEVELS: tuple[tuple[float, int, tuple[int, ...]], ...] = (
    (0.0, 1, ()),
    (0.5, 2, ()),
    (1.5, 2, (1, 4, 1)),
    (3.0, 2, (1, 1, 1)),
    (10.0, 2, (1,) * 5),
    (20.0, 2, (1,) * 9),
)
"""How bins of energy are laid onto planes: from how many cells across a bin on, into how many rays
along either angle, and how these are spread over neighbouring cells then, beside what the levels
before it spread. Pieces are never farther apart than they are spread."""


@recipe(gives=Reduced1D, version=2)
def reduced_1d(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    bulk: Annotated[Moments | None, Margin("accumulation")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    axis: tuple = (1.0, 0.0, 0.0),
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Reduced F along b or a fixed axis (time, v) [s m^-4], with what lies outside the grid.

        F(w) = integral of f delta(w - (v - V).e) d3v

    Deterministic. Each direction is three by three rays over its width, each bin of energy the
    shell between its edges with f constant in it: the sum of F dv and what lies outside is the
    density of `moments` to 1e-5. As f is constant in bins, F is wider than that of the plasma by
    the variance inside them (about 2 % of T in a magnetosheath).

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution: the axis is its
        direction, averaged over the accumulation; without a sample there the nearest one within
        reach counts.
    bulk : Moments, optional
        Their velocity is V, zero otherwise: that of the record nearest to the distribution within
        half an accumulation, in the frame of the distribution.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V]: energies become E + qV, as in `moments`.
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
        f (time, v) [s m^-4], v [km/s] the centres of the cells along the axis, from the spacecraft
        or V (attribute `origin`); outside (time): part of the density beyond the grid; coverage
        (time) as in `moments`; quality as in the VDF. NaN where nothing was measured, and where b
        is zero or b, V or the potential unknown (coverage 0).

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent or an axis without length.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5. Shares of cells: `kernels.reduced`.
    """
    check_grid(v_max, bins)
    view, times = distributions(vdf), vdf.sizes["time"]
    if b is None:
        along, name = np.tile(unit(axis, "axis"), (times, 1)), "{:g} {:g} {:g}".format(*axis)
    else:
        require_same_frame(str(vdf.attrs["frame"]), b)
        along, name = field_directions(b, vdf["time"].values, accumulation, reach), "b"
    velocity = None if bulk is None else bulk_velocity(vdf, bulk, accumulation)
    drift = drift_along(along[:, None], velocity)[:, 0]
    edges = np.linspace(-1e-3 * v_max, 1e-3 * v_max, bins + 1)
    density, coverage = np.zeros((times, bins + 2)), np.zeros(times)
    sky = Sky.of(vdf)
    found, known = tables(vdf, view, sc_pot)
    for table in found:
        for rows, at in blocks(table.rows):
            f, coverage[rows] = sky.clean(view, rows, some(table.share, at))
            part = np.zeros((rows.size, bins + 2))
            for chosen, looks in sky.rays(LINE_PARTS):
                shells = (
                    np.ascontiguousarray(some(v, at)[:, chosen]) for v in (table.slow, table.fast)
                )
                add_lines(
                    np.ascontiguousarray(f[..., chosen]), along[rows], drift[rows],
                    *sky.vectors(looks, rows), *shells, edges, part,
                )  # fmt: skip
            density[rows] = part
    nowhere = ~(known & np.isfinite(along[:, 0] + drift))
    coverage[nowhere] = 0
    density[coverage == 0] = np.nan
    outside = ratio(density[:, 0] + density[:, -1], density.sum(axis=1))
    about = {
        "units": "s m^-4",
        "long_name": f"{vdf.attrs['species']} distribution of one component of velocity",
    }
    f1 = (density[:, 1:-1] * (1e3 * bins / (2 * v_max))).astype(np.float32)
    return dataset(
        vdf,
        sc_pot,
        {"f": (("time", "v"), f1, about), "outside": outside_of(("time",), outside)},
        coverage,
        {"v": cells("v", v_max, bins, f"velocity along {name}")},
        {"axis": name, **origin(bulk)},
    )


@recipe(gives=Reduced2D, version=2)
def reduced_2d(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    bulk: Annotated[Moments | None, Margin("accumulation")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    basis: tuple = FRAME_AXES,
    axes: str = "x y z",
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Reduced F in three planes (time, plane, v1, v2) [s^2 m^-5], with the part outside the grid.

        F(w1, w2) = integral of f delta(w1 - (v - V).e1) delta(w2 - (v - V).e2) d3v

    in one deterministic pass. Each bin is cut into rays over its width and shells of equal volume,
    staggered from ray to ray; every piece goes into one cell, and pieces that are farther apart
    than cells are spread over their neighbours, so that cells finer than the bins of the
    instrument are filled evenly. The sum over the grid and what lies outside is the density of
    `moments` to 1e-4. For a magnetosheath in cells of 50 km/s F is right to 0.5 % of its peak
    (rms) and 15 % of it in the worst cell, and wider by 2 to 3 % of T.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out.
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution. With it the axes
        are par = b, perp2 along b x V, perp1 = perp2 x b (V that of `bulk`, without it the bulk
        velocity of the whole distribution); without it those of `basis`.
    bulk : Moments, optional
        Their velocity is V, and velocities are relative to it; otherwise to the spacecraft. That
        of the record nearest to the distribution within half an accumulation counts.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V]: energies become E + qV, as in `moments`.
    basis : tuple of nine numbers
        Without b: three axes at right angles, one after the other, in the frame of the
        distribution; by default its own. L, M and N of a boundary, for example.
    axes : str
        Names of these three axes, with spaces.
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
        y_z; v1 and v2 [km/s] along the first and second axis of the plane's name, from the
        spacecraft or V (attribute `origin`); outside (time, plane): part of the density beyond
        the grid; coverage (time) as in `moments`; quality as in the VDF. NaN where nothing was
        measured, and where the axes are undefined or V or the potential unknown (coverage 0).

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent, or axes that are not at right angles.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    check_grid(v_max, bins)
    view, times = distributions(vdf), vdf.sizes["time"]
    look = axes_of(
        vdf, b, bulk, sc_pot, basis=basis, axes=axes, accumulation=accumulation, reach=reach
    )
    step, wide = 2e-3 * v_max / bins, bins + 2
    f2 = np.empty((times, 3, bins, bins), np.float32)
    outside, coverage = np.empty((times, 3)), np.zeros(times)
    scale = np.float32((bins / (2 * v_max)) ** 2)
    sky = Sky.of(vdf)
    found, known = tables(vdf, view, sc_pot)
    for table in found:
        levels = _levels(table, step, bins)
        for rows, at in blocks(table.rows):
            f, coverage[rows] = sky.clean(view, rows, some(table.share, at))
            density = np.zeros((rows.size, 3, wide, wide), np.float32)
            for level in levels:
                for chosen, looks in sky.rays(level.parts):
                    add_planes(
                        f, look.basis[rows], look.drift[rows], *sky.vectors(looks, rows),
                        *level.of(chosen, at), step, density,
                    )  # fmt: skip
                if level.spread.size:
                    smooth_planes(density, level.spread)
            outside[rows] = ratio(_border(density), density.sum(axis=(2, 3)))
            for row, planes in zip(rows, density[:, :, 1:-1, 1:-1], strict=True):
                np.multiply(planes, scale, out=f2[row])
    defined = np.isfinite(look.basis.sum(axis=(1, 2)) + look.drift.sum(axis=1))
    coverage[~(known & defined)] = 0
    f2[coverage == 0], outside[coverage == 0] = np.nan, np.nan
    about = {
        "units": "s^2 m^-5",
        "long_name": f"{vdf.attrs['species']} distribution of two components of velocity",
    }
    return dataset(
        vdf,
        sc_pot,
        {
            "f": (("time", "plane", "v1", "v2"), f2, about),
            "outside": outside_of(("time", "plane"), outside),
        },
        coverage,
        {
            "plane": look.planes,
            "v1": cells("v1", v_max, bins, "velocity along the first axis of the plane"),
            "v2": cells("v2", v_max, bins, "velocity along the second axis of the plane"),
        },
        look.about,
    )


def _levels(table: Table, step: float, bins: int) -> list[Pieces]:
    """Pieces of all bins of energy, those first that are to be spread farthest."""
    across, used = table.across / step, np.flatnonzero(table.width > 0)
    ends = [*(start for start, _, _ in LEVELS[1:]), np.inf]
    found: list[Pieces] = []
    for (start, parts, spread), stop in reversed(list(zip(LEVELS, ends, strict=True))):
        which = used[(across[used] >= start) & (across[used] < stop)]
        counts = np.ceil(table.width[which] / step / max(len(spread) - 1, 1)).astype(int)
        if which.size or found:
            found.append(pieces(table, which, counts, parts, spread if bins > len(spread) else ()))
    return found


def _border(density: np.ndarray) -> np.ndarray:
    """Sum of the border cells of planes (time, plane)."""
    rows, columns = density[:, :, [0, -1]], density[:, :, 1:-1, [0, -1]]
    return np.asarray(rows.sum(axis=(2, 3)) + columns.sum(axis=(2, 3)))
