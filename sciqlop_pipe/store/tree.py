"""A dataset as a Zarr v3 tree and back: chunks, codecs, attributes.

What a granule consists of is written byte for byte as zarr would write it, and read as zarr would
read it (tests compare the two), but without zarr: its event loop and threads cost 0.5 to 1 ms of
every array, most of which take less than a tenth of that to compress.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numcodecs import VLenUTF8
from zarr.dtype import parse_dtype

from ..datatype import DataType
from .codecs import codec_of, decompress
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
        return _WORDS.encode(chunk.astype(object))
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


def decode(files: Mapping[str, bytes]) -> xr.Dataset:
    """Return the dataset that the files of a Zarr v3 group hold, without the registry's record.

    Raises
    ------
    KeyError
        When a variable that was written is gone.
    FileNotFoundError
        When a chunk is gone, which Zarr would take for fill values.
    ValueError
        When a file says what no granule says.
    """
    attrs = dict(json.loads(files[META])["attributes"])
    names = sorted(key.removesuffix(f"/{META}") for key in files if key.endswith(f"/{META}"))
    variables = {name: _variable(name, files) for name in names}
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


def _variable(name: str, files: Mapping[str, bytes]) -> tuple[Any, ...]:
    about = json.loads(files[f"{name}/{META}"])
    shape = tuple(about["shape"])
    chunks = tuple(about["chunk_grid"]["configuration"]["chunk_shape"])
    serializer, *compressors = (codec["name"] for codec in about["codecs"])
    dtype = _native(json.dumps(about["data_type"]))
    if serializer not in ("bytes", "vlen-utf8") or len(chunks) != len(shape):
        raise ValueError(f"{name} is not laid out as a granule's variable")
    values = np.empty(shape, dtype)
    counts = [-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True)]
    for at in product(*map(range, counts)):
        key = "/".join([name, "c", *map(str, at)])
        if key not in files:
            raise FileNotFoundError(f"chunk {key} is gone")
        data: Any = files[key]
        for compressor in reversed(compressors):
            data = decompress(compressor, data)
        chunk = _WORDS.decode(data) if serializer == "vlen-utf8" else np.frombuffer(data, dtype)
        chunk = chunk.reshape(chunks)
        where = tuple(
            slice(i * c, min((i + 1) * c, size))
            for i, c, size in zip(at, chunks, shape, strict=True)
        )
        values[where] = chunk[tuple(slice(0, w.stop - w.start) for w in where)]
    return _decoded(tuple(about.get("dimension_names") or ()), values, dict(about["attributes"]))


_WORDS = VLenUTF8()


@lru_cache(maxsize=64)
def _native(data_type: str) -> np.dtype[Any]:
    kind = parse_dtype(json.loads(data_type), zarr_format=3).to_native_dtype()
    return np.dtype(object) if kind.kind == "T" else kind.newbyteorder("<")


def _decoded(
    dims: tuple[str, ...], values: np.ndarray[Any, Any], attrs: dict[str, Any]
) -> tuple[Any, ...]:
    if attrs.get("units") == TIME_UNITS and values.dtype == np.int64:
        attrs = {k: v for k, v in attrs.items() if k not in ("units", "calendar")}
        values = values.view("datetime64[ns]")
    if values.dtype.kind == "O":
        values = words(values)
    return dims, values.astype(values.dtype.newbyteorder("="), copy=False), attrs
