"""Large maps put into house order and unit in the memory in which a reader left them.

A distribution is the bulk of what a mission sends. A second array for it costs as much memory as
the file, and more time than decoding it did: fresh pages have to be zeroed by the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


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
    from ..kernels.settling import settle

    none = _none(stored.dtype, fill)
    memory = _as_it_lies(stored)
    if memory is None or stored.dtype.kind != "f" or not stored.dtype.isnative:
        kind = f"f{stored.itemsize}" if stored.dtype.kind == "f" else "f8"
        stored = memory = np.array(stored, kind, order="C")
    wanted = stored.transpose(0, *order)
    shape, ones = wanted.shape, (1,) * (4 - wanted.ndim)
    ours = memory.dtype == np.float32 and memory.flags.writeable
    out = memory.reshape(shape) if ours else np.empty(shape, np.float32)
    if out.size:
        fills = [stored.dtype.type(x) for x in none or (0, 0)]
        apart = [step // wanted.itemsize for step in wanted.strides[1:]]
        turned = not wanted.flags.c_contiguous
        settle(
            _read_only(memory), (*ones, *shape[1:]), (*ones, *apart), turned,
            _of_records(factor, shape), none is not None, *fills, out.reshape(len(out), -1),
        )  # fmt: skip
    return out


def _read_only(values: np.ndarray) -> np.ndarray:
    """Return records as (record, number), which to numba are of one type if none may be written."""
    flat = values.reshape(len(values), -1)
    flat.flags.writeable = False
    return flat


def _of_records(factor: float | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a factor as (record or 1, first or 1, second or 1, third), float32."""
    scale = np.asarray(factor, np.float32)
    scale = scale.reshape((1,) * (len(shape) - scale.ndim) + scale.shape)
    scale = scale.reshape(len(scale), *(1,) * (4 - len(shape)), *scale.shape[1:])
    return np.ascontiguousarray(np.broadcast_to(scale, (*scale.shape[:-1], shape[-1])))


def opposite(angles: np.ndarray, rows: np.ndarray, fill: Any) -> np.ndarray:
    """Return azimuths [deg] half a turn from some records, 0 to 360, float32, NaN for fill.

    Parameters
    ----------
    angles : array float32 or float64 (record, ...)
        Overwritten and returned where they are float32 and `rows` ascend.
    rows : array int64 (chosen)
        Which records.
    fill : number or anything else
        The value that means "none"; ignored where it is no number.
    """
    from ..kernels.settling import half_a_turn

    angles = np.ascontiguousarray(angles)
    ours = angles.dtype == np.float32 and angles.flags.writeable and (np.diff(rows) > 0).all()
    out = angles[: len(rows)] if ours else np.empty((len(rows), *angles.shape[1:]), np.float32)
    none = _none(angles.dtype, fill)
    first = none[0] if none else angles.dtype.type(0)
    half_a_turn(_read_only(angles), rows, none is not None, first, out.reshape(len(rows), -1))
    return out


def steady(values: np.ndarray) -> bool:
    """Tell whether all records of a table (record, ...) are the first; NaN is like nothing."""
    from ..kernels.settling import like_the_first

    return len(values) > 0 and like_the_first(_read_only(np.ascontiguousarray(values)))


def _as_it_lies(values: np.ndarray) -> np.ndarray | None:
    """Return records with their axes in the order of memory, contiguous; None where they are not.

    A record has the same place whatever the order of its axes.
    """
    if values.flags.c_contiguous:
        return values
    order = sorted(range(1, values.ndim), key=lambda axis: -values.strides[axis])
    memory = values.transpose(0, *order)
    return memory if memory.flags.c_contiguous else None


def fill_at(values: np.ndarray, fill: Any) -> np.ndarray | None:
    """Return where values are the fill value, same shape; None where it is no number of theirs."""
    none = _none(values.dtype, fill)
    if none is None:
        return None
    at: np.ndarray = values == none[0]
    return at if none[1] == none[0] else at | (values == none[1])


def _none(dtype: np.dtype, fill: Any) -> tuple[Any, Any] | None:
    """Return the two values of a type that are a fill value; None where it is no number of theirs.

    A float64 variable may carry its fill value rounded to float32.
    """
    if isinstance(fill, bool) or not isinstance(fill, (int, float)):
        return None
    kind = dtype.type
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return kind(fill), kind(np.float32(fill) if dtype.itemsize == 8 else fill)
    limits = np.iinfo(dtype)
    return (kind(fill), kind(fill)) if limits.min <= fill <= limits.max else None
