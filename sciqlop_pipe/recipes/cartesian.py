"""The distribution on a cube of velocity."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Cartesian, Moments, ScalarSeries, VectorSeries
from ..kernels.cubes import add_cube
from ..kernels.slices import sample_bins
from ..model import Margin, recipe
from .moments import POTENTIAL_REACH
from .skymap import fastest_of, skymap, speed_bins
from .vdf import distributions
from .velocity import (
    FRAME_AXES,
    Pieces,
    Sky,
    Table,
    axes_of,
    blocks,
    of_records,
    pieces,
    some,
    tables,
)
from .velocity_grids import cells, check_grid, dataset, outside_of, ratio

FINEST = 6
"""Rays per direction along either angle, and shells per bin of energy, at most."""


@recipe(gives=Cartesian, version=1)
def cartesian(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    bulk: Annotated[Moments | None, Margin("accumulation")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    basis: tuple = FRAME_AXES,
    axes: str = "x y z",
    v_max: float = 2500.0,
    bins: int = 64,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """The distribution f on a cube (time, v1, v2, v3) [s^3 m^-6], conserving particles.

    A conserving deposit, no interpolation: every bin is cut into pieces about as large as a cell
    (up to 6 x 6 rays and 6 shells of equal volume), and each piece is a cloud of the size of a
    cell, shared out to the eight cells that it covers. The sum of f dv3 over the grid and what lies
    outside is the density of `moments` to 1e-4; clouds make f wider by a sixth of a cell squared
    along each axis.

    Parameters
    ----------
    vdf, b, bulk, sc_pot, basis, axes, accumulation, reach
        As in `reduced_2d`.
    v_max : float
        The grid is `bins` equal cells from -v_max to v_max [km/s] along the three axes.
    bins : int
        Number of cells along an axis.

    Returns
    -------
    Dataset
        f (time, v1, v2, v3) [s^3 m^-6] along perp1, perp2, par or the axes of `basis` (names in
        the attribute `axes`), [km/s] from the spacecraft or V (attribute `origin`); outside
        (time): part of the density beyond the grid; coverage (time) as in `moments`; quality as in
        the VDF. f is NaN in cells whose centre lies in no measured bin and that no particle of a
        measured one reaches.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent, or axes that are not at right angles.

    References
    ----------
    Hockney, R. W. and Eastwood, J. W. (1988), Computer Simulation Using Particles, chapter 5:
    cloud in cell.
    """
    check_grid(v_max, bins)
    view, times = distributions(vdf), vdf.sizes["time"]
    look = axes_of(
        vdf, b, bulk, sc_pot, basis=basis, axes=axes, accumulation=accumulation, reach=reach
    )
    step, wide = 2e-3 * v_max / bins, bins + 2
    f3 = np.empty((times, bins, bins, bins), np.float32)
    outside, coverage = np.empty(times), np.zeros(times)
    scale = np.float32(1e-12 / step**3)
    sky, where = Sky.of(vdf), skymap(vdf)
    found, known = tables(vdf, view, sc_pot)
    for table in found:
        levels, fastest = _levels(table, step), fastest_of([table])
        radii = speed_bins(table, fastest)
        for rows, at in blocks(table.rows, 4):
            f, coverage[rows] = sky.clean(view, rows, some(table.share, at))
            density = np.zeros((rows.size, wide, wide, wide), np.float32)
            for level in levels:
                for chosen, looks in sky.rays(level.parts):
                    add_cube(
                        f, look.basis[rows], look.drift[rows], *sky.vectors(looks, rows),
                        *level.of(chosen, at), step, density,
                    )  # fmt: skip
            inside = density[:, 1:-1, 1:-1, 1:-1]
            within = inside.sum(axis=(1, 2, 3), dtype=np.float64)
            total = density.sum(axis=(1, 2, 3), dtype=np.float64)
            outside[rows] = ratio(np.maximum(total - within, 0.0), total)
            holes = _holes(
                of_records(view, rows), look.basis[rows], look.drift[rows], 0.5 * step * bins, bins,
                (*where.of(rows), some(radii, at), fastest),
            )  # fmt: skip
            for row, cube, hole in zip(rows, inside, holes, strict=True):
                f3[row] = np.where(hole & (cube == 0), np.float32(np.nan), cube * scale)
    defined = np.isfinite(look.basis.sum(axis=(1, 2)) + look.drift.sum(axis=1))
    coverage[~(known & defined)] = 0
    f3[coverage == 0], outside[coverage == 0] = np.nan, np.nan
    about = {"units": "s^3 m^-6", "long_name": f"{vdf.attrs['species']} distribution"}
    return dataset(
        vdf,
        sc_pot,
        {
            "f": (("time", "v1", "v2", "v3"), f3, about),
            "outside": outside_of(("time",), outside),
        },
        coverage,
        {
            f"v{i + 1}": cells(f"v{i + 1}", v_max, bins, f"velocity along {name}")
            for i, name in enumerate(look.names)
        },
        look.about | {"axes": " ".join(look.names)},
    )


def _levels(table: Table, step: float) -> list[Pieces]:
    """Bins of energy by how finely they are cut: pieces about as large as a cell."""
    used = np.flatnonzero(table.width > 0)
    parts = np.clip(np.ceil(table.across[used] / step), 1, FINEST).astype(int)
    counts = np.clip(np.ceil(table.width[used] / step), 1, FINEST).astype(int)
    return [pieces(table, used[parts == p], counts[parts == p], int(p)) for p in np.unique(parts)]


def _holes(
    f: np.ndarray, basis: np.ndarray, drift: np.ndarray, half: float, bins: int, where: tuple
) -> np.ndarray:
    """Tell which cells have their centre in no measured bin, bool (time, v1, v2, v3)."""
    at = np.asarray(cells("v", half, bins, "")[1])
    out = np.empty((f.shape[0], bins, bins), np.float32)
    holes = np.empty((f.shape[0], bins, bins, bins), bool)
    for k, depth in enumerate(at):
        sample_bins(f, basis, drift, at, at, np.array([[depth, 0.0]]), *where, out)
        holes[..., k] = np.isnan(out)
    return holes
