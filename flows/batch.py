"""One batch of work: a single Prefect task with a Dask client inside, watched and reported.

A task of Prefect costs tens of milliseconds to seconds, and a granule may take less: so Prefect
sees batches, Dask sees granules, and what is done already is known by the store alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.sync import concurrency
from prefect.events import emit_event
from prefect.logging import get_run_logger

from flows.where import Where, turns
from sciqlop_pipe.campaign import list_needed, run_campaign, unfound
from sciqlop_pipe.cluster import PRIORITIES, open_cluster
from sciqlop_pipe.errors import ArchiveGone, PipeError, TransientError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Options, Progress, Report
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Failure, Outcome

if TYPE_CHECKING:
    from distributed import Client

#: What scheduled flows take: what is missing, and what has new input. The rest is for campaigns.
SCHEDULED = ("missing", "input", "upstream", "transient")
_EVERY_SECONDS = 3.0


class GranulesFailed(RuntimeError):
    """Some granules of a batch failed; everything else is done and kept."""


class NothingFound(RuntimeError):
    """Of none of the targets there is anything, neither in the store nor at any door."""


class Watched(Progress):
    """Progress as an artifact of the run, moved every few seconds at most."""

    def __init__(self) -> None:
        self.log = get_run_logger()
        self.done = self.all = 0
        self.artifact: Any = None
        self.last = 0.0

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Say how much there is to do."""
        self.all = stale
        self.log.info("%d granules of %d datasets are to be made", stale, len(counts))
        if stale:
            self.artifact = create_progress_artifact(0.0, "granules", "granules committed")

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Move on, and say what failed."""
        self.done += 1
        if isinstance(outcome, Failure):
            self.log.warning("%s %s: %s", verdict, outcome.granule, outcome.error)
        if self.artifact and (
            time.monotonic() - self.last > _EVERY_SECONDS or self.done == self.all
        ):
            self.last = time.monotonic()
            percent = min(100.0, 100.0 * self.done / max(1, self.all))
            update_progress_artifact(self.artifact, percent, f"{self.done} of {self.all} granules")


def may_pass(task: Any, task_run: Any, state: Any) -> bool:
    """Tell whether a batch that failed is worth a retry: not where a request was refused."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, PipeError) or isinstance(error, (TransientError, ArchiveGone))


@task(
    name="batch",
    retries=2,
    retry_delay_seconds=[30, 300],
    retry_condition_fn=may_pass,
    persist_result=False,
    cache_policy=NO_CACHE,
)
def make(
    targets: Sequence[str],
    spans: Sequence[Interval],
    where: Where,
    reasons: Sequence[str] = SCHEDULED,
    stage: str = "",
) -> Report:
    """Return the report of making targets current; what failed for good is in it, not raised.

    Retried as a whole when the machinery fails (cluster, database, listing): what was committed
    stays.
    """
    watched = Watched()
    graph = Graph.discover()
    names = graph.select(targets)
    with (
        concurrency(turns(where.archives), occupy=1, strict=False),
        Store.open(where.store, create=True, registry=where.registry) as store,
        opened_cluster(where) as client,
    ):
        listing = list_needed(where.archives, graph, names, spans, where.access)
        for said in listing.remarks if listing else ():
            watched.log.warning("%s What the store has stays as it is.", said)
        options = Options(
            stage=stage,
            reasons=tuple(reasons),
            command=f"flow: {' '.join(targets)}",
            access=where.access,
            priority=PRIORITIES[where.profile.priority],
        )
        report = run_campaign(store, graph, names, list(spans), listing, client, options, watched)
        if not all(map(report.counts.get, names)):
            held = store.registry.datasets()
            report.nothing = unfound(graph, targets, report.counts, listing, held)
            if report.nothing:
                watched.log.warning("Nothing at all was found of %s.", ", ".join(report.nothing))
    publish_report(report, spans)
    return report


@contextmanager
def opened_cluster(where: Where) -> Iterator[Callable[[], Client]]:
    """Give a function that opens the cluster when it is first needed; closed at the end."""
    # Prefect shows what libraries log at INFO: a scheduler's life in forty lines. Its import sets
    # levels, so it comes first.
    import distributed  # noqa: F401

    logging.getLogger("distributed").setLevel(logging.WARNING)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(open_cluster(where.profile, where.store))


def publish_report(report: Report, spans: Sequence[Interval]) -> None:
    """Show a report as an artifact, and tell of every dataset that has new granules."""
    create_markdown_artifact(markdown(report, spans), "report", f"run {report.run}")
    for name, row in report.rows.items():
        if row.get("done"):
            emit_event(
                "sciqlop.pipe.granules.current",
                {
                    "prefect.resource.id": f"sciqlop.pipe.dataset.{name}",
                    "prefect.resource.name": name,
                },
                payload={
                    "run": report.run,
                    "granules": row["done"],
                    "spans": [str(s) for s in spans],
                },
            )


def markdown(report: Report, spans: Sequence[Interval]) -> str:
    """Return a report as a page of Markdown."""
    keys = [
        k
        for k in ("done", "unchanged", "duplicate", "conflict", "refused", "failed", "blocked")
        if any(k in row for row in report.rows.values())
    ]
    lines = [
        f"# Run {report.run}",
        "",
        f"{', '.join(map(str, spans))}: {report.done} granules, {report.records:,} records,",
        f"{report.nbytes / 1e6:.1f} MB in {report.seconds:.1f} s.",
        "",
    ]
    if report.rows:
        lines += [
            "| dataset | " + " | ".join([*keys, "records", "MB"]) + " |",
            "|---" * (len(keys) + 3) + "|",
        ]
    for name, row in report.rows.items():
        cells = [str(row.get(k, "")) for k in keys]
        cells += [f"{row.get('records', 0):,}", f"{row.get('bytes', 0) / 1e6:.1f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if report.failures:
        lines += ["", "## Failures", ""]
        lines += [f"- `{f.granule}` {f.state}: {f.error}" for f in report.failures[:50]]
    if not report.planned:
        lines.append("Everything was current, or there is no data: nothing was computed.")
    return "\n".join(lines)


def insist(report: Report) -> None:
    """Raise when granules failed, so that the flow run is red and whoever is on duty is told.

    A day without data is green; so is a run that found something of one target and nothing of
    another, which is a warning in its log.

    Raises
    ------
    GranulesFailed
        Some granules failed; the report has their reasons.
    NothingFound
        There was nothing to be had of any target: probably its archive is not where it was.
    """
    if report.failures:
        first = report.failures[0]
        raise GranulesFailed(
            f"{len(report.failures)} of {report.planned} granules failed, "
            f"first {first.granule}: {first.error}"
        )
    if report.nothing and not any(report.counts.values()):
        raise NothingFound(
            f"nothing at all was found of {', '.join(report.nothing[:5])}, neither in the store "
            "nor at any door: look whether the archives are where they were"
        )
