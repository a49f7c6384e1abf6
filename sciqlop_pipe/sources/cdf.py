"""One CDF file as arrays: values with NaN for fill, times in nanoseconds UTC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np

from ..errors import SourceError, TruncatedFile, near
from .cdf_backends import Attribute, Backend, CdflibBackend, PycdfppBackend, VariableInfo
from .cdf_check import check_whole, has_md5, verify_md5
from .in_place import fill_at

_TIME_KINDS = ("epoch", "epoch16", "tt2000")
# How pycdfpp tells its time types.
_EPOCH_DTYPES = {
    "epoch": np.dtype([("mseconds", "<f8")]),
    "tt2000": np.dtype([("nseconds", "<i8")]),
}
_SECONDS_TO_1970 = 62_167_219_200.0
_MAX_SECONDS = 9.2e9


class CdfFile:
    """An open CDF file; a context manager.

    Parameters
    ----------
    path : Path
        Where it is.
    backend : Backend
        What reads it.
    """

    def __init__(self, path: Path, backend: Backend) -> None:
        self.path = path
        self._backend = backend

    def __enter__(self) -> CdfFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file; arrays already read stay valid."""
        self._backend.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The readable variables, in the order of the file."""
        return tuple(self._backend.contents.variables)

    @property
    def lost(self) -> tuple[str, ...]:
        """The variables of a truncated file that cannot be read; nameless ones are counted."""
        contents = self._backend.contents
        unnamed = (f"variables without names: {contents.nameless}",) if contents.nameless else ()
        return contents.lost + unnamed

    @property
    def global_attrs(self) -> Mapping[str, tuple[Attribute, ...]]:
        """The global attributes; each has a tuple of entries."""
        return MappingProxyType(dict(self._backend.contents.global_attrs))

    def has(self, name: str) -> bool:
        """Tell whether the file has a readable variable of this name."""
        return name in self._backend.contents.variables

    def attrs(self, name: str) -> Mapping[str, Attribute]:
        """Return the attributes of a variable: text, numbers, or tuples of numbers.

        Times are as stored: int (TT2000), float (EPOCH), a pair of floats (EPOCH16).
        """
        return MappingProxyType(dict(self._info(name).attrs))

    def is_record_varying(self, name: str) -> bool:
        """Tell whether a variable has one value per record (or one for all)."""
        return self._info(name).record_varying

    def depend(self, name: str, i: int) -> str | None:
        """Return the name in attribute DEPEND_i of a variable, None where it has none."""
        value = self._info(name).attrs.get(f"DEPEND_{i}")
        return (value.strip() or None) if isinstance(value, str) else None

    def raw(self, name: str) -> np.ndarray:
        """Return a variable as stored, (record, ...), or (...) if it is the same for all records.

        TT2000 is int64, EPOCH float64 [ms], EPOCH16 float64 (..., 2) [s, ps], text ``U``. Do not
        write into the array.

        Raises
        ------
        SourceError
            No such variable (near names are offered), lost with the end of a truncated file, or
            damaged.
        """
        self._info(name)
        return self._backend.read(name)

    def take(self, name: str) -> np.ndarray:
        """Return a variable as stored, in memory that is the caller's to write into.

        For what is large: there is no second copy of it. Read again, it is decoded anew.

        Raises
        ------
        SourceError
            As `raw`.
        """
        self._info(name)
        values = self._backend.take(name)
        return values if values.flags.writeable else values.copy()

    def values(self, name: str) -> np.ndarray:
        """Return a variable with NaN for its fill value, (record, ...) or (...).

        Floats keep their width. Integers stay integers where no fill occurs and become float64
        with NaN where it does. Text is stripped. Times come back as from `times`. VALIDMIN and
        VALIDMAX are not applied. Do not write into the array.

        Raises
        ------
        SourceError
            As `raw`.
        """
        info = self._info(name)
        if info.kind in _TIME_KINDS:
            return self.times(name)
        values = self.raw(name)
        if info.kind == "text":
            return np.char.strip(values)
        return mask_fill(values, info.attrs.get("FILLVAL"))

    def times(self, name: str) -> np.ndarray:
        """Return a time variable, (record) datetime64[ns] UTC, NaT for fill.

        Epochs outside the years that datetime64[ns] can express (1678 to 2262) are fill too.

        Raises
        ------
        SourceError
            As `raw`, or the variable is not of a CDF time type.
        """
        info = self._info(name)
        if info.kind not in _TIME_KINDS:
            raise SourceError(
                f"variable {name!r} is not of a time type (EPOCH, EPOCH16, TT2000)",
                str(self.path),
                "Read it with values() and convert its units",
            )
        return to_datetime64(self.raw(name), info)

    def _info(self, name: str) -> VariableInfo:
        contents = self._backend.contents
        if name in contents.variables:
            return contents.variables[name]
        if name in contents.lost:
            raise SourceError(
                f"variable {name!r} is lost: the file is truncated",
                str(self.path),
                "Download it again",
            )
        hint = near(name, contents.variables)
        if contents.nameless:
            hint = f"The names of {contents.nameless} are lost with the end of the file. {hint}"
        raise SourceError(f"no variable {name!r}", str(self.path), hint.strip())


def open_cdf(path: str | Path, *, salvage: bool = False, proven: bool = False) -> CdfFile:
    """Return an open CDF file, checked before any reader touches it.

    A file whose MD5 fits is read with pycdfpp in this process. Any other is walked record by
    record and read with pycdfpp in a child process, whose death costs an error, not the worker;
    its compressed values are held against their CRC. A flipped byte in uncompressed values
    without MD5 cannot be noticed.

    Parameters
    ----------
    path : path
        A CDF file of version 2.x or 3.x.
    salvage : bool
        Read the whole variables of a truncated file (with cdflib); the others are in `lost`.
    proven : bool
        These very bytes were read before (the caller compared a checksum): an MD5 at their end is
        not computed again. Without MD5 everything is checked as ever.

    Raises
    ------
    TruncatedFile
        The file is truncated and `salvage` is off.
    SourceError
        Not a CDF, damaged, or of a kind that cannot be read.
    """
    path = Path(path)
    try:
        check_whole(path)
    except TruncatedFile:
        if not salvage:
            raise
        return CdfFile(path, CdflibBackend(path))
    fits = True if proven and has_md5(path) else verify_md5(path)
    if fits:
        return CdfFile(path, PycdfppBackend(path, proven=True))
    if fits is not None:
        raise SourceError(
            "the MD5 at its end does not fit: the file is damaged", str(path), "Download it again"
        )
    from . import child

    # Without a child process (Windows) the careful reader takes its place.
    return CdfFile(path, child.ChildBackend(path) if child.AVAILABLE else CdflibBackend(path))


def mask_fill(values: np.ndarray, fill: Any) -> np.ndarray:
    """Return numbers with NaN instead of the fill value; the same array where there is none.

    Parameters
    ----------
    values : array of float or int
        As stored.
    fill : number or anything else
        The variable's FILLVAL; ignored where it is no number of the variable's type.
    """
    at = fill_at(values, fill)
    if at is None or not at.any():
        return values
    if values.dtype.kind == "f":
        return np.where(at, values.dtype.type(np.nan), values)
    return np.where(at, np.nan, values.astype("f8"))


def to_datetime64(raw: np.ndarray, info: VariableInfo) -> np.ndarray:
    """Return CDF times as datetime64[ns] UTC, NaT for fill; leap seconds by pycdfpp's table.

    Parameters
    ----------
    raw : array
        As `CdfFile.raw` gives it.
    info : VariableInfo
        Tells the kind of time and its FILLVAL.
    """
    fill = info.attrs.get("FILLVAL")
    if info.kind == "epoch16":
        times = _from_epoch16(raw)
        if isinstance(fill, tuple) and len(fill) == 2:
            times[(raw == np.asarray(fill)).all(axis=-1)] = np.datetime64("NaT", "ns")
        return times
    import pycdfpp

    if raw.size == 0:
        return np.empty(raw.shape, "M8[ns]")
    stamps = np.ascontiguousarray(raw).reshape(-1).view(_EPOCH_DTYPES[info.kind])
    times = np.array(pycdfpp.to_datetime64(stamps), "M8[ns]").reshape(raw.shape)
    if isinstance(fill, (int, float)):
        times[raw == fill] = np.datetime64("NaT", "ns")
    return times


def _from_epoch16(raw: np.ndarray) -> np.ndarray:
    """Return seconds and picoseconds since year 0, (..., 2), as the nearest datetime64[ns].

    pycdfpp cuts the picoseconds off, which turns 528858999999.99994 into a nanosecond less.
    """
    seconds = raw[..., 0] - _SECONDS_TO_1970
    known = np.abs(seconds) < _MAX_SECONDS
    ns = np.where(known, seconds, 0).astype("i8") * 1_000_000_000
    ns += np.rint(np.where(known, raw[..., 1], 0) / 1000).astype("i8")
    return np.where(known, ns.view("M8[ns]"), np.datetime64("NaT", "ns"))
