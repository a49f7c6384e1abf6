"""`graph`, `search`, `cite`: the data tree, what there is of it, and whom to thank for it."""

from __future__ import annotations

import json as json_
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from ..errors import UnknownName, UsageError, near
from ..granule import Interval, instant, iso
from ..graph import Graph
from ..model import Dataset, Mission
from ..plan import needs
from ..publish.citing import citation, text
from ..sources.access import Access
from ..sources.doors import Wanted, needs_intervals, open_doors
from ..store import Store
from .output import wide
from .running import console, discover

out = wide()


@dataclass(frozen=True, slots=True)
class Availability:
    """What a store and some archives have, by dataset."""

    store: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    archive: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def graph(
    mission: str,
    store: str,
    registry: str,
    archives: Sequence[str],
    span: tuple[str, str],
    access: Access,
    json: bool,
) -> None:
    """Print the tree of datasets, with what a store and archives have of them where named."""
    whole = discover()
    missions = [m for m in whole.missions if not mission or m.name == mission]
    if not missions:
        raise UnknownName(
            f"there is no mission '{mission}'", "", near(mission, [m.name for m in whole.missions])
        )
    names = [d.name for m in missions for d in m.datasets]
    have = Availability(
        in_store(store, registry) if store else {},
        in_archives(whole, names, archives, span, access) if archives else {},
    )
    if json:
        print(json_.dumps(export(whole, missions, have), indent=1))
        return
    for m in missions:
        root = Tree(f"[bold]{m.name}[/]  {m.title}")
        branches: dict[tuple[str, ...], Tree] = {}
        for d in m.datasets:
            parts = d.name.split(".")
            for depth in range(1, len(parts)):
                at = tuple(parts[:depth])
                if at not in branches:
                    parent = branches[at[:-1]] if depth > 1 else root
                    branches[at] = parent.add(parts[depth - 1])
            branches[tuple(parts[:-1])].add(_leaf(whole, whole[d.name], parts[-1], have))
        out.print(root)
    for broken in whole.broken:
        out.print(f"[red]broken plugin {broken.name}[/] ({broken.value})")


def in_store(store: str, registry: str) -> dict[str, dict[str, Any]]:
    """Return what a store has, by dataset: granules, records, from, to, cadence of the last one."""
    if not Path(store).exists():
        raise UsageError("there is no store", store, "Run something first, or name another store")
    keep = ("granules", "empty", "records", "start", "stop")
    found: dict[str, dict[str, Any]] = {}
    with Store.open(store, read_only=True, registry=registry) as opened:
        for row in opened.registry.summary():
            name = row["dataset"]
            found[name] = {k: row[k] for k in keep} | {"cadence": ""}
            if not row["records"]:
                continue
            last = instant(row["stop"])
            for now in opened.registry.current(name, Interval(last, last + 1)):
                if now.path is not None and now.n > 1 and now.first is not None and now.last:
                    seconds = (now.last - now.first) / (now.n - 1) / 1e9
                    found[name]["cadence"] = f"~{seconds:.3g}s"
    return found


def in_archives(
    whole: Graph,
    names: Iterable[str],
    archives: Sequence[str],
    span: tuple[str, str],
    access: Access,
) -> dict[str, dict[str, Any]]:
    """Return what archives have, by raw dataset: number of files, from, to."""
    raws = [n for n in names if whole[n].is_raw]
    if all(span):
        wanted = needs(whole, raws, [Interval.of(*span)])
        sources = [Wanted(whole[n].source, wanted[n]) for n in raws]
    elif odd := [a for a in archives if needs_intervals(a)]:
        raise UsageError(
            "this archive can only be asked about an interval", odd[0], "Give --start and --stop"
        )
    else:
        sources = []
    listing = open_doors(archives, sources, access)
    for said in listing.gone:
        console.print(f"[yellow]{escape(said)}[/]")
    found: dict[str, dict[str, Any]] = {}
    for name in raws:
        source = whole[name].source
        files = source.candidates(listing) if source is not None else ()
        if files and source is not None:
            ends = [source.extent(f) for f in files]
            last = max(e.stop for e in ends)
            found[name] = {"files": len(files), "start": iso(files[0].start), "stop": iso(last)}
    return found


def export(whole: Graph, missions: Sequence[Mission], have: Availability) -> dict[str, Any]:
    """Return the data tree as plain values: the form that publishers and scripts read."""
    return {
        "missions": [
            {
                "name": m.name,
                "title": m.title,
                "authors": m.authors,
                "citation": m.citation,
                "acknowledgement": m.acknowledgement,
                "archives": list(m.archives),
            }
            for m in missions
        ],
        "datasets": [
            declared(whole, whole[d.name], m.name, have) for m in missions for d in m.datasets
        ],
        "broken": [b.name for b in whole.broken],
    }


def declared(whole: Graph, dataset: Dataset, mission: str, have: Availability) -> dict[str, Any]:
    """Return what is declared of one dataset, and what there is of it."""
    path = dataset.name.split(".")
    return {
        "name": dataset.name,
        "mission": mission,
        "path": path[:-1],
        "quantity": path[-1],
        "type": dataset.gives.name,
        "main": dataset.gives.main,
        "units": dataset.units,
        "cadence": cadence(dataset, have),
        "granule": str(whole.length(dataset.name)),
        "raw": dataset.is_raw,
        "recipe": dataset.recipe.name if dataset.recipe else None,
        "inputs": dict(dataset.inputs),
        "optional": [a for a, _ in dataset.inputs if not dataset.argument(a).required],
        "without": {
            i.name: i.without for i in (dataset.recipe.takes if dataset.recipe else ()) if i.without
        },
        "lost": lost(dataset),
        "params": dict(dataset.params),
        "model": dataset.model or None,
        "version": dataset.version,
        "variables": {v.name: v.units for v in dataset.gives.variables},
        "transient": dataset.transient,
        "description": dataset.description,
        "citation": dataset.citation,
        "store": have.store.get(dataset.name),
        "archive": have.archive.get(dataset.name),
    }


def described(whole: Graph, dataset: Dataset) -> dict[str, Any]:
    """Return what is declared of one dataset, without what there is of it."""
    mission = whole.mission_of.get(dataset.name)
    return declared(whole, dataset, mission.name if mission else "", Availability())


def cadence(dataset: Dataset, have: Availability) -> str:
    """Return the declared cadence, else the mean one of the store's last granule, '' if neither."""
    return dataset.cadence or have.store.get(dataset.name, {}).get("cadence", "")


def _leaf(whole: Graph, dataset: Dataset, last: str, have: Availability) -> str:
    maker = "raw" if dataset.is_raw else dataset.recipe.name if dataset.recipe else ""
    facts = [maker, str(whole.length(dataset.name))]
    if said := cadence(dataset, have):
        facts.append(f"every {said}")
    if dataset.transient:
        facts.append("transient")
    shown = f" [{dataset.units}]" if dataset.units else ""
    text = (
        f"[cyan]{last}[/] {dataset.gives.name}{escape(shown)} ({', '.join(facts)}) "
        f"[dim]{escape(dataset.description or dataset.gives.description)}[/]"
    )
    if dataset.inputs:
        needed = (
            source + ("" if dataset.argument(argument).required else " (optional)")
            for argument, source in dataset.inputs
        )
        text += f" [dim]needs {', '.join(needed)}[/]"
        text += _losses(dataset)
    if (row := have.store.get(dataset.name)) is not None:
        text += f" [green]store: {row['records']:,} records, {row['start']} to {row['stop']}[/]"
    if (row := have.archive.get(dataset.name)) is not None:
        text += f" [yellow]archive: {row['files']} files, {row['start']} to {row['stop']}[/]"
    return text


def lost(dataset: Dataset) -> dict[str, str]:
    """Return what a dataset does without, by the optional inputs that nothing is bound to."""
    if dataset.recipe is None:
        return {}
    bound = dict(dataset.inputs)
    return {i.name: i.without for i in dataset.recipe.takes if i.without and i.name not in bound}


def _losses(dataset: Dataset) -> str:
    """Return in words what a dataset does without, and would do without on days lacking inputs."""
    said = [f"without {name}: {text}" for name, text in lost(dataset).items()]
    return f" [yellow]{escape('; '.join(said))}[/]" if said else ""


def search(words: Sequence[str], json: bool) -> None:
    """Print the datasets in whose names, types, units, descriptions or missions all words occur."""
    whole = discover()
    found = matches(whole, words)
    if json:
        rows = [declared(whole, d, m.name, Availability()) for m, d in found]
        print(json_.dumps({"datasets": rows}, indent=1))
        return
    for _, d in found:
        shown = f" [{d.units}]" if d.units else ""
        text = escape(d.description or d.gives.description)
        out.print(f"[cyan]{d.name}[/] {d.gives.name}{escape(shown)} [dim]{text}[/]{_losses(d)}")
    if not found:
        known = {w for m in whole.missions for d in m.datasets for w in d.name.split(".")}
        hints = " ".join(filter(None, (near(w.lower(), known) for w in words)))
        out.print(f"No dataset has all of these words. {hints}".strip())


def matches(whole: Graph, words: Sequence[str]) -> list[tuple[Mission, Dataset]]:
    """Return the datasets that have all words; those with more of them in the name first."""
    wanted = [w.lower() for w in words]
    scored: list[tuple[int, int, Mission, Dataset]] = []
    for m in whole.missions:
        for i, d in enumerate(m.datasets):
            plain = (d.name, d.gives.name, d.gives.description, d.description, d.units, m.title)
            text = " ".join(plain).lower()
            if all(w in text for w in wanted):
                scored.append((-sum(w in d.name for w in wanted), i, m, d))
    return [(m, d) for _, _, m, d in sorted(scored, key=lambda s: (s[0], s[2].name, s[1]))]


def cite(
    names: Sequence[str], store: str, registry: str, span: tuple[str, str], json: bool
) -> None:
    """Print whom to cite and thank for datasets, with DOIs and versions."""
    whole = discover()
    if any(span) and not all(span):
        raise UsageError("half of the interval is missing", todo="Give --start and --stop")
    within = Interval(instant(span[0]), instant(span[1])) if all(span) else None
    with ExitStack() as stack:
        opened = None
        if store:
            opened = stack.enter_context(Store.open(store, read_only=True, registry=registry))
        facts = citation(whole, whole.select(names), opened, within)
    if json:
        print(json_.dumps(facts, indent=1))
        return
    _print_citation(facts)


def _print_citation(facts: Mapping[str, Any]) -> None:
    titles = {"Data", "Versions", *(m["title"] or m["name"] for m in facts["missions"])}
    for line in text(facts).splitlines():
        head = next(
            (t for t in titles if line == t or (t == "Data" and line.startswith("Data "))), ""
        )
        out.print(f"[bold]{escape(head)}[/]{escape(line[len(head) :])}" if head else escape(line))
