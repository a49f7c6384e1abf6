"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..sources.access import Access


DEFAULT_STORE = "./sciqlop-store"

StoreOpt = Annotated[
    str, typer.Option("--store", envvar="SCIQLOP_PIPE_STORE", help="The store.", metavar="DIR")
]
RegistryOpt = Annotated[
    str,
    typer.Option(
        "--registry",
        envvar="SCIQLOP_PIPE_REGISTRY",
        metavar="URL",
        help="Registry database, when it is not inside the store.",
    ),
]
OfflineOpt = Annotated[
    bool,
    typer.Option(
        "--offline", help="Never touch the network: folders, and what the cache holds, are enough."
    ),
]
CacheOpt = Annotated[
    str,
    typer.Option(
        "--cache",
        envvar="SCIQLOP_PIPE_CACHE",
        metavar="DIR",
        show_default=False,
        help="Where downloads are kept.  [default: ~/.cache/sciqlop-pipe]",
    ),
]
CacheSizeOpt = Annotated[
    str, typer.Option("--cache-size", help="How large the cache may grow; 0 keeps nothing.")
]
AtOnceOpt = Annotated[
    int,
    typer.Option(
        "--requests", min=1, help="How many requests of all workers one server sees at once."
    ),
]
LogOpt = Annotated[
    str,
    typer.Option(
        "--log", metavar="FILE", show_default=False, help="Append a JSON line per granule."
    ),
]
MetricsOpt = Annotated[
    int,
    typer.Option(
        "--metrics", metavar="PORT", show_default=False,
        help="Serve Prometheus metrics on this port of 127.0.0.1 while it runs.",
    ),
]  # fmt: skip
JsonOpt = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Targets = Annotated[
    list[str],
    typer.Argument(help="Names of datasets, or globs ('mms1.*.moments').", show_default=False),
]
ArchiveOpt = Annotated[
    list[str],
    typer.Option(
        "--archive",
        metavar="DOOR",
        show_default=False,
        help="Where mission files are: a folder, a URL, `speasy`, `speasy:cda`, "
        "`hapi+https://SERVER/hapi`, `https://.../{start:%Y}/{start:%m}/`. May be given several "
        "times, best first.",
    ),
]
StartOpt = Annotated[
    str, typer.Option(help="First instant, UTC, e.g. 2015-12-01T09:00.", show_default=False)
]
StopOpt = Annotated[str, typer.Option(help="End, not included.", show_default=False)]
IntervalsOpt = Annotated[
    str,
    typer.Option(
        "--intervals",
        metavar="FILE",
        show_default=False,
        help="Intervals from CSV, VOTable or a catalog.",
    ),
]
PadOpt = Annotated[
    str, typer.Option("--pad", help="Widen every interval, e.g. 5min.", show_default=False)
]
HaveOpt = Annotated[
    str,
    typer.Option("--store", metavar="DIR", show_default=False, help="Show what this store has."),
]


def access_of(offline: bool, cache: str, cache_size: str, at_once: int) -> Access:
    """Return how raw files are got, from the words of the command line."""
    from ..sources.access import Access, default_cache, size_of

    limit = size_of(cache_size)
    folder = cache or str(default_cache())
    return Access(offline, folder if limit else "", limit, at_once)
