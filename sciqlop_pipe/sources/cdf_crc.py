"""The CRC-32 that every gzip block of a CDF carries, and that fast readers do not look at."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import SourceError
from .cdf_layout import AGAIN, GZIP
from .cdf_walk import Block, Structure


def verify_values(path: str | Path, name: str, values: np.ndarray, structure: Structure) -> None:
    """Refuse a variable whose compressed blocks do not fit their CRC-32.

    A flipped byte in compressed data comes out of the decoder as wrong numbers. Where the decoded
    values can be laid out as in the file their CRC is computed from them, which costs little;
    blocks that do not fit, and all others, are uncompressed again to be sure. Blocks without
    compression have no checksum.

    Parameters
    ----------
    path : path
        The CDF file.
    name : str
        The variable.
    values : array (record, ...)
        Its decoded values, row major, in native byte order.
    structure : Structure
        What the walk found.

    Raises
    ------
    SourceError
        Names the variable and its damaged records.
    """
    blocks = [block for block in structure.blocks.get(name, ()) if block.method == GZIP]
    if not blocks:
        return
    with Path(path).open("rb") as file:
        doubtful = [b for b in blocks if not _fits(file, b, values, structure)]
        _verify_gzip(file, doubtful, str(path), name)


def _fits(file: BinaryIO, block: Block, values: np.ndarray, structure: Structure) -> bool:
    """Tell whether the decoded records have the CRC at the end of their gzip stream."""
    if values.dtype.kind in "SU" or block.last >= len(values):
        return False
    records = values[block.first : block.last + 1]
    if not structure.row_major and records.ndim > 2:
        records = records.transpose(0, *range(records.ndim - 1, 0, -1))
    if structure.big_endian != (sys.byteorder == "big"):
        records = records.byteswap()
    file.seek(block.at + block.size - 8)
    told = int.from_bytes(file.read(4), "little")
    return zlib.crc32(np.ascontiguousarray(records).reshape(-1).view(np.uint8).data) == told


def _verify_gzip(file: BinaryIO, blocks: Iterable[Block], where: str, name: str) -> None:
    for block in blocks:
        file.seek(block.at)
        stream = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
        try:
            stream.decompress(file.read(block.size))
            fault = "" if stream.eof else "they have no end"
        except zlib.error as error:
            fault = str(error)
        if fault:
            raise SourceError(
                f"variable {name!r}, records {block.first} to {block.last}: compressed data are "
                f"damaged ({fault})",
                where,
                AGAIN,
            )
