"""The main job in a minute or two: simulate an archive, run the pipeline on it, compare with truth.

`python -m sciqlop_missions.sim.demo`, or `make demo`.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.catalog import load_catalog
from sciqlop_pipe.cli.output import wide
from sciqlop_pipe.cli.running import bars
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.granule import HOUR, Interval, instant, iso
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.quicklook import draw_event, draw_interval
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store

from .simulate import SimReport, simulate
from .truth import compare, load_crossings, load_truth, score_crossings

if TYPE_CHECKING:
    from distributed import Client

START = "2030-01-01"
MOMENTS, SPECTRUM, FIELD = "sim.ion.moments", "sim.ion.energy_spectrum", "sim.fgm.b"
REGIONS, CROSSINGS = "sim.region_labels", "sim.boundary_crossings"
TARGETS = (MOMENTS, SPECTRUM, FIELD, CROSSINGS)
PANELS = (FIELD, MOMENTS, SPECTRUM, REGIONS)


def main() -> int:
    """Run the demonstration; return its exit status."""
    parser = argparse.ArgumentParser(description="Simulate, process, compare with the truth.")
    parser.add_argument("--dir", type=Path, default=Path("demo"), help="where everything goes")
    parser.add_argument("--hours", type=float, default=3.0, help="how much is simulated")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    args = parser.parse_args()
    out = wide()
    began = time.perf_counter()
    interval = Interval(instant(START), instant(START) + round(args.hours * HOUR))
    out.print(f"[bold]1. An archive[/]: a spacecraft through a moving magnetopause and bow shock, "
              f"{interval}")  # fmt: skip
    archive = args.dir / "archive"
    made = simulate(archive, interval)
    out.print(f"   {made}")
    out.print(f"[bold]2. The pipeline[/]: {', '.join(TARGETS)}")
    with Store.open(args.dir / "store", create=True) as store:
        report = process(store, archive, interval, args.workers)
        if report.planned:
            out.print(_work(report, made))
        else:
            out.print("   Everything is current: nothing was computed.")
        if report.failures:
            out.print(f"[red]{report.failures[0].granule}: {report.failures[0].error}[/]")
            return 1
        out.print("[bold]3. Against the truth[/]")
        out.print(_errors(store, archive, interval))
        picture = args.dir / "quicklook.png"
        draw_interval(store, PANELS, interval, picture)
        out.print(_crossings(store, archive, interval))
        events = load_catalog(store, CROSSINGS, interval).events
        if events:
            best = max(events, key=lambda e: dict(e.attributes).get("probability", 0.0))
            draw_event(store, best.id, args.dir / "crossing.png", PANELS)
            out.print(
                f"[bold]4. Pictures[/]: {picture}, and of one crossing {args.dir / 'crossing.png'}"
            )
    out.print(f"done in {time.perf_counter() - began:.0f} s; again: 'make demo' computes nothing; "
              f"look around with 'sciqlop-pipe status --store {args.dir / 'store'}'")  # fmt: skip
    return 0


def process(store: Store, archive: Path, interval: Interval, workers: int) -> Report:
    """Return the report of running the demonstration's targets."""
    with ExitStack() as stack, bars() as progress:

        def client() -> Client:
            return stack.enter_context(open_cluster(Profile(workers)))

        listing = list_archives([str(archive)])
        options = Options(command="demo")
        return run_campaign(
            store, Graph.discover(), TARGETS, [interval], listing, client, options, progress
        )


def _work(report: Report, made: SimReport) -> object:
    from rich.table import Table

    table = Table("dataset", "granules", "records", "MB written")
    for name, row in report.rows.items():
        table.add_row(name, str(row.get("done", 0)), f"{row.get('records', 0):,}",
                      f"{row.get('bytes', 0) / 1e6:.1f}")  # fmt: skip
    rate = made.size / 1e6 / max(report.seconds, 1e-9)
    table.caption = (
        f"{report.done} granules, {report.records:,} records in {report.seconds:.1f} s: "
        f"{rate:.1f} MB/s of raw files, start of the workers included"
    )
    return table


def _errors(store: Store, archive: Path, interval: Interval) -> object:
    from rich.table import Table

    a, b = interval.slice64
    moments = store.read(MOMENTS, a, b).load()
    table = Table("region", "records", "n", "|V| [km/s]", "T", title="moments: median errors")
    for row in compare(moments, load_truth(archive)):
        table.add_row(row.region, f"{row.records:,}", f"{100 * row.density:.1f} %",
                      f"{row.velocity:.1f}", f"{100 * row.temperature:.1f} %")  # fmt: skip
    return table


def _crossings(store: Store, archive: Path, interval: Interval) -> object:
    from rich.table import Table

    found = load_catalog(store, CROSSINGS, interval).events
    truth = [c for c in load_crossings(archive) if interval.start <= c.time < interval.stop]
    table = Table("boundary", "true", "found", "precision", "recall", "median timing error",
                  title="crossings, tolerance 60 s")  # fmt: skip
    times = np.array([instant(dict(e.attributes)["time"]) for e in found], "datetime64[ns]")
    for score in score_crossings(times, [e.kind for e in found], truth):
        table.add_row(score.kind, str(score.true), str(score.found), f"{score.precision:.2f}",
                      f"{score.recall:.2f}", f"{score.timing:.1f} s")  # fmt: skip
    if found:
        table.caption = f"first {iso(found[0].start)}, last {iso(found[-1].stop)}"
    return table


if __name__ == "__main__":
    sys.exit(main())
