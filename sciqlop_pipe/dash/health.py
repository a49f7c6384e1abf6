"""Health of a store: what exists of what where, provenance as a graph, trends of granules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sqlalchemy.exc import NoResultFound

from ..errors import PipeError, UsageError
from ..granule import Interval, instant, iso
from ..graph import Graph
from ..plan import make_plan
from ..publish.painters import BLUE, GREY, ORANGE, PINK, RED
from ..quality import masked_fraction
from ..standard import LEVELS
from ..store import Store
from ..store.records import Current
from .words import clock

STATES = {"current": BLUE, "stale": ORANGE, "missing": PINK, "empty": GREY, "failed": RED}
HATCHES = {"current": " ", "stale": "/", "missing": ".", "empty": " ", "failed": "x"}
"""States differ in hatching too, for whoever does not see the colours."""
MOST_NODES = 60
MOST_DATASETS = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch in which the granules of a dataset have one state, how many they are, and why."""

    dataset: str
    start: int
    stop: int
    state: str
    why: str
    granules: int


def coverage(store: Store, graph: Graph, names: Sequence[str], interval: Interval) -> list[Cell]:
    """Return what a store has of datasets in an interval, neighbours of one state joined.

    Stale and missing are what a run without archives would make: of products whose inputs are
    there. What failed last and is not current is failed.

    Parameters
    ----------
    store, graph : Store, Graph
        What is, and what is declared; a dataset that nobody declares is never stale.
    names : sequence of str
        Datasets, of which the first 40 are taken.
    interval : Interval
        Where.
    """
    failed = {
        (r["dataset"], instant(r["start"])): r["error"] or r["state"]
        for r in store.registry.unresolved()
    }
    found: list[Cell] = []
    for name in names[:MOST_DATASETS]:
        cells = _cells(store, graph, name, interval)
        known = {c.start for c in cells}
        for (dataset, start), error in failed.items():
            if dataset == name and interval.start <= start < interval.stop and start not in known:
                cells.append(Cell(name, start, start + 1, "failed", error, 1))
        cells = [_with_failure(c, failed) for c in cells]
        found += _joined(sorted(cells, key=lambda c: c.start))
    return found


def _with_failure(cell: Cell, failed: dict[tuple[str, int], str]) -> Cell:
    error = failed.get((cell.dataset, cell.start))
    if error is None or cell.state in ("current", "empty"):
        return cell
    return Cell(cell.dataset, cell.start, cell.stop, "failed", error, cell.granules)


def _cells(store: Store, graph: Graph, name: str, interval: Interval) -> list[Cell]:
    if name in graph.nodes:
        try:
            plan = make_plan(graph, store.registry, [name], [interval], None, models=store.models())
        except PipeError:
            plan = None
        if plan is not None:
            return [
                Cell(
                    name,
                    e.interval.start,
                    e.interval.stop,
                    _state(e.reason, e.current),
                    e.reason,
                    1,
                )
                for e in plan.timelines[name].entries
                if e.interval.overlaps(interval)
            ]
    return [
        Cell(name, c.start, c.stop, "current" if c.n else "empty", "", 1)
        for c in store.registry.stored(name, interval)
    ]


def _state(reason: str, current: Current | None) -> str:
    if reason == "missing" or (reason == "upstream" and current is None):
        return "missing"
    if reason and reason != "transient":
        return "stale"
    return "current" if current is not None and current.n else "empty"


def _joined(cells: Sequence[Cell]) -> list[Cell]:
    out: list[Cell] = []
    for c in cells:
        last = out[-1] if out else None
        if last and (last.state, last.why, last.stop) == (c.state, c.why, c.start):
            out[-1] = Cell(
                c.dataset, last.start, c.stop, c.state, c.why, last.granules + c.granules
            )
        else:
            out.append(c)
    return out


# -- provenance ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """A granule, file or model: its key, what it is, words on it, and how far from the result."""

    key: str
    kind: str
    words: tuple[str, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Nodes and edges (from input to what was made of it); `left_out` nodes were too many."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str, str], ...]
    left_out: int = 0


def provenance(store: Store, dataset: str, when: int) -> Provenance:
    """Return what the current granule of a dataset at a time was made from, down to files.

    Raises
    ------
    UsageError
        When there is no granule.
    """
    rows = store.registry.current(dataset, Interval(when, when + 1))
    if not rows:
        raise UsageError(
            f"the store has no granule of {dataset} at {iso(when)}",
            "",
            "Look at the coverage map for where it has",
        )
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str, str]] = []
    left_out = 0
    waiting = [(rows[0].uid, 0)]
    while waiting:
        uid, depth = waiting.pop(0)
        if uid in nodes:
            continue
        if len(nodes) >= MOST_NODES:
            left_out += 1
            continue
        nodes[uid] = _node(store, uid, depth)
        for used in store.registry.lineage(uid):
            if used.kind == "granule":
                edges.append((used.ref, uid, used.argument))
                waiting.append((used.ref, depth + 1))
                continue
            key = f"{used.kind} {used.name} {used.content}"
            edges.append((key, uid, used.argument))
            if key not in nodes and len(nodes) < MOST_NODES:
                nodes[key] = Node(key, used.kind, (used.name, used.content[:16]), depth + 1)
            elif key not in nodes:
                left_out += 1
    kept = tuple(e for e in edges if e[0] in nodes and e[1] in nodes)
    return Provenance(tuple(_layered(nodes, kept)), kept, left_out)


def _layered(nodes: dict[str, Node], edges: Sequence[tuple[str, str, str]]) -> list[Node]:
    """Return nodes whose depth is that of the longest way to the result."""
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        longer = {a: depth[b] + 1 for a, b, _ in edges if depth[b] + 1 > depth[a]}
        if not longer:
            break
        depth.update(longer)
    return [replace(n, depth=depth[key]) for key, n in nodes.items()]


def _node(store: Store, uid: str, depth: int) -> Node:
    try:
        row = store.registry.row(uid)
    except NoResultFound:
        return Node(uid, "forgotten", ("a granule that is no longer registered", uid), depth)
    words = (
        row["dataset"],
        f"{clock(row['start'])[:16]} to {clock(row['stop'])[:16]}",
        f"{row['n']:,} records, {row['code']}",
        f"content {row['content'][:12]}",
    )
    return Node(uid, "granule", words, depth)


def placed(found: Provenance) -> dict[str, tuple[float, float]]:
    """Return where nodes stand: the result on the right, inputs to its left, files leftmost."""
    deepest = max((n.depth for n in found.nodes), default=0)
    columns: dict[int, list[Node]] = {}
    for n in found.nodes:
        columns.setdefault(deepest if n.kind != "granule" else n.depth, []).append(n)
    tallest = max((len(c) for c in columns.values()), default=1)
    return {
        n.key: (float(deepest - depth), (k + 0.5) * tallest / len(column))
        for depth, column in columns.items()
        for k, n in enumerate(column)
    }


# -- trends ---------------------------------------------------------------------------------


def granule_trend(store: Store, dataset: str) -> pd.DataFrame:
    """Return per granule of a dataset its records per hour, completeness and seconds."""
    seconds: dict[int, float] = {}
    for row in store.registry.attempts(dataset, states=("done",)):
        seconds.setdefault(row["start"], row["seconds"])
    rows = []
    for c in store.registry.current(dataset):
        hours = (c.stop - c.start) / 3.6e12
        rows.append(
            {
                "time": np.datetime64(c.start, "ns"),
                "records_per_hour": c.n / hours,
                "completeness": c.completeness,
                "seconds": seconds.get(c.start, np.nan),
            }
        )
    return pd.DataFrame(rows, columns=["time", "records_per_hour", "completeness", "seconds"])


def losses(store: Store, dataset: str) -> list[tuple[str, str]]:
    """Return what the granules of a dataset say they lost: from when, and what."""
    found = []
    for c in store.registry.current(dataset):
        quality = json.loads(store.registry.row(c.uid)["quality"])
        if lost := quality.get("lost"):
            found.append((clock(c.start)[:16], f"lost: {lost}"[:300]))
    return found


@dataclass(frozen=True, slots=True)
class Drift:
    """Daily medians of a variable, their running median, and the days that lie off it."""

    name: str
    units: str
    time: np.ndarray
    daily: np.ndarray
    usual: np.ndarray
    odd: np.ndarray
    masked: np.ndarray


OFF = 5.0
"""Days farther than so many scaled median absolute deviations from the running median are odd."""


def drift(store: Store, dataset: str, *, window: int = 15) -> list[Drift]:
    """Return the daily medians of the numbers of a dataset, read from its coarsest overview.

    Raises
    ------
    UsageError
        When it has no overview.
    """
    have = set(store.registry.datasets())
    level = next((f"{dataset}.{w}" for w in reversed(LEVELS) if f"{dataset}.{w}" in have), "")
    if not level:
        raise UsageError(
            "drift is read from overviews, and there is none",
            dataset,
            f"Run {dataset}.{LEVELS[-1]}",
        )
    ds = store.read(level)
    names = [str(n) for n, a in ds.data_vars.items() if str(n).endswith("_mean") and a.ndim == 1][
        :4
    ]
    ds = ds[[*names, *(["quality"] if "quality" in ds else [])]].load()
    day = ds["time"].values.astype("datetime64[D]")
    days, start = np.unique(day, return_index=True)
    if not days.size:
        raise UsageError("its overview has no records", dataset)
    parts = np.split(np.arange(day.size), start[1:])
    words = ds["quality"].values.astype(np.uint32) if "quality" in ds else None
    masking = int(ds["quality"].attrs.get("masking", 0)) if words is not None else 0
    masked = np.array(
        [masked_fraction(words[p], masking) if words is not None else 0.0 for p in parts]
    )
    found = []
    for name in names:
        values = ds[name].values.astype(np.float64)
        daily = np.array([_median(values[p]) for p in parts])
        usual, odd = off_usual(daily, window)
        units = str(ds[name].attrs.get("units", ""))
        found.append(Drift(name.removesuffix("_mean"), units, days, daily, usual, odd, masked))
    return found


def off_usual(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the running median of values, and which lie off it by more than five deviations."""
    half = max(window // 2, 1)
    usual = np.array([_median(values[max(0, k - half) : k + half + 1]) for k in range(values.size)])
    away = np.abs(values - usual)
    scale = 1.4826 * _median(away[away > 0]) if (away > 0).any() else 0.0
    return usual, (away > OFF * scale) & (scale > 0)


def _median(values: Iterable[float]) -> float:
    known = np.asarray(values)[np.isfinite(np.asarray(values))]
    return float(np.median(known)) if known.size else np.nan


def rate(store: Store, bins: int = 60) -> pd.DataFrame:
    """Return how many granules were made and failed in stretches of the last day of work."""
    rows = store.registry.attempts()
    if not rows:
        return pd.DataFrame({"time": [], "made": [], "failed": []})
    last = rows[0]["at"]
    mine = [r for r in rows if r["at"] > last - 86_400 * 10**9]
    at = np.array([r["at"] for r in mine])
    good = np.array([r["state"] in ("done", "unchanged", "duplicate") for r in mine])
    edges = np.linspace(at.min(), at.max() + 1, bins + 1)
    middle = (0.5 * (edges[1:] + edges[:-1])).astype("datetime64[ns]")
    return pd.DataFrame(
        {
            "time": middle,
            "made": np.histogram(at[good], edges)[0],
            "failed": np.histogram(at[~good], edges)[0],
        }
    )
