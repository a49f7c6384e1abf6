"""Compute on demand: what is lacking is made once, returned early, and kept."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.granule import HOUR, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, recipe
from sciqlop_pipe.ondemand import Broker, Busy, Maker, NotComputed, lacking, makeable
from sciqlop_pipe.publish.hapi.app import HapiApp
from sciqlop_pipe.publish.hapi.library import Library
from sciqlop_pipe.publish.places import Local
from sciqlop_pipe.store import Store
from tests import toy
from tests.publish.hapi.running import ANY, Here
from tests.serial import Bench
from tests.waiting import PATIENCE

BEGIN = instant("2030-01-01")
DAY = Interval(BEGIN, BEGIN + 24 * HOUR)


@recipe(gives=ScalarSeries, version=1)
def broken(x: ScalarSeries) -> Any:
    """Nothing; (time) [nT]."""
    raise RuntimeError("no")


def hours(first: int, stop: int) -> Interval:
    return Interval(BEGIN + first * HOUR, BEGIN + stop * HOUR)


@pytest.fixture
def ingested(bench: Bench) -> Bench:
    """A store with the raw hours 0 to 3 and nothing made of them."""
    bench.files(0, 1, 2, 3)
    bench.run("toy.raw")
    return bench


def test_what_can_be_made_is_what_all_inputs_are_there_for(ingested: Bench) -> None:
    graph = toy.toy_graph()
    with ingested.store() as store:
        have = {e.dataset: e for e in store.registry.extents()}
        found = makeable(graph, store, have)
        assert {"toy.double", "toy.smooth", "toy.day", "toy.both", "toy.rises"} <= set(found)
        assert found["toy.double"].interval == hours(0, 4)
        assert found["toy.rises"].events
        assert lacking(graph, store, "toy.double", hours(1, 3)) == [hours(1, 2), hours(2, 3)]
        assert lacking(graph, store, "toy.raw", hours(0, 9)) == []
        assert lacking(graph, store, "toy.double", hours(9, 10)) == []
        assert makeable(graph, store, {}) == {}


def test_what_is_made_is_what_a_campaign_makes_and_is_kept(ingested: Bench) -> None:
    graph = toy.toy_graph()
    with ingested.store() as store:
        maker = Maker(store, graph)
        made = maker.make("toy.smooth", hours(1, 3))
        maker.close()
        assert [r.granule.interval for r in made.records] == [hours(1, 2), hours(2, 3)]
        rows = store.registry.current("toy.smooth")
        assert [r.uid for r in rows] == [r.uid for r in made.records]
        assert Maker(store, graph).make("toy.smooth", hours(1, 3)).records == ()
    ingested.run("toy.smooth", name="other")
    with ingested.store("other") as other:
        expected = {r.start: r.content for r in other.registry.current("toy.smooth")}
    assert {r.start: r.content for r in rows}.items() <= expected.items()


def test_records_come_before_they_are_committed(
    ingested: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ingested.store() as store:
        go = threading.Event()
        commit = store.commit

        def late(outcomes: Any, *args: Any, **options: Any) -> Any:
            assert go.wait(PATIENCE)
            return commit(outcomes, *args, **options)

        monkeypatch.setattr(store, "commit", late)
        place = Local(store, toy.toy_graph())
        assert place.maker is not None
        monkeypatch.setattr(store, "commit", commit)
        place.read("toy.double", ["value"], hours(0, 1))  # its layout is known from now on
        place.maker.wait()
        monkeypatch.setattr(store, "commit", late)
        _, block = place.read("toy.double", ["value"], hours(2, 3))
        assert len(block) == 60
        assert [r.start for r in store.registry.current("toy.double")] == [BEGIN]
        go.set()
        place.maker.close()
        assert [r.start for r in store.registry.current("toy.double")] == [BEGIN, BEGIN + 2 * HOUR]


def test_two_who_ask_for_the_same_get_one_making(ingested: Bench) -> None:
    with ingested.store() as store:
        maker = Maker(store, toy.toy_graph())
        threads = [
            threading.Thread(target=maker.make, args=("toy.double", hours(0, 4))) for _ in range(4)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        maker.close()
        tries = store.registry.attempts("toy.double")
        assert sorted(a["start"] for a in tries) == [BEGIN + k * HOUR for k in range(4)]


def test_stale_granules_are_left_to_campaigns(ingested: Bench) -> None:
    with ingested.store() as store:
        first = Maker(store, toy.toy_graph())
        first.make("toy.double", hours(0, 1))
        first.close()
        newer = toy.toy_graph(doubling=toy.doubled_anew)
        maker = Maker(store, newer)
        assert maker.make("toy.double", hours(0, 1)).records == ()
        maker.close()


def test_too_much_is_refused_with_the_command(ingested: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr("sciqlop_pipe.ondemand.MOST", 3)
    with ingested.store() as store, pytest.raises(NotComputed) as refused:
        Maker(store, toy.toy_graph()).make("toy.double", DAY)
    assert "sciqlop-pipe run toy.double --start 2030-01-01" in str(refused.value)


def test_a_long_look_at_what_is_there_is_not_refused(ingested: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr("sciqlop_pipe.ondemand.MOST", 2)
    with ingested.store() as store:
        place = Local(store, toy.toy_graph())
        place.read("toy.double", ["value"], hours(0, 1))
        _, block = place.read("toy.double", ["value"], hours(0, 4))
        assert place.maker is not None
        place.maker.close()
        assert len(block) == 60
        assert len(store.registry.current("toy.double")) == 1


def test_a_failure_is_told_and_recorded(ingested: Bench) -> None:
    graph = Graph.of([toy.toy_mission(), Mission("x", [product("x.broken", broken, x="toy.raw")])])
    with ingested.store() as store:
        maker = Maker(store, graph)
        made = maker.make("x.broken", hours(0, 1))
        maker.close()
        assert "no" in made.failures[0].error
        assert store.registry.attempts("x.broken")[0]["state"] == "failed"


def test_a_store_that_is_only_read_says_what_would_make_it(ingested: Bench) -> None:
    with Store.open(ingested.folder / "store", read_only=True) as store:
        place = Local(store, toy.toy_graph())
        assert place.maker is None
        assert list(place.infos()) == ["toy.raw"]
        with pytest.raises(NotComputed, match="sciqlop-pipe run toy.double"):
            place.read("toy.double", ["value"], hours(0, 1))


def test_a_server_that_computes_lists_and_makes(ingested: Bench) -> None:
    graph = toy.toy_graph()
    with ingested.store() as store:
        broker = Broker(store, graph)
        here = Here(HapiApp(Library(store, graph, broker.makeable), ANY, broker=broker))
        names = [e["id"] for e in here.get("/hapi/catalog").json()["catalog"]]
        assert {"toy.raw", "toy.double", "toy.rises"} <= set(names)
        url = "/hapi/data?dataset=toy.double&start=2030-01-01T01Z&stop=2030-01-01T03Z"
        answer = here.get(url)
        assert answer.status_code == 200, answer.text
        rows = np.array([line.split(",")[1] for line in answer.text.splitlines()], float)
        raw = here.get(url.replace("double", "raw")).text.splitlines()
        np.testing.assert_array_equal(rows, 2 * np.array([x.split(",")[1] for x in raw], float))
        info = here.get("/hapi/info?dataset=toy.smooth").json()
        assert [p["name"] for p in info["parameters"]] == ["Time", "value"]
        broker.close()
        assert len(store.registry.current("toy.double")) >= 2
        assert store.registry.attempts("toy.double", states=["failed"]) == []


def test_a_server_that_does_not_compute_does_not_know_it(ingested: Bench) -> None:
    with Store.open(ingested.folder / "store", read_only=True) as store:
        here = Here(HapiApp(Library(store, toy.toy_graph()), ANY))
        said = here.get("/hapi/info?dataset=toy.double").json()["status"]
        assert said["code"] == 1406
        assert "sciqlop-pipe run toy.double" in said["message"]


def test_one_user_and_all_of_them_may_wait_for_so_much(
    ingested: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    make = Maker.make

    def made_later(*args: Any) -> Any:
        assert go_on.wait(PATIENCE)
        return make(*args)

    monkeypatch.setattr(Maker, "make", made_later)

    async def main() -> None:
        with ingested.store() as store:
            broker = Broker(store, toy.toy_graph(), workers=1, queue=2, each=1)
            first = asyncio.ensure_future(broker.make("toy.double", hours(0, 1), "me"))
            await until(lambda: broker.queued == 1)
            with pytest.raises(Busy):
                await broker.make("toy.double", hours(1, 2), "me")
            second = asyncio.ensure_future(broker.make("toy.double", hours(2, 3), "you"))
            await until(lambda: broker.queued == 2)
            with pytest.raises(Busy):
                await broker.make("toy.double", hours(1, 2), "them")
            go_on.set()
            await asyncio.gather(first, second)
            assert (broker.queued, broker.computing) == (0, 0)
            await broker.make("toy.double", hours(1, 2), "me")
            broker.close()

    asyncio.run(main())


async def until(what: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():
            await asyncio.sleep(0.005)


def test_events_are_made_too(ingested: Bench) -> None:
    with ingested.store() as store:
        place = Local(store, toy.toy_graph())
        _, block = place.read("toy.rises", ["stop", "kind"], hours(0, 4))
        assert place.maker is not None
        place.maker.close()
        _, again = place.read("toy.rises", ["stop", "kind"], hours(0, 4))
        assert again.time.tolist() == block.time.tolist()
        assert len(store.registry.current("toy.rises")) == 1


def test_transients_are_kept_when_they_are_asked_for(bench: Bench, tmp_path: Path) -> None:
    from dataclasses import replace

    plain = toy.toy_mission()
    fleeting = [replace(d, transient=d.name == "toy.double") for d in plain.datasets]
    graph = Graph.of([Mission("toy", fleeting)])
    bench.files(0)
    bench.run("toy.raw", graph=graph)
    with bench.store() as store:
        place = Local(store, graph)
        _, block = place.read("toy.double", ["value"], hours(0, 1))
        assert place.maker is not None
        place.maker.close()
        assert len(block) == 60
        assert store.registry.current("toy.double")[0].path is not None
