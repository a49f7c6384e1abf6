"""A campaign is planned, frozen, run aside, compared, published, rolled back; it resumes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import xarray as xr

from sciqlop_pipe.campaign import (
    Frozen,
    Limits,
    Spec,
    launch,
    plan_campaign,
    publish_campaign,
    rollback_campaign,
    stop_campaign,
    unresolved,
)
from sciqlop_pipe.campaign.difference import differences
from sciqlop_pipe.campaign.status import status_of
from sciqlop_pipe.cluster import Profile
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.errors import Conflict, UsageError
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, recipe
from sciqlop_pipe.report import Progress, Report
from sciqlop_pipe.store import campaigns as book
from sciqlop_pipe.store.staging import BaseMoved
from tests.serial import Bench, SerialClient
from tests.toy import toy_graph, toy_mission

TRIPLE = {"toy.double": {"factor": 3.0}}


@dataclass
class Works:
    """A bench with a campaign on it."""

    bench: Bench
    runs: list[Report] = field(default_factory=list)

    def spec(self, name: str = "triple", **options: Any) -> Spec:
        options = {
            "targets": ("toy.double",), "start": "2030-01-01", "stop": "2030-01-02",
            "archives": ("raw",), "params": TRIPLE, "limits": Limits(free="0"), **options,
        }  # fmt: skip
        return Spec(name, **options)

    def plan(self, name: str = "triple", **options: Any) -> Frozen:
        with self.bench.store() as store:
            return plan_campaign(store, toy_graph(), self.spec(name, **options), self.bench.folder)

    def run(self, frozen: Frozen, progress: Progress | None = None) -> Report:
        with self.bench.store() as store:
            return launch(store, toy_graph(), frozen, cast(Any, SerialClient), progress=progress)

    def factors(self, stage: str = "") -> list[float]:
        with self.bench.store() as store:
            raw, double = store.read("toy.raw"), store.read("toy.double", stage=stage)
            return [round(float(f), 6) for f in (double.value / raw.value).values[30::60]]

    def state(self, name: str = "triple") -> str:
        with self.bench.store() as store:
            return book.standing(store.registry.db, name).state


@pytest.fixture
def works(bench: Bench) -> Works:
    bench.files(3, 4, 5)
    assert bench.run("toy.double", "toy.day").status == 0
    return Works(bench)


def test_a_campaign_is_planned_run_aside_compared_published_and_rolled_back(works: Works) -> None:
    frozen = works.plan()
    assert [(p.dataset, p.reason, p.granules) for p in frozen.parts] == [
        ("toy.double", "params", 3)
    ]
    assert frozen.seconds > 0 and frozen.nbytes > 0 and frozen.unknown == ()
    assert works.run(frozen).status == 0
    assert (works.state(), works.factors(), works.factors("triple")) == (
        "done",
        [2.0] * 3,
        [3.0] * 3,
    )
    with works.bench.store() as store:
        (diff,) = differences(store, "triple")
        assert (diff.staged, diff.same, diff.changed, diff.new) == (3, 0, 3, 0)
        (change,) = diff.variables
        assert (change.variable, change.differing) == ("value", 180)
        assert change.relative == pytest.approx(0.5)
        assert len(diff.worst) == 3
        assert publish_campaign(store, toy_graph(), "triple") == (3, 0)
    assert (works.state(), works.factors()) == ("published", [3.0] * 3)
    with works.bench.store() as store:
        assert rollback_campaign(store, "triple") == 3
    assert (works.state(), works.factors()) == ("rolled back", [2.0] * 3)


def test_a_changed_param_recomputes_exactly_its_descendants(works: Works) -> None:
    frozen = works.plan(targets=("toy.both",))
    stale = {p.dataset: p.reason for p in frozen.parts}
    assert stale == {"toy.double": "params", "toy.smooth": "missing", "toy.day": "upstream",
                     "toy.both": "missing"}  # fmt: skip
    frozen = works.plan(targets=("toy.day",))
    assert {p.dataset: p.granules for p in frozen.parts} == {"toy.double": 3, "toy.day": 1}
    assert works.run(frozen).done == 4
    assert works.plan(targets=("toy.day",)).granules == 0  # nothing is left of it


def test_a_frozen_plan_reads_back_the_same_and_not_after_it_was_changed(works: Works) -> None:
    frozen = works.plan()
    table = json.loads(frozen.to_json())
    assert Frozen.from_table(table, "x") == frozen
    table["parts"][0]["spans"][0][1] = "2030-01-01T05:00"
    with pytest.raises(UsageError, match="changed by hand"):
        Frozen.from_table(table, "x")


def test_what_comes_after_the_plan_was_frozen_is_left_to_another_campaign(works: Works) -> None:
    frozen = works.plan()
    works.bench.files(6, 7)
    assert works.run(frozen).done == 3
    with works.bench.store() as store:
        publish_campaign(store, toy_graph(), "triple")
    assert works.factors() == [3.0] * 3


class PausesAfter(Progress):
    """Asks a campaign to stop when it has made so many granules."""

    def __init__(self, works: Works, count: int, what: str) -> None:
        self.works, self.count, self.what = works, count, what

    def outcome(self, outcome: object, verdict: str) -> None:
        self.count -= 1
        if self.count == 0:
            with self.works.bench.store() as store:
                assert stop_campaign(store, "triple", self.what) == "asked"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coordinators look up after every task."""
    monkeypatch.setattr("sciqlop_pipe.coordinator.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("sciqlop_pipe.coordinator.COMMIT_SECONDS", 0.0)
    monkeypatch.setattr("sciqlop_pipe.coordinator.MOST_AHEAD", 0)
    monkeypatch.setattr("sciqlop_pipe.campaign.held.BEAT_SECONDS", 0.01)


def slow(bench: Bench) -> None:
    for hour in range(8, 20):
        bench.file(hour, trouble="slow0.03")


@pytest.mark.usefixtures("quick")
def test_a_paused_campaign_goes_on_where_it_stopped(works: Works) -> None:
    slow(works.bench)
    frozen = works.plan()
    first = works.run(frozen, PausesAfter(works, 4, "pause"))
    assert first.stopped == "pause" and works.state() == "paused"
    assert 0 < first.done < frozen.granules
    with works.bench.store() as store, pytest.raises(Conflict, match="not finished"):
        publish_campaign(store, toy_graph(), "triple")
    second = works.run(frozen)
    assert second.status == 0 and first.done + second.done == frozen.granules
    assert works.state() == "done"


@pytest.mark.usefixtures("quick")
def test_a_cancelled_campaign_leaves_nothing_behind_and_is_over(works: Works) -> None:
    slow(works.bench)
    frozen = works.plan()
    assert works.run(frozen, PausesAfter(works, 4, "cancel")).stopped == "cancel"
    assert works.state() == "cancelled" and works.factors() == [2.0] * 3
    with works.bench.store() as store:
        assert store.registry.current("toy.double", stage="triple") == store.registry.current(
            "toy.double"
        )
    with pytest.raises(UsageError, match="it is cancelled"):
        works.run(frozen)


def test_one_coordinator_at_a_time(works: Works) -> None:
    frozen = works.plan()
    with works.bench.store() as store:
        book.enter(store.registry.db, "triple", frozen.to_json(), frozen.digest, "elsewhere:1")
    with pytest.raises(UsageError, match="being run by elsewhere:1"):
        works.run(frozen)


def test_a_coordinator_that_fell_silent_is_named_and_replaced(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = works.plan()
    with works.bench.store() as store:
        book.enter(store.registry.db, "triple", frozen.to_json(), frozen.digest, "elsewhere:1")
        monkeypatch.setattr(book, "SILENCE", 0.0)
        (problem,) = status_of(store, "triple").problems
        assert "elsewhere:1" in problem and "campaign resume triple" in problem
    assert works.run(frozen).status == 0


def test_another_plan_under_the_same_name_is_refused(works: Works) -> None:
    works.run(works.plan())
    with pytest.raises(UsageError, match="frozen otherwise"):
        works.run(works.plan(params={"toy.double": {"factor": 4.0}}))


# -- granules that fail ------------------------------------------------------------------------


@pytest.fixture
def poisoned(works: Works) -> Frozen:
    works.bench.file(9, trouble="bad")
    works.bench.file(10)
    return works.plan(targets=("toy.double", "toy.day"))


def test_a_granule_that_keeps_failing_is_quarantined_and_the_rest_is_made(
    works: Works, poisoned: Frozen
) -> None:
    report = works.run(poisoned)
    assert report.status == 1 and works.state() == "partial"
    (failure,) = report.failures
    assert (str(failure.granule), failure.state) == ("toy.raw/20300101T0900", "quarantined")
    assert "corrupt" in failure.error
    with works.bench.store() as store:
        (bad,) = unresolved(store, "triple")
        assert bad.attempts == 3
        assert len(store.registry.attempts("toy.raw", states=("refused",))) == 3
        with pytest.raises(Conflict, match="1 granules failed"):
            publish_campaign(store, toy_graph(), "triple")
    works.run(poisoned)
    with works.bench.store() as store:
        assert len(store.registry.attempts("toy.raw", states=("refused",))) == 3  # not once more


def test_a_quarantined_granule_is_tried_again_when_asked_for(
    works: Works, poisoned: Frozen
) -> None:
    works.run(poisoned)
    works.bench.file(9)  # somebody repaired it
    assert works.run(poisoned).status == 1
    with works.bench.store() as store:
        (bad,) = unresolved(store, "triple")
        book.decide(store.registry.db, "triple", [bad.granule], "retry", "", "me")
    assert works.run(poisoned).status == 0 and works.state() == "done"
    with works.bench.store() as store:
        publish_campaign(store, toy_graph(), "triple")
    assert works.factors() == [3.0] * 5


def test_an_excused_granule_does_not_hold_up_the_publication(
    works: Works, poisoned: Frozen
) -> None:
    works.run(poisoned)
    with works.bench.store() as store:
        (bad,) = unresolved(store, "triple")
        book.decide(store.registry.db, "triple", [bad.granule], "excused", "damaged", "me")
    assert works.run(poisoned).status == 0 and works.state() == "done"
    with works.bench.store() as store:
        publish_campaign(store, toy_graph(), "triple")
        assert [r.start for r in store.registry.current("toy.raw")] == [
            r.start for r in store.registry.current("toy.double")
        ]


def test_a_disk_that_was_full_is_not_charged_to_granules(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    real = Path.rename

    def full(self: Path, target: Path) -> Path:
        if "data" in self.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr("sciqlop_pipe.coordinator.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(Path, "rename", full)
    frozen = works.plan()
    assert works.run(frozen).status == 1
    monkeypatch.setattr(Path, "rename", real)
    with works.bench.store() as store:
        assert [p.attempts for p in unresolved(store, "triple")] == [0, 0, 0]
    assert works.run(frozen).status == 0
    assert works.factors("triple") == [3.0] * 3


# -- others --------------------------------------------------------------------------------------


def test_two_campaigns_on_the_same_granules_the_second_is_told_and_rebased(works: Works) -> None:
    works.run(works.plan())
    works.run(works.plan("four", params={"toy.double": {"factor": 4.0}}))
    with works.bench.store() as store:
        publish_campaign(store, toy_graph(), "triple")
        with pytest.raises(BaseMoved):
            publish_campaign(store, toy_graph(), "four")
    assert works.factors() == [3.0] * 3
    with works.bench.store() as store:
        assert publish_campaign(
            store, toy_graph(), "four", rebase=True, profile=Profile(workers=0)
        ) == (3, 3)
    assert works.factors() == [4.0] * 3
    with works.bench.store() as store, pytest.raises(Conflict, match="newer granules followed"):
        rollback_campaign(store, "triple")
    assert works.state() == "published"


def test_a_plan_beyond_what_is_free_or_allowed_is_refused(works: Works) -> None:
    for limits, said in (
        (Limits(free="1000000TB"), "are free"),
        (Limits(free="0", granules=2), "limits.granules is 2"),
        (Limits(free="0", bytes="10"), "limits.bytes is 10"),
    ):
        with pytest.raises(UsageError, match=said):
            works.plan(limits=limits)


@pytest.mark.usefixtures("quick")
def test_a_campaign_pauses_before_the_disk_is_full(works: Works) -> None:
    frozen = works.plan()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sciqlop_pipe.campaign.held.size_of", lambda text: 10**18)
        report = works.run(frozen)
    assert report.stopped == "pause"
    with works.bench.store() as store:
        assert "GB are free" in status_of(store, "triple").why
    assert works.run(frozen).status == 0


def test_promoting_nothing_changes_nothing_and_a_second_run_computes_nothing(works: Works) -> None:
    frozen = works.plan()
    works.run(frozen)
    again = works.run(frozen)
    assert (again.planned, again.done) == (0, 0)


def test_a_registry_that_is_away_for_a_while_is_waited_for(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sciqlop_pipe.errors import RegistryAway
    from sciqlop_pipe.store import Store

    real, away = Store.commit, [1, 1]

    def commit(self: Store, *args: Any, **kwargs: Any) -> Any:
        done = real(self, *args, **kwargs)
        if away:
            away.pop()
            raise RegistryAway("the connection broke, and nobody knows whether it is done")
        return done

    monkeypatch.setattr("sciqlop_pipe.coordinator.REGISTRY_WAITS", (0.0, 0.0))
    monkeypatch.setattr(Store, "commit", commit)
    frozen = works.plan()
    assert works.run(frozen).status == 0
    assert not away and works.factors("triple") == [3.0] * 3


def test_status_counts_what_is_made_and_what_fails(works: Works, poisoned: Frozen) -> None:
    works.run(poisoned)
    with works.bench.store() as store:
        status = status_of(store, "triple")
        assert (status.state, status.planned, status.settled) == ("partial", 8, 6)
        assert (status.failed, status.quarantined) == (2, 1)
        with pytest.raises(UsageError, match=r"Did you mean triple\?"):
            status_of(store, "tripel")


def test_status_tells_what_runs_from_what_waits_and_what_is_stuck(works: Works) -> None:
    frozen = works.plan()
    sent = [["toy.raw/20300101T0000", 700.0], ["toy.raw/20300101T0100", 690.0]]
    with works.bench.store() as store:
        db = store.registry.db
        book.enter(db, "triple", frozen.to_json(), frozen.digest, "here:1")
        book.report_life(db, "triple", {
            "phase": "running", "running": sent, "outstanding": 2, "ready": 3, "waiting": 1,
            "workers": 1, "threads": 1,
        })  # fmt: skip
        status = status_of(store, "triple")
        assert [(r.queued, r.stuck) for r in status.running] == [(False, True), (True, False)]
        (problem,) = status.problems
        assert "toy.raw/20300101T0000 has been running for 70" in problem
        book.report_life(db, "triple", {"phase": "planning, or waiting for workers"})
        assert status_of(store, "triple").phase == "planning, or waiting for workers"


@recipe(gives=ScalarSeries, version=1)
def judged(x: ScalarSeries, *, model: object) -> xr.Dataset:
    """Return it."""
    return x


def test_promoting_a_model_reprocesses_nothing_until_a_campaign_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sciqlop_pipe.detect.trained.load_trained", lambda folder: "a model")
    judging = product("toy.j", judged, x="toy.raw", model="m")
    graph = Graph.of([Mission("toy", [*toy_mission().datasets, judging])])
    bench.files(3, 4, 5)
    with bench.store() as store:
        store.registry.promote("m", "first", "models/m/first", "{}")
    assert bench.run("toy.j", "toy.double", graph=graph).status == 0
    with bench.store() as store:
        store.registry.promote("m", "second", "models/m/second", "{}")
    daily = bench.run("toy.j", "toy.double", graph=graph, reasons=("missing", "input"))
    assert daily.planned == 0
    spec = Works(bench).spec("second", targets=("toy.j", "toy.double"), params={})
    with bench.store() as store:
        frozen = plan_campaign(store, graph, spec, bench.folder)
        assert [(p.dataset, p.reason, p.granules) for p in frozen.parts] == [("toy.j", "model", 3)]
        assert launch(store, graph, frozen, cast(Any, SerialClient)).done == 3


def test_a_new_version_of_one_file_remakes_exactly_what_depends_on_it(works: Works) -> None:
    works.bench.file(4, version="2", offset=1.0)
    frozen = works.plan(targets=("toy.double", "toy.day"), params={})
    made = {p.dataset: (p.reason, p.granules) for p in frozen.parts}
    assert made == {
        "toy.raw": ("input", 1), "toy.double": ("upstream", 1), "toy.day": ("upstream", 1),
    }  # fmt: skip
    assert works.run(frozen).done == 3
