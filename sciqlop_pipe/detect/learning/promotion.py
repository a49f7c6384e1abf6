"""A candidate becomes the model of a store only if it is not worse on groups nobody trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import PipeError
from ...store import Store
from ..evaluation.report import Evaluation
from ..promoted import promote
from .door import Asked, Learner

_GOALS = ("f1_iou_0.3", "macro_f1_6", "brier_skill")
"""What is compared, by whichever of these a learner reports."""


class NotPromoted(PipeError):
    """A candidate that does worse than what is learned without the verdicts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a candidate does beside one that has not heard the verdicts, on the same groups.

    Parameters
    ----------
    goal : str
        What is compared.
    candidate, before : float
        With and without.
    """

    goal: str
    candidate: float
    before: float

    @property
    def worse(self) -> bool:
        """Tell whether the candidate does worse."""
        return self.candidate < self.before


def compare(learner: Learner, asked: Asked, candidate: Evaluation) -> Comparison:
    """Return how a candidate does beside one learned without verdicts.

    Both are scored on groups that were left out, against the lists alone: a correction never
    becomes part of what is scored.

    Parameters
    ----------
    learner : Learner
        Which detector.
    asked : Asked
        What the candidate was trained with.
    candidate : Evaluation
        What its training gave.
    """
    before = learner.evaluate(replace(asked, said=(), validate=True, predictions=None))
    goal = next(g for g in _GOALS if g in candidate.summary)
    return Comparison(goal, float(candidate.summary[goal]), float(before.summary[goal]))


def promote_if_not_worse(store: Store, learner: Learner, folder: Path, found: Comparison) -> str:
    """Make a candidate the model of a store; return its hash.

    Raises
    ------
    NotPromoted
        When it does worse; the folder stays, the store is as it was.
    """
    if found.worse:
        raise NotPromoted(
            f"the candidate has {found.goal} {found.candidate:.4f} on groups it has not seen, "
            f"without the verdicts it is {found.before:.4f}", str(folder),
            "It is not promoted; 'sciqlop-pipe model promote' does it all the same",
        )  # fmt: skip
    return promote(store, learner.model, folder)[0]
