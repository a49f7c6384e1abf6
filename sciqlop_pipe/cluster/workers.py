"""Whether workers fit: same versions, the store within reach, a cache for compiled kernels."""

from __future__ import annotations

import os
import socket
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..environment import versions
from ..errors import StoreError, UsageError
from ..sources.access import size_of
from ..store.bucket import place_of

if TYPE_CHECKING:
    from distributed import Client

#: Versions of the last place may differ in these: they carry, they do not compute.
_CARRIERS = ("dask",)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker says of itself; `store` is "" when it is within reach, else what is wrong."""

    host: str
    versions: dict[str, str]
    store: str
    cache: str


def facts_of(store: str, probe: str) -> Facts:
    """Return what the process that this runs in has and reaches.

    Parameters
    ----------
    store : str
        Folder of the store, "" for none.
    probe : str
        Name of a file that the coordinator has just written there.
    """
    return Facts(socket.gethostname(), versions(), _store(store, probe), _cache())


def _store(store: str, probe: str) -> str:
    if not store:
        return ""
    if "://" in store:
        try:
            place_of(store).exists()
        except StoreError as error:
            return str(error)
        return ""
    root = Path(store)
    if not root.is_dir():
        return f"there is no folder {store}"
    if probe and not (root / probe).exists():
        return f"{store} is another folder there than here (not shared)"
    try:
        with tempfile.TemporaryFile(dir=root / "data"):
            return ""
    except OSError as error:
        return f"{store} is not writable ({error.strerror or error})"


def _cache() -> str:
    """Return "" when numba finds a place for compiled kernels, else what is wrong."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(__file__).parent.parent / "kernels" / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError:
        fallback = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        if os.access(fallback if fallback.exists() else fallback.parent, os.W_OK):
            return ""
        return f"{folder} is not writable: every worker compiles all kernels anew"


def misfits(mine: dict[str, str], facts: Facts) -> list[str]:
    """Return what keeps a worker from being used."""
    found = []
    for name in sorted({*mine, *facts.versions}):
        here, there = mine.get(name, "missing"), facts.versions.get(name, "missing")
        if here != there and name not in _CARRIERS:
            found.append(f"{name} is {there} there and {here} here")
    if facts.store:
        found.append(facts.store)
    if facts.cache:
        found.append(f"numba: {facts.cache} (set NUMBA_CACHE_DIR)")
    return found


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
