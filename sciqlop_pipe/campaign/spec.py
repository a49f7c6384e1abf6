"""What a campaign is asked to do: a small file, read and refused before any work is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UnknownName, UsageError, near
from ..granule import Interval, duration
from ..graph import Graph
from ..intervals import read_intervals
from ..plan import REASONS, merged
from ..settings import fill, read_settings
from ..sources.access import size_of
from ..store import Store
from ..store.events import current_events

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: "upstream" follows from the other reasons; "withdrawn" must be asked for.
_REASONS = (*(r for r in REASONS if r != "upstream"), "withdrawn")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a campaign may cost, and when it stops by itself.

    Parameters
    ----------
    attempts : int
        How often a granule may fail by its own fault before it is quarantined.
    granules : int
        Refuse a plan of more; 0 is no limit.
    bytes : str
        Refuse a plan that is expected to write more, "2TB"; "" is no limit.
    free : str
        What must be left free on the store's disk; the campaign pauses before it is used up.
    hours : float
        Pause after so many hours of work; 0 is no limit.
    requests : int
        How many requests of all workers one server sees at once.
    """

    attempts: int = 3
    granules: int = 0
    bytes: str = ""
    free: str = "1GB"
    hours: float = 0.0
    requests: int = 4

    def __post_init__(self) -> None:
        for name in ("attempts", "requests"):
            if getattr(self, name) < 1:
                raise UsageError(f"limits.{name} is {getattr(self, name)}, expected at least 1")
        for name in ("granules", "hours"):
            if getattr(self, name) < 0:
                raise UsageError(f"limits.{name} is {getattr(self, name)}, expected 0 or more")
        for text in (self.bytes, self.free):
            size_of(text or "0")


@dataclass(frozen=True, slots=True)
class Spec:
    """A campaign as its file spells it.

    Parameters
    ----------
    name : str
        Its label: results are staged under it until they are published.
    targets : tuple of str
        Names of datasets, or globs; what they are made from is planned too.
    start, stop : str
        Where, UTC; or `intervals`, or `events`.
    intervals : str
        A file of intervals (CSV, VOTable, JSON), relative to the campaign's file.
    events : str
        A dataset of events in the store: around each of them.
    pad : str
        Widen every interval.
    archives : tuple of str
        Where mission files are, as for `--archive`; none: what the store has.
    params : mapping
        Per dataset, values over those it was declared with.
    transient : tuple of str
        Datasets (or globs) that are computed and not kept.
    keep : tuple of str
        Transient datasets (or globs) that are to be kept this time.
    reasons : tuple of str
        Which kinds of staleness are acted upon.
    profile : str
        A file that says where it runs, relative to the campaign's file; "" is this machine.
    salvage : bool
        Accept the whole variables of truncated files.
    limits : Limits
        What it may cost.
    description : str
        For people.
    """

    name: str
    targets: tuple[str, ...]
    start: str = ""
    stop: str = ""
    intervals: str = ""
    events: str = ""
    pad: str = ""
    archives: tuple[str, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    transient: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    reasons: tuple[str, ...] = _REASONS[:-1]
    profile: str = ""
    salvage: bool = False
    limits: Limits = field(default_factory=Limits)
    description: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"'{self.name}' cannot be the name of a campaign",
                todo="Use letters, digits, dots, dashes and underscores, 64 at most",
            )
        if not self.targets:
            raise UsageError("there are no targets", todo="Name datasets: targets = ['...']")
        ways = [bool(self.start or self.stop), bool(self.intervals), bool(self.events)]
        if sum(ways) != 1:
            raise UsageError(
                "no interval is named" if not any(ways) else "more than one interval is named",
                todo="Give start and stop, or intervals = 'FILE', or events = 'DATASET'",
            )
        if ways[0]:
            if not (self.start and self.stop):
                raise UsageError(f"'{'stop' if self.start else 'start'}' is missing")
            Interval.of(self.start, self.stop)
        if self.pad:
            duration(self.pad)
        for reason in self.reasons:
            if reason not in _REASONS:
                todo = near(reason, _REASONS) or f"There are: {', '.join(_REASONS)}"
                raise UsageError(f"'{reason}' is no reason to recompute", todo=todo)

    def as_table(self) -> dict[str, Any]:
        """Return it as a plain dictionary that `fill` reads back."""
        table = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in table.items()}

    def graph(self, graph: Graph) -> Graph:
        """Return the graph with the campaign's params, and with what it does not keep.

        Raises
        ------
        UnknownName
            For a target, dataset or param that nobody declares, with near names.
        """
        graph.select(self.targets)
        not_kept = set(graph.select(self.transient)) if self.transient else set()
        if self.keep:
            graph.select(self.keep)
        changes: dict[str, dict[str, Any]] = {}
        for pattern, values in self.params.items():
            for name in graph.select([pattern]):
                changes.setdefault(name, {}).update(values)
        made = graph.ancestors(graph.select(self.targets))
        if odd := [n for n in changes if n not in made]:
            raise UnknownName(
                f"params are given for '{odd[0]}', which no target is made from",
                f"campaign {self.name}",
                near(odd[0], made),
            )
        return graph.changed(changes, not_kept)

    def names(self, graph: Graph) -> tuple[str, ...]:
        """Return the datasets that the targets select."""
        return graph.select(self.targets)

    def kept(self, graph: Graph) -> tuple[str, ...]:
        """Return the transient datasets that are kept this time."""
        return graph.select(self.keep) if self.keep else ()

    def spans(self, store: Store, folder: Path) -> tuple[Interval, ...]:
        """Return where it works: disjoint intervals in order.

        Parameters
        ----------
        store : Store
            Holds the events, where the campaign follows events.
        folder : Path
            Of the campaign's file.

        Raises
        ------
        UsageError
            When the file of intervals, or the store, has none.
        """
        pad = duration(self.pad) if self.pad else 0
        if self.intervals:
            return tuple(merged(read_intervals(folder / self.intervals, self.pad)))
        if self.events:
            found = current_events(store.registry.db, self.events)
            spans = [Interval(e.start, max(e.stop, e.start + 1)).padded(pad) for e in found]
            if not spans:
                raise UsageError(f"the store has no events of '{self.events}'", str(store.root))
            return tuple(merged(spans))
        return (Interval.of(self.start, self.stop).padded(pad),)


def read_campaign(path: Path) -> Spec:
    """Return the campaign that a TOML or YAML file describes.

    Raises
    ------
    UsageError
        When it does not parse, holds an unknown name, an impossible value or range.
    """
    return fill(Spec, read_settings(path), str(path))
