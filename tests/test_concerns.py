"""Watching names what a person must look at, and is silent about everything else."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from sciqlop_pipe.concerns import at_work, damaged, deaf, drifting, failed, late, stalled
from sciqlop_pipe.datatypes import Labels
from sciqlop_pipe.detect.drift import learn_seen
from sciqlop_pipe.granule import HOUR, MINUTE
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Failure
from tests.ledger import BEGIN, commit, event, found, hours, kept, made
from tests.sources.web import serving


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        yield store


def test_a_store_that_is_well_gives_no_concern(store: Store, tmp_path: Path) -> None:
    commit(store, made(store))
    soon = BEGIN + HOUR
    assert [
        *damaged(store),
        *late(store, {"toy.a": "2h"}, soon),
        *stalled(store),
        *failed(store),
    ] == []
    assert list(deaf([str(tmp_path)])) == []


def test_data_older_than_allowed_are_late(store: Store) -> None:
    commit(store, made(store))  # last record at 00:45
    (concern,) = late(store, {"toy.a": "2h"}, BEGIN + 3 * HOUR)
    assert (concern.kind, concern.where) == ("late", "toy.a")
    assert "2.2 h old" in concern.said and "2h are allowed" in concern.said


def test_a_dataset_that_the_store_has_not_is_late_with_near_names(store: Store) -> None:
    commit(store, made(store))
    (concern,) = late(store, {"toy.b": "2h"}, BEGIN)
    assert "Did you mean toy.a?" in concern.said


def test_a_run_that_records_nothing_is_stalled_until_it_ends(store: Store) -> None:
    store.registry.start_run("r1", "sciqlop-pipe run toy.a", "{}")
    began = time.time_ns()
    assert list(stalled(store, "10min", began + 5 * MINUTE)) == []
    (concern,) = stalled(store, "10min", began + 11 * MINUTE)
    assert concern.where == "r1" and "sciqlop-pipe run toy.a" in concern.said
    store.registry.finish_run("r1", "done")
    assert list(stalled(store, "10min", began + 11 * MINUTE)) == []


def test_the_status_names_runs_that_have_not_ended(store: Store) -> None:
    store.registry.start_run("r1", "sciqlop-pipe run toy.a", "{}")
    store.commit([made(store)], "r1")
    (run,) = at_work(store)
    assert (run.id, run.granules, run.campaign) == ("r1", 1, "")
    said = CliRunner().invoke(app, ["status", "--store", str(store.root)]).output
    assert "sciqlop-pipe run toy.a: 1 granules since" in said and "seems" not in said
    store.registry.finish_run("r1", "done")
    assert at_work(store) == []


def test_failures_are_named_and_many_are_counted(store: Store) -> None:
    bad = [made(store, hour).granule for hour in range(4)]
    commit(store, *(Failure(g, "failed", "no such table") for g in bad))
    concerns = list(failed(store, most=3))
    assert [c.kind for c in concerns] == ["failed"] * 4
    assert concerns[0].said == "no such table" and concerns[3].said.startswith("1 more")


def test_a_lost_granule_is_damage(store: Store) -> None:
    record = commit(store, made(store)).committed[0]
    (store.root / str(record.path)).unlink()
    (concern,) = damaged(store)
    assert concern.kind == "damage" and "is not there" in concern.said


def test_an_archive_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        address = web.address
        assert list(deaf([address])) == []
    (concern,) = deaf([address])
    assert (concern.kind, concern.where) == ("archive", address)
    (gone,) = deaf([str(tmp_path / "unmounted")])
    assert gone.kind == "archive"


def labelled(store: Store, hour: int, offset: float) -> None:
    """Commit an hour of labels of plasma that is so far from what a model has seen."""
    rng = np.random.default_rng(hour)
    seen = learn_seen(("n", "t"), rng.normal(size=(400, 2)), np.arange(400) % 2, np.arange(400) % 8)
    far = seen.distance(rng.normal(size=(200, 2)) + offset)
    time = BEGIN + hour * HOUR + np.arange(200) * 15 * 10**9
    ds = xr.Dataset(
        {
            "probability": (("time", "label"), np.full((200, 2), 0.5, np.float32), {"units": "1"}),
            "gap": (("time",), np.zeros(200, np.int8), {"units": "1"}),
            "distance": (("time",), far.astype(np.float32), {"units": "1"}),
        },
        {"time": time.astype("M8[ns]"), "label": ["a", "b"]},
        {"model": "m" * 32, "model_name": "toy"},
    )
    commit(store, kept(store, "toy.labels", hours(hour), ds, Labels))


def judged(hour: int, far: tuple[bool, ...], model: str) -> list:
    """Return events that carry how far they are from what their model has seen."""
    about = [(("extrapolated", f), ("distance", 3.0 if f else 0.5), ("model", model)) for f in far]
    return [replace(event(hour * 60 + 2 * k), attributes=a) for k, a in enumerate(about)]


def test_a_model_that_sees_what_it_knows_does_not_drift(store: Store) -> None:
    for hour in (0, 1, 2):
        labelled(store, hour, 0.0)
    commit(store, found(judged(0, (False, False, True, False, False, False), "e" * 32)))
    assert list(drifting(store)) == []


def test_a_model_that_sees_what_it_does_not_know_drifts(store: Store) -> None:
    labelled(store, 0, 0.0)
    assert list(drifting(store)) == []
    for hour in (1, 2):
        labelled(store, hour, 6.0)
    (concern,) = drifting(store)
    assert (concern.kind, concern.where) == ("drift", "toy.labels")
    assert "of 600 records" in concern.said and "2 is allowed" in concern.said
    assert list(drifting(store, allowed=9.0)) == []
    labelled(store, 3, 0.0)
    assert list(drifting(store, over="50min")) == [], "what is long past is no drift"


def test_events_tell_of_drift_where_labels_do_not(store: Store) -> None:
    labelled(store, 0, 6.0)
    commit(store, found(judged(0, (True,) * 6, "m" * 32)))
    assert [c.where for c in drifting(store)] == ["toy.labels"], "one model, one concern"
    commit(store, found(judged(1, (True,) * 4 + (False,) * 2, "e" * 32), 1))
    assert [c.where for c in drifting(store)] == ["toy.labels", "toy.events"]
    done = CliRunner().invoke(app, ["watch", "--store", str(store.root)])
    assert done.exit_code == 1 and "median of 6 events" in done.output.replace("\n", " ")


def test_the_command_is_silent_about_a_store_that_is_well(store: Store) -> None:
    commit(store, made(store))
    at = ["--store", str(store.root)]
    done = CliRunner().invoke(app, ["watch", *at])
    assert done.exit_code == 0 and "Nothing needs a person" in done.output
    late = CliRunner().invoke(app, ["watch", "--fresh", "toy.none=36h", "--json", *at])
    assert late.exit_code == 1 and '"kind": "late"' in late.output
    odd = CliRunner().invoke(app, ["watch", "--fresh", "toy.a", *at])
    assert "Say --fresh DATASET=36h" in str(odd.exception)
