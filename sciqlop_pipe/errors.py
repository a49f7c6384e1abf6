"""Errors that say what went wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PipeError(Exception):
    """Base of every refusal of SciQLOP Pipe.

    Parameters
    ----------
    what : str
        What went wrong, in one sentence.
    where : str
        The dataset, granule, file or address concerned.
    todo : str
        What the user can do about it.
    """

    def __init__(self, what: str, where: str = "", todo: str = "") -> None:
        super().__init__(what, where, todo)
        self.what, self.where, self.todo = what, where, todo

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.todo}" if self.todo else text


class GraphError(PipeError):
    """The declarations of datasets contradict each other."""


class UnknownName(PipeError):
    """A dataset, recipe or parameter nobody has declared."""


class DataTypeError(PipeError):
    """A dataset does not have the shape its DataType promises."""


class UsageError(PipeError):
    """The request itself makes no sense (start after stop, empty target)."""


class SourceError(PipeError):
    """Raw input that cannot be used: truncated, corrupt, of another kind."""


class TruncatedFile(SourceError):
    """A file shorter than its own header says."""


class ArchiveGone(SourceError):
    """An archive that cannot be listed at all (unmounted folder, server away)."""


class TransientError(PipeError):
    """A failure that may pass by itself (network, lost worker): worth a retry."""


class StoreError(PipeError):
    """The store cannot be opened, read or written."""


class StorageFull(StoreError, TransientError):
    """What is written finds no room, or no permission: not the granule's fault."""


class RegistryAway(StoreError, TransientError):
    """The registry does not answer: it may be asked again."""


class Conflict(StoreError):
    """Somebody else changed what this commit was about to replace or had read."""


def near(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the known names most like `name`, or ''."""
    hits = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(hits)}?" if hits else ""
