"""The `store` commands: check, publish, rollback, release, gc, backup, rebuild, quality, du ..."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

store_app = typer.Typer(no_args_is_help=True, help="Look after a store.")

Stage = Annotated[str, typer.Argument(help="Label that 'run --stage' was given.")]


def _print(text: str) -> None:

    wide().print(text)


@store_app.command("check")
def check(
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    content: Annotated[
        bool, typer.Option("--content", help="Read and hash every granule too.")
    ] = False,
    json: JsonOpt = False,
) -> None:
    """Compare registry and tree: every current granule is there and whole; orphans are counted.

    Exit status 1 when something is lost or damaged. Example: `sciqlop-pipe store check --content`
    """
    import json as json_
    from dataclasses import asdict

    from rich.markup import escape

    from ..store import Store
    from ..store.check import check_store

    with Store.open(store, read_only=True, registry=registry) as opened:
        found = list(check_store(opened, content=content))
        granules = sum(r["granules"] for r in opened.registry.summary())
    bad = [p for p in found if not p.harmless]
    if json:
        typer.echo(json_.dumps([asdict(p) for p in found], indent=1))
    else:
        for p in bad:
            _print(f"[red]{p.kind}[/] {p.where}: {escape(p.said)}")
        if harmless := len(found) - len(bad):
            _print(
                f"{harmless} files belong to nothing current (harmless; 'store gc' removes them)"
            )
        said = f"{len(bad)} problems" if bad else "all there and whole"
        _print(f"{granules} current granules, {said}")
    raise typer.Exit(int(bool(bad)))


@store_app.command("stages")
def stages(store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """List staged runs that wait to be published."""
    from ..store import Store
    from ..store.staging import stages as staged

    with Store.open(store, read_only=True, registry=registry) as opened:
        for label, count in staged(opened.registry).items():
            _print(f"{label}: {count} granules")


@store_app.command("publish")
def publish(
    stage: Stage,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="Recompute just what moved, then publish.")
    ] = False,
    archive: Annotated[
        list[str],
        typer.Option(
            "--archive", metavar="PATH_OR_URL", show_default=False, help="Archives, for --rebase."
        ),
    ] = [],  # noqa: B006
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    profile: Annotated[
        str,
        typer.Option(
            "--profile", metavar="FILE", show_default=False,
            help="Where --rebase computes, instead of worker processes of this machine.",
        ),
    ] = "",
    workers: Annotated[int, typer.Option(help="Worker processes, for --rebase.")] = 2,
) -> None:  # fmt: skip
    """Make a staged run current in one transaction; refused, with the list, when its base moved.

    Example: `sciqlop-pipe store publish campaign-7 --rebase`
    """
    from ..campaign.rebase import publish_rebased
    from ..cluster import Profile, read_profile
    from ..store import Store
    from ..store.staging import publish as make_current
    from .running import discover, listing_of

    with Store.open(store, registry=registry) as opened:
        if rebase:
            where = read_profile(Path(profile)) if profile else Profile(workers=workers)
            count, again = publish_rebased(opened, discover(), stage, listing_of(archive), where)
            _print(f"{again} granules were computed again")
        else:
            count = make_current(opened.registry, stage)
        opened.touch()
    _print(f"published {stage}: {count} granules are current")


@store_app.command("rollback")
def rollback(stage: Stage, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Undo a publication in one transaction; refused when newer results followed."""
    from ..store import Store
    from ..store.staging import rollback as undo

    with Store.open(store, registry=registry) as opened:
        count = undo(opened.registry, stage)
        opened.touch()
    _print(f"rolled back {stage}: {count} granules are current again")


@store_app.command("gc")
def gc(
    delete: Annotated[
        bool, typer.Option("--delete", help="Really remove; otherwise only say what.")
    ] = False,
    grace: Annotated[
        str, typer.Option(help="Keep what was superseded more recently than this.")
    ] = "7d",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Remove what nothing refers to any more. A dry run unless --delete is given.

    Example: `sciqlop-pipe store gc --grace 30d --delete`
    """
    from ..store import Store
    from ..store.garbage import collect, find_garbage

    with Store.open(store, registry=registry, read_only=not delete) as opened:
        found = find_garbage(opened, grace)
        size = sum(g.nbytes for g in found) / 1e6
        if delete:
            collect(opened, found)
    for item in found[:20]:
        _print(item.path)
    word = "removed" if delete else "would be removed (--delete does it)"
    _print(f"{len(found)} files, {size:.1f} MB {word}")


@store_app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A .jsonl.gz file to write.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Save what exists only in the registry: events, verdicts, releases, history, lineage."""
    from ..store import Store
    from ..store.backup import backup as save

    with Store.open(store, read_only=True, registry=registry) as opened:
        count = save(opened.registry, file)
    _print(f"wrote {count} rows to {file}")


@store_app.command("rebuild")
def rebuild(
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    backup: Annotated[
        Path | None, typer.Option(help="Restore this backup first.", show_default=False)
    ] = None,
) -> None:
    """Make the registry anew from the granules of the tree (move a damaged one away first).

    Example: `sciqlop-pipe store rebuild --backup monday.jsonl.gz`
    """
    from rich.markup import escape

    from ..store import Store
    from ..store.backup import rebuild as register
    from ..store.backup import restore

    Store.create_registry(store, registry)
    with Store.open(store, registry=registry) as opened:
        if backup is not None:
            _print(f"restored {restore(opened.registry, backup)} rows")
        count, problems = register(opened)
    for problem in problems:
        _print(f"[yellow]{escape(problem)}[/]")
    _print(f"registered {count} granules of the tree")


@store_app.command("upgrade")
def upgrade(store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Bring a store of an older format to this version's."""
    from ..store import Store

    before, after = Store.upgrade(store, registry)
    _print(
        f"format {before} is current" if before == after else f"upgraded from {before} to {after}"
    )


@store_app.command("du")
def du(store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "", json: JsonOpt = False) -> None:
    """Show bytes per dataset: current, and superseded or staged."""
    import json as json_
    from dataclasses import asdict

    from rich.table import Table

    from ..store import Store
    from ..store.garbage import usage

    with Store.open(store, read_only=True, registry=registry) as opened:
        found = usage(opened)
    if json:
        typer.echo(json_.dumps([asdict(u) for u in found], indent=1))
        return
    table = Table("dataset", "granules", "current MB", "other MB")
    for u in found:
        table.add_row(u.dataset, str(u.granules), f"{u.current / 1e6:.1f}", f"{u.other / 1e6:.1f}")
    wide().print(table)


@store_app.command("quality")
def quality(
    dataset: Annotated[str, typer.Argument(help="A dataset with flag words.")],
    start: Annotated[str, typer.Option(show_default=False)] = "",
    stop: Annotated[str, typer.Option(show_default=False)] = "",
    store: StoreOpt = DEFAULT_STORE,
    json: JsonOpt = False,
) -> None:
    """Show which fraction of the records has each quality flag, and which is masked.

    Example: `sciqlop-pipe store quality mms1.fpi.dis.fast.moms --start 2015-12-01`
    """
    import json as json_
    from dataclasses import asdict

    import xarray as xr
    from rich.table import Table

    from ..errors import UsageError
    from ..quality import tally

    time = slice(start or None, stop or None)
    with xr.open_dataset(store, engine="sciqlop", dataset=dataset, time=time) as ds:
        if "quality" not in ds:
            raise UsageError("it has no flag words", dataset)
        found = tally(ds["quality"].values, ds["quality"].attrs)
    if json:
        typer.echo(json_.dumps(asdict(found), indent=1))
        return
    table = Table("flag", "records", "masks")
    for name, fraction, masks in found.flags:
        table.add_row(name, f"{fraction:.2%}", "yes" if masks else "")
    wide().print(table)
    _print(f"{found.records} records, {found.masked:.2%} masked")
