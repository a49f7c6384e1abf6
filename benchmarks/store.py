"""What the store and the planner cost: planning millions of granules, opening years, committing.

    python benchmarks/store.py [--planned 2000000] [--json FILE]

Wall and CPU seconds and peak memory. Times on a shared machine are upper bounds; the ratios and
the growth with the number of granules are what to look at.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from sqlalchemy import insert

from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.granule import HOUR, MINUTE, Granule, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, raw, recipe
from sciqlop_pipe.plan import make_plan
from sciqlop_pipe.sources.archive import Listing
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import Layout, content_hash, layout_of
from sciqlop_pipe.store.records import Record

START = instant("2001-01-01")


@recipe(gives=ScalarSeries, version=1)
def same(x: ScalarSeries) -> xr.Dataset:
    """Return the input."""
    return x


def graph_of(granule: str) -> Graph:
    """Return a raw dataset and three products of it, all of one granule length."""
    source = FileSource("x_{start:%Y%m%d%H%M}_v{version}.cdf", _never, span=granule)
    chain = [raw("x.raw", ScalarSeries, source, granule=granule)]
    for i in range(3):
        before = "x.raw" if i == 0 else f"x.p{i - 1}"
        chain.append(product(f"x.p{i}", same, x=before))
    return Graph.of([Mission("x", chain)])


def _never(_: Any) -> xr.Dataset:
    raise RuntimeError("nothing is read in this benchmark")


def listing_of(files: int, step: int) -> Listing:
    """Return the listing of an archive with one file per granule."""
    times = (START + np.arange(files, dtype="i8") * step).astype("M8[ns]").astype("M8[m]")
    words = np.datetime_as_string(times)
    names = [f"x_{w[:4]}{w[5:7]}{w[8:10]}{w[11:13]}{w[14:16]}_v1.0.0.cdf" for w in words]
    fixed = (0,) * files
    return Listing(tuple(names), fixed, (1000,) * files, ("1",) * files, ("/archive/",))


def piece(start: int, n: int, step: int) -> xr.Dataset:
    """Return a small series."""
    time_ = (start + np.arange(n) * (step // n)).astype("M8[ns]")
    attrs = {"units": "nT", "long_name": "x"}
    return xr.Dataset({"value": ("time", np.sin(np.arange(n)), attrs)}, coords={"time": time_})


def record(granule: Granule, ds: xr.Dataset, path: str, layout: Layout) -> Record:
    """Return the record of a granule as a worker would."""
    mark = f"{granule.interval.start:032x}"
    t = ds["time"].values.astype("i8")
    return Record(granule, new_uid(mark), mark, mark, t.size, int(t[0]), int(t[-1]), path, 1000,
                  layout, "same@1 ScalarSeries@1", 1, "{}", "k")  # fmt: skip


@contextmanager
def measured(results: dict[str, Any], name: str) -> Iterator[None]:
    """Record wall and CPU seconds of a block, and the peak memory of the process after it."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    results[name] = {
        "wall_s": round(time.perf_counter() - wall, 4),
        "cpu_s": round(time.process_time() - cpu, 4),
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(f"{name:52} {results[name]}", flush=True)


def planning(results: dict[str, Any], folder: Path, planned: int) -> None:
    """Plan `planned` granules (a raw dataset and three products), the listing being there."""
    files = planned // 4
    listing = listing_of(files, 10 * MINUTE)
    graph = graph_of("10min")
    whole = Interval(START, START + files * 10 * MINUTE)
    targets = ["x.p2"]
    with Store.open(folder / "plan", create=True) as store:
        with measured(results, f"plan {planned} granules, nothing there"):
            plan = make_plan(graph, store.registry, targets, [whole], listing)
        assert len(plan) == planned


def fill(store: Store, dataset: str, count: int, step: int, n: int) -> None:
    """Put `count` granules into a store; they share one file, which only reading would notice."""
    first = piece(START, n, step)
    layout = layout_of(first)
    store.registry.commit([], "fill")
    rows = []
    for i in range(count):
        start = START + i * step
        granule = Granule(dataset, Interval(start, start + step))
        if abs(i - count // 2) < 3 or i == 0:
            ds = piece(start, n, step)
            written = write_granule(
                store.root, granule, f"u{i}", ds, ScalarSeries, {}, durable=False
            )
            path = written.path
        rows.append((granule, path, start, start + step - step // n))
    with store.registry.db.write() as conn:
        tx = store.registry.db.now(conn)
        text = layout.to_json()
        conn.execute(
            insert(schema.layout).values(digest=dataset, signature=layout.signature, json=text)
        )
        conn.execute(insert(schema.granule), [
            {"uid": f"{dataset}{g.interval.start}", "dataset": dataset, "start": g.interval.start,
             "stop": g.interval.stop, "first": a, "last": b, "n": n, "fingerprint": "f",
             "content": "c", "path": p, "nbytes": 1, "layout": dataset, "code": "c", "version": 1,
             "params": "{}", "inputs": "k", "quality": "{}", "completeness": 1.0,
             "waits_for": "[]", "run": "r", "written": tx}
            for g, p, a, b in rows])  # fmt: skip
        conn.execute(insert(schema.currency), [
            {"uid": f"{dataset}{g.interval.start}", "dataset": dataset, "start": g.interval.start,
             "stop": g.interval.stop, "tx_from": tx} for g, *_ in rows])  # fmt: skip


def opening(results: dict[str, Any], folder: Path) -> None:
    """Open all granules of a dataset as one Dataset and read one hour in the middle."""
    with Store.open(folder / "open", create=True) as store:
        fill(store, "x.hours", 43_830, 2 * HOUR, 1600)
        fill(store, "x.days", 3_650, 24 * HOUR, 1440)
    for dataset, count, step in (("x.hours", 43_830, 2 * HOUR), ("x.days", 3_650, 24 * HOUR)):
        middle = START + (count // 2) * step
        a, b = np.datetime64(middle, "ns"), np.datetime64(middle + HOUR - 1, "ns")
        for again in ("first", "again"):
            with measured(results, f"open {count} granules, read 1 h ({again})"):
                ds = xr.open_dataset(folder / "open", engine="sciqlop", dataset=dataset)
                hour = ds.sel(time=slice(a, b)).load()
            assert hour.sizes["time"] > 0


def committing(results: dict[str, Any], folder: Path) -> None:
    """Commit granules in groups, as a coordinator does, and one by one."""
    ds = piece(START, 100, HOUR)
    layout = layout_of(ds)
    with Store.open(folder / "commit", create=True) as store:
        for dataset, group, count in (("x.many", 500, 5000), ("x.one", 1, 300)):
            records = [
                record(
                    Granule(dataset, Interval(START + i * HOUR, START + (i + 1) * HOUR)),
                    ds,
                    "",
                    layout,
                )
                for i in range(count)
            ]
            name = f"commit {count} records in groups of {group}"
            with measured(results, name):
                for i in range(0, count, group):
                    store.commit(records[i : i + group], "bench")
            results[name]["per_s"] = round(count / results[name]["wall_s"])
            print(f"{'':52} {results[name]['per_s']} commits/s")


def writing(results: dict[str, Any], folder: Path) -> None:
    """Write, hash and read a small granule, with and without waiting for the disk."""
    ds = piece(START, 1600, 2 * HOUR)
    for durable in (True, False):
        name = f"write a granule, fsync {durable}"
        with measured(results, f"{name} x 50"):
            for i in range(50):
                granule = Granule("x.w", Interval(START + i * HOUR, START + (i + 1) * HOUR))
                write_granule(
                    folder, granule, f"w{durable}{i}", ds, ScalarSeries, {}, durable=durable
                )
    with measured(results, "content hash of a granule x 50"):
        for _ in range(50):
            content_hash(ds)


PARTS: tuple[Callable[..., None], ...] = (committing, writing, opening)


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--planned", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PARTS:
            part(results, folder)
        planning(results, folder, args.planned)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(main())
