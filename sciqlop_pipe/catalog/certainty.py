"""How often events of a score are right: a view of a catalog, events are never changed by it.

Detectors by rule give a score that orders their events. A store may hold a calibration of it,
learned from a list (`sciqlop-pipe train DATASET --labels`) and promoted under the dataset's name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from ..store import Store, schema
from ..store.records import Event

VIEWED = ("probability", "calibration")
"""Attributes that events with a score have when a catalog is read, and not in the store."""

NONE = "none"
"""What `calibration` says where a score is not calibrated."""

_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Certainty:
    """Log odds of being right over those of a score.

    Parameters
    ----------
    content : str
        Hash of it.
    intercept, slope : float
        Of the line.
    """

    content: str
    intercept: float
    slope: float

    def probability(self, score: float) -> float:
        """Return how often an event with a score is right."""
        kept = min(max(score, _LEAST), 1 - _LEAST)
        odds = self.intercept + self.slope * math.log(kept / (1 - kept))
        return float(f"{1 / (1 + math.exp(-odds)):.6g}")


def certainty(store: Store, dataset: str, when: int | None = None) -> Certainty | None:
    """Return the calibration promoted for a dataset of events, now or at a transaction time."""
    t = schema.model
    alive: ColumnElement[bool] = t.c.tx_to.is_(None)
    if when is not None:
        alive = (t.c.tx_from <= when) & or_(alive, t.c.tx_to > when)
    with store.registry.db.read() as conn:
        row = conn.execute(select(t.c.content, t.c.card).where(t.c.name == dataset, alive)).first()
    numbers = json.loads(row.card).get("calibration") if row is not None else None
    if not isinstance(numbers, dict) or not {"intercept", "slope"} <= set(numbers):
        return None
    return Certainty(row.content, float(numbers["intercept"]), float(numbers["slope"]))  # type: ignore[union-attr]


def with_probability(events: Sequence[Event], known: Certainty | None) -> tuple[Event, ...]:
    """Return events; those with a score alone get a probability, or say that they have none.

    `probability` is None and `calibration` "none" where nobody calibrated the score; else the
    latter is the hash of the calibration.

    Parameters
    ----------
    events : sequence of Event
        Of one dataset.
    known : Certainty, optional
        Of it.
    """
    return tuple(_seen(e, known) for e in events)


def _seen(event: Event, known: Certainty | None) -> Event:
    about: dict[str, Any] = dict(event.attributes)
    score = about.get("score")
    if "probability" in about or not isinstance(score, (int, float)) or not math.isfinite(score):
        return event
    p = None if known is None else known.probability(float(score))
    added = (("probability", p), ("calibration", NONE if known is None else known.content[:16]))
    at = [name for name, _ in event.attributes].index("score")
    return replace(event, attributes=(*event.attributes[:at], *added, *event.attributes[at:]))
