"""Tables of campaigns on a terminal: plans, runs, standing, failures, differences."""

from __future__ import annotations

from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from ..campaign import Frozen
from ..campaign.difference import Change, DatasetDiff
from ..campaign.status import Status
from ..granule import iso
from ..report import Report
from ..store import campaigns as book
from .output import wide

out = wide()


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


def show_run(name: str, done: Report) -> None:
    """Print what a run of a campaign did, and how to go on."""
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


def show_status(s: Status) -> None:
    """Print how a campaign stands."""
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
            word = "on a worker, not begun, for" if r.queued else "running for"
            usual = f" (usually {r.usual:.1f} s)" if r.usual else ""
            out.print(f"  {word} {r.seconds:.0f} s: {r.granule}{usual}")
    elif s.phase:
        out.print(f"  {s.phase}")
    if s.left is not None:
        out.print(f"  {s.pace:,.2f} granules/s; ends in about {words(s.left)}")
    for problem in s.problems:
        out.print(f"  [yellow]{escape(problem)}[/]")


def words(seconds: float) -> str:
    """Return a duration as people say it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def poison_json(p: book.Poison) -> dict[str, object]:
    """Return a granule that fails, for JSON."""
    return asdict(p) | {"granule": str(p.granule)}


def show_poison(bad: list[book.Poison], limit: int) -> None:
    """Print granules that fail; `limit` attempts quarantine one."""
    if not bad:
        return
    table = Table("granule", "state", "attempts", "error", "decided")
    for p in bad:
        state = "quarantined" if p.quarantined(limit) else p.state
        decided = f"{p.decided}: {p.why}" if p.why else p.decided
        table.add_row(str(p.granule), state, str(p.attempts), escape(p.error), escape(decided))
    out.print(table)


def diff_json(d: DatasetDiff) -> dict[str, object]:
    """Return how a staged dataset differs, for JSON."""
    plain = asdict(d)
    plain["worst"] = [asdict(w) | {"granule": str(w.granule), "score": w.score} for w in d.worst]
    return plain


def show_diff(d: DatasetDiff) -> None:
    """Print how a staged dataset differs."""
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
