"""Grids of velocity and the datasets on them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..errors import UsageError


def check_grid(v_max: float, bins: int) -> None:
    """Refuse a grid without extent.

    Raises
    ------
    UsageError
        When it has none.
    """
    if bins < 1 or not 0 < v_max < np.inf:
        raise UsageError(
            f"a grid of {bins} cells up to {v_max:g} km/s", "bins, v_max", "Both must be positive"
        )


def cells(name: str, v_max: float, bins: int, words: str) -> tuple:
    """Return a coordinate: the centres of cells [km/s]."""
    edges = np.linspace(-v_max, v_max, bins + 1)
    return name, 0.5 * (edges[1:] + edges[:-1]), {"units": "km s^-1", "long_name": words}


def ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Part of the total, 0 where that is zero, NaN where it is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total == 0, part, part / total)


def dataset(
    vdf: xr.Dataset,
    sc_pot: xr.Dataset | None,
    variables: dict[str, tuple],
    coverage: np.ndarray,
    coords: dict[str, object],
    about: dict[str, str],
) -> xr.Dataset:
    """Return what a recipe gives, with coverage, quality and the attributes all of them have."""
    seen = {"units": "1", "long_name": "measured part of the sphere and of ln E"}
    every: dict[str, object] = {
        **variables,
        "coverage": (("time",), coverage.astype(np.float32), seen),
    }
    if "quality" in vdf:
        every["quality"] = vdf["quality"].variable
    attrs = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")} | about
    attrs["spacecraft_potential"] = "none" if sc_pot is None else "corrected"
    return xr.Dataset(every, {"time": vdf["time"], **coords}, attrs)


def outside_of(dims: tuple[str, ...], outside: np.ndarray) -> tuple:
    """Return the variable that says which part of the density is beyond the grid."""
    about = {"units": "1", "long_name": "part of the density outside the grid"}
    return dims, outside.astype(np.float32), about
