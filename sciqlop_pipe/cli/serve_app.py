"""`serve`: a store as a HAPI server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STORE, RegistryOpt, StoreOpt

if TYPE_CHECKING:
    from ..graph import Graph
    from ..ondemand import Broker
    from ..publish.hapi.limits import Limits
    from ..store import Store

ComputeOpt = Annotated[
    bool, typer.Option("--compute", help="Make what the store lacks when it is asked for.")
]
LARGEST = Annotated[
    str, typer.Option("--max-bytes", metavar="SIZE", help="Largest answer (as binary).")
]
LONGEST = Annotated[
    str, typer.Option("--max-range", help="Longest interval, e.g. 31d.", show_default=False)
]


def serve(
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets others in.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port; 0 takes any that is free.")] = 8000,
    compute: ComputeOpt = False,
    workers: Annotated[int, typer.Option(min=1, help="With --compute: how many at work.")] = 2,
    title: Annotated[str, typer.Option(help="What the server is called.")] = "SciQLOP Pipe",
    contact: Annotated[str, typer.Option(help="Whom to write to about it.")] = "not given",
    max_bytes: LARGEST = "10GB",
    max_range: LONGEST = "",
    streams: Annotated[int, typer.Option(min=1, help="Answers that are sent at once.")] = 32,
    rate: Annotated[
        float, typer.Option(min=0, help="Requests a second of one address; 0 is any.")
    ] = 100.0,
) -> None:
    """Serve a store to any HAPI client (hapiclient, speasy, Autoplot, SPEDAS), read only.

    The landing page lists what there is. Ctrl-C stops it.

    Example: `sciqlop-pipe serve --store ./store --port 8000`
    """
    from ..errors import UsageError
    from ..store import Store

    try:
        from ..publish.hapi.app import About, HapiApp
        from ..publish.hapi.library import Library
        from ..publish.hapi.server import bound, run
    except ModuleNotFoundError as error:
        raise UsageError(
            f"serving needs {error.name}", todo="pip install 'sciqlop-pipe[serve]'"
        ) from None
    from .running import console, discover

    limits = limits_of(max_bytes, max_range, streams, rate)
    graph = discover()
    try:
        sock = bound(host, port)
    except OSError as error:
        raise UsageError(
            f"nothing can listen here ({error.strerror or error})",
            f"{host} port {port}",
            "Take another --port, or --port 0 for any that is free",
        ) from None
    with Store.open(store, read_only=not compute, registry=registry) as opened:
        broker = broker_of(opened, graph, workers) if compute else None
        library = Library(opened, graph, broker.makeable if broker else None)
        app = HapiApp(library, limits, About(title=title, contact=contact), broker)
        at = f"{host}:{sock.getsockname()[1]}"
        console.print(f"{len(library.extents())} datasets at http://{at}/hapi (Ctrl-C stops)")
        try:
            run(app, sock)
        finally:
            if broker is not None:
                broker.close()


def limits_of(max_bytes: str, max_range: str, streams: int, rate: float) -> Limits:
    """Return what a server allows, from the words of the command line."""
    from ..granule import SECOND, duration
    from ..publish.hapi.limits import Limits
    from ..sources.access import size_of

    seconds = duration(max_range) / SECOND if max_range else 0.0
    return Limits(
        nbytes=size_of(max_bytes), seconds=seconds, streams=streams, rate=rate, burst=2 * rate
    )


def broker_of(store: Store, graph: Graph, workers: int) -> Broker:
    """Return what makes granules for the clients of a server."""
    from ..ondemand import Broker

    return Broker(store, graph, workers=workers)
