"""`explain`, `status`, `quicklook`: looking at what is declared and what there is."""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.tree import Tree
from sqlalchemy.exc import NoResultFound

from ..concerns import at_work
from ..errors import UsageError
from ..granule import Interval, instant, iso
from ..graph import Graph
from ..model import Dataset
from ..publish.datatree import doors, known_as
from ..store import Store
from ..store.records import Current
from .output import wide
from .running import console, discover
from .tree import described

out = wide()


def explain(dataset: str, at: str, store: str, registry: str, json: bool) -> None:
    """Print how a dataset, or one granule of it, is made."""
    whole = discover()
    declared = whole[dataset]
    if not at:
        if json:
            print(json_.dumps(described(whole, declared), indent=1))
            return
        out.print(_recipe_tree(whole, dataset, Tree(_node_text(whole, dataset))))
        return
    with Store.open(store, read_only=True, registry=registry) as opened:
        when = instant(at)
        rows = opened.registry.current(dataset, Interval(when, when + 1))
        if not rows:
            raise UsageError(
                f"the store has no granule of {dataset} at {at}",
                store,
                "Run it first: 'sciqlop-pipe run'",
            )
        if json:
            print(json_.dumps(_lineage_json(opened, rows[0].uid), indent=1))
            return
        out.print(_lineage_tree(opened, rows[0], Tree(_granule_text(opened, rows[0].uid))))


def _node_text(graph: Graph, name: str) -> str:
    d = graph[name]
    if d.is_raw:
        pattern = getattr(d.source, "pattern", "")
        files = pattern if isinstance(pattern, str) else " or ".join(pattern)
        text = f"[bold]{name}[/] {d.gives.name}, raw, adapter version {d.version}, files {files}"
        return f"{text}; {escape(_whence(graph, d))}"
    params = ", ".join(f"{k}={v}" for k, v in d.params)
    assert d.recipe is not None
    return f"[bold]{name}[/] {d.gives.name} = {d.recipe.name} version {d.version}({params})"


def _whence(graph: Graph, d: Dataset) -> str:
    """Return how the files or variables of a raw dataset may be got."""
    if words := doors(d):
        names = ", ".join(known_as(d))
        return f"got by --archive {' or '.join(words)} ({names}), or from a folder or URL"
    mission = graph.mission_of.get(d.name)
    where = f" from {' or '.join(mission.archives)}" if mission and mission.archives else ""
    return f"no server is declared: bring the files{where} into a folder, give --archive FOLDER"


def _recipe_tree(graph: Graph, name: str, tree: Tree) -> Tree:
    d = graph[name]
    for argument, source in d.inputs:
        optional = "" if d.argument(argument).required else " (optional)"
        margin = d.margin(argument)
        note = f" margin {margin / 1e9:g} s" if margin else ""
        branch = tree.add(f"{argument}{optional}{note}: {_node_text(graph, source)}")
        _recipe_tree(graph, source, branch)
    return tree


def _granule_text(store: Store, uid: str) -> str:
    row = store.registry.row(uid)
    span = f"{iso(row['start'])} to {iso(row['stop'])}"
    parts = [
        f"[bold]{row['dataset']}[/] {span}",
        f"{row['n']} records",
        row["code"],
        f"content {row['content'][:12]}",
        f"run {row['run']}",
    ]
    if row["params"] != "{}":
        parts.append(f"params {row['params']}")
    if row["quality"] != "{}":
        parts.append(f"[yellow]quality {row['quality']}[/]")
    if row["completeness"] < 1:
        parts.append(
            f"[yellow]completeness {row['completeness']:.2f}, waits for {row['waits_for']}[/]"
        )
    return ", ".join(parts)


def _lineage_tree(store: Store, row: Current, tree: Tree) -> Tree:
    _grow(store, row.uid, tree)
    return tree


def _grow(store: Store, uid: str, tree: Tree) -> None:
    for used in store.registry.lineage(uid):
        if used.kind == "granule":
            try:
                text = _granule_text(store, used.ref)
            except NoResultFound:  # the granule itself was forgotten, its hash was not
                tree.add(
                    f"{used.argument}: {used.name} {iso(used.start)} content {used.content[:12]}"
                )
                continue
            _grow(store, used.ref, tree.add(f"{used.argument}: {text}"))
        elif used.kind == "file":
            tree.add(f"file {used.name} {used.content}")
        else:
            tree.add(f"{used.kind} {used.name} {used.content}")


def _lineage_json(store: Store, uid: str) -> dict[str, Any]:
    row = store.registry.row(uid)
    inputs: list[dict[str, Any]] = []
    for used in store.registry.lineage(uid):
        item: dict[str, Any] = {
            "argument": used.argument,
            "kind": used.kind,
            "name": used.name,
            "content": used.content,
        }
        if used.kind == "granule":
            item["granule"] = _lineage_json(store, used.ref)
        inputs.append(item)
    keep = (
        "uid",
        "dataset",
        "n",
        "fingerprint",
        "content",
        "path",
        "code",
        "params",
        "quality",
        "run",
    )
    facts = {k: row[k] for k in keep} | {"start": iso(row["start"]), "stop": iso(row["stop"])}
    return facts | {"inputs": inputs}


def status(store: str, registry: str, json: bool) -> None:
    """Print what a store holds and what failed last."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        rows = opened.registry.summary()
        failed = opened.registry.unresolved()
        runs = [asdict(run) for run in at_work(opened)] if json else []
    if json:
        print(json_.dumps({"datasets": rows, "failures": failed, "runs": runs}, indent=1))
        return
    columns = ("dataset", "granules", "empty", "records", "masked", "MB", "from", "to")
    table = Table(*columns, title=store)
    for r in rows:
        table.add_row(
            r["dataset"],
            str(r["granules"]),
            str(r["empty"] or ""),
            f"{r['records']:,}",
            "" if r["masked"] is None else f"{r['masked']:.2%}",
            f"{r['bytes'] / 1e6:.1f}",
            r["start"],
            r["stop"],
        )
    out.print(table)
    for f in failed[:20]:
        out.print(f"[red]{f['state']}[/] {f['dataset']} {f['start']}: {escape(f['error'])}")
    if len(failed) > 20:
        out.print(f"... and {len(failed) - 20} more (--json lists all)")


def quicklook(
    datasets: list[str], start: str, stop: str, store: str, registry: str, output: Path, event: str,
    position: str, dpi: int,
) -> None:  # fmt: skip
    """Draw datasets of an interval, or around an event, into a PNG."""
    from ..publish.quicklook import draw_event, draw_interval

    with Store.open(store, read_only=True, registry=registry) as opened:
        if event:
            draw_event(opened, event, output, datasets)
        else:
            span = _span(start, stop)
            draw_interval(opened, datasets, span, output, dpi=dpi, position=position)
    out.print(f"wrote {output}")


def _span(start: str, stop: str) -> Interval:
    if not start or not stop:
        raise UsageError("the interval is missing", todo="Give --start and --stop, or --event ID")
    return Interval.of(start, stop)


def quicklooks(
    datasets: list[str], span: tuple[str, str], store: str, registry: str, each: str, folder: Path,
    position: str, dpi: int,
) -> int:  # fmt: skip
    """Draw a picture per day, orbit or event; return the exit status."""
    from ..publish.batch import draw_all, gallery, sheets

    counts = dict.fromkeys(("new", "changed", "same", "empty", "failed"), 0)
    with Store.open(store, read_only=True, registry=registry) as opened:
        wanted = sheets(opened, datasets, _span(*span), each, position)
        with console.status("") as said:
            for k, made in enumerate(draw_all(opened, wanted, folder, dpi=dpi), 1):
                counts[made.state] += 1
                said.update(f"{k} of {len(wanted)}: {made.path.name} {made.state}")
                if made.error:
                    console.print(f"[red]failed[/] {made.path.name}: {escape(made.error)}")
    if counts["new"] + counts["changed"] + counts["same"]:
        gallery(folder, f"{', '.join(datasets)} per {each}")
    words = ", ".join(f"{n} {state}" for state, n in counts.items() if n) or "nothing to draw"
    out.print(f"{words}; {folder / 'index.html'}")
    return int(bool(counts["failed"]))
