"""`plan` and `run`: from the words of the command line to a campaign, with bars and a report."""

from __future__ import annotations

import sys
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)
from rich.table import Table

from ..campaign import list_needed, run_campaign, unfound
from ..cluster import PRIORITIES, Profile, open_cluster, read_profile
from ..detect.promoted import promoted_models
from ..errors import UsageError
from ..granule import GranuleLength, Interval, duration, iso
from ..graph import Graph
from ..intervals import read_intervals
from ..plan import REASONS, Plan, make_plan
from ..report import Options, Progress, Report
from ..sources.access import Access
from ..sources.archive import Listing, list_archives
from ..sources.doors import needs_intervals
from ..sources.fetch import probe
from ..store import Store
from ..store.records import Failure, Outcome, Record
from ..watching import Logged, Several, log_to, serve_metrics
from .nothing import left_out, why_nothing
from .output import wide

if TYPE_CHECKING:
    from distributed import Client

console = wide(stderr=True)


@dataclass(frozen=True, slots=True)
class How:
    """The options of `run` that say how, not what."""

    workers: int
    scheduler: str
    salvage: bool
    stage: str
    keep: bool
    granule: str
    durable: bool
    access: Access = field(default_factory=Access)
    profile: str = ""
    log: str = ""
    metrics: int = 0

    def where(self) -> Profile:
        """Return where it runs."""
        if self.profile:
            return read_profile(Path(self.profile))
        return Profile(workers=self.workers, address=self.scheduler, priority="daily")


def spans(start: str, stop: str, file: str, pad: str) -> list[Interval]:
    """Return the intervals that --start/--stop or --intervals name."""
    if file:
        if start or stop:
            raise UsageError("--intervals and --start/--stop exclude each other")
        return read_intervals(Path(file), pad)
    if not start or not stop:
        raise UsageError(
            "the interval is missing", todo="Give --start and --stop, or --intervals FILE"
        )
    return [Interval.of(start, stop).padded(duration(pad) if pad else 0)]


def discover(granule: str = "", targets: Sequence[str] = ()) -> Graph:
    """Return the installed graph; broken plugins become one line each on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = Graph.discover()
    for broken in graph.broken:
        last = broken.error.strip().splitlines()[-1]
        console.print(
            f"[yellow]plugin '{broken.name}' ({broken.value}) is broken: {escape(last)}[/]"
        )
    return with_granules(graph, targets, granule) if granule else graph


def with_granules(graph: Graph, targets: Sequence[str], granule: str) -> Graph:
    """Return the graph with another granule length for some of its datasets."""
    chosen = set(graph.select(targets))
    length = GranuleLength(granule)
    missions = []
    for mission in graph.missions:
        datasets = tuple(
            replace(d, granule=length) if d.name in chosen else d for d in mission.datasets
        )
        missions.append(replace(mission, datasets=datasets))
    return Graph.of(missions, graph.broken)


def listing_of(archives: Sequence[str]) -> Listing | None:
    """Return what folders and crawled archives hold, None without archives."""
    if odd := [a for a in archives if needs_intervals(a)]:
        raise UsageError(
            "this archive can only be asked about an interval", odd[0], "Name a folder or address"
        )
    return list_archives(list(archives)) if archives else None


def listing_for(
    archives: Sequence[str],
    graph: Graph,
    names: Sequence[str],
    intervals: Sequence[Interval],
    access: Access,
) -> Listing | None:
    """Return what the archives have of what some datasets need; say what could not be seen."""
    listing = list_needed(archives, graph, names, intervals, access)
    for said in listing.remarks if listing else ():
        console.print(f"[yellow]{escape(said)}[/] What the store has stays as it is.")
    return listing


def plan(
    targets: list[str],
    intervals: list[Interval],
    store: str,
    registry: str,
    archives: list[str],
    access: Access,
    json: bool,
) -> None:
    """Print what a run would make."""
    graph = discover()
    names = graph.select(targets)
    listing = listing_for(archives, graph, names, intervals, access)
    with Store.open(store, create=True, registry=registry) as opened:
        made = make_plan(
            graph,
            opened.registry,
            names,
            intervals,
            listing,
            models=promoted_models(opened, graph.models(names)),
            look=partial(probe, access=access),
        )
    if json:
        print(_plan_json(made))
        return
    out = wide()
    out.print(_plan_table(made.counts()))
    for granule in made.withdrawn[:10]:
        out.print(f"[yellow]withdrawn: the archive no longer lists the files of {granule}[/]")
    if not len(made):
        if any(t.entries for t in made.timelines.values()):
            out.print("Everything is current: nothing to compute.")
        else:
            print(why_nothing(graph, names, intervals, listing))
    elif said := left_out(graph, names, made.counts()):
        print(said)


def _plan_json(plan: Plan) -> str:
    import json

    steps = [
        {
            "dataset": name,
            "start": iso(e.interval.start),
            "stop": iso(e.interval.stop),
            "reason": e.reason,
        }
        for name, e in plan.stale()
    ]
    return json.dumps(
        {"stale": steps, "counts": plan.counts(), "withdrawn": [str(g) for g in plan.withdrawn]},
        indent=1,
    )


def _plan_table(counts: dict[str, dict[str, int]]) -> Table:
    table = Table("dataset", *(Column for Column in ("current", *REASONS)), title="plan (granules)")
    for name, row in counts.items():
        table.add_row(name, *(str(row.get(r, "")) for r in ("current", *REASONS)))
    return table


def run(
    targets: list[str],
    intervals: list[Interval],
    store: str,
    registry: str,
    archives: list[str],
    how: How,
    json: bool,
) -> int:
    """Run and report; return the exit status."""
    graph = discover(how.granule, targets)
    names = graph.select(targets)
    access = replace(how.access, topic=f"sciqlop-pipe-bytes-{uuid.uuid4().hex[:8]}")
    listing = listing_for(archives, graph, names, intervals, access)
    profile = how.where()
    options = Options(
        priority=PRIORITIES[profile.priority],
        salvage=how.salvage,
        stage=how.stage,
        keep=names if how.keep else (),
        command=" ".join(sys.argv),
        access=access,
    )
    with (
        Store.open(store, create=True, registry=registry, durable=how.durable) as opened,
        ExitStack() as stack,
        bars() as progress,
    ):

        def client() -> Client:
            cluster = stack.enter_context(open_cluster(profile, str(opened.root.resolve())))
            cluster.subscribe_topic(access.topic, progress.arrived)
            return cluster

        report = run_campaign(
            opened, graph, names, intervals, listing, client, options,
            watched(progress, how.log, how.metrics),
        )  # fmt: skip
        if not all(map(report.counts.get, names)):
            held = opened.registry.datasets()
            report.nothing = unfound(graph, targets, report.counts, listing, held)
    if json:
        print(report.to_json())
    elif report.planned:
        _print(report)
    elif any(row for row in report.counts.values()):
        print("Everything is current: nothing was computed.")
    else:
        print(why_nothing(graph, names, intervals, listing))
        return report.status
    if not json and (said := left_out(graph, names, report.counts)):
        print(said)
    return report.status


class Drawn(Progress):
    """Progress as one bar with rates and time left."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.task: Any = None
        self.records = 0
        self.nbytes = 0
        self.fetched = 0

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Draw a bar as long as the work."""
        if stale:
            self.task = self.bars.add_task("granules", total=stale, rate="")

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Move the bar, and say what failed."""
        if isinstance(outcome, Record):
            self.records += outcome.n
            self.nbytes += outcome.nbytes
        self._draw(1)
        if isinstance(outcome, Failure):
            self.bars.console.print(
                f"[red]{verdict}[/] {outcome.granule}: {escape(outcome.error)}",
                highlight=False,
                soft_wrap=True,
            )

    def arrived(self, event: Any) -> None:
        """Count bytes that a worker has downloaded (an event of the scheduler: time, message)."""
        message = event[1] if isinstance(event, (list, tuple)) else event
        self.fetched += int(message["bytes"])
        if self.task is not None:
            self._draw(0)

    def _draw(self, advance: int) -> None:
        elapsed = max(self.bars.tasks[0].elapsed or 0.0, 1e-3)
        words = [
            f"{self.records / elapsed:,.0f} records/s",
            f"{self.nbytes / 1e6 / elapsed:.1f} MB/s written",
        ]
        if self.fetched:
            words.append(f"{self.fetched / 1e6:,.1f} MB downloaded")
        self.bars.update(self.task, advance=advance, rate=", ".join(words))


def watched(progress: Progress, log: str, metrics: int, campaign: str = "") -> Progress:
    """Return a progress that is also logged, and counted for Prometheus, as asked."""
    watchers = [progress]
    if log:
        log_to(Path(log))
        watchers.append(Logged(campaign))
    if metrics:
        watchers.append(serve_metrics(metrics))
    return Several(watchers) if watchers[1:] else progress


@contextmanager
def bars() -> Iterator[Drawn]:
    """Give a progress that draws itself on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # Where nothing can be drawn it would leave an empty line.
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Drawn(bars)


def _print(report: Report) -> None:
    out = wide()
    keys = ("done", "unchanged", "duplicate", "conflict", "refused", "failed", "blocked")
    used = [k for k in keys if any(k in row for row in report.rows.values())]
    flagged = any("masked" in row for row in report.rows.values())
    facts = ("records", *(["masked"] if flagged else []), "MB")
    table = Table("dataset", *used, *facts, title=f"run {report.run}")
    for name, row in report.rows.items():
        records = row.get("records", 0)
        share = f"{row['masked'] / records:.2%}" if "masked" in row and records else ""
        table.add_row(
            name,
            *(str(row.get(k, "")) for k in used),
            f"{records:,}",
            *([share] if flagged else []),
            f"{row.get('bytes', 0) / 1e6:.1f}",
        )
    out.print(table)
    for failure in report.failures[:20]:
        out.print(
            f"{failure.state}: {failure.granule}: {escape(failure.error)}",
            style="red",
            highlight=False,
        )
    if len(report.failures) > 20:
        out.print(f"... and {len(report.failures) - 20} more; see 'sciqlop-pipe status'")
    for granule in report.withdrawn[:10]:
        out.print(f"withdrawn: the archive no longer lists the files of {granule}", style="yellow")
    word = "interrupted; the same command resumes" if report.interrupted else "finished"
    out.print(
        f"{word}: {report.done} granules, {report.records:,} records, "
        f"{report.nbytes / 1e6:.1f} MB written in {report.seconds:.1f} s"
    )
