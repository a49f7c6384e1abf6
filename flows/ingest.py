"""Ingest: raw data that archives have and the store has not, of the last days."""

from __future__ import annotations

from prefect import flow

from flows.alerts import on_failure
from flows.batch import insist, make
from flows.where import Span, Where
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.graph import Graph


@flow(name="ingest", on_failure=[on_failure], on_crashed=[on_failure])
def ingest(datasets: list[str], where: Where | None = None, span: Span | None = None) -> None:
    """Make raw datasets current: new files, and new versions of files.

    Args:
        datasets: Names of raw datasets, or globs such as mms1.fgm.*.
        where: Store, archives, machines.
        span: An interval, or the last days.
    """
    graph = Graph.discover()
    raw = [name for name in graph.select(datasets) if graph[name].is_raw]
    if not raw:
        raise UsageError(
            f"{', '.join(datasets)}: none of these is a raw dataset",
            todo="The flow 'process' makes products, and what they need of raw data with them",
        )
    insist(make(raw, [(span or Span()).interval()], where or Where()))
