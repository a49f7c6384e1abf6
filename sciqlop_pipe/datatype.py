"""DataType: a shape that missions share, and the check that says what is wrong and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import DataTypeError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Var:
    """One variable of a DataType.

    `dims` lists the alternatives the variable may have. With `subset`, any ordered subset of an
    alternative that has `along` will do (a table that may or may not change with time). Units "*"
    accepts any.
    """

    name: str
    dims: tuple[tuple[str, ...], ...]
    units: str = "*"
    required: bool = True
    subset: bool = False
    framed: bool = False
    along: tuple[str, ...] = ()

    def fits(self, dims: tuple[str, ...]) -> bool:
        """Tell whether dimensions are among those allowed."""
        if not self.subset:
            return dims in self.dims
        return set(self.along) <= set(dims) and any(
            dims == tuple(d for d in full if d in dims) for full in self.dims
        )


@dataclass(frozen=True)
class DataType:
    """A shape shared by missions: dims, units and validity, versioned.

    `X | None` marks an optional input in a recipe's annotation.

    Parameters
    ----------
    name : str
        Its name in errors, fingerprints and documentation.
    variables : tuple of Var
        What it holds.
    attrs : tuple of str
        Dataset attributes that must be there.
    version : int
        Raise it when the layout changes.
    main : str
        The variable that plots and servers show.
    records : int
        Records per chunk in the store; 0 lets size decide.
    """

    name: str
    variables: tuple[Var, ...] = ()
    attrs: tuple[str, ...] = ()
    version: int = 1
    main: str = ""
    records: int = 0
    description: str = ""
    in_sql: bool = False

    def __or__(self, other: None) -> MaybeType:
        return MaybeType(self) if other is None else NotImplemented

    __ror__ = __or__

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    def problems(self, ds: xr.Dataset) -> Iterator[str]:
        """Yield, in words, everything that keeps a dataset from being of this type."""
        if "time" not in ds.coords or ds["time"].dims != ("time",):
            yield "there is no time coordinate"
            return
        time = ds["time"].values
        if time.dtype != np.dtype("datetime64[ns]"):
            yield f"time is {time.dtype}, expected datetime64[ns]"
        elif np.isnat(time).any():
            yield "time holds NaT"
        elif time.size > 1 and not (time[1:] > time[:-1]).all():
            at = int(np.argmax(time[1:] <= time[:-1]))
            yield f"time does not increase strictly at record {at + 1} ({time[at + 1]})"
        for attr in self.attrs:
            if attr not in ds.attrs:
                yield f"attribute '{attr}' is missing"
        for var in self.variables:
            if var.name in ds:
                yield from _variable_problems(var, ds[var.name])
            elif var.required:
                yield f"variable '{var.name}' is missing"

    def check(self, ds: xr.Dataset, where: str = "") -> xr.Dataset:
        """Return the dataset unchanged when it is of this type.

        Raises
        ------
        DataTypeError
            With everything that is wrong.
        """
        if wrong := list(self.problems(ds)):
            raise DataTypeError(f"not a {self.name}: " + "; ".join(wrong), where)
        return ds


def _variable_problems(var: Var, array: xr.DataArray) -> Iterator[str]:
    dims = tuple(str(d) for d in array.dims)
    if not var.fits(dims):
        expected = " or ".join(f"({', '.join(d)})" for d in var.dims)
        yield f"{var.name} has dims ({', '.join(dims)}), expected {expected}"
    units = array.attrs.get("units")
    if units is None:
        yield f"{var.name} has no units"
    elif var.units != "*" and units != var.units:
        yield f"{var.name} is in '{units}', expected '{var.units}'"
    if "long_name" not in array.attrs:
        yield f"{var.name} has no long_name"
    if var.framed and not array.attrs.get("frame"):
        yield f"{var.name} is a vector without a frame"


@dataclass(frozen=True, slots=True)
class MaybeType:
    """A DataType that may be absent: what `X | None` means in a recipe."""

    datatype: DataType
