"""The `release` commands: create, list, verify, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

release_app = typer.Typer(
    help="Freeze what a store has under a name, with a manifest, for ever.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of a release.")]


@release_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="A new name: letters, digits and .-_")],
    datasets: Annotated[
        list[str],
        typer.Argument(
            help="What it consists of: names or globs; everything by default.", show_default=False
        ),
    ] = [],  # noqa: B006
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Freeze what is current now; `as_of=NAME` reads exactly that, and gc keeps it.

    Example: `sciqlop-pipe release create 2026a 'mms1.*' --store ./store`
    """  # fmt: skip
    from ..publish.release.manifest import create as freeze
    from ..publish.release.manifest import facts_of
    from ..store import Store
    from .running import discover

    with Store.open(store, registry=registry) as opened:
        made = freeze(opened, discover(), name, datasets)
    facts = facts_of(made)
    records = sum(d["records"] for d in facts["datasets"].values())
    events = sum(c["events"] for c in facts["catalogs"].values())
    wide().print(
        f"released {name}: {len(facts['datasets'])} datasets ({records:,} records), "
        f"{len(facts['catalogs'])} catalogs ({events} events), {len(facts['models'])} models; "
        f"digest {made.digest}"
    )


@release_app.command("list")
def list_(
    store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "", json: JsonOpt = False
) -> None:
    """List releases: when, how much, and the digest to cite."""
    import json as json_

    from rich.table import Table

    from ..granule import iso
    from ..publish.release.manifest import facts_of
    from ..store import Store
    from ..store.releases import releases

    with Store.open(store, read_only=True, registry=registry) as opened:
        found = releases(opened.registry.db)
    rows = []
    for r in found:
        facts = facts_of(r) if r.json else {"datasets": {}, "catalogs": {}, "models": {}}
        counts = {k: len(facts[k]) for k in ("datasets", "catalogs", "models")}
        rows.append({"name": r.name, "at": iso(r.tx), **counts, "digest": r.digest})
    if json:
        typer.echo(json_.dumps(rows, indent=1))
        return
    table = Table("release", "made (UTC)", "datasets", "catalogs", "models", "digest")
    for row in rows:
        values = [str(v) for v in row.values()]
        table.add_row(*values[:-1], values[-1] or "(no manifest: 'release create' completes it)")
    wide().print(table)


@release_app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="Name of a release.", show_default=False)] = "",
    folder: Annotated[
        Path | None, typer.Option("--dir", help="An exported release instead.", show_default=False)
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not read values; files only have to be there.")
    ] = False,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Check that a release is what its manifest says. Exit status 1 where it is not.

    Example: `sciqlop-pipe release verify 2026a --store ./store`
    """
    from rich.markup import escape

    from ..errors import UsageError
    from ..publish.release.verify import verify as check
    from ..publish.release.verify import verify_folder
    from ..store import Store

    if bool(name) == bool(folder):
        raise UsageError("what shall be verified?", todo="Give the name of a release, or --dir")
    if folder is not None:
        wrong = list(verify_folder(folder))
    else:
        with Store.open(store, read_only=True, registry=registry) as opened:
            wrong = list(check(opened, name, content=not quick))
    for said in wrong:
        wide().print(f"[red]{escape(said)}[/]")
    wide().print(f"{len(wrong)} problems" if wrong else "all there and as the manifest says")
    raise typer.Exit(int(bool(wrong)))


@release_app.command("export")
def export(
    name: Name,
    folder: Annotated[Path, typer.Option("--dir", help="A new folder.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Write a release as a folder that plain xarray opens, with catalogs, models and credits.

    Example: `sciqlop-pipe release export 2026a --dir ./2026a --store ./store`
    """
    from ..publish.release.export import export as write
    from ..store import Store

    with Store.open(store, read_only=True, registry=registry) as opened:
        count = write(opened, name, folder)
    wide().print(f"wrote {count} files to {folder}; its README.md says how to open them")
