"""`new-mission`: the plugin that an author starts from."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import typer

from ..authors import write_mission
from ..graph import GROUP
from .running import discover


def new_mission(name: str, folder: Path) -> None:
    """Write a plugin and say what to do next."""
    taken = {point.name for point in entry_points(group=GROUP)}  # broken ones too
    taken |= {dataset.partition(".")[0] for dataset in discover().nodes}
    for path in write_mission(name, folder, taken):
        typer.echo(f"wrote {path}")
    typer.echo(
        f"Next: cd {folder}, pip install -e '.[test]', pytest, sciqlop-pipe graph {name}. "
        "Its README says what to change."
    )
