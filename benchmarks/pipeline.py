"""What the engine costs beyond the work itself: overhead per granule, and MB/s of the whole path.

    python -m benchmarks.pipeline [--hours 2] [--granules 400] [--workers 2] [--repeats 4]

"bare" reads the same CDF variables with pycdfpp, compresses them with the same codec and writes and
syncs one file per granule, in one process and nothing else. "whole path" is a run of the engine:
checks, adapters, products, hashing, registry, commits; the start of the workers is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pycdfpp
import xarray as xr
from sqlalchemy import func, select

from benchmarks.reading import cpu_seconds
from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.datatypes import VDF, ScalarSeries
from sciqlop_pipe.granule import HOUR, MINUTE, Granule, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, raw, recipe
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.archive import Listing, RawFile, list_archives
from sciqlop_pipe.sources.files import Loaded, LocalFile, forget_last_file
from sciqlop_pipe.store import Store, schema
from sciqlop_pipe.store.granules import write_granule
from tests.serial import SerialClient

START = instant("2030-01-01")
SUMS = ["sim.ion.moments", "sim.ion.energy_spectrum"]


@dataclass(frozen=True)
class Nothing:
    """A source that makes 60 values without reading anything."""

    version: int = 1

    def candidates(self, listing: Listing) -> tuple[RawFile, ...]:
        """Return one file per minute."""
        return tuple(
            RawFile(
                n, listing.folders[listing.folder_of[i]] + n, START + i * MINUTE, None, (1,), 1, ""
            )
            for i, n in enumerate(listing.names)
        )

    def extent(self, file: RawFile) -> Interval:
        return Interval(file.start, file.start + MINUTE)

    def read(self, files: Sequence[LocalFile], interval: Interval, *, salvage: bool) -> Loaded:
        t = (interval.start + np.arange(60) * (MINUTE // 60)).astype("M8[ns]")
        attrs = {"units": "nT", "long_name": "x"}
        return Loaded(xr.Dataset({"value": ("time", np.zeros(60), attrs)}, {"time": t}), (), ())


@recipe(gives=ScalarSeries, version=1)
def same(x: ScalarSeries) -> xr.Dataset:
    """Return the input."""
    return x


def overhead(folder: Path, granules: int, workers: int) -> dict[str, Any]:
    """Return the cost per granule beyond what workers spend on reading, computing and writing."""
    (folder / "raw").mkdir()
    for i in range(granules):
        (folder / "raw" / f"x{i:06}").write_bytes(b"x")
    listing = list_archives([str(folder / "raw")])
    source = Nothing()
    graph = Graph.of([Mission("x", [
        raw("x.raw", ScalarSeries, source, granule="1min"),
        product("x.same", same, x="x.raw"),
    ])])  # fmt: skip
    whole = Interval(START, START + granules * MINUTE)
    with (
        Store.open(folder / "store", create=True) as store,
        open_cluster(Profile(workers)) as client,
    ):
        client.submit(sum, [1]).result()
        report = _run(store, graph, ["x.same"], whole, listing, client)
        busy, count = _busy(store)
    return {
        "granules": count,
        "wall_s": round(report.seconds, 2),
        "work_ms_per_granule": round(1e3 * busy / count, 2),
        "overhead_ms_per_granule": round(1e3 * (report.seconds * workers - busy) / count, 2),
        "files_per_granule": 1,
    }


def throughput(folder: Path, hours: float, workers: int) -> dict[str, Any]:
    """Return MB/s of f (as float32 in memory) for the bare work and for the whole path."""
    interval = Interval(START, START + round(hours * HOUR))
    made = simulate(folder / "archive", interval)
    megabytes = made.f_size / 1e6
    files = sorted((folder / "archive" / "dis").glob("*.cdf"))
    _bare(files[:1], folder / "warm")
    began = time.perf_counter()
    _bare(files, folder / "bare")
    bare = time.perf_counter() - began
    result: dict[str, Any] = {"MB_of_f": round(megabytes), "bare_MB_s": round(megabytes / bare, 1)}
    listing = list_archives([str(folder / "archive")])
    for count in dict.fromkeys((1, workers)):
        for name, targets in (
            ("distributions", ["sim.ion.vdf"]),
            ("distributions, moments, spectra", SUMS),
        ):
            root = folder / f"store-{count}-{len(targets)}"
            with Store.open(root, create=True) as store, open_cluster(Profile(count)) as client:
                # A first granule compiles kernels and starts the readers, on every worker.
                _run(
                    store, Graph.discover(), targets, Interval(START, START + HOUR), listing, client
                )
                done = store.registry.summary()
                before = sum(r["records"] for r in done if r["dataset"] == "sim.ion.vdf")
                report = _run(store, Graph.discover(), targets, interval, listing, client)
            share = report.rows["sim.ion.vdf"]["records"] * megabytes / made.distributions
            rate = share / report.seconds
            result[f"{name}, {count} workers"] = {
                "MB_s": round(rate, 1),
                "times_bare": round(megabytes / bare / rate, 2),
                "warm_records": before,
            }
    return result


def one_process(folder: Path, hours: float, repeats: int) -> dict[str, Any]:
    """Return CPU per distribution of bare work and whole path without Dask, least of repeats.

    The CPU of the process that reads doubtful files is counted too. Other work on the machine
    disturbs these less than seconds of wall.
    """
    interval = Interval(START, START + round(hours * HOUR))
    simulate(folder / "archive", interval)
    files = sorted((folder / "archive" / "dis").glob("*.cdf"))
    listing = list_archives([str(folder / "archive")])
    graph, count = Graph.discover(), iter(range(10**6))
    kinds = {"kept": ["sim.ion.vdf"]}
    kinds["kept, moments and spectra"] = ["sim.ion.vdf", *SUMS]
    n = 0

    def whole(targets: Sequence[str]) -> None:
        nonlocal n
        forget_last_file()
        with Store.open(folder / f"store-{next(count)}", create=True) as store:
            report = _run(store, graph, targets, interval, listing, SerialClient())
        n = report.rows["sim.ion.vdf"]["records"]

    calls = {"bare": lambda: _bare(files, folder / f"bare-{next(count)}")}
    calls |= {name: partial(whole, targets) for name, targets in kinds.items()}
    spent = dict.fromkeys(calls, float("inf"))
    for _ in range(1 + repeats):  # the first one compiles
        for name, call in calls.items():
            before = cpu_seconds()
            call()
            spent[name] = min(spent[name], cpu_seconds() - before)
    return {
        name: {"us": round(1e6 * s / n), "times_bare": round(s / spent["bare"], 2)}
        for name, s in spent.items()
    }


def _bare(files: Sequence[Path], out: Path) -> None:
    for i, path in enumerate(files):
        cdf = pycdfpp.load(str(path))
        f, error = (np.asarray(cdf[n].values) for n in ("sim_dis_dist", "sim_dis_disterr"))
        t = pycdfpp.to_datetime64(cdf["Epoch"])
        dims = ("time", "phi_bin", "theta_bin", "energy_bin")
        ds = xr.Dataset({"f": (dims, f), "f_error": (dims, error)}, {"time": t})
        granule = Granule("bare", Interval(START + i * HOUR, START + (i + 1) * HOUR))
        write_granule(out, granule, f"{i}", ds, VDF, {})


def _run(store: Store, graph: Graph, targets: Sequence[str], interval: Interval, listing: Listing,
         client: Any) -> Report:  # fmt: skip
    report = run_campaign(store, graph, targets, [interval], listing, lambda: client, Options())
    if report.failures:
        sys.exit(f"{report.failures[0].granule}: {report.failures[0].error}")
    return report


def _busy(store: Store) -> tuple[float, int]:
    t = schema.attempt
    with store.registry.db.read() as conn:
        total, count = conn.execute(select(func.sum(t.c.seconds), func.count())).one()
    return float(total), int(count)


def main() -> None:
    """Run both parts and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--granules", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as a,
        tempfile.TemporaryDirectory() as b,
        tempfile.TemporaryDirectory() as c,
    ):
        results = {
            "cpu of one process": one_process(Path(c), args.hours, args.repeats),
            "overhead": overhead(Path(a), args.granules, args.workers),
            "throughput": throughput(Path(b), args.hours, args.workers),
        }
    print(json.dumps(results, indent=1))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
