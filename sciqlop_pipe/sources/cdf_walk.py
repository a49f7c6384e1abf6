"""A structural walk through every record of a CDF file, before a fast reader trusts its offsets.

A reader in C++ follows offsets without doubting them: one flipped bit in an offset or a size and
it reads outside the file and dies. The walk follows the same offsets in Python and refuses.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import SourceError, TruncatedFile
from . import cdf_layout as layout
from .cdf_layout import AGAIN, GZIP, Body, Header, open_body

_ITEM_BYTES = {
    1: 1, 2: 2, 4: 4, 8: 8, 11: 1, 12: 2, 14: 4, 21: 4, 22: 8, 31: 8, 32: 16, 33: 8,
    41: 1, 44: 4, 45: 8, 51: 1, 52: 1,
}  # fmt: skip
_TEXT_TYPES = (51, 52)
# VAX and Alpha floating point is not IEEE: no reader here converts it.
_READABLE_ENCODINGS = frozenset((1, 2, 4, 5, 6, 7, 9, 11, 12, 13, 16, 17, 18, 19))
_BIG_ENDIAN = frozenset((1, 2, 5, 7, 9, 11, 12, 18))
_METHODS = frozenset((1, 2, 3, 5))
# No stream of these methods shrinks its content more (deflate: 1032, by construction).
_MAX_RATIO = 1100
_MAX_DIMS = 10
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as its descriptor record tells it.

    `size` is the number of bytes of one record, `tree` the offset of its first index record
    (0: nothing was written), `shape` the dimensions that vary; `full` where all of them do.
    """

    name: str
    number: int
    size: int
    last_record: int
    tree: int
    sparse: bool
    method: int
    kind: int
    shape: tuple[int, ...]
    full: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The values of records `first` to `last`: `size` bytes at offset `at`.

    `method` is the compression method, 0 for values as they are.
    """

    first: int
    last: int
    at: int
    size: int
    method: int


@dataclass(frozen=True, slots=True)
class Structure:
    """Where the values of each variable lie in a file, and how they are laid out."""

    blocks: Mapping[str, tuple[Block, ...]]
    variables: Mapping[str, Variable]
    big_endian: bool
    row_major: bool


class Walk:
    """Follows the records of one CDF; no record is visited twice."""

    def __init__(self, header: Header, body: Body) -> None:
        self.header, self.body, self.widths = header, body, header.widths
        self.end = min(body.size, header.eof) if header.eof > 0 else body.size
        self.seen: set[int] = {layout.MAGIC_BYTES}

    def damage(self, kind: int, at: int, what: str) -> SourceError:
        """Return the error for a record that cannot be true."""
        name = layout.RECORD_NAMES.get(kind, "record")
        return SourceError(
            f"{name} at offset {at} {what}: the file is damaged", self.body.where, AGAIN
        )

    def record(self, at: int, *kinds: int) -> tuple[int, int]:
        """Return size [bytes] and kind of the record at `at`, which must be one of `kinds`."""
        if at in self.seen:
            raise self.damage(kinds[0], at, "is linked twice")
        self.seen.add(at)
        size, kind = self.body.unpack(self.widths.fields("oi"), at, layout.RECORD_NAMES[kinds[0]])
        if kind not in kinds:
            raise self.damage(kinds[0], at, f"has record type {kind}")
        if size < self.widths.head:
            raise self.damage(kind, at, f"claims {size} bytes")
        if at + size > self.body.size:
            beyond = f"ends {at + size - self.body.size} bytes after the file"
            raise TruncatedFile(
                f"{layout.RECORD_NAMES[kind]} at offset {at} {beyond}", self.body.where, AGAIN
            )
        if at + size > self.end:
            raise self.damage(kind, at, "ends after the last record of the file")
        return size, kind

    def fields(self, text: str, at: int, size: int, kind: int) -> tuple[int, ...]:
        """Return the fields of a record of `size` bytes, without its size and type."""
        form = self.widths.fields("oi" + text)
        if form.size > size:
            raise self.damage(kind, at, f"claims {size} bytes, its fields take {form.size}")
        return self.body.unpack(form, at, layout.RECORD_NAMES[kind])[2:]

    # --- variables ---------------------------------------------------------------------------

    def variables(self) -> Iterator[Variable]:
        """Yield the variables (r, then z) in the order of the file."""
        header = self.header
        for head, kind, count in (
            (header.r_head, layout.R_VDR, header.n_rvars),
            (header.z_head, layout.Z_VDR, header.n_zvars),
        ):
            at, found = head, 0
            while at > 0:
                following, variable = self._variable(at, kind)
                found += 1
                if not 0 <= variable.number < count:
                    raise self.damage(kind, at, f"has number {variable.number} of {count}")
                yield variable
                at = following
            if found != count:
                name = layout.RECORD_NAMES[kind]
                raise SourceError(
                    f"the chain of {name}s has {found} of {count} variables: the file is damaged",
                    self.body.where,
                    AGAIN,
                )

    def _variable(self, at: int, kind: int) -> tuple[int, Variable]:
        size, _ = self.record(at, kind)
        names = self.widths.name
        head = f"oiiooiiii{self.widths.spare}siioi{names}s"
        (following, dtype, last, tree, _, flags, sparse, _, _, _, elements, number, packing, _,
         raw_name) = self.fields(head, at, size, kind)  # fmt: skip
        fixed = self.widths.fields("oi" + head).size
        if dtype not in _ITEM_BYTES:
            raise self.damage(kind, at, f"has data type {dtype}")
        if elements < 1 or (elements > 1 and dtype not in _TEXT_TYPES):
            raise self.damage(kind, at, f"has {elements} elements per value")
        shape, tail = self._shape(at, kind, size, fixed)
        item = _ITEM_BYTES[dtype] * elements
        pad = item if flags & 0b10 else 0
        if fixed + tail + pad > size:
            raise self.damage(
                kind, at, f"claims {size} bytes, its fields take {fixed + tail + pad}"
            )
        if last < -1 or sparse not in (0, 1, 2):
            raise self.damage(kind, at, "has an impossible number of records")
        name = _text(raw_name)
        if not name:
            raise self.damage(kind, at, "has no name")
        method = self._method(packing) if flags & 0b100 else 0
        size_of_record = item * math.prod(shape)
        full = len(shape) == (len(self.header.r_dims) if kind == layout.R_VDR else tail // 8)
        return following, Variable(
            name, number, size_of_record, last, tree, sparse > 0, method, dtype, shape, full
        )

    def _shape(self, at: int, kind: int, size: int, fixed: int) -> tuple[tuple[int, ...], int]:
        """Return the dimensions that vary, and the bytes that describe the dimensions."""
        if kind == layout.R_VDR:
            sizes, before = self.header.r_dims, 0
        else:
            if fixed + 4 > size:
                raise self.damage(kind, at, "has no dimensions")
            (count,) = self.body.unpack(struct.Struct(">i"), at + fixed, "zVDR")
            if not 0 <= count <= _MAX_DIMS:
                raise self.damage(kind, at, f"claims {count} dimensions")
            sizes = self.body.unpack(struct.Struct(f">{count}i"), at + fixed + 4, "zVDR")
            before = 4 + 4 * count
        if any(n < 1 for n in sizes):
            raise self.damage(kind, at, f"has dimensions {sizes}")
        form = struct.Struct(f">{len(sizes)}i")
        vary = self.body.unpack(form, at + fixed + before, layout.RECORD_NAMES[kind])
        if any(flag not in (0, -1) for flag in vary):
            raise self.damage(kind, at, f"has dimension variances {vary}")
        return tuple(n for n, flag in zip(sizes, vary, strict=True) if flag), before + form.size

    def _method(self, at: int) -> int:
        size, _ = self.record(at, layout.CPR)
        method, _, count = self.fields("iii", at, size, layout.CPR)
        if method not in _METHODS or not 0 <= count <= 5:
            raise self.damage(layout.CPR, at, f"names compression method {method}")
        return method

    # --- their data --------------------------------------------------------------------------

    def data(self, variable: Variable) -> tuple[Block, ...]:
        """Return the blocks of values of `variable`, in the order of its records."""
        blocks = tuple(self._blocks(variable, variable.tree, 0, 0))
        covered = -1
        for block in blocks:
            if block.first <= covered or (block.first != covered + 1 and not variable.sparse):
                raise self._miscounted(
                    variable, f"records {block.first} to {block.last} follow record {covered}"
                )
            covered = block.last
        if (variable.last_record + 1) * variable.size > self.body.size * _MAX_RATIO:
            raise self._miscounted(variable, f"{variable.last_record + 1} records are claimed")
        if covered < variable.last_record and not variable.sparse:
            raise self._miscounted(
                variable, f"{variable.last_record + 1} records are claimed, {covered + 1} stored"
            )
        return blocks

    def _miscounted(self, variable: Variable, what: str) -> SourceError:
        return SourceError(
            f"variable {variable.name!r}: {what}: the file is damaged", self.body.where, AGAIN
        )

    def _blocks(self, variable: Variable, at: int, depth: int, start: int) -> Iterator[Block]:
        """Yield the blocks of values below the index record at `at`."""
        while at > 0:
            if depth > _MAX_DEPTH:
                raise self.damage(layout.VXR, at, "is nested without end")
            size, _ = self.record(at, layout.VXR)
            following, entries, used = self.fields("oii", at, size, layout.VXR)
            if not 0 <= used <= entries or entries > size:
                raise self.damage(layout.VXR, at, f"uses {used} of {entries} entries")
            text = f"oii{entries}i{entries}i" + "o" * entries
            table = self.fields(text, at, size, layout.VXR)[3:]
            firsts, lasts, offsets = (table[i * entries : i * entries + used] for i in range(3))
            for first, last, offset in zip(firsts, lasts, offsets, strict=True):
                if not start <= first <= last:
                    raise self.damage(layout.VXR, at, f"has records {first} to {last}")
                yield from self._block(variable, offset, depth, first, last)
                start = last + 1
            at = following

    def _block(
        self, variable: Variable, at: int, depth: int, first: int, last: int
    ) -> Iterator[Block]:
        size, kind = self.record(at, layout.VVR, layout.CVVR, layout.VXR)
        if kind == layout.VXR:
            self.seen.discard(at)
            yield from self._blocks(variable, at, depth + 1, first)
            return
        full = (last - first + 1) * variable.size
        if kind == layout.VVR:
            if full > size - self.widths.head:
                raise self.damage(kind, at, f"is too small for records {first} to {last}")
            yield Block(first, last, at + self.widths.head, full, 0)
            return
        if not variable.method:
            raise self.damage(kind, at, "is compressed, its variable is not")
        yield self._packed_block(at, size, variable.method, first, last, full)

    def _packed_block(
        self, at: int, size: int, method: int, first: int, last: int, full: int
    ) -> Block:
        _, stored = self.fields("io", at, size, layout.CVVR)
        fixed = self.widths.fields("oiio").size
        if not 0 < stored <= size - fixed:
            raise self.damage(layout.CVVR, at, f"claims {stored} compressed bytes")
        if full > stored * _MAX_RATIO:
            raise self.damage(layout.CVVR, at, f"holds {full} bytes in {stored}")
        if method == GZIP and stored > 18:
            # A gzip stream ends with its uncompressed length, modulo 2^32.
            (told,) = struct.unpack("<I", self.body.read(at + fixed + stored - 4, 4, "CVVR"))
            if told != full % 2**32:
                raise self.damage(layout.CVVR, at, f"uncompresses to {told} bytes, not {full}")
        return Block(first, last, at + fixed, stored, method)

    # --- attributes --------------------------------------------------------------------------

    def attributes(self) -> None:
        """Follow all attributes and their entries."""
        at, found = self.header.attr_head, 0
        names = self.widths.name
        while at > 0:
            size, _ = self.record(at, layout.ADR)
            following, gr_head, scope, number, n_gr, _, _, z_head, n_z, _, _, _ = self.fields(
                f"ooiiiiioiii{names}s", at, size, layout.ADR
            )
            if scope not in (1, 2, 3, 4):
                raise self.damage(layout.ADR, at, f"has scope {scope}")
            of_variables = scope in (2, 4)
            limit = self.header.n_rvars if of_variables else None
            self._entries(at, gr_head, layout.GR_AEDR, number, n_gr, limit)
            self._entries(at, z_head, layout.Z_AEDR, number, n_z, self.header.n_zvars)
            found += 1
            at = following
        if found != self.header.n_attrs:
            raise SourceError(
                f"the chain of ADRs has {found} of {self.header.n_attrs} attributes: "
                "the file is damaged",
                self.body.where,
                AGAIN,
            )

    def _entries(
        self, attribute: int, at: int, kind: int, number: int, count: int, limit: int | None
    ) -> None:
        """Follow one chain of entries; those of variables bear numbers below `limit`."""
        found = 0
        while at > 0:
            size, _ = self.record(at, kind)
            following, owner, dtype, entry, elements, *_ = self.fields("oiiiiiiiii", at, size, kind)
            fixed = self.widths.fields("oioiiiiiiiii").size
            if owner != number:
                raise self.damage(kind, at, f"belongs to attribute {owner}, not {number}")
            if dtype not in _ITEM_BYTES:
                raise self.damage(kind, at, f"has data type {dtype}")
            if entry < 0 or (limit is not None and entry >= limit):
                raise self.damage(kind, at, f"has entry number {entry}")
            if elements < 0 or fixed + elements * _ITEM_BYTES[dtype] > size:
                raise self.damage(kind, at, f"has {elements} elements")
            found += 1
            at = following
        if found != count:
            raise self.damage(layout.ADR, attribute, f"has {found} of {count} entries")


def walk_records(path: str | os.PathLike[str]) -> Structure:
    """Follow every record of a CDF file; return where the values of each variable lie.

    Covers the descriptor, variable, attribute, index and value records: every offset and size
    within the file, record types as expected, no record linked twice, counts as claimed. Values
    themselves are not judged: a flipped byte in uncompressed data without checksum passes.

    Parameters
    ----------
    path : path
        A whole CDF file (`check_whole`).

    Raises
    ------
    SourceError
        Names the record and its offset.
    """
    with open_body(path) as (header, body):
        check_readable(header, str(path))
        walk = Walk(header, body)
        try:
            variables = {variable.name: variable for variable in walk.variables()}
            blocks = {name: walk.data(variable) for name, variable in variables.items()}
            walk.attributes()
        except TruncatedFile as error:
            raise SourceError(f"{error.what}: the file is damaged", error.where, AGAIN) from error
    # Blocks inside a file compressed as a whole have no offset in it; its own CRC was verified.
    return Structure(
        {} if header.packed else blocks,
        variables,
        header.encoding in _BIG_ENDIAN,
        bool(header.flags & 0b0001),
    )


def check_readable(header: Header, where: str) -> None:
    """Refuse kinds of CDF that no reader here can decode.

    Raises
    ------
    SourceError
        A multi-file CDF, or floating point that is not IEEE.
    """
    advice = "Convert it with NASA's cdfconvert"
    if header.encoding not in _READABLE_ENCODINGS:
        raise SourceError(f"data encoding {header.encoding} is not readable here", where, advice)
    if not header.single_file:
        raise SourceError("its variables are in files of their own", where, advice)


def variable_states(path: str | os.PathLike[str]) -> tuple[dict[str, bool], int]:
    """Return name -> whether all its records lie inside a truncated CDF, and how many lost theirs.

    The second number counts the variables whose descriptors are cut off with their names.
    """
    states: dict[str, bool] = {}
    with open_body(path) as (header, body):
        check_readable(header, str(path))
        walk = Walk(header, body)
        try:
            for variable in walk.variables():
                states[variable.name] = _is_whole(walk, variable)
        except SourceError:
            pass
        return states, max(header.n_rvars + header.n_zvars - len(states), 0)


def _is_whole(walk: Walk, variable: Variable) -> bool:
    try:
        walk.data(variable)
    except SourceError:
        return False
    return True


def _text(raw: int | bytes) -> str:
    name = bytes(raw).split(b"\0", 1)[0] if isinstance(raw, bytes) else b""
    return name.decode("utf-8", "replace").rstrip()
