"""The `catalog` commands: looking at events, taking them out and in, what people said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

if TYPE_CHECKING:
    from ..catalog import Catalog

catalog_app = typer.Typer(no_args_is_help=True, help="Events: look at them, take them in and out.")

Name = Annotated[str, typer.Argument(help="Name of a catalog, e.g. mms1.boundary_crossings.")]
AsOf = Annotated[
    str,
    typer.Option("--as-of", help="A time or release: what was current then.", show_default=False),
]


def _load(name: str, store: str, registry: str, start: str, stop: str, as_of: str) -> Catalog:
    from ..catalog import load_catalog
    from ..errors import UnknownName, near
    from ..granule import Interval
    from ..store import Store
    from ..store.events import event_datasets

    interval = Interval.of(start or "1900-01-01", stop or "2200-01-01") if start or stop else None
    with Store.open(store, read_only=True, registry=registry) as opened:
        known = event_datasets(opened.registry.db)
        if name not in known:
            raise UnknownName(
                f"there is no catalog '{name}'",
                store,
                near(name, known) or f"There are: {', '.join(known) or 'none'}",
            )
        return load_catalog(opened, name, interval, as_of=as_of or None)


@catalog_app.command("list")
def list_(
    store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "", json: JsonOpt = False
) -> None:
    """List the catalogs of a store with their number of events."""
    import json as json_

    from ..store import Store
    from ..store.events import event_datasets

    with Store.open(store, read_only=True, registry=registry) as opened:
        found = event_datasets(opened.registry.db)
    if json:
        typer.echo(json_.dumps(found, indent=1))
        return
    for name, count in sorted(found.items()):
        typer.echo(f"{name}  {count} events")


@catalog_app.command("show")
def show(
    name: Name,
    start: Annotated[str, typer.Option(show_default=False)] = "",
    stop: Annotated[str, typer.Option(show_default=False)] = "",
    as_of: AsOf = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Show events as a table.

    Example: `sciqlop-pipe catalog show mms1.boundary_crossings --start 2015-12-01`
    """
    import json as json_

    from rich.table import Table

    from ..catalog import rows

    catalog = _load(name, store, registry, start, stop, as_of)
    table_rows = rows(catalog)
    if json:
        typer.echo(json_.dumps(table_rows, indent=1))
        return
    wanted = (
        "id",
        "kind",
        "sense",
        "time",
        "start",
        "stop",
        "probability",
        "time_uncertainty",
        "verdict",
    )
    columns = [c for c in wanted if any(r.get(c) not in (None, "") for r in table_rows)]
    table = Table(*columns, title=f"{name}: {len(table_rows)} events")
    for row in table_rows:
        table.add_row(*(_short(c, row.get(c)) for c in columns))
    wide().print(table)
    for v in catalog.unmatched:
        typer.echo(f"verdict without event: {v.verdict} by {v.author} on {v.event}")


def _short(column: str, value: object) -> str:
    if column == "id":
        return str(value)[:8]
    if isinstance(value, float):
        return f"{value:.3g}"
    text = "" if value is None else str(value)
    return text[:22] if column in ("start", "stop", "time") else text


@catalog_app.command("stats")
def stats(
    name: Name,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    as_of: AsOf = "",
    json: JsonOpt = False,
) -> None:
    """Show counts, medians of the attributes and verdicts, per kind and sense."""
    import json as json_

    from rich.table import Table

    from ..catalog import statistics

    catalog = _load(name, store, registry, "", "", as_of)
    found = statistics(catalog)
    if json:
        typer.echo(json_.dumps(found, indent=1))
        return
    table = Table("", *found, title=name)
    table.add_row("count", *(str(s["count"]) for s in found.values()))
    for key in dict.fromkeys(k for s in found.values() for k in s["median"]):
        table.add_row(
            key, *(f"{s['median'][key]:.4g}" if key in s["median"] else "" for s in found.values())
        )
    wide().print(table)


@catalog_app.command("export")
def export(
    name: Name,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .csv, .json, .tscat.json or .xml (VOTable).")
    ],
    start: Annotated[str, typer.Option(show_default=False)] = "",
    stop: Annotated[str, typer.Option(show_default=False)] = "",
    judged: Annotated[
        bool,
        typer.Option(
            "--judged", help="As people see it: rejected ones left out, moves and edits applied."
        ),
    ] = False,
    as_of: AsOf = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Write events to a file: CSV, JSON, VOTable (speasy, astropy, AMDA), or JSON of TSCat.

    Example: `sciqlop-pipe catalog export mms1.boundary_crossings -o crossings.csv`
    """
    from . import exchange

    catalog = _load(name, store, registry, start, stop, as_of)
    exchange.export(catalog, output, store if judged else "", registry)


@catalog_app.command("import")
def import_(
    name: Name,
    file: Annotated[
        Path, typer.Argument(help="A catalog in CSV, JSON, VOTable, or JSON of TSCat.")
    ],
    author: Annotated[str, typer.Option(help="Who says so, for verdicts without an author.")] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Put the events of a file into the store as a catalog of that name.

    It takes the place of earlier imports of that name which it overlaps in time. Nothing is taken
    from a file in which an event makes no sense.

    Example: `sciqlop-pipe catalog import lists.my_shocks shocks.csv`
    """
    from ..catalog import import_catalog
    from ..store import Store

    with Store.open(store, create=True, registry=registry) as opened:
        count = import_catalog(opened, name, file, author=author)
    typer.echo(f"imported {count} events as {name}")


@catalog_app.command("merge")
def merge(
    name: Name,
    file: Annotated[Path, typer.Argument(help="What 'export' wrote, edited by people.")],
    author: Annotated[str, typer.Option(help="Who says what carries no name of its own.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Bring verdicts, moved times, edits and new events of a file into a catalog's history.

    The events themselves stay; what people say is kept beside them. Exit status 1 when rows made
    no sense and were left out.

    Example: `sciqlop-pipe catalog merge mms1.boundary_crossings edited.xml --author me`
    """
    from . import exchange

    raise typer.Exit(exchange.merge_file(name, file, author, store, registry, json))


@catalog_app.command("push")
def push(name: Name, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Bring this user's TSCat (SciQLOP's *My Catalogs*) up to date with a catalog.

    What people edited there is left as it is, nothing is deleted.

    Example: `sciqlop-pipe catalog push mms1.boundary_crossings`
    """
    from . import exchange

    exchange.push_tscat(_load(name, store, registry, "", "", ""))


@catalog_app.command("pull")
def pull(
    name: Name,
    author: Annotated[str, typer.Option(help="Who says what carries no name of its own.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Merge what people did to a catalog in this user's TSCat.

    Example: `sciqlop-pipe catalog pull mms1.boundary_crossings --author me`
    """
    from . import exchange

    raise typer.Exit(exchange.pull_tscat(name, author, store, registry, json))


@catalog_app.command("history")
def history(
    event: Annotated[str, typer.Argument(help="Id of an event, or the start of one.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Show everything that people said of an event: who, when, what.

    Example: `sciqlop-pipe catalog history 1f3a92c0`
    """
    from . import exchange

    exchange.history(event, store, registry, json)


@catalog_app.command("verdict")
def verdict(
    event: Annotated[
        str,
        typer.Argument(
            help="Id of an event, or the start of one; of a missed one, the catalog's name."
        ),
    ],
    verdict: Annotated[str, typer.Argument(help="accept, reject, moved or missed.")],
    author: Annotated[str, typer.Option(help="Who says so.")],
    comment: Annotated[str, typer.Option(show_default=False)] = "",
    start: Annotated[
        str, typer.Option(help="Where a moved or missed event begins.", show_default=False)
    ] = "",
    stop: Annotated[str, typer.Option(help="... and ends.", show_default=False)] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Say what you think of an event; it follows the event when that is found anew.

    Examples
    --------
    `sciqlop-pipe catalog verdict 1f3a92c0 reject --author me --comment 'a SLAMS'`

    `sciqlop-pipe catalog verdict 1f3a92c0 moved --author me --start 2017-05-27T20:00`

    `sciqlop-pipe catalog verdict omni.omni2.1h.icmes missed --author me --start 2016-11-10
    --stop 2016-11-11`
    """
    from ..catalog import add_missed
    from ..errors import UsageError
    from ..granule import Interval
    from ..store import Store
    from ..store.events import Verdict, add_verdict, find_event

    if verdict == "missed" and not (start and stop):
        raise UsageError("a missed event needs a start and a stop", event,
                         "Give --start and --stop")  # fmt: skip
    if verdict == "moved" and not (start or stop):
        raise UsageError("nobody said where to", event, "Give --start or --stop, or both")
    with Store.open(store, registry=registry) as opened:
        if verdict == "missed":
            said = add_missed(opened, event, Interval.of(start, stop), author, comment)
        else:
            dataset, found = find_event(opened.registry.db, event)
            first, last = None, None
            if start or stop:
                span = Interval.of(start or found.start, stop or found.stop)
                first, last = span.start, span.stop
            said = Verdict(found.id, dataset, author, verdict, first, last, comment)
            add_verdict(opened.registry.db, said)
    typer.echo(f"{verdict}: {said.event}")


@catalog_app.command("next")
def next_(
    name: Name,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 10,
    beside: Annotated[
        list[str],
        typer.Option(
            help="Catalogs of other detectors of the same: disagreement counts.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Show the events whose verdict would teach a detector most: unsure, far from what it has seen.

    At most one a day, those that somebody judged left out. 'sciqlop-pipe train --verdicts' learns
    from what is said of them.

    Example: `sciqlop-pipe catalog next omni.omni2.1h.icmes -n 5`
    """
    import json as json_

    from rich.table import Table

    from ..detect.learning.verdicts import next_questions
    from ..granule import iso

    catalog = _load(name, store, registry, "", "", "")
    others = [_load(other, store, registry, "", "", "") for other in beside]
    questions = next_questions(catalog, count, others=others)
    rows = [
        {"id": q.event.id, "kind": q.event.kind, "start": iso(q.event.start),
         "stop": iso(q.event.stop), "worth": q.worth, "why": q.why}
        for q in questions
    ]  # fmt: skip
    if json:
        typer.echo(json_.dumps(rows, indent=1))
        return
    table = Table("id", "kind", "start", "stop", "worth", "why", title=f"{name}: look at these")
    for row in rows:
        table.add_row(*(_short(k, v) for k, v in row.items()))
    wide().print(table)
