"""Several coordinators at once on one store: `python -m tests.contend FOLDER COUNT [how...]`.

`no-leases` lets all of them work on everything; `rivals` gives each other params, so that each
holds the others' results for stale; `wrong` makes the engine commit without looking.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.leases import Leases
from sciqlop_pipe.store.records import Record
from sciqlop_pipe.store.registry import Registry
from tests.torture import TARGETS
from tests.toy import DAY, toy_graph


def without_leases() -> None:
    """Let every coordinator have every lease."""

    def acquire_each(self: Leases, groups: Sequence[Any]) -> list[bool]:
        return [True for _ in groups]

    Leases.acquire_each = acquire_each  # type: ignore[method-assign]


def commit_without_looking() -> None:
    """Make the engine wrong: what a granule replaces, or was made from, may have changed."""

    def judge(self: Registry, conn: Any, record: Record, stage: str) -> tuple[str, Record, None]:
        return "done", record, None

    Registry._judge = judge  # type: ignore[method-assign]


def coordinate(folder: Path, me: int, count: int, how: Sequence[str]) -> None:
    """Be one of the coordinators; wait for the others before beginning."""
    if "no-leases" in how:
        without_leases()
    if "wrong" in how:
        commit_without_looking()
    graph = toy_graph(factor=2.0 + me) if "rivals" in how else toy_graph()
    listing = list_archives([str(folder / "raw")])
    with (
        open_cluster(Profile(workers=0)) as client,
        Store.open(folder / "store", create=True, durable=False) as store,
    ):
        (folder / f"ready-{me}").touch()
        while len(list(folder.glob("ready-*"))) < count:
            if list(folder.glob("error-*")):
                return
            time.sleep(0.01)
        report = run_campaign(store, graph, TARGETS, [DAY], listing, lambda: client)
    (folder / f"report-{me}").write_text(report.to_json())


def reports(folder: Path) -> list[dict[str, Any]]:
    """Return what the coordinators reported."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("report-*"))]


def main(folder: Path, count: int, how: Sequence[str]) -> None:
    """Start the coordinators and wait for them."""
    for module in ("dask.array", "distributed", "distributed.http.routing", "sciqlop_pipe.catalog"):
        importlib.import_module(module)  # once, and not by each of them
    pids = []
    for me in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                coordinate(folder, me, count, how)
            except BaseException as error:
                (folder / f"error-{me}").write_text(f"{type(error).__name__}: {error}")
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
