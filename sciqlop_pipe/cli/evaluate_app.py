"""The command `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, RegistryOpt, StoreOpt

CatalogOpt = Annotated[
    list[Path],
    typer.Option(
        "--catalog",
        metavar="FILE...",
        show_default=False,
        help="Lists of true events: CSV or Parquet with start and stop, lists of LPP, ICMECAT, "
        "JSON of 'catalog export'.",
    ),
]


def evaluate(
    detector: Annotated[
        str, typer.Argument(help="Name of a dataset of events, e.g. mms1.boundary_crossings.")
    ],
    catalog: CatalogOpt = [],  # noqa: B006
    source: Annotated[
        str,
        typer.Option(help="Only events that a list ascribes to it: Wind.", show_default=False),
    ] = "",
    tolerance: Annotated[
        str,
        typer.Option(
            help="Match moments this near, e.g. 60s, instead of intervals by overlap.",
            show_default=False,
        ),
    ] = "",
    kind: Annotated[str, typer.Option(help="Only events of a kind.", show_default=False)] = "",
    start: Annotated[
        str,
        typer.Option(
            help="The lists are complete from here on, else from their first event.",
            show_default=False,
        ),
    ] = "",
    stop: Annotated[
        str,
        typer.Option(help="... to here, else to their last event.", show_default=False),
    ] = "",
    json: Annotated[
        Path | None, typer.Option("--json", help="Write every number here.", show_default=False)
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write a page with tables and pictures here.", show_default=False),
    ] = None,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Score events against lists: precision, recall, F1, timing, false alarms, calibration.

    Only what was both searched and labelled counts. Intervals are 95 %, by year or day.

    Example: `sciqlop-pipe evaluate mms1.boundary_crossings --catalog bow_shocks.csv
    --kind bow_shock --tolerance 60s --report report.html`
    """
    from . import judging

    truth = judging.Truth(tuple(catalog), source, (start, stop))
    judging.show(judging.stored(detector, store, registry, truth, tolerance, kind), json, report)
