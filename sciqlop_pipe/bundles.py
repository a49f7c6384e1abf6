"""Bundles: which granules of a plan one task makes together, and what each task must know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from .granule import Granule
from .model import Dataset
from .plan import Entry, Plan, inputs_of
from .store.registry import Registry
from .task import Bundle, InputSpec, Member, ModelSpec, Piece

Node = tuple[str, int]


@dataclass(slots=True)
class Work:
    """A bundle before it is sent: its granules, and the bundles it waits for."""

    key: Node
    nodes: list[Node] = field(default_factory=list)
    waits: set[Node] = field(default_factory=set)
    feeds: list[Node] = field(default_factory=list)
    tries: int = 0
    isolated: bool = False


def lacking(plan: Plan, name: str, entry: Entry) -> str:
    """Return which input of a granule could not be made, '' when it can do without."""
    dataset = plan.graph[name]
    if dataset.recipe is None:
        return ""
    for argument, source, pieces in inputs_of(plan, dataset, entry.interval):
        inside = [p for p in pieces if p.interval.overlaps(entry.interval)]
        failed = [p for p in inside if p.failed]
        enough = dataset.recipe.gaps_ok and any(p.current is not None for p in inside)
        if failed and dataset.argument(argument).required and not enough:
            granule = Granule(source, failed[0].interval)
            return f"input {argument} = {granule} could not be made"
    return ""


class Bundles:
    """The bundles of one plan.

    A product granule joins the bundle of its inputs when everything it reads that is still to be
    made is in that bundle, and covers the same stretch of time: then the raw data are read once.
    One that reads what is not kept joins the bundle that makes it also when it needs others,
    which that bundle then waits for: made again, it would cost more than the product.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entry: dict[Node, Entry] = {}
        self.work: dict[Node, Work] = {}
        self.bundle_of: dict[Node, Node] = {}
        for name, entry in plan.stale():
            self._place(name, entry)
        for work in self.work.values():
            for before in work.waits:
                self.work[before].feeds.append(work.key)

    def _place(self, name: str, entry: Entry) -> None:
        node = (name, entry.interval.start)
        self.entry[node] = entry
        dataset = self.plan.graph[name]
        before: set[Node] = set()
        joins, fleeting = not dataset.is_raw, set[Node]()
        for _, source, pieces in inputs_of(self.plan, dataset, entry.interval):
            stale = [p for p in pieces if p.stale]
            made_in = {self.bundle_of[source, p.interval.start] for p in stale}
            before |= made_in
            here = len(pieces) == 1 and pieces[0].interval == entry.interval
            joins = joins and (not stale or here)
            if here and self.plan.graph[source].transient:
                fleeting |= made_in
        if joins and len(before) == 1:
            key = next(iter(before))
            self.work[key].nodes.append(node)
        elif (host := self._host(fleeting, before)) is not None:
            key = host
            self.work[key].nodes.append(node)
            self.work[key].waits |= before - {key}
        else:
            key = node
            self.work[key] = Work(key, [node], before)
        self.bundle_of[node] = key

    def _host(self, fleeting: set[Node], before: set[Node]) -> Node | None:
        """Return the bundle that makes what is not kept, if it can wait for all others."""
        for key in sorted(fleeting):
            seen, stack = set[Node](), list(before - {key})
            while stack:
                at = stack.pop()
                if at not in seen:
                    seen.add(at)
                    stack.extend(self.work[at].waits)
            if key not in seen:
                return key
        return None

    def granules(self, work: Work) -> list[Granule]:
        """Return the granules that a bundle makes."""
        return [Granule(name, self.entry[name, start].interval) for name, start in work.nodes]

    def missing(self, node: Node) -> str:
        """Return what keeps a granule from being made now, '' when nothing does."""
        return lacking(self.plan, node[0], self.entry[node])

    def spec(
        self,
        work: Work,
        root: str,
        *,
        salvage: bool,
        durable: bool,
        keep: Iterable[str] = (),
        checksums: dict[str, str] | None = None,
    ) -> Bundle:
        """Return a bundle as a worker needs it: with paths and hashes of every input."""
        kept = set(keep)
        members = tuple(
            self._member(work, node, kept, checksums or {}) for node in self._runnable(work)
        )
        return Bundle(members, root, salvage, durable)

    @staticmethod
    def recorded(bundle: Bundle, registry: Registry) -> Bundle:
        """Return a bundle that knows the checksums with which the store has its files on record."""
        tokens = {f.token for m in bundle.members if m.current_fingerprint for f in m.files}
        if not tokens:
            return bundle
        known = registry.recorded(tokens)
        return replace(bundle, members=tuple(
            replace(m, recorded=tuple(known[f.token] for f in m.files if f.token in known))
            for m in bundle.members
        ))  # fmt: skip

    def _runnable(self, work: Work) -> Iterator[Node]:
        return (node for node in work.nodes if not self.missing(node))

    def _member(self, work: Work, node: Node, keep: set[str], checksums: dict[str, str]) -> Member:
        name, _ = node
        entry = self.entry[node]
        dataset = self.plan.graph[name]
        made_here = {n for n in work.nodes if self.entry[n].stale}
        inputs = tuple(
            self._input(dataset, entry, argument, source, pieces, made_here)
            for argument, source, pieces in inputs_of(self.plan, dataset, entry.interval)
        )
        now = entry.current
        return Member(
            dataset,
            entry.interval,
            inputs,
            entry.files,
            tuple((f.token, checksums[f.token]) for f in entry.files if f.token in checksums),
            self._model(dataset),
            entry.replaces,
            now.fingerprint if now else None,
            now.content if now else "",
            keep=not dataset.transient or name in keep,
        )

    def _model(self, dataset: Dataset) -> ModelSpec | None:
        if not dataset.model:
            return None
        content, path = self.plan.models[dataset.model]
        return ModelSpec(dataset.model, content, path)

    def _input(
        self,
        dataset: Dataset,
        entry: Entry,
        argument: str,
        source: str,
        pieces: list[Entry],
        made_here: set[Node],
    ) -> InputSpec:
        sibling = any((source, p.interval.start) in made_here for p in pieces)
        there = tuple(self._pieces(source, pieces))
        waits = tuple(
            str(Granule(source, p.interval))
            for p in pieces
            if p.failed and p.interval.overlaps(entry.interval)
        )
        required, margin = dataset.argument(argument).required, dataset.margin(argument)
        return InputSpec(argument, source, required, margin, there, sibling, waits)

    def _pieces(self, source: str, entries: list[Entry]) -> Iterator[Piece]:
        for e in entries:
            now = e.current
            if now is not None:
                maker = self._maker(source, e) if now.path is None and now.n else None
                yield Piece(
                    e.interval.start, e.interval.stop, now.uid, now.content, now.n, now.path, maker
                )

    def _maker(self, name: str, entry: Entry) -> Member | None:
        """Return how a granule that was not kept is made again, None without its files."""
        dataset = self.plan.graph[name]
        if dataset.is_raw and not entry.files:
            return None
        inputs = tuple(
            self._input(dataset, entry, argument, source, pieces, set())
            for argument, source, pieces in inputs_of(self.plan, dataset, entry.interval)
        )
        return Member(dataset, entry.interval, inputs, entry.files, model=self._model(dataset))
