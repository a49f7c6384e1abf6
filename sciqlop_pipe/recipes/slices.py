"""Slices: the distribution itself in three planes of velocity, of a thickness that is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Moments, ScalarSeries, Slices, VectorSeries
from ..errors import UsageError
from ..kernels.slices import sample_between, sample_bins
from ..model import Margin, recipe
from .moments import POTENTIAL_REACH
from .skymap import between, fastest_of, skymap, speed_bins, speed_levels
from .vdf import distributions
from .velocity import FRAME_AXES, Axes, Sky, Table, axes_of, blocks, of_records, some, tables
from .velocity_grids import cells, check_grid, dataset

DEPTHS = 7
"""Where f is sampled across the thickness of a slice, evenly."""

TURNS = ((0, 1, 2), (0, 2, 1), (1, 2, 0))
"""First and second axis of each plane, and the one across it."""


@recipe(gives=Slices, version=1)
def slices(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    bulk: Annotated[Moments | None, Margin("accumulation")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    half_thickness: float = 0.0,
    half_angle: float = 0.0,
    basis: tuple = FRAME_AXES,
    axes: str = "x y z",
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """The distribution f in three planes (time, plane, v1, v2) [s^3 m^-6], in measured bins.

        f(w1, w2) = mean of f(w1 e1 + w2 e2 + w3 e3 + V) over w3 in [-h, h],
        h = half_thickness + tan(half_angle) sqrt(w1^2 + w2^2)

    Every cell shows the bin that its centre lies in, or the mean of those at seven depths across
    a thickness. An angle is taken about the origin in all directions of the plane: the slice is
    nowhere thinner than said but at the origin itself. Cells show what was measured, bins at their
    full widths; nothing is interpolated (see `slices_between`) and nothing is summed, so that
    densities are those of `reduced_2d`.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
        Where it has `first_energy`, lower energies are left out. In a list of directions, and
        where an azimuth depends on the colatitude or energy, a cell shows the nearest direction.
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution. With it the axes
        are par = b, perp2 along b x V, perp1 = perp2 x b, as in `reduced_2d`.
    bulk : Moments, optional
        Their velocity is V, the origin of the planes; zero otherwise. That of the record nearest
        to the distribution within half an accumulation counts.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V]: energies become E + qV, as in `moments`.
    half_thickness : float
        [km/s].
    half_angle : float
        [deg], below 90; adds to the former.
    basis, axes : tuple of nine numbers, str
        Without b: three axes at right angles in the frame of the distribution, and their names.
    v_max : float
        The grid is `bins` equal cells from -v_max to v_max [km/s] along both axes.
    bins : int
        Number of cells along an axis.
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        f (time, plane, v1, v2) [s^3 m^-6], NaN where nothing was measured; planes perp1_perp2,
        perp1_par, perp2_par, or x_y, x_z, y_z; v1 and v2 [km/s] along the first and second axis of
        the plane's name, from the spacecraft or V (attribute `origin`); coverage (time) of the
        whole distribution as in `moments`; quality as in the VDF.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent, a negative thickness, axes that are not at right angles.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5. The thickness of slices that are summed by
    turning about their x axis vanishes along it (github.com/spedas/pyspedas/issues/1018).
    """
    look = axes_of(
        vdf, b, bulk, sc_pot, basis=basis, axes=axes, accumulation=accumulation, reach=reach
    )
    sky = skymap(vdf)

    def filler(table: Table, fastest: float) -> Callable[[np.ndarray, np.ndarray], tuple]:
        radii = speed_bins(table, fastest)
        return lambda rows, at: (*sky.of(rows), some(radii, at), fastest)

    return _slices(
        vdf, sc_pot, look, sample_bins, filler, v_max, bins, half_thickness, half_angle, "bins"
    )


@recipe(gives=Slices, version=1)
def slices_between(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    bulk: Annotated[Moments | None, Margin("accumulation")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    half_thickness: float = 0.0,
    half_angle: float = 0.0,
    basis: tuple = FRAME_AXES,
    axes: str = "x y z",
    v_max: float = 2500.0,
    bins: int = 100,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """The distribution f in three planes (time, plane, v1, v2) [s^3 m^-6], between bins.

    As `slices`, but f at a point is interpolated linearly in azimuth, colatitude and ln v between
    the centres of the bins around it; in a list of directions between the four nearest, with
    Franke and Little's weights. Nothing is extrapolated: a point that lies in no measured bin has
    no value, and neighbours that were not measured leave their weight to the others.

    Parameters
    ----------
    vdf, b, bulk, sc_pot, half_thickness, half_angle, basis, axes, v_max, bins, accumulation, reach
        As in `slices`.

    Returns
    -------
    Dataset
        As `slices`.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without extent, a negative thickness, axes that are not at right angles.

    References
    ----------
    Franke, R. (1982), Math. Comp. 38, 181-200.
    """
    look = axes_of(
        vdf, b, bulk, sc_pot, basis=basis, axes=axes, accumulation=accumulation, reach=reach
    )
    sky, gaps = skymap(vdf), between(vdf)

    def filler(table: Table, fastest: float) -> Callable[[np.ndarray, np.ndarray], tuple]:
        radii, levels = speed_bins(table, fastest), speed_levels(table, fastest)
        return lambda rows, at: (
            *sky.of(rows), some(radii, at), fastest, some(levels, at), *gaps.of(rows)
        )  # fmt: skip

    return _slices(
        vdf, sc_pot, look, sample_between, filler, v_max, bins, half_thickness, half_angle, "linear"
    )


def _slices(
    vdf: xr.Dataset,
    sc_pot: xr.Dataset | None,
    look: Axes,
    sample: Callable[..., None],
    filler: Callable[[Table, float], Callable[[np.ndarray, np.ndarray], tuple]],
    v_max: float,
    bins: int,
    half_thickness: float,
    half_angle: float,
    values: str,
) -> xr.Dataset:
    check_grid(v_max, bins)
    depths = _depths(half_thickness, half_angle)
    view, times = distributions(vdf), vdf.sizes["time"]
    f2 = np.full((times, 3, bins, bins), np.nan, np.float32)
    coverage = np.zeros(times)
    at_cells = 1e-3 * np.asarray(cells("v", v_max, bins, "")[1])
    sky = Sky.of(vdf)
    found, known = tables(vdf, view, sc_pot)
    for table in found:
        known_tables = filler(table, fastest_of([table]))
        for rows, at in blocks(table.rows):
            f = of_records(view, rows)
            _, coverage[rows] = sky.clean(view, rows, some(table.share, at))
            mine = known_tables(rows, at)
            out = np.empty((rows.size, bins, bins), np.float32)
            for plane, turn in enumerate(TURNS):
                basis = np.ascontiguousarray(look.basis[rows][:, turn])
                drift = np.ascontiguousarray(look.drift[rows][:, turn])
                sample(f, basis, drift, at_cells, at_cells, depths, *mine, out)
                f2[rows, plane] = out
    defined = np.isfinite(look.basis.sum(axis=(1, 2)) + look.drift.sum(axis=1))
    coverage[~(known & defined)] = 0
    f2[coverage == 0] = np.nan
    about = {"units": "s^3 m^-6", "long_name": f"{vdf.attrs['species']} distribution in a slice"}
    return dataset(
        vdf,
        sc_pot,
        {"f": (("time", "plane", "v1", "v2"), f2, about)},
        coverage,
        {
            "plane": look.planes,
            "v1": cells("v1", v_max, bins, "velocity along the first axis of the plane"),
            "v2": cells("v2", v_max, bins, "velocity along the second axis of the plane"),
        },
        look.about
        | {
            "values": values,
            "half_thickness": f"{half_thickness:g} km/s",
            "half_angle": f"{half_angle:g} deg",
        },
    )


def _depths(half_thickness: float, half_angle: float) -> np.ndarray:
    """Offsets [Mm/s] and slopes of the depths at which f is sampled, (depth, 2)."""
    if not (0 <= half_thickness < np.inf and 0 <= half_angle < 90):
        raise UsageError(
            f"a slice of {half_thickness:g} km/s and {half_angle:g} degrees to either side",
            "half_thickness, half_angle",
            "Neither may be negative, angles are below 90",
        )
    if half_thickness == half_angle == 0:
        return np.zeros((1, 2))
    part = (2 * np.arange(DEPTHS) + 1) / DEPTHS - 1
    slope = np.tan(np.radians(half_angle))
    return np.stack([part * 1e-3 * half_thickness, part * slope], axis=1)
