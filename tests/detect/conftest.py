"""The shipped model, and plasma made by hand or by the simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.models import RegionModel, load_model
from sciqlop_pipe.detect.promoted import SHIPPED
from sciqlop_pipe.granule import SECOND, instant

State = Callable[..., xr.Dataset]

NOON = instant("2020-01-01T12:00")

#: n [cm^-3], V [km/s], T and core T [eV], |B| [nT]
PLASMAS = {
    "magnetosphere": (0.5, 30.0, 3000.0, 2700.0, 50.0),
    "magnetosheath": (25.0, 150.0, 350.0, 320.0, 25.0),
    "solar_wind": (7.0, 450.0, 30.0, 25.0, 6.0),
}


@pytest.fixture(scope="session")
def model() -> RegionModel:
    """Return the model that comes with the package."""
    pytest.importorskip("skops", reason="trained models need the extra `detect`")
    return load_model(SHIPPED / "regions")


def states(stretches: list[tuple[str, float]], step: float = 4.5, start: int = NOON,
           noise: float = 0.05) -> xr.Dataset:  # fmt: skip
    """Return a PlasmaState that goes through regions, each for a time [s], with steps between.

    A stretch named "gap" has no records.
    """
    edges = np.cumsum([0.0, *(seconds for _, seconds in stretches)])
    since = np.arange(0.0, edges[-1], step)
    which = np.searchsorted(edges, since, side="right") - 1
    names = np.array([name for name, _ in stretches])[which]
    keep = names != "gap"
    values = np.array([PLASMAS.get(name, (np.nan,) * 5) for name in names])[keep]
    values = values * np.exp(noise * np.random.default_rng(5).normal(size=values.shape))
    time = (start + np.round(since[keep] * SECOND).astype(np.int64)).astype("datetime64[ns]")
    n, v, t, core, b = values.T
    velocity = np.stack([-v, 0 * v, 0 * v], axis=1)
    return xr.Dataset(
        {
            "density": ("time", n, {"units": "cm^-3", "long_name": "n"}),
            "speed": ("time", v, {"units": "km s^-1", "long_name": "V"}),
            "temperature": ("time", t, {"units": "eV", "long_name": "T"}),
            "core_temperature": ("time", np.minimum(core, t), {"units": "eV", "long_name": "core T"}),
            "velocity": (("time", "component"), velocity,
                         {"units": "km s^-1", "long_name": "V", "frame": "GSE"}),
            "magnetic_field": ("time", b, {"units": "nT", "long_name": "|B|"}),
        },
        coords={"time": time, "component": ["x", "y", "z"]},
    )  # fmt: skip


@pytest.fixture
def passing() -> State:
    """Return `states`: a plasma state that goes through regions."""
    return states
