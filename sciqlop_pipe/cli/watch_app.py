"""The command `watch`: what in a store needs a person."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    DEFAULT_STORE,
    ArchiveOpt,
    CacheOpt,
    CacheSizeOpt,
    JsonOpt,
    OfflineOpt,
    RegistryOpt,
    StoreOpt,
    access_of,
)


def watch(
    fresh: Annotated[
        list[str],
        typer.Option(
            "--fresh",
            metavar="DATASET=AGE",
            show_default=False,
            help="How old the newest record of a dataset may be; may be given several times.",
        ),
    ] = [],  # noqa: B006
    stalled_after: Annotated[str, typer.Option(help="How long a run may record nothing.")] = "2h",
    drift: Annotated[
        float,
        typer.Option(
            min=0,
            help="How far from what a model has seen its median record may be; 95 % of what it was "
            "trained on are within 1.",
        ),
    ] = 2.0,
    content: Annotated[
        bool, typer.Option("--content", help="Read and hash every granule, not just find it.")
    ] = False,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    archive: ArchiveOpt = [],  # noqa: B006
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    json: JsonOpt = False,
) -> None:
    """Say what needs a person: damage, late data, stalled runs, failures, drift, dead archives.

    A model drifts when most of what it sees is unlike what it was trained on.
    Exit status: 0 nothing, 1 something does, 2 refused.

    Example: `sciqlop-pipe watch --store ./store --fresh ace.mfi.16s.b_gse=72h`
    """
    from dataclasses import asdict
    from json import dumps

    from rich.markup import escape

    from ..concerns import concerns
    from ..errors import UsageError
    from ..store import Store
    from .output import wide

    limits = dict(word.partition("=")[::2] for word in fresh)
    if odd := [name for name, age in limits.items() if not age]:
        raise UsageError(f"how old may {odd[0]} be", "--fresh", "Say --fresh DATASET=36h")
    with Store.open(store, registry=registry) as opened:
        found = list(
            concerns(
                opened, limits, archive, access_of(offline, cache, cache_size, 4), stalled_after,
                drift, content=content,
            )
        )  # fmt: skip
    if json:
        print(dumps([asdict(c) for c in found], indent=1))
    else:
        out = wide()
        for c in found:
            out.print(f"[red]{c.kind:8}[/] {c.where}: {escape(c.said)}")
        if not found:
            out.print("Nothing needs a person.")
    raise typer.Exit(int(bool(found)))
