"""What a task carries to a worker: the granules of one bundle, and where their inputs are."""

from __future__ import annotations

from dataclasses import dataclass, field

from .granule import Granule, Interval
from .model import Dataset
from .sources.access import Access
from .sources.archive import RawFile


@dataclass(frozen=True, slots=True)
class Piece:
    """An input granule: where it is in the store and what it holds.

    One that was not kept has no path; `maker` then says how it is made again, in memory.
    """

    start: int
    stop: int
    uid: str
    content: str
    n: int
    path: str | None
    maker: Member | None = None


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One argument of a recipe for one granule.

    `pieces` are current, also those that could not be made anew. `sibling` names an input that
    this bundle makes itself. `waits_for` names granules that are expected but could not be made.
    """

    argument: str
    dataset: str
    required: bool
    margin: int
    pieces: tuple[Piece, ...] = ()
    sibling: bool = False
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A promoted model: its name, the hash of its content, and where it is in the store."""

    name: str
    content: str
    path: str


@dataclass(frozen=True, slots=True)
class Member:
    """One granule to make."""

    dataset: Dataset
    interval: Interval
    inputs: tuple[InputSpec, ...] = ()
    files: tuple[RawFile, ...] = ()
    checksums: tuple[tuple[str, str], ...] = ()
    model: ModelSpec | None = None
    replaces: tuple[str, ...] = ()
    current_fingerprint: str | None = None
    current_content: str = ""
    keep: bool = True
    recorded: tuple[str, ...] = ()

    @property
    def granule(self) -> Granule:
        """Return which granule this is."""
        return Granule(self.dataset.name, self.interval)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Granules made by one task, inputs first."""

    members: tuple[Member, ...]
    root: str
    salvage: bool = False
    durable: bool = True
    access: Access = field(default_factory=Access)
