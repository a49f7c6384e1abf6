"""Days of a magnetosheath with jets whose times are known, in a store, as a list and as a graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from sciqlop_pipe.datatypes import Moments, VectorSeries
from sciqlop_pipe.detect.learned import learned_products
from sciqlop_pipe.detect.learning import listed_training as training
from sciqlop_pipe.granule import DAY, SECOND, Interval, instant, iso
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store import Store
from tests.detect.shock_series import red
from tests.fields import moments, vector
from tests.putting import put

DATASET, MODEL = "lists.jets", "jets"
MOMENTS, FIELD = "sim.ion.moments", "sim.fgm.b"
FIRST = instant("2020-01-01")

_AS_INSTALLED = Graph.discover


def sheath(day: int, jets: int = 6, hours: float = 2.0, step: float = 5.0):
    """Return moments, field and [start, stop] of jets [ns] of some hours of a day."""
    rng = np.random.default_rng(day)
    t = np.arange(0, hours * 3600, step)
    time = (FIRST + day * DAY + np.round(t * SECOND).astype(np.int64)).astype("M8[ns]")
    climate = np.exp(0.2 * rng.normal(size=2))
    n = 20 * climate[0] * np.exp(0.15 * red(rng, t.size, step, 1, 60.0)[:, 0])
    v = np.array([-120.0, 60.0, 20.0]) + 20 * red(rng, t.size, step, 3, 60.0)
    b = climate[1] * (np.array([5.0, 18.0, 6.0]) + 4 * red(rng, t.size, step, 3, 40.0))
    truth = []
    for when in np.sort(rng.choice(np.arange(500, hours * 3600 - 500, 700), jets, replace=False)):
        half = rng.uniform(25, 60)
        shape = np.exp(-(((t - when) / half) ** 4))
        n *= 1 + 0.6 * shape
        v[:, 0] -= 220 * shape
        truth.append([int(FIRST + day * DAY + (when + k * half) * SECOND) for k in (-1, 1)])
    return (
        moments(n, v, 250.0 * np.exp(0.05 * rng.normal(size=t.size)), time),
        vector(b, time),
        truth,
    )


def filled(path: Path, days: int = 6, **spoiled) -> list[list[int]]:
    """Write days to a new store and return the jets; functions put inputs in place of others."""
    truth = []
    with Store.open(path, create=True) as store:
        for day in range(days):
            ions, b, jets = sheath(day)
            truth += jets
            span = Interval(FIRST + day * DAY, FIRST + (day + 1) * DAY)
            for name, ds, datatype in ((MOMENTS, ions, Moments), (FIELD, b, VectorSeries)):
                made: xr.Dataset = spoiled[name](ds) if name in spoiled else ds
                put(store, name, made, datatype, span)
    return truth


def listing(path: Path, jets: list[list[int]], kind: str = "") -> Path:
    """Write a list of events."""
    rows = [f"{iso(a)},{iso(z)},{kind}" for a, z in jets]
    path.write_text("start,stop,kind\n" + "\n".join(rows) + "\n")
    return path


@cache
def _graph(reach: str, **inputs: str) -> Graph:
    return _AS_INSTALLED(*learned_products(DATASET, model=MODEL, reach=reach, **inputs))


@contextmanager
def declared(monkeypatch: pytest.MonkeyPatch, reach: str = "1h", **inputs: str) -> Iterator[Graph]:
    """Declare the dataset of learned jets, as a plugin does."""
    graph = _graph(reach, **(inputs or {"moments": MOMENTS, "b": FIELD}))
    with monkeypatch.context() as patch:
        patch.setattr(Graph, "discover", classmethod(lambda cls, *more: graph))
        yield graph


def run(*words: object, fails: bool = False) -> str:
    """Return what a command prints; with `fails` also its error, and it must."""
    done = CliRunner().invoke(app, [str(w) for w in words])
    if fails:
        assert done.exit_code or done.exception, done.output
        return f"{done.output} {done.exception}"
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.output


@contextmanager
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make training a matter of a second or two."""
    with monkeypatch.context() as patch:
        patch.setattr(training, "_STRENGTHS", (0.03,))
        patch.setattr(training, "_FOLDS", 3)
        patch.setattr(training, "_INNER", 2)
        yield


WHOLE = ("--start", "2020-01-01", "--stop", "2020-01-07")


@dataclass(frozen=True)
class Taught:
    """A model that was trained from a list, and on what."""

    folder: Path
    store: Path
    events: Path
    truth: list[list[int]]
    numbers: dict


def taught(home: Path) -> Taught:
    """Train once on six days of a made magnetosheath."""
    truth = filled(home / "store")
    events = listing(home / "jets.csv", truth)
    with pytest.MonkeyPatch.context() as patch, declared(patch), quickly(patch):
        run("train", MODEL, "--labels", events, "-o", home / "model", "--store", home / "store",
            *WHOLE, "--json", home / "out.json")  # fmt: skip
    numbers = json.loads((home / "out.json").read_text())
    return Taught(home / "model", home / "store", events, truth, numbers)
