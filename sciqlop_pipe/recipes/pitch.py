"""Pitch angles of any distribution."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, PitchAngle, VectorSeries
from ..errors import UsageError
from ..kernels.pitch import PARTS, pitch_means_of_grid, pitch_means_of_list
from ..model import Margin, recipe
from .rays import field_directions, rays, require_same_frame
from .vdf import STREAM, distributions


@recipe(gives=PitchAngle, version=1)
def pitch_angle_distribution(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    bins: int = 18,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Mean of f over gyrophase (time, pitch_angle, energy_bin) [s^3 m^-6], with its coverage.

        <f>(alpha, E) = sum f Omega / sum Omega,  cos alpha = u . b

    over the measured directions u in each bin of pitch angle, weighted with solid angle. Each
    direction is spread over its own width first (two by two rays of equal solid angle, where the
    widths are known). In the frame of the distribution, at the energies of its table: the bulk
    velocity is not subtracted, no potential is applied.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution. It is averaged
        over the accumulation before its direction is taken; without a sample there the nearest
        one within reach counts.
    bins : int
        Bins of equal width from 0 to 180 degrees.
    accumulation : str
        How long a distribution takes, centred on its time.
    reach : str
        How far away a single sample of the field may be.

    Returns
    -------
    Dataset
        f and coverage (time, pitch_angle, energy_bin), pitch_angle [deg] being the centres of the
        bins; energy [eV] as in the VDF (times the charge for per-charge tables); quality as in the
        VDF. Coverage is the measured part of the bin's solid angle; bins cut through directions, so
        that it is uneven where they are as narrow as those. Where no direction is in a bin, or b
        is zero or unknown, f is NaN and coverage 0.

    Raises
    ------
    DataTypeError
        When the frames differ; DMPA and DBCS of MMS do, unless the field says otherwise with the
        attribute `frame_equivalent`.
    UsageError
        For fewer than one bin.

    References
    ----------
    Paschmann, G. et al. (1998), in: Analysis Methods for Multi-Spacecraft Data, ISSI SR-001,
    chapter 5.
    """
    work = PitchWork(vdf, b, bins, accumulation, reach)
    for block in work.view.blocks(STREAM):
        work.add(block, work.view.values(block))
    return work.result()


class PitchWork:
    """`pitch_angle_distribution`, block by block (see `MomentsWork`)."""

    def __init__(
        self,
        vdf: xr.Dataset,
        b: xr.Dataset,
        bins: int = 18,
        accumulation: str = "150ms",
        reach: str = "2s",
    ) -> None:
        if bins < 1:
            raise UsageError(f"{bins} bins of pitch angle", "bins", "Take at least one")
        require_same_frame(str(vdf.attrs["frame"]), b)
        self.vdf, self.view, self.bins = vdf, distributions(vdf), bins
        self.along = field_directions(b, vdf.variables["time"].values, accumulation, reach)
        self.rays = list(rays(vdf, PARTS))
        shape = self.view.f.shape[0], bins, self.view.f.shape[2]
        self.mean, self.coverage = np.empty(shape, np.float32), np.empty(shape, np.float32)

    def add(self, block: slice, f: np.ndarray) -> None:
        """Take some records of f (time, direction, energy) float32 [s^3 m^-6], contiguous."""
        for chosen, looks in self.rays:
            kernel = pitch_means_of_grid if looks.separable else pitch_means_of_list
            known = self.along[block], *looks.geometry(block), looks.weights(block)
            found = self.mean[block, :, chosen], self.coverage[block, :, chosen]
            # Of all energies there is one array to fill, of one energy a new one.
            filled = [np.ascontiguousarray(a) for a in found]
            kernel(np.ascontiguousarray(f[..., chosen]), *known, *filled)
            for a, values in zip(found, filled, strict=True):
                if a is not values:
                    a[...] = values

    def result(self) -> xr.Dataset:
        """Return what `pitch_angle_distribution` returns."""
        return _dataset(self.vdf, self.view.energy, self.mean, self.coverage)


def _dataset(
    vdf: xr.Dataset, table: np.ndarray, mean: np.ndarray, coverage: np.ndarray
) -> xr.Dataset:
    species, dims, bins = vdf.attrs["species"], ("time", "pitch_angle", "energy_bin"), mean.shape[1]
    energy = vdf.variables["energy"]
    rows = table[0] if energy.ndim == 1 else np.broadcast_to(table, energy.shape)
    about = {"units": "s^3 m^-6", "long_name": f"{species} mean distribution per pitch angle"}
    variables: dict[str, object] = {
        "f": (dims, mean, about),
        "energy": (energy.dims, rows, {"units": "eV", "long_name": f"{species} energy"}),
        "coverage": (
            dims,
            coverage,
            {"units": "1", "long_name": "measured part of the pitch-angle bin"},
        ),
    }
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    width = 180.0 / bins
    centres = width * (np.arange(bins) + 0.5)
    about = {"units": "deg", "long_name": "pitch angle", "bin_width": width}
    coords = {"time": vdf["time"], "pitch_angle": ("pitch_angle", centres, about)}
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, coords, attrs)
