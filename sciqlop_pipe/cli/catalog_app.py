"""The `catalog` commands: list, show, stats, export, import, verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

catalog_app = typer.Typer(no_args_is_help=True, help="Events: look at them, take them in and out.")

Name = Annotated[str, typer.Argument(help="Name of a catalog, e.g. mms1.boundary_crossings.")]
AsOf = Annotated[
    str,
    typer.Option("--as-of", help="A time or release: what was current then.", show_default=False),
]


def _load(name: str, store: str, registry: str, start: str, stop: str, as_of: str) -> object:
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

    from ..catalog import Catalog, rows

    catalog = _load(name, store, registry, start, stop, as_of)
    assert isinstance(catalog, Catalog)
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

    from ..catalog import Catalog, statistics

    catalog = _load(name, store, registry, "", "", as_of)
    assert isinstance(catalog, Catalog)
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
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .json file.")],
    start: Annotated[str, typer.Option(show_default=False)] = "",
    stop: Annotated[str, typer.Option(show_default=False)] = "",
    as_of: AsOf = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Write events to a file: medians, jumps and normals of every event in one table.

    Example: `sciqlop-pipe catalog export mms1.boundary_crossings -o crossings.csv`
    """
    from ..catalog import Catalog, to_csv, to_json
    from ..errors import UsageError

    writers = {".csv": to_csv, ".json": to_json}
    if output.suffix not in writers:
        raise UsageError(f"'{output.suffix}' is not a catalog format", todo="Use .csv or .json")
    catalog = _load(name, store, registry, start, stop, as_of)
    assert isinstance(catalog, Catalog)
    output.write_text(writers[output.suffix](catalog))
    typer.echo(f"wrote {len(catalog.events)} events to {output}")


@catalog_app.command("import")
def import_(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .csv or .json catalog.")],
    author: Annotated[str, typer.Option(help="Who says so, for verdicts without an author.")] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Put the events of a file into the store as a catalog of that name, replacing it.

    Example: `sciqlop-pipe catalog import lists.my_shocks shocks.csv`
    """
    from ..catalog import import_catalog
    from ..store import Store

    with Store.open(store, create=True, registry=registry) as opened:
        count = import_catalog(opened, name, file, author=author)
    typer.echo(f"imported {count} events as {name}")


@catalog_app.command("verdict")
def verdict(
    event: Annotated[str, typer.Argument(help="Id of an event, or the start of one.")],
    verdict: Annotated[str, typer.Argument(help="accept, reject, moved or missed.")],
    author: Annotated[str, typer.Option(help="Who says so.")],
    comment: Annotated[str, typer.Option(show_default=False)] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Say what you think of an event; it follows the event when that is found anew.

    Example: `sciqlop-pipe catalog verdict 1f3a92c0 reject --author me --comment 'a SLAMS'`
    """
    from ..store import Store
    from ..store.events import Verdict, add_verdict, find_event

    with Store.open(store, registry=registry) as opened:
        dataset, found = find_event(opened.registry.db, event)
        add_verdict(
            opened.registry.db, Verdict(found.id, dataset, author, verdict, comment=comment)
        )
    typer.echo(f"{verdict}: {found.id}")
