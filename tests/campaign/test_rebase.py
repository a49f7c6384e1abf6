"""A publication whose base moved computes just that again."""

from __future__ import annotations

import pytest

from sciqlop_pipe.campaign.rebase import publish_rebased
from sciqlop_pipe.cluster import Profile
from sciqlop_pipe.errors import Conflict, UsageError
from sciqlop_pipe.granule import HOUR, Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store.staging import BaseMoved, publish, rollback, stages
from tests.serial import Bench
from tests.toy import DAY, doubled_anew, toy_graph

NEW = {"factor": 3.0}


def staged(bench: Bench, *targets: str, graph: Graph | None = None) -> Bench:
    """Make three hours current, then stage them with another factor."""
    bench.files(3, 4, 5)
    assert bench.run(*targets).status == 0
    assert bench.run(*targets, graph=graph or toy_graph(**NEW), stage="s").status == 0
    return bench


def rebased(bench: Bench, graph: Graph | None = None) -> tuple[int, int]:
    with bench.store() as store:
        return publish_rebased(
            store, graph or toy_graph(**NEW), "s", bench.listing(), Profile(workers=0)
        )


def ratio(bench: Bench, **options: object) -> list[float]:
    """Return the factor that each hour's product was made with."""
    with bench.store() as store:
        raw, double = store.read("toy.raw"), store.read("toy.double", **options)  # type: ignore[arg-type]
        found = (double["value"] / raw["value"]).values.reshape(-1, 60)[:, 30]
        return [round(float(f), 6) for f in found]


def test_what_has_not_moved_is_published_as_it_is(bench: Bench) -> None:
    staged(bench, "toy.double")
    assert ratio(bench) == [2.0] * 3
    assert rebased(bench) == (3, 0)
    assert ratio(bench) == [3.0] * 3


def test_only_what_moved_is_computed_again(bench: Bench) -> None:
    staged(bench, "toy.double")
    bench.run("toy.double", graph=toy_graph(factor=7.0), intervals=[_hour(4)])
    with bench.store() as store, pytest.raises(BaseMoved) as error:
        publish(store.registry, "s")
    assert [str(m.granule) for m in error.value.moved] == ["toy.double/20300101T0400"]
    assert ratio(bench) == [2.0, 7.0, 2.0]
    assert rebased(bench) == (3, 1)
    assert ratio(bench) == [3.0] * 3


def test_a_new_input_is_computed_again_with_all_that_follows_from_it(bench: Bench) -> None:
    staged(bench, "toy.day")
    bench.file(4, offset=5.0)
    bench.run("toy.raw")
    count, again = rebased(bench)
    assert (count, again) == (4, 2)
    assert ratio(bench) == [3.0] * 3
    with bench.store() as store:
        assert stages(store.registry) == {}
    assert bench.run("toy.day", graph=toy_graph(**NEW)).planned == 0


def test_what_somebody_else_has_published_equal_meanwhile_needs_nothing(bench: Bench) -> None:
    staged(bench, "toy.double")
    bench.run("toy.double", graph=toy_graph(**NEW))
    assert rebased(bench) == (0, 0)
    assert ratio(bench) == [3.0] * 3
    with bench.store() as store:
        assert stages(store.registry) == {}


def test_what_cannot_be_computed_again_publishes_nothing(bench: Bench) -> None:
    staged(bench, "toy.double")
    bench.file(4, version="2", offset=1.0)
    bench.run("toy.double", intervals=[_hour(4)])
    bench.file(4, version="3", trouble="bad")
    before = ratio(bench)
    with pytest.raises(Conflict, match=r"could not be recomputed.*corrupt"):
        rebased(bench)
    assert ratio(bench) == before


def test_an_unknown_stage_is_said(bench: Bench) -> None:
    staged(bench, "toy.double")
    with bench.store() as store, pytest.raises(UsageError, match="no staged run 'z'"):
        publish_rebased(store, toy_graph(), "z", bench.listing(), Profile(workers=0))


def test_a_campaign_in_stages_is_published_and_taken_back_exactly(bench: Bench) -> None:
    """Everything downstream moves together, and as_of tells before from after."""
    staged(bench, "toy.both", "toy.rises", graph=toy_graph(doubling=doubled_anew))
    with bench.store() as store:
        before = {n: store.read(n).load() for n in ("toy.double", "toy.day", "toy.both")}
        assert publish(store.registry, "s") == 6
        tx = int(store.registry.info("tx") or 0)
        for name, ds in before.items():
            assert not ds.identical(store.read(name).load()), name
            assert ds.identical(store.read(name, as_of=tx - 1).load()), name
        after = {n: store.read(n).load() for n in before}
        rollback(store.registry, "s")
        for name, ds in before.items():
            assert ds.identical(store.read(name).load()), name
            assert after[name].identical(store.read(name, as_of=tx).load()), name


def _hour(hour: int) -> Interval:
    return Interval(DAY.start + hour * HOUR, DAY.start + (hour + 1) * HOUR)
