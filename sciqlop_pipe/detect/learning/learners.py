"""The one door to detectors that learn: train by name, evaluate by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...catalog import load_catalog
from ...errors import UnknownName, near
from ...store import Store
from ...store.events import event_datasets
from ..evaluation.stored import looked_at
from .certainty import CertaintyLearner
from .door import Learner
from .icme import IcmeLearner
from .listed import EventLearner, taught_by_lists
from .regions import RegionLearner
from .verdicts import Said, past_events, said_of


def learners() -> Mapping[str, Learner]:
    """Return the detectors that learn, by name."""
    return {"regions": RegionLearner(), "icme": IcmeLearner()}


@contextmanager
def learner(name: str, store: str, registry: str = "") -> Iterator[Learner]:
    """Give the learner with a name: of its own data, or of a dataset that lists teach in a store.

    Parameters
    ----------
    name : str
        "regions", "icme", or the name of a dataset of learned events, or of its model.
    store, registry : str
        Where the inputs of such a dataset are; read only.

    Raises
    ------
    UnknownName
        When there is none.
    """
    known = learners()
    if name in known:
        yield known[name]
        return
    by_name = taught_by_lists()
    every = sorted({*known, *by_name})
    if "." in name and name not in by_name:
        with Store.open(store, read_only=True, registry=registry) as opened:
            yield _of_rule(opened, name)
        return
    if name not in by_name:
        raise UnknownName(
            f"there is no detector '{name}' that learns", "",
            near(name, every) or f"There are: {', '.join(every)}; others are declared with "
            "detect.learned.learned_products",
        )  # fmt: skip
    with Store.open(store, read_only=True, registry=registry) as opened:
        yield EventLearner(opened, by_name[name](opened))


def _of_rule(store: Store, name: str) -> Learner:
    """Return what learns how often the events of a rule are right.

    Raises
    ------
    UnknownName
        When the store has no events of that name.
    """
    there = event_datasets(store.registry.db)
    if name not in there:
        raise UnknownName(f"there are no events of '{name}'", str(store.root),
                          near(name, there) or f"'sciqlop-pipe run {name}' makes them")  # fmt: skip
    return CertaintyLearner(store, name, looked_at(store, name))


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
