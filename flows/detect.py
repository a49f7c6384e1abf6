"""Detect: events of the last days, and the catalogs that people read."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.alerts import on_failure
from flows.batch import insist, make
from flows.where import Span, Where
from sciqlop_pipe.catalog import load_catalog, to_csv, to_json
from sciqlop_pipe.datatypes import Events
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store import Store


@flow(name="detect", on_failure=[on_failure], on_crashed=[on_failure])
def detect(
    catalogs: list[str],
    where: Where | None = None,
    span: Span | None = None,
    export: str = "",
) -> None:
    """Find events with the promoted models, and bring exported catalogs up to date.

    Args:
        catalogs: Names of datasets of events, or globs such as mms?.boundary_crossings.
        where: Store, archives, machines.
        span: An interval, or the last days.
        export: Folder for NAME.csv and NAME.json of each whole catalog; empty exports nothing.
    """
    where, graph = where or Where(), Graph.discover()
    names = [n for n in graph.select(catalogs) if graph[n].gives is Events]
    if not names:
        raise UsageError(
            f"{', '.join(catalogs)}: none of these gives events",
            todo="'sciqlop-pipe search events' lists those that do",
        )
    report = make(names, [(span or Span()).interval()], where)
    with Store.open(where.store, registry=where.registry) as store:
        loaded = [load_catalog(store, name) for name in names]
    create_table_artifact(
        [{"catalog": c.dataset, "events": len(c.events), "run": report.run} for c in loaded],
        "catalogs",
    )
    for catalog in loaded if export else ():
        Path(export).mkdir(parents=True, exist_ok=True)
        _replace(Path(export) / f"{catalog.dataset}.csv", to_csv(catalog))
        _replace(Path(export) / f"{catalog.dataset}.json", to_json(catalog))
    insist(report)


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, whole."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
