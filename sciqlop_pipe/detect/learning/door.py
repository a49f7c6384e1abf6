"""What a user asks of a detector that learns, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...errors import UsageError
from ...granule import Interval
from ...store import Store
from ..evaluation.report import Evaluation
from .verdicts import Said

SPLITS = ("pass", "day", "year", "group", "block")
"""How training sets may be split: what belongs together stays together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user gives to a learner.

    Parameters
    ----------
    inputs : tuple of Path
        Data, in a layout that the learner knows.
    labels : tuple of Path
        Lists of events, where the inputs carry no labels.
    source : str
        Only events that a list ascribes to it.
    labelled : tuple of Interval
        Where the lists are complete; else from their first to their last event.
    model : Path, optional
        Folder of the model to evaluate; the shipped one when left out.
    split : str
        One of SPLITS; empty for the learner's own.
    validate : bool
        Train anew, leaving out each group in turn, and judge that.
    predictions : Path, optional
        Where to write what was found, as CSV.
    said : tuple of Said
        What people said of events, to learn from.
    seed : int
        Of everything that is drawn.
    command : str
        What the card says made the model.
    kind : str
        Only events of a kind, of lists that name kinds.
    around : int
        Moments of lists become intervals this far to both sides [ns].
    overlaps : str
        What becomes of events of a list that overlap: one of `tables.OVERLAPS`.
    """

    inputs: tuple[Path, ...] = ()
    labels: tuple[Path, ...] = ()
    source: str = ""
    labelled: tuple[Interval, ...] = ()
    model: Path | None = None
    split: str = ""
    validate: bool = False
    predictions: Path | None = None
    said: tuple[Said, ...] = ()
    seed: int = 0
    command: str = ""
    kind: str = ""
    around: int = 0
    overlaps: str = "keep"


class Learner(Protocol):
    """A detector that learns."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    @property
    def model(self) -> str:
        """Return what its model is called in a store."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Return how its training set may be split."""

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        """Return what it can learn from verdicts on a dataset of events of a store."""

    def train(self, asked: Asked, out: Path) -> Evaluation:
        """Return how a model does on groups it has not seen, after writing it to a folder."""

    def evaluate(self, asked: Asked) -> Evaluation:
        """Return how a model does on labelled data."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Train on one thread: sums of several differ in the last digit, and so would the model."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def checked_split(asked: Asked, allowed: tuple[str, ...]) -> str:
    """Return how the training set is split; the first of the allowed ways when nobody said.

    Raises
    ------
    UsageError
        For a random split, or one that the learner cannot make.
    """
    if asked.split in ("random", "shuffle"):
        raise UsageError(
            "random splits are refused: neighbours in time would be on both sides, and the score "
            "would be that of a memory", "--split", f"Use {' or '.join(allowed)}",
        )  # fmt: skip
    if asked.split == "day" and "year" in allowed and "day" not in allowed:
        raise UsageError("events of this kind last longer than a day: parts of one would be on "
                         "both sides", "--split", f"Use {' or '.join(allowed)}")  # fmt: skip
    if asked.split and asked.split not in allowed:
        raise UsageError(f"'{asked.split}' is no way to split this training set", "--split",
                         f"Use {' or '.join(allowed)}")  # fmt: skip
    return asked.split or allowed[0]
