"""The pages of the reference that are made from the code: commands, datasets, DataTypes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer

from sciqlop_pipe import datatypes
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Dataset


def write(folder: Path) -> None:
    """Write every page into a folder; a page that says the same stays untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"commands": commands(), "datasets": datasets(Graph.discover()), "datatypes": types()}
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def walk(command: Any = None, name: str = "sciqlop-pipe") -> Iterator[tuple[str, Any]]:
    """Yield the full name and the click command of everything that can be typed."""
    command = command or typer.main.get_command(app)
    yield name, command
    for word, below in sorted(getattr(command, "commands", {}).items()):
        yield from walk(below, f"{name} {word}")


def commands() -> str:
    """Return a page with the help of every command, as the terminal shows it without colours."""
    lines = ["# Commands", "", "What `--help` says, of every command.", ""]
    for name, command in walk():
        context = click.Context(command, info_name=name)
        lines += [f"## {name}", "", (command.help or "").split("\n\nExample")[0].strip(), ""]
        if example := _example(command.help or ""):
            lines += ["```sh", example, "```", ""]
        rows = [p.get_help_record(context) for p in command.params]
        rows = [(a, b) for a, b in filter(None, rows) if "--help" not in a]
        if rows:
            lines += ["| option | |", "|---|---|"]
            lines += [f"| `{_cell(a)}` | {_cell(b)} |" for a, b in rows]
            lines.append("")
    return "\n".join(lines)


def _example(text: str) -> str:
    """Return the command of a help text's example, on one line."""
    if "Example: `" not in text:
        return ""
    return " ".join(text.split("Example: `")[1].split("`")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def datasets(graph: Graph) -> str:
    """Return a page with every dataset by mission; what is derived by rule is counted."""
    lines = [
        "# Datasets",
        "",
        "Every dataset of the missions that come along; of like spacecraft the first is named.",
        "`sciqlop-pipe graph MISSION` shows them with what a store has of each. Series and",
        "spectra also have overviews (`.overview_1min`, `.overview_1h`).",
        "",
    ]
    for mission in graph.missions:
        own = [d for d in mission.datasets if ".overview_" not in d.name]
        lines += [
            f"## {mission.name}",
            "",
            mission.title or mission.name,
            "",
            f"{len(own)} datasets.",
            "",
        ]
        lines += ["| dataset | gives | |", "|---|---|---|"]
        lines += [f"| `{d.name}` | {d.gives.name} | {_about(d)} |" for d in _alike(own)]
        lines.append("")
    return "\n".join(lines)


def _alike(rows: list[Dataset]) -> list[Dataset]:
    """Return one dataset for spacecraft 1 to 4 (or a to e) that have the same ones."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for d in rows:
        craft, _, rest = d.name.partition(".")
        key = (craft.rstrip("1234abcde"), rest)
        if key not in seen:
            seen.add(key)
            kept.append(d)
    return kept


def _about(d: Dataset) -> str:
    said = d.description or (d.recipe.summary if d.recipe else "")
    return _cell(said)


def types() -> str:
    """Return a page with every DataType: variables, dimensions, units."""
    every = sorted(
        {t.name: t for t in vars(datatypes).values() if isinstance(t, DataType)}.values(),
        key=lambda t: t.name,
    )
    lines = ["# DataTypes", "", "The shapes that missions share.", ""]
    for t in every:
        about = t.description[:1].upper() + t.description[1:]
        lines += [f"## {t.name}", "", f"{about + '. ' if about else ''}Version {t.version}.", ""]
        lines += ["| variable | dimensions | units | |", "|---|---|---|---|"]
        for v in t.variables:
            dims = " or ".join(f"({', '.join(d)})" for d in v.dims)
            units = "any" if v.units == "*" else v.units
            need = "" if v.required else "optional"
            lines.append(f"| `{v.name}` | {dims} | {units} | {need} |")
        lines.append("")
    return "\n".join(lines)
