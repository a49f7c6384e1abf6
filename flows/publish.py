"""Publish: CDF files of the last days for those who read neither Zarr nor SQL."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.events import emit_event

from flows.alerts import on_failure
from flows.where import Span, Where
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.istp.files import publish as publish_files
from sciqlop_pipe.publish.istp.files import selected
from sciqlop_pipe.publish.istp.listing import describe
from sciqlop_pipe.store import Store


class NotPublished(RuntimeError):
    """Some pieces could not be published; the others are."""


@flow(name="publish", on_failure=[on_failure], on_crashed=[on_failure])
def publish(
    datasets: list[str],
    folder: str,
    where: Where | None = None,
    span: Span | None = None,
    url: str = "",
) -> None:
    """Write ISTP CDF files where the content has changed, as new versions beside the old ones.

    Args:
        datasets: Names of datasets of the store, or globs.
        folder: Root of the tree of files.
        where: Store.
        span: An interval, or the last days.
        url: Address under which a web server shows the tree.
    """
    where, interval = where or Where(), (span or Span()).interval()
    graph, root, errors = Graph.discover(), Path(folder), []
    rows = []
    with Store.open(where.store, read_only=True, registry=where.registry) as store:
        for name in selected(store, datasets):
            counts: Counter[str] = Counter()
            for made in publish_files(store, graph, name, interval, root):
                counts[made.state] += 1
                errors += [made.error] if made.error else []
            rows.append({"dataset": name, **counts})
        if root.is_dir():
            describe(store, graph, root, url)
    create_table_artifact(rows, "files")
    emit_event(
        "sciqlop.pipe.files.published",
        {"prefect.resource.id": "sciqlop.pipe.files", "prefect.resource.name": folder},
        payload={"span": str(interval), "datasets": rows},
    )
    if errors:
        raise NotPublished(f"{len(errors)} pieces, first: {errors[0]}")
