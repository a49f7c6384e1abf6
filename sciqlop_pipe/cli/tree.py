"""`graph`, `search`, `cite`: the data tree, what there is of it, and whom to thank for it."""

from __future__ import annotations

import json as json_
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from ..errors import UnknownName, UsageError, near
from ..granule import Interval, instant
from ..graph import Graph
from ..model import Dataset, Mission
from ..publish.citing import as_drawn, citation, text
from ..publish.datatree import (
    Availability,
    cadence,
    declared,
    doors,
    export,
    in_archives,
    in_store,
    lost,
    matches,
    occurrences,
    units,
)
from ..publish.drawn import Drawn, drawn_in
from ..sources.access import Access
from ..store import Store
from .output import wide
from .running import console, discover

out = wide()

_OVERVIEW = 2
"""Of all missions only spacecraft and instruments are shown: their datasets are thousands."""
_SHOWN = 40
_FILES_ONLY = "files only"


def graph(
    what: str,
    depth: int,
    store: str,
    registry: str,
    archives: Sequence[str],
    span: tuple[str, str],
    access: Access,
    json: bool,
) -> None:
    """Print the tree of datasets, with what a store and archives have of them where named."""
    whole = discover()
    missions = chosen(whole, what)
    names = [d.name for m in missions for d in m.datasets]
    found, gone = in_archives(whole, names, archives, span, access) if archives else ({}, ())
    have = Availability(_stored(store, registry) if store else {}, found, gone)
    for said in have.gone:
        console.print(f"[yellow]{escape(said)}[/]")
    if json:
        print(json_.dumps(export(whole, missions, have), indent=1))
        return
    depth = depth or (1000 if what else _OVERVIEW)
    for m in missions:
        root = Tree(f"[bold]{m.name}[/]  {escape(m.title)}")
        branch, shown = Branch.of(whole[d.name] for d in m.datasets), depth
        if list(branch.parts) == [m.name] and not branch.leaves:  # ace > ace says nothing
            branch, shown = branch.parts[m.name], depth - 1
        _grow(root, branch, shown, whole, have, alike=True)
        out.print(root, soft_wrap=False)
        _say_files_only(m, whole, depth)
    if not what:
        out.print("[dim]More of one: sciqlop-pipe graph MISSION, or the beginning of a name[/]")
    for broken in whole.broken:
        out.print(f"[red]broken plugin {broken.name}[/] ({broken.value})")


def chosen(whole: Graph, what: str) -> list[Mission]:
    """Return missions with those datasets that a word means: a mission, beginning of names, glob.

    Raises
    ------
    UnknownName
        It means nothing; near words are offered.
    """
    if not what:
        return list(whole.missions)
    if exact := [m for m in whole.missions if m.name == what]:
        return exact
    found = []
    for m in whole.missions:
        fits = [
            d for d in m.datasets
            if d.name == what or d.name.startswith(f"{what.rstrip('.')}.")
            or fnmatchcase(d.name, what)
        ]  # fmt: skip
        if fits:
            found.append(
                Mission(m.name, fits, title=m.title, authors=m.authors, citation=m.citation,
                        archives=m.archives, acknowledgement=m.acknowledgement)
            )  # fmt: skip
    if not found:
        parts = (n.split(".") for n in whole.nodes)
        known = {".".join(p[:k]) for p in parts for k in range(1, len(p) + 1)}
        known |= {m.name for m in whole.missions}
        raise UnknownName(
            f"no mission is called '{what}', and no dataset begins so", "",
            near(what, known) or "'sciqlop-pipe graph' alone lists missions and instruments",
        )  # fmt: skip
    return found


@dataclass
class Branch:
    """A part of names: the parts below it by name, and the datasets that end here."""

    parts: dict[str, Branch] = field(default_factory=dict)
    leaves: dict[str, Dataset] = field(default_factory=dict)

    @classmethod
    def of(cls, datasets: Iterable[Dataset]) -> Branch:
        """Return the branches of some datasets, in their order."""
        root = cls()
        for d in datasets:
            *path, last = d.name.split(".")
            at = root
            for part in path:
                at = at.parts.setdefault(part, cls())
            at.leaves[last] = d
        return root

    def datasets(self) -> list[Dataset]:
        """Return all datasets here and below."""
        below = [d for b in self.parts.values() for d in b.datasets()]
        return [*self.leaves.values(), *below]


def _grow(
    tree: Tree, branch: Branch, depth: int, whole: Graph, have: Availability, *, alike: bool = False
) -> None:
    if not depth:
        return
    for names in _alike(branch, whole, have) if alike else [[n] for n in branch.parts]:
        below = branch.parts[names[0]]
        label = names[0]
        if len(names) > 1:
            label += f"  [dim]{', '.join(names[1:])}: the same[/]"
        if depth == 1:
            label += f" [dim]({_counted(below.datasets())})[/]"
        _grow(tree.add(label), below, depth - 1, whole, have)
    for last, d in branch.leaves.items():
        if depth > 1 or not branch.parts:
            head, *facts = leaf(whole, d, last, have)
            twig = tree.add(head)
            for fact in facts:
                twig.add(fact)
    if depth == 1 and branch.parts and branch.leaves:
        tree.add(f"[dim]{_counted(branch.leaves.values())} of all of it[/]")


def _counted(datasets: Iterable[Dataset]) -> str:
    every = list(datasets)
    raws = sum(d.is_raw for d in every)
    products = len(every) - raws
    return ", ".join(f"{n} {word}" for n, word in ((raws, "raw"), (products, "made")) if n)


def _alike(branch: Branch, whole: Graph, have: Availability) -> list[list[str]]:
    """Return the names of branches, together those that differ by their own name only."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, below in branch.parts.items():
        lines = (
            line
            for d in below.datasets()
            for line in (d.name, *leaf(whole, d, d.name.rpartition(".")[2], have))
        )
        mark = tuple(re.sub(rf"\b{re.escape(name)}\b", "*", line) for line in lines)
        groups.setdefault(mark, []).append(name)
    return list(groups.values())


def leaf(whole: Graph, d: Dataset, last: str, have: Availability) -> list[str]:
    """Return what the tree says of one dataset: its line, then what it needs and what there is."""
    maker = f"raw, {_doors(d)}" if d.is_raw else d.recipe.name if d.recipe else ""
    facts = [
        f"every {said}" if (said := cadence(d, have)) else "",
        f"{whole.length(d.name)} pieces",
    ]
    facts += [maker, "not kept" if d.transient else ""]
    unit = f" [{shown}]" if (shown := units(d, have)) else ""
    head = f"[cyan]{last}[/] {d.gives.name}{escape(unit)} ({', '.join(filter(None, facts))})"
    lines = [f"{head} [dim]{escape(d.description or d.gives.description)}[/]"]
    if d.inputs:
        required = {source for argument, source in d.inputs if d.argument(argument).required}
        needed = dict.fromkeys(
            source if source in required else f"{source} (optional)" for _, source in d.inputs
        )
        lines.append(f"[dim]needs {', '.join(needed)}[/]")
    lines += [f"[yellow]{escape(said)}[/]" for said in _losses(d)]
    if (row := have.store.get(d.name)) is not None:
        when = f", {row['start'][:19]} to {row['stop'][:19]}" if row["records"] else ""
        lines.append(f"[green]store: {row['records']:,} records{when}[/]")
    if (row := have.archive.get(d.name)) is not None:
        lines.append(f"[green]archive: {row['files']} files, {row['start']} to {row['stop']}[/]")
    return lines


def _doors(d: Dataset) -> str:
    return " or ".join(doors(d)) or _FILES_ONLY


def _say_files_only(mission: Mission, whole: Graph, depth: int) -> None:
    """Say what to do for datasets to which no server is known, where they were shown."""
    bare = [d for d in mission.datasets if whole[d.name].is_raw and not doors(d)]
    if not bare or depth <= _OVERVIEW:
        return
    where = f" from {' or '.join(mission.archives)}" if mission.archives else ""
    out.print(
        f"[dim]{_FILES_ONLY}: no server is declared for {len(bare)} of these. Bring their files"
        f"{where} into a folder and give --archive FOLDER; 'sciqlop-pipe explain {bare[0].name}' "
        "says how they are called.[/]"
    )


def _stored(store: str, registry: str) -> dict[str, dict[str, Any]]:
    if not Path(store).exists():
        raise UsageError("there is no store", store, "Run something first, or name another store")
    with Store.open(store, read_only=True, registry=registry) as opened:
        return in_store(opened)


def described(whole: Graph, dataset: Dataset) -> dict[str, Any]:
    """Return what is declared of one dataset, without what there is of it."""
    return declared(whole, dataset, Availability())


def _losses(dataset: Dataset) -> list[str]:
    """Return in words what a dataset does without, and would do without on days lacking inputs."""
    return [f"without {name}: {text}" for name, text in lost(dataset).items()]


def search(words: Sequence[str], every: bool, json: bool) -> None:
    """Print the datasets in whose names, types, units, descriptions or missions all words occur."""
    whole = discover()
    found = matches(whole, words)
    if json:
        rows = [declared(whole, d, Availability()) for _, d in found]
        print(json_.dumps({"datasets": rows}, indent=1))
        return
    rows_ = alike(found)
    shown = rows_ if every else rows_[:_SHOWN]
    for d, others in shown:
        unit = f" [{d.units}]" if d.units else ""
        also = f" [dim](also {', '.join(others)})[/]" if others else ""
        said = "; ".join([d.description or d.gives.description, *_losses(d)])
        out.print(
            f"[cyan]{d.name}[/]{also} {d.gives.name}{escape(unit)} [dim]{escape(said)}[/]",
        )
    if len(rows_) > len(shown):
        rest = len(rows_) - len(shown)
        out.print(f"... and {rest} more: add a word, or see all of them with --all")
    if not found:
        out.print(_nothing(whole, words))


def alike(found: Iterable[tuple[Mission, Dataset]]) -> list[tuple[Dataset, list[str]]]:
    """Return datasets, each with the other spacecraft of its mission that have the same."""
    groups: dict[tuple[str, str, str], list[Dataset]] = {}
    for m, d in found:
        rest = d.name.partition(".")[2]
        key = (m.name, rest, d.gives.name) if rest else (m.name, d.name, "")
        groups.setdefault(key, []).append(d)
    return [(first, [d.name.split(".")[0] for d in others])
            for first, *others in groups.values()]  # fmt: skip


def _nothing(whole: Graph, words: Sequence[str]) -> str:
    """Say why no dataset was found: words that occur nowhere, or never together."""
    counts = occurrences(whole, words)
    known = {p for n in whole.nodes for w in n.split(".") for p in (w, *w.split("_"))}
    known |= {w for d in whole for w in re.findall(r"[a-z]{4,}", d.description.lower())}
    strange = [w for w, n in counts.items() if not n]
    if not strange:
        listed = ", ".join(f"{w} ({n})" for w, n in counts.items())
        return f"No dataset has all of these words; each alone occurs: {listed}."
    hints = (f"'{w}' occurs nowhere. {near(w.lower(), known)}".strip() for w in strange)
    return "No dataset has all of these words. " + " ".join(hints)


def cite(
    names: Sequence[str], store: str, registry: str, span: tuple[str, str], json: bool
) -> None:
    """Print whom to cite and thank for datasets or pictures, with DOIs and versions."""
    whole = discover()
    if any(span) and not all(span):
        raise UsageError("half of the interval is missing", todo="Give --start and --stop")
    within = Interval(instant(span[0]), instant(span[1])) if all(span) else None
    pictures = [n for n in names if n.lower().endswith(".png")]
    cited = {n: _of_picture(whole, drawn_in(n)) for n in pictures}
    if plain := [n for n in names if n not in pictures]:
        with ExitStack() as stack:
            opened = None
            if store:
                opened = stack.enter_context(Store.open(store, read_only=True, registry=registry))
            cited[""] = citation(whole, whole.select(plain), opened, within)
    if json:
        only = next(iter(cited.values())) if len(cited) == 1 else cited
        print(json_.dumps(only, indent=1))
        return
    for picture, facts in cited.items():
        if picture:
            out.print(f"[bold]{escape(picture)}[/]")
        _print_citation(facts)


def _of_picture(whole: Graph, shown: Drawn) -> dict[str, Any]:
    known = [n for n in shown.datasets if n in whole.nodes]
    return as_drawn(whole, shown, citation(whole, known))


def _print_citation(facts: Mapping[str, Any]) -> None:
    titles = {"Data", "Versions", *(m["title"] or m["name"] for m in facts["missions"])}
    for line in text(facts).splitlines():
        head = next(
            (t for t in titles if line == t or (t == "Data" and line.startswith("Data "))), ""
        )
        out.print(f"[bold]{escape(head)}[/]{escape(line[len(head) :])}" if head else escape(line))
