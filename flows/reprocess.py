"""Reprocess: a campaign run aside and compared with what is current; published if so asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.sync import concurrency

from flows.alerts import on_failure
from flows.batch import Watched, insist, may_pass, opened_cluster, publish_report
from flows.where import Where, turns
from sciqlop_pipe.campaign import begun_or_planned, launch, publish_campaign, read_campaign
from sciqlop_pipe.campaign.difference import DatasetDiff, differences
from sciqlop_pipe.campaign.reprocess import spec_of
from sciqlop_pipe.cluster import PRIORITIES
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Report
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.staging import stages


@flow(name="reprocess", on_failure=[on_failure], on_crashed=[on_failure])
def reprocess(
    file: str = "",
    campaign: dict[str, Any] | None = None,
    where: Where | None = None,
    publish: bool = False,
) -> None:
    """Run a campaign; nothing that is current changes until it is published.

    Args:
        file: The campaign's TOML or YAML file on the worker's machine.
        campaign: The same as a table, instead of a file: name, targets, start, stop, params ...
        where: Store and machines.
        publish: Make the results current at once, in one transaction; otherwise a person does,
            after a look at the difference.
    """
    where = where or Where()
    folder = Path(file).resolve().parent if file else Path.cwd()
    spec = read_campaign(Path(file)) if file else spec_of(campaign or {}, "parameter campaign")
    report = run(spec, folder, where)
    insist(report)
    if publish:
        with Store.open(where.store, registry=where.registry) as store:
            publish_campaign(store, Graph.discover(), spec.name)


@task(
    name="batch",
    retries=2,
    retry_delay_seconds=[30, 300],
    retry_condition_fn=may_pass,
    persist_result=False,
    cache_policy=NO_CACHE,
)
def run(spec: Any, folder: Path, where: Where) -> Report:
    """Return the report of a campaign; a retry goes on where it stopped."""
    graph = Graph.discover()
    if spec.profile and not (where.profile_file or where.scheduler):
        where = where.model_copy(update={"profile_file": str(folder / spec.profile)})
    if "priority" not in where.model_fields_set:
        where = where.model_copy(update={"priority": "campaign"})
    with (
        concurrency(turns(spec.archives), occupy=1, strict=False),
        Store.open(where.store, create=True, registry=where.registry) as store,
        opened_cluster(where) as client,
    ):
        frozen = begun_or_planned(store, graph, spec, folder, where.access)
        report = launch(store, graph, frozen, client, where.access, Watched(),
                        "flow: reprocess", PRIORITIES[where.profile.priority])  # fmt: skip
        staged = spec.name in stages(store.registry)
        page = compared(spec.name, list(differences(store, spec.name)) if staged else [])
    publish_report(report, frozen.intervals)
    create_markdown_artifact(page, "difference", f"campaign {spec.name} against what is current")
    return report


def compared(name: str, found: list[DatasetDiff]) -> str:
    """Return a page that says how staged results differ, and how to go on."""
    lines = [f"# Campaign {name} against what is current", ""]
    for d in found:
        lines += [
            f"## {d.dataset}",
            "",
            f"{d.staged} granules staged: {d.same} the same, {d.changed} changed, {d.new} new;",
            f"{d.compared} compared.",
            "",
        ]
        if d.variables:
            lines += [
                "| variable | differing | rms of the differences | of rms |",
                "|---|---|---|---|",
            ]
        lines += [
            f"| {c.variable} | {c.differing:,} of {c.values:,} | {c.rms:.3g} {c.units} "
            f"| {c.relative:.2%} |"
            for c in d.variables
        ]
        lines += ["", *(f"- {g.granule}: {g.score:.2%} {g.said}" for g in d.worst), ""]
    if not found:
        return "\n".join([*lines, "Nothing was made: everything is current."])
    lines += ["", f"`sciqlop-pipe campaign publish {name}` makes it current."]
    return "\n".join(lines)
