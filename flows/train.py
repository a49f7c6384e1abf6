"""Train: a detector's candidate, judged on groups it has not seen; promoted if it is not worse."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.alerts import on_failure
from flows.where import Where
from sciqlop_pipe.detect.evaluation.report import Evaluation
from sciqlop_pipe.detect.learning.door import Asked
from sciqlop_pipe.detect.learning.learners import heard, learner
from sciqlop_pipe.detect.learning.promotion import compare, promote_if_not_worse
from sciqlop_pipe.store import Store


@flow(name="train", on_failure=[on_failure], on_crashed=[on_failure])
def train(
    detector: str,
    folder: str,
    inputs: list[str] | None = None,
    labels: list[str] | None = None,
    source: str = "",
    verdicts: str = "",
    promote: bool = False,
    where: Where | None = None,
    seed: int = 0,
) -> None:
    """Train with the labels, and with what people said; nothing is reprocessed by a promotion.

    Args:
        detector: regions, icme, or a dataset of learned events whose series the store has.
        folder: Where the candidate and its card go.
        inputs: Files of data, in a layout that the detector knows.
        labels: Lists of true events, where the inputs carry no labels.
        source: Only events that a list ascribes to it, e.g. Wind.
        verdicts: Dataset of events in the store whose verdicts are learned from as well.
        promote: Make it the store's model if it is not worse on groups that were left out.
        where: Store.
        seed: Same seed, same result.
    """
    where = where or Where()
    with (
        Store.open(where.store, create=True, registry=where.registry) as store,
        learner(detector, where.store, where.registry) as found,
    ):
        asked = Asked(
            inputs=tuple(map(Path, inputs or [])),
            labels=tuple(map(Path, labels or [])),
            source=source,
            said=heard(store, found, verdicts) if verdicts else (),
            seed=seed,
            command=f"flow: train {detector}",
        )
        judged = fit(detector, asked, Path(folder), where)
        rows = [{"number": name, "value": str(value)} for name, value in judged.summary.items()]
        create_table_artifact(rows, "scores", f"{detector} on groups it has not seen")
        if promote:
            comparison = compare(found, asked, judged)
            promote_if_not_worse(store, found, Path(folder), comparison)


@task(name="fit", persist_result=False, cache_policy=NO_CACHE)
def fit(detector: str, asked: Asked, folder: Path, where: Where) -> Evaluation:
    """Return how the candidate does on groups it has not seen, after writing it to a folder."""
    with learner(detector, where.store, where.registry) as found:
        return found.train(asked, folder)
