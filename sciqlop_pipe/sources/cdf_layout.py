"""The header records of a CDF file, read without any CDF library.

Layouts: "CDF Internal Format Description" (NASA/GSFC SPDF), versions 2.5 to 3.9. Everything in
the records is big endian. Version 3 has 64-bit offsets and 256-byte names, version 2 has 32-bit
offsets and 64-byte names; up to 2.4 a variable record carries 128 bytes more.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import SourceError, TruncatedFile

AGAIN = "Download it again"

MAGIC_BYTES = 8
MD5_BYTES = 16
_PEEK_BYTES = 4096
_MOST_BYTES = 1 << 62  # what zlib can be told
_MAGICS = {0xCDF30001: 3, 0xCDF26002: 2, 0x0000FFFF: 2}
_PLAIN, _PACKED = 0x0000FFFF, 0xCCCC0001
_RLE, GZIP = 1, 5

CDR, GDR, R_VDR, ADR, GR_AEDR, VXR, VVR, Z_VDR, Z_AEDR, CCR, CPR, SPR, CVVR = range(1, 14)
RECORD_NAMES = {
    CDR: "CDR", GDR: "GDR", R_VDR: "rVDR", ADR: "ADR", GR_AEDR: "AgrEDR", VXR: "VXR", VVR: "VVR",
    Z_VDR: "zVDR", Z_AEDR: "AzEDR", CCR: "CCR", CPR: "CPR", SPR: "SPR", CVVR: "CVVR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Widths:
    """Field widths [bytes] of one generation of CDF files."""

    offset: int
    name: int
    spare: int

    @property
    def code(self) -> str:
        """The `struct` code of an offset."""
        return "q" if self.offset == 8 else "i"

    @property
    def head(self) -> int:
        """Bytes of the size and type that open every record."""
        return self.offset + 4

    def fields(self, text: str) -> struct.Struct:
        """Return the big-endian layout `text`, in which ``o`` stands for an offset."""
        return struct.Struct(">" + text.replace("o", self.code))


@dataclass(frozen=True, slots=True)
class Header:
    """What the CDR and GDR of a CDF file say; offsets in bytes from the start of the CDF.

    For a file compressed as a whole `end` is where the compressed file ends, and all other
    offsets hold inside the uncompressed one.
    """

    version: tuple[int, int, int]
    widths: Widths
    encoding: int
    flags: int
    end: int
    eof: int
    packed: bool
    r_head: int
    z_head: int
    attr_head: int
    n_rvars: int
    n_zvars: int
    n_attrs: int
    r_dims: tuple[int, ...]

    @property
    def has_md5(self) -> bool:
        """True where an MD5 of all bytes before it follows the last record."""
        return _flagged(self.flags)

    @property
    def single_file(self) -> bool:
        """True unless the variables live in files of their own."""
        return bool(self.flags & 0b0010)


class Body:
    """The bytes of an uncompressed CDF, from a file or from memory, refusing to read past them."""

    def __init__(self, stream: BinaryIO, size: int, where: str) -> None:
        self.stream, self.size, self.where = stream, size, where

    def read(self, at: int, count: int, what: str) -> bytes:
        """Return `count` bytes from offset `at`.

        Raises
        ------
        TruncatedFile
            The bytes lie beyond the end of the file.
        SourceError
            The offset is not one.
        """
        if at < 0 or count < 0:
            raise SourceError(f"{what} points to offset {at}: damaged", self.where, AGAIN)
        if at + count > self.size:
            raise TruncatedFile(
                f"{what} at offset {at} needs {count} bytes, the file ends at {self.size}",
                self.where,
                f"{AGAIN}, or read its whole variables with --salvage",
            )
        self.stream.seek(at)
        return self.stream.read(count)

    def unpack(self, layout: struct.Struct, at: int, what: str) -> tuple[int, ...]:
        """Return the fields of `layout` at offset `at`."""
        return layout.unpack(self.read(at, layout.size, what))


@contextmanager
def open_body(path: str | os.PathLike[str]) -> Iterator[tuple[Header, Body]]:
    """Yield the header of a CDF and its uncompressed bytes.

    Parameters
    ----------
    path : path
        A CDF file of version 2.x or 3.x, plain or compressed as a whole (gzip, run length).

    Raises
    ------
    TruncatedFile
        The header records are cut.
    SourceError
        Not a CDF file, or one of a kind that cannot be read.
    """
    where = str(path)
    with _open(path) as stream:
        file = Body(stream, os.fstat(stream.fileno()).st_size, where)
        widths, packed = _magic(file)
        if not packed:
            header = _read_header(file, widths)
            yield header, file
            return
        content, end = _unpack_file(file, widths)
        inner = Body(io.BytesIO(content), len(content), where)
        try:
            header = _read_header(inner, widths, end)
        except TruncatedFile as error:
            raise SourceError(f"damaged content: {error.what}", where, AGAIN) from error
        yield header, inner


def ending(path: str | os.PathLike[str]) -> tuple[int, bool]:
    """Return where the records of a CDF end [bytes], and whether an MD5 follows them.

    Of a file compressed as a whole only the first bytes are uncompressed.

    Raises
    ------
    TruncatedFile
        The header records are cut.
    SourceError
        Not a CDF file.
    """
    with _open(path) as stream:
        file = Body(stream, os.fstat(stream.fileno()).st_size, str(path))
        widths, packed = _magic(file)
        if not packed:
            header = _read_header(file, widths)
            return header.end, header.has_md5
        where = _packed_layout(file, widths)
        if where.end > file.size or where.method != GZIP:
            return where.end, False
        cdr = widths.fields("oioiiii")
        data = file.read(where.data_at, min(where.data_size, _PEEK_BYTES), "the compressed content")
        content = _gunzip(data, cdr.size, file.where, whole=False)
        if len(content) < cdr.size:
            raise SourceError("compressed content is damaged", file.where, AGAIN)
        return where.end, _flagged(cdr.unpack(content[: cdr.size])[-1])


def _flagged(flags: int) -> bool:
    """Tell whether the CDR's flags promise a checksum, and that it is an MD5."""
    return bool(flags & 0b0100 and flags & 0b1000)


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise SourceError(
            f"cannot be opened ({error.strerror or error})", str(path), "Check the path and rights"
        ) from error


def _magic(file: Body) -> tuple[Widths, bool]:
    first, second = struct.unpack(">II", file.read(0, MAGIC_BYTES, "the magic number"))
    if first not in _MAGICS or second not in (_PLAIN, _PACKED):
        raise SourceError(
            f"not a CDF file (it starts with {first:08X} {second:08X})", file.where, AGAIN
        )
    return (Widths(8, 256, 4) if _MAGICS[first] == 3 else Widths(4, 64, 4)), second == _PACKED


def _read_header(body: Body, widths: Widths, end: int | None = None) -> Header:
    cdr = body.unpack(widths.fields("oioiiiiiii"), MAGIC_BYTES, "the CDR")
    gdr_at, version, release, encoding, flags, increment = (*cdr[2:7], cdr[9])
    if cdr[1] != CDR:
        raise SourceError(f"record type {cdr[1]} at offset 8, expected a CDR", body.where, AGAIN)
    if widths.offset == 4 and (version, release) <= (2, 4):
        widths = Widths(widths.offset, widths.name, widths.spare + 128)
    layout = widths.fields("oiooooiiiii")
    gdr = body.unpack(layout, gdr_at, "the GDR")
    if gdr[1] != GDR:
        raise SourceError(
            f"record type {gdr[1]} at offset {gdr_at}, expected a GDR", body.where, AGAIN
        )
    r_head, z_head, attr_head, eof, n_rvars, n_attrs, _, n_rdims, n_zvars = gdr[2:]
    if not 0 <= n_rdims <= 10:
        raise SourceError(f"the GDR claims {n_rdims} dimensions: damaged", body.where, AGAIN)
    # UIRhead and three spare or leap-second integers lie between the counts and the sizes.
    sizes_at = gdr_at + layout.size + widths.offset + 12
    r_dims = body.unpack(widths.fields("i" * n_rdims), sizes_at, "the GDR's sizes")
    return Header(
        (version, release, increment), widths, encoding, flags, eof if end is None else end, eof,
        end is not None, r_head, z_head, attr_head, n_rvars, n_zvars, n_attrs, r_dims,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _PackedLayout:
    data_at: int
    data_size: int
    full_size: int
    method: int
    end: int


def _packed_layout(file: Body, widths: Widths) -> _PackedLayout:
    ccr = widths.fields("oiooi")
    size, kind, cpr_at, full_size, _ = file.unpack(ccr, MAGIC_BYTES, "the CCR")
    if kind != CCR:
        raise SourceError(f"record type {kind} at offset 8, expected a CCR", file.where, AGAIN)
    end = MAGIC_BYTES + size
    if end > file.size:
        return _PackedLayout(MAGIC_BYTES + ccr.size, size - ccr.size, full_size, GZIP, end)
    cpr_size, kind, method = file.unpack(widths.fields("oii"), cpr_at, "the CPR")
    if kind != CPR:
        raise SourceError(
            f"record type {kind} at offset {cpr_at}, expected a CPR", file.where, AGAIN
        )
    return _PackedLayout(
        MAGIC_BYTES + ccr.size, size - ccr.size, full_size, method, max(end, cpr_at + cpr_size)
    )


def _unpack_file(file: Body, widths: Widths) -> tuple[bytes, int]:
    """Return the uncompressed CDF and where the compressed one ends; gzip proves its CRC."""
    layout = _packed_layout(file, widths)
    data = file.read(layout.data_at, layout.data_size, "the compressed content")
    if layout.method == GZIP:
        content = _gunzip(data, layout.full_size, file.where)
    elif layout.method == _RLE:
        content = _unrle(data)
    else:
        raise SourceError(
            f"compressed with method {layout.method}, which no reader here knows",
            file.where,
            "Convert it with NASA's cdfconvert",
        )
    if len(content) != layout.full_size:
        raise SourceError(
            f"uncompresses to {len(content)} bytes instead of {layout.full_size}", file.where, AGAIN
        )
    # Offsets inside count from the magic number, which is not part of the compressed content.
    return b"\0" * MAGIC_BYTES + content, layout.end


def _gunzip(data: bytes, size: int, where: str, *, whole: bool = True) -> bytes:
    stream = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    try:
        content = stream.decompress(data, min(max(size, 0) + 1, _MOST_BYTES))
    except zlib.error as error:
        raise SourceError(f"compressed content is damaged ({error})", where, AGAIN) from error
    if whole and not stream.eof:
        raise SourceError("compressed content has no proper end", where, AGAIN)
    return content


def _unrle(data: bytes) -> bytes:
    """Expand runs of zeros: a zero byte is followed by the number of further zeros."""
    parts = []
    at = 0
    while (zero := data.find(b"\0", at)) >= 0:
        count = data[zero + 1] + 1 if zero + 1 < len(data) else 1
        parts += [data[at:zero], b"\0" * count]
        at = zero + 2
    parts.append(data[at:])
    return b"".join(parts)
