"""Peak of memory while a granule of distributions is read, and products are made of it.

Half an hour of the simulated mission at a cadence of 0.45 s is one granule of 4,000
distributions, as many as ten minutes of FPI's ion bursts. Each case runs in a process of its own,
on one thread, without Dask; the peak is that of the resident set (VmHWM) above what the process
had before the run.

    python -m benchmarks.granule_memory
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

START, STOP, CADENCE = "2030-01-01", "2030-01-01T00:30", "450ms"
CASES = (
    ("sim.ion.vdf",),
    ("sim.ion.vdf", "sim.ion.moments", "sim.ion.energy_spectrum", "sim.ion.pitch_angles"),
    ("sim.ion.vdf", "sim.ion.moments", "sim.ion.reduced_2d"),
)


def resident(key: str) -> float:
    """Return a line of the process's status [MB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024


def measured(archive: str, targets: list[str]) -> dict[str, Any]:
    """Return the peak above rest of one run in this process."""
    from sciqlop_pipe.campaign import run_campaign
    from sciqlop_pipe.granule import Interval
    from sciqlop_pipe.graph import Graph
    from sciqlop_pipe.sources.archive import list_archives
    from sciqlop_pipe.store import Store
    from tests.serial import SerialClient

    graph, listing = Graph.discover(), list_archives([archive])
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(f"{folder}/store", create=True, durable=False) as store,
    ):
        rest = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        report = run_campaign(
            store, graph, targets, [Interval.of(START, STOP)], listing, cast(Any, SerialClient)
        )
        peak = resident("VmHWM") - rest
        (count,) = (r["records"] for r in store.registry.summary() if r["dataset"] == targets[0])
    bins = 32 * 16 * 32
    return {
        "targets": targets, "failed": len(report.failures), "distributions": count,
        "peak_MB": round(peak), "bytes_a_bin": round(peak * 2**20 / count / bins, 1),
    }  # fmt: skip


def main() -> None:
    """Print a line of JSON per case."""
    if sys.argv[1:]:
        print(json.dumps(measured(sys.argv[1], sys.argv[2:])))
        return
    from sciqlop_missions.sim.simulate import simulate
    from sciqlop_pipe.granule import Interval

    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), Interval.of(START, STOP), cadence=CADENCE)
        for case in CASES:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.granule_memory", folder, *case], check=True
            )


if __name__ == "__main__":
    main()
