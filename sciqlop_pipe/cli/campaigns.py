"""What the `campaign` commands do: from files and names to campaigns, and tables back."""

from __future__ import annotations

import getpass
import json as json_
import sys
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
from ..campaign.difference import Change, DatasetDiff, differences
from ..campaign.frozen import room_of
from ..campaign.reprocess import declared_params, frozen_of
from ..campaign.status import Status, status_of
from ..cluster import PRIORITIES, Profile, open_cluster, read_profile
from ..errors import UsageError, near
from ..granule import iso
from ..graph import Graph
from ..report import Report
from ..sources.access import Access
from ..store import Store
from ..store import campaigns as book
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


def show_plan(frozen: Frozen) -> None:
    """Print a frozen plan."""
    if not frozen.parts:
        out.print("Everything is current: nothing to compute.")
        return
    table = Table("dataset", "why", "granules", "from", "to", "h of one core", "GB",
                  title=f"campaign {frozen.spec.name}")  # fmt: skip
    for p in frozen.parts:
        table.add_row(
            p.dataset, p.reason, f"{p.granules:,}",
            iso(p.spans[0].start), iso(p.spans[-1].stop),
            "?" if p.seconds is None else f"{p.seconds / 3600:,.2f}",
            "not kept" if not p.kept else "?" if p.nbytes is None else f"{p.nbytes / 1e9:,.3f}",
        )  # fmt: skip
    out.print(table)
    out.print(
        f"{frozen.granules:,} granules to make ({frozen.current:,} are current), "
        f"{frozen.seconds / 3600:,.2f} h of one core, {frozen.nbytes / 1e9:,.3f} GB and "
        f"{frozen.files:,} files expected from past attempts"
    )
    if frozen.unknown:
        shown = ", ".join(frozen.unknown[:5]) + (", ..." if len(frozen.unknown) > 5 else "")
        out.print(f"cost unknown, as they were never made here: {shown}")
    for granule in frozen.withdrawn[:10]:
        out.print(f"[yellow]withdrawn: the archive no longer lists the files of {granule}[/]")


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
        _print_run(frozen.spec.name, done)
    return done.status


def _print_run(name: str, done: Report) -> None:
    keys = ("done", "unchanged", "duplicate", "conflict", "refused", "failed", "blocked")
    used = [k for k in keys if any(k in row for row in done.rows.values())]
    table = Table("dataset", *used, "records", "MB", title=f"campaign {name}")
    for dataset, row in done.rows.items():
        table.add_row(
            dataset, *(str(row.get(k, "")) for k in used),
            f"{row.get('records', 0):,}", f"{row.get('bytes', 0) / 1e6:.1f}",
        )  # fmt: skip
    if done.rows:
        out.print(table)
    for failure in done.failures[:20]:
        out.print(f"[red]{failure.state}[/]: {failure.granule}: {escape(failure.error)}")
    if len(done.failures) > 20:
        out.print(f"... and {len(done.failures) - 20} more: 'campaign quarantine {name}'")
    if done.stopped == "cancel":
        word = "cancelled; what it staged is forgotten"
    elif done.interrupted or done.stopped:
        word = f"paused; 'sciqlop-pipe campaign resume {name}' goes on"
    elif done.failures:
        word = "finished with failures"
    else:
        word = f"staged; look at it with 'sciqlop-pipe campaign diff {name}'"
    out.print(f"{word}: {done.done:,} granules in {done.seconds:.1f} s")


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
        _print_status(s)


def going(store: str, registry: str) -> None:
    """Print how the campaigns go that are not over."""
    over = ("published", "cancelled", "rolled back")
    with Store.open(store, read_only=True, registry=registry) as opened:
        names = [c.name for c in book.campaigns(opened.registry.db) if c.state not in over]
        found = [status_of(opened, name) for name in names]
    for s in found:
        _print_status(s)


def _print_status(s: Status) -> None:
    share = f"{s.settled:,} of {s.planned:,} granules"
    if s.planned:
        share += f" ({s.settled / s.planned:.0%})"
    out.print(f"[bold]{s.name}[/] {s.state}: {share}, begun {s.created}")
    if s.failed:
        out.print(f"  {s.failed} do not succeed: {s.quarantined} quarantined, {s.excused} excused")
    if s.workers or s.outstanding:
        out.print(
            f"  {s.workers} workers, {s.outstanding} tasks outstanding, {s.ready:,} ready, "
            f"{s.waiting:,} waiting for others"
        )
        for r in s.running[:5]:
            out.print(f"  running for {r.seconds:.0f} s: {r.granule}")
    if s.left is not None:
        out.print(f"  {s.pace:,.2f} granules/s; ends in about {_words(s.left)}")
    for problem in s.problems:
        out.print(f"  [yellow]{escape(problem)}[/]")


def _words(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


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
        print(json_.dumps(asdict(s) | {"failures": [_poison_json(p) for p in bad]}, indent=1))
        return
    _print_status(s)
    keys = list(dict.fromkeys(k for row in s.rows.values() for k in row))
    table = Table("dataset", *keys, title=f"campaign {name}: last outcome per granule")
    for dataset, row in s.rows.items():
        table.add_row(dataset, *(str(row.get(k, "")) for k in keys))
    out.print(table)
    _print_poison(bad, frozen.spec.limits.attempts)


def quarantine(name: str, store: str, registry: str, json: bool) -> None:
    """Print the granules of a campaign that fail."""
    with Store.open(store, read_only=True, registry=registry) as opened:
        frozen = frozen_of(book.standing(opened.registry.db, name))
        bad = book.poison(opened.registry.db, name)
    if json:
        print(json_.dumps([_poison_json(p) for p in bad], indent=1))
    elif bad:
        _print_poison(bad, frozen.spec.limits.attempts)
    else:
        out.print(f"{name}: no granule fails")


def _poison_json(p: book.Poison) -> dict[str, object]:
    return asdict(p) | {"granule": str(p.granule)}


def _print_poison(bad: list[book.Poison], limit: int) -> None:
    if not bad:
        return
    table = Table("granule", "state", "attempts", "error", "decided")
    for p in bad:
        state = "quarantined" if p.quarantined(limit) else p.state
        decided = f"{p.decided}: {p.why}" if p.why else p.decided
        table.add_row(str(p.granule), state, str(p.attempts), escape(p.error), escape(decided))
    out.print(table)


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
        print(json_.dumps([_diff_json(d) for d in found], indent=1))
        return
    for d in found:
        _print_diff(d)
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


def _diff_json(d: DatasetDiff) -> dict[str, object]:
    plain = asdict(d)
    plain["worst"] = [asdict(w) | {"granule": str(w.granule), "score": w.score} for w in d.worst]
    return plain


def _print_diff(d: DatasetDiff) -> None:
    out.print(
        f"[bold]{d.dataset}[/] {d.staged} staged: {d.same} the same, {d.changed} changed, "
        f"{d.new} new; records {d.records_before:,} -> {d.records_after:,}, "
        f"MB {d.bytes_before / 1e6:.2f} -> {d.bytes_after / 1e6:.2f}"
        + (f" (compared {d.compared})" if d.compared < d.changed else "")
    )
    if d.variables:
        table = Table("variable", "differing", "gaps", "largest", "rms", "rms / rms before")
        for c in d.variables:
            table.add_row(*_cells(c))
        out.print(table)
    for w in [w for w in d.worst if w.score > 0][:3]:
        most = max(w.changes, key=lambda c: c.relative, default=None)
        said = w.said or (f"{most.variable} by {most.relative:.2%} (rms)" if most else "")
        out.print(f"  worst: {w.granule}: {said}")


def _cells(c: Change) -> list[str]:
    units = f" {c.units}" if c.units not in ("", "1") else ""
    return [
        c.variable, f"{c.differing / max(c.values, 1):.1%}", str(c.gaps),
        f"{c.largest:.4g}{units}", f"{c.rms:.4g}{units}", f"{c.relative:.3g}",
    ]  # fmt: skip


def publish(
    name: str, store: str, registry: str, rebase: bool, partial: bool, workers: int
) -> None:
    """Make what a campaign staged current."""
    graph = discover()
    with Store.open(store, registry=registry) as opened:
        spec = frozen_of(book.standing(opened.registry.db, name)).spec
        count, again = publish_campaign(
            opened, graph, name, rebase=rebase, partial=partial, workers=workers
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
