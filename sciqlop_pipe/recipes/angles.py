"""Means of f per energy and one angle: colatitude, azimuth, gyrophase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, AngleDistribution, Moments, VectorSeries
from ..errors import UsageError
from ..kernels.rings import means_of_bins
from ..model import Margin, recipe
from .field_aligned import field_aligned_basis
from .rays import field_directions, rays, require_same_frame
from .resample import bulk_velocity
from .vdf import distributions

PARTS = 2
"""Rays per direction along either angle."""


@recipe(gives=AngleDistribution, version=1)
def polar_distribution(vdf: VDF, *, bins: int = 16) -> xr.Dataset:
    """Mean of f over azimuth (time, angle, energy_bin) [s^3 m^-6] per colatitude of velocity.

        <f>(theta, E) = sum f Omega / sum Omega

    over the measured directions, two by two rays each, in the frame of the distribution.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    bins : int
        Bins of equal width from 0 to 180 degrees.

    Returns
    -------
    Dataset
        f and coverage (time, angle, energy_bin), angle [deg] the centres of the bins; energy [eV].
        Coverage is the measured part of the bin's solid angle; f is NaN where it is 0.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    _check(bins)
    edges = np.cos(np.linspace(0, np.pi, bins + 1))
    whole = 2 * np.pi * (edges[:-1] - edges[1:])

    def find(u: np.ndarray, block: slice) -> np.ndarray:
        return _bin(np.arctan2(np.hypot(u[:, 0], u[:, 1]), u[:, 2]), np.pi, bins)

    return _made(vdf, find, whole, 180.0, "theta", "colatitude")


@recipe(gives=AngleDistribution, version=1)
def azimuthal_distribution(vdf: VDF, *, bins: int = 32) -> xr.Dataset:
    """Mean of f over colatitude (time, angle, energy_bin) [s^3 m^-6] per azimuth of velocity.

        <f>(phi, E) = sum f Omega / sum Omega

    over the measured directions, two by two rays each, in the frame of the distribution. Azimuths
    that spin from record to record are sorted into bins that do not.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    bins : int
        Bins of equal width from 0 to 360 degrees.

    Returns
    -------
    Dataset
        As of `polar_distribution`.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    _check(bins)

    def find(u: np.ndarray, block: slice) -> np.ndarray:
        return _bin(np.arctan2(u[:, 1], u[:, 0]) % (2 * np.pi), 2 * np.pi, bins)

    return _made(vdf, find, np.full(bins, 4 * np.pi / bins), 360.0, "phi", "azimuth")


@recipe(gives=AngleDistribution, version=1)
def gyrophase_distribution(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    moments: Moments,
    *,
    bins: int = 32,
    pitch_min: float = 0.0,
    pitch_max: float = 180.0,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Mean of f over pitch angle (time, angle, energy_bin) [s^3 m^-6] per gyrophase.

        psi = atan2(u . perp2, u . perp1),  perp2 = b x V / |b x V|,  perp1 = perp2 x b

    Gyrophase 0 is the direction of the perpendicular bulk velocity, 90 that of b x V.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution, averaged over the
        accumulation; without a sample there the nearest one within reach counts.
    moments : Moments
        Bulk velocity at the same times, in the frame of the distribution.
    bins : int
        Bins of equal width from 0 to 360 degrees.
    pitch_min, pitch_max : float
        Only directions with pitch angles in this range [deg].
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        As of `polar_distribution`. NaN where b or the perpendicular velocity is undefined.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    _check(bins)
    if not 0 <= pitch_min < pitch_max <= 180:
        raise UsageError(
            f"pitch angles from {pitch_min:g} to {pitch_max:g} degrees",
            "pitch_min, pitch_max",
            "Take a range within 0 to 180",
        )
    frame = str(vdf.attrs["frame"])
    require_same_frame(frame, b)
    along = field_directions(b, vdf["time"].values, accumulation, reach)
    basis = field_aligned_basis(along, bulk_velocity(moments, vdf["time"].values, frame))
    low, high = np.cos(np.radians(pitch_max)), np.cos(np.radians(pitch_min))

    def find(u: np.ndarray, block: slice) -> np.ndarray:
        x, y, z = (
            sum(u[:, i] * basis[block, a, i, None, None] for i in range(3)) for a in range(3)
        )
        which = _bin(np.arctan2(y, x) % (2 * np.pi), 2 * np.pi, bins)
        which[~((z >= low - 1e-6) & (z <= high + 1e-6) & np.isfinite(x))] = -1
        return which

    whole = np.full(bins, 2 * np.pi / bins * (high - low))
    return _made(vdf, find, whole, 360.0, "gyrophase", "gyrophase")


def _check(bins: int) -> None:
    if not 1 <= bins <= 3600:
        raise UsageError(f"{bins} bins of an angle", "bins", "Take 1 to 3600")


def _bin(angle: np.ndarray, whole: float, bins: int) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.clip(np.nan_to_num(angle) * (bins / whole), 0, bins - 1).astype(np.int16)


def _made(
    vdf: xr.Dataset,
    find: Callable[[np.ndarray, slice], np.ndarray],
    whole: np.ndarray,
    degrees: float,
    angle: str,
    words: str,
) -> xr.Dataset:
    view, bins = distributions(vdf), whole.size
    times, _, energies = view.f.shape
    mean = np.empty((times, bins, energies), np.float32)
    coverage = np.empty((times, bins, energies), np.float32)
    for chosen, looks in rays(vdf, PARTS):
        for block in view.blocks():
            f = np.ascontiguousarray(view.values(block)[..., chosen])
            which = find(looks.directions(block).astype(np.float64), block)
            mean[block, :, chosen], coverage[block, :, chosen] = means_of_bins(
                f, which, PARTS, looks.weights(block), whole.astype(np.float32)
            )
    species, dims = vdf.attrs["species"], ("time", "angle", "energy_bin")
    energy = vdf["energy"]
    rows = view.energy[0] if energy.ndim == 1 else np.broadcast_to(view.energy, energy.shape)
    about = {"units": "s^3 m^-6", "long_name": f"{species} mean distribution per {words}"}
    seen = {"units": "1", "long_name": f"measured part of the bin of {words}"}
    variables: dict[str, object] = {
        "f": (dims, mean, about),
        "energy": (energy.dims, rows, {"units": "eV", "long_name": f"{species} energy"}),
        "coverage": (dims, coverage, seen),
    }
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    width = degrees / bins
    axis: dict[str, object] = {"units": "deg", "long_name": words, "bin_width": width}
    coords = {"time": vdf["time"], "angle": ("angle", width * (np.arange(bins) + 0.5), axis)}
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")} | {"angle": angle}
    return xr.Dataset(variables, coords, attrs)
