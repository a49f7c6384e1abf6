"""A granule is, byte for byte, what zarr itself would have written."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.datatypes import VDF, Moments
from sciqlop_pipe.store import codecs
from sciqlop_pipe.store.codecs import codec_of
from sciqlop_pipe.store.layout import plain_attrs, raw_values, stored_attrs
from sciqlop_pipe.store.tree import RECORD, chunks_of, decode, encode
from tests.store.test_granules import datasets

SHORT = DataType("Short", records=2)


def by_zarr(ds: xr.Dataset, datatype: DataType) -> dict[str, bytes]:
    """Return the files that zarr makes of a dataset, with its own synchronous calls."""
    memory = MemoryStore()
    zarr.open_group(memory, mode="w", zarr_format=3, attributes=plain_attrs(ds.attrs))
    for name, var in ds.variables.items():
        values = raw_values(var)
        array = zarr.create_array(
            memory,
            name=str(name),
            shape=values.shape,
            dtype=str if values.dtype.kind == "U" else values.dtype,
            chunks=chunks_of(values, datatype),
            compressors=[codec_of(values).zarr],
            dimension_names=[str(d) for d in var.dims],
            attributes=stored_attrs(var),
            fill_value=np.nan if values.dtype.kind == "f" else None,
            config={"write_empty_chunks": True},
        )
        if values.size:
            array[...] = values
    return {key: buffer.to_bytes() for key, buffer in memory._store_dict.items()}


def meaning(key: str, data: bytes) -> Any:
    """Return what a file says: metadata without what the specification lets out, other bytes."""
    if not key.endswith("zarr.json"):
        return data
    said = json.loads(data)
    said.pop("storage_transformers", None)
    said["attributes"].pop(RECORD, None)
    said["attributes"].pop("coordinates", None)
    return json.dumps(said, sort_keys=True)


def assert_as_zarr(ds: xr.Dataset, datatype: DataType) -> None:
    ours, theirs = encode(ds, datatype, {}), by_zarr(ds, datatype)
    assert sorted(ours) == sorted(theirs)
    for key, data in ours.items():
        assert meaning(key, data) == meaning(key, theirs[key]), key


@settings(max_examples=20, deadline=None)
@given(datasets(), st.booleans())
def test_any_dataset_is_written_as_zarr_writes_it(ds: xr.Dataset, tried: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codecs, "TRIED", 0 if tried else codecs.TRIED)
        assert_as_zarr(ds, SHORT)


def test_dtypes_of_every_kind_are_written_as_zarr_writes_them() -> None:
    kinds = ["?", "i1", "u1", "<i2", ">u2", "<i4", "<u8", "<f2", ">f4", "<f8", "<c8", "<c16", "U3"]
    columns = {f"v{i}": ("time", np.arange(5).astype(kind)) for i, kind in enumerate(kinds)}
    none = {"none": (("time", "nothing"), np.empty((5, 0))), "one": ((), np.float32(3))}
    ds = xr.Dataset(columns | none, {"time": np.arange(5).astype("M8[ns]")})
    ds["wait"] = ("time", np.arange(5).astype("m8[s]").astype("m8[ns]"))
    assert_as_zarr(ds, SHORT)


def distributions(n: int) -> xr.Dataset:
    """Return counts, as most bins of a plasma instrument have them: few values, often none."""
    rng = np.random.default_rng(1)
    weight = np.linspace(0.1, 3, 32).astype("f4")
    f = rng.poisson(0.4, (n, 8, 16, 32)).astype("f4") * weight
    b = np.cumsum(rng.normal(size=(40 * n, 3)), 0).astype("f4")
    return xr.Dataset({"f": (("time", "phi", "theta", "energy"), f), "b": (("fine", "c"), b)})


def test_counts_are_not_shuffled_and_fields_are() -> None:
    ds = distributions(120)
    assert codec_of(raw_values(ds["f"].variable)).shuffle == ""
    assert codec_of(raw_values(ds["b"].variable)).shuffle != ""
    assert_as_zarr(ds, VDF)


def test_what_is_chosen_is_never_far_from_the_best() -> None:
    ds, t = distributions(60), np.linspace(0, 60, 20_003)
    arrays = [
        ds["f"].values,
        ds["b"].values,
        np.sin(t),
        np.sin(t).astype("f4"),
        np.repeat([1.0, np.nan, 7.0], 5000),
        np.zeros(30_000),
        (1e18 + 1.5e8 * np.arange(9001)).astype("i8"),
        np.random.default_rng(2).normal(size=9001),
    ]
    for values in arrays:
        sizes = {c: len(c.compress(values)) for c in codecs._candidates(values.itemsize)}
        assert sizes[codec_of(values)] < 1.1 * min(sizes.values()) + 0.01 * values.nbytes


def test_a_last_chunk_is_filled_up() -> None:
    ds = xr.Dataset(
        {"a": (("time", "x", "y"), np.ones((5, 1, 1))), "n": (("time", "x", "y"), np.ones((5, 1, 1), "i4"))}
    )  # fmt: skip
    files = encode(ds, SHORT, {})
    assert [k for k in files if k.startswith("a/c")] == ["a/c/0/0/0", "a/c/1/0/0", "a/c/2/0/0"]
    assert_as_zarr(ds, SHORT)


def test_the_record_is_kept_and_not_part_of_the_dataset() -> None:
    ds = xr.Dataset({"density": ("time", [1.0, 2.0])}, attrs={"species": "H+"})
    files = encode(ds, Moments, {"uid": "u"})
    said = json.loads(files["zarr.json"])["attributes"]
    assert said[RECORD] == {"uid": "u", "variables": ["density"]}
    xr.testing.assert_identical(decode(files), ds)


@settings(max_examples=20, deadline=None)
@given(datasets())
def test_what_zarr_wrote_reads_as_what_we_write(ds: xr.Dataset) -> None:
    """Granules of before 2026-11-26 were written by zarr."""
    ours, theirs = decode(encode(ds, SHORT, {})), decode(by_zarr(ds, SHORT))
    for name in ds.variables:
        np.testing.assert_array_equal(ours[name].values, theirs[name].values)
        assert ours[name].dims == theirs[name].dims
        assert ours[name].dtype == theirs[name].dtype
        assert repr(ours[name].attrs) == repr(theirs[name].attrs)
    assert all(v.values.flags.writeable for v in ours.data_vars.values() if v.ndim)


def test_chunks_along_every_axis_are_put_together() -> None:
    memory, whole = MemoryStore(), np.arange(60.0).reshape(5, 4, 3)
    zarr.open_group(memory, mode="w", zarr_format=3)
    array = zarr.create_array(
        memory, name="a", shape=whole.shape, chunks=(2, 3, 2), dtype="f8", dimension_names="xyz"
    )
    array[...] = whole
    files = {key: buffer.to_bytes() for key, buffer in memory._store_dict.items()}
    np.testing.assert_array_equal(decode(files)["a"].values, whole)


@pytest.mark.parametrize("damage", ["short", "codec", "gone"])
def test_what_is_not_as_it_was_written_is_refused(damage: str) -> None:
    ds = xr.Dataset({"density": ("time", np.arange(50.0))})
    files = encode(ds, Moments, {})
    if damage == "short":
        files["density/c/0"] = codec_of(np.arange(40.0)).compress(np.arange(40.0))
    elif damage == "codec":
        files["density/zarr.json"] = files["density/zarr.json"].replace(b"blosc", b"gzip")
    else:
        del files["density/c/0"]
    with pytest.raises((ValueError, FileNotFoundError)):
        decode(files)
