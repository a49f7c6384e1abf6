"""Large maps put into house order and unit in the memory in which a reader left them.

A distribution is the bulk of what a mission sends. A second array for it costs as much memory as
the file, and more time than decoding it did: fresh pages have to be zeroed by the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_BLOCK_BYTES = 1 << 20  # a block and its copy stay in the second-level cache


def settled(
    stored: np.ndarray, order: Sequence[int], factor: float | np.ndarray, fill: Any
) -> np.ndarray:
    """Return records with their axes in another order, scaled, NaN for fill; float32, contiguous.

    Parameters
    ----------
    stored : array (record, ...)
        As the file has it. Where it is float32, whole records one after the other, it is
        overwritten and becomes the result.
    order : sequence of int
        The axes after the first: where each comes from.
    factor : float or array
        What the values are multiplied with; an array is of the axes of the result (any of its last
        ones, or all of them with one record or with each).
    fill : number or anything else
        The value that means "none"; ignored where it is no number.
    """
    wanted = stored.transpose(0, *order)
    shape = wanted.shape
    memory = _as_it_lies(stored)
    ours = stored.dtype == np.float32 and memory is not None and stored.flags.writeable
    out = memory.reshape(shape) if ours and memory is not None else np.empty(shape, np.float32)
    same = wanted.flags.c_contiguous
    step = max(1, _BLOCK_BYTES // max(1, stored[:1].nbytes))
    scale = np.asarray(factor, np.float32)
    by_record = scale.ndim == stored.ndim and len(scale) == len(stored)
    # Made once: fresh memory for every block would cost as much as the work on it.
    turned = None if same else np.empty((step, *shape[1:]), stored.dtype)
    marks = np.empty((step, *shape[1:]), bool)
    for first in range(0, len(stored), step):
        block = wanted[first : first + step]
        if turned is not None:
            # A copy: the turned records are written over those that they come from.
            copy = turned[: len(block)]
            np.copyto(copy, block)
            block = copy
        where = fill_at(block, fill, marks[: len(block)])
        if where is not None and where.any():
            block = np.where(where, np.nan, block)
        some = scale[first : first + step] if by_record else scale
        np.multiply(block, some, out=out[first : first + step], casting="same_kind")
    return out


def _as_it_lies(values: np.ndarray) -> np.ndarray | None:
    """Return records with their axes in the order of memory, contiguous; None where they are not.

    A record has the same place whatever the order of its axes.
    """
    if values.flags.c_contiguous:
        return values
    order = sorted(range(1, values.ndim), key=lambda axis: -values.strides[axis])
    memory = values.transpose(0, *order)
    return memory if memory.flags.c_contiguous else None


def fill_at(values: np.ndarray, fill: Any, out: np.ndarray | None = None) -> np.ndarray | None:
    """Return where values are the fill value, same shape; None where it is no number of theirs.

    A float64 variable may carry its fill value rounded to float32. `out` is memory for the answer.
    """
    if isinstance(fill, bool) or not isinstance(fill, (int, float)):
        return None
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            at: np.ndarray = np.equal(values, values.dtype.type(fill), out=out)
            if values.dtype.itemsize == 8:
                at |= values == np.float64(np.float32(fill))
        return at
    limits = np.iinfo(values.dtype)
    return values == values.dtype.type(fill) if limits.min <= fill <= limits.max else None
