"""What the `campaign` commands do: from files and names to campaigns, and tables back."""

from __future__ import annotations

import getpass
import json as json_
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from rich.markup import escape
from rich.table import Table

from ..campaign import (
    Frozen,
    launch,
    plan_campaign,
    publish_campaign,
    read_campaign,
    read_frozen,
    rollback_campaign,
    stop_campaign,
    unresolved,
)
from ..campaign.difference import DatasetDiff, differences
from ..campaign.frozen import room_of
from ..campaign.reprocess import declared_params, frozen_of
from ..campaign.status import status_of
from ..cluster import PRIORITIES, Profile, open_cluster, read_profile
from ..concerns import at_work, stalled
from ..errors import UsageError, near
from ..granule import SECOND, iso
from ..graph import Graph
from ..sources.access import Access
from ..store import Store
from ..store import campaigns as book
from .campaign_tables import (
    diff_json,
    poison_json,
    show_diff,
    show_plan,
    show_poison,
    show_run,
    show_status,
    words,
)
from .output import wide
from .running import bars, discover, watched

if TYPE_CHECKING:
    from distributed import Client

out = wide()


@dataclass(frozen=True, slots=True)
class Where:
    """The options that say where a campaign runs, and who watches."""

    profile: str
    workers: int | None
    log: str = ""
    metrics: int = 0

    def read(self, frozen: Frozen) -> Profile:
        """Return the profile: of the command line, else of the campaign, else this machine."""
        if self.workers is not None:
            return Profile(workers=self.workers)
        named = frozen.spec.profile
        file = Path(self.profile) if self.profile else Path(frozen.folder) / named
        return read_profile(file) if self.profile or named else Profile()


def plan(
    file: Path, output: Path | None, store: str, registry: str, access: Access, json: bool
) -> None:
    """Freeze a campaign to a file and show what it will make."""
    spec = read_campaign(file)
    graph = discover()
    with Store.open(store, create=True, registry=registry) as opened:
        frozen = plan_campaign(opened, graph, spec, file.parent.resolve(), access)
        room = room_of(opened.root)
    target = output or frozen_beside(file)
    _write(target, frozen.to_json())
    if json:
        print(frozen.to_json())
        return
    show_plan(frozen)
    for said in declared_params(spec, graph):
        out.print(f"param {said}")
    if room.nbytes is not None:
        inodes = "" if room.inodes is None else f", {room.inodes:,} inodes"
        out.print(f"free on the store's disk: {room.nbytes / 1e9:,.1f} GB{inodes}")
    out.print(f"frozen to {target}; 'sciqlop-pipe campaign run {file}' runs it")


def frozen_beside(file: Path) -> Path:
    """Return where the frozen plan of a campaign's file is kept."""
    return file.with_name(f"{file.stem}.plan.json")


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.rename(path)


def run(file: Path, store: str, registry: str, where: Where, access: Access, json: bool) -> int:
    """Run a campaign's file, or a frozen plan; return the exit status."""
    graph = discover()
    with Store.open(store, create=True, registry=registry) as opened:
        if file.name.endswith(".plan.json"):
            frozen = read_frozen(file)
        else:
            frozen = _frozen(opened, graph, file, access)
        return _launch(opened, graph, frozen, where, access, json)


def _frozen(store: Store, graph: Graph, file: Path, access: Access) -> Frozen:
    spec, beside = read_campaign(file), frozen_beside(file)
    if beside.exists():
        frozen = read_frozen(beside)
        if frozen.spec != spec:
            raise UsageError(
                f"the campaign was changed after it was frozen to {beside.name}", str(file),
                "Plan again ('sciqlop-pipe campaign plan'), or remove the frozen plan",
            )  # fmt: skip
        return frozen
    frozen = plan_campaign(store, graph, spec, file.parent.resolve(), access)
    _write(beside, frozen.to_json())
    return frozen


def resume(name: str, store: str, registry: str, where: Where, access: Access, json: bool) -> int:
    """Go on with a campaign; return the exit status."""
    with Store.open(store, registry=registry) as opened:
        frozen = frozen_of(book.standing(opened.registry.db, name))
        return _launch(opened, discover(), frozen, where, access, json)


def _launch(
    store: Store, graph: Graph, frozen: Frozen, where: Where, access: Access, json: bool
) -> int:
    profile = where.read(frozen)
    access = replace(access, topic=f"sciqlop-pipe-bytes-{uuid4().hex[:8]}")
    with ExitStack() as stack, bars() as progress:

        def client() -> Client:
            cluster = stack.enter_context(open_cluster(profile, str(store.root.resolve())))
            cluster.subscribe_topic(access.topic, progress.arrived)
            return cluster

        done = launch(
            store,
            graph,
            frozen,
            cache(client),
            access,
            watched(progress, where.log, where.metrics, frozen.spec.name),
            " ".join(sys.argv),
            PRIORITIES[profile.priority],
        )
    if json:
        print(done.to_json())
    else:
        show_run(frozen.spec.name, done)
    return done.status


def status(name: str, store: str, registry: str, json: bool) -> None:
    """Print how campaigns go."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        names = [name] if name else [c.name for c in book.campaigns(opened.registry.db)]
        found = [status_of(opened, n) for n in names]
    if json:
        print(json_.dumps([asdict(s) for s in found], indent=1))
        return
    if not found:
        out.print("There are no campaigns; 'sciqlop-pipe campaign run FILE' begins one.")
    for s in found:
        show_status(s)


def going(store: str, registry: str) -> None:
    """Print how the campaigns go that are not over, and runs of their own that have not ended."""
    over = ("published", "cancelled", "rolled back")
    with Store.open(store, read_only=True, registry=registry) as opened:
        names = [c.name for c in book.campaigns(opened.registry.db) if c.state not in over]
        found = [status_of(opened, name) for name in names]
        runs = [run for run in at_work(opened) if not run.campaign]
        late = {concern.where for concern in stalled(opened)}
    for s in found:
        show_status(s)
    for run in runs:
        silent = (time.time_ns() - run.last) / 1e9
        out.print(
            f"[bold]run[/] {escape(run.command)}: {run.granules:,} granules since "
            f"{iso(run.started // SECOND * SECOND)}, the last {words(silent)} ago"
        )
        if run.id in late:
            out.print("  [yellow]its coordinator is dead, it seems; the same command goes on[/]")


def stop(name: str, store: str, registry: str, what: str) -> None:
    """Pause or cancel a campaign."""
    with Store.open(store, registry=registry) as opened:
        said = stop_campaign(opened, name, what)
    words = {
        "asked": f"its coordinator is asked to {what}; it commits what it is at first",
        "paused": "it is paused; nobody was at work on it",
        "cancelled": "it is cancelled; what it staged is forgotten",
    }
    out.print(f"{name}: {words[said]}")


def report(name: str, store: str, registry: str, json: bool) -> None:
    """Print what became of a campaign."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        s, bad = status_of(opened, name), book.poison(opened.registry.db, name)
        frozen = frozen_of(book.standing(opened.registry.db, name))
    if json:
        print(json_.dumps(asdict(s) | {"failures": [poison_json(p) for p in bad]}, indent=1))
        return
    show_status(s)
    keys = list(dict.fromkeys(k for row in s.rows.values() for k in row))
    table = Table("dataset", *keys, title=f"campaign {name}: last outcome per granule")
    for dataset, row in s.rows.items():
        table.add_row(dataset, *(str(row.get(k, "")) for k in keys))
    out.print(table)
    show_poison(bad, frozen.spec.limits.attempts)


def quarantine(name: str, store: str, registry: str, json: bool) -> None:
    """Print the granules of a campaign that fail."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        frozen = frozen_of(book.standing(opened.registry.db, name))
        bad = book.poison(opened.registry.db, name)
    if json:
        print(json_.dumps([poison_json(p) for p in bad], indent=1))
    elif bad:
        show_poison(bad, frozen.spec.limits.attempts)
    else:
        out.print(f"{name}: no granule fails")


def decide(
    name: str, patterns: list[str], store: str, registry: str, decided: str, why: str
) -> None:
    """Retry or excuse granules that fail."""
    with Store.open(store, registry=registry) as opened:
        db = opened.registry.db
        book.standing(db, name)
        bad = {str(p.granule): p.granule for p in book.poison(db, name)}
        chosen = []
        for pattern in patterns:
            hits = [g for text, g in bad.items() if fnmatchcase(text, pattern)]
            if not hits:
                raise UsageError(
                    f"no granule that fails is called '{pattern}'", f"campaign {name}",
                    near(pattern, bad) or f"'campaign quarantine {name}' lists them",
                )  # fmt: skip
            chosen += hits
        book.decide(db, name, dict.fromkeys(chosen), decided, why, getpass.getuser())
        left = len(unresolved(opened, name))
    word = "are tried again by 'campaign resume'" if decided == "retry" else "are excused"
    out.print(f"{len(set(chosen))} granules {word}; {left} still fail")


def diff(
    name: str, store: str, registry: str, sample: int, pictures: Path | None, json: bool
) -> None:
    """Print how a staged run differs from what is current, and draw the worst granules."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        found = list(differences(opened, name, sample))
        drawn = list(_draw(opened, name, found, pictures)) if pictures is not None else []
    if json:
        print(json_.dumps([diff_json(d) for d in found], indent=1))
        return
    for d in found:
        show_diff(d)
    for path in drawn:
        out.print(f"drawn: {path}")


def _draw(store: Store, name: str, found: list[DatasetDiff], folder: Path) -> Iterator[Path]:
    from ..errors import PipeError
    from ..publish.comparison import draw_difference

    folder.mkdir(parents=True, exist_ok=True)
    for d in found:
        for worst in [w for w in d.worst if w.changes][:1]:
            path = folder / f"{str(worst.granule).replace('/', '-')}.png"
            try:
                draw_difference(store, name, worst, path)
            except PipeError as error:
                out.print(f"[yellow]{worst.granule} is not drawn: {escape(str(error))}[/]")
                continue
            yield path


def publish(
    name: str, store: str, registry: str, where: Where, *, rebase: bool, partial: bool
) -> None:
    """Make what a campaign staged current."""
    graph = discover()
    with Store.open(store, registry=registry) as opened:
        frozen = frozen_of(book.standing(opened.registry.db, name))
        spec, profile = frozen.spec, where.read(frozen) if rebase else None
        count, again = publish_campaign(
            opened, graph, name, rebase=rebase, partial=partial, profile=profile
        )
    if rebase:
        out.print(f"{again} granules were computed again")
    out.print(f"published {name}: {count} granules are current")
    for said in declared_params(spec, graph):
        out.print(f"[yellow]{said}: change the declaration too, or the next run makes it anew[/]")


def rollback(name: str, store: str, registry: str) -> None:
    """Undo a publication."""
    with Store.open(store, registry=registry) as opened:
        count = rollback_campaign(opened, name)
    out.print(f"rolled back {name}: {count} granules are current again")
