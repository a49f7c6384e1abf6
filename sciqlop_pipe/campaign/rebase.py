"""Publishing a staged run whose base moved: recompute just what moved, then publish."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..cluster import PRIORITIES, Profile, open_cluster
from ..errors import Conflict
from ..granule import Interval
from ..graph import Graph
from ..plan import merged
from ..report import Options
from ..sources.archive import Listing
from ..store import Store
from ..store.staging import BaseMoved, publish, stages, unstage
from .run import run_campaign

if TYPE_CHECKING:
    from distributed import Client

#: What is made from something that moved is found to have moved in the round after.
ROUNDS = 20


def publish_rebased(
    store: Store, graph: Graph, stage: str, listing: Listing | None, profile: Profile | None = None
) -> tuple[int, int]:
    """Publish a staged run; return how many granules became current, and how many were recomputed.

    Parameters
    ----------
    store, graph
        Where, and all datasets.
    stage : str
        The staged run.
    listing : Listing
        What the archives have.
    profile : Profile
        Where it is recomputed; two workers of this machine unless given.

    Raises
    ------
    Conflict
        When the base keeps moving, or something that moved cannot be recomputed.
    """
    again = 0
    for _ in range(ROUNDS):
        try:
            return publish(store.registry, stage), again
        except BaseMoved as error:
            moved = [m.granule for m in error.moved]
        unstage(store.registry, stage, moved)
        again += _recompute(
            store,
            graph,
            stage,
            {g.dataset for g in moved},
            [g.interval for g in moved],
            listing,
            profile or Profile(),
        )
        if stage not in stages(store.registry):
            return 0, again  # others have made all of it current meanwhile
    raise Conflict(
        "the base keeps moving", f"staged run {stage}", "Publish while nothing else runs"
    )


def _recompute(
    store: Store,
    graph: Graph,
    stage: str,
    datasets: set[str],
    intervals: list[Interval],
    listing: Listing | None,
    profile: Profile,
) -> int:
    with ExitStack() as stack:

        def client() -> Client:
            return stack.enter_context(open_cluster(profile, str(store.root.resolve())))

        report = run_campaign(
            store,
            graph,
            graph.select(sorted(datasets)),
            list(merged(intervals)),
            listing,
            client,
            Options(stage=stage, command="publish --rebase", priority=PRIORITIES[profile.priority]),
        )
    if report.failures:
        raise Conflict(
            f"{len(report.failures)} granules could not be recomputed ({report.failures[0].error})",
            f"staged run {stage}",
        )
    return report.done
