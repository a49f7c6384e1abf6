"""Words of pictures: units, labels and titles, from the attributes of data."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr


def pretty(units: str) -> str:
    """Return units with raised exponents: "km s^-1" as mathematics, "(nT)^2" without brackets."""
    units = "eV / (cm^2 s sr eV)" if units == "eV cm^-2 s^-1 sr^-1 eV^-1" else units
    units = re.sub(r"\((\w+)\)\^", r"\1^", units)
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", "" if units == "1" else units)


def label(symbol: str, array: xr.DataArray, scale: float = 1.0) -> str:
    """Return the label of an axis: a symbol over the units."""
    units = pretty(str(array.attrs.get("units", "")))
    if scale != 1.0:
        units = f"$10^{{{round(np.log10(scale))}}}$ {units}"
    return "\n".join(part for part in (symbol, f"[{units}]" if units else "") if part)


def long_name(ds: xr.Dataset, variable: str) -> str:
    """Return what a variable is, in words, of which particles."""
    array = ds[variable]
    text = str(array.attrs.get("long_name", array.name))
    species = str(ds.attrs.get("species", ""))
    text = text if species in text else f"{species} {text}"
    return re.sub(r"\b(H|He|O)(\+{1,2})", lambda m: f"{m[1]}$^{{{m[2]}}}$", text).replace(
        "e- ", "e$^{-}$ "
    )


def ns(ds: xr.Dataset) -> np.ndarray:
    """Return the times (time,) as integer nanoseconds since 1970 UTC."""
    return ds["time"].values.astype("datetime64[ns]").astype(np.int64)


def axes_of(array: xr.DataArray) -> list[str]:
    """Names of the components of a vector (..., component), as its frame calls them."""
    many = array.sizes[array.dims[-1]]
    if array.attrs.get("frame") == "RTN" and many == 3:
        return ["R", "T", "N"]
    named = "component" in array.coords
    return [str(c) for c in array["component"].values] if named else [*"xyzuvw"[:many]]
