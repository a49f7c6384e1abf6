"""Store to HAPI to hapiclient: values, times, units and fills, compared exactly."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.granule import HOUR, MINUTE, Interval
from sciqlop_pipe.publish.hapi.client import Remote
from sciqlop_pipe.publish.hapi.library import Library
from sciqlop_pipe.store import Store
from tests import builders
from tests.publish.hapi.running import Here, app_of
from tests.publish.served import NAMES, START, hour, put

WHOLE = Interval(START, START + 2 * HOUR)
hapiclient = pytest.importorskip("hapiclient", reason="hapiclient is not installed")


def by_hapiclient(server: str, name: str, form: str, folder: Path) -> tuple[np.ndarray, dict]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hapiclient.hapi(
            server, name, "", "2020-11-19T23:00:00Z", "2020-11-20T01:00:00Z",
            format=form, cache=False, usecache=False, cachedir=str(folder),
        )  # fmt: skip


@pytest.mark.parametrize("form", ["binary", "csv"])
@pytest.mark.parametrize("kind", list(NAMES))
def test_hapiclient_gets_what_the_store_has(
    served: Path, hapi: str, tmp_path: Path, kind: str, form: str
) -> None:
    name = NAMES[kind]
    got, meta = by_hapiclient(hapi, name, form, tmp_path)
    with Store.open(served, read_only=True) as store:
        ds = store.read(name).load()
    times = np.array([t.decode().removesuffix("Z") for t in got["Time"]], "M8[ns]")
    np.testing.assert_array_equal(times, ds["time"].values)
    about = {p["name"]: p for p in meta["parameters"]}
    for variable in ds.data_vars:
        array = ds[variable]
        if array.dims[:1] != ("time",):
            continue
        values = got[str(variable)]
        np.testing.assert_array_equal(values, array.values.astype(values.dtype))
        assert about[str(variable)]["units"] == array.attrs["units"]
        if array.dtype.kind == "f":
            assert about[str(variable)]["fill"] == "NaN"
            np.testing.assert_array_equal(values.astype(array.dtype), array.values)


@pytest.mark.parametrize("kind", list(NAMES))
def test_our_client_rebuilds_every_variable_with_its_dtype(
    served: Path, hapi: str, kind: str
) -> None:
    name = NAMES[kind]
    info = Remote(hapi).info(name)
    names = [p["name"] for p in info["parameters"][1:]]
    _, block = Remote(hapi).read(name, names, WHOLE)
    with Store.open(served, read_only=True) as store:
        ds = store.read(name).load()
    np.testing.assert_array_equal(block.time, ds["time"].values.astype(np.int64))
    for variable, array in ds.variables.items():
        if variable == "time":
            continue
        if array.dims[:1] == ("time",):
            values = block.columns[str(variable)]
            assert values.dtype == array.dtype
            np.testing.assert_array_equal(values, array.values)
        else:
            told = info["x_statics"][str(variable)]
            assert told["dims"] == list(array.dims)
            np.testing.assert_array_equal(np.array(told["values"], told["dtype"]), array.values)
    for key, value in ds.attrs.items():
        assert info["x_attrs"][key] == value


def test_frames_components_and_bins_are_told(hapi: str) -> None:
    vector = Remote(hapi).info(NAMES["vector"])["parameters"][1]
    assert vector["coordinateSystemName"] == "GSE"
    assert vector["vectorComponents"] == ["x", "y", "z"]
    assert vector["label"] == ["vector_x", "vector_y", "vector_z"]
    parameters = {p["name"]: p for p in Remote(hapi).info(NAMES["spectrum"])["parameters"]}
    assert parameters["spectrum"]["bins"] == [
        {"name": "energy", "units": "eV", "centers": "energy"}
    ]
    f = {p["name"]: p for p in Remote(hapi).info(NAMES["vdf"])["parameters"]}["f"]
    assert [b["name"] for b in f["bins"]] == ["phi", "theta", "energy"]
    assert all(len(b["centers"]) == n for b, n in zip(f["bins"], f["size"], strict=True))


def spectra(k: int, bins: int, lowest: float) -> xr.Dataset:
    """Spectra on a table that does not change within the hour."""
    energy = np.geomspace(lowest, 3e4, bins)
    return builders.energy_spectrum(hour(k, records=5), energy=energy)


def test_modes_that_change_are_one_dataset_with_tables_in_time(tmp_path: Path) -> None:
    from sciqlop_pipe.datatypes import EnergySpectrum

    made = {0: spectra(0, 8, 10.0), 1: spectra(1, 8, 20.0), 2: spectra(2, 12, 10.0)}
    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        for k, ds in made.items():
            put(store, "a1.spectrum", EnergySpectrum, ds, k)
        library = Library(store)
        said = {p["name"]: p for p in library.info("a1.spectrum")["parameters"]}
        assert said["spectrum"]["size"] == said["energy"]["size"] == [12]
        assert said["spectrum"]["bins"][0]["centers"] == "energy"
        answer = library.open("a1.spectrum", Interval(START, START + 3 * HOUR))
        blocks = list(answer.blocks)
        assert answer.count == sum(map(len, blocks)) == 15
        for k, block in enumerate(blocks):
            n = made[k].sizes["energy_bin"]
            expected = np.broadcast_to(made[k]["energy"].values, (5, n))
            np.testing.assert_array_equal(block.columns["energy"][:, :n], expected)
            np.testing.assert_array_equal(
                block.columns["spectrum"][:, :n], made[k]["spectrum"].values
            )
            assert np.isnan(block.columns["spectrum"][:, n:]).all()


def test_what_some_granules_lack_is_filled(tmp_path: Path) -> None:
    from sciqlop_pipe.datatypes import Moments

    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        put(store, "a1.moments", Moments, builders.moments(hour(0, records=3)), 0)
        put(store, "a1.moments", Moments, builders.moments(hour(1, records=3), parallel=9.0), 1)
        answer = Library(store).open("a1.moments", WHOLE, ["temperature_parallel"])
        values = np.concatenate([b.columns["temperature_parallel"] for b in answer.blocks])
    np.testing.assert_array_equal(values, [np.nan] * 3 + [9.0] * 3)


def test_events_come_with_ends_ids_and_attributes(hapi: str) -> None:
    names = [p["name"] for p in Remote(hapi).info("a1.crossings")["parameters"][1:]]
    assert names == ["stop", "id", "kind", "verdict", "jump"]
    day = Interval.of("2030-01-01", "2030-01-01T01:00")
    _, block = Remote(hapi).read("a1.crossings", names, day)
    assert ((block.columns["stop"] - block.time) // MINUTE).tolist() == [1, 1, 1]
    assert block.columns["jump"].tolist() == [1.5] * 3
    assert len(set(block.columns["id"].tolist())) == 3


def test_a_verdict_changes_the_tag_of_the_events(tmp_path: Path) -> None:
    from sciqlop_pipe.store.events import Verdict, add_verdict
    from tests import ledger

    root = tmp_path / "store"
    with Store.open(root, create=True, durable=False) as store, app_of(root) as app:
        event = ledger.event(5)
        ledger.commit(store, ledger.found([event]))
        url = "/hapi/data?dataset=toy.events&start=2030-01-01Z&stop=2030-01-01T01Z"
        before = Here(app).get(url)
        assert Here(app).get(url, if_none_match=before.headers["etag"]).status_code == 304
        add_verdict(store.registry.db, Verdict(event.id, "toy.events", "me", "accept"))
        after = Here(app).get(url, if_none_match=before.headers["etag"])
        assert after.status_code == 200
        assert "accept" in after.text
        assert "accept" not in before.text


def test_attributes_that_events_lack_or_do_not_know_are_fills(tmp_path: Path) -> None:
    from dataclasses import replace as changed

    from tests import ledger

    events = [
        changed(ledger.event(1), attributes=(("b", None), ("n", 1.5), ("who", 'a, "b"'))),
        changed(ledger.event(2), attributes=(("b", None), ("n", None), ("axis", [1.0, 0.0, 0.0]))),
    ]
    root = tmp_path / "store"
    with Store.open(root, create=True, durable=False) as store, app_of(root) as app:
        ledger.commit(store, ledger.found(events))
        url = "dataset=toy.events&start=2030-01-01Z&stop=2030-01-01T01Z"
        said = Here(app).get(f"/hapi/data?{url}&format=json").json()
        names = [p["name"] for p in said["parameters"]]
        first, second = (dict(zip(names, row, strict=True)) for row in said["data"])
        assert (first["b"], first["n"], first["who"], first["axis_x"]) == (
            None,
            1.5,
            'a, "b"',
            None,
        )
        assert (second["b"], second["n"], second["who"], second["axis_x"]) == (None, None, "", 1.0)
        rows = list(csv.reader(io.StringIO(Here(app).get(f"/hapi/data?{url}").text)))
        assert rows[0][names.index("who")] == 'a, "b"'
        assert rows[1][names.index("n")] == "NaN"
