"""A dataset of every DataType, made from its declaration alone: all variables, fills included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.datatype import DataType, Var
from tests.builders import times

SIZES = {"component": 3, "component_2": 3, "component_b": 3, "energy_bin": 7, "phi_bin": 6,
         "theta_bin": 4, "frequency_bin": 8, "direction": 9, "pitch_angle": 5}  # fmt: skip
WORDS = ("component", "component_2", "component_b", "label", "plane", "axis", "axis_2", "technique",
         "spacecraft", "pair", "instability", "moment", "moment_2", "cut", "part")  # fmt: skip
NUMBERS = ("pitch_angle", "angle", "v", "v1", "v2", "v3", "order")


def every() -> Iterator[tuple[str, DataType, xr.Dataset]]:
    """Yield name, type and dataset for every DataType, and for every alternative of dimensions."""
    for name in datatypes.__all__:
        datatype = getattr(datatypes, name)
        if datatype.in_sql:
            continue
        for k in range(max([len(v.dims) for v in datatype.variables], default=1)):
            yield f"{name}{k or ''}", datatype, made(datatype, k)
    yield "Constant", datatypes.EnergySpectrum, made(datatypes.EnergySpectrum, 0, subset=True)


def made(datatype: DataType, alternative: int = 0, *, subset: bool = False) -> xr.Dataset:
    """Return a dataset of a type; `subset` leaves time out of the tables that may."""
    rng = np.random.default_rng(5)
    ds = xr.Dataset(coords={"time": times(6)}, attrs=dict.fromkeys(datatype.attrs, "some"))
    ds.attrs |= {"mass": 1.67e-27, "energy_max": float("inf")} if "mass" in datatype.attrs else {}
    variables = datatype.variables or (Var("value_mean", (("time",),)), Var("count", (("time",),)))
    for var in variables:
        dims = var.dims[min(alternative, len(var.dims) - 1)]
        if subset and var.subset:
            dims = var.along or dims[1:]
        shape = [6 if d == "time" else SIZES.get(d, 4) for d in dims]
        values = rng.lognormal(size=shape).astype(
            np.float64 if var.name == "energy" else np.float32
        )
        if var.name in ("quality", "gap"):
            values = rng.integers(0, 9, shape).astype(
                np.uint32 if var.name == "quality" else np.int8
            )
        elif "time" in dims and not var.subset:
            values[0] = np.nan
        attrs = {"units": "nT" if var.units == "*" else var.units, "long_name": f"the {var.name}"}
        if var.framed:
            attrs["frame"] = "GSE"
        if var.name == "quality":
            attrs |= {"flag_masks": [1, 4], "flag_meanings": "low_counts far_away", "masking": 4}
        ds[var.name] = (dims, values, attrs)
    for dim in map(str, ds.dims):
        if dim in WORDS:
            words = (
                ["x", "y", "z"]
                if dim.startswith("component")
                else [f"{dim}{i}" for i in range(ds.sizes[dim])]
            )
            ds = ds.assign_coords({dim: words})
        elif dim in NUMBERS:
            numbers = np.linspace(0.0, 180.0, ds.sizes[dim])
            ds = ds.assign_coords({dim: (dim, numbers, {"units": "deg", "long_name": dim})})
    return datatype.check(ds)
