"""A campaign among machines that die: `python -m tests.chaos FOLDER REGISTRY ADDRESS` runs it.

The coordinator prints a line for every granule once it is committed. Workers load this file too
(`--preload`): they find the disk full as often as there are files in FOLDER/full.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from sciqlop_pipe.campaign import Limits, Spec, launch, plan_campaign, publish_campaign
from sciqlop_pipe.campaign.reprocess import frozen_of
from sciqlop_pipe.campaign.status import status_of
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.report import Progress
from sciqlop_pipe.store import Store, granules, schema, spans, staging
from sciqlop_pipe.store import campaigns as book
from sciqlop_pipe.store.records import Outcome, Record
from tests.toy import toy_graph

SPEC = Spec(
    "chaos", ("toy.both", "toy.rises"), start="2030-01-01", stop="2030-01-02", archives=("raw",),
    params={"toy.double": {"factor": 3.0}}, limits=Limits(attempts=2, free="0"),
)  # fmt: skip


def dask_setup(worker: Any) -> None:
    """Let this worker find the disk full now and then."""
    left = Path(os.environ["CHAOS"]) / "full"
    real = granules._write_file

    def write(path: Path, data: bytes, durable: bool) -> None:
        for token in left.iterdir() if left.is_dir() else ():
            try:
                token.unlink()
            except FileNotFoundError:
                continue
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, data, durable)

    granules._write_file = write


def publish_row_by_row(registry: Any, stage: str) -> int:
    """Make the engine wrong: a publication of one transaction per granule."""
    s = schema.staged
    with registry.db.read() as conn:
        rows = conn.execute(s.select().where(s.c.stage == stage)).all()
    for row in rows:
        with registry.db.write() as conn:
            spans.make_current(conn, row.uid, staging._granule(row), registry.db.now(conn))
    with registry.db.write() as conn:
        conn.execute(delete(s).where(s.c.stage == stage))
    return len(rows)


class Acknowledged(Progress):
    """Prints what is committed."""

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        uid = outcome.uid if isinstance(outcome, Record) and verdict == "done" else "-"
        print(verdict, uid, outcome.granule, flush=True)


def main(folder: Path, registry: str, address: str) -> int:
    """Go on with the campaign and publish it; return 0 when it is published."""
    graph = toy_graph()
    with Store.open(folder / "store", registry=registry, durable=False) as store:
        try:
            there = book.standing(store.registry.db, SPEC.name)
        except UsageError:
            frozen = plan_campaign(store, graph, SPEC, folder)
        else:
            if there.state == "published":
                return 0
            frozen = frozen_of(there)
        with open_cluster(Profile(address=address, wait="30s")) as client:
            report = launch(store, graph, frozen, lambda: client, progress=Acknowledged())
        if report.status:
            print("not yet", status_of(store, SPEC.name).problems, flush=True)
            return 1
        if "row-by-row" in sys.argv:
            publish_row_by_row(store.registry, SPEC.name)
        else:
            publish_campaign(store, graph, SPEC.name)
    return 0


if __name__ == "__main__":
    book.SILENCE = 1.0  # type: ignore[misc]  # the dead are replaced at once
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
