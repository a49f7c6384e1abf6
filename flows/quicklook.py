"""Quicklooks: pictures of the last days, one per day, orbit or event."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.alerts import on_failure
from flows.where import Span, Where
from sciqlop_pipe.publish.batch import draw_all, gallery, sheets
from sciqlop_pipe.store import Store


class NotDrawn(RuntimeError):
    """Some pictures could not be drawn; the others are."""


@flow(name="quicklook", on_failure=[on_failure], on_crashed=[on_failure])
def quicklook(
    datasets: list[str],
    folder: str,
    each: str = "day",
    where: Where | None = None,
    span: Span | None = None,
    position: str = "",
) -> None:
    """Draw what is new or shows something else by now, and a page with all pictures.

    Args:
        datasets: Names of datasets of the store.
        folder: Where the pictures go.
        each: day, orbit, event, or a duration such as 2h.
        where: Store.
        span: An interval, or the last days.
        position: A Position to write under the time axis, by which orbits are told.
    """
    where, interval = where or Where(), (span or Span()).interval()
    with Store.open(where.store, read_only=True, registry=where.registry) as store:
        wanted = sheets(store, datasets, interval, each, position)
        drawn = list(draw_all(store, wanted, Path(folder)))
    gallery(Path(folder), f"{', '.join(datasets)} per {each}")
    counts = Counter(d.state for d in drawn)
    create_table_artifact([dict(counts)], "quicklooks")
    if errors := [f"{d.path.name}: {d.error}" for d in drawn if d.error]:
        raise NotDrawn(f"{len(errors)} pictures, first: {errors[0]}")
