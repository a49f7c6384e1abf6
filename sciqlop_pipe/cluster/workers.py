"""Before work starts: every worker asked whether it fits, and what its memory takes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..environment import versions
from ..errors import UsageError
from ..graph import Graph
from ..sources.access import size_of
from .fitness import Facts, facts_of, misfits

if TYPE_CHECKING:
    from distributed import Client


def check_workers(client: Client, store: str = "") -> dict[str, Facts]:
    """Return what each worker says of itself, before any work is given to them.

    Parameters
    ----------
    client : Client
        Of the cluster.
    store : str
        Folder of the store that they must reach.

    Raises
    ------
    UsageError
        With every worker that does not fit, and why.
    """
    probe = f".probe-{uuid.uuid4().hex[:8]}" if store and "://" not in store else ""
    if probe:
        (Path(store) / probe).touch()
    try:
        answers = client.run(facts_of, store, probe, on_error="return")
    finally:
        if probe:
            (Path(store) / probe).unlink(missing_ok=True)
    mine = versions()
    bad: dict[str, str] = {}
    for address, answer in answers.items():
        if not isinstance(answer, Facts):
            bad[address] = f"{type(answer).__name__}: {answer}"
        elif wrong := misfits(mine, answer):
            bad[f"{address} on {answer.host}"] = ", ".join(wrong)
    if bad:
        said = "; ".join(f"{worker}: {wrong}" for worker, wrong in list(bad.items())[:3])
        raise UsageError(
            f"{len(bad)} of {len(answers)} workers do not fit ({said})",
            f"scheduler {client.scheduler.address}" if client.scheduler else "",
            "Install the same versions there and mount the store under the same path; nothing was "
            "computed",
        )
    return dict(answers)


@contextmanager
def guarded(client: Client, store: str = "") -> Iterator[None]:
    """Turn away workers that come later and do not fit, for as long as the context lasts.

    A scheduler may outlive it, and others use it too: the guard goes with whoever asked for it.

    Parameters
    ----------
    client : Client
        Of the cluster.
    store : str
        Folder of the store that they must reach.
    """
    from .doorkeeper import Doorkeeper

    name = f"sciqlop-pipe-doorkeeper-{uuid.uuid4().hex[:8]}"
    client.register_plugin(Doorkeeper(versions(), store), name=name)
    try:
        yield
    finally:
        with suppress(Exception):  # the scheduler may be gone, and the guard with it
            client.unregister_worker_plugin(name)


def memory_needs(graph: Graph, names: Iterable[str], client: Client) -> dict[str, float]:
    """Return the MB that tasks of datasets ask of a worker, where all workers offer some.

    Making a dataset needs what reading its inputs needs too: whoever makes moments has a granule
    of distributions in memory.

    Parameters
    ----------
    graph : Graph
        With what is declared.
    names : iterable of str
        Datasets that are to be made.
    client : Client
        Of the cluster.

    Raises
    ------
    UsageError
        When a dataset needs more than any worker has.
    """
    needs = {name: need for name in names if (need := _declared(graph, name))}
    if not needs or not hasattr(client, "scheduler_info"):
        return {}
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    most = max((w.get("memory_limit") or float("inf") for w in workers), default=float("inf"))
    for name, need in needs.items():
        if need * 1e6 > most:
            raise UsageError(
                f"it needs {need:,.0f} MB, no worker has more than {most / 1e6:,.0f} MB",
                f"dataset {name}",
                "Raise 'memory' in the profile; on this machine take fewer workers (--workers)",
            )
    return needs if all("MB" in w.get("resources", {}) for w in workers) else {}


def _declared(graph: Graph, name: str) -> float:
    """Return the MB that making a granule takes, 0 where nobody has said."""
    return max([_size(graph, name), *(_size(graph, i) for _, i in graph[name].inputs)])


def _size(graph: Graph, name: str) -> float:
    """Return the MB of a granule in memory; what has the DataType of its input is as large."""
    node = graph[name]
    if node.memory:
        return size_of(node.memory) / 1e6
    like = [_size(graph, i) for _, i in node.inputs if graph[i].gives is node.gives]
    return max(like, default=0.0)
