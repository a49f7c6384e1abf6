"""What people think of an event: the last word of each, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..store.events import Verdict

DISPUTED = "disputed"
"""The word where people disagree; no verdict that anybody gives."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What everybody said last of one event."""

    last: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, said: Sequence[Verdict]) -> Opinion:
        """Return the last verdict of each author."""
        return cls(tuple({v.author: v for v in said}.values()))

    @property
    def word(self) -> str:
        """Return "" for nothing said, the verdict where all agree, else "disputed"."""
        words = {"accept" if v.verdict == "moved" else v.verdict for v in self.last}
        if len(words) > 1:
            return DISPUTED
        if any(v.verdict == "moved" for v in self.last):
            return "moved"
        return next(iter(words), "")
