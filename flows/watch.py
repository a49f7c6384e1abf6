"""Watch: whether the store is whole, data fresh, runs move, models fit, archives answer."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.alerts import on_failure
from flows.where import Where
from sciqlop_pipe.concerns import DRIFT_ALLOWED, STALLED_AFTER, concerns
from sciqlop_pipe.store import Store


class NeedsAttention(RuntimeError):
    """Something is not as it should be; the flow run's artifact lists it."""


@flow(name="watch", on_failure=[on_failure], on_crashed=[on_failure])
def watch(
    where: Where | None = None,
    fresh: dict[str, str] | None = None,
    stalled_after: str = STALLED_AFTER,
    drift: float = DRIFT_ALLOWED,
    content: bool = False,
) -> None:
    """Look after a store; red, with an alert, when something needs a person.

    Args:
        where: Store and archives.
        fresh: How old the newest record of a dataset may be, e.g. {"ace.mfi.b_gse": "36h"}.
        stalled_after: How long a run may record nothing.
        drift: How far from what a model has seen its median record may be; 95 % of what it was
            trained on are within 1.
        content: Read and hash every current granule (slow), not just find it.
    """
    where = where or Where()
    with Store.open(where.store, registry=where.registry) as store:
        found = list(
            concerns(
                store,
                fresh or {},
                where.archives,
                where.access,
                stalled_after,
                drift,
                content=content,
            )
        )
    create_table_artifact(
        [{"kind": c.kind, "where": c.where, "said": c.said} for c in found], "concerns"
    )
    if found:
        raise NeedsAttention("\n".join(map(str, found[:20])))
