"""Tables in text files, plain or gzip, seen as CDF files: the same adapters read both.

`TextTable` declares where the columns are; `open_table` gives the file as a `CdfFile` with one
variable per column and a time called "time". `TextSource` is a `FileSource` of such files.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from ..errors import SourceError, TruncatedFile
from .cdf import CdfFile
from .cdf_backends import Attribute, Contents, VariableInfo
from .files import FileSource

TIME = "time"

Rows = Sequence[list[str]]
"""The words of every row."""

_GZIP = b"\x1f\x8b"
_SECONDS_TO_1970 = 62_167_219_200


class Clock(Protocol):
    """Says when the rows of a table were measured."""

    def times(self, rows: Rows, path: Path) -> np.ndarray:
        """Return the time tags (row,) as datetime64[ns]."""


@dataclass(frozen=True, slots=True)
class YearDayHour:
    """Times of three columns: year, day of the year (1 is 1 January), hour."""

    first: int = 0

    def times(self, rows: Rows, path: Path) -> np.ndarray:
        """Return the time tags (row,) as datetime64[ns]."""
        cells = [row[self.first : self.first + 3] for row in rows]
        year, day, hour = np.array(cells, np.int64).reshape(-1, 3).T
        odd = (day < 1) | (day > 366) | (hour < 0) | (hour > 24)
        if odd.any():
            raise ValueError(f"no day of a year and hour: {' '.join(cells[int(odd.argmax())])}")
        years = (year - 1970).astype("M8[Y]").astype("M8[D]")
        return (years + (day - 1) + hour.astype("m8[h]")).astype("M8[ns]")


@dataclass(frozen=True, slots=True)
class SinceName:
    """Times of one column: seconds since the start in the file name, or a date and time.

    Parameters
    ----------
    start : str
        Regular expression whose groups are year, month, day, hour and minute in the file name.
    column : int
        Where the time is.
    """

    start: str
    column: int = 0

    def times(self, rows: Rows, path: Path) -> np.ndarray:
        """Return the time tags (row,) as datetime64[ns]."""
        words = [row[self.column] for row in rows]
        if words and re.match(r"\d+-\d", words[0]):
            return np.array([word.replace("/", "T") for word in words], "M8[ns]")
        found = re.search(self.start, path.name)
        if found is None:
            raise SourceError("the file name tells no start", str(path), "Keep the archive's name")
        year, month, day, hour, minute = found.groups()
        start = np.datetime64(f"{year}-{month}-{day}T{hour}:{minute}", "ns")
        seconds = np.array(words, np.float64)
        return start + np.rint(seconds * 1e9).astype("m8[ns]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its place (from 0), name, unit and fill value."""

    index: int
    name: str
    units: str
    fill: float | None = None

    @property
    def attrs(self) -> dict[str, Attribute]:
        """Return what a CDF variable would say."""
        attrs: dict[str, Attribute] = {"UNITS": self.units, "DEPEND_0": TIME}
        return attrs if self.fill is None else {**attrs, "FILLVAL": self.fill}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of numbers with blanks between them.

    Parameters
    ----------
    columns : tuple of Column
        Those that are read.
    width : int
        Words per row: a row with another number of them is damaged.
    clock : Clock
        When the rows are.
    header : int
        Lines before the first row.
    """

    columns: tuple[Column, ...]
    width: int
    clock: Clock
    header: int = 0


class TableBackend:
    """The columns of a text file, as `CdfFile` reads variables."""

    def __init__(self, path: Path, table: TextTable, *, salvage: bool = False) -> None:
        rows = [line.split() for line in _lines(path, salvage)[table.header :]]
        at = next((i for i, row in enumerate(rows) if len(row) != table.width), None)
        if at is not None:
            raise SourceError(
                f"row {at + 1} has {len(rows[at])} words, expected {table.width}",
                str(path),
                "The file is damaged, or no file of this dataset",
            )
        try:
            times = np.asarray(table.clock.times(rows, path))
            self._values = {c.name: _numbers(rows, c.index) for c in table.columns}
        except ValueError as error:
            raise SourceError(f"a cell cannot be read ({error})", str(path)) from error
        self._values[TIME] = _epoch16(times)
        infos = {c.name: VariableInfo(c.name, "number", True, c.attrs) for c in table.columns}
        infos[TIME] = VariableInfo(TIME, "epoch16", True)
        self.contents = Contents(MappingProxyType(infos), {})

    def read(self, name: str) -> np.ndarray:
        """Return a column, or the times as EPOCH16."""
        return self._values[name]

    def take(self, name: str) -> np.ndarray:
        """Return a copy of the values of a column."""
        return self.read(name).copy()

    def close(self) -> None:
        """Nothing is kept open."""


def open_table(path: str | Path, table: TextTable, *, salvage: bool = False) -> CdfFile:
    """Return a table in a text file as if it were a CDF file.

    Parameters
    ----------
    path : path
        A text file, or one compressed with gzip, whose CRC is checked.
    table : TextTable
        Where its columns are.
    salvage : bool
        Read the whole rows of a file that ends within a row or a gzip stream.

    Raises
    ------
    TruncatedFile
        It ends so and `salvage` is off. A text cut at the end of a row cannot be told from a
        shorter one.
    SourceError
        It cannot be read as such a table.
    """
    path = Path(path)
    return CdfFile(path, TableBackend(path, table, salvage=salvage))


@dataclass(frozen=True)
class TextSource(FileSource):
    """Text tables found by name; the parameter `table` says where their columns are."""

    table: TextTable | None = None

    def open(self, path: Path, *, salvage: bool = False, proven: bool = False) -> CdfFile:
        """Return a raw file as the adapter takes it."""
        if self.table is None:
            raise SourceError("no table is declared", str(path))
        return open_table(path, self.table, salvage=salvage)


def _lines(path: Path, salvage: bool) -> list[str]:
    raw = path.read_bytes()
    if not raw:
        raise SourceError("the file is empty", str(path), "Fetch it again")
    data, whole = _unzipped(raw, path) if raw.startswith(_GZIP) else (raw, True)
    end = data.rfind(b"\n") + 1
    if (end != len(data) or not whole) and not salvage:
        raise TruncatedFile("the text ends within a row", str(path), "Fetch it again")
    try:
        text = data[:end].decode("ascii")
    except UnicodeDecodeError as error:
        raise SourceError(f"not a text of numbers ({error.reason})", str(path)) from error
    return text.splitlines()


def _unzipped(raw: bytes, path: Path) -> tuple[bytes, bool]:
    """Return what a gzip file holds, all its members (`cat a.gz b.gz`), and whether it is whole."""
    parts, whole = [], True
    while raw.strip(b"\0"):  # tapes pad with zeros
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(raw))
        except zlib.error as error:
            raise SourceError(
                f"damaged gzip data ({error})", str(path), "Fetch it again"
            ) from error
        raw, whole = stream.unused_data, stream.eof
    return b"".join(parts), whole


def _numbers(rows: Rows, index: int) -> np.ndarray:
    return np.array([row[index] for row in rows], np.float64)


def _epoch16(times: np.ndarray) -> np.ndarray:
    ns = times.astype("M8[ns]").astype(np.int64)
    second, rest = np.divmod(ns, 1_000_000_000)
    parts: Any = (second + _SECONDS_TO_1970, rest * 1000)
    return np.stack([part.astype(np.float64) for part in parts], axis=-1)
