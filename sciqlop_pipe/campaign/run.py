"""Campaign: a plan, run on a cluster, committed as results arrive, reported."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..bundles import Node
from ..coordinator import Round
from ..detect.promoted import promoted_models
from ..environment import environment
from ..errors import UsageError
from ..granule import Interval
from ..graph import Graph
from ..plan import Plan, make_plan, needs
from ..report import Control, Options, Progress, Report
from ..sources.access import Access
from ..sources.archive import Listing
from ..sources.doors import Wanted, open_doors
from ..sources.fetch import probe
from ..store import Store
from ..store.campaigns import add_run
from ..store.leases import Leases
from ..store.records import Failure

if TYPE_CHECKING:
    from distributed import Client

ROUNDS = 10


def list_needed(
    archives: Sequence[str],
    graph: Graph,
    names: Sequence[str],
    intervals: Sequence[Interval],
    access: Access,
) -> Listing | None:
    """Return what archives have of what some datasets need; None without archives.

    Parameters
    ----------
    archives : sequence of str
        Doors, best first: see `sources.doors`.
    graph : Graph
        All datasets.
    names, intervals
        What is to be made, and where.
    access : Access
        How the doors are opened. `gone` of the listing says which did not answer.
    """
    if not archives:
        return None
    wanted = [
        Wanted(source, spans)
        for name, spans in needs(graph, names, intervals).items()
        if (source := graph[name].source) is not None
    ]
    return open_doors(archives, wanted, access)


def run_campaign(
    store: Store,
    graph: Graph,
    targets: Sequence[str],
    intervals: Sequence[Interval],
    listing: Listing | None,
    client: Callable[[], Client],
    options: Options | None = None,
    progress: Progress | None = None,
    control: Control | None = None,
) -> Report:
    """Return the report of making the targets current in the intervals.

    What fails is recorded and blocks only what requires it. Conflicts with other coordinators and
    granules that these are making are planned again at the end. Ctrl-C commits what is done.

    Parameters
    ----------
    store : Store
        Where results go.
    graph : Graph
        All datasets.
    targets, intervals
        What, and where.
    listing : Listing or None
        What the archives hold.
    client : callable
        Gives a Dask client; called only when there is something to do.
    options : Options
        How it runs.
    progress : Progress
        Who watches.
    control : Control
        Who may hold it back.
    """
    options, progress, control = options or Options(), progress or Progress(), control or Control()
    if not targets or not intervals:
        raise UsageError("there is nothing to run", todo="Name a target and an interval")
    registry = store.registry
    report = Report(f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}")
    began = time.perf_counter()
    progress.started(report.run)

    def plan() -> Plan:
        made = make_plan(
            graph,
            registry,
            targets,
            intervals,
            listing,
            models=promoted_models(store, graph.models(targets)),
            reasons=options.reasons,
            stage=options.stage,
            look=partial(probe, access=options.access),
        )
        control.narrow(made)
        return made

    first = plan()
    report.planned, report.counts = len(first), first.counts()
    report.withdrawn = [str(g) for g in first.withdrawn]
    progress.planned(report.counts, len(first))
    if len(first):
        registry.start_run(report.run, options.command, json.dumps(environment()))
        if options.campaign:
            add_run(registry.db, options.campaign, report.run)
        state = "failed"
        try:
            with Leases(registry.db, report.run) as leases:
                _rounds(store, first, plan, client(), leases, options, report, progress, control)
            state = report.stopped or ("partial" if report.failures else "done")
        except KeyboardInterrupt:
            report.interrupted, state = True, "interrupted"
        finally:
            registry.finish_run(report.run, state)
    report.seconds = time.perf_counter() - began
    return report


def _rounds(
    store: Store,
    plan: Plan,
    again: Callable[[], Plan],
    client: Client,
    leases: Leases,
    options: Options,
    report: Report,
    progress: Progress,
    control: Control,
) -> None:
    """Run the plan, then plan again while conflicts or other coordinators left something."""
    given_up: set[Node] = set()
    quarrels = 0
    while True:
        round_ = Round(store, plan, client, leases, options, report, progress, control, given_up)
        round_.run()
        quarrels += bool(round_.quarrels)
        if not round_.left or report.stopped:
            return
        if quarrels > ROUNDS:
            break
        if not round_.progressed:
            time.sleep(1.0)  # others are at work on what is left: let them
        plan = again()
    for granule in sorted(round_.left):
        failure = Failure(
            granule, "conflict", "other coordinators kept changing what it depends on"
        )
        report.failures.append(failure)
