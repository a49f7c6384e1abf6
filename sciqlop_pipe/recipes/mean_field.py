"""Vectors about the mean field: along it and across, and Elsasser variables as series."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Moments, Position, VectorSeries
from ..errors import DataTypeError, UsageError
from ..granule import duration
from ..model import Margin, recipe
from .coordinates import POSITION_REACH
from .field_aligned import field_aligned_basis
from .joining import ascending, counts, means, nearby
from .plasma import alfven_velocity, plasma_of

FRAME = "FAC"
"""Name of the frame: x is perp1, y is perp2, z is along the mean field."""

COMPONENTS = ("perp1", "perp2", "par")

_STEPS = 8
"""Means are made so many times per window, at full steps of UTC, and are linear between."""

_AXES = ("x", "y", "z")


def running_mean(
    time: np.ndarray, values: np.ndarray, at: np.ndarray, window: str
) -> tuple[np.ndarray, np.ndarray]:
    """Means over a window around each time (at, column), and of how many records (at).

    Parameters
    ----------
    time : ndarray datetime64[ns] or int64 (record)
        Ascending.
    values : ndarray (record, column)
        Of any unit; rows that are not finite do not count.
    at : ndarray datetime64[ns] or int64 (at)
        Ascending.
    window : str
        Duration. Means, and how many records they hold, are made at every eighth of it in UTC and
        are linear between; NaN where a window holds nothing.
    """
    want = ascending(at, "mean field")
    step = max(duration(window) // _STEPS, 1)
    slots = np.unique(np.concatenate([want // step, want // step + 1])) * step
    known = np.isfinite(values).all(axis=1)
    mean = means(time, np.where(known[:, None], values, np.nan), slots, window)
    count = counts(time, known, slots, window)
    reach = f"{step}ns"
    return nearby(slots, mean, want, reach), nearby(slots, count, want, reach)


def _count(count: np.ndarray) -> tuple[str, np.ndarray, dict[str, str]]:
    return "time", count.astype(np.float32), {"units": "1", "long_name": "records in the mean"}


@recipe(gives=VectorSeries, version=3)
def in_mean_field(
    vector: VectorSeries,
    b: Annotated[VectorSeries, Margin("mean")],
    position: Annotated[Position | None, Margin(POSITION_REACH)] = None,
    *,
    mean: str = "1min",
    reference: str = "x",
) -> xr.Dataset:
    """The vector across and along the mean field, (time, component), in its own units.

        z = <B>/|<B>|,  y = z x d / |z x d|,  x = y x z

    d is the position (x is then outward, y eastward where B points north) or a fixed axis: x
    lies in the plane of d and the mean field. Components are perp1, perp2, par.

    Parameters
    ----------
    vector : VectorSeries
        Any vector.
    b : VectorSeries
        Magnetic field [nT] in its frame; its mean runs over `mean`.
    position : Position, optional
        Of the spacecraft in the same frame, at most 2 h apart; d where it is given.
    mean : str
        Length of the mean.
    reference : str
        d without a position: "x", "y" or "z".

    Returns
    -------
    Dataset
        NaN where the mean field is unknown, zero, or along d; `count` (time) says of how many
        records the mean is.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        When the reference is not an axis.

    References
    ----------
    Takahashi et al. (1990), J. Geophys. Res. 95, 15019, doi:10.1029/JA095iA09p15019: mean-field
    coordinates.
    """
    frame = str(vector["vector"].attrs["frame"])
    for other, name in ((b["vector"], "b"), (None if position is None else position["position"],
                                             "position")):  # fmt: skip
        if other is not None and str(other.attrs["frame"]) != frame:
            raise DataTypeError(f"the vector is in {frame}, the rest in {other.attrs['frame']}",
                                name, "Turn one of them")  # fmt: skip
    if reference not in _AXES:
        raise UsageError(f"there is no axis '{reference}'", "reference", "Choose x, y or z")
    at = vector["time"].values
    field, count = running_mean(b["time"].values, b["vector"].values, at, mean)
    length = np.linalg.norm(field, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        along = field / np.where(length > 0, length, np.nan)
    if position is None:
        aside = np.tile(np.eye(3)[_AXES.index(reference)], (at.size, 1))
    else:
        aside = nearby(position["time"].values, position["position"].values, at,
                       POSITION_REACH)  # fmt: skip
    basis = field_aligned_basis(along, aside)
    values = np.einsum("tij,tj->ti", basis, np.asarray(vector["vector"].values, np.float64))
    found = vector.copy()
    about = dict(vector["vector"].attrs) | {"frame": FRAME}
    name = str(about.get("long_name", "")).replace(f"({frame})", "").strip()
    about["long_name"] = f"{name} ({FRAME})".strip()
    about.pop("frame_equivalent", None)
    found["vector"] = (("time", "component"), values.astype(vector["vector"].dtype), about)
    return found.assign(count=_count(count)).assign_coords(component=list(COMPONENTS))


@recipe(gives=VectorSeries, version=2)
def elsasser(
    moments: Annotated[Moments, Margin("mean")],
    b: Annotated[VectorSeries, Margin("mean"), Margin("accumulation"), Margin("reach")],
    *,
    sign: int = 1,
    mean: str = "30min",
    accumulation: str = "150ms",
    reach: str = "2s",
    mass_per_ion: float = 1.0,
) -> xr.Dataset:
    """Elsasser variable z+ or z- (time, component) [km/s] on the clock of the moments.

        z+- = dV +- dB / sqrt(mu0 <n> m),  dX = X - <X>

    Means run over `mean`; `count` (time) says of how many records. z+ travels against B, z- along
    it.

    Parameters
    ----------
    moments : Moments
        density, velocity.
    b : VectorSeries
        Magnetic field [nT] in their frame.
    sign : int
        1 for z+, -1 for z-.
    mean, accumulation, reach : str
        Length of the means; as of `joining.joined`.
    mass_per_ion : float
        Mean mass per ion, in masses of the species.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        When the sign is neither 1 nor -1.

    References
    ----------
    Elsasser (1950), Phys. Rev. 79, 183, doi:10.1103/PhysRev.79.183; Bruno and Carbone (2013),
    Living Rev. Sol. Phys. 10, 2, doi:10.12942/lrsp-2013-2, section 3.1.
    """
    if sign not in (1, -1):
        raise UsageError(f"a sign of {sign}", "elsasser", "Take 1 for z+ or -1 for z-")
    plasma = plasma_of(moments, b, accumulation, reach, mass_per_ion)
    whole = plasma.whole[:, None]
    every = np.concatenate([plasma.velocity, plasma.b, plasma.density[:, None]], axis=1)
    level, count = running_mean(plasma.time, np.where(whole, every, np.nan), plasma.time, mean)
    change = every - level
    z = change[:, :3] + sign * alfven_velocity(change[:, 3:6], level[:, 6], plasma.mass)
    name = "z+" if sign > 0 else "z-"
    about = {"units": "km s^-1", "long_name": f"Elsasser variable {name}", "frame": plasma.frame}
    return xr.Dataset(
        {
            "vector": (("time", "component"), np.where(whole, z, np.nan), about),
            "count": _count(count),
        },
        {"time": moments["time"], "component": list(_AXES)},
        {"species": moments.attrs["species"]},
    )
