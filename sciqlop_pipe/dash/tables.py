"""Tables of campaigns as markup, for pages and for files: everything in them is inert."""

from __future__ import annotations

from collections.abc import Mapping

from ..campaign.difference import differences
from ..campaign.status import Status
from ..publish.painters import FAINT, GREEN
from ..store import Store
from .words import lasting, safe, size, table

FAILED = ("dataset", "granule", "state", "error", "to try it again")


def failure_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what failed last and was not made since, with the command that tries it again."""
    return [
        (
            r["dataset"], r["start"], r["state"], r["error"] or "",
            _again(r, store),
        )
        for r in store.registry.unresolved()
    ]  # fmt: skip


def _again(row: Mapping[str, str], store: Store) -> str:
    span = f"--start {row['start']} --stop {row['stop']}"
    return f"sciqlop-pipe run {row['dataset']} {span} --store {store.root}"


def status_table(s: Status) -> str:
    """Return how a campaign goes, as markup."""
    part = s.settled / s.planned if s.planned else 1.0
    bar = (
        f"<div style='background:{FAINT};height:12px;width:100%' role='progressbar' "
        f"aria-valuenow='{100 * part:.0f}'>"
        f"<div style='background:{GREEN};height:12px;width:{100 * part:.1f}%'></div></div>"
    )
    left = f", {lasting(s.left)} left at {60 * s.pace:.3g} granules a minute" if s.left else ""
    words = (
        f"<h2>Campaign {safe(s.name)}: {safe(s.state)} {safe(s.why)}</h2>{bar}"
        f"<p>{s.settled:,} of {s.planned:,} granules{left}; {s.failed} failed, {s.quarantined} in "
        f"quarantine, {s.excused} done without; {s.workers} workers, {s.outstanding} tasks out</p>"
    )
    words += "".join(f"<div class='said'>{safe(p)}</div>" for p in s.problems)
    states = sorted({k for row in s.rows.values() for k in row})
    rows = [(n, *(row.get(k, "") for k in states)) for n, row in s.rows.items()]
    running = [(r.granule, lasting(r.seconds), "stuck?" if r.stuck else "") for r in s.running]
    words += table(rows, ("dataset", *states)) if rows else ""
    return words + (table(running, ("running", "for", "")) if running else "")


def difference_table(store: Store, stage: str, sample: int = 20) -> str:
    """Return how a staged run differs from what is current, as markup."""
    words = ""
    for d in differences(store, stage, sample):
        words += (
            f"<h2>{safe(d.dataset)}</h2><p>{d.staged} granules staged: {d.same} the same, "
            f"{d.changed} changed, {d.new} new; {d.records_before:,} records before, "
            f"{d.records_after:,} after; "
            f"{size(d.bytes_before)} before, {size(d.bytes_after)} after</p>"
        )
        if d.variables:
            rows = [
                (
                    c.variable,
                    f"{c.differing:,} of {c.values:,}",
                    c.gaps,
                    f"{c.largest:.3g} {c.units}",
                    f"{c.relative:.3g}",
                )
                for c in d.variables
            ]
            words += table(
                rows, ("variable", "values that differ", "gaps", "largest", "rms relative")
            )
        if d.worst:
            worst = [(w.granule, w.before, w.after, f"{w.score:.3g}", w.said) for w in d.worst]
            words += table(worst, ("where most", "before", "after", "score", ""))
    return words or "<p>Nothing differs.</p>"
