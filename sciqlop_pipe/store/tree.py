"""A dataset as a Zarr v3 tree and back: chunks, codecs, attributes.

What a granule consists of is written here byte for byte as zarr would write it (tests compare the
two), because zarr's event loop and threads cost 0.5 to 1 ms of every array, most of which take
less than a tenth of that to compress. All arrays of a tree are read in one go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numcodecs import VLenUTF8
from zarr import AsyncArray, AsyncGroup
from zarr.core.sync import sync
from zarr.dtype import parse_dtype

from ..datatype import DataType
from .codecs import codec_of
from .layout import TIME_UNITS, plain_attrs, raw_values, stored_attrs, words

CHUNK_BYTES = 4 << 20
META = "zarr.json"
RECORD = "sciqlop_pipe"


def encode(ds: xr.Dataset, datatype: DataType, record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a dataset as the files of a Zarr v3 group, compressed.

    Parameters
    ----------
    ds : Dataset
        In memory.
    datatype : DataType
        Says how records are chunked.
    record : mapping
        The registry's record, kept as an attribute of the group.
    """
    coordinates = " ".join(sorted(str(c) for c in ds.coords if c not in ds.dims))
    facts = dict(record) | {"variables": sorted(map(str, ds.variables))}
    attrs = plain_attrs(ds.attrs) | ({"coordinates": coordinates} if coordinates else {})
    attrs |= {RECORD: facts}
    files = {META: _text({"zarr_format": 3, "node_type": "group", "attributes": attrs})}
    for name, var in ds.variables.items():
        files |= _array(f"{name}", var, datatype)
    return dict(sorted(files.items()))


def _array(name: str, var: xr.Variable, datatype: DataType) -> dict[str, bytes]:
    """Return the files of one array: chunks along the first axis, and what describes them."""
    values = raw_values(var)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    kind = _element(values.dtype if values.dtype.kind != "U" else np.dtypes.StringDType())
    chunks, codec = chunks_of(values, datatype), codec_of(values)
    about: dict[str, Any] = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": values.shape,
        "data_type": kind.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": kind.fill_text,
        "codecs": [kind.serializer, codec.described],
        "attributes": stored_attrs(var),
    }
    if var.dims:
        about["dimension_names"] = [str(d) for d in var.dims]
    files = {f"{name}/{META}": _text(about)}
    for i, chunk in enumerate(_chunks(values, chunks, kind.fill)):
        at = "/".join(["c", *[str(i), *"0" * (values.ndim - 1)][: values.ndim]])
        files[f"{name}/{at}"] = codec.compress(_bytes_of(chunk))
    return files


def _bytes_of(chunk: np.ndarray[Any, Any]) -> Any:
    if chunk.dtype.kind == "U":
        return VLenUTF8().encode(chunk.astype(object))
    return chunk.reshape(-1).view(np.uint8)


@dataclass(frozen=True, slots=True)
class _Element:
    """What the metadata of an array say of its elements, and what fills its last chunk up."""

    name: Any
    fill: Any
    fill_text: Any
    serializer: dict[str, Any]


@lru_cache(maxsize=64)
def _element(dtype: np.dtype[Any]) -> _Element:
    kind = parse_dtype(dtype, zarr_format=3)
    fill = np.nan if dtype.kind == "f" else kind.default_scalar()
    serializer: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
    if dtype.kind == "T":
        serializer = {"name": "vlen-utf8", "configuration": {}}
    elif dtype.itemsize == 1 or dtype.kind == "S":
        serializer = {"name": "bytes"}
    text = kind.to_json_scalar(fill, zarr_format=3)
    return _Element(kind.to_json(zarr_format=3), fill, text, serializer)


def _chunks(
    values: np.ndarray[Any, Any], chunks: tuple[int, ...], fill: Any
) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the chunks of an array, in order along its first axis; the last is filled up."""
    if not values.size:
        return
    if not chunks:
        yield values
        return
    for start in range(0, len(values), chunks[0]):
        chunk = values[start : start + chunks[0]]
        if len(chunk) < chunks[0]:
            full = np.full(chunks, fill, values.dtype)
            full[: len(chunk)] = chunk
            chunk = full
        yield chunk


def _text(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, separators=(",", ":")).encode()


def chunks_of(values: np.ndarray[Any, Any], datatype: DataType) -> tuple[int, ...]:
    """Return the chunks of an array whose first axis is that of records."""
    if values.ndim == 0:
        return ()
    per_record = max(1, values[:1].nbytes)
    fixed = datatype.records if values.ndim > 2 else 0
    records = fixed or CHUNK_BYTES // per_record
    return (min(max(1, records), max(1, values.shape[0])), *(max(1, s) for s in values.shape[1:]))


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
