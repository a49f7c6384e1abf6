"""The one door to detectors that learn: train by name, evaluate by name."""

from __future__ import annotations

from collections.abc import Mapping

from ...catalog import load_catalog
from ...errors import UnknownName, near
from ...store import Store
from .door import Learner
from .icme import IcmeLearner
from .regions import RegionLearner
from .verdicts import Said, past_events, said_of


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


def heard(store: Store, learner: Learner, dataset: str) -> tuple[Said, ...]:
    """Return what a detector can learn from verdicts on events of a store; none without verdicts.

    Parameters
    ----------
    store : Store
        Where the events are.
    learner : Learner
        Which detector.
    dataset : str
        Of events.
    """
    catalog = load_catalog(store, dataset)
    found = said_of(catalog, past_events(store, catalog))
    return learner.listen(store, dataset, found) if found else ()
