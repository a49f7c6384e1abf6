"""What a campaign costs beyond the work itself, at the size of a mission.

    python -m benchmarks.campaign plan [--years 10]
    python -m benchmarks.campaign overhead [--granules 100000] [--workers 2] [--seconds 600]
    python -m benchmarks.campaign transient --archive DIR [--repeats 3] [--copies 10]
    python -m benchmarks.campaign scaling [--hours 24] [--repeats 3]
    python -m benchmarks.campaign project --archive DIR [--copies 10] [--cores 32]

"plan" plans 4 spacecraft x 12 datasets at 2 h from a listing in memory and an empty store, freezes
the plan and makes its bundles: seconds of CPU and wall, and the largest memory of the process.
"overhead" runs a mission whose tasks do next to nothing: wall time, and CPU of the process that
holds coordinator and scheduler, per granule. "transient" makes moments, spectrum and pitch angles
of an archive of the simulated mission (python -m sciqlop_missions.sim --out DIR) or of a file of
MMS in one process, while distributions are not kept: CPU beside bare reader and recipes.
"scaling" is one worker against two. "project" measures a small overhead and the transient path and
says what a full MMS mission would take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from benchmarks.projection import Mission as FullMission
from benchmarks.projection import project
from benchmarks.scaling import scaling
from benchmarks.transient import transient
from sciqlop_pipe.bundles import Bundles
from sciqlop_pipe.campaign import Spec, run_campaign
from sciqlop_pipe.campaign.frozen import freeze
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.granule import DAY, HOUR, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, raw, recipe
from sciqlop_pipe.plan import make_plan
from sciqlop_pipe.report import Control, Options, Turn
from sciqlop_pipe.sources.archive import FilePattern, Listing, RawFile
from sciqlop_pipe.sources.files import Loaded, LocalFile
from sciqlop_pipe.store import Store

START = instant("2015-01-01")
STEP = 2 * HOUR


@dataclass(frozen=True)
class Empty:
    """A source of files of two hours in which there is nothing."""

    pattern: str
    version: int = 1

    def candidates(self, listing: Listing) -> tuple[RawFile, ...]:
        """Return the files of a listing."""
        return listing.match(FilePattern(self.pattern), STEP)

    def extent(self, file: RawFile) -> Interval:
        return Interval(file.start, file.start + STEP)

    def read(self, files: Sequence[LocalFile], interval: Interval, *, salvage: bool) -> Loaded:
        return Loaded(None, tuple(files), ())


@recipe(gives=ScalarSeries, version=1)
def same(x: ScalarSeries) -> xr.Dataset:
    """Return the input."""
    return x


def mission(spacecraft: int, products: int) -> Graph:
    """Return a graph of some spacecraft, each with a raw dataset and a chain of products."""
    datasets = []
    for s in range(1, spacecraft + 1):
        source = Empty(f"sc{s}_{{start:%Y%m%d%H}}_v{{version}}.dat")
        datasets.append(raw(f"sc{s}.raw", ScalarSeries, source, granule="2h"))
        for p in range(products - 1):
            # Every third is made from the one before, the others from the raw data.
            before = f"sc{s}.p{p - 1:02d}" if p % 3 == 2 else f"sc{s}.raw"
            datasets.append(product(f"sc{s}.p{p:02d}", same, x=before))
    return Graph.of([Mission("sc", datasets)])


def listing(spacecraft: int, count: int, folder: str = "/archive/") -> Listing:
    """Return a listing of two-hourly files."""
    names = sorted(
        f"sc{s}_{_stamp(START + i * STEP)}_v1.dat"
        for s in range(1, spacecraft + 1)
        for i in range(count)
    )
    n = len(names)
    return Listing(tuple(names), (0,) * n, (1,) * n, ("1",) * n, (folder,))


def _stamp(ns: int) -> str:
    return time.strftime("%Y%m%d%H", time.gmtime(ns // 10**9))


def megabytes() -> float:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plan(years: float) -> dict[str, Any]:
    """Return what planning costs."""
    count = round(years * 365.25 * 12)
    graph, files = mission(4, 12), listing(4, count)
    whole = Interval(START, START + count * STEP)
    targets = [d.name for d in graph if "overview" not in d.name]
    before = megabytes()
    with tempfile.TemporaryDirectory() as folder, Store.open(folder, create=True) as store:
        wall = time.perf_counter()
        began = time.process_time()
        made = make_plan(graph, store.registry, targets, [whole], files)
        planned = time.process_time()
        spec = Spec("all", tuple(targets), start="2015-01-01", stop="2025-01-01")
        text = freeze(made, spec, Path(folder), {}).to_json()
        frozen = time.process_time()
        bundles = Bundles(made)
        bundled = time.process_time()
        wall = time.perf_counter() - wall
    return {
        "granules": len(made),
        "tasks": len(bundles.work),
        "files": len(files),
        "plan_cpu_s": round(planned - began, 1),
        "freeze_cpu_s": round(frozen - planned, 1),
        "frozen_kB": round(len(text) / 1e3, 1),
        "graph_cpu_s": round(bundled - frozen, 1),
        "total_cpu_s": round(bundled - began, 1),
        "total_wall_s": round(wall, 1),
        "memory_MB": round(megabytes()),
        "of_which_listing_MB": round(before),
    }


class Until(Control):
    """Ends a run after some seconds of work: what is made by then is measured."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def asks(self, turn: Turn) -> str:
        """Return "pause" when the time is over."""
        return "pause" if time.monotonic() > self.end else ""


def overhead(
    granules: int, workers: int, per_task: int = 1, seconds: float = 3600
) -> dict[str, Any]:
    """Return the wall time of a granule in a run whose tasks do next to nothing."""
    count = granules // 4 // per_task
    graph = mission(4, per_task)
    targets = [d.name for d in graph if "overview" not in d.name]
    whole = Interval(START, START + max(count * STEP, DAY))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "raw").mkdir()
        files = listing(4, count, f"{root / 'raw'}/")
        for name in files.names:
            (root / "raw" / name).write_bytes(b"x")
        with (
            Store.open(root / "store", create=True) as store,
            open_cluster(Profile(workers=workers)) as client,
        ):
            client.submit(sum, [1]).result()
            used = time.process_time()
            load = os.getloadavg()[0]
            report = run_campaign(
                store, graph, targets, [whole], files, lambda: client, Options(),
                control=Until(seconds),
            )  # fmt: skip
            used = time.process_time() - used
    if report.failures:
        sys.exit(f"{report.failures[0].granule}: {report.failures[0].error}")
    made = report.done
    return {
        "load_before": round(load, 1),
        "granules": made,
        "stopped_early": bool(report.stopped),
        "tasks": made // per_task,
        "workers": workers,
        "wall_s": round(report.seconds, 1),
        "wall_ms_per_granule": round(1e3 * report.seconds / made, 2),
        "coordinator_cpu_ms_per_granule": round(1e3 * used / made, 2),
        "coordinator_cpu_ms_per_task": round(1e3 * used * per_task / made, 2),
    }


def main() -> None:
    """Run one part and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("part", choices=("plan", "overhead", "transient", "scaling", "project"))
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--granules", type=int, default=100_000)
    parser.add_argument("--per-task", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3600, help="end overhead after these")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--cores", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--copies", type=int, default=0)
    args = parser.parse_args()
    if args.part == "plan":
        found = plan(args.years)
    elif args.part == "overhead":
        found = overhead(args.granules, args.workers, args.per_task, args.seconds)
    elif args.part == "scaling":
        found = scaling(args.hours, args.repeats, args.workers)
    elif args.part == "project":
        measured = transient(args.archive, args.repeats, args.copies)
        small = overhead(min(args.granules, 5000), args.workers)
        print(json.dumps(measured | small, indent=1))
        print(project(measured, small, FullMission(cores=args.cores)))
        return
    else:
        found = transient(args.archive, args.repeats, args.copies)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
