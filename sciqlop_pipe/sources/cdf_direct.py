"""Large values straight from the blocks of a CDF that was walked: no CDF library, no second copy.

The walk has proven that every block lies inside the file and how many bytes it gives. Values as
they are are read into the array that they stay in; gzip blocks are inflated by libdeflate, which
holds them against their CRC-32. Neither can be led astray by what the bytes say, so this needs no
process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import SourceError
from .cdf_layout import AGAIN, GZIP
from .cdf_walk import Block, Structure, Variable

Room = Callable[[tuple[int, ...], np.dtype], np.ndarray]

SMALLEST_BYTES = 1 << 18
"""Below it the reader for all the rest is as good."""

_NUMBERS = {
    1: "i1", 2: "i2", 4: "i4", 8: "i8", 11: "u1", 12: "u2", 14: "u4", 21: "f4", 22: "f8",
    31: "f8", 33: "i8", 41: "i1", 44: "f4", 45: "f8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the values of a variable lie, and what they are.

    `shape` is (record, ...), `dtype` in the byte order of the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    row_major: bool
    blocks: tuple[Block, ...]

    @property
    def as_it_is(self) -> bool:
        """Tell whether nothing has to be inflated or turned."""
        return self.row_major and all(b.method == 0 for b in self.blocks)


def stored_values(structure: Structure) -> dict[str, Stored]:
    """Return the variables that can be read directly, by name.

    Those are large ones of numbers whose dimensions all vary, without holes between their records,
    and stored as they are or with gzip.

    Parameters
    ----------
    structure : Structure
        What the walk found.
    """
    order = ">" if structure.big_endian else "<"
    return {
        name: Stored(
            name,
            order + _NUMBERS[v.kind],
            (v.last_record + 1, *v.shape),
            structure.row_major,
            structure.blocks[name],
        )
        for name, v in structure.variables.items()
        if _is_direct(v, structure.blocks.get(name, ()))
    }


def _is_direct(v: Variable, blocks: tuple[Block, ...]) -> bool:
    return (
        v.kind in _NUMBERS
        and v.full
        and not v.sparse
        and v.size * (v.last_record + 1) >= SMALLEST_BYTES
        and all(b.method in (0, GZIP) for b in blocks)
        and bool(blocks)
        # What was allotted and not written lies behind the last record.
        and blocks[-1].last >= v.last_record
    )


def read_stored(file: BinaryIO, stored: Stored, where: str, room: Room = np.empty) -> np.ndarray:
    """Return the values of a variable as stored, (record, ...), in native byte order.

    Of a column-major file it is a view: what has to be turned anyhow is turned once.

    Parameters
    ----------
    file : file
        The CDF, open for reading bytes.
    stored : Stored
        From `stored_values` of this very file.
    where : str
        What an error calls it.
    room : callable
        Gives the array to read into, by shape and dtype.

    Raises
    ------
    SourceError
        Compressed values do not fit their CRC, or the file has become shorter.
    """
    dtype = np.dtype(stored.dtype)
    values = room(stored.shape, dtype)
    raw = values.reshape(-1).view(np.uint8).data
    size = values[:1].nbytes
    for block in stored.blocks:
        place = raw[block.first * size : (block.last + 1) * size]
        if not place:
            continue
        file.seek(block.at)
        if block.method == GZIP:
            whole = (block.last + 1 - block.first) * size
            found = _inflated(file.read(block.size), whole, stored, block, where)
            place[:] = memoryview(found)[: len(place)]
        elif file.readinto(place) != len(place):  # type: ignore[attr-defined]
            raise SourceError("has become shorter while it was read", where, AGAIN)
    if dtype.byteorder == ">" and sys.byteorder == "little":
        values = values.byteswap(inplace=True).view(dtype.newbyteorder("="))
    if not stored.row_major and values.ndim > 2:
        columns = values.reshape(len(values), *values.shape[:0:-1])
        return columns.transpose(0, *range(values.ndim - 1, 0, -1))
    return values


def _inflated(data: bytes, size: int, stored: Stored, block: Block, where: str) -> bytearray:
    import deflate

    try:
        found: bytearray = deflate.gzip_decompress(data, size)
        fault = "" if len(found) == size else f"{len(found)} bytes instead of {size}"
    except (deflate.DeflateError, ValueError) as error:
        found, fault = bytearray(), str(error) or "they do not fit their CRC"
    if fault:
        raise SourceError(
            f"variable {stored.name!r}, records {block.first} to {block.last}: compressed data are "
            f"damaged ({fault})",
            where,
            AGAIN,
        )
    return found


def open_checked(path: str | Path, stamp: tuple[int, ...]) -> BinaryIO:
    """Return a file that is still the one of a stamp, open for reading.

    Raises
    ------
    SourceError
        It is another one by now, or gone.
    """
    try:
        file = Path(path).open("rb")  # noqa: SIM115 (handed on)
    except OSError as error:
        raise SourceError(
            f"cannot be opened ({error.strerror or error})", str(path), "Check the path and rights"
        ) from error
    if stamp_of(file.fileno()) != stamp:
        file.close()
        raise SourceError("was replaced while it was read", str(path), "Run again")
    return file


def stamp_of(file: str | int) -> tuple[int, ...]:
    """Return what tells a file from one that takes its place: inode, size, modification time."""
    import os

    state = os.stat(file)  # noqa: PTH116 - also of descriptors
    return (state.st_ino, state.st_size, state.st_mtime_ns)
