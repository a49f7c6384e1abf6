"""The `campaign` commands: plan, run, status, pause, resume, cancel, report, diff, publish ..."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DEFAULT_STORE,
    CacheOpt,
    CacheSizeOpt,
    JsonOpt,
    LogOpt,
    MetricsOpt,
    OfflineOpt,
    RegistryOpt,
    StoreOpt,
    access_of,
)

campaign_app = typer.Typer(
    no_args_is_help=True,
    help="Reprocess: plan, run, look at the difference, publish, roll back.",
)

FileArg = Annotated[Path, typer.Argument(help="The campaign: a TOML or YAML file.")]
NameArg = Annotated[str, typer.Argument(help="Name of the campaign.")]
Granules = Annotated[
    list[str],
    typer.Argument(help="Granules as they are listed, or globs ('mms1.fpi.*/2015*')."),
]
ProfileOpt = Annotated[
    str,
    typer.Option(
        "--profile", metavar="FILE", show_default=False,
        help="Where it runs, instead of what the campaign says.",
    ),
]  # fmt: skip
WorkersOpt = Annotated[
    int | None,
    typer.Option(help="Worker processes on this machine, without a profile; 0: in this process."),
]


@campaign_app.command()
def plan(
    file: FileArg,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", show_default=False,
            help="Where the frozen plan goes.  [default: FILE with .plan.json]",
        ),
    ] = None,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    json: JsonOpt = False,
) -> None:  # fmt: skip
    """Freeze what a campaign will make to a file: what is stale and why, bytes, time and cost.

    Nothing is computed. Refused when it goes beyond its limits or what the disk has free.

    Example: `sciqlop-pipe campaign plan pads.toml --store ./store`
    """
    from . import campaigns

    campaigns.plan(file, output, store, registry, access_of(offline, cache, cache_size, 4), json)


@campaign_app.command()
def run(
    file: FileArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    profile: ProfileOpt = "",
    workers: WorkersOpt = None,
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    log: LogOpt = "",
    metrics: MetricsOpt = 0,
    json: JsonOpt = False,
) -> None:
    """Run a campaign, staged under its name: nothing that is current changes.

    Takes the frozen plan beside FILE (FILE with .plan.json) if there is one, or the plan itself;
    otherwise plans and freezes first. Stopped by whatever, 'campaign resume' goes on.
    Exit status: 0 all well, 1 granules failed or it was paused, 2 refused, 130 interrupted.

    Example: `sciqlop-pipe campaign run pads.toml --store ./store --profile slurm.toml`
    """
    from . import campaigns

    raise typer.Exit(
        campaigns.run(
            file, store, registry, campaigns.Where(profile, workers, log, metrics),
            access_of(offline, cache, cache_size, 4), json,
        )
    )  # fmt: skip


@campaign_app.command()
def resume(
    name: NameArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    profile: ProfileOpt = "",
    workers: WorkersOpt = None,
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    log: LogOpt = "",
    metrics: MetricsOpt = 0,
    json: JsonOpt = False,
) -> None:
    """Go on with a campaign that was paused, interrupted or killed; what is done stays done.

    Example: `sciqlop-pipe campaign resume pads --store ./store`
    """
    from . import campaigns

    raise typer.Exit(
        campaigns.resume(
            name, store, registry, campaigns.Where(profile, workers, log, metrics),
            access_of(offline, cache, cache_size, 4), json,
        )
    )  # fmt: skip


@campaign_app.command()
def status(
    name: Annotated[
        str, typer.Argument(help="Name of the campaign; all where empty.", show_default=False)
    ] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Say what is running, what is stuck and why, and when it will end.

    Example: `sciqlop-pipe campaign status pads --store ./store`
    """
    from . import campaigns

    campaigns.status(name, store, registry, json)


@campaign_app.command()
def pause(name: NameArg, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Ask a running campaign to finish what it is at, and stop; from any machine."""
    from . import campaigns

    campaigns.stop(name, store, registry, "pause")


@campaign_app.command()
def cancel(name: NameArg, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Stop a campaign for good and forget what it staged ('store gc' frees the space)."""
    from . import campaigns

    campaigns.stop(name, store, registry, "cancel")


@campaign_app.command()
def report(
    name: NameArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Say what became of a campaign: per dataset, and every granule that fails, with its error.

    Example: `sciqlop-pipe campaign report pads --store ./store`
    """
    from . import campaigns

    campaigns.report(name, store, registry, json)


@campaign_app.command()
def diff(
    name: NameArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    sample: Annotated[
        int, typer.Option(min=0, help="Changed granules read per dataset; 0 reads all.")
    ] = 200,
    pictures: Annotated[
        Path | None,
        typer.Option(help="A folder: draw the worst granule of each dataset.", show_default=False),
    ] = None,
    json: JsonOpt = False,
) -> None:
    """Compare what a campaign staged with what is current: statistics, and the worst granules.

    Example: `sciqlop-pipe campaign diff pads --store ./store --pictures ./pads-diff`
    """
    from . import campaigns

    campaigns.diff(name, store, registry, sample, pictures, json)


@campaign_app.command()
def publish(
    name: NameArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    rebase: Annotated[
        bool, typer.Option("--rebase", help="Compute again what moved meanwhile, then publish.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also when unfinished, or when granules failed.")
    ] = False,
    profile: ProfileOpt = "",
    workers: WorkersOpt = None,
) -> None:
    """Make what a campaign staged current, all of it in one transaction or nothing.

    Refused, with the list, when what it replaces or has read is no longer current; with --rebase
    that is computed again where the campaign ran, or --profile says.

    Example: `sciqlop-pipe campaign publish pads --store ./store`
    """
    from . import campaigns

    campaigns.publish(
        name, store, registry, campaigns.Where(profile, workers), rebase=rebase, partial=partial
    )


@campaign_app.command()
def rollback(name: NameArg, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """Undo the publication in one transaction; refused, with the list, where newer ones followed.

    Example: `sciqlop-pipe campaign rollback pads --store ./store`
    """
    from . import campaigns

    campaigns.rollback(name, store, registry)


@campaign_app.command()
def quarantine(
    name: NameArg,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """List the granules of a campaign that fail: how often, with which error, what was decided."""
    from . import campaigns

    campaigns.quarantine(name, store, registry, json)


@campaign_app.command()
def retry(
    name: NameArg, granules: Granules, store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = ""
) -> None:
    """Let granules out of quarantine: the next 'campaign resume' tries them again.

    Example: `sciqlop-pipe campaign retry pads 'mms1.fpi.dis.brst.vdf/20151016*'`
    """
    from . import campaigns

    campaigns.decide(name, granules, store, registry, "retry", "")


@campaign_app.command()
def excuse(
    name: NameArg,
    granules: Granules,
    why: Annotated[str, typer.Option(help="For the record: why it is done without.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Go on without granules: what is current of them stays, and publishing no longer waits.

    Example: `sciqlop-pipe campaign excuse pads 'mms1.*/20151016T1300' --why 'file is damaged'`
    """
    from . import campaigns

    campaigns.decide(name, granules, store, registry, "excused", why)
