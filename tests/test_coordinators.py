"""Several coordinators on one store: nothing is lost, nothing is twice, nothing contradicts."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client, KilledWorker, LocalCluster
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from sqlalchemy import select

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.execute import run_bundle
from sciqlop_pipe.granule import HOUR, Granule, Interval
from sciqlop_pipe.isolated import run_isolated
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.compare import contents, contents_on_disk
from sciqlop_pipe.store.leases import Leases, live
from sciqlop_pipe.store.records import Outcome
from sciqlop_pipe.store.registry import Registry
from sciqlop_pipe.task import Bundle
from tests.conftest import ROOT
from tests.contend import commit_without_looking, reports
from tests.serial import Bench, Done, SerialClient
from tests.torture import TARGETS
from tests.toy import DAY, toy_graph, write_file

GRANULES = 3 * 3 + 3  # raw, double and smooth of three hours; day, both, rises


def contradictions(store: Store) -> list[str]:
    """Return every granule that became current while what it was made from was not.

    Also two granules that were current at once for the same time, and missing files.
    """
    c, g, lineage = schema.currency, schema.granule, schema.lineage
    with store.registry.db.read() as conn:
        spans = conn.execute(select(c, g.c.content).join(g, g.c.uid == c.c.uid)).all()
        used = conn.execute(select(lineage).where(lineage.c.kind == "granule")).all()
    found = [f"{p.kind}: {p.said}" for p in check_store(store, content=True) if not p.harmless]
    for a in spans:
        for b in spans:
            if a.id < b.id and a.dataset == b.dataset and a.start < b.stop and b.start < a.stop:
                until = min(s.tx_to or 2**63 for s in (a, b))
                if max(a.tx_from, b.tx_from) < until:
                    found.append(f"{a.dataset} was current twice at {a.start}")
    for span in spans:
        for line in (u for u in used if u.uid == span.uid):
            there = [
                s.content
                for s in spans
                if (s.dataset, s.start) == (line.name, line.start)
                and s.tx_from <= span.tx_from < (s.tx_to or 2**63)
            ]
            if there != [line.content]:
                found.append(f"{span.dataset} was made from a {line.name} that was not current")
    return found


def contend(bench: Bench, count: int, *how: str) -> list[dict[str, Any]]:
    """Return the reports of several coordinators that ran at once."""
    subprocess.run(
        [sys.executable, "-m", "tests.contend", str(bench.folder), str(count), *how],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    errors = [p.read_text() for p in bench.folder.glob("error-*")]
    assert not errors or "wrong" in how, errors
    return reports(bench.folder)


def total(found: Sequence[dict[str, Any]], key: str) -> int:
    return sum(r[key] for r in found)


@pytest.fixture
def three_hours(bench: Bench) -> Bench:
    bench.files(17, 18, 19, trouble="slow0.05")
    assert bench.run(*TARGETS, name="undisturbed").status == 0
    return bench


def undisturbed(bench: Bench) -> list[Any]:
    with bench.store("undisturbed") as store:
        return contents_on_disk(store)


def test_four_coordinators_share_the_work_through_leases(three_hours: Bench) -> None:
    found = contend(three_hours, 4)
    assert [r["status"] for r in found] == [0] * 4
    assert total(found, "done") == GRANULES
    assert total(found, "conflicts") == 0
    with three_hours.store() as store:
        assert contents_on_disk(store) == undisturbed(three_hours)
        assert contradictions(store) == []


def test_four_coordinators_without_leases_make_nothing_twice(three_hours: Bench) -> None:
    found = contend(three_hours, 4, "no-leases")
    assert [r["status"] for r in found] == [0] * 4
    assert total(found, "done") == GRANULES
    assert total(found, "duplicates") > 0
    with three_hours.store() as store:
        assert contents_on_disk(store) == undisturbed(three_hours)
        assert contradictions(store) == []
        orphans = [p for p in check_store(store) if p.kind == "orphan"]
        assert orphans == [], "the files of dropped duplicates are removed"


def test_four_coordinators_of_different_minds_never_contradict_each_other(
    three_hours: Bench,
) -> None:
    found = contend(three_hours, 4, "no-leases", "rivals")
    assert total(found, "conflicts") > 0
    with three_hours.store() as store:
        assert contradictions(store) == []
        states = [a["state"] for a in store.registry.attempts()]
        assert states.count("conflict") == total(found, "conflicts")
        assert {(c.dataset, c.start, c.stop) for c in contents(store)} >= {
            (c.dataset, c.start, c.stop)
            for c in undisturbed(three_hours)
            if c.dataset != "toy.rises"
        }
    assert three_hours.run(*TARGETS).status == 0
    with three_hours.store() as store:
        assert contents_on_disk(store) == undisturbed(three_hours)


def test_coordinators_that_commit_without_looking_are_caught(three_hours: Bench) -> None:
    """The negative control: the checks of this module can fail."""
    contend(three_hours, 4, "no-leases", "rivals", "wrong")
    with three_hours.store() as store:
        assert contradictions(store) != []


# -- two coordinators, one after the other in every step ---------------------------------------


def rival(bench: Bench, *, when: str) -> SerialClient:
    """Return a client that lets a rival run once, while a task of a dataset is being made."""
    done: list[Report] = []

    def watch(bundle: Bundle, outcomes: list[Outcome]) -> None:
        if not done and any(m.dataset.name == when for m in bundle.members):
            done.append(Report(""))
            done[0] = bench.run(*TARGETS, graph=toy_graph(factor=9.0))

    return SerialClient(watch)


@pytest.fixture
def leaseless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leases, "acquire_each", lambda self, groups: [True] * len(groups))


@pytest.mark.usefixtures("leaseless")
@pytest.mark.parametrize("when", ["toy.raw", "toy.smooth", "toy.day", "toy.both", "toy.rises"])
def test_what_another_changes_meanwhile_is_recorded_and_planned_again(
    bench: Bench, when: str
) -> None:
    bench.files(17, 18)
    bench.run(*TARGETS, name="undisturbed")
    report = bench.run(*TARGETS, client=rival(bench, when=when))
    assert report.status == 0
    with bench.store() as store:
        assert contradictions(store) == []
        states = [a["state"] for a in store.registry.attempts()]
        assert states.count("conflict") == report.conflicts
        if when != "toy.smooth":  # equal whatever the factor
            assert report.conflicts > 0
    with bench.store() as store:
        assert contents_on_disk(store) == undisturbed(bench)


@pytest.mark.usefixtures("leaseless")
def test_committing_without_looking_is_caught(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the above."""
    bench.files(17, 18)
    monkeypatch.setattr(Registry, "_judge", Registry._judge)  # so that it is put back
    commit_without_looking()
    bench.run("toy.day", client=rival(bench, when="toy.day"))
    with bench.store() as store:
        assert contradictions(store) != []


def test_a_granule_that_another_is_making_is_left_to_it(bench: Bench) -> None:
    """What is leased is left, and taken when it is given back."""
    bench.files(17, 18)
    with bench.store() as store:
        other = Leases(store.registry.db, "other")
        leased = Granule("toy.raw", Interval(DAY.start + 17 * HOUR, DAY.start + 18 * HOUR))
        other.acquire([leased])

        def give_back(bundle: Bundle, outcomes: list[Outcome]) -> None:
            other.release([leased])

        client = SerialClient(give_back)
        report = bench.run("toy.double", client=client)
    assert (report.status, report.done, report.conflicts) == (0, 4, 0)
    assert [b.members[0].interval.start for b in client.bundles] == [
        DAY.start + 18 * HOUR,
        DAY.start + 17 * HOUR,
    ]


# -- ends before the end -----------------------------------------------------------------------


def test_an_interrupt_commits_what_has_arrived_and_the_same_command_resumes(bench: Bench) -> None:
    bench.files(17, 18, 19)
    bench.run(*TARGETS, name="undisturbed")
    client = SerialClient()

    def interrupt(bundle: Bundle, outcomes: list[Outcome]) -> None:
        if len(client.bundles) == 3:
            raise KeyboardInterrupt

    client.watch = interrupt
    report = bench.run(*TARGETS, client=client)
    assert (report.status, report.interrupted) == (130, True)
    assert report.done > 0
    with bench.store() as store:
        assert contradictions(store) == []
        assert live(store.registry.db) == set()
        (run,) = store.registry.db.engine.connect().exec_driver_sql("select state from run").all()
        assert run.state == "interrupted"
    assert bench.run(*TARGETS).status == 0
    with bench.store() as store:
        assert contents_on_disk(store) == undisturbed(bench)


@pytest.mark.parametrize(
    "error",
    [
        KilledWorker("t", SimpleNamespace(address="here"), 1),
        FutureCancelledError("t", "lost"),
        CommClosedError(),
    ],
)
def test_a_task_that_is_lost_is_made_alone(bench: Bench, error: Exception) -> None:
    bench.files(17)

    class Losing(SerialClient):
        def submit(self, function: Any, bundle: Bundle, **options: object) -> Done:
            if function is run_isolated:
                return super().submit(run_bundle, bundle)

            def lose(bundle: Bundle) -> None:
                raise error

            return Done(lose, bundle)

    assert bench.run("toy.double", client=Losing()).status == 0


def test_a_registry_that_fails_in_mid_run_loses_nothing_that_was_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk under the registry is full: the run ends with the reason, and resumes later."""
    bench.files(17, 18, 19)
    bench.run(*TARGETS, name="undisturbed")
    real, calls = Registry.commit, iter(range(2))

    def commit(self: Registry, *args: Any, **options: Any) -> Any:
        if next(calls, None) is None:
            raise StoreError("the registry does not answer (disk full)", "there")
        return real(self, *args, **options)

    monkeypatch.setattr(Registry, "commit", commit)
    with pytest.raises(StoreError, match="disk full"):
        bench.run(*TARGETS)
    monkeypatch.undo()
    with bench.store() as store:
        assert contradictions(store) == []
    assert bench.run(*TARGETS).status == 0
    with bench.store() as store:
        assert contents_on_disk(store) == undisturbed(bench)


# -- two stores through one scheduler ----------------------------------------------------------


@pytest.fixture(scope="module")
def scheduler() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def together(scheduler: LocalCluster, bench: Bench) -> None:
    """Run the same campaign at once for two stores with different data."""

    def run(name: str) -> None:
        with Client(scheduler, set_as_default=False) as client, bench.store(name) as store:
            run_campaign(
                store, toy_graph(), TARGETS, [DAY], list_archives([str(bench.folder / f"raw-{name}")]),
                lambda: client, Options(),
            )  # fmt: skip

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def prepare(bench: Bench) -> dict[str, list[Any]]:
    """Write the data of both stores; return what each would hold alone."""
    alone = {}
    for name, offset in (("one", 0.0), ("two", 5.0)):
        folder = bench.folder / f"raw-{name}"
        for hour in (17, 18, 19):
            write_file(folder, f"2030-01-01T{hour}", offset=offset, trouble="slow0.03")
        with bench.store(f"alone-{name}") as store:
            run_campaign(
                store, toy_graph(), TARGETS, [DAY], list_archives([str(folder)]),
                SerialClient,  # type: ignore[arg-type]
            )  # fmt: skip
            alone[name] = contents_on_disk(store)
    return alone


def mixed(bench: Bench, alone: dict[str, list[Any]]) -> bool:
    for name, wanted in alone.items():
        with bench.store(name) as store:
            if contents_on_disk(store) != wanted:
                return True
    return False


def test_two_stores_through_one_scheduler_do_not_mix(scheduler: LocalCluster, bench: Bench) -> None:
    alone = prepare(bench)
    together(scheduler, bench)
    assert not mixed(bench, alone)


def test_task_names_without_store_and_run_would_mix(
    scheduler: LocalCluster, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: two users of one scheduler would get each other's results."""
    real = Client.submit

    def submit(self: Client, *args: Any, key: str, **kwargs: Any) -> Any:
        return real(self, *args, key=key.split("@")[0], **kwargs)

    alone = prepare(bench)
    monkeypatch.setattr(Client, "submit", submit)
    together(scheduler, bench)
    assert mixed(bench, alone)
