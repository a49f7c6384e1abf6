"""The coordinator: submits what is ready, commits what arrives, releases what it feeds."""

from __future__ import annotations

import hashlib
import json
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from .bundles import Bundles, Node, Work
from .cluster.workers import memory_needs
from .errors import RegistryAway, TransientError
from .execute import run_batch, run_bundle
from .granule import Granule
from .isolated import run_isolated
from .plan import Plan
from .report import Control, Options, Progress, Report, Turn
from .store import Store
from .store.leases import Leases
from .store.records import Current, Failure, Outcome, Unchanged
from .task import Bundle

if TYPE_CHECKING:
    from distributed import Client, Future

COMMIT_RECORDS = 500
COMMIT_SECONDS = 0.2
LOOK_SECONDS = 1.0
MOST_AHEAD = 500
#: Bundles that one task makes, where they take so much less than this together.
MOST_TOGETHER = 32
TASK_SECONDS = 0.2
TRIES = 3
#: Before what may pass by itself is tried again; four times that the next time.
RETRY_SECONDS = 0.5
#: Seconds between questions to a registry that does not answer.
REGISTRY_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)

T = TypeVar("T")


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
        control: Control,
        given_up: set[Node],
    ) -> None:
        self.store, self.plan, self.client, self.leases = store, plan, client, leases
        self.options, self.report, self.progress = options, report, progress
        self.control, self.given_up = control, given_up
        self.bundles = Bundles(plan)
        self.ready = [k for k, w in reversed(self.bundles.work.items()) if not w.waits]
        self.arrived: queue.SimpleQueue[tuple[tuple[Node, ...], Any]] = queue.SimpleQueue()
        self.running: dict[Node, Future[Any]] = {}
        self.began: dict[Node, float] = {}
        self.looked = 0.0
        self.later: list[tuple[float, Node]] = []
        self.pending: list[tuple[Node, list[Outcome]]] = []
        self.left: set[Granule] = set()
        self.progressed = False
        self.quarrels = 0
        self.checksums: dict[str, str] = {}
        self.root = str(store.root.resolve())
        self.mark = hashlib.blake2b(self.root.encode(), digest_size=4).hexdigest()
        self.finished = 0
        self.mean: float | None = None
        self.threads = max(1, sum(client.nthreads().values()))
        self.need = memory_needs(plan.graph, {n for n, _ in plan.stale()}, client)
        self.waiting = sum(bool(w.waits) for w in self.bundles.work.values())
        self.room = 2 * self.threads + 2

    def run(self) -> None:
        """Make everything; on an interrupt commit what has arrived and stop."""
        try:
            while self.ready or self.running or self.pending or self.later:
                self._look_up()
                if not self.report.stopped:
                    self._submit()
                elif not (self.running or self.pending):
                    return
                self._collect()
        except KeyboardInterrupt:
            self._drop_running()
            raise

    def _look_up(self) -> None:
        """About once a second, say what runs, and hear whether to stop."""
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        workers = self.client.nthreads()
        self.threads = max(1, sum(workers.values()))
        # Workers come and go; tasks that take milliseconds are sent a second ahead.
        ahead = self.finished / (now - self.looked)
        self.room = 2 * self.threads + 2 + min(round(ahead), MOST_AHEAD)
        self.looked, self.finished = now, 0
        running = sorted((now - self.began[key], key) for key in self.running)[::-1]
        turn = Turn(
            tuple((str(Granule(n, self.bundles.entry[n, s].interval)), t) for t, (n, s) in running),
            len(self.ready) + len(self.later),
            self.waiting,
            len(workers),
            self.threads,
        )
        self.progress.turn(turn)
        if not self.report.stopped and (asked := self.control.asks(turn)):
            self.report.stopped = asked
            if asked == "cancel":
                self._drop_running()

    def _drop_running(self) -> None:
        """Stop what runs; commit what has arrived."""
        self.client.cancel([f for f in self.running.values() if not f.done()], force=True)
        while not self.arrived.empty():
            keys, future = self.arrived.get()
            if future.status == "finished":
                self._arrive(keys, future)
        self.running.clear()
        self._commit()

    def _submit(self) -> None:
        now = time.monotonic()
        due = [key for when, key in self.later if when <= now]
        self.later = [(when, key) for when, key in self.later if when > now]
        self.ready.extend(due)
        while self.ready and len(self.running) < self.room:
            chosen: list[Work] = []
            while self.ready and len(self.running) + len(chosen) < self.room:
                work = self.bundles.work[self.ready.pop()]
                if not self._blocked(work):
                    chosen.append(work)
            for group in self._grouped(self._leased(chosen)):
                self._send(group)

    def _blocked(self, work: Work) -> bool:
        """Record granules that cannot be made; tell whether nothing of the bundle is left."""
        blocked: list[Failure] = []
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
            patiently(lambda: self.store.commit(blocked, self.report.run, stage=self.options.stage))
        if not work.nodes:
            self._release(work.key)
        return not work.nodes

    def _leased(self, works: list[Work]) -> list[Work]:
        """Return the bundles that nobody else is making; the others are left to the next round."""
        granules = [self.bundles.granules(work) for work in works]
        taken = patiently(lambda: self.leases.acquire_each(granules)) if works else []
        for work, mine, ours in zip(works, granules, taken, strict=True):
            if not ours:
                self.left.update(mine)
                self._leave(work)
        return [work for work, ours in zip(works, taken, strict=True) if ours]

    def _leave(self, work: Work) -> None:
        """Leave everything that a bundle feeds to the next round."""
        stack, seen = list(work.feeds), set[Node]()
        while stack:
            key = stack.pop()
            if key not in seen:
                seen.add(key)
                self.left.update(self.bundles.granules(self.bundles.work[key]))
                stack.extend(self.bundles.work[key].feeds)

    def _grouped(self, works: list[Work]) -> Iterator[list[Work]]:
        """Yield bundles to be made by one task: several where each takes milliseconds."""
        together = min(MOST_TOGETHER, len(works) // self.threads)
        if self.mean is None or together * self.mean > TASK_SECONDS:
            together = int(TASK_SECONDS / self.mean) if self.mean else 1
        while works:
            group = works[: max(1, together)]
            alone = next((w for w in group if w.isolated), None)
            group = [alone] if alone is not None else group
            yield group
            works = [w for w in works if w not in group]

    def _send(self, group: list[Work]) -> None:
        specs = [self._spec(work) for work in group]
        first, more = group[0], f"+{len(group) - 1}" if group[1:] else ""
        name, start = first.key
        granule = Granule(name, self.bundles.entry[name, start].interval)
        task = f"{granule}{more}@{self.mark}.{self.report.run}.{first.tries}"
        need = max((self.need.get(n, 0.0) for w in group for n, _ in w.nodes), default=0.0)
        function = run_isolated if first.isolated else run_batch if more else run_bundle
        future: Future[Any] = self.client.submit(
            function,
            specs if more else specs[0],
            key=task,
            pure=False,
            retries=0,
            priority=self.options.priority,
            resources={"MB": need} if need else None,
        )
        keys, now = tuple(work.key for work in group), time.monotonic()
        for key in keys:
            self.running[key], self.began[key] = future, now
        future.add_done_callback(lambda done: self.arrived.put((keys, done)))

    def _spec(self, work: Work) -> Bundle:
        spec = self.bundles.spec(
            work,
            self.root,
            salvage=self.options.salvage,
            durable=self.store.durable,
            keep=self.options.keep,
            checksums=self.checksums,
        )
        return replace(self.bundles.recorded(spec, self.store.registry), access=self.options.access)

    def _collect(self) -> None:
        """Take what has arrived and commit it, in groups."""
        deadline = time.monotonic() + COMMIT_SECONDS
        waited = False
        while self.running and sum(len(o) for _, o in self.pending) < COMMIT_RECORDS:
            left = deadline - time.monotonic()
            if self.pending and (left <= 0 or len(self.running) < max(1, self.room // 2)):
                break
            try:
                keys, future = self.arrived.get(timeout=max(0.01, left))
            except queue.Empty:
                if waited or self.pending or self.later:
                    break
                waited = True
                continue
            self._arrive(keys, future)
        if not self.running and self.later and not self.pending:
            time.sleep(0.05)
        self._commit()

    def _arrive(self, keys: tuple[Node, ...], future: Future[Any]) -> None:
        works = [self.bundles.work[key] for key in keys if self.running.pop(key, None) is not None]
        self.finished += len(works)
        try:
            result = future.result()
            made: dict[Node, list[Outcome]] = dict(
                zip(keys, result if len(keys) > 1 else [result], strict=True)
            )
        except Exception as error:  # noqa: BLE001  (whatever a lost task raises becomes a record)
            made = {work.key: self._lost(work, error) for work in works}
        finally:
            future.release()
        for work in works:
            if outcomes := made[work.key]:
                self.pending.append((work.key, outcomes))
                seconds = sum(o.seconds for o in outcomes)
                self.mean = seconds if self.mean is None else 0.8 * self.mean + 0.2 * seconds

    def _lost(self, work: Work, error: Exception) -> list[Outcome]:
        """A worker died or a task could not be sent: try again, then alone."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        said = f"{type(error).__name__}: {error}".splitlines()[0]
        if getattr(self.client, "status", "running") != "running":
            raise TransientError(
                f"the scheduler is lost ({said})",
                f"run {self.report.run}",
                "What is committed is kept; the same command goes on",
            ) from error
        if not isinstance(error, (KilledWorker, CommClosedError, CancelledError)):
            return [Failure(g, "failed", said) for g in self.bundles.granules(work)]
        if work.isolated:  # what it made died in a process of its own, so this is the machine's
            return [Failure(g, "transient", said) for g in self.bundles.granules(work)]
        work.tries += 1
        work.isolated = True
        self.ready.append(work.key)
        return []

    def _commit(self) -> None:
        arrived, self.pending = self.pending, []
        if not arrived:
            return
        batch = [(key, self._sorted_out(key, many)) for key, many in arrived]
        outcomes = [o for _, many in batch for o in many]
        done = patiently(
            lambda: self.store.commit(outcomes, self.report.run, stage=self.options.stage)
        )
        conflicts = {id(r) for r in done.conflicts}
        duplicates = {id(r) for r in done.duplicates}
        patiently(lambda: self.leases.release(o.granule for o in outcomes))
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
                self.later.append((time.monotonic() + RETRY_SECONDS * 4 ** (work.tries - 1), key))
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
        self.checksums.update((i.ref, i.content) for i in outcome.inputs if i.kind == "file")
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
            if (masked := json.loads(outcome.quality).get("masked")) is not None:
                report.add(granule.dataset, "masked", masked)
            entry.current = Current.of(outcome)
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
                self.waiting -= 1
                self.ready.append(fed)


def patiently(ask: Callable[[], T]) -> T:
    """Return the registry's answer; one that does not answer is asked again for a while.

    A commit may be asked for twice: what is true already is only said again.
    """
    for wait in REGISTRY_WAITS:
        try:
            return ask()
        except RegistryAway:
            time.sleep(wait)
    return ask()
