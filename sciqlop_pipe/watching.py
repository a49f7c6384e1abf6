"""Who watches a run besides a person at a terminal: a log of JSON lines, and Prometheus."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .granule import iso
from .report import Progress, Turn
from .store.records import Failure, Outcome, Record

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger("sciqlop_pipe.run")


class Several(Progress):
    """Tells several watchers the same."""

    def __init__(self, watchers: Sequence[Progress]) -> None:
        self.watchers = tuple(watchers)

    def started(self, run: str) -> None:
        """Say which run this is."""
        for watcher in self.watchers:
            watcher.started(run)

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Say what will be made."""
        for watcher in self.watchers:
            watcher.planned(counts, stale)

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Say what became of one granule."""
        for watcher in self.watchers:
            watcher.outcome(outcome, verdict)

    def turn(self, turn: Turn) -> None:
        """Say what runs and what waits."""
        for watcher in self.watchers:
            watcher.turn(turn)


class Logged(Progress):
    """Writes a record per granule to the logger "sciqlop_pipe.run", with fields for `JsonLines`."""

    def __init__(self, campaign: str = "") -> None:
        self.campaign, self.run = campaign, ""

    def started(self, run: str) -> None:
        """Keep which run this is."""
        self.run = run

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Say what will be made."""
        fields = {"run": self.run, "campaign": self.campaign, "granules": stale}
        log.info("planned", extra={"fields": fields})

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Say what became of one granule."""
        granule = outcome.granule
        fields: dict[str, Any] = {
            "run": self.run,
            "campaign": self.campaign,
            "dataset": granule.dataset,
            "granule": str(granule),
            "start": iso(granule.interval.start),
            "stop": iso(granule.interval.stop),
            "state": verdict,
            "seconds": round(outcome.seconds, 4),
            "host": outcome.host,
        }
        if isinstance(outcome, Record):
            fields |= {"records": outcome.n, "bytes": outcome.nbytes}
        if isinstance(outcome, Failure):
            fields["error"] = outcome.error
        level = logging.ERROR if isinstance(outcome, Failure) else logging.INFO
        log.log(level, "%s %s", verdict, granule, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, message, and the fields that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line of JSON."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{when}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({k: v for k, v in line.items() if v != ""})


def log_to(path: Path) -> logging.Handler:
    """Return the handler that appends what this package logs to a file of JSON lines.

    Raises
    ------
    UsageError
        When the file cannot be written.
    """
    try:
        handler = logging.FileHandler(path)
    except OSError as error:
        raise UsageError(f"the log cannot be written ({error.strerror})", str(path)) from error
    handler.setFormatter(JsonLines())
    top = logging.getLogger("sciqlop_pipe")
    top.addHandler(handler)
    top.setLevel(logging.INFO)
    return handler


class Metrics(Progress):
    """Counts granules, records, bytes and seconds, and shows queues, for Prometheus.

    Parameters
    ----------
    registry : CollectorRegistry
        Where the metrics are registered.

    Raises
    ------
    UsageError
        When prometheus-client is not installed.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        try:
            from prometheus_client import REGISTRY, Counter, Gauge, Histogram
        except ModuleNotFoundError as error:
            raise UsageError(
                "metrics need a package that is not installed (prometheus-client)",
                todo="pip install 'sciqlop-pipe[ops]'",
            ) from error
        here: Any = {"registry": registry or REGISTRY, "namespace": "sciqlop_pipe"}
        by = ["dataset"]
        self.granules = Counter("granules", "Granules by outcome", [*by, "outcome"], **here)
        self.failures = Counter("failures", "Granules that could not be made", [*by, "why"], **here)
        self.records = Counter("records", "Records written", by, **here)
        self.nbytes = Counter("bytes", "Bytes written", by, **here)
        buckets = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
        self.seconds = Histogram("seconds", "Time of a granule", by, buckets=buckets, **here)
        self.stale = Gauge("planned_granules", "Granules of the plan", **here)
        self.queue = Gauge("tasks", "Tasks of the run", ["state"], **here)
        self.workers = Gauge("workers", "Workers of the cluster", **here)
        self.oldest = Gauge("oldest_task_seconds", "How long the oldest task has run", **here)

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Show what will be made."""
        self.stale.set(stale)

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Count one granule."""
        name = outcome.granule.dataset
        self.granules.labels(name, verdict).inc()
        self.seconds.labels(name).observe(outcome.seconds)
        if isinstance(outcome, Failure):
            self.failures.labels(name, outcome.state).inc()
        elif isinstance(outcome, Record) and verdict == "done":
            self.records.labels(name).inc(outcome.n)
            self.nbytes.labels(name).inc(outcome.nbytes)

    def turn(self, turn: Turn) -> None:
        """Show the queues."""
        self.queue.labels("outstanding").set(len(turn.running))
        self.queue.labels("ready").set(turn.ready)
        self.queue.labels("waiting").set(turn.waiting)
        self.workers.set(turn.workers)
        self.oldest.set(max((seconds for _, seconds in turn.running), default=0.0))


def serve_metrics(port: int, address: str = "127.0.0.1") -> Metrics:
    """Return metrics that Prometheus can fetch from http://ADDRESS:PORT/metrics.

    Raises
    ------
    UsageError
        When prometheus-client is not installed, or the port is taken.
    """
    metrics = Metrics()
    from prometheus_client import start_http_server

    try:
        start_http_server(port, addr=address)
    except OSError as error:
        raise UsageError(f"metrics cannot be served on port {port} ({error.strerror})") from error
    return metrics
