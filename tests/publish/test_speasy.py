"""speasy shows our products with its own classes, from a store and from a HAPI server, exactly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.ondemand import Broker
from sciqlop_pipe.publish.hapi.app import HapiApp
from sciqlop_pipe.publish.hapi.client import Remote
from sciqlop_pipe.publish.hapi.library import Library
from sciqlop_pipe.publish.places import Local
from sciqlop_pipe.store import Store
from tests.publish.hapi.running import ANY, listening
from tests.publish.served import NAMES, RECORDS, START
from tests.serial import Bench
from tests.toy import toy_graph

pytestmark = pytest.mark.system
pytest.importorskip("speasy", reason="speasy is not installed")
from sciqlop_pipe.publish import speasy_session  # noqa: E402

A, B = "2020-11-19T23:00", "2020-11-20T01:00"

Opened = Callable[[str], Any]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """speasy with our provider alone, reading from an address."""
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path))
    monkeypatch.setenv("SPEASY_PROXY_ENABLED", "false")
    monkeypatch.setenv("SPEASY_PIPE_COMPUTE", "false")
    import speasy
    from speasy.core.dataprovider import PROVIDERS

    def at(address: str) -> Any:
        monkeypatch.setenv("SPEASY_PIPE_ADDRESS", address)
        if "pipe" in PROVIDERS:
            PROVIDERS["pipe"].update_inventory()
        return speasy

    yield at
    if "pipe" in PROVIDERS:
        PROVIDERS["pipe"]._session.close()


@pytest.fixture(params=["store", "server"])
def spz(request: pytest.FixtureRequest, opened: Opened, served: Path) -> Any:
    """The same store, as a folder and as a HAPI server."""
    if request.param == "store":
        return opened(str(served))
    return opened(request.getfixturevalue("hapi"))


def stored(served: Path, name: str) -> xr.Dataset:
    with Store.open(served, read_only=True) as store:
        return store.read(name).load()


@pytest.mark.parametrize(
    ("kind", "variable", "axes"),
    [
        ("scalar", "value", []),
        ("vector", "vector", []),
        ("spectrum", "spectrum", ["energy"]),
        ("moments", "pressure", ["component", "component_2"]),
        ("vdf", "f", ["phi", "theta", "energy"]),
    ],
)
def test_values_times_and_units_are_those_of_the_store(
    spz: Any, served: Path, kind: str, variable: str, axes: list[str]
) -> None:
    from speasy.products import SpeasyVariable

    array = stored(served, NAMES[kind])[variable]
    got = spz.get_data(f"pipe/{NAMES[kind]}/{variable}", A, B)
    assert isinstance(got, SpeasyVariable)
    assert got.values.dtype == array.dtype
    assert got.values.dtype.byteorder in "=|"
    np.testing.assert_array_equal(got.values.reshape(array.shape), array.values)
    np.testing.assert_array_equal(got.time, array["time"].values)
    assert got.unit == array.attrs["units"]
    assert [a.name for a in got.axes[1:]] == axes
    assert got.meta["CATDESC"] == array.attrs["long_name"]


def test_a_scalar_a_vector_and_a_spectrogram_are_told_apart(spz: Any, served: Path) -> None:
    scalar = spz.get_data(f"pipe/{NAMES['scalar']}", A, B)
    vector = spz.get_data(f"pipe/{NAMES['vector']}", A, B)
    spectrum = spz.get_data(f"pipe/{NAMES['spectrum']}/spectrum", A, B)
    assert scalar.columns == ["value"]
    assert vector.columns == ["vector_x", "vector_y", "vector_z"]
    energy = spectrum.axes[1]
    assert energy.is_time_dependent
    assert energy.unit == "eV"
    table = stored(served, NAMES["spectrum"])["energy"].values
    np.testing.assert_array_equal(energy.values, table)
    tree = spz.inventories.tree.pipe.a1
    kinds = {tree.efield.potential.value.DISPLAY_TYPE, tree.fgm.b_gse.vector.DISPLAY_TYPE}
    assert kinds == {"time_series"}
    assert tree.ion.energy_spectrum.spectrum.DISPLAY_TYPE == "spectrogram"
    assert vector.columns == tree.fgm.b_gse.vector.LABL_PTR_1
    assert not hasattr(tree.ion.vdf.f, "DISPLAY_TYPE")
    assert tree.ion.energy_spectrum.spectrum.start_date.startswith("2020-11-19T23:00")
    assert spz.get_data(tree.fgm.b_gse.vector, A, B).shape == vector.shape
    assert scalar.to_dataframe().shape == (2 * RECORDS, 1)
    for variable in (scalar, vector, spectrum):
        again = type(variable).from_dictionary(variable.to_dictionary())
        np.testing.assert_array_equal(again.values, variable.values)


def test_limits_are_half_open_to_the_nanosecond(spz: Any, served: Path) -> None:
    times = stored(served, NAMES["scalar"])["time"].values
    got = spz.get_data(f"pipe/{NAMES['scalar']}/value", times[3], times[7])
    np.testing.assert_array_equal(got.time, times[3:7])


def test_no_data_is_none_and_a_range_beyond_is_cut(spz: Any) -> None:
    name = f"pipe/{NAMES['scalar']}/value"
    assert spz.get_data(name, "2020-11-19T23:30", "2020-11-19T23:31") is None
    assert spz.get_data(name, "1999-01-01", "1999-01-02") is None
    assert len(spz.get_data(name, "2000-01-01", "2030-01-01")) == 2 * RECORDS
    assert len(spz.get_data(name, float(START / 1e9), float(START / 1e9 + 3600))) == RECORDS


def test_catalogs_and_timetables_come_with_their_attributes(spz: Any) -> None:
    from speasy.products import Catalog, TimeTable

    catalog = spz.get_data("pipe/a1.crossings")
    assert isinstance(catalog, Catalog)
    assert [e.meta["jump"] for e in catalog] == [1.5] * 3
    assert all(e.meta["id"] and e.meta["kind"] == "rise" for e in catalog)
    assert str(catalog[0].start_time).startswith("2030-01-01 00:01:00")
    table = spz.get_data(spz.inventories.tree.pipe.TimeTables.a1_crossings)
    assert isinstance(table, TimeTable)
    assert [t.start_time for t in table] == [e.start_time for e in catalog]
    found = spz.get_data(
        f"pipe/{NAMES['scalar']}/value", spz.inventories.tree.pipe.Catalogs.a1_crossings
    )
    assert found == [None] * 3


def test_mistakes_are_answered_with_near_names(spz: Any) -> None:
    with pytest.raises(Exception, match="value"):
        spz.get_data(f"pipe/{NAMES['scalar']}/valeu", A, B)
    with pytest.raises(TypeError, match="colour"):
        spz.get_data(f"pipe/{NAMES['scalar']}/value", A, B, colour="red")
    assert spz.get_data(f"pipe/{NAMES['scalar']}/value", A, B, disable_cache=True) is not None


def test_a_place_that_is_not_there_leaves_an_empty_inventory(
    opened: Opened, tmp_path: Path
) -> None:
    spz = opened(str(tmp_path / "nothing"))
    with pytest.raises(Exception, match="nothing|a1"):
        spz.get_data(f"pipe/{NAMES['scalar']}/value", A, B)
    spz = opened("http://127.0.0.1:9/hapi")
    with pytest.raises(Exception, match="does not answer"):
        spz.get_data(f"pipe/{NAMES['scalar']}/value", A, B)


def test_importing_the_entry_point_costs_nothing() -> None:
    """It loads what speasy needs anyway, and nothing that is slow: some 10 ms, of 50."""
    code = (
        "import sys; import sciqlop_pipe.publish.speasy_provider; "
        "print(len([m for m in sys.modules if m.startswith('sciqlop_pipe')]), "
        "*(m in sys.modules for m in ('numpy', 'xarray', 'sqlalchemy', 'speasy', 'zarr')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    ).stdout.split()
    assert int(said[0]) <= 3 and said[1:] == ["False"] * 5


@pytest.mark.parametrize("place", ["store", "server"])
def test_what_can_be_made_is_in_the_inventory_and_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    from speasy.core.inventory.indexes import SpeasyIndex

    bench.files(0, 1, 2, 3)
    bench.run("toy.raw")
    graph = toy_graph(level=1.0)
    with bench.store() as store, ExitStack() as stack:
        if place == "store":
            where: Any = Local(store, graph)
        else:
            broker = Broker(store, graph)
            app = HapiApp(Library(store, graph, broker.makeable), ANY, broker=broker)
            where = Remote(stack.enter_context(listening(app)) + "/hapi")
        monkeypatch.setattr(speasy_session, "open_place", lambda *_, **__: where)
        session = speasy_session.Session("here")
        tree = session.inventory(SpeasyIndex("pipe", "pipe", "pipe"))
        assert tree.toy.double.value.spz_uid() == "toy.double/value"
        assert tree.Catalogs.toy_rises.spz_uid() == "toy.rises"
        span = ("2030-01-01T01:00", "2030-01-01T02:00")
        raw, double = (session.get(f"toy.{n}/value", *span, {}) for n in ("raw", "double"))
        np.testing.assert_array_equal(double.values, 2 * raw.values)
        catalog = session.get("toy.rises", None, None, {})
        assert [e.meta["kind"] for e in catalog] == ["rise"] * len(catalog) and len(catalog)
        if place == "server":
            broker.close()
        else:
            where.maker.close()
        assert store.registry.current("toy.double") and store.registry.current("toy.rises")
