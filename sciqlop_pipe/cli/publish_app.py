"""The `publish` commands: cdf."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

publish_app = typer.Typer(
    help="Write what a store has in the formats of archives.", no_args_is_help=True
)


@publish_app.command("cdf")
def cdf(
    datasets: Annotated[
        list[str],
        typer.Argument(help="Names of datasets of the store, or globs.", show_default=False),
    ],
    start: Annotated[str, typer.Option(help="First instant, UTC.", show_default=False)],
    stop: Annotated[str, typer.Option(help="End, not included.", show_default=False)],
    folder: Annotated[Path, typer.Option("--dir", help="Root of the tree of files.")] = Path("cdf"),
    split: Annotated[
        str,
        typer.Option(
            help="Length of the files (1d, 10min, month); by default days, and bursts of "
            "distributions.",
            show_default=False,
        ),
    ] = "",
    as_of: Annotated[
        str, typer.Option(help="Publish a release, or what was current then.", show_default=False)
    ] = "",
    url: Annotated[
        str, typer.Option(help="Address the tree will be served under.", show_default=False)
    ] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Write ISTP CDF files, one per day or burst, with a listing and a description for speasy.

    A piece whose newest file has the same content is left alone; other content becomes the next
    version beside it. No file is ever changed.

    Example: `sciqlop-pipe publish cdf mms1.fpi.dis.brst.moments --start 2020-11-19 --stop
    2020-11-20 --dir ./cdf`
    """
    import json as json_

    from rich.markup import escape

    from ..errors import PipeError
    from ..granule import Interval
    from ..publish.istp.files import publish, selected
    from ..publish.istp.listing import describe
    from ..store import Store
    from .running import console, discover

    graph, interval = discover(), Interval.of(start, stop)
    counts = dict.fromkeys(("new", "version", "same", "failed"), 0)
    rows = []
    with Store.open(store, read_only=True, registry=registry) as opened:
        with console.status("") as said:
            for name in selected(opened, datasets):
                for made in publish(
                    opened, graph, name, interval, folder, split=split, as_of=as_of
                ):
                    counts[made.state] += 1
                    said.update(f"{made.piece}: {made.state}")
                    rows.append(
                        {
                            "piece": str(made.piece),
                            "state": made.state,
                            "path": str(made.path) if made.path else None,
                            "records": made.records,
                            "error": made.error,
                        }
                    )
                    if made.error:
                        console.print(f"[red]failed[/] {escape(made.error)}")
        total = describe(opened, graph, folder, url) if folder.is_dir() else 0
    if json:
        typer.echo(json_.dumps(rows, indent=1))
    elif not rows:
        raise PipeError(
            "the store has no records of these datasets in this interval",
            store,
            "'sciqlop-pipe status' says what it has",
        )
    else:
        for row in rows:
            if row["state"] in ("new", "version"):
                wide().print(f"{row['path']}  {row['records']} records")
        wide().print(
            f"{counts['new']} new files, {counts['version']} new versions, {counts['same']} "
            f"unchanged, {counts['failed']} failed; {total} files in {folder}"
        )
    raise typer.Exit(int(bool(counts["failed"])))
