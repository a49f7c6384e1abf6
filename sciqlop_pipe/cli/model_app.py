"""The `model` commands: list and promote trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, RegistryOpt, StoreOpt
from .output import wide

model_app = typer.Typer(no_args_is_help=True, help="Trained models that detectors use.")


@model_app.command("list")
def list_(store: StoreOpt = DEFAULT_STORE, registry: RegistryOpt = "") -> None:
    """List the models that names stand for: promoted in the store, or shipped."""
    from rich.table import Table

    from ..detect.promoted import shipped
    from ..detect.trained import load_trained
    from ..store import Store
    from ..store.mark import MARK

    rows = {name: ("shipped", folder) for name, folder in shipped().items()}
    if (Path(store) / MARK).exists():
        with Store.open(store, read_only=True, registry=registry) as opened:
            rows |= {n: ("promoted", Path(store) / p) for n, (_, p) in opened.models().items()}
    table = Table("model", "from", "content", "trained on")
    for name, (origin, folder) in sorted(rows.items()):
        model = load_trained(folder)
        table.add_row(name, origin, model.content[:12], model.card.training)
    wide().print(table)


@model_app.command("promote")
def promote(
    name: Annotated[str, typer.Argument(help="Name that products refer to, e.g. regions.")],
    folder: Annotated[Path, typer.Argument(help="Folder with model.skops and card.json.")],
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Make a trained model the one its name stands for; what older ones made becomes stale.

    Example: `sciqlop-pipe model promote regions ./my-model`
    """
    from ..detect.promoted import promote as make_promoted
    from ..store import Store

    with Store.open(store, registry=registry) as opened:
        content, _ = make_promoted(opened, name, folder)
    typer.echo(f"{name} is now {content[:12]}; 'sciqlop-pipe plan' shows what is stale by it")
