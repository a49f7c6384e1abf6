"""Reprocessing: a campaign planned, run until it is done or stopped, published, rolled back."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..cluster import Profile
from ..detect.promoted import promoted_models
from ..errors import Conflict, StoreError, UsageError
from ..graph import Graph
from ..plan import make_plan
from ..report import Options, Progress, Report
from ..settings import fill
from ..sources.access import Access
from ..sources.fetch import probe
from ..store import Store
from ..store import campaigns as book
from ..store.campaigns import Poison, Standing
from ..store.records import Failure
from ..store.staging import publish, rollback, stages
from .frozen import Frozen, freeze, refuse_too_much, room_of
from .held import Held
from .rebase import publish_rebased
from .run import list_needed, run_campaign
from .spec import Spec

if TYPE_CHECKING:
    from distributed import Client


def plan_campaign(
    store: Store,
    graph: Graph,
    spec: Spec,
    folder: Path,
    access: Access | None = None,
) -> Frozen:
    """Return the frozen plan of a campaign; nothing is changed.

    Parameters
    ----------
    store : Store
        Where results will go.
    graph : Graph
        All datasets, as declared.
    spec : Spec
        What is asked for.
    folder : Path
        Of the campaign's file: where names of files in it start.
    access : Access
        How archives are asked.

    Raises
    ------
    PipeError
        For an unknown target or param, an interval without anything, a plan beyond its limits or
        beyond what is free on the disk.
    """
    access = access or Access()
    changed = spec.graph(graph)
    names, spans = spec.names(changed), spec.spans(store, folder)
    archives = [_archive(a, folder) for a in spec.archives]
    plan = make_plan(
        changed,
        store.registry,
        names,
        spans,
        list_needed(archives, changed, names, spans, access),
        models=promoted_models(store, changed.models(names)),
        reasons=spec.reasons,
        stage=spec.name,
        look=partial(probe, access=access),
    )
    if not any(t.entries for t in plan.timelines.values()):
        raise UsageError(
            "neither the archives nor the store hold anything of its targets in "
            + ", ".join(str(s) for s in spans[:3]),
            f"campaign {spec.name}",
            "Look at 'start', 'stop' and 'archives'",
        )
    frozen = freeze(plan, spec, folder, book.costs(store.registry.db), spec.kept(changed))
    refuse_too_much(frozen, room_of(store.root))
    return frozen


def _archive(door: str, folder: Path) -> str:
    """Return an archive; a folder is relative to the campaign's file."""
    is_folder = "://" not in door and not door.startswith("speasy")
    return str(folder / Path(door).expanduser()) if is_folder else door


def launch(
    store: Store,
    graph: Graph,
    frozen: Frozen,
    client: Callable[[], Client],
    access: Access | None = None,
    progress: Progress | None = None,
    command: str = "",
    priority: int = 0,
) -> Report:
    """Return the report of running a frozen campaign until it is done, or told to stop.

    Begins it, or goes on where it stopped: what is staged already is not computed again. Granules
    that fail are tried again at the end, and quarantined after `limits.attempts`.

    Parameters
    ----------
    store, graph
        Where, and all datasets as declared.
    frozen : Frozen
        What is to be done.
    client : callable
        Gives a Dask client; called only when there is something to do.
    access, progress
        How archives are asked, and who watches.
    command : str
        What the user typed, for the record.
    priority : int
        Of its tasks, on a scheduler that others use too (`cluster.PRIORITIES`).

    Raises
    ------
    UsageError
        When it is over, was frozen otherwise, or somebody else is running it.
    """
    spec, name, db = frozen.spec, frozen.spec.name, store.registry.db
    access = replace(access or Access(), at_once=spec.limits.requests)
    changed, folder = spec.graph(graph), Path(frozen.folder)
    names = spec.names(changed)
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
    book.enter(db, name, frozen.to_json(), frozen.digest, holder)
    archives = [_archive(a, folder) for a in spec.archives]
    options = Options(
        salvage=spec.salvage,
        stage=name,
        keep=spec.kept(changed),
        reasons=spec.reasons,
        command=command or f"campaign {name}",
        access=access,
        campaign=name,
        priority=priority,
    )
    report = Report(run="")
    try:
        with Held(store, frozen) as held:
            listing = list_needed(archives, changed, names, frozen.intervals, access)
            for _ in range(spec.limits.attempts):
                one = run_campaign(
                    store, changed, names, frozen.intervals, listing, client, options, progress,
                    held,
                )  # fmt: skip
                report.absorb(one)
                again = [p for p in unresolved(store, name) if not held.withholds(p)]
                if report.stopped or report.interrupted or not again:
                    break
    except BaseException as error:
        with suppress(StoreError):
            book.settle(db, name, "paused", f"{type(error).__name__}: {error}")
        raise
    limit = spec.limits.attempts
    report.failures = [
        Failure(p.granule, "quarantined" if p.quarantined(limit) else p.state, p.error)
        for p in unresolved(store, name)
    ]
    _settle(store, name, report, held.why)
    return report


def _settle(store: Store, name: str, report: Report, why: str) -> None:
    db = store.registry.db
    if report.stopped == "cancel":
        book.drop_staged(db, name)
        book.settle(db, name, "cancelled")
    elif report.stopped or report.interrupted:
        book.settle(db, name, "paused", why or "interrupted")
    elif report.failures:
        book.settle(db, name, "partial", f"{len(report.failures)} granules failed")
    else:
        book.settle(db, name, "done")


def unresolved(store: Store, name: str) -> list[Poison]:
    """Return the granules of a campaign that failed and are not excused.

    What only lacks one of these is not listed: it follows.
    """
    return [
        p for p in book.poison(store.registry.db, name)
        if p.decided != "excused" and p.state != "blocked"
    ]  # fmt: skip


def frozen_of(standing: Standing) -> Frozen:
    """Return what a campaign in the registry's book was frozen to."""
    import json

    return Frozen.from_table(json.loads(standing.frozen), f"campaign {standing.name}")


def begun_or_planned(
    store: Store, graph: Graph, spec: Spec, folder: Path, access: Access | None = None
) -> Frozen:
    """Return the plan of a campaign: what it began with in this store, else a new one.

    So whoever has the campaign only, not its frozen plan, goes on with it by the same request.

    Parameters
    ----------
    store, graph, spec, folder, access
        As `plan_campaign`.

    Raises
    ------
    UsageError
        When the store knows another campaign of this name.
    PipeError
        As `plan_campaign`.
    """
    for there in book.campaigns(store.registry.db):
        if there.name == spec.name:
            frozen = frozen_of(there)
            if frozen.spec != spec:
                raise UsageError(
                    f"the store has another campaign of this name ({there.state})",
                    f"campaign {spec.name}",
                    "Give this one another name",
                )
            return frozen
    return plan_campaign(store, graph, spec, folder, access)


def stop_campaign(store: Store, name: str, what: str) -> str:
    """Ask a campaign to "pause" or "cancel"; return how it stands then.

    Where nobody is at work on it, it is done at once.

    Raises
    ------
    UsageError
        When it is over already.
    """
    db = store.registry.db
    there = book.standing(db, name)
    if there.state in ("cancelled", "published", "rolled back"):
        raise UsageError(f"it is {there.state}", f"campaign {name}")
    if there.alive:
        book.ask(db, name, what)
        return "asked"
    if what == "cancel":
        book.drop_staged(db, name)
        book.settle(db, name, "cancelled")
        return "cancelled"
    book.settle(db, name, "paused", "asked to pause")
    return "paused"


def publish_campaign(
    store: Store,
    graph: Graph,
    name: str,
    *,
    rebase: bool = False,
    partial: bool = False,
    profile: Profile | None = None,
    access: Access | None = None,
) -> tuple[int, int]:
    """Make the results of a campaign current in one transaction.

    Returns how many granules became current, and how many were computed again.

    Parameters
    ----------
    store, graph
        Where, and all datasets as declared.
    name : str
        The campaign.
    rebase : bool
        Compute again what moved meanwhile, then publish.
    partial : bool
        Publish although it is not finished, or granules failed that nobody excused.
    profile : Profile
        Where it is computed, for `rebase`; two workers of this machine unless given.
    access : Access
        How archives are asked, for `rebase`.

    Raises
    ------
    Conflict
        When it is running, unfinished, has failures, or its base moved; nothing is published.
    """
    db = store.registry.db
    there = book.standing(db, name)
    where = f"campaign {name}"
    if there.alive:
        raise Conflict("it is running", where, "Wait, or pause it; nothing was published")
    if there.state in ("cancelled", "published"):
        raise UsageError(f"it is {there.state}", where)
    bad = unresolved(store, name)
    if bad and not partial:
        raise Conflict(
            f"{len(bad)} granules failed ({bad[0].granule}: {bad[0].error})",
            where,
            "Nothing was published; 'campaign retry' or 'campaign excuse' them, or publish "
            "--partial",
        )
    if there.state in ("running", "paused", "planned") and not partial:
        raise Conflict(
            f"it is not finished ({there.state}: {there.why or 'its coordinator is gone'})",
            where,
            "Nothing was published; 'campaign resume' it, or publish --partial",
        )
    count, again = 0, 0
    if name in stages(store.registry):
        if rebase:
            frozen = frozen_of(there)
            changed, folder = frozen.spec.graph(graph), Path(frozen.folder)
            listing = list_needed(
                [_archive(a, folder) for a in frozen.spec.archives],
                changed,
                frozen.spec.names(changed),
                frozen.intervals,
                access or Access(),
            )
            count, again = publish_rebased(store, changed, name, listing, profile)
        else:
            count = publish(store.registry, name)
    book.settle(db, name, "published")
    store.touch()
    return count, again


def rollback_campaign(store: Store, name: str) -> int:
    """Undo the publication of a campaign; return how many granules are current again.

    Raises
    ------
    UsageError, Conflict
        When it is not published, or newer granules followed; then nothing changes.
    """
    count = rollback(store.registry, name)
    book.settle(store.registry.db, name, "rolled back")
    store.touch()
    return count


def declared_params(spec: Spec, graph: Graph) -> Sequence[str]:
    """Return the params of a campaign that differ from what is declared, as text."""
    changed = spec.graph(graph)
    return [
        f"{name}: {key} = {value!r} (declared {dict(graph[name].params)[key]!r})"
        for name in graph.nodes
        for key, value in changed[name].params
        if changed[name].params != graph[name].params and dict(graph[name].params)[key] != value
    ]


def spec_of(table: dict[str, object], where: str) -> Spec:
    """Return a campaign from a plain table, as a flow's parameters give it."""
    return fill(Spec, table, where)
