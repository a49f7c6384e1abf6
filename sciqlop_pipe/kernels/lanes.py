"""Sixteen float32 as one value inside kernels, for sums that the compiler does not vectorise.

LLVM vectorises innermost loops only, and gives up on one where more than a few arrays could
overlap. Sums over directions that keep many totals per energy need the opposite: energies side by
side in registers, directions in the loop. Here that is spelled out, in LLVM's vectors of any
machine: one register of AVX-512, two of AVX2, four of SSE or NEON.

    total = spread(0.0)
    for d in range(directions):
        total = multiply_add(weight[d], lanes(f[d], e), total)
    put(out, e, total)

Rows are one-dimensional, contiguous and float32. What is longer than `LANES` but not a multiple of
it is read in runs of which the last two overlap, see `run_at`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from . import LARGEST, TINY

LANES = 16
"""Energies side by side; several totals of as many keep both multipliers of a core busy."""

SCALE = 2.0**40
"""What `cleaned` multiplies f [s^3 m^-6] by: a small f times a sine is no denormal then."""

_FLAGS = ("contract", "nsz")
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_PLACES = ir.VectorType(ir.IntType(32), LANES)
_BYTES = ir.IntType(8).as_pointer()
_LINE, _READ, _SECOND_LEVEL, _DATA = 16, 0, 2, 1


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


_LANES = _LanesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


@njit(nogil=True, cache=True)
def at_least_lanes(f, sheet):
    """Return f (row, energy) itself, or in a sheet where a row has less than `LANES` numbers."""
    if f.shape[1] >= LANES:
        return f
    for d in range(f.shape[0]):
        for e in range(f.shape[1]):
            sheet[d, e] = f[d, e]
    return sheet


@njit(nogil=True, cache=True, inline="always")
def run_at(start, size):
    """Return where lanes begin that reach to `size` at most: the last ones overlap others."""
    return min(start, size - LANES)


def _is_row(kind: Any) -> bool:
    row = isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C"
    return row and kind.dtype == types.float32


def _pointer(context: Any, builder: Any, kind: Any, row: Any, at: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, row).data, [at])


def _all_lanes(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return lanes as they are, and a number in each lane."""
    if kind is _LANES:
        return value
    number = context.cast(builder, value, kind, types.float32)
    none = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(none, number, cgutils.int32_t(0))
    return builder.shuffle_vector(first, none, ir.Constant(_PLACES, [0] * LANES))


def _constant(value: Any) -> Any:
    return ir.Constant(_VECTOR, [float(np.float32(value))] * LANES)


def _magnitude(builder: Any, value: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR])
    name = f"llvm.fabs.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [value])


@intrinsic
def lanes(typingctx: Any, row: Any, at: Any) -> Any:
    """Return row[at : at + LANES]."""
    if not _is_row(row):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.bitcast(_pointer(context, builder, row, *args), _VECTOR.as_pointer())
        return builder.load(place, align=4)

    return _LANES(row, types.intp), codegen


@intrinsic
def put(typingctx: Any, row: Any, at: Any, value: Any) -> Any:
    """Fill row[at : at + LANES]."""
    if not _is_row(row) or value is not _LANES:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _pointer(context, builder, row, *args[:2])
        builder.store(args[2], builder.bitcast(place, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.none(row, types.intp, value), codegen


@intrinsic
def fetch(typingctx: Any, row: Any, at: Any) -> Any:
    """Ask for row[at : at + LANES] before it is needed; it may lie outside the row.

    Where a kernel computes as long as memory takes to answer, asking for the next distribution
    while it is at this one makes it twice as fast.
    """
    if not _is_row(row):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.bitcast(_pointer(context, builder, row, *args), _BYTES)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", (_BYTES,), kind)
        builder.call(ask, [place, number(_READ), number(_SECOND_LEVEL), number(_DATA)])
        return context.get_dummy_value()

    return types.none(row, types.intp), codegen


@intrinsic
def spread(typingctx: Any, value: Any) -> Any:
    """Return a number in all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _all_lanes(context, builder, value, args[0])

    return _LANES(value), codegen


@intrinsic
def multiply_add(typingctx: Any, one: Any, other: Any, total: Any) -> Any:
    """Return one * other + total, of lanes or numbers."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = one, other, total
        a, b, c = (_all_lanes(context, builder, k, x) for k, x in zip(kinds, args, strict=True))
        return builder.fadd(builder.fmul(a, b, flags=_FLAGS), c, flags=_FLAGS)

    return _LANES(one, other, total), codegen


@intrinsic
def cleaned(typingctx: Any, f: Any) -> Any:
    """Return f times `SCALE`, what is smaller than `TINY` as zero; NaN stays NaN."""
    if f is not _LANES:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        small = builder.fcmp_ordered("<", _magnitude(builder, args[0]), _constant(TINY))
        return builder.fmul(builder.select(small, _constant(0), args[0]), _constant(SCALE))

    return f(f), codegen


@intrinsic
def measured(typingctx: Any, f: Any) -> Any:
    """Return f where it is finite and 0 elsewhere, then 1 and 0."""
    if f is not _LANES:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        there = builder.fcmp_ordered("<=", _magnitude(builder, args[0]), _constant(LARGEST))
        values = [builder.select(there, x, _constant(0)) for x in (args[0], _constant(1))]
        return context.make_tuple(builder, signature.return_type, values)

    return types.UniTuple(f, 2)(f), codegen


@intrinsic
def reciprocal(typingctx: Any, value: Any) -> Any:
    """Return 1 / value."""
    if value is not _LANES:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fdiv(_constant(1), args[0])

    return value(value), codegen


def _choice(comparison: str) -> Any:
    def choice(typingctx: Any, one: Any, other: Any, yes: Any, no: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = one, other, yes, no
            a, b, x, y = (
                _all_lanes(context, builder, k, v) for k, v in zip(kinds, args, strict=True)
            )
            return builder.select(builder.fcmp_ordered(comparison, a, b), x, y)

        return _LANES(one, other, yes, no), codegen

    return choice


@intrinsic
def above(typingctx: Any, one: Any, other: Any, yes: Any, no: Any) -> Any:
    """Return yes where one > other and no elsewhere (also beside NaN), of lanes or numbers."""
    return _choice(">")(typingctx, one, other, yes, no)


@intrinsic
def equal(typingctx: Any, one: Any, other: Any, yes: Any, no: Any) -> Any:
    """Return yes where one == other and no elsewhere (also beside NaN), of lanes or numbers."""
    return _choice("==")(typingctx, one, other, yes, no)
