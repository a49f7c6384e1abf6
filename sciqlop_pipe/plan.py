"""Planning: which granules are stale, and why. Pure questions to graph, registry and listing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .errors import StoreError, UsageError
from .fingerprint import file_part, granule_part, inputs_key, model_part, params_text
from .granule import Granule, GranuleLength, Interval
from .graph import Graph
from .model import Dataset
from .sources.archive import FileMatch, Listing, RawFile
from .sources.fetch import probe
from .store.records import Current, InputUsed, Rows
from .store.registry import Registry

#: Why a granule is stale, in the order in which reasons are looked for. "upstream": an input is
#: itself to be made. "transient": current, but not kept, and something stale is made from it.
REASONS = ("missing", "code", "params", "model", "input", "upstream", "transient")


@dataclass(slots=True)
class Entry:
    """One granule of one dataset as a plan sees it: what is current, and whether it is stale.

    `replaces` names what it would replace: `current`, or granules of another length.
    """

    interval: Interval
    current: Current | None = None
    reason: str = ""
    files: tuple[RawFile, ...] = ()
    failed: str = ""
    replaces: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """Tell whether the plan will make it."""
        return bool(self.reason)


@dataclass(slots=True)
class Timeline:
    """The granules of one dataset in order of time."""

    entries: list[Entry]
    starts: list[int] = field(default_factory=list)
    longest: int = 0

    def __post_init__(self) -> None:
        self.entries.sort(key=lambda e: e.interval.start)
        self.starts = [e.interval.start for e in self.entries]
        self.longest = max((e.interval.stop - e.interval.start for e in self.entries), default=0)

    def over(self, interval: Interval) -> list[Entry]:
        """Return the granules that overlap an interval."""
        lo = bisect_left(self.starts, interval.start - self.longest)
        hi = bisect_right(self.starts, interval.stop - 1)
        return [e for e in self.entries[lo:hi] if e.interval.stop > interval.start]


@dataclass(slots=True)
class Plan:
    """What a run will make: per dataset, in an order that puts inputs first."""

    graph: Graph
    targets: tuple[str, ...]
    intervals: tuple[Interval, ...]
    timelines: dict[str, Timeline]
    models: Mapping[str, tuple[str, str]]
    withdrawn: list[Granule] = field(default_factory=list)

    def stale(self) -> Iterator[tuple[str, Entry]]:
        """Yield every granule to be made, inputs before what is made from them."""
        for name, timeline in self.timelines.items():
            for entry in timeline.entries:
                if entry.stale:
                    yield name, entry

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many granules of each dataset are stale for each reason, or current."""
        table: dict[str, dict[str, int]] = {}
        for name, timeline in self.timelines.items():
            row: dict[str, int] = {}
            for entry in timeline.entries:
                key = entry.reason or "current"
                row[key] = row.get(key, 0) + 1
            table[name] = row
        return table

    def __len__(self) -> int:
        return sum(e.stale for t in self.timelines.values() for e in t.entries)


def make_plan(
    graph: Graph,
    registry: Registry,
    targets: Sequence[str],
    intervals: Sequence[Interval],
    listing: Listing | None,
    *,
    models: Mapping[str, tuple[str, str]] | None = None,
    reasons: Sequence[str] = REASONS,
    stage: str = "",
    look: Callable[[RawFile], RawFile] = probe,
) -> Plan:
    """Return what must be made so that the targets are current in the intervals.

    Parameters
    ----------
    graph : Graph
        All datasets.
    registry : Registry
        What is current.
    targets : sequence of str
        Names of datasets; everything they are made from is planned too.
    intervals : sequence of Interval
        Where; whole granules are made.
    listing : Listing or None
        What the archives hold; None keeps to what the store has.
    models : mapping
        Content hash and path of the promoted model of each name.
    reasons : sequence of str
        Only granules stale for one of these are taken ("upstream" follows from the others). With
        "withdrawn" among them, granules are made anew without the files that are gone.
    stage : str
        Plan for a staged run.
    look : callable
        Asks the server about a file whose listing tells neither size nor date.

    Raises
    ------
    StoreError
        When the store holds a result of a newer recipe than this installation has.
    """
    names = graph.ancestors(targets)
    wanted = needs(graph, targets, intervals)
    plan = Plan(graph, tuple(targets), tuple(intervals), {}, models or {})
    for name in names:
        dataset = graph[name]
        have = _current(registry, dataset, wanted[name], stage)
        verified = registry.verified(name)
        earlier = registry.earlier_models(dataset.model) if dataset.model else ()
        if dataset.is_raw:
            entries = _raw_entries(graph, dataset, wanted[name], have, listing, plan, look)
        else:
            entries = _product_entries(graph, dataset, wanted[name], have, plan)
        for entry in entries:
            reason = entry.reason or _why(plan, dataset, entry, verified, earlier)
            if dataset.is_raw and entry.current is not None and reason:
                if listing is not None and listing.gone and reason in ("input", "withdrawn"):
                    # An archive does not answer: what the others have is no better than this.
                    reason = ""
                elif _lost(registry, dataset, entry):
                    reason = "withdrawn"
                    plan.withdrawn.append(Granule(name, entry.interval))
            entry.reason = reason if reason in (*reasons, "upstream") else ""
        plan.timelines[name] = Timeline(entries)
    _wake_transients(plan)
    return plan


def _wake_transients(plan: Plan) -> None:
    """Make again what was not kept and is read by something stale; consumers come first."""
    for name in reversed(plan.timelines):
        dataset = plan.graph[name]
        for entry in plan.timelines[name].entries if not dataset.is_raw else ():
            if not entry.stale:
                continue
            for _, source, pieces in inputs_of(plan, dataset, entry.interval):
                for piece in pieces if plan.graph[source].transient else ():
                    now = piece.current
                    if piece.stale or now is None or now.path is not None or not now.n:
                        continue
                    if piece.files or not plan.graph[source].is_raw:
                        piece.reason = "transient"


def needs(
    graph: Graph, targets: Iterable[str], intervals: Sequence[Interval]
) -> dict[str, tuple[Interval, ...]]:
    """Return where each dataset is needed: whole granules of the targets, margins included."""
    names = graph.ancestors(targets)
    wanted: dict[str, list[Interval]] = {name: [] for name in names}
    for name in targets:
        wanted[name].extend(intervals)
    for name in reversed(names):
        length = graph.length(name)
        spans = [
            Interval(length.holding(i.start).start, length.holding(i.stop - 1).stop)
            for i in wanted[name]
        ]
        wanted[name] = list(merged(spans))
        dataset = graph[name]
        for argument, source in dataset.inputs:
            margin = dataset.margin(argument)
            wanted[source].extend(i.padded(margin) for i in wanted[name])
    return {name: tuple(spans) for name, spans in wanted.items()}


def merged(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Yield the union of intervals as disjoint ones, in order."""
    last: Interval | None = None
    for interval in sorted(intervals):
        if last is None:
            last = interval
        elif interval.start <= last.stop:
            last = Interval(last.start, max(last.stop, interval.stop))
        else:
            yield last
            last = interval
    if last is not None:
        yield last


def inputs_of(
    plan: Plan, dataset: Dataset, interval: Interval
) -> Iterator[tuple[str, str, list[Entry]]]:
    """Yield argument, dataset and granules, margins included, that a product granule reads."""
    for argument, source in dataset.inputs:
        margin = dataset.margin(argument)
        yield argument, source, plan.timelines[source].over(interval.padded(margin))


def _current(registry: Registry, dataset: Dataset, wanted: Sequence[Interval], stage: str) -> Rows:
    """Return what is current where a dataset is needed."""
    if not wanted:
        return Rows.of(())
    hull = Interval(wanted[0].start, wanted[-1].stop)
    starts = [w.start for w in wanted]
    rows = registry.current(dataset.name, hull, stage=stage)
    return Rows.of(r for r in rows if wanted[bisect_left(starts, r.stop) - 1].stop > r.start)


def _entry(cell: Interval, have: Rows, files: tuple[RawFile, ...] = ()) -> Entry:
    now = have.by_start.get(cell.start)
    if now is not None and now.stop == cell.stop:
        return Entry(cell, now, files=files, replaces=(now.uid,))
    return Entry(cell, files=files, replaces=tuple(row.uid for row in have.over(cell)))


def _raw_entries(
    graph: Graph,
    dataset: Dataset,
    wanted: Sequence[Interval],
    have: Rows,
    listing: Listing | None,
    plan: Plan,
    look: Callable[[RawFile], RawFile],
) -> list[Entry]:
    assert dataset.source is not None
    length = graph.length(dataset.name)
    cells: dict[Interval, list[RawFile]] = {}
    files = dataset.source.candidates(listing) if listing is not None else ()
    extents = [(file, dataset.source.extent(file)) for file in files]
    for span in wanted:
        for file, extent in extents:
            if (shared := extent.intersect(span)) is not None:
                for cell in length.covering(shared):
                    cells.setdefault(cell, []).append(file)
    if late := getattr(dataset.source, "late", 0):
        _add_tails(cells, extents, length, late)
    entries = []
    replaced: set[str] = set()
    for cell, found in cells.items():
        unique = tuple(look(f) if f.size < 0 else f for f in dict.fromkeys(found))
        entries.append(_entry(cell, have, unique))
        replaced.update(entries[-1].replaces)
    for left in have.by_start.values():
        if left.uid not in replaced:
            gone = "withdrawn" if listing is not None and left.n else ""
            entries.append(Entry(left.interval, left, gone, replaces=(left.uid,)))
    return entries


def _add_tails(
    cells: dict[Interval, list[RawFile]],
    extents: Sequence[tuple[RawFile, Interval]],
    length: GranuleLength,
    tail: int,
) -> None:
    """Add to granules the files of which the last records may lie in them.

    A tail alone makes no granule: it would hold nothing but the end of the one before.
    """
    late: dict[Interval, set[RawFile]] = {}
    for file, extent in extents:
        for cell in length.covering(Interval(extent.stop, extent.stop + tail)):
            if cell in cells and file not in cells[cell]:
                late.setdefault(cell, set()).add(file)
    for cell, more in late.items():
        here = more.union(cells[cell])
        cells[cell] = [file for file, _ in extents if file in here]


def _lost(registry: Registry, dataset: Dataset, entry: Entry) -> bool:
    """Tell whether a granule was made from a file that is listed no more, or in older versions.

    Variables that a server gives without files do not stand for a file that is gone.
    """
    assert entry.current is not None
    patterns = getattr(dataset.source, "patterns", ())

    def read(name: str) -> FileMatch | None:
        return next((found for p in patterns if (found := p.match(name)) is not None), None)

    def stands_for(file: RawFile, used: InputUsed) -> bool:
        then, now = read(used.name), read(file.name)
        if file.start != used.start or (then is not None and now is None):
            return False
        older = then is not None and now is not None and now.version < then.version
        return not (older and then is not None and now is not None and now.stem == then.stem)

    used = registry.lineage(entry.current.uid)
    return any(
        u.kind == "file" and not any(stands_for(file, u) for file in entry.files) for u in used
    )


def _product_entries(
    graph: Graph, dataset: Dataset, wanted: Sequence[Interval], have: Rows, plan: Plan
) -> list[Entry]:
    """A product granule is expected where every required input has a granule."""
    length = graph.length(dataset.name)
    required = [s for a, s in dataset.inputs if dataset.argument(a).required]
    cells: set[Interval] | None = None
    for group in [[s] for s in required] or [[s for _, s in dataset.inputs]]:
        here: set[Interval] = set()
        for source in group:
            same = plan.graph.length(source) == length
            for entry in plan.timelines[source].entries:
                here.update((entry.interval,) if same else length.covering(entry.interval))
        cells = here if cells is None else cells & here
    entries = []
    for cell in sorted(cells or ()):
        if not any(cell.overlaps(w) for w in wanted):
            continue
        entries.append(_entry(cell, have))
    return entries


def _why(
    plan: Plan,
    dataset: Dataset,
    entry: Entry,
    verified: Mapping[str, set[str]],
    earlier: Sequence[str] = (),
) -> str:
    """Return why a granule is stale, '' when it is not; `earlier` are contents of its model."""
    now = entry.current
    if dataset.is_raw and not entry.files:
        return ""
    if now is None:
        return "missing"
    same_maker = now.code.split("@")[0] == dataset.code.split("@")[0]
    if same_maker and now.version > dataset.version:
        raise StoreError(
            f"the store holds version {now.version}, this installation makes {dataset.version}",
            f"{now.granule} ({now.code})",
            "Update sciqlop-pipe or the mission's plugin; results are not replaced by older code",
        )
    if now.code != dataset.code:
        return "code"
    if now.params != params_text(dataset):
        return "params"
    parts = _parts(plan, dataset, entry)
    if parts is None:
        return "upstream"
    key = inputs_key(parts)
    if key == now.inputs_key or key in verified.get(now.uid, ()):
        return ""
    # The model stands last: with an earlier one, is everything else as it was?
    as_then = ([*parts[:-1], model_part(dataset.model, content)] for content in earlier)
    return "model" if any(inputs_key(then) == now.inputs_key for then in as_then) else "input"


def _parts(plan: Plan, dataset: Dataset, entry: Entry) -> list[str] | None:
    """Return the lines of the inputs key, None while an input is itself to be made."""
    if dataset.is_raw:
        return [file_part(f.token) for f in entry.files]
    parts: list[str] = []
    for argument, source, entries in inputs_of(plan, dataset, entry.interval):
        for piece in entries:
            if piece.stale:
                return None
            if piece.current is not None:
                parts.append(
                    granule_part(argument, source, piece.interval.start, piece.current.content)
                )
    if dataset.model:
        parts.append(model_part(dataset.model, _model(plan, dataset)[0]))
    return parts


def _model(plan: Plan, dataset: Dataset) -> tuple[str, str]:
    try:
        return plan.models[dataset.model]
    except KeyError:
        raise UsageError(
            f"there is no trained model '{dataset.model}'",
            f"dataset {dataset.name}",
            f"Train it: 'sciqlop-pipe model train {dataset.model}'",
        ) from None
