"""The one door to detectors that learn: train by name, evaluate by name."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UnknownName, near
from .door import Learner
from .icme import IcmeLearner
from .regions import RegionLearner


def learners() -> Mapping[str, Learner]:
    """Return the detectors that learn, by name."""
    return {"regions": RegionLearner(), "icme": IcmeLearner()}


def learner(name: str) -> Learner:
    """Return the learner with a name.

    Raises
    ------
    UnknownName
        When there is none.
    """
    known = learners()
    if name not in known:
        raise UnknownName(
            f"there is no detector '{name}' that learns",
            todo=near(name, known) or f"There are: {', '.join(known)}",
        )
    return known[name]
