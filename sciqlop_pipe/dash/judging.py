"""Events and what people said of them: what is worth a look, and how a verdict is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from .. import catalog as catalogs
from ..catalog import Catalog, Opinion, find_event
from ..catalog.opinion import DISPUTED
from ..errors import UsageError
from ..granule import Interval
from ..store import Store
from ..store.events import VERDICTS, Verdict, add_verdict
from ..store.records import Event
from .words import clock, lasting

COLUMNS = ("worth", "start", "kind", "sense", "lasts", "probability", "verdict", "by", "id")
LONGEST = 500
"""Letters of a comment or a name."""


def probability(event: Event) -> float:
    """Return the probability of an event, 0.5 where its detector gives none."""
    value = dict(event.attributes).get("probability")
    known = isinstance(value, (int, float)) and 0 <= value <= 1
    return float(value) if known else 0.5  # type: ignore[arg-type]


def worth(event: Event, opinion: Opinion) -> float:
    """Return how much an event is worth a look, 0 to 3.

    What people disagree on comes first (3), then what nobody has judged, the least certain before
    the rest (1 to 2: one plus 4 p (1 - p)), then what is judged (0 to 1, the same way).
    """
    if opinion.word == DISPUTED:
        return 3.0
    p = probability(event)
    return 4 * p * (1 - p) + (0.0 if opinion.word else 1.0)


def frame_of(catalog: Catalog) -> pd.DataFrame:
    """Return the events of a catalog and the missed ones, what is most worth looking at first."""
    rows = []
    for event in catalog.events:
        opinion = Opinion.of(catalog.verdicts.get(event.id, ()))
        given = "probability" in dict(event.attributes)
        rows.append(
            {
                "worth": round(worth(event, opinion), 3),
                "start": clock(event.start),
                "kind": event.kind,
                "sense": str(dict(event.attributes).get("sense", "")),
                "lasts": lasting((event.stop - event.start) / 1e9),
                "probability": round(probability(event), 3) if given else None,
                "verdict": opinion.word,
                "by": ", ".join(v.author for v in opinion.last),
                "id": event.id,
            }
        )
    rows += [_missed_row(v) for v in missed(catalog)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values(["worth", "start"], ascending=[False, True], ignore_index=True)


def _missed_row(v: Verdict) -> dict[str, Any]:
    start, stop = v.start or 0, v.stop or 0
    return {
        "worth": 0.0,
        "start": clock(start),
        "kind": "missed",
        "sense": "",
        "lasts": lasting((stop - start) / 1e9),
        "probability": None,
        "verdict": "missed",
        "by": v.author,
        "id": v.event,
    }


def missed(catalog: Catalog) -> list[Verdict]:
    """Return what people say was missed."""
    return [v for v in catalog.unmatched if v.verdict == "missed" and v.start is not None]


def filtered(
    frame: pd.DataFrame, *, kind: str = "", verdict: str = "", words: str = ""
) -> pd.DataFrame:
    """Return the rows of one kind and verdict ("unjudged" for none) that have all words."""
    if kind:
        frame = frame[frame["kind"] == kind]
    if verdict:
        frame = frame[frame["verdict"] == ("" if verdict == "unjudged" else verdict)]
    for word in words.lower().split():
        lines = (" ".join(map(str, row)).lower() for row in frame.itertuples(index=False))
        frame = frame[[word in line for line in lines]]
    return frame


def judge(
    store: Store,
    event: Event,
    dataset: str,
    verdict: str,
    author: str,
    *,
    span: Interval | None = None,
    comment: str = "",
) -> Verdict:
    """Keep a verdict in the registry and return it.

    Parameters
    ----------
    store : Store
        Open for writing.
    event, dataset : Event, str
        What is judged, and of which catalog.
    verdict : str
        accept, reject, moved.
    author : str
        Who says so.
    span : Interval, optional
        The edges as they should be, for moved.
    comment : str
        Why.

    Raises
    ------
    UsageError
        Without an author, or when edges are not moved.
    """
    name = _author(author)
    if verdict not in VERDICTS or verdict == "missed":
        raise UsageError(f"'{verdict}' is not a verdict on an event")
    if verdict == "moved" and (span is None or span == Interval(event.start, event.stop)):
        raise UsageError(
            "the edges are where they were", todo="Drag the box over the event, then save"
        )
    find_event(store, event.id)
    said = Verdict(
        event.id,
        dataset,
        name,
        verdict,
        span.start if verdict == "moved" and span else None,
        span.stop if verdict == "moved" and span else None,
        comment.strip()[:LONGEST],
    )
    add_verdict(store.registry.db, said)
    return said


def add_missed(
    store: Store, dataset: str, span: Interval, author: str, comment: str = ""
) -> Verdict:
    """Keep an event that the detector did not find, and return the verdict that says so.

    Raises
    ------
    UsageError
        Without an author or an extent.
    """
    name = _author(author)
    if span.stop <= span.start:
        raise UsageError("a missed event needs a start and a stop", todo="Drag the box over it")
    return catalogs.add_missed(store, dataset, span, name, comment.strip()[:LONGEST])


def _author(author: str) -> str:
    name = author.strip()
    if not name:
        raise UsageError(
            "a verdict needs an author", todo="Write your name into the field 'Author'"
        )
    if len(name) > 60:
        raise UsageError("the name of the author is too long")
    return name


def details(event: Event, said: Sequence[Verdict]) -> list[tuple[str, Any]]:
    """Return what is known of an event and what was said, as rows of a table."""
    rows: list[tuple[str, Any]] = [
        ("id", event.id),
        ("kind", event.kind),
        ("from", clock(event.start)),
        ("to", clock(event.stop)),
    ]
    for name, value in event.attributes:
        if value is not None and value != "":
            rows.append((name.replace("_", " "), _short(value)))
    for v in said:
        moved = f" to {clock(v.start)} .. {clock(v.stop)}" if v.start and v.stop else ""
        rows.append((f"{v.author}, {clock(v.at)[:16]}", f"{v.verdict}{moved} {v.comment}".strip()))
    return rows


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_short(v) for v in value)
    return str(value)[:200]
