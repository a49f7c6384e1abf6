"""A dataset of the store in the words of HAPI: parameters, sizes, bins, units.

A HAPI dataset has one shape for ever. Where ours changes its mode (other tables, another number of
energies), tables become parameters that vary with time, and what is not there is filled: that is
what the specification says of sizes that change (section 3.6.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...granule import Interval
from ...model import Dataset
from ...store.layout import Layout, VarLayout
from . import times

TIME = "Time"
_SMALL = {"b1": True, "i1": True, "i2": True, "i4": True, "u1": True, "u2": True}
_BINARY = {"double": "<f8", "integer": "<i4"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of a parameter.

    `centers` are numbers, the name of the parameter that holds them, or None where a dimension is
    not made of bins; `words` label its elements.
    """

    name: str
    units: str = ""
    centers: tuple[float, ...] | str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One column, or block of columns: (time, *shape).

    `kind` is double, integer, string or isotime; `length` bytes of the latter two. `dtype` is what
    the store holds; what does not fit a HAPI type exactly goes out as double.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    length: int = 0
    dtype: str = ""
    axes: tuple[Axis, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def binary(self) -> tuple[str, ...] | tuple[str, str, tuple[int, ...]]:
        """Return the parameter as a field of a numpy record."""
        code = _BINARY.get(self.kind) or f"S{self.length}"
        return (self.name, code, self.shape) if self.shape else (self.name, code)

    def json(self) -> dict[str, Any]:
        """Return the parameter object of an info answer."""
        about: dict[str, Any] = {"name": self.name, "type": self.kind}
        if self.length:
            about["length"] = self.length
        if self.shape:
            about["size"] = list(self.shape)
        about["units"] = "UTC" if self.kind == "isotime" else self.attrs.get("units") or None
        about["fill"] = {"double": "NaN"}.get(self.kind)
        if self.attrs.get("long_name"):
            about["description"] = str(self.attrs["long_name"])
        if self.axes:
            about |= self._axes()
        if frame := self.attrs.get("frame"):
            about["coordinateSystemName"] = str(frame)
            if [a.words for a in self.axes] == [("x", "y", "z")]:
                about["vectorComponents"] = ["x", "y", "z"]
        if self.dtype:
            about["x_dtype"] = self.dtype
        if self.attrs:
            about["x_attrs"] = plain(dict(self.attrs))
        return about

    def _axes(self) -> dict[str, Any]:
        about: dict[str, Any] = {"x_dims": [a.name for a in self.axes]}
        if all(a.words for a in self.axes):
            about["label"] = _labels(self.name, [a.words for a in self.axes])
        if any(a.words for a in self.axes):
            about["x_words"] = [list(a.words) for a in self.axes]
        if any(a.centers is not None for a in self.axes):
            about["bins"] = [
                {
                    "name": a.name.removesuffix("_bin"),
                    "units": a.units or "dimensionless",
                    "centers": list(a.centers) if isinstance(a.centers, tuple) else a.centers,
                }
                for a in self.axes
            ]
        return about


def _labels(name: str, words: Sequence[tuple[str, ...]]) -> Any:
    if not words:
        return name
    return [_labels(f"{name}_{w}", words[1:]) for w in words[0]]


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset as HAPI sees it. `statics` hold what does not vary with time, beside bins."""

    parameters: tuple[Parameter, ...]
    start: int
    stop: int
    sample: tuple[int, int]
    cadence: float = 0.0
    location: str = "center"
    attrs: Mapping[str, Any] = field(default_factory=dict)
    statics: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""

    @property
    def time(self) -> Parameter:
        """Return the first parameter."""
        return self.parameters[0]

    def chosen(self, names: Sequence[str] | None) -> tuple[Parameter, ...]:
        """Return the parameters of an answer: those named, and time always."""
        if names is None:
            return self.parameters
        return tuple(p for i, p in enumerate(self.parameters) if not i or p.name in names)

    def record(self, parameters: Sequence[Parameter]) -> np.dtype[Any]:
        """Return one binary record of some parameters."""
        return np.dtype([p.binary for p in parameters])


def time_parameter(name: str = TIME, attrs: Mapping[str, Any] | None = None) -> Parameter:
    """Return a parameter of times with nanoseconds."""
    return Parameter(
        name, "isotime", length=times.LENGTH, dtype="datetime64[ns]", attrs=attrs or {}
    )


def describe(
    layouts: Sequence[Layout], static: Mapping[str, np.ndarray], first: Sequence[str] = ()
) -> tuple[Parameter, ...]:
    """Return the parameters of a dataset whose granules have these layouts, time first.

    Parameters
    ----------
    layouts : sequence of Layout
        All that are current, the last one last.
    static : mapping
        Values of the variables without time in the last layout.
    first : sequence of str
        Variables in the order in which they come; others follow by name.
    """
    last = {v.name: v for v in layouts[-1].variables}
    every: dict[str, list[VarLayout]] = {}
    for layout in layouts:
        for v in layout.variables:
            every.setdefault(v.name, []).append(v)
    varying = {
        name
        for name, seen in every.items()
        if name != "time" and (any(v.in_time for v in seen) or _changes(seen, len(layouts)))
    }
    found = [_parameter(n, every[n], len(layouts), static, last, varying) for n in varying]
    order = {name: i for i, name in enumerate(first)}
    found.sort(key=lambda p: (order.get(p.name, len(order)), p.name))
    return (time_parameter(), *found)


def statics(
    layouts: Sequence[Layout], static: Mapping[str, np.ndarray], varying: Sequence[str]
) -> dict[str, Any]:
    """Return the variables without time of the last layout that no parameter carries, as JSON."""
    return {
        v.name: {
            "dims": list(v.dims),
            "dtype": v.dtype,
            "attrs": plain(dict(v.attrs)),
            "coordinate": v.coordinate,
            "values": plain(static[v.name].tolist()),
        }
        for v in layouts[-1].variables
        if not v.in_time and v.name not in varying and v.name in static
    }


def _changes(seen: Sequence[VarLayout], layouts: int) -> bool:
    """Tell whether a table without time differs between layouts (words only label)."""
    numbers = all(np.dtype(v.dtype).kind in "fiu" for v in seen)
    return numbers and len({(v.static, v.shape) for v in seen}) > 1


def _parameter(
    name: str,
    seen: Sequence[VarLayout],
    layouts: int,
    static: Mapping[str, np.ndarray],
    last: Mapping[str, VarLayout],
    varying: set[str],
) -> Parameter:
    newest = seen[-1]
    ranks = {len(v.dims) - v.in_time for v in seen}
    rank = max(ranks)
    dims = next(v.dims[v.in_time :] for v in reversed(seen) if len(v.dims) - v.in_time == rank)
    shapes = [v.shape for v in seen if len(v.shape) == rank]
    shape = tuple(map(max, zip(*shapes, strict=True))) if rank else ()
    holes = len(seen) < layouts or len(set(shapes)) > 1 or len(ranks) > 1
    dtype = np.result_type(*(np.dtype(v.dtype) for v in seen)) if len(seen) > 1 else None
    kind, length = _kind(np.dtype(newest.dtype) if dtype is None else dtype, holes)
    tables = {k: v for k, v in last.items() if k != name}  # a table has no bins of itself
    axes = tuple(_axis(d, n, static, tables, varying) for d, n in zip(dims, shape, strict=True))
    return Parameter(name, kind, shape, length, newest.dtype, axes, dict(newest.attrs))


def _kind(dtype: np.dtype[Any], holes: bool) -> tuple[str, int]:
    if dtype.kind == "M":
        return "isotime", times.LENGTH
    if dtype.kind == "U":
        return "string", max(1, dtype.itemsize)  # UTF-8 needs no more than UTF-32
    if dtype.str[1:] in _SMALL and not holes:
        return "integer", 0
    return "double", 0


def _axis(
    dim: str,
    size: int,
    static: Mapping[str, np.ndarray],
    last: Mapping[str, VarLayout],
    varying: set[str],
) -> Axis:
    for name in (dim, dim.removesuffix("_bin")):
        v = last.get(name)
        if v is None or v.dims not in ((dim,), ("time", dim)):
            continue
        units = str(dict(v.attrs).get("units") or "")
        kind = np.dtype(v.dtype).kind
        if kind in "fiu":
            if name in varying:
                return Axis(dim, units, name)
            values = np.asarray(static[name], np.float64)
            if np.isfinite(values).all() and values.shape == (size,):
                return Axis(dim, units, tuple(values.tolist()))
        elif kind == "U" and name in static and static[name].shape == (size,):
            return Axis(dim, words=tuple(map(str, static[name].tolist())))
    return Axis(dim)


def promised(dataset: Dataset, interval: Interval) -> dict[str, Any]:
    """Return what is known of a product that has not been made: names, units, dimensions."""
    parameters: list[dict[str, Any]] = [{"name": "Time", "type": "isotime", "units": "UTC"}]
    for v in dataset.gives.variables:
        dims = list(v.dims[0])
        if dims[:1] != ["time"]:
            continue
        about: dict[str, Any] = {"name": v.name, "type": "double", "x_dims": dims[1:]}
        about["units"] = v.units if v.units != "*" else None
        if len(dims) == 2 and not dims[1].startswith("component"):
            about["bins"] = [{"name": dims[1], "units": "", "centers": None}]
        elif dims[1:] == ["component"]:
            about["label"] = [f"{v.name}_{c}" for c in "xyz"]
        parameters.append(about)
    return {
        "startDate": times.text_of(interval.start),
        "stopDate": times.text_of(interval.stop),
        "description": dataset.description or dataset.gives.description,
        "x_type": dataset.gives.name,
        "x_main": dataset.gives.main,
        "x_promised": True,
        "parameters": parameters,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: what is not a number becomes null."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def names_of(parameters: Sequence[Parameter]) -> Iterator[str]:
    """Yield the names of parameters."""
    return (p.name for p in parameters)
