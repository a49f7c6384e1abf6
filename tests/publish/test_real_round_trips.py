"""Real products and real events out of the store and back: CDF, HAPI, speasy, TSCat; nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.catalog import Catalog, load_catalog, read_catalog, to_tscat, to_votable
from sciqlop_pipe.cli import main
from sciqlop_pipe.granule import iso
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.istp.decode import from_cdf
from sciqlop_pipe.publish.istp.files import folder_of
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import Verdict, add_verdict
from sciqlop_pipe.store.granules import new_uid, read_granule, write_granule
from sciqlop_pipe.store.layout import content_hash
from tests.catalog.test_exchange import same
from tests.publish.hapi.running import running

pytestmark = pytest.mark.system

GRAPH = Graph.discover()
HIA = "cluster1.cis.hia"
#: What is run, from which folder of real files, and when.
RUNS = (
    (
        ["mms1.fpi.dis.brst.vdf", "mms1.fpi.dis.brst.moments", "mms1.fpi.dis.brst.energy_spectrum"],
        "mms/burst_20201119", ("2020-11-19T23:34", "2020-11-19T23:37"),
    ),
    (["mms1.fgm.brst.b_gse"], "mms/burst_20151016", ("2015-10-16T13:05", "2015-10-16T13:08")),
    (
        [f"{HIA}.hs_mag.moments", f"{HIA}.hs_mag.energy_spectrum", f"{HIA}.hs_mag.pitch_angles",
         f"{HIA}.moms"],
        "cluster/vdf_20010731", ("2001-07-31", "2001-08-01"),
    ),
    (
        ["mms1.boundary_crossings"], "mms/fast_20151201",
        ("2015-12-01", "2015-12-02"),
    ),
)  # fmt: skip
#: A dataset and the number of its records.
PRODUCTS = {
    "mms1.fpi.dis.brst.vdf": 800,
    "mms1.fpi.dis.brst.moments": 800,
    "mms1.fpi.dis.brst.energy_spectrum": 800,
    "mms1.fgm.brst.b_gse": 17792,
    f"{HIA}.hs_mag.moments": 10,
    f"{HIA}.hs_mag.energy_spectrum": 10,
    f"{HIA}.hs_mag.pitch_angles": 10,
    f"{HIA}.moms": 30,
}
CROSSINGS = "mms1.boundary_crossings"


def command(*words: str, store: Path) -> None:
    """Run the command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sciqlop-pipe", *words, "--store", str(store)])
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of real products and crossings."""
    root = tmp_path_factory.mktemp("real") / "store"
    for names, folder, (start, stop) in RUNS:
        command("run", *names, "--start", start, "--stop", stop, "--archive",
                str(shared_data / folder), "--salvage", "--workers", "0", store=root)  # fmt: skip
    return root


@pytest.fixture(scope="module")
def files(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of CDF files of all of them."""
    folder = tmp_path_factory.mktemp("cdf")
    command("publish", "cdf", *PRODUCTS, "--start", "2001-07-31", "--stop", "2020-11-20",
            "--dir", str(folder), store=real)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def server(real: Path) -> Iterator[str]:
    with running(real, graph=GRAPH) as hapi:
        yield hapi


def stored(real: Path, name: str) -> xr.Dataset:
    with Store.open(real, read_only=True) as store:
        return store.read(name).load()


def span(ds: xr.Dataset) -> tuple[str, str]:
    time = ds["time"].values.astype(np.int64)
    return iso(int(time[0])), iso(int(time[-1]) + 1)


@pytest.mark.parametrize("name", PRODUCTS)
def test_store_to_cdf_to_store_loses_nothing(
    real: Path, files: Path, tmp_path: Path, name: str
) -> None:
    ds = stored(real, name)
    assert ds.sizes["time"] == PRODUCTS[name]
    (path,) = folder_of(files, name).glob("2*/*.cdf")
    datatype = GRAPH[name].gives
    back = datatype.check(from_cdf(path))
    with Store.open(real, read_only=True) as one, Store.open(tmp_path / "two", create=True) as two:
        (row,) = [r for r in one.registry.current(name) if r.n]
        uid = new_uid(row.fingerprint)
        again = write_granule(two.root, row.granule, uid, back, datatype, {})
        assert content_hash(read_granule(two.root, again.path)) == row.content
        # A single bit that differs is seen.
        odd = back.copy(deep=True)
        values = odd[datatype.main].values
        values.reshape(-1)[-1] = np.nextafter(values.reshape(-1)[-1], np.float32(9))
        assert content_hash(datatype.check(odd)) != row.content or not np.isfinite(values).any()


@pytest.mark.parametrize("name", PRODUCTS)
def test_hapiclient_gets_values_times_units_and_fills(
    real: Path, server: str, tmp_path: Path, name: str
) -> None:
    hapiclient = pytest.importorskip("hapiclient", reason="hapiclient is not installed")
    ds = stored(real, name)
    variables = [str(v) for v in ds.data_vars if ds[v].dims[:1] == ("time",)]
    assert variables
    wanted = "" if len(variables) > 1 else variables[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got, meta = hapiclient.hapi(
            server, name, wanted, *span(ds),
            format="binary", cache=False, usecache=False, cachedir=str(tmp_path),
        )  # fmt: skip
    times = np.array([t.decode().removesuffix("Z") for t in got["Time"]], "M8[ns]")
    np.testing.assert_array_equal(times, ds["time"].values)
    about = {p["name"]: p for p in meta["parameters"]}
    for variable in variables:
        array, values = ds[variable], got[variable]
        assert about[variable]["units"] == array.attrs["units"]
        if array.dtype.kind == "f":  # float32 goes out as double: back, every bit is there
            assert about[variable]["fill"] == "NaN"
            np.testing.assert_array_equal(bits(values.astype(array.dtype)), bits(array.values))
            np.testing.assert_array_equal(np.isnan(values), np.isnan(array.values))
        else:
            np.testing.assert_array_equal(values, array.values.astype(values.dtype))


def bits(values: np.ndarray) -> np.ndarray:
    """Floats as integers, one word for every NaN."""
    plain = np.where(np.isnan(values), np.nan, values).astype(values.dtype)
    return np.ascontiguousarray(plain).view(f"u{values.dtype.itemsize}")


@pytest.fixture(scope="module")
def spz(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """speasy with the store of real products."""
    pytest.importorskip("speasy", reason="speasy is not installed")
    with pytest.MonkeyPatch.context() as patch:
        home = str(tmp_path_factory.mktemp("speasy"))
        for word in ("CONFIG", "CACHE", "DATA"):
            patch.setenv(f"XDG_{word}_HOME", home)
        patch.setenv("SPEASY_PROXY_ENABLED", "false")
        patch.setenv("SPEASY_PIPE_COMPUTE", "false")
        patch.setenv("SPEASY_PIPE_ADDRESS", str(real))
        import speasy
        from speasy.core.dataprovider import PROVIDERS

        if "pipe" in PROVIDERS:
            PROVIDERS["pipe"].update_inventory()
        yield speasy
        if "pipe" in PROVIDERS:
            PROVIDERS["pipe"]._session.close()


@pytest.mark.parametrize("name", PRODUCTS)
def test_speasy_gets_values_times_units_and_fills(real: Path, spz: Any, name: str) -> None:
    ds = stored(real, name)
    seen = 0
    for variable, array in ds.data_vars.items():
        if array.dims[:1] != ("time",) or array.dtype.kind not in "fiu":
            continue
        got = spz.get_data(f"pipe/{name}/{variable}", *(np.datetime64(t) for t in span(ds)))
        assert got.values.dtype == array.dtype
        np.testing.assert_array_equal(got.values.reshape(array.shape), array.values)
        np.testing.assert_array_equal(got.time, ds["time"].values)
        assert got.unit == array.attrs["units"]
        seen += 1
    assert seen
    tables = [v for v in ("energy", "pitch_angle") if v in ds.variables]
    whole = spz.get_data(f"pipe/{name}", *(np.datetime64(t) for t in span(ds)))
    axes = {a.name: a for a in whole.axes[1:]}
    for table in set(tables) & set(axes):
        np.testing.assert_array_equal(axes[table].values, ds[table].values)
        assert axes[table].unit == ds[table].attrs["units"]


TSCAT = """
import sys, tscat
made = tscat.import_json(open(sys.argv[1]).read()); tscat.save()
assert tscat.import_json(open(sys.argv[1]).read()) == []        # idempotent
open(sys.argv[1] + ".back", "w").write(tscat.export_json(made))
print(len(tscat.get_events(made[0])[0]))
"""


@pytest.fixture(scope="module")
def crossings(real: Path) -> Catalog:
    """The crossings of 2015-12-01, one of which a person has judged."""
    with Store.open(real) as store:
        events = load_catalog(store, CROSSINGS).events
        said = Verdict(events[0].id, CROSSINGS, "ada", "accept", comment='clear; "very" <ok>')
        add_verdict(store.registry.db, said)
        return load_catalog(store, CROSSINGS)


def test_catalog_to_tscat_to_catalog_loses_nothing(crossings: Catalog, tmp_path: Path) -> None:
    pytest.importorskip("tscat", reason="TSCat comes with the extra 'catalogs'")
    assert len(crossings.events) > 3 and all(e.attributes for e in crossings.events)
    file = tmp_path / "c.json"
    file.write_text(to_tscat(crossings))
    home = {f"XDG_{w}_HOME": str(tmp_path) for w in ("DATA", "CACHE", "CONFIG")}
    done = subprocess.run(
        [sys.executable, "-c", TSCAT, str(file)], capture_output=True, text=True, check=False,
        env=os.environ | home | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) == len(crossings.events)
    equal(crossings, (tmp_path / "c.json.back").read_text())


def test_catalog_to_votable_to_catalog_loses_nothing(crossings: Catalog) -> None:
    equal(crossings, to_votable(crossings))


def equal(catalog: Catalog, text: str) -> None:
    """Check that a file has every event of a catalog, and what was said of it."""
    back = read_catalog(text, "back")
    assert back.refused == ()
    by_id = {e.id: e for e in back.entries}
    assert by_id.keys() == {e.id for e in catalog.events}
    for event in catalog.events:
        same(by_id[event.id].event, event)
        said = [(v.verdict, v.author, v.comment) for v in catalog.verdicts.get(event.id, ())]
        assert [(s.verdict, s.author, s.comment) for s in by_id[event.id].said] == said
    assert sum(len(e.said) for e in back.entries) == 1


def test_crossings_reach_hapi_and_speasy_with_their_attributes(
    crossings: Catalog, real: Path, server: str, spz: Any
) -> None:
    from sciqlop_pipe.granule import Interval
    from sciqlop_pipe.publish.hapi.client import Remote

    remote = Remote(server)
    names = [p["name"] for p in remote.info(CROSSINGS)["parameters"][1:]]
    _, block = remote.read(CROSSINGS, names, Interval.of("2015-12-01", "2015-12-02"))
    catalog = {e.meta["id"]: e for e in spz.get_data(f"pipe/{CROSSINGS}")}
    assert len(block) == len(catalog) == len(crossings.events)
    for k, event in enumerate(sorted(crossings.events, key=lambda e: (e.start, e.id))):
        assert (int(block.time[k]), int(block.columns["stop"][k])) == (event.start, event.stop)
        assert block.columns["id"][k] == event.id
        meta = catalog[event.id].meta
        numbers = {a: v for a, v in event.attributes if isinstance(v, float) and np.isfinite(v)}
        for attribute, value in numbers.items():
            assert float(block.columns[attribute][k]) == value == meta[attribute]
    judged = [v for v in block.columns["verdict"].tolist() if v]
    assert judged == ["accept"]
