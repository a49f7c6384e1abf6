"""The commands' names, options and help; what they do is in the modules beside this one."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from .analyse_app import analyse_app
from .campaign_app import campaign_app
from .catalog_app import catalog_app
from .evaluate_app import evaluate, train
from .model_app import model_app
from .options import (
    DEFAULT_STORE,
    ArchiveOpt,
    CacheOpt,
    CacheSizeOpt,
    HaveOpt,
    JsonOpt,
    OfflineOpt,
    RegistryOpt,
    StartOpt,
    StopOpt,
    StoreOpt,
    access_of,
)
from .publish_app import publish_app
from .release_app import release_app
from .run_app import plan, run
from .serve_app import serve
from .several import Several
from .store_app import store_app
from .watch_app import watch

app = typer.Typer(
    name="sciqlop-pipe",
    help="From raw in situ spacecraft data to science-ready products and event catalogs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(campaign_app, name="campaign")
app.add_typer(store_app, name="store")
app.add_typer(catalog_app, name="catalog")
app.add_typer(model_app, name="model")
app.add_typer(analyse_app, name="analyse")
app.command(cls=Several)(train)
app.command(cls=Several)(evaluate)
app.add_typer(publish_app, name="publish")
app.add_typer(release_app, name="release")
app.command()(serve)
app.command()(watch)


@app.callback()
def common(
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """From raw in situ spacecraft data to science-ready products and event catalogs."""
    if version:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
def graph(
    what: Annotated[
        str,
        typer.Argument(
            help="A mission, the beginning of names (mms1.fpi.dis), or a glob.", show_default=False
        ),
    ] = "",
    depth: Annotated[
        int,
        typer.Option(
            min=0,
            show_default=False,
            help="Show so many parts of names; 0, the default, shows "
            "instruments of all missions, or all there is of one.",
        ),
    ] = 0,
    store: HaveOpt = "",
    registry: RegistryOpt = "",
    archive: ArchiveOpt = [],  # noqa: B006
    start: StartOpt = "",
    stop: StopOpt = "",
    offline: OfflineOpt = False,
    cache: CacheOpt = "",
    cache_size: CacheSizeOpt = "20GB",
    json: JsonOpt = False,
) -> None:
    """Show datasets as a tree: type, units, cadence, whence, what they need, what there is of them.

    Examples: `sciqlop-pipe graph`, `sciqlop-pipe graph mms1.fpi --store ./store`,
    `sciqlop-pipe graph wind --archive speasy --start 2020-01-01 --stop 2020-01-02`
    """
    from . import tree

    access = access_of(offline, cache, cache_size, 4)
    tree.graph(what, depth, store, registry, archive, (start, stop), access, json)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words that all must occur.")],
    every: Annotated[bool, typer.Option("--all", help="Show all that were found.")] = False,
    json: JsonOpt = False,
) -> None:
    """Find datasets by words in names, types, units, descriptions, file names, ids on servers.

    Examples: `sciqlop-pipe search mms1 pitch angle`, `sciqlop-pipe search WI_H0_MFI`
    """
    from . import tree

    tree.search(words, every, json)


@app.command()
def cite(
    names: Annotated[
        list[str],
        typer.Argument(help="Datasets, globs ('mms1.*.moments'), or pictures (quicklook.png)."),
    ],
    store: HaveOpt = "",
    registry: RegistryOpt = "",
    start: StartOpt = "",
    stop: StopOpt = "",
    json: JsonOpt = False,
) -> None:
    """Say whom to cite and thank for datasets or a picture: papers, DOIs, versions.

    Versions are those of code and, with a store or of a picture, of the files that were read.

    Examples: `sciqlop-pipe cite mms1.fpi.dis.brst.moments --store ./store`,
    `sciqlop-pipe cite quicklook.png`
    """
    from . import tree

    tree.cite(names, store, registry, (start, stop), json)


@app.command()
def explain(
    dataset: Annotated[str, typer.Argument(help="Name of a dataset.")],
    at: Annotated[
        str, typer.Option(help="A time: explain the granule that holds it.", show_default=False)
    ] = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Say how a dataset is made; with --at, from which granules and raw files one piece was made.

    Example: `sciqlop-pipe explain mms1.fpi.dis.brst.moments --at 2020-11-19T23:35`
    """
    from . import show

    show.explain(dataset, at, store, registry, json)


app.command()(plan)
app.command()(run)


@app.command()
def status(
    store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "", json: JsonOpt = False
) -> None:
    """Show what a store holds, what failed last, and how campaigns go.

    `masked` is the fraction of the records that quality flags mask, where granules tell it;
    `store quality` says by which flags, and counts those of older granules too.

    Example: `sciqlop-pipe status --store ./store`
    """
    from . import show

    show.status(store, registry, json)
    if not json:
        from . import campaigns

        campaigns.going(store, registry)


@app.command()
def quicklook(
    datasets: Annotated[
        list[str],
        typer.Argument(help="Names of datasets; not needed with --event.", show_default=False),
    ] = [],  # noqa: B006
    start: StartOpt = "",
    stop: StopOpt = "",
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG file.")] = Path(
        "quicklook.png"
    ),
    event: Annotated[
        str, typer.Option(help="Id of an event instead of an interval.", show_default=False)
    ] = "",
    each: Annotated[
        str,
        typer.Option(
            metavar="day|orbit|event|2h", help="A picture for each, into --dir.", show_default=False
        ),
    ] = "",
    folder: Annotated[
        Path, typer.Option("--dir", help="Where the pictures of --each go, with a page.")
    ] = Path("quicklooks"),
    position: Annotated[
        str,
        typer.Option(
            help="A Position to write under the time axis, by which orbits are told.",
            show_default=False,
        ),
    ] = "",
    dpi: Annotated[int, typer.Option(help="Pixels per inch, 14 inches wide.", min=50)] = 100,
) -> None:
    """Draw datasets of an interval, one panel each, into a PNG; or all days, orbits or events.

    With --each, pictures that are there and still show the same are not drawn again. Exit status 1
    when some could not be drawn.

    Example: `sciqlop-pipe quicklook mms1.fpi.dis.brst.moments mms1.fpi.dis.brst.energy_spectrum
    --start 2020-11-19T23:34 --stop 2020-11-19T23:37 -o shock.png`
    """
    from . import show

    if each:
        span = (start, stop)
        raise typer.Exit(
            show.quicklooks(datasets, span, store, registry, each, folder, position, dpi)
        )
    show.quicklook(datasets, start, stop, store, registry, output, event, position, dpi)


@app.command()
def dash(
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    address: Annotated[
        str, typer.Option(help="Where to listen. Other machines may look, and write with --login.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 5006,
    login: Annotated[
        str,
        typer.Option(
            metavar="FILE", show_default=False, help='Users and passwords, JSON: {"name": "word"}.'
        ),
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Show, and write nothing.")
    ] = False,
    origin: Annotated[
        list[str],
        typer.Option(metavar="HOST", show_default=False, help="Host behind a proxy; repeatable."),
    ] = [],  # noqa: B006
    link: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=URL",
            show_default=False,
            help="Another page: Prefect=http://localhost:4200.",
        ),
    ] = [],  # noqa: B006
) -> None:
    """Serve dashboards: explorer, events, distributions, campaigns.

    Off this machine they are read-only unless --login is given, or SCIQLOP_PIPE_DASH_TOKEN is set.

    Example: `sciqlop-pipe dash --store ./store`
    """
    from . import dash_app

    dash_app.dash(store, registry, address, port, login, read_only, origin, link)


@app.command()
def report(
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML file.")] = Path(
        "report.html"
    ),
    catalog: Annotated[str, typer.Option(help="On this catalog.", show_default=False)] = "",
    campaign: Annotated[str, typer.Option(help="On this campaign.", show_default=False)] = "",
    start: StartOpt = "",
    stop: StopOpt = "",
    pictures: Annotated[int, typer.Option(min=0, help="How many pictures.")] = 8,
) -> None:
    """Write what a catalog, a campaign or a store holds into one HTML file that needs no network.

    Example: `sciqlop-pipe report --catalog mms1.boundary_crossings -o crossings.html`
    """
    from . import dash_app

    dash_app.report(store, registry, output, catalog, campaign, (start, stop), pictures)


@app.command("new-mission")
def new_mission(
    name: Annotated[str, typer.Argument(help="Of the mission: lower-case letters, digits and _.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="A new or empty folder.  [default: ./sciqlop-pipe-NAME]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a plugin that adds a mission: instrument, recipe, product, and a test that passes.

    Example: `sciqlop-pipe new-mission cassini --dir ~/code/cassini`
    """
    from . import authoring

    authoring.new_mission(name, folder or Path(f"sciqlop-pipe-{name.replace('_', '-')}"))


@app.command()
def doctor(
    store: StoreOpt = DEFAULT_STORE,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="FILE",
            show_default=False,
            help="Start the cluster of this profile too, and check its workers.",
        ),
    ] = "",
    json: JsonOpt = False,
) -> None:
    """Check versions, plugins, write access, registry and network; say how to get what is missing.

    With --profile a cluster is started and each worker asked for its versions and the store.

    Example: `sciqlop-pipe doctor --profile slurm.toml`
    """
    from . import health

    raise typer.Exit(health.doctor(store, profile, json))


@cache
def commands() -> Any:
    """Return all commands, put together once: that takes longer than most of them."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line; a refusal is one clear message and exit status 2."""
    try:
        commands()()
    except Exception as error:
        from ..errors import PipeError

        if "--traceback" in sys.argv or not isinstance(error, (PipeError, OSError)):
            raise
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(2)
