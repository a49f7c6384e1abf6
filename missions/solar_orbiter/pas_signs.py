"""Whether the signs of PAS's angles are right: its flow against that of the ground moments."""

from __future__ import annotations

import itertools
from typing import Annotated

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF, Moments
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.model import Margin, recipe
from sciqlop_pipe.recipes.moments import moments as moments_of

UNCONFIRMED = 8
"""Bit of distributions without ground moments at their time."""

_NEAR = np.timedelta64(500, "ms")
_AT_MOST = 200
"""Distributions per granule whose flow is computed."""


@recipe(gives=VDF, version=1)
def signs_confirmed(
    vdf: VDF,
    moms: Annotated[Moments | None, Margin("1s")] = None,
    *,
    largest: float = 5.0,
    margin: float = 1.0,
) -> xr.Dataset:
    """Return the distributions unchanged, once their flow is that of the ground moments.

    Published sources differ in the signs of azimuth and elevation. A wrong one mirrors every
    distribution and hides where the wind blows along an axis; it shows as a flow mirrored against
    the ground moments. The median angle between the two flows decides, for the signs as they are
    and for each mirror image.

    Parameters
    ----------
    vdf : Dataset
        Distributions in SRF.
    moms : Dataset, optional
        Ground moments in SRF. Distributions without one at their time carry the flag
        `signs_unconfirmed`.
    largest : float
        The largest median angle that counts as agreement [deg]: the bins are 5 and 6 deg wide.
    margin : float
        By how much a mirror image may agree better before the signs count as wrong [deg].

    Raises
    ------
    DataTypeError
        When a mirror image agrees better, or nothing agrees.
    """
    near = _nearest(vdf["time"].values, moms["time"].values if moms is not None else None)
    if moms is not None:
        known = np.flatnonzero(near >= 0)
        step = max(1, -(-known.size // _AT_MOST))
        _refuse_mirrored(vdf, moms, known[::step], near[known[::step]], largest, margin)
    words = vdf["quality"].copy()
    words.values[near < 0] |= np.uint32(1 << UNCONFIRMED)
    return vdf.assign(quality=words)


def _refuse_mirrored(
    vdf: xr.Dataset, moms: xr.Dataset, rows: np.ndarray, near: np.ndarray, largest: float,
    margin: float,
) -> None:  # fmt: skip
    if rows.size == 0:
        return
    ours = moments_of(vdf.isel(time=rows), energy_min=300.0)["velocity"].values
    theirs = moms["velocity"].values[near].astype(np.float64)
    frames = vdf.attrs["frame"], moms["velocity"].attrs["frame"]
    if frames[0] != frames[1]:
        raise DataTypeError(f"the distributions are in {frames[0]}, the moments in {frames[1]}")
    usable = np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    if not usable.any():
        return
    angle = {
        signs: _median_angle(ours[usable] * signs, theirs[usable])
        for signs in itertools.product((1, -1), repeat=3)
    }
    here, best = angle[1, 1, 1], min(angle, key=lambda signs: angle[signs])
    if here <= largest and here - angle[best] <= margin:
        return
    mirrored = " and ".join(name for name, sign in zip("xyz", best, strict=True) if sign < 0)
    said = (
        f"mirrored in {mirrored} they are {angle[best]:.1f} deg"
        if mirrored
        else "no mirror is nearer"
    )
    raise DataTypeError(
        f"the flow of PAS is {here:.1f} deg from that of the ground moments (median of "
        f"{int(usable.sum())} distributions), {said}",
        "signs of azimuth and elevation",
        "The convention in missions/solar_orbiter/pas.py does not hold for these files: see its "
        "README before anything is made of them",
    )


def _median_angle(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = (one * other).sum(axis=1) / np.where(lengths > 0, lengths, np.nan)
    return float(np.degrees(np.nanmedian(np.arccos(np.clip(cosine, -1, 1)))))


def _nearest(times: np.ndarray, moments: np.ndarray | None) -> np.ndarray:
    """Return for each time the index of the moments at that time, -1 where there are none."""
    if moments is None or moments.size == 0:
        return np.full(times.size, -1)
    after = np.clip(np.searchsorted(moments, times), 0, moments.size - 1)
    before = np.maximum(after - 1, 0)
    index = np.where(times - moments[before] < np.abs(moments[after] - times), before, after)
    return np.where(np.abs(moments[index] - times) <= _NEAR, index, -1)
