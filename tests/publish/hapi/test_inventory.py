"""What there is, told at once: a few questions to the registry, kept by clients, asked again if new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from sciqlop_pipe.datatypes import EnergySpectrum, Moments, ScalarSeries
from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.granule import HOUR, Interval
from sciqlop_pipe.ondemand import Broker
from sciqlop_pipe.publish.hapi import library as library_module
from sciqlop_pipe.publish.hapi.app import HapiApp
from sciqlop_pipe.publish.hapi.client import Remote
from sciqlop_pipe.publish.hapi.library import Library
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import Verdict, add_verdict
from tests import builders, ledger, toy
from tests.publish.hapi.running import ANY, Here, listening, running
from tests.publish.served import hour, put
from tests.serial import Bench

DEEP = "/hapi/catalog?depth=all"


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """Collect the questions to the registry."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    event.listen(store.registry.db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.registry.db.engine, "before_cursor_execute", note)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A store of twelve datasets, one of which changes its mode."""
    with Store.open(tmp_path / "many", create=True, durable=False) as store:
        for k in range(5):
            put(store, f"m{k}.a", Moments, builders.moments(hour(0, records=3)))
            put(store, f"m{k}.b", ScalarSeries, builders.scalar_series(hour(0, records=3)))
        for k, bins in enumerate((8, 12, 8)):
            energy = np.geomspace(10.0, 3e4, bins)
            ds = builders.energy_spectrum(hour(k, records=5), energy=energy)
            put(store, "m0.spectrum", EnergySpectrum, ds, k)
        ledger.commit(store, ledger.found([ledger.event(5)]))
    return tmp_path / "many"


def test_all_datasets_are_told_with_a_few_questions(many: Path) -> None:
    with Store.open(many, read_only=True) as store:
        library = Library(store)
        with counted(store) as asked:
            told = {name: info for name, _, info in library.every()}
        assert len(told) == 12
        assert len(asked) <= 15  # of these, seven for the catalog; four for each dataset before
        each = Library(store)
        assert told == {name: each.info(name) for name in each.extents()}
        size = {p["name"]: p.get("size") for p in told["m0.spectrum"]["parameters"]}
        assert size["spectrum"] == size["energy"] == [12]


def test_after_a_commit_only_what_changed_is_described_anew(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew: list[str] = []
    real = Library._describe
    monkeypatch.setattr(
        Library, "_describe", lambda s, st, e: (anew.append(e.dataset), real(s, st, e))[1]
    )
    with Store.open(many) as store:
        library = Library(store)
        list(library.every())
        assert len(anew) == 11
        anew.clear()
        put(store, "m0.a", Moments, builders.moments(hour(1, records=3)), 1)
        told = {name: info for name, _, info in library.every()}
        assert anew == ["m0.a"]
        assert told["m0.a"]["stopDate"] > told["m1.a"]["stopDate"]


def test_one_that_is_damaged_does_not_hide_the_others(
    many: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(many, read_only=True) as store:
        bad = next(r.path for r in store.registry.stored("m0.spectrum") if r.path)
        for row in store.registry.stored("m0.spectrum"):
            (many / str(row.path)).write_bytes(b"not a zip")
        assert bad
        told = [name for name, _, _ in Library(store).every()]
    assert len(told) == 11 and "m0.spectrum" not in told
    assert "m0.spectrum cannot be described" in caplog.text


def test_the_whole_catalog_is_sent_once_until_something_changes(many: Path) -> None:
    with Store.open(many) as store:
        here = Here(HapiApp(Library(store), ANY))
        first = here.get(DEEP)
        tag = first.headers["etag"]
        assert here.get(DEEP, if_none_match=tag).status_code == 304
        assert here.get(DEEP, if_modified_since=first.headers["last-modified"]).status_code == 200
        packed = here.get(DEEP, accept_encoding="gzip")
        assert packed.headers["content-encoding"] == "gzip" and packed.json() == first.json()
        said = Verdict(ledger.event(5).id, "toy.events", "me", "accept")
        add_verdict(store.registry.db, said)
        judged = here.get(DEEP, if_none_match=tag)
        assert judged.status_code == 200 and judged.headers["etag"] != tag
        put(store, "m9.a", Moments, builders.moments(hour(0, records=3)))
        more = here.get(DEEP, if_none_match=judged.headers["etag"])
        assert len(more.json()["catalog"]) == 13


def test_an_unknown_dataset_is_not_said_to_be_unchanged(many: Path) -> None:
    with Store.open(many, read_only=True) as store:
        here = Here(HapiApp(Library(store), ANY))
        date = "Mon, 01 Jan 2035 00:00:00 GMT"
        assert here.get("/hapi/info?dataset=m0.nothing", if_modified_since=date).status_code == 404


def test_a_client_keeps_what_it_was_told(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    real = Remote._get

    def noted(self: Remote, endpoint: str, query: Any, **more: Any) -> Any:
        said = real(self, endpoint, query, **more)
        codes.append(said.status)
        return said

    monkeypatch.setattr(Remote, "_get", noted)
    with running(many) as hapi:
        remote = Remote(hapi, kept=tmp_path / "kept")
        first, again = remote.infos(), remote.infos()
        assert first == again and len(first) == 12
        assert codes == [200, 200, 200, 304]
        (file,) = (tmp_path / "kept").iterdir()
        file.write_bytes(file.read_bytes()[:-40])  # cut short by a crash
        assert remote.infos() == first and codes[-1] == 200
        file.write_bytes(b"")
        assert remote.infos() == first and codes[-1] == 200
        with Store.open(many) as store:
            put(store, "m9.a", Moments, builders.moments(hour(0, records=3)))
        assert len(remote.infos()) == 13 and codes[-1] == 200
    with pytest.raises(PipeError, match="does not answer"):
        remote.infos()


def test_a_folder_that_cannot_be_written_costs_nothing_else(many: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(many) as hapi:
        remote = Remote(hapi, kept=tmp_path / "file" / "kept")
        assert len(remote.infos()) == len(remote.infos()) == 12


def test_a_server_without_depth_is_asked_for_each(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Remote._json

    def shallow(self: Remote, endpoint: str, **query: str) -> dict[str, Any]:
        said = real(self, endpoint, **query)
        return said | {"catalogDepthOptions": ["dataset"]} if endpoint == "capabilities" else said

    with running(many) as hapi:
        deep = Remote(hapi).infos()
        monkeypatch.setattr(Remote, "_json", shallow)
        each = Remote(hapi).infos()
    assert each.keys() == deep.keys()
    assert all(each[n]["parameters"] == deep[n]["parameters"] for n in deep)


def test_what_can_be_made_is_in_the_catalog_of_a_server_that_computes(bench: Bench) -> None:
    bench.files(0, 1, 2, 3)
    bench.run("toy.raw")
    graph = toy.toy_graph()
    with bench.store() as store:
        broker = Broker(store, graph)
        app = HapiApp(Library(store, graph, broker.makeable), ANY, broker=broker)
        entries = {e["id"]: e for e in Here(app).get(DEEP).json()["catalog"]}
        assert "info" in entries["toy.raw"]
        promise = entries["toy.double"]["x_promised"]
        assert promise["x_type"] == "ScalarSeries" and "info" not in entries["toy.double"]
        assert promise["startDate"].startswith("2030-01-01T00")
        with listening(app) as base:
            remote = Remote(f"{base}/hapi")
            infos = remote.infos()
            assert infos["toy.double"]["x_promised"] and "toy.rises" in infos
            begin = toy.DAY.start
            span = Interval(begin + HOUR, begin + 2 * HOUR)
            assert not remote.made("toy.double", span).get("x_promised")
            _, block = remote.read("toy.double", ["value"], span)
            assert len(block)
            assert "x_promised" not in remote.infos()["toy.double"]
        broker.close()
    with Store.open(bench.folder / "store", read_only=True) as store:
        here = Here(HapiApp(Library(store, graph), ANY))
        assert "toy.smooth" not in here.get(DEEP).text
        said = here.get("/hapi/info?dataset=toy.smooth").json()["status"]["message"]
        assert "not computed" in said and "sciqlop-pipe run toy.smooth" in said


def test_titles_that_change_with_a_plugin_change_the_tag(many: Path) -> None:
    with Store.open(many, read_only=True) as store:
        bare, more = Library(store), Library(store, toy.toy_graph())
        assert bare.declared != more.declared
        assert library_module.judgements(store) == 0
