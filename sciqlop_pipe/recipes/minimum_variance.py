"""Minimum variance: the normal of a boundary from the field across it, with its errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VarianceAnalysis, VectorSeries
from ..errors import UsageError
from ..kernels.variance import covariances
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .stretches import windows

LEAST_RECORDS = 8
CERTAIN_RATIO = 4.0
"""Intermediate over minimum variance from which on a normal is called certain.

Simulations of noisy sheets have normals within a few degrees from 4 to 10 on; below, errors beyond
10 degrees are usual (Sonnerup and Scheible 1998, section 8.2.5; Lepping and Behannon 1980).
"""

NOTHING = 1e-10
"""Intermediate over maximum variance below which the field varies along a line: no normal."""

FLAGS = Flags(
    "minimum variance",
    (
        Flag(0, "uncertain_normal", f"lambda2/lambda3 below {CERTAIN_RATIO:g}, or no lambda2"),
        Flag(1, "uncertain_tangent", "lambda1/lambda2 below 2: L and M are not told apart"),
        Flag(2, "too_few", f"fewer than {LEAST_RECORDS} records: no result"),
        Flag(3, "no_variance", "the field does not vary: no result"),
        Flag(4, "incomplete", "records of the window are missing or fill"),
    ),
    source="recipes.minimum_variance",
)


@dataclass(frozen=True, slots=True)
class Variance:
    """Minimum variance of one interval: L, M, N as rows of `axes` (3, 3), right-handed.

    `eigenvalues` (3) descending [units^2]; `errors` (3, 3) [deg]: how far axis i may be turned
    towards axis j; `mean` (3) along L, M, N; `normal_error` of the component along N.
    """

    axes: np.ndarray
    eigenvalues: np.ndarray
    errors: np.ndarray
    mean: np.ndarray
    normal_error: float
    records: int

    @property
    def ratio(self) -> float:
        """Return intermediate over minimum variance."""
        return float(_ratios(self.eigenvalues[None])[0][0])

    @property
    def certain(self) -> bool:
        """Tell whether the normal is well defined."""
        return self.ratio >= CERTAIN_RATIO


def variance_of(b: np.ndarray) -> Variance:
    """Minimum variance of all records of a vector.

    Parameters
    ----------
    b : ndarray (record, 3)
        Magnetic field [nT] (or any vector without divergence); records that are not finite do not
        count.

    Raises
    ------
    UsageError
        When there are fewer than 8 records, or the vector does not vary.

    References
    ----------
    Sonnerup and Scheible (1998), ISSI SR-001, chapter 8: equations 8.8, 8.23, 8.24.
    """
    values = np.ascontiguousarray(b, np.float64)
    count, mean, covariance = covariances(values, np.array([0]), np.array([len(values)]))
    if count[0] < LEAST_RECORDS:
        raise UsageError(f"{count[0]} records are too few for minimum variance",
                         todo=f"Take an interval with at least {LEAST_RECORDS}")  # fmt: skip
    eigenvalues, axes = _principal(covariance)
    if not eigenvalues[0, 0] > 0:
        raise UsageError("the field does not vary in this interval", "minimum variance")
    errors, along, normal_error = _errors(eigenvalues, axes, mean, count)
    return Variance(
        axes[0], eigenvalues[0], errors[0], along[0], float(normal_error[0]), int(count[0])
    )


@recipe(gives=VarianceAnalysis, version=2)
def minimum_variance(
    b: Annotated[VectorSeries, Margin("window")], *, window: str = "30s", step: str = "10s"
) -> xr.Dataset:
    """L, M, N (time, axis, component), variances (time, axis) [nT^2] and errors [deg] per window.

        M_ij = <B_i B_j> - <B_i><B_j>,  M x_k = lambda_k x_k,  lambda_1 >= lambda_2 >= lambda_3
        dphi_ij^2 = lambda_3 (lambda_i + lambda_j - lambda_3) / (K - 1) / (lambda_i - lambda_j)^2
        dB_N = sqrt( lambda_3/(K - 1) + (dphi_32 <B>.x_2)^2 + (dphi_31 <B>.x_1)^2 )

    N is the axis of minimum variance, on the side of positive x; L that of maximum variance, on
    the side of positive z; M = N x L. Windows are centred on full steps of UTC.

    Parameters
    ----------
    b : VectorSeries
        Magnetic field (time, component) [nT] in any frame.
    window, step : str
        Length of the windows and time between their centres.

    Returns
    -------
    Dataset
        axes (time, axis, component) in the frame of b; eigenvalues (time, axis); error (time,
        axis, axis_2) [deg]; ratio = lambda2/lambda3, ratio_lm = lambda1/lambda2; mean (time,
        axis) and normal_error [nT]; count; quality: a normal whose ratio is below 4 is flagged
        as uncertain. NaN for windows of fewer than 8 records or without variance; the ratio also
        where the field varies along one line, and the error of its normal is 90 deg then.

    References
    ----------
    Sonnerup and Scheible (1998), ISSI SR-001, chapter 8 (8.8, 8.23, 8.24); Khrabrov and Sonnerup
    (1998), J. Geophys. Res. 103, 6641, doi:10.1029/97JA03731.
    """
    time = b["time"].values.astype(np.int64)
    values = np.ascontiguousarray(b["vector"].values, np.float64)
    found = windows(time, window, step)
    count, mean, covariance = covariances(values, found.first, found.last)
    covariance[count < LEAST_RECORDS] = np.nan
    eigenvalues, axes = _principal(covariance)
    varies = eigenvalues[:, 0] > 0
    axes[~varies] = np.nan
    errors, along, normal_error = _errors(eigenvalues, axes, mean, count)
    normal, tangent = _ratios(eigenvalues)
    quality = FLAGS.words(
        uncertain_normal=varies & ~(normal >= CERTAIN_RATIO),
        uncertain_tangent=tangent < 2,
        too_few=count < LEAST_RECORDS,
        no_variance=(count >= LEAST_RECORDS) & ~varies,
        incomplete=count < found.last - found.first,
    )
    frame, units = str(b["vector"].attrs["frame"]), str(b["vector"].attrs["units"])
    t = ("time",)
    variables = {
        "axes": (("time", "axis", "component"), axes,
                 {"units": "1", "long_name": "axes of variance L, M, N", "frame": frame}),
        "eigenvalues": (("time", "axis"), eigenvalues,
                        {"units": f"{units}^2", "long_name": "variances along L, M, N"}),
        "error": (("time", "axis", "axis_2"), errors,
                  {"units": "deg", "long_name": "statistical error of one axis towards another"}),
        "ratio": (t, normal, {"units": "1", "long_name": "intermediate over minimum variance"}),
        "ratio_lm": (t, tangent, {"units": "1", "long_name": "maximum over intermediate variance"}),
        "mean": (("time", "axis"), along, {"units": units, "long_name": "mean along L, M, N",
                                           "frame": "LMN"}),
        "normal_error": (t, normal_error, {"units": units, "long_name": "error of mean along N"}),
        "count": (t, count, {"units": "1", "long_name": "records"}),
        "quality": (t, quality, FLAGS.attrs),
    }  # fmt: skip
    names = ["L", "M", "N"]
    return xr.Dataset(
        variables,
        {"time": found.time, "axis": names, "axis_2": names, "component": ["x", "y", "z"]},
        {"window": window},
    )


def _principal(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return variances (n, 3), descending, and right-handed axes L, M, N (n, 3, 3) in rows."""
    n = len(covariance)
    eigenvalues, axes = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
    known = np.isfinite(covariance).all(axis=(1, 2))
    w, v = np.linalg.eigh(covariance[known])
    lmn = np.transpose(v[:, :, ::-1], (0, 2, 1))
    side = np.where(lmn[:, 0, 2] < 0, -1.0, 1.0)
    front = np.where(lmn[:, 2, 0] < 0, -1.0, 1.0)
    long, normal = lmn[:, 0] * side[:, None], lmn[:, 2] * front[:, None]
    axes[known] = np.stack([long, np.cross(normal, long), normal], axis=1)
    # Rounding may put a variance of nothing below zero.
    eigenvalues[known] = np.maximum(w[:, ::-1], 0.0)
    return eigenvalues, axes


def _errors(
    eigenvalues: np.ndarray, axes: np.ndarray, mean: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    least, free = eigenvalues[:, 2], np.maximum(count - 1, 1)
    one, other = eigenvalues[:, :, None], eigenvalues[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.sqrt(
            (least / free)[:, None, None] * (one + other - least[:, None, None])
        ) / np.abs(one - other)
    angle[:, range(3), range(3)] = 0.0
    line = _on_a_line(eigenvalues)
    angle[line, 1, 2] = angle[line, 2, 1] = np.pi / 2
    along = np.einsum("tij,tj->ti", axes, mean)
    with np.errstate(invalid="ignore"):
        normal = np.sqrt(
            least / free + (angle[:, 2, 1] * along[:, 1]) ** 2 + (angle[:, 2, 0] * along[:, 0]) ** 2
        )
    # Beyond a right angle there is no direction left to be wrong about.
    return np.minimum(np.degrees(angle), 90.0), along, normal


def _ratios(eigenvalues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = np.where(_on_a_line(eigenvalues), np.nan, eigenvalues[:, 1] / eigenvalues[:, 2])
        return normal, eigenvalues[:, 0] / eigenvalues[:, 1]


def _on_a_line(eigenvalues: np.ndarray) -> np.ndarray:
    """Tell where rounding alone tells the second axis from the third, (n)."""
    return eigenvalues[:, 1] <= NOTHING * eigenvalues[:, 0]
