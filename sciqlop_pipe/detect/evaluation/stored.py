"""Events of a store against catalogs: any detector, any list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...catalog import load_catalog
from ...errors import PipeError, UnknownName, UsageError, near
from ...granule import MINUTE, Interval, iso
from ...graph import Graph
from ...store import Store
from ...store.events import event_datasets
from .events import RULES, Grouping, by_day, by_year, score_events
from .matching import Mark, Overlap, Rule, Within, mark
from .report import Evaluation
from .tables import Table

_GAP = 5  # times the usual spacing: longer ones were not searched
_JOIN = 10 * MINUTE  # pieces of data closer than this are one stretch


def evaluate_stored(
    store: Store,
    dataset: str,
    tables: Sequence[Table],
    *,
    searched_by: str = "",
    labelled: Sequence[Interval] = (),
    tolerance: int | None = None,
    kind: str = "",
) -> Evaluation:
    """Return how the current events of a dataset compare with lists.

    Scored is what was both searched (granules of `searched_by` with records, else those of the
    events) and labelled.

    Parameters
    ----------
    store : Store
        Has the events.
    dataset : str
        Name of the events.
    tables : sequence of Table
        The truth.
    searched_by : str
        The dataset that the detector looks at: where it has no data, nothing could be found.
    labelled : sequence of Interval
        Where the lists are complete; from first to last event of each when left out.
    tolerance : int, optional
        Match moments within it [ns] rather than intervals by their overlap.
    kind : str
        Only found events of this kind; lists that name kinds are narrowed to it as well.

    Raises
    ------
    UnknownName
        When the store has no such events.
    UsageError
        When nothing was both searched and labelled.
    """
    known = event_datasets(store.registry.db)
    if dataset not in known:
        raise UnknownName(
            f"there are no events of '{dataset}'", str(store.root),
            near(dataset, known) or f"There are: {', '.join(known) or 'none'}",
        )  # fmt: skip
    found = [mark(e) for e in load_catalog(store, dataset).events]
    kinds = sorted({m.kind for m in found if m.kind})
    if kind:
        if kind not in kinds:
            raise UnknownName(f"there are no events of kind '{kind}'", dataset,
                              near(kind, kinds) or f"There are: {', '.join(kinds)}")  # fmt: skip
        found = [m for m in found if m.kind == kind]
    true = [m for t in tables for m in t.marks if not kind or m.kind in ("", kind)]
    seen = scored_spans(store, dataset, tables, searched_by, labelled)
    rules: Sequence[Rule] = RULES
    if tolerance is not None:
        rules = (Within(tolerance), Overlap(0.0))
    scores = score_events(found, true, seen, rules=rules, group=_grouping(seen))
    return Evaluation(
        dataset,
        {"store": str(store.root), "catalogs": [t.name for t in tables], "kinds": kinds,
         "searched": searched_by or dataset, "scored from": iso(seen[0].start),
         "scored to": iso(seen[-1].stop)},
        events={kind or dataset: scores.as_numbers()},
        notes=catalog_notes(tables, bool(labelled)),
    )  # fmt: skip


def scored_spans(
    store: Store, dataset: str, tables: Sequence[Table], searched_by: str = "",
    labelled: Sequence[Interval] = (),
) -> list[Interval]:  # fmt: skip
    """Return what was both searched and labelled, in time order; arguments as `evaluate_stored`.

    Raises
    ------
    UsageError
        When nothing was.
    """
    looked = searched_by or dataset
    spans = common(searched(store, looked), labelled or [s for t in tables for s in t.spans])
    seen = recorded(store, looked, spans)
    if not seen:
        raise UsageError("nothing was both searched and labelled", dataset,
                         "Run the detector where the list has events")  # fmt: skip
    return seen


def catalog_notes(tables: Sequence[Table], labelled: bool) -> tuple[str, ...]:
    """Return what is to be known of the lists that were scored against.

    Parameters
    ----------
    tables : sequence of Table
        The lists.
    labelled : bool
        Whether somebody said where they are complete.
    """
    notes = []
    if not labelled:
        notes.append("Each list is taken as complete from its first to its last event.")
    notes += [
        f"{t.name}: {len(t.clashes)} events overlap one of their kind, first in rows "
        f"{t.clashes[0][0]} and {t.clashes[0][1]}; each counts ('--overlaps merge' joins them)"
        for t in tables
        if t.clashes
    ]
    return tuple(notes)


def searched(store: Store, dataset: str) -> list[Interval]:
    """Return where a dataset has records, as stretches in time order.

    Parameters
    ----------
    store : Store
        Has it.
    dataset : str
        Events count where their granules are, series from first to last record of each granule.
    """
    rows = store.registry.current(dataset)
    spans = [
        row.interval if row.path is None or row.first is None or row.last is None
        else Interval(row.first, row.last + 1)
        for row in rows if row.path is None or row.n
    ]  # fmt: skip
    return joined(spans)


def recorded(store: Store, dataset: str, spans: Sequence[Interval]) -> list[Interval]:
    """Return the parts of spans in which a dataset has records: gaps within granules are none.

    A gap is longer than five times the median spacing. Of events, and of series that were not
    kept, spans come back as they are: what was looked at there is not in the store.

    Parameters
    ----------
    store : Store
        Has it.
    dataset : str
        Of series.
    spans : sequence of Interval
        From `searched`.
    """
    found: list[Interval] = []
    for span in spans:
        try:
            time = store.read(dataset, span.start, span.stop)["time"].values
        except (PipeError, KeyError):
            found.append(span)
            continue
        at = time.astype("M8[ns]").astype(np.int64)
        if at.size < 3:
            found += [span] if at.size else []
            continue
        spacing = np.diff(at)
        usual = int(np.median(spacing))
        cut = np.flatnonzero(spacing > _GAP * usual) + 1
        for run in np.split(at, cut):
            a, b = int(run[0]) - usual // 2, int(run[-1]) + usual // 2
            found.append(Interval(max(a, span.start), min(b + 1, span.stop)))
    return joined([s for s in found if s.stop > s.start], 0)


def looked_at(store: Store, dataset: str) -> str:
    """Return the dataset that a detector looks at: its first input that a store has, or ""."""
    node = Graph.discover().nodes.get(dataset)
    inputs = () if node is None else node.inputs
    return next((name for _, name in inputs if store.registry.current(name)), "")


def joined(spans: Sequence[Interval], gap: int = _JOIN) -> list[Interval]:
    """Return intervals with those that are at most `gap` [ns] apart as one."""
    result: list[Interval] = []
    for s in sorted(spans):
        if result and s.start <= result[-1].stop + gap:
            result[-1] = Interval(result[-1].start, max(result[-1].stop, s.stop))
        else:
            result.append(s)
    return result


def common(a: Sequence[Interval], b: Sequence[Interval]) -> list[Interval]:
    """Return where two sets of intervals both are."""
    both = [
        Interval(max(x.start, y.start), min(x.stop, y.stop))
        for x in joined(a, 0)
        for y in joined(b, 0)
        if x.overlaps(y)
    ]
    return joined(both, 0)


def _grouping(seen: Sequence[Interval]) -> Grouping:
    """Return the grouping for intervals of scores: by year when there are several, else by day."""
    years: Callable[[Mark], str] = by_year
    span = seen[-1].stop - seen[0].start
    return years if span > 3 * 366 * 86_400 * 10**9 else by_day
