"""The two readers behind a CDF file: pycdfpp (fast) and cdflib (careful, for truncated files)."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ..errors import SourceError
from .cdf_crc import verify_values
from .cdf_direct import (
    SMALLEST_BYTES,
    Stored,
    open_checked,
    read_stored,
    stamp_of,
    stored_values,
)
from .cdf_walk import variable_states, walk_records

Kind = Literal["number", "text", "epoch", "epoch16", "tt2000"]
Attribute = str | int | float | tuple[Any, ...]

_KINDS: dict[int, Kind] = {31: "epoch", 32: "epoch16", 33: "tt2000", 51: "text", 52: "text"}
_DTYPES = {
    1: "i1", 2: "i2", 4: "i4", 8: "i8", 11: "u1", 12: "u2", 14: "u4", 21: "f4", 22: "f8",
    31: "f8", 32: "f8", 33: "i8", 41: "i1", 44: "f4", 45: "f8", 51: "U1", 52: "U1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class VariableInfo:
    """What a CDF says about one variable, without its values."""

    name: str
    kind: Kind
    record_varying: bool
    attrs: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """All variables of a CDF by name, and its global attributes (each with all its entries).

    `lost` names the variables of a truncated file that are not whole; `nameless` counts those
    whose very names are lost.
    """

    variables: Mapping[str, VariableInfo]
    global_attrs: Mapping[str, tuple[Attribute, ...]]
    lost: tuple[str, ...] = ()
    nameless: int = 0


class Backend(Protocol):
    """Reads one CDF file.

    Values are as stored: native byte order, row major, records first, no record dimension where
    the variable has one value for all records. TT2000 is int64, EPOCH float64, EPOCH16 float64
    with a last dimension (seconds, picoseconds), text ``U``.
    """

    contents: Contents

    def read(self, name: str) -> np.ndarray:
        """Return the values of a variable; raises SourceError where they cannot be read."""

    def take(self, name: str) -> np.ndarray:
        """Return them in memory that nobody else reads."""

    def close(self) -> None:
        """Release the file."""


class PycdfppBackend:
    """Reads with pycdfpp, which trusts every offset in the file: the walk comes first.

    Parameters
    ----------
    path : path
        A whole CDF file.
    proven : bool
        A checksum of the whole file has been verified: neither the walk nor the CRC of
        compressed values is needed.
    """

    def __init__(self, path: str | Path, *, proven: bool = False) -> None:
        import pycdfpp

        self._path = str(path)
        self._stamp = stamp_of(self._path)
        self._structure = None if proven else walk_records(path)
        self._taken: set[str] = set()
        try:
            self._cdf = pycdfpp.load(self._path)
            self.contents = Contents(
                {name: _pycdfpp_info(name, self._cdf[name]) for name in self._cdf.keys()},  # noqa: SIM118
                {
                    name: tuple(_plain_attribute(entries[i]) for i in range(len(entries)))
                    for name, entries in self._cdf.attributes.items()
                },
            )
        except _PYCDFPP_ERRORS as error:
            raise self._unreadable("the file", error) from error

    @functools.cached_property
    def stored(self) -> Mapping[str, Stored]:
        """The variables whose values can be read without a CDF library."""
        return stored_values(self._structure or walk_records(self._path))

    def read(self, name: str) -> np.ndarray:
        """Return the values of a variable as stored."""
        if name in self._taken:
            self.forget()
        variable, info = self._cdf[name], self.contents.variables[name]
        try:
            values = variable.values
        except _PYCDFPP_ERRORS as error:
            raise self._unreadable(f"variable {name!r}", error) from error
        if self._structure is not None:
            verify_values(self._path, name, values, self._structure)
        if values.dtype.names:
            fields = len(values.dtype.names)
            values = values.view(values.dtype[0]).reshape(values.shape + (fields,) * (fields > 1))
        elif values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        if not variable.is_zvariable:
            # A dimension along which an rVariable does not vary has one element here.
            values = values.reshape(len(values), *(n for n in values.shape[1:] if n > 1))
        return values if info.record_varying or len(values) != 1 else values[0]

    def take(self, name: str) -> np.ndarray:
        """Return the values of a variable in memory that is written over by whoever takes them."""
        # pycdfpp maps the file and copies from it: as it lies there, one copy is enough.
        variable = self._cdf[name]
        large = math.prod(variable.shape) >= SMALLEST_BYTES // 4
        plain = variable.compression.name == "no_compression"
        if large and plain and (stored := self.stored.get(name)) is not None and stored.as_it_is:
            with open_checked(self._path, self._stamp) as file:
                found = read_stored(file, stored, self._path)
            return found if self.contents.variables[name].record_varying else found[0]
        values = self.read(name)
        self._taken.add(name)
        return values

    def forget(self) -> None:
        """Let go of what has been decoded: pycdfpp keeps every variable that was read."""
        import pycdfpp

        self._taken.clear()
        try:
            self._cdf = pycdfpp.load(self._path)
        except _PYCDFPP_ERRORS as error:
            raise self._unreadable("the file", error) from error

    def close(self) -> None:
        """Release the file."""
        self._cdf = None

    def _unreadable(self, which: str, error: Exception) -> SourceError:
        return SourceError(
            f"pycdfpp cannot read {which} ({error})", self._path, "Download it again"
        )


_PYCDFPP_ERRORS = (ValueError, RuntimeError, LookupError, MemoryError, TypeError, OSError)


def _pycdfpp_info(name: str, variable: Any) -> VariableInfo:
    attrs = {key: _plain_attribute(value.value) for key, value in variable.attributes.items()}
    kind = _KINDS.get(int(variable.type.value), "number")
    return VariableInfo(name, kind, not variable.is_nrv, attrs)


class CdflibBackend:
    """Reads a truncated CDF with cdflib: slow, pure Python, raises where pycdfpp would die.

    Raises
    ------
    SourceError
        Nothing of the file can be read.
    """

    def __init__(self, path: str | Path) -> None:
        import cdflib

        self._path = str(path)
        states, nameless = variable_states(path)
        try:
            self._cdf = cdflib.CDF(self._path)
        except Exception as error:
            raise SourceError(
                f"nothing can be salvaged ({error})", self._path, "Download it again"
            ) from error
        variables = {}
        lost = []
        for name, whole in states.items():
            info = self._info(name) if whole else None
            if info is None:
                lost.append(name)
            else:
                variables[name] = info
        self.contents = Contents(variables, self._global_attrs(), tuple(lost), nameless)

    def _info(self, name: str) -> VariableInfo | None:
        """Return None where the attributes are cut: without them fill values are unknown."""
        try:
            inquiry = self._cdf.varinq(name)
            attrs = {k: _plain_attribute(v) for k, v in self._cdf.varattsget(name).items()}
        except Exception:  # noqa: BLE001
            return None
        return VariableInfo(name, _KINDS.get(inquiry.Data_Type, "number"), inquiry.Rec_Vary, attrs)

    def _global_attrs(self) -> dict[str, tuple[Attribute, ...]]:
        try:
            found = self._cdf.globalattsget()
        except Exception:  # noqa: BLE001
            return {}
        return {
            name: tuple(_plain_attribute(entry) for entry in entries)
            for name, entries in found.items()
        }

    def read(self, name: str) -> np.ndarray:
        """Return the values of a variable as stored."""
        try:
            inquiry = self._cdf.varinq(name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self._cdf.varget(name)
        except Exception as error:
            raise SourceError(
                f"variable {name!r} is lost: the file is truncated ({error})",
                self._path,
                "Download it again",
            ) from error
        dims = tuple(
            int(n) for n, vary in zip(inquiry.Dim_Sizes, inquiry.Dim_Vary, strict=False) if vary
        )
        if inquiry.Data_Type == 32:
            dims = (*dims, 2)
        if found is None:
            return np.empty((0, *dims), _DTYPES[inquiry.Data_Type])
        values = np.asarray(found)
        if values.dtype.kind == "c":
            values = np.ascontiguousarray(values).view("f8")
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        return values.reshape((-1, *dims) if inquiry.Rec_Vary else dims)

    def take(self, name: str) -> np.ndarray:
        """Return the values of a variable: every reading makes an array of its own."""
        return self.read(name)

    def close(self) -> None:
        """Release the file."""
        self._cdf = None


def _plain_attribute(value: Any) -> Attribute:
    """Return an attribute as text, a number, or a tuple of them; epochs as stored numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = tuple(_plain_item(item) for item in value)
        return items[0] if len(items) == 1 else items
    return _plain_item(value)


def _plain_item(item: Any) -> Attribute:
    if isinstance(item, np.generic):
        item = item.item()
    if isinstance(item, complex):
        return (item.real, item.imag)
    if hasattr(item, "picoseconds"):
        return (item.seconds, item.picoseconds)
    for unit in ("mseconds", "nseconds"):
        if hasattr(item, unit):
            return getattr(item, unit)  # type: ignore[no-any-return]
    return item if isinstance(item, (str, int, float)) else str(item)
