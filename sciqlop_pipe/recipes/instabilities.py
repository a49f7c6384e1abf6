"""Temperature anisotropy against the thresholds of the instabilities that it drives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import VACUUM_PERMEABILITY
from ..datatypes import FieldAligned, Instabilities, VectorSeries
from ..errors import DataTypeError
from ..model import Margin, recipe
from .joining import joined


@dataclass(frozen=True, slots=True)
class Threshold:
    """T_perp/T_par = 1 + a/(beta_par - beta0)^b: unstable above where a > 0, below where a < 0."""

    name: str
    a: float
    b: float
    beta0: float = 0.0

    def at(self, beta: np.ndarray) -> np.ndarray:
        """Return the critical anisotropy; NaN where the fit has none (or below 0)."""
        above = np.where(beta > max(self.beta0, 0.0), beta - self.beta0, np.nan)
        ratio = 1 + self.a / above**self.b
        return np.where(ratio > 0, ratio, np.nan)


PROTONS = (
    Threshold("proton_cyclotron", 0.43, 0.42, -0.0004),
    Threshold("mirror", 0.77, 0.76, -0.016),
    Threshold("parallel_firehose", -0.47, 0.53, 0.59),
    Threshold("oblique_firehose", -1.4, 1.0, -0.11),
)
ELECTRONS = (Threshold("whistler", 0.36, 0.55), Threshold("electron_firehose", -1.23, 0.88))
KNOWN = {"H+": PROTONS, "e-": ELECTRONS}


@recipe(gives=Instabilities, version=1)
def instability_thresholds(
    field_aligned: FieldAligned,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    *,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Thresholds, distances and flags of anisotropy instabilities [1], (time, instability).

        R = T_perp/T_par,  beta_par = 2 mu0 P_par / B^2,  R_c = 1 + a / (beta_par - beta0)^b

    instability         growth     a      b     beta0    source
    proton_cyclotron    1e-3 O_p   0.43   0.42  -0.0004  Hellinger et al. 2006
    mirror              1e-3 O_p   0.77   0.76  -0.016   the same
    parallel_firehose   1e-3 O_p  -0.47   0.53   0.59    the same
    oblique_firehose    1e-3 O_p  -1.4    1.0   -0.11    the same
    whistler            1e-2 O_e   0.36   0.55   0       Gary and Wang 1996
    electron_firehose   1e-2 O_e  -1.23   0.88   0       Gary and Nishimura 2003

    (growth rates in gyrofrequencies; the first four for H+, the others for e-). They are linear
    theory of one bi-Maxwellian species with the other isotropic. `distance` is R - R_c, or R_c - R
    for the firehoses: positive is unstable, and then `unstable` is 1. The long-wave limits of MHD
    are given beside them: unstable above 0,

        mirror_parameter   = beta_perp (R - 1) - 1
        firehose_parameter = (beta_par - beta_perp)/2 - 1

    Parameters
    ----------
    field_aligned : FieldAligned
        Of protons or electrons: anisotropy and pressure (perp1, perp2, par) [nPa].
    b : VectorSeries
        Magnetic field [nT] in any frame, averaged over the accumulation; without a sample there
        the nearest two, at most `reach` apart, are interpolated.
    accumulation, reach : str
        How long a record takes; how far apart samples may be.

    Returns
    -------
    Dataset
        anisotropy, beta_parallel, mirror_parameter, firehose_parameter (time); threshold, distance
        and unstable (1, 0) (time, instability). Where a threshold does not exist at that beta its
        distance is NaN and unstable 0; all are NaN where B, P_par or R are unknown.

    Raises
    ------
    DataTypeError
        For other species: these fits are not for them.

    References
    ----------
    Hellinger, P. et al. (2006), Geophys. Res. Lett. 33, L09101, doi:10.1029/2006GL025925. Gary,
    S. P. and Wang, J. (1996), J. Geophys. Res. 101, 10749, doi:10.1029/96JA00323. Gary, S. P. and
    Nishimura, K. (2003), Phys. Plasmas 10, 3571, doi:10.1063/1.1590982. Hasegawa, A. (1969), Phys.
    Fluids 12, 2642, doi:10.1063/1.1692407 (mirror).
    """
    species = str(field_aligned.attrs.get("species", ""))
    if species not in KNOWN:
        raise DataTypeError(f"there are no thresholds for {species or 'an unknown species'}",
                            "instability_thresholds", f"Known: {', '.join(KNOWN)}")  # fmt: skip
    thresholds = KNOWN[species]
    vector = b["vector"].values.astype(np.float64)[:, :3]
    mean = joined(b["time"].values, vector, field_aligned["time"].values, accumulation, reach)
    b2 = (mean**2).sum(axis=1)
    parallel = field_aligned["pressure"].values[:, 2, 2].astype(np.float64)
    ratio = field_aligned["anisotropy"].values.astype(np.float64)
    beta = 2e9 * VACUUM_PERMEABILITY * parallel / np.where(b2 > 0, b2, np.nan)
    beta = np.where(beta > 0, beta, np.nan)
    critical = np.stack([t.at(beta) for t in thresholds], axis=1)
    sign = np.array([np.sign(t.a) for t in thresholds])
    distance = sign * (ratio[:, None] - critical)
    known = np.isfinite(beta) & np.isfinite(ratio)
    unstable = np.where(known[:, None], (distance > 0).astype(float), np.nan)
    across = beta * ratio
    t, ti = ("time",), ("time", "instability")

    def row(dims: tuple[str, ...], values: np.ndarray, words: str) -> tuple:  # type: ignore[type-arg]
        about = {"units": "1", "long_name": f"{species} {words}"}
        return dims, values.astype(np.float32), about

    variables: dict[str, object] = {
        "anisotropy": row(t, ratio, "perpendicular over parallel temperature"),
        "beta_parallel": row(t, beta, "parallel pressure over magnetic pressure"),
        "threshold": row(ti, critical, "critical anisotropy"),
        "distance": row(ti, distance, "anisotropy beyond the threshold; above 0 is unstable"),
        "unstable": row(ti, unstable, "whether the plasma is beyond the threshold"),
        "mirror_parameter": row(t, across * (ratio - 1) - 1, "mirror parameter of MHD"),
        "firehose_parameter": row(t, (beta - across) / 2 - 1, "firehose parameter of MHD"),
    }
    if "quality" in field_aligned:
        variables["quality"] = field_aligned["quality"].variable
    coords = {"time": field_aligned["time"], "instability": [x.name for x in thresholds]}
    return xr.Dataset(variables, coords, {"species": species})
