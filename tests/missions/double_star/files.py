"""Files of Double Star TC-1, made after the metadata of its archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.sources.archive_cdfs import Writer, times

START = np.datetime64("2004-03-01T06:00:00", "ns")
SPAN = "__20040301_000000_20040302_000000_V01.cdf"


def field_file(folder: Path, b: np.ndarray) -> Path:
    """Write vectors (n, 3) [nT], a spin apart."""
    name = "D1_CP_FGM_SPIN"
    out = Writer().time(f"Time_tags__{name}", times(len(b), "4s", START))
    out.add(f"B_vec_xyz_gse__{name}", b.astype("f4"), DEPEND_0=f"Time_tags__{name}", UNITS="nT",
            FILLVAL=np.float32(-1e30))  # fmt: skip
    return out.save(folder / f"{name}{SPAN}")


def moments_file(folder: Path, n: np.ndarray, v: np.ndarray, *, units: str = "MK") -> Path:
    """Write densities (n,) [cm^-3], velocities (n, 3) [km/s] and temperatures of 10 MK."""
    name = "D1_SP_HIA"
    tags = f"time_tags__{name}"
    out = Writer().time(tags, times(len(n), "60s", START))
    given = {"N_ion": (n, "cm^-3"), "V_ion_xyz_gse": (v, "km/s")}
    hot = {key: (np.full(len(n), 10.0), units) for key in ("T_ion", "T_ion_par", "T_ion_perp")}
    for key, (values, unit) in (given | hot).items():
        out.add(f"{key}__{name}", values.astype("f4"), DEPEND_0=tags, UNITS=unit,
                FILLVAL=np.float32(-1e31))  # fmt: skip
    return out.save(folder / f"{name}{SPAN}")
