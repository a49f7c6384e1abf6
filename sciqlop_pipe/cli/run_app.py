"""The commands `plan` and `run`: what would be made, and making it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from .options import (
    DEFAULT_STORE,
    ArchiveOpt,
    AtOnceOpt,
    CacheOpt,
    CacheSizeOpt,
    IntervalsOpt,
    JsonOpt,
    LogOpt,
    MetricsOpt,
    OfflineOpt,
    PadOpt,
    RegistryOpt,
    StartOpt,
    StopOpt,
    StoreOpt,
    Targets,
    access_of,
)


def plan(
    targets: Targets,
    start: StartOpt = "",
    stop: StopOpt = "",
    intervals: IntervalsOpt = "",
    pad: PadOpt = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    archive: ArchiveOpt = [],  # noqa: B006
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    json: JsonOpt = False,
) -> None:
    """Show what a run would make, and why it is stale. Changes nothing.

    Example: `sciqlop-pipe plan 'mms1.fpi.*.moments' --start 2020-11-19 --stop 2020-11-20
    --archive ~/data/mms`
    """
    from . import running

    running.plan(
        targets,
        running.spans(start, stop, intervals, pad),
        store,
        registry,
        archive,
        access_of(offline, cache, cache_size, 4),
        json,
    )


def run(
    targets: Targets,
    start: StartOpt = "",
    stop: StopOpt = "",
    intervals: IntervalsOpt = "",
    pad: PadOpt = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    archive: ArchiveOpt = [],  # noqa: B006
    workers: Annotated[int, typer.Option(help="Worker processes; 0 runs in this process.")] = (
        os.cpu_count() or 2
    ),
    scheduler: Annotated[
        str, typer.Option(help="Address of a running Dask scheduler instead.", show_default=False)
    ] = "",
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="FILE",
            show_default=False,
            help="A TOML or YAML file that says where it runs (SSH, SLURM, Kubernetes ...).",
        ),
    ] = "",
    salvage: Annotated[
        bool,
        typer.Option(
            "--salvage", help="Read the whole variables of truncated files; what is lost is named."
        ),
    ] = False,
    stage: Annotated[
        str,
        typer.Option(
            help="Keep results aside under this label, to be published.", show_default=False
        ),
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep transient targets too.")] = False,
    granule: Annotated[
        str, typer.Option(help="Granule length for the targets, e.g. 1d.", show_default=False)
    ] = "",
    no_sync: Annotated[bool, typer.Option("--no-sync", help="Do not wait for the disk.")] = False,
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    requests: AtOnceOpt = 4,
    log: LogOpt = "",
    metrics: MetricsOpt = 0,
    json: JsonOpt = False,
) -> None:
    """Make the targets, and everything they need, current in an interval.

    What is current already is not computed again; the same command resumes after an interruption.
    Exit status: 0 all well (also where an instrument has no data in the interval), 1 some granules
    failed, 2 refused, 3 nothing at all was found of a target, neither in the store nor at any door,
    130 interrupted.

    Example: `sciqlop-pipe run mms1.fpi.dis.brst.moments --start 2020-11-19T23:34 --stop
    2020-11-19T23:37 --archive ~/data/mms --store ./store`
    """
    from . import running

    status = running.run(
        targets,
        running.spans(start, stop, intervals, pad),
        store,
        registry,
        archive,
        running.How(
            workers,
            scheduler,
            salvage,
            stage,
            keep,
            granule,
            not no_sync,
            access_of(offline, cache, cache_size, requests),
            profile,
            log,
            metrics,
        ),
        json,
    )
    raise typer.Exit(status)
