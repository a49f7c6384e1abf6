"""Events of any kind at the door: a list and the series of a store in, a model or scores out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UnknownName, UsageError, near
from ...granule import DAY, SECOND, Interval, duration, iso
from ...graph import Graph
from ...model import Dataset
from ...store import Store
from .. import binned
from ..evaluation.events import by_day, by_year, score_events
from ..evaluation.matching import Mark
from ..evaluation.points import Classified, score_points
from ..evaluation.report import Evaluation, event_summary, write_marks
from ..evaluation.stored import catalog_notes, joined, searched
from ..evaluation.tables import Table, read_tables, settled
from ..event_model import QUIET, EventModel, load_event_model, save_event_model
from ..learned import learned_events
from ..models import Card
from ..promoted import folder_of
from . import listed_training as training
from .door import Asked, checked_split, one_thread
from .pieces import Listed, Scale, joined_spans, listed, read_inputs, scale_of
from .verdicts import Said, told

SPLITS = ("day", "year", "pass", "group", "block")


@dataclass(frozen=True, slots=True)
class EventLearner:
    """Events of a kind, from a list and what a store has at these times.

    Parameters
    ----------
    store : Store
        With the inputs.
    node : Dataset
        Of learned events: says which inputs, and what the model is called.
    """

    store: Store
    node: Dataset
    splits: tuple[str, ...] = SPLITS

    @property
    def name(self) -> str:
        """Return the name of the dataset."""
        return self.node.name

    @property
    def model(self) -> str:
        """Return what its model is called."""
        return self.node.model

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        """Return all verdicts: each says of a stretch of time whether there is an event."""
        return tuple(said)

    @one_thread()
    def train(self, asked: Asked, out: Path) -> Evaluation:
        """Return how a model does on groups it has not seen, after writing it to a folder."""
        import sklearn

        data, tables = self._listed(asked)
        training.refuse_absent(data, self.name)
        validated = training.validate(data, asked.kind or self.model, seed=asked.seed)
        evaluation = self._validated(asked, data, tables, validated)
        words = (
            f"{sum(int(p.scored.sum()) for p in data.pieces)} bins of "
            f"{data.scale.step / SECOND:g} s, {len(data.marks)} events, "
            f"{len(data.groups)} groups by {data.by}; hash {data.content}{told(asked.said)}"
        )
        metrics = {
            "events": evaluation.events[self.name], "bins": evaluation.points["bins"],
            "split": training.scores(validated, data), "inputs": dict(self.node.inputs),
        }  # fmt: skip
        card = Card(self.model, words, metrics, asked.command, sklearn.__version__)
        model, pipelines, _ = training.fit(
            data, asked.kind or self.model, card, data.groups, seed=asked.seed
        )
        save_event_model(out, model, pipelines, training.reference_rows(data, model, asked.seed))
        notes = list(evaluation.notes)
        if model.cutting.reach > (reach := duration(str(dict(self.node.params)["reach"]))):
            notes.append(
                f"The model looks {model.cutting.reach / SECOND:g} s far, '{self.name}' reads "
                f"{reach / SECOND:g} s beyond: declare reach='{-(-model.cutting.reach // SECOND)}s'"
            )
        return replace(evaluation, about={**evaluation.about, "model": model.content},
                       notes=tuple(notes))  # fmt: skip

    @one_thread()
    def evaluate(self, asked: Asked) -> Evaluation:
        """Return how a model does on labelled data."""
        if asked.validate:
            data, tables = self._listed(asked)
            training.refuse_absent(data, self.name)
            validated = training.validate(data, asked.kind or self.model, seed=asked.seed)
            write_marks(asked.predictions, validated.found, self.model)
            return self._validated(asked, data, tables, validated)
        model = self._model(asked.model)
        data, tables = self._listed(asked, _scale(model))
        if not data.spans:
            raise UsageError("nothing was both measured and labelled", self.name,
                             "Run the inputs where the list has events")  # fmt: skip
        found = [
            Mark(f.start, f.stop, model.kind, probability=f.probability, time=f.peak)
            for p in data.pieces
            for f in model.find(p.series)
        ]
        write_marks(asked.predictions, found, model.kind)
        notes = list(catalog_notes(tables, bool(asked.labelled)))
        if data.content in model.card.training:
            notes.append("The model was trained on these very data: the numbers say nothing of "
                         "other times; use --cross-validate.")  # fmt: skip
        about = self._about(data, tables) | {
            "model": model.content, "protocol": "a trained model on the data of the store",
        }  # fmt: skip
        return self._scored(asked, data, found, about, notes)

    def _model(self, folder: Path | None) -> EventModel:
        if folder is None:
            folder = folder_of(self.store, self.model)
        return load_event_model(folder)

    def _listed(self, asked: Asked, scale: Scale | None = None) -> tuple[Listed, list[Table]]:
        if not asked.labels:
            raise UsageError("there are no events to learn from", self.name,
                             "Give --labels FILE")  # fmt: skip
        tables = settled(read_tables(asked.labels, asked.source), asked.overlaps)
        marks = [_around(m, asked.around) for t in tables for m in t.marks]
        marks = _of_kind(marks, asked.kind, self.name)
        spans = joined(list(asked.labelled) or [s for t in tables for s in t.spans], 0)
        cadence = self._cadence(spans)
        scale = scale or scale_of(marks, cadence, self.name)
        padded = scale.reach * scale.step
        heard = joined_spans([*spans, *(Interval(s.start, s.stop) for s in asked.said)], padded)
        inputs = read_inputs(self.store, self.node, self._with_data(heard, padded), padded)
        by = self._split(asked, inputs, marks, spans, scale, tables)
        data = listed(inputs, marks, spans, scale, by, [t.spans for t in tables], asked.said)
        if not data.pieces:
            raise UsageError(
                f"{', '.join(data.constant)} never changes: a constant is no measurement"
                if data.constant else "nothing was both measured and labelled", self.name,
                "Run the inputs where the list has events",
            )  # fmt: skip
        return data, tables

    def _with_data(self, spans: Sequence[Interval], padded: int) -> list[Interval]:
        """Return the parts of spans in which some input has granules, padded apart."""
        there = [s for _, name in self.node.inputs for s in searched(self.store, name)]
        wide = joined(there, 2 * padded + DAY)
        return [
            Interval(max(a.start, b.start), min(a.stop, b.stop))
            for a in spans for b in wide if a.overlaps(b)
        ]  # fmt: skip

    def _cadence(self, spans: Sequence[Interval]) -> float:
        there = self._with_data(spans, 0)
        if not there:
            raise UsageError("nothing was both measured and labelled", self.name,
                             "Run the inputs where the list has events: 'sciqlop-pipe run "
                             f"{' '.join(n for _, n in self.node.inputs)}'")  # fmt: skip
        first = there[0]
        some = Interval(first.start, min(first.stop, first.start + 10 * DAY))
        pairs = read_inputs(self.store, self.node, [some], 0)
        every = [binned.cadence_of(*pair) for pair in pairs]
        return max((e for e in every if np.isfinite(e)), default=float(SECOND))

    def _split(
        self, asked: Asked, inputs: Any, marks: Sequence[Mark], spans: Sequence[Interval],
        scale: Scale, tables: Sequence[Table],
    ) -> str:  # fmt: skip
        allowed = tuple(s for s in SPLITS if not (s == "day" and scale.duration > DAY / 4))
        if asked.split:
            return checked_split(asked, allowed)
        for by in allowed:
            if by == "group":
                continue
            if by == "block" or _groups_with_events(inputs, marks, by) >= 4:
                return by
        return "block"

    def _validated(
        self, asked: Asked, data: Listed, tables: Sequence[Table], validated: training.Validated
    ) -> Evaluation:
        about = {**self._about(data, tables), **training.scores(validated, data)}
        label, p, group = [], [], []
        for piece, sure in zip(data.pieces, validated.probability, strict=True):
            keep = piece.scored & np.isfinite(sure)
            label.append(piece.inside[keep].astype(np.int64))
            p.append(sure[keep])
            group.append(piece.group[keep])
        sure = np.concatenate(p)
        bins = Classified((QUIET, asked.kind or self.model), np.stack([1 - sure, sure], axis=1),
                          np.concatenate(label), np.concatenate(group))  # fmt: skip
        notes = catalog_notes(tables, bool(asked.labelled))
        found = self._scored(asked, data, validated.found, about, notes)
        return replace(found, points={"bins": score_points(bins, seed=asked.seed)})

    def _scored(
        self, asked: Asked, data: Listed, found: Sequence[Mark], about: dict[str, Any],
        notes: Sequence[str],
    ) -> Evaluation:  # fmt: skip
        group = by_year if data.by == "year" else by_day
        scores = score_events(found, data.marks, data.spans, group=group, seed=asked.seed)
        numbers = scores.as_numbers()
        extra = [
            f"{name} never changes for a while and was not used there: a constant is no measurement"
            for name in data.constant
        ]
        return Evaluation(self.name, about, events={self.name: numbers}, notes=(*notes, *extra),
                          summary=event_summary(numbers))  # fmt: skip

    def _about(self, data: Listed, tables: Sequence[Table]) -> dict[str, Any]:
        return {
            "store": str(self.store.root), "inputs": dict(self.node.inputs),
            "catalogs": [t.name for t in tables], "bin": f"{data.scale.step / SECOND:g} s",
            "length of an event": f"{data.scale.duration / SECOND:g} s", "content": data.content,
            "scored from": iso(data.spans[0].start) if data.spans else "",
            "scored to": iso(data.spans[-1].stop) if data.spans else "",
        }  # fmt: skip


def taught_by_lists() -> dict[str, Callable[[Store], Dataset]]:
    """Return what finds the dataset of learned events in a store, by names of datasets and models.

    A model of several datasets is that of the one whose inputs the store has; it raises UsageError
    when that is not exactly one.
    """
    graph = Graph.discover()
    nodes = [graph[n] for n in graph.nodes]
    learned = [d for d in nodes if d.recipe is not None and d.recipe.name == learned_events.name]
    found: dict[str, Callable[[Store], Dataset]] = {}
    for name in {d.model for d in learned}:
        found[name] = partial(_one_of, [d for d in learned if d.model == name])
    return found | {d.name: partial(_one_of, [d]) for d in learned}


def _one_of(nodes: Sequence[Dataset], store: Store) -> Dataset:
    known = set(store.registry.datasets())
    there = [d for d in nodes if len(nodes) == 1 or any(n in known for _, n in d.inputs)]
    if len(there) != 1:
        raise UsageError(
            f"{len(nodes)} datasets have the model '{nodes[0].model}', the store has inputs of "
            f"{len(there)}", nodes[0].model, f"Name one: {', '.join(d.name for d in nodes)}",
        )  # fmt: skip
    return there[0]


def _scale(model: EventModel) -> Scale:
    c = model.cutting
    return Scale(c.step, c.duration, c.shortest, c.longest)


def _around(m: Mark, by: int) -> Mark:
    return replace(m, start=m.moment - by, stop=m.moment + by) if by and m.start == m.stop else m


def _of_kind(marks: Sequence[Mark], kind: str, where: str) -> list[Mark]:
    kinds = sorted({m.kind for m in marks if m.kind})
    if kind and kinds:
        if kind not in kinds:
            raise UnknownName(f"the list has no events of kind '{kind}'", where,
                              near(kind, kinds) or f"There are: {', '.join(kinds)}")  # fmt: skip
        return [m for m in marks if m.kind in ("", kind)]
    if len(kinds) > 1:
        raise UsageError(f"the list has events of {len(kinds)} kinds: {', '.join(kinds)}", where,
                         "Say which with --kind")  # fmt: skip
    return [replace(m, kind="") for m in marks]


def _groups_with_events(inputs: Any, marks: Sequence[Mark], by: str) -> int:
    if by == "pass":
        spans = [(int(t[0]), int(t[-1])) for pair in inputs for ds in pair[:1] if ds is not None
                 for t in (ds["time"].values.astype(np.int64),)]  # fmt: skip
        return sum(any(a <= m.moment <= b for m in marks) for a, b in spans)
    times = np.concatenate([ds["time"].values.astype("M8[ns]") for pair in inputs for ds in pair
                            if ds is not None] or [np.zeros(0, "M8[ns]")])  # fmt: skip
    unit = f"M8[{by[0].upper()}]"
    there = set(times.astype(unit).astype(np.int64).tolist())
    moments = np.array([m.moment for m in marks], np.int64).astype("M8[ns]").astype(unit)
    return len(there & set(moments.astype(np.int64).tolist()))
