"""Compute on demand: what the store lacks but can make is made when somebody asks for it.

It is an ordinary campaign of one dataset and a short interval, with the leases and commits of any
other coordinator. Its tasks run in threads of this process; whoever waits for them gets records as
soon as they are written, while the coordinator commits them behind.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from .campaign import run_campaign
from .detect.promoted import promoted_models, shipped
from .errors import PipeError
from .granule import Interval, iso
from .graph import Graph
from .plan import make_plan
from .report import Options
from .store import Store
from .store.records import Extent, Failure, Outcome, Record
from .task import Bundle

log = logging.getLogger(__name__)
MOST = 48
"""Granules that one request may have made."""


class NotComputed(PipeError):
    """Something that the store lacks and that is not made now; it says what would make it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a request made: records that are written, committed or about to be."""

    records: tuple[Record, ...] = ()
    failures: tuple[Failure, ...] = ()


class Threads:
    """Runs tasks in threads of this process, in the way of a Dask client."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="on-demand")

    def nthreads(self) -> dict[str, int]:
        """Return how many tasks run at once."""
        return {"here": self.workers}

    def submit(self, function: Callable[..., Any], bundle: Bundle, **_: object) -> _Task:
        """Return the future of a task."""
        return _Task(self._pool.submit(function, bundle))

    def cancel(self, futures: Sequence[_Task], **_: object) -> None:
        """Take back tasks that have not begun."""
        for future in futures:
            future.future.cancel()

    def close(self) -> None:
        """End when the tasks that run have ended."""
        self._pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Task:
    """A future of a thread with the names that Dask's has."""

    future: Future[Any]

    @property
    def status(self) -> str:
        done = self.future.done() and not self.future.cancelled()
        return "finished" if done and self.future.exception() is None else "pending"

    def done(self) -> bool:
        return self.future.done()

    def result(self) -> Any:
        return self.future.result()

    def release(self) -> None:
        pass

    def add_done_callback(self, call: Callable[[_Task], None]) -> None:
        self.future.add_done_callback(lambda _: call(self))


@dataclass
class _Watched:
    """A client that tells of every outcome when it arrives, before it is committed."""

    client: Threads
    tell: Callable[[Sequence[Outcome]], None]

    def nthreads(self) -> dict[str, int]:
        return self.client.nthreads()

    def cancel(self, futures: Sequence[_Task], **options: object) -> None:
        self.client.cancel(futures, **options)

    def submit(self, function: Callable[..., Any], bundle: Bundle, **options: object) -> _Task:
        def watched(spec: Bundle) -> Any:
            outcomes = function(spec)
            self.tell(outcomes)
            return outcomes

        return self.client.submit(watched, bundle, **options)


def makeable(graph: Graph, store: Store, have: Mapping[str, Extent]) -> dict[str, Extent]:
    """Return the products that a store can make of what it has, and where it has or can make them.

    Parameters
    ----------
    graph : Graph
        All datasets.
    store : Store
        Where they would be.
    have : mapping
        What it has, by name.
    """
    models = {*store.models(), *shipped()}
    found: dict[str, Extent] = {}
    for dataset in graph:
        if dataset.is_raw or (dataset.model and dataset.model not in models):
            continue
        needed = [s for a, s in dataset.inputs if dataset.argument(a).required]
        spans = [(found.get(s) or have.get(s)) for s in needed]
        if not needed:
            some = [e for _, s in dataset.inputs if (e := found.get(s) or have.get(s)) is not None]
            if some:
                spans = [Extent("", _hull(e.interval for e in some), 0, False)]
        intervals = [e.interval for e in spans if e is not None]
        if not intervals or len(intervals) < len(spans):
            continue
        start, stop = max(i.start for i in intervals), min(i.stop for i in intervals)
        if start < stop:
            there = have.get(dataset.name)
            whole = _hull([Interval(start, stop), *([there.interval] if there else [])])
            records = there.records if there else 0
            found[dataset.name] = Extent(dataset.name, whole, records, dataset.gives.in_sql)
    return found


def _hull(intervals: Iterable[Interval]) -> Interval:
    every = list(intervals)
    return Interval(min(i.start for i in every), max(i.stop for i in every))


def lacking(graph: Graph, store: Store, name: str, interval: Interval) -> list[Interval]:
    """Return the granules of a product that the store lacks in an interval and can make.

    What is there and stale is left as it is: that is a campaign's business.
    """
    if name not in graph.nodes or graph[name].is_raw:
        return []
    models = promoted_models(store, graph.models([name]))
    plan = make_plan(
        graph, store.registry, [name], [interval], None, models=models, reasons=("missing",)
    )
    entries = plan.timelines[name].entries
    return [e.interval for e in entries if e.reason == "missing" and e.interval.overlaps(interval)]


def command(name: str, interval: Interval | None) -> str:
    """Return the command that makes a product."""
    start, stop = (iso(interval.start), iso(interval.stop)) if interval else ("START", "STOP")
    return f"sciqlop-pipe run {name} --start {start} --stop {stop} --archive DOOR --store DIR"


def not_computed(name: str, interval: Interval | None, why: str = "") -> NotComputed:
    """Return the refusal that names the command."""
    said = f"not computed ({why})" if why else "not computed"
    where = f"{name} {interval}" if interval else name
    return NotComputed(said, where, f"Make it: {command(name, interval)}")


@dataclass
class Maker:
    """Makes granules of one store, one request of a granule at a time.

    Parameters
    ----------
    store : Store
        Open for writing.
    graph : Graph
        All datasets.
    workers : int
        Granules made at once.
    """

    store: Store
    graph: Graph
    workers: int = 2
    _threads: Threads | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)
    _behind: dict[str, threading.Thread] = field(default_factory=dict)

    def make(self, name: str, interval: Interval) -> Made:
        """Return what was made so that an interval has no granule of a product missing.

        It returns when the last of them is written; commits follow in a thread of their own. Where
        more than `MOST` are missing and some are there, none is made.

        Raises
        ------
        NotComputed
            When that is too much for a request, and nothing is there.
        """
        with self._turn(name):
            return self._make(name, interval)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Wait until nobody else makes granules of a dataset, and what was made is committed."""
        with self._lock:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            if (behind := self._behind.get(name)) is not None:
                behind.join()
            yield

    def _make(self, name: str, interval: Interval) -> Made:
        cells = lacking(self.graph, self.store, name, interval)
        if not cells:
            return Made()
        if len(cells) > MOST:
            if self.store.registry.stored(name, interval):
                return Made()  # a long look at what there is must not fail for what is not
            raise not_computed(name, interval, f"{len(cells)} granules are missing")
        want = {c.start for c in cells}
        arrived: dict[int, Outcome] = {}
        ready = threading.Event()
        problem: list[BaseException] = []

        def tell(outcomes: Sequence[Outcome]) -> None:
            for o in outcomes:
                if o.granule.dataset == name:
                    arrived[o.granule.interval.start] = o
            if want <= set(arrived):
                ready.set()

        def campaign() -> None:
            try:
                options = Options(
                    keep=(name,), reasons=("missing", "transient"), command=f"on demand: {name}"
                )
                run_campaign(
                    self.store, self.graph, [name], [Interval(cells[0].start, cells[-1].stop)],
                    None, cast(Any, lambda: _Watched(self._client(), tell)), options,
                )  # fmt: skip
            except BaseException as error:
                problem.append(error)
                if ready.is_set():
                    log.exception("what was made of %s could not be committed", name)
            finally:
                ready.set()

        thread = threading.Thread(target=campaign, name=f"campaign of {name}")
        self._behind[name] = thread
        thread.start()
        ready.wait()
        if problem and not want <= set(arrived):
            raise problem[0]
        found = [arrived[s] for s in sorted(want & set(arrived))]
        return Made(
            tuple(o for o in found if isinstance(o, Record)),
            tuple(o for o in found if isinstance(o, Failure)),
        )

    def _client(self) -> Threads:
        with self._lock:
            if self._threads is None:
                self._threads = Threads(self.workers)
            return self._threads

    def wait(self) -> None:
        """Return when everything that was made is committed."""
        for thread in list(self._behind.values()):
            thread.join()

    def close(self) -> None:
        """Commit what was made, and end."""
        self.wait()
        if self._threads is not None:
            self._threads.close()


class Busy(Exception):
    """The queue is full, or one user asks for too much at a time."""


class Broker:
    """What makes granules for all clients of a server: one queue, a few places for each of them.

    Two requests for the same granules wait for one making.

    Parameters
    ----------
    store, graph, workers
        As for `Maker`.
    queue : int
        Requests that wait or are being made.
    each : int
        Of these, those of one address.
    """

    def __init__(
        self, store: Store, graph: Graph, *, workers: int = 2, queue: int = 64, each: int = 8
    ) -> None:
        self.maker = Maker(store, graph, workers)
        self.queue, self.each = queue, each
        self.queued = self.computing = 0
        self._of: Counter[str] = Counter()
        self._places = asyncio.Semaphore(workers)
        self._same: dict[tuple[str, Interval], asyncio.Lock] = {}

    def makeable(self, have: Mapping[str, Extent]) -> Mapping[str, Extent]:
        """Return what the store lacks and can make."""
        return makeable(self.maker.graph, self.maker.store, have)

    async def make(self, name: str, interval: Interval, user: str) -> Made:
        """Return what was made of a product for a user; see `Maker.make`.

        Raises
        ------
        Busy
            When the queue is full, of all or of this user.
        NotComputed
            When it is too much for one request.
        """
        maker = self.maker
        loop = asyncio.get_running_loop()
        cells = await loop.run_in_executor(None, lacking, maker.graph, maker.store, name, interval)
        if not cells:
            return Made()
        if self.queued >= self.queue or self._of[user] >= self.each:
            raise Busy("too much is being computed")
        self.queued += 1
        self._of[user] += 1
        key = (name, Interval(cells[0].start, cells[-1].stop))
        lock = self._same.setdefault(key, asyncio.Lock())
        try:
            async with lock, self._places:
                self.computing += 1
                try:
                    return await loop.run_in_executor(None, maker.make, name, interval)
                finally:
                    self.computing -= 1
        finally:
            self.queued -= 1
            self._of[user] -= 1
            if not self._of[user]:
                del self._of[user]
            if not lock.locked():
                self._same.pop(key, None)

    async def first(self, name: str, extent: Interval, user: str) -> Made:
        """Return one granule that was made of a product, the last one with records.

        A product that has never been made has no layout: nobody could say what it looks like.
        """
        loop = asyncio.get_running_loop()
        maker = self.maker
        cells = await loop.run_in_executor(None, lacking, maker.graph, maker.store, name, extent)
        for cell in reversed(cells[-3:]):
            made = await self.make(name, cell, user)
            if any(r.n for r in made.records):
                return made
        raise not_computed(name, extent, "nothing could be made of its inputs")

    def close(self) -> None:
        """Commit what was made, and end."""
        self.maker.close()
