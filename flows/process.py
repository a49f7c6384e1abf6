"""Process: products that are missing, or whose inputs are new, of the last days."""

from __future__ import annotations

from prefect import flow

from flows.alerts import on_failure
from flows.batch import insist, make
from flows.where import Span, Where


@flow(name="process", on_failure=[on_failure], on_crashed=[on_failure])
def process(targets: list[str], where: Where | None = None, span: Span | None = None) -> None:
    """Make targets, and everything they need, where they are missing or have new input.

    New code, params or models reprocess nothing here: that is what the flow 'reprocess' is for.

    Args:
        targets: Names of datasets, or globs such as mms?.fpi.*.moments.
        where: Store, archives, machines.
        span: An interval, or the last days.
    """
    insist(make(targets, [(span or Span()).interval()], where or Where()))
