"""Moments of a part of velocity space: a range of energies in a cone of directions."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, Moments, ScalarSeries, VectorSeries
from ..errors import UsageError
from ..model import Margin, recipe
from .moments import POTENTIAL_REACH, MomentsWork
from .rays import field_directions, rays, require_same_frame


@recipe(gives=Moments, version=2)
def partial_moments(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
    angle_min: float = 0.0,
    angle_max: float = 180.0,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Density [cm^-3], V [km/s], P [nPa], T [eV], Q [mW m^-2] of a cone of pitch angles, in time.

    The sums of `moments` over the bins whose centre lies in the range of energies and whose
    direction makes an angle in [angle_min, angle_max) with the magnetic field; 180 degrees belong
    to the last range. Densities of ranges that share out the sphere add up to the density of all of
    it. Whole bins belong to a cone or not: its edges are as sharp as the bins are wide.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution, averaged over the
        accumulation; without a sample there the nearest one within reach counts. Where it is zero
        or unknown the moments are NaN with coverage 0.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], as in `moments`.
    energy_min, energy_max : float
        [eV], as measured (before the potential).
    angle_min, angle_max : float
        [deg], 0 to 180.
    accumulation : str
        How long a distribution takes, centred on its time.
    reach : str
        How far away a single sample of the field may be.

    Returns
    -------
    Dataset
        As `moments`; coverage is the part of the whole sphere that was measured inside the cone.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        When the range of angles is empty.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 6.
    """
    require_same_frame(str(vdf.attrs["frame"]), b)
    along = field_directions(b, vdf["time"].values, accumulation, reach)
    found = _in_cone(vdf, along, sc_pot, energy_min, energy_max, angle_min, angle_max)
    return found.assign_attrs(angles_from="b")


@recipe(gives=Moments, version=1)
def partial_moments_along_axis(
    vdf: VDF,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
    angle_min: float = 0.0,
    angle_max: float = 180.0,
    axis: tuple = (1.0, 0.0, 0.0),
) -> xr.Dataset:
    """Density [cm^-3], V [km/s], P [nPa], T [eV], Q [mW m^-2] of a cone about an axis, in time.

    As `partial_moments`, with angles from a fixed axis instead of the magnetic field.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], as in `moments`.
    energy_min, energy_max : float
        [eV], as measured (before the potential).
    angle_min, angle_max : float
        [deg], 0 to 180.
    axis : tuple
        Along which angles are counted, in the frame of the distribution.

    Returns
    -------
    Dataset
        As `partial_moments`.

    Raises
    ------
    UsageError
        When the range of angles is empty or the axis has no length.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 6.
    """
    a = np.asarray(axis, np.float64)
    length = np.linalg.norm(a)
    if a.shape != (3,) or not length > 0:
        raise UsageError(f"{axis} is not a direction", "axis", "Give three numbers")
    along = np.broadcast_to(a / length, (vdf.sizes["time"], 3))
    found = _in_cone(vdf, along, sc_pot, energy_min, energy_max, angle_min, angle_max)
    return found.assign_attrs(angles_from=" ".join(f"{x:g}" for x in axis))


def _in_cone(
    vdf: xr.Dataset,
    along: np.ndarray,
    sc_pot: xr.Dataset | None,
    energy_min: float,
    energy_max: float,
    angle_min: float,
    angle_max: float,
) -> xr.Dataset:
    """Moments of the bins at angles [deg] from unit vectors (time, 3), which may be NaN."""
    if not 0 <= angle_min < angle_max <= 180:
        raise UsageError(
            f"no angles from {angle_min} to {angle_max} degrees", "angle_min, angle_max",
            "Take 0 <= angle_min < angle_max <= 180",
        )  # fmt: skip
    work = MomentsWork(vdf, sc_pot, energy_min, energy_max)
    # An angle that rounding puts beyond 180 degrees belongs to the last range, too.
    low, high = np.cos(np.radians(angle_min)), np.cos(np.radians(angle_max))
    low, high = (np.inf if angle_min == 0 else low), (-np.inf if angle_max == 180 else high)
    looks = list(rays(vdf, 1))
    for block in work.view.blocks():
        f = work.view.values(block).copy()
        for chosen, look in looks:
            u = look.directions(block)
            cosine = np.einsum("tcd,tc->td", u.reshape(*u.shape[:2], -1), along[block]) \
                if u.shape[0] > 1 else along[block] @ u[0].reshape(3, -1)  # fmt: skip
            inside = (cosine <= low) & (cosine > high)
            f[..., chosen] = np.where(inside[..., None], f[..., chosen], np.nan)
        work.add(block, f)
    return work.result().assign_attrs(angles=f"{angle_min:g} to {angle_max:g} deg")
