"""One worker against two on the same work: speed-up, and CPU per granule.

Distributions of the simulated mission are read, made into moments, spectra and pitch angles and
kept: half a minute and more of work for one worker, in granules of 30 min. Codecs have one thread.
CPU is that of the workers and their readers; what the coordinator needs is counted in the wall.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.reading import cpu_seconds
from benchmarks.transient import KINDS
from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.granule import HOUR, Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Options
from sciqlop_pipe.sources.archive import Listing, list_archives
from sciqlop_pipe.store import Store

START = KINDS["sim"].day.start


def scaling(hours: float, repeats: int, workers: int = 2) -> dict[str, Any]:
    """Return, per repeat, how much faster many workers are than one, and what a granule costs."""
    interval = Interval(START, START + round(hours * HOUR))
    with tempfile.TemporaryDirectory() as folder:
        made = simulate(Path(folder) / "archive", interval)
        files = list_archives([f"{folder}/archive"])
        found = []
        for i in range(repeats):
            load = os.getloadavg()[0]
            one = _run(Path(folder) / f"one{i}", files, interval, 1)
            many = _run(Path(folder) / f"many{i}", files, interval, workers)
            found.append(
                {
                    "load_before": round(load, 1),
                    "wall_s": (round(one["wall"], 1), round(many["wall"], 1)),
                    "cpu_s": (round(one["cpu"], 1), round(many["cpu"], 1)),
                    "speed_up": round(one["wall"] / many["wall"], 2),
                    "cpu_per_granule_grows_percent": round(100 * (many["cpu"] / one["cpu"] - 1), 1),
                }
            )
    return {
        "distributions": made.distributions,
        "granules": one["granules"],
        "workers": workers,
        "runs": found,
    }


def _run(root: Path, files: Listing, interval: Interval, workers: int) -> dict[str, float]:
    kind, graph = KINDS["sim"], Graph.discover()
    targets = [kind.vdf, *kind.targets]
    # The first hour compiles kernels and starts the readers, on every worker.
    warm = Interval(START, START + HOUR)
    with open_cluster(Profile(workers=workers)) as client:
        for where, span in ((f"{root}-warm", warm), (str(root), interval)):
            with Store.open(where, create=True) as store:
                before = sum(client.run(cpu_seconds).values())
                began = time.perf_counter()
                report = run_campaign(
                    store, graph, targets, [span], files, lambda: client, Options()
                )
                wall = time.perf_counter() - began
                cpu = sum(client.run(cpu_seconds).values()) - before
            if report.failures:
                sys.exit(f"{report.failures[0].granule}: {report.failures[0].error}")
    return {"wall": wall, "cpu": cpu, "granules": report.done}
