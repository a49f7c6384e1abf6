"""Distributions without what is not plasma: photo-electrons, penetrating radiation, noise."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import VDF, ScalarSeries
from ..errors import DataTypeError
from ..model import recipe


@recipe(gives=VDF, version=1)
def without_background(vdf: VDF, background: VDF, *, factor: float = 1.0) -> xr.Dataset:
    """F - factor * background [s^3 m^-6], in the layout of the distribution, (time, ..., energy).

    Negative differences are kept: they are noise about zero, and cutting them off would leave a
    positive density behind. Where the background is unknown the bin is not measured (NaN). Errors
    of the distribution stay as they are: the background is taken as known.

    Parameters
    ----------
    vdf : VDF
        What was measured.
    background : VDF
        On the same table, directions and energies, with the same times, or of one record for all.
    factor : float
        How much of it, for example the density of a model of density 1 cm^-3.

    Raises
    ------
    DataTypeError
        When shapes, times or energies differ.
    """
    f, gone = vdf["f"], background["f"]
    if gone.dims != f.dims or gone.shape[1:] != f.shape[1:]:
        raise DataTypeError(f"the background has {gone.dims} {gone.shape}, f {f.dims} {f.shape}",
                            "without_background", "Bring it to the table of the VDF")  # fmt: skip
    if gone.shape[0] != 1 and not np.array_equal(background["time"].values, vdf["time"].values):
        raise DataTypeError("the times of f and of the background differ", "without_background")
    own, other = vdf["energy"].values, background["energy"].values
    if not np.allclose(own, other, rtol=1e-3, equal_nan=True):
        raise DataTypeError("the energies of f and of the background differ", "without_background",
                            "Where tables alternate, one background for each")  # fmt: skip
    return _subtracted(vdf, np.float32(factor) * gone.values)


@recipe(gives=VDF, version=1)
def without_radiation(vdf: VDF, background_flux: ScalarSeries) -> xr.Dataset:
    """F without an isotropic background of the same differential energy flux at all energies.

    Penetrating radiation counts alike at every energy and direction: J_b [eV cm^-2 s^-1 sr^-1
    eV^-1] is one number per record, and f_b = m^2 J_b / (2 E^2). Negative differences are kept,
    see `without_background`; where J_b is unknown, or no sample has the very time, f is NaN.

    Parameters
    ----------
    vdf : VDF
        What was measured [s^3 m^-6].
    background_flux : ScalarSeries
        J_b at the times of the distribution.

    References
    ----------
    Gershman, D. J. et al. (2019), J. Geophys. Res. Space Physics 124, 10345,
    doi:10.1029/2019JA026980.
    """
    at = background_flux["time"].values
    place = np.clip(np.searchsorted(at, vdf["time"].values), 0, max(at.size - 1, 0))
    flux = np.full(vdf.sizes["time"], np.nan)
    if at.size:
        same = at[place] == vdf["time"].values
        flux = np.where(same, background_flux["value"].values[place].astype(np.float64), np.nan)
    per_charge = vdf.attrs["energy_kind"] == "energy_per_charge"
    scale = abs(float(vdf.attrs["charge"])) if per_charge else 1.0
    energy = vdf["energy"].values.astype(np.float64) * scale * ELEMENTARY_CHARGE
    # J per eV and eV of energy is J per joule and joule; cm^-2 is 1e4 m^-2.
    rows = energy.reshape(-1, energy.shape[-1])
    gone = 0.5e4 * flux[:, None] * (float(vdf.attrs["mass"]) / rows) ** 2
    shape = (gone.shape[0], *(1 for _ in vdf["f"].dims[1:-1]), gone.shape[1])
    return _subtracted(vdf, gone.reshape(shape).astype(np.float32))


def _subtracted(vdf: xr.Dataset, gone: np.ndarray) -> xr.Dataset:
    out = vdf.copy()
    left = (vdf["f"].values - gone).astype(np.float32)
    out["f"] = (vdf["f"].dims, left, dict(vdf["f"].attrs))
    out.attrs["background"] = "subtracted; negative differences kept"
    return out
