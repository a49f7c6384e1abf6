"""Campaign: a plan, run on a cluster, committed as results arrive, reported."""

from __future__ import annotations

import hashlib
import json
import platform
import queue
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .bundles import Bundles, Node, Work
from .errors import UsageError
from .execute import run_bundle
from .granule import Granule, Interval
from .graph import Graph
from .isolated import run_isolated
from .plan import REASONS, Plan, make_plan
from .sources.archive import Listing
from .store import Store
from .store.leases import Leases
from .store.records import Current, Failure, Outcome, Record, Unchanged

if TYPE_CHECKING:
    from distributed import Client, Future

COMMIT_RECORDS = 500
COMMIT_SECONDS = 0.2
TRIES = 3
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Options:
    """How a campaign runs.

    Parameters
    ----------
    salvage : bool
        Accept the whole variables of truncated files.
    stage : str
        Keep results aside under this label until they are published.
    keep : tuple of str
        Transient datasets that are to be kept this time.
    reasons : tuple of str
        Which kinds of staleness are acted upon.
    command : str
        What the user typed, for the record.
    """

    salvage: bool = False
    stage: str = ""
    keep: tuple[str, ...] = ()
    reasons: tuple[str, ...] = REASONS
    command: str = ""


@dataclass(slots=True)
class Report:
    """What became of a run, per dataset and in all."""

    run: str
    planned: int = 0
    done: int = 0
    unchanged: int = 0
    duplicates: int = 0
    conflicts: int = 0
    records: int = 0
    nbytes: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """Return the exit status: 0 all well, 1 some granules failed, 130 interrupted."""
        if self.interrupted:
            return 130
        return 1 if self.failures else 0

    def add(self, dataset: str, key: str, amount: int = 1) -> None:
        """Count something for a dataset."""
        row = self.rows.setdefault(dataset, {})
        row[key] = row.get(key, 0) + amount

    def to_json(self) -> str:
        """Return the report as text for scripts."""
        failures = [
            {"granule": str(f.granule), "state": f.state, "error": f.error} for f in self.failures
        ]
        plain = {
            k: getattr(self, k)
            for k in (
                "run",
                "planned",
                "done",
                "unchanged",
                "duplicates",
                "conflicts",
                "records",
                "nbytes",
                "seconds",
                "interrupted",
                "rows",
                "withdrawn",
                "counts",
                "status",
            )
        }
        return json.dumps(plain | {"failures": failures}, indent=1)


class Progress:
    """What a run tells whoever watches it; the command line draws bars from it."""

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Say what will be made."""

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Say what became of one granule."""


Planner = Callable[[], Plan]


def run_campaign(
    store: Store,
    graph: Graph,
    targets: Sequence[str],
    intervals: Sequence[Interval],
    listing: Listing | None,
    client: Callable[[], Client],
    options: Options | None = None,
    progress: Progress | None = None,
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
    """
    options, progress = options or Options(), progress or Progress()
    if not targets or not intervals:
        raise UsageError("there is nothing to run", todo="Name a target and an interval")
    registry = store.registry
    report = Report(f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}")
    began = time.perf_counter()

    def plan() -> Plan:
        return make_plan(
            graph,
            registry,
            targets,
            intervals,
            listing,
            models=store.models(),
            reasons=options.reasons,
            stage=options.stage,
        )

    first = plan()
    report.planned, report.counts = len(first), first.counts()
    report.withdrawn = [str(g) for g in first.withdrawn]
    progress.planned(report.counts, len(first))
    if len(first):
        registry.start_run(report.run, options.command, _environment())
        state = "failed"
        try:
            with Leases(registry.db, report.run) as leases:
                _rounds(store, first, plan, client(), leases, options, report, progress)
            state = "partial" if report.failures else "done"
        except KeyboardInterrupt:
            report.interrupted, state = True, "interrupted"
        finally:
            registry.finish_run(report.run, state)
    report.seconds = time.perf_counter() - began
    return report


def _rounds(
    store: Store,
    plan: Plan,
    again: Planner,
    client: Client,
    leases: Leases,
    options: Options,
    report: Report,
    progress: Progress,
) -> None:
    """Run the plan, then plan again while conflicts or other coordinators left something."""
    given_up: set[Node] = set()
    quarrels = 0
    while True:
        round_ = Round(store, plan, client, leases, options, report, progress, given_up)
        round_.run()
        quarrels += bool(round_.quarrels)
        if not round_.left:
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


class Round:
    """One pass over a plan: submit what is ready, commit what arrives, release what it feeds."""

    def __init__(
        self,
        store: Store,
        plan: Plan,
        client: Client,
        leases: Leases,
        options: Options,
        report: Report,
        progress: Progress,
        given_up: set[Node],
    ) -> None:
        self.store, self.plan, self.client, self.leases = store, plan, client, leases
        self.options, self.report, self.progress = options, report, progress
        self.given_up = given_up
        self.bundles = Bundles(plan)
        self.ready = [k for k, w in reversed(self.bundles.work.items()) if not w.waits]
        self.arrived: queue.SimpleQueue[tuple[Node, Any]] = queue.SimpleQueue()
        self.running: dict[Node, Future] = {}
        self.later: list[tuple[float, Node]] = []
        self.pending: list[tuple[Node, list[Outcome]]] = []
        self.left: set[Granule] = set()
        self.progressed = False
        self.quarrels = 0
        self.room = 2 * max(1, sum(client.nthreads().values())) + 2

    def run(self) -> None:
        """Make everything; on an interrupt commit what has arrived and stop."""
        try:
            while self.ready or self.running or self.pending or self.later:
                self._submit()
                self._collect()
        except KeyboardInterrupt:
            self.client.cancel(list(self.running.values()), force=True)
            self._commit()
            raise

    def _submit(self) -> None:
        now = time.monotonic()
        due = [key for when, key in self.later if when <= now]
        self.later = [(when, key) for when, key in self.later if when > now]
        self.ready.extend(due)
        while self.ready and len(self.running) < self.room:
            key = self.ready.pop()
            work = self.bundles.work[key]
            if not self._blocked(work) and self._leased(work):
                self._send(work)

    def _blocked(self, work: Work) -> bool:
        """Record granules that cannot be made; tell whether nothing of the bundle is left."""
        blocked: list[Outcome] = []
        for node in list(work.nodes):
            if node in self.given_up:
                self.bundles.entry[node].failed = "failed before"
                work.nodes.remove(node)
            elif why := self.bundles.missing(node):
                granule = Granule(node[0], self.bundles.entry[node].interval)
                blocked.append(Failure(granule, "blocked", why))
                work.nodes.remove(node)
        for outcome in blocked:
            self._fail(outcome)
        if blocked:
            self.store.commit(blocked, self.report.run, stage=self.options.stage)
        if not work.nodes:
            self._release(work.key)
        return not work.nodes

    def _leased(self, work: Work) -> bool:
        granules = self.bundles.granules(work)
        if self.leases.acquire(granules):
            return True
        self.left.update(granules)
        self._leave(work)
        return False

    def _leave(self, work: Work) -> None:
        """Leave everything that a bundle feeds to the next round."""
        stack, seen = list(work.feeds), set[Node]()
        while stack:
            key = stack.pop()
            if key not in seen:
                seen.add(key)
                self.left.update(self.bundles.granules(self.bundles.work[key]))
                stack.extend(self.bundles.work[key].feeds)

    def _send(self, work: Work) -> None:
        spec = self.bundles.spec(
            work,
            str(self.store.root.resolve()),
            salvage=self.options.salvage,
            durable=self.store.durable,
            keep=self.options.keep,
        )
        name, start = work.key
        mark = hashlib.blake2b(str(self.store.root.resolve()).encode(), digest_size=4).hexdigest()
        granule = Granule(name, self.bundles.entry[name, start].interval)
        task = f"{granule}@{mark}.{self.report.run}.{work.tries}"
        future = self.client.submit(
            run_isolated if work.isolated else run_bundle, spec, key=task, pure=False, retries=0
        )
        self.running[work.key] = future
        key = work.key
        future.add_done_callback(lambda done: self.arrived.put((key, done)))

    def _collect(self) -> None:
        """Take what has arrived and commit it, in groups."""
        deadline = time.monotonic() + COMMIT_SECONDS
        waited = False
        while self.running and sum(len(o) for _, o in self.pending) < COMMIT_RECORDS:
            left = deadline - time.monotonic()
            if self.pending and (left <= 0 or len(self.running) < max(1, self.room // 2)):
                break
            try:
                key, future = self.arrived.get(timeout=max(0.01, left))
            except queue.Empty:
                if waited or self.pending or self.later:
                    break
                waited = True
                continue
            if self.running.pop(key, None) is not None:
                self._arrive(key, future)
        if not self.running and self.later and not self.pending:
            time.sleep(0.05)
        self._commit()

    def _arrive(self, key: Node, future: Future) -> None:
        work = self.bundles.work[key]
        try:
            outcomes: list[Outcome] = future.result()
        except Exception as error:
            outcomes = self._lost(work, error)
        finally:
            future.release()
        if outcomes:
            self.pending.append((key, outcomes))

    def _lost(self, work: Work, error: Exception) -> list[Outcome]:
        """A worker died or a task could not be sent: try again, then alone."""
        work.tries += 1
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        died = type(error).__name__ in ("KilledWorker", "CommClosedError", "CancelledError")
        if died and not work.isolated:
            work.isolated = True
            self.ready.append(work.key)
            return []
        return [Failure(g, "failed", said) for g in self.bundles.granules(work)]

    def _commit(self) -> None:
        arrived, self.pending = self.pending, []
        if not arrived:
            return
        batch = [(key, self._sorted_out(key, many)) for key, many in arrived]
        outcomes = [o for _, many in batch for o in many]
        done = self.store.commit(outcomes, self.report.run, stage=self.options.stage)
        conflicts = {id(r) for r in done.conflicts}
        duplicates = {id(r) for r in done.duplicates}
        self.leases.release(o.granule for o in outcomes)
        for key, many in batch:
            work = self.bundles.work[key]
            for outcome in many:
                if id(outcome) in conflicts:
                    self._conflict(outcome)
                elif not (isinstance(outcome, Failure) and outcome.state == "transient"):
                    self._settle(outcome, id(outcome) in duplicates)
                    work.nodes.remove((outcome.granule.dataset, outcome.granule.interval.start))
            if any(id(o) in conflicts for o in many):
                self._leave(work)
            elif work.nodes:
                self.later.append((time.monotonic() + 0.5 * 4 ** (work.tries - 1), key))
            else:
                self._release(key)

    def _sorted_out(self, key: Node, many: list[Outcome]) -> list[Outcome]:
        """Return what is final of a bundle; what may pass by itself stays in the bundle."""
        work = self.bundles.work[key]
        if not any(isinstance(o, Failure) and o.state == "transient" for o in many):
            return many
        work.tries += 1
        if work.tries < TRIES:
            return [o for o in many if not (isinstance(o, Failure) and o.state == "blocked")]
        return [
            replace(o, state="failed") if isinstance(o, Failure) and o.state == "transient" else o
            for o in many
        ]

    def _conflict(self, outcome: Outcome) -> None:
        """Somebody else changed what this granule replaces or was made from: plan it again."""
        self.quarrels += 1
        self.report.conflicts += 1
        self.report.add(outcome.granule.dataset, "conflict")
        self.left.add(outcome.granule)
        self.progress.outcome(outcome, "conflict")

    def _settle(self, outcome: Outcome, duplicate: bool) -> None:
        report, granule = self.report, outcome.granule
        entry = self.bundles.entry[granule.dataset, granule.interval.start]
        verdict = "done"
        if isinstance(outcome, Failure):
            self._fail(outcome)
            return
        if duplicate:
            report.duplicates += 1
            entry.current, verdict = self._reread(granule), "duplicate"
        elif isinstance(outcome, Unchanged):
            report.unchanged += 1
            verdict = "unchanged"
        else:
            report.done += 1
            report.records += outcome.n
            report.nbytes += outcome.nbytes
            report.add(granule.dataset, "records", outcome.n)
            report.add(granule.dataset, "bytes", outcome.nbytes)
            entry.current = _current(outcome)
        self.progressed = True
        entry.reason = ""
        report.add(granule.dataset, verdict)
        self.progress.outcome(outcome, verdict)

    def _reread(self, granule: Granule) -> Current | None:
        rows = self.store.registry.current(
            granule.dataset, granule.interval, stage=self.options.stage
        )
        return next((r for r in rows if r.start == granule.interval.start), None)

    def _fail(self, failure: Failure) -> None:
        node = (failure.granule.dataset, failure.granule.interval.start)
        self.bundles.entry[node].failed = failure.error
        self.given_up.add(node)
        self.report.failures.append(failure)
        self.report.add(failure.granule.dataset, failure.state)
        self.progress.outcome(failure, failure.state)

    def _release(self, key: Node) -> None:
        """Let the bundles go that waited for this one."""
        for fed in self.bundles.work[key].feeds:
            work = self.bundles.work[fed]
            work.waits.discard(key)
            if not work.waits:
                self.ready.append(fed)


def _current(r: Record) -> Current:
    return Current(
        r.uid,
        r.granule.dataset,
        r.granule.interval.start,
        r.granule.interval.stop,
        r.n,
        r.first,
        r.last,
        r.fingerprint,
        r.content,
        r.path,
        r.code,
        r.version,
        r.params,
        r.inputs_key,
        r.completeness,
    )


def _environment() -> str:
    """Return versions and machine as text: results agree exactly for equal ones."""
    from importlib.metadata import PackageNotFoundError, version

    names = ("sciqlop-pipe", "numpy", "numba", "xarray", "zarr", "dask", "pycdfpp", "scikit-learn")
    found: dict[str, str] = {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "processor": _processor(),
    }
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return json.dumps(found)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(
                (line.split(":", 1)[1].strip() for line in file if "model name" in line), ""
            )
    except OSError:
        return platform.processor()
