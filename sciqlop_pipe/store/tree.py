"""A dataset as a Zarr v3 tree and back: chunks, codecs, attributes.

All arrays of a tree are written, or read, in one go: with zarr's synchronous calls a granule of 25
small variables costs twice the time, spent in waiting for its event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from zarr import AsyncArray, AsyncGroup
from zarr.codecs import BloscCodec, BloscShuffle, ZstdCodec
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from ..datatype import DataType
from .layout import TIME_UNITS, plain_attrs, raw_values, stored_attrs, words

CHUNK_BYTES = 4 << 20
RECORD = "sciqlop_pipe"


def encode(ds: xr.Dataset, datatype: DataType, record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a dataset as the files of a Zarr v3 group, compressed as its DataType wants.

    Parameters
    ----------
    ds : Dataset
        In memory.
    datatype : DataType
        Says how records are chunked and which codecs suit.
    record : mapping
        The registry's record, kept as an attribute of the group.
    """
    coordinates = " ".join(sorted(str(c) for c in ds.coords if c not in ds.dims))
    attrs = plain_attrs(ds.attrs) | ({"coordinates": coordinates} if coordinates else {})
    memory = MemoryStore()
    facts = dict(record) | {"variables": sorted(map(str, ds.variables))}
    sync(_write(memory, ds, datatype, attrs | {RECORD: facts}))
    return {key: buffer.to_bytes() for key, buffer in sorted(memory._store_dict.items())}


async def _write(
    memory: MemoryStore, ds: xr.Dataset, datatype: DataType, attrs: dict[str, Any]
) -> None:
    group = await AsyncGroup.from_store(memory, zarr_format=3, attributes=attrs)

    async def one(name: str, var: xr.Variable) -> None:
        values = raw_values(var)
        array = await group.create_array(
            name,
            shape=values.shape,
            dtype=str if values.dtype.kind == "U" else values.dtype,
            chunks=chunks_of(values, datatype),
            compressors=codecs_of(var, values, datatype),
            dimension_names=[str(d) for d in var.dims],
            attributes=stored_attrs(var),
            fill_value=np.nan if values.dtype.kind == "f" else None,
            config={"write_empty_chunks": True},
        )
        if values.size:
            await array.setitem(..., values)

    await asyncio.gather(*(one(str(name), var) for name, var in ds.variables.items()))


def chunks_of(values: np.ndarray[Any, Any], datatype: DataType) -> tuple[int, ...]:
    """Return the chunks of an array whose first axis is that of records."""
    if values.ndim == 0:
        return ()
    per_record = max(1, values[:1].nbytes)
    fixed = datatype.records if values.ndim > 2 else 0
    records = fixed or CHUNK_BYTES // per_record
    return (min(max(1, records), max(1, values.shape[0])), *(max(1, s) for s in values.shape[1:]))


def codecs_of(var: xr.Variable, values: np.ndarray[Any, Any], datatype: DataType) -> Any:
    """Return the codecs that suit an array."""
    # Arrays made of counts repeat whole words, which any shuffle destroys (measured: a factor of
    # two in size on distributions).
    if values.dtype.kind == "U" or (datatype.numeric == "counts" and values.ndim > 2):
        return [ZstdCodec(level=3)]
    shuffle = BloscShuffle.shuffle if var.dtype.kind == "M" else BloscShuffle.bitshuffle
    return [BloscCodec(cname="zstd", clevel=3, shuffle=shuffle, typesize=values.dtype.itemsize)]


def decode(store: Any) -> xr.Dataset:
    """Return the dataset that a Zarr store holds, in memory, without the registry's record.

    Raises
    ------
    KeyError
        When a variable that was written is gone: Zarr overlooks it.
    """
    attrs, variables = sync(_read(store))
    written = attrs.pop(RECORD, {}).get("variables", ())
    if lost := [name for name in written if name not in variables]:
        raise KeyError(f"variable {lost[0]} is gone")
    coords = set(attrs.pop("coordinates", "").split())
    coords.update(name for name, (dims, *_) in variables.items() if dims == (name,))
    return xr.Dataset(
        {k: v for k, v in variables.items() if k not in coords},
        {k: v for k, v in variables.items() if k in coords},
        attrs,
    )


async def _read(store: Any) -> tuple[dict[str, Any], dict[str, tuple[Any, ...]]]:
    group = await AsyncGroup.open(store, zarr_format=3)
    members = [(name, a) async for name, a in group.members() if isinstance(a, AsyncArray)]
    values = await asyncio.gather(*(array.getitem(...) for _, array in members))
    variables = {
        name: _decoded(_dims(array), np.asarray(raw), dict(array.attrs))
        for (name, array), raw in zip(members, values, strict=True)
    }
    return dict(group.attrs), variables


def _dims(array: AsyncArray[Any]) -> tuple[str, ...]:
    names: Any = getattr(array.metadata, "dimension_names", None)
    return tuple(names or ())


def _decoded(
    dims: tuple[str, ...], values: np.ndarray[Any, Any], attrs: dict[str, Any]
) -> tuple[Any, ...]:
    if attrs.get("units") == TIME_UNITS and values.dtype == np.int64:
        attrs = {k: v for k, v in attrs.items() if k not in ("units", "calendar")}
        values = values.view("datetime64[ns]")
    if values.dtype.kind in "OT":
        values = words(values)
    return dims, values, attrs
