"""A published CDF file as the dataset it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from ...errors import SourceError
from ...sources.cdf import CdfFile, open_cdf
from ...store.layout import Layout, VarLayout
from .encode import EPOCH, LAYOUT


def from_cdf(path: Path) -> xr.Dataset:
    """Return the dataset that `to_cdf` wrote into a file, in memory, identical to what it was.

    Raises
    ------
    SourceError
        When the file is damaged, or not one of ours.
    """
    with open_cdf(path) as file:
        if LAYOUT not in file.global_attrs:
            raise SourceError(
                "this CDF file was not published by SciQLOP Pipe", str(path),
                "Read it with the adapter of its mission",
            )  # fmt: skip
        layout = Layout.from_json(str(file.global_attrs[LAYOUT][0]))
        variables = {v.name: (v.dims, _values(file, v), dict(v.attrs)) for v in layout.variables}
    coords = {v.name for v in layout.variables if v.coordinate}
    return xr.Dataset(
        {k: v for k, v in variables.items() if k not in coords},
        {k: v for k, v in variables.items() if k in coords},
        dict(layout.attrs),
    )


def _values(file: CdfFile, var: VarLayout) -> np.ndarray:
    name = EPOCH if var.name == "time" else var.name
    dtype = np.dtype(var.dtype)
    if dtype.kind == "U":
        return np.char.rstrip(file.raw(name)).astype(dtype).reshape(var.shape)
    if dtype.kind == "M":
        values = file.times(name)
    elif dtype.kind == "f":
        values = file.values(name).astype(dtype, copy=False)
    else:
        values = file.raw(name)
        values = (
            values.view(dtype) if values.dtype.itemsize == dtype.itemsize else values.astype(dtype)
        )
    if "time" in var.dims and var.dims[0] != "time":
        at = var.dims.index("time")
        return np.moveaxis(values, 0, at)
    return values if "time" in var.dims else values.reshape(var.shape)
