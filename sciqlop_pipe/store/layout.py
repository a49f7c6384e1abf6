"""The layout of a granule: what can be concatenated with what, and a digest of decoded content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr
from blake3 import blake3

#: Units of stored times, as xarray decodes them.
TIME_UNITS = "nanoseconds since 1970-01-01"
#: The content hash of a granule without a record.
EMPTY = "empty"
_B3 = "b3:"


@dataclass(frozen=True, slots=True)
class VarLayout:
    """One variable: its dims, dtype, the shape without time, attributes.

    For a variable that does not depend on time `static` is the digest of its values.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]
    attrs: tuple[tuple[str, Any], ...]
    coordinate: bool
    static: str = ""

    @property
    def in_time(self) -> bool:
        """Tell whether the variable has a value per record."""
        return bool(self.dims) and self.dims[0] == "time"


_FACTS = tuple(f.name for f in fields(VarLayout))


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything about a granule but its values; equal signatures concatenate."""

    variables: tuple[VarLayout, ...]
    attrs: tuple[tuple[str, Any], ...]

    @property
    def signature(self) -> str:
        """Return a short hash of what must agree for two granules to be concatenated."""
        shape = [(v.name, v.dims, v.dtype, v.shape, v.static) for v in self.variables]
        return hashlib.blake2b(json.dumps(shape).encode(), digest_size=8).hexdigest()

    def to_json(self) -> str:
        """Return the layout as text."""
        # Not asdict, which copies every attribute deeply: 2 ms of each commit.
        variables = [{name: getattr(v, name) for name in _FACTS} for v in self.variables]
        return json.dumps({"variables": variables, "attrs": self.attrs}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Layout:
        """Return the layout that `to_json` wrote."""
        data = json.loads(text)
        return cls(
            tuple(
                VarLayout(
                    v["name"],
                    tuple(v["dims"]),
                    v["dtype"],
                    tuple(v["shape"]),
                    _pairs(v["attrs"]),
                    v["coordinate"],
                    v["static"],
                )
                for v in data["variables"]
            ),
            _pairs(data["attrs"]),
        )


def _pairs(items: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((k, v) for k, v in items)


def plain_attrs(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes as JSON can hold them, sorted by name."""
    return {str(k): _plain(attrs[k]) for k in sorted(attrs, key=str)}


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, list, tuple)):
        return (
            [_plain(v) for v in np.asarray(value).ravel().tolist()]
            if isinstance(value, np.ndarray)
            else [_plain(v) for v in value]
        )
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def raw_values(variable: xr.Variable) -> np.ndarray[Any, Any]:
    """Return the values as stored: C order, the machine's byte order.

    Times become int64 nanoseconds, words unicode no wider than the longest.
    """
    values = np.asarray(variable.values, order="C")
    if values.dtype.kind == "M":
        return values.astype("datetime64[ns]").view(np.int64)
    if values.dtype.kind == "m":
        return values.astype("timedelta64[ns]").view(np.int64)
    if values.dtype.kind in "OTU":
        return words(values)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def words(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return text of any dtype as fixed-width unicode, which every numpy hashes and compares."""
    return np.array(values.tolist(), dtype=np.str_)


def stored_attrs(variable: xr.Variable) -> dict[str, Any]:
    """Return a variable's attributes with the CF words that let xarray decode times."""
    attrs = plain_attrs(variable.attrs)
    if variable.dtype.kind == "M":
        attrs |= {"units": TIME_UNITS, "calendar": "proleptic_gregorian"}
    return attrs


def layout_of(ds: xr.Dataset) -> Layout:
    """Return the layout of an in-memory dataset."""
    variables = []
    for name in sorted(map(str, ds.variables)):
        var = ds.variables[name]
        in_time = "time" in var.dims
        values = raw_values(var)
        variables.append(
            VarLayout(
                name=name,
                dims=tuple(map(str, var.dims)),
                dtype="datetime64[ns]" if var.dtype.kind == "M" else values.dtype.str,
                shape=tuple(s for d, s in zip(var.dims, var.shape, strict=True) if d != "time"),
                attrs=tuple(plain_attrs(var.attrs).items()),
                coordinate=name in ds.coords,
                static="" if in_time else _digest(values),
            )
        )
    return Layout(tuple(variables), tuple(plain_attrs(ds.attrs).items()))


def _digest(values: np.ndarray[Any, Any]) -> str:
    return hashlib.blake2b(values.tobytes(), digest_size=8).hexdigest()


def hashed_before(content: str) -> bool:
    """Tell whether a hash of content is of the kind that stores had before 2026-11-26."""
    return content not in ("", EMPTY) and not content.startswith(_B3)


def content_after(ds: xr.Dataset, before: str) -> str:
    """Return the content hash of what replaces a granule: that of before where nothing differs.

    So content that was hashed in the earlier way stays equal, and nothing made of it is stale.
    """
    if hashed_before(before) and content_hash(ds, before) == before:
        return before
    return content_hash(ds)


def content_hash(ds: xr.Dataset, like: str = "") -> str:
    """Return the digest of all decoded values, dims and attributes: equal content, equal hash.

    Parameters
    ----------
    ds : Dataset
        In memory.
    like : str
        A hash to be compared with: those of stores before 2026-11-26 are BLAKE2b and have no
        "b3:" in front. Without it, BLAKE3, which is six times as fast.
    """
    earlier = hashed_before(like)
    total: Any = hashlib.blake2b(digest_size=16) if earlier else blake3()
    total.update(json.dumps(plain_attrs(ds.attrs)).encode())
    for name in sorted(map(str, ds.variables)):
        var = ds.variables[name]
        values = raw_values(var)
        head = [name, list(map(str, var.dims)), values.dtype.str, list(values.shape)]
        total.update(json.dumps([*head, plain_attrs(var.attrs)]).encode())
        plain = values.size and values.dtype.kind != "U"
        total.update(values.reshape(-1).view(np.uint8).data if plain else values.tobytes())
    return str(total.hexdigest()) if earlier else f"{_B3}{total.hexdigest(length=16)}"
