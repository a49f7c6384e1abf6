"""MMS products that need more than one instrument or spacecraft: see `datasets`."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.model import Dataset, product, recipe
from sciqlop_pipe.recipes.density_from_potential import (
    density_from_potential,
    potential_calibration,
)
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pressure_strain import pressure_strain

from .fpi import GRANULE, MODES
from .fpi_partial import PartialMoments

PROBES = ("1", "2", "3", "4")
REACH = {"fast": "10s", "brst": "400ms"}


@recipe(gives=VDF, version=1)
def from_first_energy(vdf: VDF, partial: PartialMoments | None = None) -> xr.Dataset:
    """The distribution with the index of the lowest energy that FPI trusts, (time, ..., energy).

    The team's ion moments begin at `part_index` of their partial moments: 0 in dense plasma, up to
    11 (100 eV) in a tenuous sheet, where noise below makes up most of the density. It is constant
    within a file; records take that of the nearest partial moments. Without these all energies
    count, and the attribute `first_energy` says "absent".

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin).
    partial : PartialMoments, optional
        Partial moments of the same sensor and mode.
    """
    out = vdf.copy()
    out.attrs["first_energy"] = "absent"
    if partial is None or not partial.sizes["time"]:
        return out
    at = partial["time"].values.astype(np.int64)
    want = vdf["time"].values.astype(np.int64)
    after = np.clip(np.searchsorted(at, want), 0, at.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(at[after] - want) < np.abs(want - at[before]), after, before)
    about = {"units": "1", "long_name": "index of the first valid energy"}
    out["first_energy"] = (("time",), partial["first_energy"].values[nearest], about)
    out.attrs["first_energy"] = "part_index of the partial moments"
    return out


def datasets() -> tuple[Dataset, ...]:
    """Return ion moments from the first trusted energy, densities from the potential, Pi-D."""
    found: list[Dataset] = []
    for probe in PROBES:
        for mode in MODES:
            ions = f"mms{probe}.fpi.dis.{mode}"
            found += [
                product(f"{ions}.vdf_trusted", from_first_energy, vdf=f"{ions}.vdf",
                        partial=f"{ions}.partmoms", transient=True),
                product(f"{ions}.moments_trusted", moments, vdf=f"{ions}.vdf_trusted"),
            ]  # fmt: skip
        edp = f"mms{probe}.edp.fast"
        found += [
            product(f"{edp}.potential_calibration", potential_calibration, granule="1d",
                    moments=f"mms{probe}.fpi.des.fast.moms", sc_pot=f"{edp}.sc_pot",
                    accumulation="4500ms"),
            product(f"{edp}.density", density_from_potential, sc_pot=f"{edp}.sc_pot",
                    calibration=f"{edp}.potential_calibration"),
        ]  # fmt: skip
    for sensor in ("dis", "des"):
        for mode in MODES:
            survey = "srvy" if mode == "fast" else "brst"
            four: dict[str, Any] = {f"m{p}": f"mms{p}.fpi.{sensor}.{mode}.moms_gse" for p in PROBES}
            four |= {f"r{p}": f"mms{p}.mec.{survey}.position_gse" for p in PROBES}
            found.append(
                product(f"mms.fpi.{sensor}.{mode}.pressure_strain", pressure_strain,
                        granule=GRANULE[mode], reach=REACH[mode], **four)
            )  # fmt: skip
    return tuple(found)
