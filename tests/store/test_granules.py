"""A granule is written whole or not at all, and reads back exactly."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.granule import Granule
from sciqlop_pipe.store import granules
from sciqlop_pipe.store.granules import (
    new_uid,
    read_granule,
    read_record,
    remove_granule,
    write_granule,
)
from sciqlop_pipe.store.layout import content_hash, layout_of
from tests.ledger import hours, series

ANY = DataType("Any", records=2)
GRANULE = Granule("toy.a", hours(0))
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(root: Path, ds: xr.Dataset, datatype: DataType = ANY, **options: Any) -> str:
    return write_granule(
        root, GRANULE, new_uid("0" * 16), ds, datatype, {"uid": "x"}, durable=False, **options
    ).path


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


dtypes = st.sampled_from(
    ["f4", "f8", ">f4", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "?", "U3", "M8[ns]", "c8"]
)
attributes = st.dictionaries(
    st.text("abcd_ XYZé", min_size=1, max_size=6),
    st.one_of(
        st.text(max_size=8),
        st.integers(-(2**53), 2**53),
        st.floats(width=64),
        st.booleans(),
        st.lists(st.integers(0, 9), max_size=3),
        st.none(),
    ),
    max_size=4,
)


@st.composite
def datasets(draw: st.DrawFn) -> xr.Dataset:
    """Return any dataset with a time: dims, dtypes, attributes, coordinates, NaN and NaT."""
    n = draw(st.integers(1, 5))
    tails = draw(st.lists(array_shapes(min_dims=0, max_dims=2, max_side=3), max_size=3))
    steps = np.cumsum(draw(arrays("i8", n, elements=st.integers(1, 10**12))))
    ds = xr.Dataset(coords={"time": steps.astype("M8[ns]")}, attrs=draw(attributes))
    for i, tail in enumerate(tails):
        in_time = draw(st.booleans())
        dims = [f"{'bin' if size > 1 else 'one'}{size}" for size in tail]
        if len(set(dims)) != len(dims):
            continue
        shape = (n, *tail) if in_time else tail
        values = draw(arrays(draw(dtypes), shape))
        name = f"v{i}"
        ds[name] = ((["time"] if in_time else []) + dims, values, draw(attributes))
        if draw(st.booleans()):
            ds = ds.set_coords(name)
    return ds


@EXAMPLES
@given(datasets(), st.sampled_from([0, 1 << 20]))
def test_any_dataset_reads_back_exactly(tmp_path: Path, ds: xr.Dataset, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(granules, "ZIP_LIMIT", limit)
        path = write(tmp_path, ds)
    back = read_granule(tmp_path, path)
    assert content_hash(back) == content_hash(ds)
    assert layout_of(back).to_json() == layout_of(ds).to_json()
    assert back.sizes == ds.sizes
    assert set(back.coords) == set(ds.coords)
    for name, var in ds.variables.items():
        assert back[name].dims == var.dims
        assert back[name].dtype.kind == var.dtype.kind
        assert back[name].dtype == var.dtype.newbyteorder("=") or var.dtype.kind == "U"
        np.testing.assert_array_equal(back[name].values, var.values)


def test_a_small_granule_is_one_file_and_a_large_one_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = series(hours(0), 1.0)
    small = write(tmp_path, ds)
    assert files(tmp_path) == [small]
    assert small.endswith(".zip")
    monkeypatch.setattr(granules, "ZIP_LIMIT", 10)
    large = write(tmp_path, ds)
    assert large.endswith(".zarr")
    assert (tmp_path / large).is_dir()
    for path in (small, large):
        xr.testing.assert_identical(read_granule(tmp_path, path), ds)
        assert read_record(tmp_path / path)["uid"] == "x"
        remove_granule(tmp_path, path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_plain_xarray_opens_a_granule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", limit)
    ds = series(hours(0), 1.5).assign_coords(place=("time", ["a", "bc", "", "é"]), height=3.0)
    path = tmp_path / write(tmp_path, ds)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        store: Any = zarr.storage.ZipStore(path, mode="r") if limit else path
        with xr.open_zarr(store, consolidated=False) as found:
            assert found["value"].values.tolist() == [1.5] * 4
            assert found["time"].values.tolist() == ds["time"].values.tolist()
            assert set(found.coords) == {"time", "place", "height"}
            assert found["value"].attrs["units"] == "nT"


def test_the_size_told_is_that_on_disk(tmp_path: Path) -> None:
    written = write_granule(tmp_path, GRANULE, "u", series(hours(0), 1.0), ANY, {}, durable=False)
    assert written.nbytes == (tmp_path / written.path).stat().st_size


@pytest.mark.parametrize("limit", [0, 1 << 20])
@pytest.mark.parametrize("call", ["fsync", "open", "mkdir", "rename"])
@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_a_full_disk_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, call: str, after: int
) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", limit)
    owner: Any = os if call == "fsync" else Path
    real, left = getattr(owner, call), iter(range(after))

    def full_disk(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, call, full_disk)
    ds, said, path = series(hours(0), 1.0), "", ""
    try:
        path = write_granule(tmp_path, GRANULE, "u", ds, ANY, {}).path
    except StoreError as error:
        said = str(error)
    monkeypatch.setattr(owner, call, real)
    if path:
        xr.testing.assert_identical(read_granule(tmp_path, path), ds)
    else:
        assert "No space left" in said
        assert "run the same command again" in said
        assert files(tmp_path) == []


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root to mount a small disk"
)
def test_a_really_full_disk_is_said_and_what_was_there_reads(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np; from pathlib import Path; from tests.store.test_granules import *\n"
        "root = Path(sys.argv[1]); small = write(root, series(hours(0), 1.0))\n"
        "noise = series(hours(0), 1.0, 90_000); noise['value'].values[:] = np.random.rand(90_000)\n"
        "try: write(root, noise)\n"
        "except StoreError as error: print(error)\n"
        "print(files(root) == [small], read_granule(root, small).sizes['time'])"
    )
    mount = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1"'
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "permitted" in ran.stderr or "denied" in ran.stderr:
        pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
    assert "No space left on device" in ran.stdout, ran.stderr
    assert ran.stdout.splitlines()[-1] == "True 4"


@pytest.mark.parametrize("moment", ["fsync", "rename"])
def test_a_killed_writer_leaves_nothing_that_looks_like_a_granule(
    tmp_path: Path, moment: str
) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.store.test_granules import *\n"
        f"{'os.fsync' if moment == 'fsync' else 'Path.rename'} = lambda *_: os.kill(os.getpid(), 9)\n"
        "write_granule(Path(sys.argv[1]), GRANULE, 'u', series(hours(0), 1.0), ANY, {})"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert died.returncode == -9
    assert all(Path(name).name.startswith(".part-") for name in files(tmp_path))


@pytest.mark.filterwarnings("ignore:Object at:zarr.errors.ZarrUserWarning")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_bytes_are_refused_or_were_not_needed(tmp_path: Path, data: st.DataObject) -> None:
    """A zip carries checksums: what reads at all reads as it was written."""
    ds = series(hours(0), 1.0)
    path = write(tmp_path, ds)
    whole = bytearray((tmp_path / path).read_bytes())
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(1, 40))
    how = data.draw(st.sampled_from(["flip", "cut", "drop", "zero"]))
    if how == "flip":
        whole[start] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del whole[start:]
    elif how == "drop":
        del whole[start : start + length]
    else:
        whole[start : start + length] = bytes(len(whole[start : start + length]))
    (tmp_path / path).write_bytes(bytes(whole))
    try:
        back = read_granule(tmp_path, path)
        read_record(tmp_path / path)
    except StoreError:
        back = ds
    assert content_hash(back) == content_hash(ds)
    remove_granule(tmp_path, path)


def test_a_lost_variable_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granules, "ZIP_LIMIT", 0)
    path = write(tmp_path, series(hours(0), 1.0))
    shutil.rmtree(tmp_path / path / "value")
    with pytest.raises(StoreError, match="variable value is gone"):
        read_granule(tmp_path, path)


def test_a_granule_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not read"):
        read_granule(tmp_path, "data/toy.a/2030/x.zip")
    with pytest.raises(StoreError, match="does not read"):
        read_record(tmp_path / "x.zarr")


def base() -> xr.Dataset:
    ds = series(hours(0), 1.0).assign_coords(place=("time", ["a", "b", "c", "d"]))
    return ds.assign_attrs(species="H+", mass=1.0)


CHANGES = {
    "a value": lambda ds: ds["value"].values.__setitem__(2, 1.0000000000000002),
    "a zero's sign": lambda ds: ds["value"].values.__setitem__(2, -0.0),
    "a NaN": lambda ds: ds["value"].values.__setitem__(2, np.nan),
    "a word": lambda ds: ds["place"].values.__setitem__(0, "A"),
    "a unit": lambda ds: ds["value"].attrs.update(units="T"),
    "an attribute": lambda ds: ds.attrs.update(mass=2.0),
    "one more attribute": lambda ds: ds.attrs.update(charge=1.0),
    "one more variable": lambda ds: ds.update({"other": ("time", np.zeros(4))}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_content_changes_its_hash(change: str) -> None:
    changed = base().copy(deep=True)
    if change == "a zero's sign":
        first = base().copy(deep=True)
        first["value"].values[2] = 0.0
        assert content_hash(first) != content_hash(base())
    CHANGES[change](changed)
    assert content_hash(changed) != content_hash(base())


def test_a_change_of_name_dims_or_dtype_changes_the_hash() -> None:
    ds = base()
    others = [
        ds.rename(value="valve"),
        ds.astype("f4"),
        ds.isel(time=slice(0, 3)),
        ds.expand_dims("x").transpose("time", "x"),
    ]
    assert len({content_hash(other) for other in (ds, *others)}) == 5


def test_the_order_of_variables_and_attributes_does_not_matter() -> None:
    ds = base()
    turned = xr.Dataset(
        {"value": ds["value"].variable},
        {"place": ds["place"].variable, "time": ds["time"].variable},
        dict(reversed(ds.attrs.items())),
    )
    turned["value"].attrs = dict(reversed(ds["value"].attrs.items()))
    assert content_hash(turned) == content_hash(ds)
    assert layout_of(turned) == layout_of(ds)


def test_the_same_values_held_otherwise_in_memory_have_the_same_hash() -> None:
    ds = base()
    value = np.zeros((4, 3))
    value[:] = np.arange(12).reshape(4, 3)
    plain = ds.assign(matrix=(("time", "i"), value))
    fortran = ds.assign(matrix=(("time", "i"), np.asfortranarray(value)))
    view = ds.assign(matrix=(("time", "i"), np.repeat(value, 2, axis=0)[::2]))
    foreign = ds.assign(matrix=(("time", "i"), value.astype(">f8")))
    objects = plain.assign_coords(place=("time", np.array(["a", "b", "c", "d"], dtype=object)))
    wide = plain.assign_coords(place=("time", np.array(["a", "b", "c", "d"], dtype="U9")))
    hashes = {content_hash(d) for d in (plain, fortran, view, foreign, objects, wide)}
    assert len(hashes) == 1
