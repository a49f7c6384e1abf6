"""Before work starts: every worker asked whether it fits, and what its memory takes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..environment import versions
from ..errors import UsageError
from ..sources.access import size_of
from .fitness import Facts, facts_of, misfits

if TYPE_CHECKING:
    from distributed import Client


def check_workers(client: Client, store: str = "", *, pin: bool = False) -> dict[str, Facts]:
    """Return what each worker says of itself, before any work is given to them.

    Parameters
    ----------
    client : Client
        Of the cluster.
    store : str
        Folder of the store that they must reach.
    pin : bool
        Turn away later workers that do not fit.

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
    if pin:
        from .doorkeeper import Doorkeeper

        client.register_plugin(Doorkeeper(mine, store), name="sciqlop-pipe-doorkeeper")
    return dict(answers)


def memory_needs(declared: Mapping[str, str], client: Client) -> dict[str, float]:
    """Return the MB that tasks of a dataset ask of a worker, where all workers offer some.

    Parameters
    ----------
    declared : mapping
        Per dataset that is to be made, what one granule takes; "" where it does not say.
    client : Client
        Of the cluster.

    Raises
    ------
    UsageError
        When a dataset needs more than any worker has.
    """
    needs = {name: size_of(text) / 1e6 for name, text in declared.items() if text}
    if not needs or not hasattr(client, "scheduler_info"):
        return {}
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    most = max((w.get("memory_limit") or float("inf") for w in workers), default=float("inf"))
    for name, need in needs.items():
        if need * 1e6 > most:
            raise UsageError(
                f"it needs {need:,.0f} MB, no worker has more than {most / 1e6:,.0f} MB",
                f"dataset {name}",
                "Raise 'memory' in the profile",
            )
    return needs if all("MB" in w.get("resources", {}) for w in workers) else {}
