"""How a campaign runs, what became of it, and what it tells whoever watches."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .plan import REASONS, Plan
from .sources.access import Access
from .store.records import Failure, Outcome


@dataclass(frozen=True, slots=True)
class Options:
    """How a campaign runs.

    Parameters
    ----------
    salvage : bool
        Accept the whole variables of truncated files.
    stage : str
        Keep results aside under this label until they are published.
    keep : tuple of str
        Transient datasets that are to be kept this time.
    reasons : tuple of str
        Which kinds of staleness are acted upon.
    command : str
        What the user typed, for the record.
    access : Access
        How raw files are got: cache, patience, turns at servers, offline.
    campaign : str
        The campaign that the run is part of.
    priority : int
        Of its tasks, on a scheduler that several runs share; higher ones go first.
    """

    salvage: bool = False
    stage: str = ""
    keep: tuple[str, ...] = ()
    reasons: tuple[str, ...] = REASONS
    command: str = ""
    access: Access = field(default_factory=Access)
    campaign: str = ""
    priority: int = 0


@dataclass(slots=True)
class Report:
    """What became of a run, per dataset and in all."""

    run: str
    planned: int = 0
    done: int = 0
    unchanged: int = 0
    duplicates: int = 0
    conflicts: int = 0
    records: int = 0
    nbytes: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    stopped: str = ""
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    nothing: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """Return the exit status: 0 all well, 130 interrupted.

        1 some granules failed or are left, 3 nothing was found of a target (`nothing`), neither
        here nor at any door.
        """
        if self.interrupted:
            return 130
        if self.failures or self.stopped:
            return 1
        return 3 if self.nothing else 0

    def add(self, dataset: str, key: str, amount: int = 1) -> None:
        """Count something for a dataset."""
        row = self.rows.setdefault(dataset, {})
        row[key] = row.get(key, 0) + amount

    def absorb(self, later: Report) -> None:
        """Add what became of a later run of the same work; what failed is what failed last."""
        self.planned = self.planned if self.run else later.planned
        self.counts = self.counts or later.counts
        self.run, self.failures = later.run, later.failures
        for name in ("done", "unchanged", "duplicates", "conflicts", "records", "nbytes"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.seconds += later.seconds
        self.interrupted, self.stopped = later.interrupted, later.stopped
        self.withdrawn = later.withdrawn
        for dataset, row in later.rows.items():
            for key, amount in row.items():
                self.add(dataset, key, amount)

    def to_json(self) -> str:
        """Return the report as text for scripts."""
        failures = [
            {"granule": str(f.granule), "state": f.state, "error": f.error} for f in self.failures
        ]
        plain = {
            k: getattr(self, k)
            for k in (
                "run",
                "planned",
                "done",
                "unchanged",
                "duplicates",
                "conflicts",
                "records",
                "nbytes",
                "seconds",
                "interrupted",
                "stopped",
                "rows",
                "withdrawn",
                "counts",
                "nothing",
                "status",
            )
        }
        return json.dumps(plain | {"failures": failures}, indent=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a coordinator is at: tasks sent (first granule, seconds), ready, and waiting.

    Of those sent as many run as there are `threads`, the first ones; the others wait on a worker.
    """

    running: tuple[tuple[str, float], ...]
    ready: int
    waiting: int
    workers: int
    threads: int = 1


class Control:
    """Who may hold a run back; this one does not."""

    def narrow(self, plan: Plan) -> None:
        """Take out of a plan what is not to be made."""

    def asks(self, turn: Turn) -> str:
        """Return what the run is to do: "" go on, "pause", "cancel"; called about once a second."""
        return ""


class Progress:
    """What a run tells whoever watches it; the command line draws bars from it."""

    def started(self, run: str) -> None:
        """Say which run this is."""

    def planned(self, counts: dict[str, dict[str, int]], stale: int) -> None:
        """Say what will be made."""

    def outcome(self, outcome: Outcome, verdict: str) -> None:
        """Say what became of one granule."""

    def turn(self, turn: Turn) -> None:
        """Say what runs and what waits; called about once a second."""
