"""What `train` and `evaluate` do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .output import wide

if TYPE_CHECKING:
    from ..detect.evaluation.report import Evaluation
    from ..detect.learning.door import Asked, Learner
    from ..detect.learning.verdicts import Said
    from ..granule import Interval


@dataclass(frozen=True, slots=True)
class Truth:
    """Which lists are the truth, and where they are complete."""

    files: tuple[Path, ...]
    source: str = ""
    labelled: tuple[str, str] = ("", "")

    def complete(self) -> list[Interval]:
        """Return where somebody said they are complete; nothing when nobody did."""
        from ..granule import Interval

        start, stop = self.labelled
        return [Interval.of(start or "1900-01-01", stop or "2200-01-01")] if start or stop else []


def learner(name: str, store: str, registry: str) -> AbstractContextManager[Learner]:
    """Give a detector that learns."""
    from ..detect.learning import learners

    return learners.learner(name, store, registry)


def judged(
    name: str, store: str, registry: str, asked: Asked, tolerance: str, kind: str
) -> Evaluation:
    """Return how a learner does; how the events of a store do, where a dataset is named.

    A dataset of learned events is judged by its events as any other, unless a model is given or is
    to be trained anew.
    """
    if "." in name and not (asked.validate or asked.model):
        return stored(name, store, registry, asked, tolerance, kind)
    with learner(name, store, registry) as detector:
        return detector.evaluate(asked)


def ns(text: str) -> int:
    """Return a duration in nanoseconds, 0 when nothing is said."""
    from ..granule import duration

    return duration(text) if text else 0


def asked(truth: Truth, inputs: Sequence[Path], **how: Any) -> Asked:
    """Return what is asked of a learner."""
    from ..detect.learning.door import Asked

    return Asked(tuple(inputs), truth.files, truth.source, tuple(truth.complete()), **how)


def trained(name: str, store: str, registry: str, asked: Asked, out: Path) -> Evaluation:
    """Return how a model does on groups it has not seen, after writing it to a folder."""
    with learner(name, store, registry) as detector:
        return detector.train(asked, out)


def said(detector: str, dataset: str, store: str, registry: str) -> tuple[Said, ...]:
    """Return what a detector can learn from verdicts on the events of a store."""
    from ..detect.learning.learners import heard
    from ..errors import UsageError
    from ..store import Store

    with (
        Store.open(store, read_only=True, registry=registry) as opened,
        learner(detector, store, registry) as learns,
    ):
        found = heard(opened, learns, dataset)
    if not found:
        raise UsageError("nobody has judged these events", dataset,
                         "'sciqlop-pipe catalog next' says which to look at")  # fmt: skip
    return found


def promoted(
    name: str, asked: Asked, folder: Path, found: Evaluation, store: str, registry: str
) -> str:
    """Return what became of a candidate."""
    from ..detect.learning.promotion import compare, promote_if_not_worse
    from ..store import Store

    with learner(name, store, registry) as detector:
        comparison = compare(detector, asked, found)
        with Store.open(store, registry=registry) as opened:
            content = promote_if_not_worse(opened, detector, folder, comparison)
        return (
            f"{detector.model} is now {content[:12]}: {comparison.goal} "
            f"{comparison.candidate:.4f}, without the verdicts {comparison.before:.4f}"
        )


def stored(
    dataset: str, store: str, registry: str, asked: Asked, tolerance: str, kind: str
) -> Evaluation:
    """Return how events of a store compare with lists."""
    from ..detect.evaluation.stored import evaluate_stored, looked_at
    from ..detect.evaluation.tables import read_tables, settled
    from ..errors import UsageError
    from ..granule import duration
    from ..store import Store

    if not asked.labels:
        raise UsageError("there is nothing to compare with", dataset, "Give --catalog FILE")
    with Store.open(store, read_only=True, registry=registry) as opened:
        return evaluate_stored(
            opened, dataset, settled(read_tables(asked.labels, asked.source), asked.overlaps),
            searched_by=looked_at(opened, dataset), labelled=asked.labelled,
            tolerance=duration(tolerance) if tolerance else None, kind=kind,
        )  # fmt: skip


def show(
    evaluation: Evaluation, json: Path | None, report: Path | None, table: Path | None = None
) -> None:
    """Print an evaluation as tables and write it where it is wanted."""
    from rich.table import Table as Printed

    from ..detect.evaluation import markdown
    from ..detect.evaluation import report as r

    for head, rows in (
        (r.POINT_HEAD, r.point_rows(evaluation)),
        (r.EVENT_HEAD, r.event_rows(evaluation)),
    ):
        if rows:
            printed = Printed(*head, title=evaluation.detector)
            for row in rows:
                printed.add_row(*row)
            wide().print(printed)
    if evaluation.summary:
        typer.echo("; ".join(f"{k} {v}" for k, v in evaluation.summary.items()))
    for name, s in evaluation.events.items():
        alarms = s["false_alarms_per_day"]
        typer.echo(f"{name}: {s['days_scored']:g} days scored, {alarms:g} false alarms a day")
    for note in evaluation.notes:
        typer.echo(note)
    if json:
        r.write_json(evaluation, json)
        typer.echo(f"wrote {json}")
    if report:
        r.write_page(evaluation, report)
        typer.echo(f"wrote {report}")
    if table:
        markdown.put(evaluation, table)
        typer.echo(f"wrote {table}")
