"""Pairs of things in time: how far two intervals overlap, and each thing in one pair at most."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

A = TypeVar("A", bound=Hashable)
B = TypeVar("B", bound=Hashable)


class Span(Protocol):
    """Anything from `start` to `stop` [ns since 1970 UTC], equal for a moment."""

    @property
    def start(self) -> int:
        """Return where it begins."""

    @property
    def stop(self) -> int:
        """Return where it ends."""


def iou(a: Span, b: Span) -> float:
    """Return intersection over union of two spans [1]: 0 when apart, 1 for equal moments."""
    shared = min(a.stop, b.stop) - max(a.start, b.start)
    union = max(a.stop, b.stop) - min(a.start, b.start)
    if union <= 0:
        return 1.0
    return max(0, shared) / union


def one_to_one(pairs: Iterable[tuple[float, A, B]]) -> list[tuple[A, B]]:
    """Return pairs in which each thing stands once, the closest first.

    Parameters
    ----------
    pairs : iterable of (closeness, left, right)
        Those allowed, in any order; greater closeness is better, equals go by left, then right.
    """
    left: set[A] = set()
    right: set[B] = set()
    matched = []
    for _, a, b in sorted(pairs, key=lambda p: (-p[0], p[1], p[2])):
        if a not in left and b not in right:
            left.add(a)
            right.add(b)
            matched.append((a, b))
    return matched
