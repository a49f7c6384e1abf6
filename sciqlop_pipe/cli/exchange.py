"""What the `catalog` commands do that take events to other programs and back."""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from ..catalog import (
    Catalog,
    Merge,
    Reading,
    judged,
    merge,
    pull,
    push,
    read_catalog,
    to_csv,
    to_json,
    to_tscat,
    to_votable,
)
from ..errors import UsageError
from ..granule import iso
from ..store import Store
from ..store.events import find_event, verdicts
from ..store.statements import edits
from .output import wide

WRITERS = {
    ".tscat.json": to_tscat,
    ".csv": to_csv,
    ".json": to_json,
    ".xml": to_votable,
    ".vot": to_votable,
    ".votable": to_votable,
}


def export(catalog: Catalog, output: Path, store: str, registry: str) -> None:
    """Write a catalog in the form that a file's name asks for; as judged where a store is given."""
    write = next((w for end, w in WRITERS.items() if output.name.endswith(end)), None)
    if write is None:
        raise UsageError(
            f"'{output.suffix}' is not a catalog format", todo=f"Use one of {', '.join(WRITERS)}"
        )
    if store:
        with Store.open(store, read_only=True, registry=registry) as opened:
            catalog = judged(opened, catalog)
    output.write_text(write(catalog), encoding="utf-8")
    typer.echo(f"wrote {len(catalog.events)} events to {output}")


def merge_file(name: str, file: Path, author: str, store: str, registry: str, json: bool) -> int:
    """Merge a file into a catalog; return the exit status."""
    found = read_catalog(file.read_text(encoding="utf-8-sig"), str(file), name)
    return _merge(name, found, author, store, registry, json)


def pull_tscat(name: str, author: str, store: str, registry: str, json: bool) -> int:
    """Merge what is in TSCat into a catalog; return the exit status."""
    return _merge(name, pull(name), author, store, registry, json)


def _merge(name: str, found: Reading, author: str, store: str, registry: str, json: bool) -> int:
    with Store.open(store, registry=registry) as opened:
        made = merge(opened, name, found, author)
    if json:
        typer.echo(json_.dumps(asdict(made), indent=1))
    else:
        _say(made)
    return int(bool(made.refused))


def _say(made: Merge) -> None:
    for note in made.notes:
        wide().print(f"[yellow]note[/] {escape(note)}")
    for wrong in made.refused:
        wide().print(f"[red]refused[/] {escape(wrong)}")
    wide().print(
        f"{made.added.verdicts} verdicts and {made.added.edits} edits are new, "
        f"{len(made.refused)} rows were refused"
    )


def push_tscat(catalog: Catalog) -> None:
    """Bring TSCat up to date with a catalog."""
    done = push(catalog)
    wide().print(
        f"{done.made} events made in TSCat, {done.updated} updated, {done.same} as they were, "
        f"{done.superseded} marked superseded"
    )
    if done.edited:
        wide().print(
            f"[yellow]{len(done.edited)} were edited there and left alone[/]; "
            f"'catalog pull {catalog.dataset}' brings the edits in"
        )


def history(event: str, store: str, registry: str, json: bool) -> None:
    """Print all that was said of an event, oldest first."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        dataset, found = find_event(opened.registry.db, event)
        said, lost = verdicts(opened.registry.db, dataset)
        changed = [e for e in edits(opened.registry.db, dataset) if e.event == found.id]
    rows: list[dict[str, Any]] = [
        {"at": iso(v.at), "author": v.author, "said": v.verdict, "comment": v.comment}
        | ({"start": iso(v.start), "stop": iso(v.stop)} if v.start is not None and v.stop else {})
        for v in (*said.get(found.id, ()), *(v for v in lost if v.event == found.id))
    ]
    rows += [
        {"at": iso(e.at), "author": e.author, "said": f"{e.name}: {e.was} -> {e.value}"}
        for e in changed
    ]
    rows.sort(key=lambda r: str(r["at"]))
    if json:
        typer.echo(json_.dumps({"event": found.id, "dataset": dataset, "history": rows}, indent=1))
        return
    wide().print(f"{found.id} {dataset} {found.kind} {iso(found.start)} to {iso(found.stop)}")
    for row in rows:
        more = " ".join(str(row[k]) for k in ("start", "stop", "comment") if row.get(k))
        wide().print(
            f"{row['at'][:19]}  {escape(row['author'])}: {escape(row['said'])} {escape(more)}"
        )
