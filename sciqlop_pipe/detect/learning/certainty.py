"""A rule's score at the door: its events in a store and a list in, how often it is right out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...catalog import load_catalog
from ...errors import UsageError
from ...store import Store
from .. import calibration
from ..evaluation.events import by_day, by_year, score_events
from ..evaluation.matching import Mark, Overlap, Rule, Within, mark, match
from ..evaluation.report import Evaluation, write_marks
from ..evaluation.stored import catalog_notes, scored_spans
from ..evaluation.tables import read_tables, settled
from ..models import Card
from ..rule_certainty import RuleCertainty, save_certainty
from .door import Asked, checked_split
from .verdicts import Said, told

_FOLDS = 12
_LEAST = 10  # events that can be judged


@dataclass(frozen=True, slots=True)
class CertaintyLearner:
    """How often events of a dataset with a score are right.

    Parameters
    ----------
    store : Store
        Has them.
    name : str
        Of the dataset; what is learned is promoted under this name.
    searched_by : str
        The dataset that the rule looks at: where it has no data, nothing could be found.
    """

    store: Store
    name: str
    searched_by: str = ""
    splits: tuple[str, ...] = ("day", "year")

    @property
    def model(self) -> str:
        """Return the name of the dataset."""
        return self.name

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        """Return all verdicts: each says whether an event is right."""
        return tuple(said)

    def train(self, asked: Asked, out: Path) -> Evaluation:
        """Return how a calibration does on days it has not seen, after writing it to a folder."""
        import sklearn

        judged = self._judged(asked)
        evaluation = self._left_out(asked, judged)
        intercept, slope = calibration.fitted(judged.evidence, judged.right, judged.weight)
        metrics = {
            "calibration": {"intercept": intercept, "slope": slope},
            "events": evaluation.events[self.name],
            "split": {"by": evaluation.about["by"], "protocol": evaluation.about["protocol"]},
        }
        words = (
            f"{len(judged.found)} events of {self.name}, {int(judged.right.sum())} of them in "
            f"{', '.join(p.name for p in asked.labels)}{told(asked.said)}"
        )
        card = Card(self.name, words, metrics, asked.command, sklearn.__version__)
        model = RuleCertainty(intercept, slope, card)
        save_certainty(out, model)
        about = {**evaluation.about, "model": model.content}
        notes = evaluation.notes
        if slope <= 0:
            notes = (*notes, "The score does not order these events: high ones are not more right.")
        return replace(evaluation, about=about, notes=notes)

    def evaluate(self, asked: Asked) -> Evaluation:
        """Return how calibrations do on days that are left out in turn."""
        judged = self._judged(asked)
        found = self._left_out(asked, judged)
        write_marks(asked.predictions, judged.found, self.name)
        return found

    def _judged(self, asked: Asked) -> _Judged:
        if not asked.labels:
            raise UsageError("there are no events to compare with", self.name,
                             "Give --labels FILE")  # fmt: skip
        tables = settled(read_tables(asked.labels, asked.source), asked.overlaps)
        true = [m for t in tables for m in t.marks if not asked.kind or m.kind in ("", asked.kind)]
        spans = scored_spans(self.store, self.name, tables, self.searched_by, asked.labelled)
        rule: Rule = Within(asked.around) if asked.around else Overlap(0.0)
        found = [mark(e) for e in load_catalog(self.store, self.name).events]
        found = [
            f for f in found
            if np.isfinite(f.score)
            and (not asked.kind or f.kind == asked.kind)
            and any(s.start <= f.moment < s.stop for s in spans)
        ]  # fmt: skip
        right = np.zeros(len(found), bool)
        right[[i for i, _ in match(found, true, rule)]] = True
        weight = np.ones(len(found))
        for s in asked.said:  # the word of somebody who looked beats the list
            span = Mark(s.start, s.stop)
            for k, f in enumerate(found):
                if Overlap(0.5).closeness(f, span) is not None:
                    right[k], weight[k] = s.true, s.weight
        if len(found) < _LEAST:
            raise UsageError(
                f"{len(found)} events with a score were both found and labelled, at least {_LEAST} "
                "are needed", self.name, "Run the rule where the list has events",
            )  # fmt: skip
        return _Judged(tuple(found), right, weight, tuple(true), tuple(spans), rule,
                       catalog_notes(tables, bool(asked.labelled)))  # fmt: skip

    def _left_out(self, asked: Asked, judged: _Judged) -> Evaluation:
        by = checked_split(asked, self.splits)
        group = by_year if by == "year" else by_day
        names = np.array([group(f) for f in judged.found])
        groups = np.unique(names)
        if len(groups) < 2:
            raise UsageError(f"all events are of one {by}: nothing is left to judge by", self.name,
                             "Label more" if by == "day" else "Use --split day")  # fmt: skip
        p = np.full(len(names), np.nan)
        count = min(_FOLDS, len(groups))
        for k in range(count):
            out = np.isin(names, groups[k::count])
            fit = calibration.fitted(judged.evidence[~out], judged.right[~out], judged.weight[~out])
            p[out] = calibration.probability(fit, judged.evidence[out])
        found = [replace(f, probability=float(x)) for f, x in zip(judged.found, p, strict=True)]
        scores = score_events(found, judged.true, judged.spans, rules=(judged.rule,),
                              group=group, seed=asked.seed)  # fmt: skip
        numbers = scores.as_numbers()
        about: dict[str, Any] = {
            "store": str(self.store.root), "catalogs": [str(p) for p in asked.labels], "by": by,
            "protocol": f"each {by} left out in turn, or {count} parts of them",
        }  # fmt: skip
        right = judged.right.astype(np.float64)
        plain = float(((right - right.mean()) ** 2).mean())
        skill = 1 - float(((p - right) ** 2).mean()) / plain if plain else 0.0
        summary = {"brier_skill": round(skill, 4), "ece": numbers["calibration"]["ece"],
                   "average_precision": numbers["average_precision"],
                   "f1": numbers["rules"][judged.rule.name]["f1"]}  # fmt: skip
        return Evaluation(self.name, about, events={self.name: numbers}, notes=judged.notes,
                          summary=summary)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    found: tuple[Mark, ...]
    right: NDArray[np.bool_]
    weight: NDArray[np.float64]
    true: tuple[Mark, ...]
    spans: tuple[Any, ...]
    rule: Rule
    notes: tuple[str, ...]

    @property
    def evidence(self) -> NDArray[np.float64]:
        return calibration.log_odds(np.array([f.score for f in self.found]))[:, None]
