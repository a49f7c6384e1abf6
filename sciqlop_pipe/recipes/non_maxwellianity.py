"""How far a distribution is from the Maxwellian of its own moments."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import VDF, NonMaxwellianity, ScalarSeries, VectorSeries
from ..kernels.comparing import RESULTS, compare, counts
from ..model import Margin, recipe
from .bins import bins
from .fits import around, shifted
from .moments import POTENTIAL_REACH, moments
from .rays import field_directions, require_same_frame


@recipe(gives=NonMaxwellianity, version=1)
def non_maxwellianity(
    vdf: VDF,
    b: Annotated[VectorSeries | None, Margin("accumulation"), Margin("reach")] = None,
    sc_pot: Annotated[ScalarSeries | None, Margin(POTENTIAL_REACH)] = None,
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
    energy_min: float = 0.0,
    energy_max: float = float("inf"),
) -> xr.Dataset:
    """Distances of f from the (bi-)Maxwellian of its moments: three epsilon, entropy [1], (time).

    With g the drifting Maxwellian of the measured n, V and T, averaged over the same bins, g2 the
    bi-Maxwellian of n, V, T_par and T_perp, and v_th^2 = 2T/m:

        epsilon            = integral of |f - g2| d3v / 2n                    (Graham et al. 2021)
        epsilon_isotropic  = integral of |f - g| d3v / 2n
        epsilon_greco      = v_th^1.5 / n sqrt(integral of (f - g)^2 d3v)      (Greco et al. 2012)
        entropy_deficit    = (s(g)/n - s(f)/n) / 1.5,  s(f) = -integral of f ln f d3v
                                                              (Kaufmann and Paterson 2009)

    The first two lie between 0 and 1. Greco's measure has the dimension v^-1.5 and is made
    dimensionless by the thermal speed. Both entropies are per particle, over the same bins. Where
    few particles are counted all four are noise: empty bins where the model has a fraction of a
    count are part of them.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries, optional
        Magnetic field (time, component) [nT] in the frame of the distribution; `epsilon` is NaN
        where it is unknown.
    sc_pot : ScalarSeries, optional
        Potential of the spacecraft [V], as in `moments`.
    accumulation, reach : str
        How long a distribution takes; how far away a single sample of the field may be.
    energy_min, energy_max : float
        Use bins with centres in this range [eV], as measured.

    Returns
    -------
    Dataset
        epsilon, epsilon_isotropic, epsilon_greco, entropy_deficit (time); quality as in the VDF.
        NaN where the moments have no positive density and temperature.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Graham, D. B. et al. (2021), J. Geophys. Res. Space Physics 126, e2021JA029260,
    doi:10.1029/2021JA029260. Greco, A. et al. (2012), Phys. Rev. E 86, 066405,
    doi:10.1103/PhysRevE.86.066405. Kaufmann, R. L. and Paterson, W. R. (2009), J. Geophys. Res.
    114, A00D04, doi:10.1029/2008JA014030.
    """
    where = bins(vdf, shifted(vdf, sc_pot), energy_min, energy_max)
    times = where.view.f.shape[0]
    along = np.full((times, 3), np.nan)
    if b is not None:
        require_same_frame(str(vdf.attrs["frame"]), b)
        along = field_directions(b, vdf["time"].values, accumulation, reach)
    known = np.isfinite(along).all(axis=1)
    basis = around(np.where(known[:, None], along, [0.0, 0.0, 1.0]))
    found = moments(vdf, sc_pot, energy_min=energy_min, energy_max=energy_max)
    density = found["density"].values.astype(np.float64)
    tensor = found["temperature_tensor"].values.astype(np.float64)
    mean = np.trace(tensor, axis1=1, axis2=2) / 3
    parallel = np.einsum("ti,tij,tj->t", basis[:, 2], tensor, basis[:, 2])
    velocity = np.einsum("tij,tj->ti", basis, found["velocity"].values.astype(np.float64)) * 1e-3
    round_ = _plasmas(density, velocity, mean, mean, where.view.mass)
    along_b = _plasmas(density, velocity, parallel, (3 * mean - parallel) / 2, where.view.mass)
    along_b[~known] = np.nan
    sums = np.full((2, times, RESULTS), np.nan)
    none = np.zeros((0, 1, 1), np.float32)
    for block in where.view.blocks():
        place = where.of(block)
        table, volumes, solid, rays, speeds = place
        f = where.view.values(block)
        count, level, _ = counts(f, none, where.energy, table, volumes, solid)
        for which, plasma in enumerate((round_, along_b)):
            sums[which, block], _, _ = compare(
                plasma[block], 0, count, level, table, volumes, solid, rays, speeds, basis[block]
            )
    thermal = round_[:, 4]
    with np.errstate(invalid="ignore", divide="ignore"):
        n = np.where(sums[0, :, 3] > 0, sums[0, :, 3], np.nan)
        deficit = (sums[0, :, 6] / n - sums[0, :, 8] / sums[0, :, 7]) / 1.5
        rows = (
            ("epsilon", sums[1, :, 4] / (2 * n), "integral of |f - bi-Maxwellian| over 2 n"),
            ("epsilon_isotropic", sums[0, :, 4] / (2 * n), "integral of |f - Maxwellian| over 2 n"),
            ("epsilon_greco", thermal**1.5 * np.sqrt(sums[0, :, 5]) / n,
             "root of the integral of (f - Maxwellian)^2, times v_th^1.5 / n"),
            ("entropy_deficit", deficit, "entropy below that of the Maxwellian, over 1.5 n"),
        )  # fmt: skip
    species = str(vdf.attrs["species"])
    variables: dict[str, object] = {
        name: (("time",), values.astype(np.float32),
               {"units": "1", "long_name": f"{species} {words}"})
        for name, values, words in rows
    }  # fmt: skip
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    attrs["spacecraft_potential"] = "none" if sc_pot is None else "corrected"
    return xr.Dataset(variables, {"time": vdf["time"]}, attrs)


def _plasmas(
    n: np.ndarray, velocity: np.ndarray, parallel: np.ndarray, across: np.ndarray, mass: float
) -> np.ndarray:
    """Rows of Maxwellians (time, 9); NaN where n or a temperature is not positive."""
    per_ev = 2e-12 * ELEMENTARY_CHARGE / mass
    out = np.empty((n.size, 9))
    good = (n > 0) & (parallel > 0) & (across > 0)
    out[:, 0], out[:, 1:4] = np.where(good, n, np.nan), velocity
    out[:, 4], out[:, 5] = (np.sqrt(np.where(good, x, np.nan) * per_ev) for x in (parallel, across))
    out[:, 6], out[:, 7], out[:, 8] = np.inf, 1.0, 0.0
    return out
