"""Attitudes: joined with each other, and as the quaternions of other datasets' records."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Attitude
from ..errors import DataTypeError
from ..granule import duration
from ..kernels.quaternions import inverse, joined, quaternions_at
from ..model import Margin, recipe

PARTS = ("x", "y", "z", "w")


@recipe(gives=Attitude, version=1)
def joined_attitude(
    first: Attitude, second: Annotated[Attitude, Margin("reach")], *, reach: str = "60s"
) -> xr.Dataset:
    """Attitude between the outer frames of two that share one; quaternion (time, part) [1].

    Where an archive gives DBCS and GSE both from the inertial frame, q(DBCS -> GSE) is
    q(ECI -> GSE) after the inverse of q(ECI -> DBCS). The shared frame may be on either side of
    either input; the result leads from the other frame of `first` to that of `second`.

    Parameters
    ----------
    first, second : Attitude
        Unit quaternions (time, part). The result has the times of `first`; `second` is
        interpolated on the sphere between its samples within reach, and held where only one is.
    reach : str
        How far away a sample of `second` may be.

    Raises
    ------
    DataTypeError
        When the two share no frame, or both.

    References
    ----------
    Shoemake, K. (1985), SIGGRAPH Computer Graphics 19, 245, doi:10.1145/325165.325242.
    """
    one, other = _ends(first), _ends(second)
    shared = set(one) & set(other)
    if len(shared) != 1:
        raise DataTypeError(
            f"{' -> '.join(one)} and {' -> '.join(other)} share {len(shared) or 'no'} frames",
            "attitudes",
            "Take two that share one frame",
        )
    middle = shared.pop()
    start, stop = (e[1] if e[0] == middle else e[0] for e in (one, other))
    here, _ = quaternions_from(first, start, first["time"].values, reach)
    onward, _ = quaternions_from(second, middle, first["time"].values, reach)
    return attitude_dataset(first["time"].values, joined(here, onward), start, stop)


def quaternions_from(
    attitude: xr.Dataset, frame: str, times: np.ndarray, reach: str
) -> tuple[np.ndarray, str]:
    """Quaternions (time, 4) that turn from a frame at some times, and the frame they turn to.

    Parameters
    ----------
    attitude : Dataset
        An Attitude, used either way round; samples that are not of length 1 are skipped.
    frame : str
        One of its two frames.
    times : ndarray of datetime64 (time,)
        Where they are wanted.
    reach : str
        How far away a sample may be; beyond it the result is NaN.

    Raises
    ------
    DataTypeError
        When the attitude has no such frame.
    """
    start, stop = _ends(attitude)
    if frame not in (start, stop):
        raise DataTypeError(
            f"the attitude leads from {start} to {stop}, the data are in {frame}",
            "attitude",
            "Take an attitude of that frame, or join two with joined_attitude",
        )
    q = np.asarray(attitude["quaternion"].values, np.float64)
    length = np.sqrt((q**2).sum(axis=1))
    known = np.abs(length - 1) < 1e-3
    q = np.ascontiguousarray(q[known] / length[known, None])
    at, want = (
        t.astype("datetime64[ns]").astype(np.int64)
        for t in (attitude["time"].values[known], np.asarray(times))
    )
    found = quaternions_at(at, q, want, duration(reach))
    return (found, stop) if frame == start else (inverse(found), start)


def attitude_dataset(time: np.ndarray, quaternion: np.ndarray, start: str, stop: str) -> xr.Dataset:
    """Return an Attitude of quaternions (time, 4) that turn from one frame to another."""
    about = {"units": "1", "long_name": f"rotation from {start} to {stop} (x, y, z, w)"}
    return xr.Dataset(
        {"quaternion": (("time", "part"), np.asarray(quaternion, np.float64), about)},
        {"time": time, "part": list(PARTS)},
        {"from_frame": start, "to_frame": stop},
    )


def _ends(attitude: xr.Dataset) -> tuple[str, str]:
    return str(attitude.attrs["from_frame"]), str(attitude.attrs["to_frame"])
