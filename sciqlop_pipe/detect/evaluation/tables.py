"""Lists of events as people publish them: one reader, the layout told by its columns.

The schema of this project, as CSV or Parquet: `start`, `stop` (ISO 8601, UTC; the same for a
moment), and optionally `kind`, `sense`, `time` (the moment an event is about), `probability`,
`score`, `source`. Other columns are ignored, which makes what `catalog export` writes such a table.

Read as well: `begin`, `end`, `proba` or `origin` (lists of LPP); `mo_start_time`, `mo_end_time`
(magnetic obstacles of HELIO4CAST ICMECAT; `icme_start_time` is kept as start of the sheath);
`time` alone (moments); the texts that `layouts` knows; times as 2016-01-02/01:54:00; and the JSON
of `catalog export`. CSV may be compressed with gzip.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import PipeError, UsageError
from ...granule import Interval, instant, iso
from .layouts import frame_of
from .matching import Mark, mark

_BEGIN = ("start", "begin", "mo_start_time", "start_time", "starttime")
_END = ("stop", "end", "mo_end_time", "end_time", "stoptime", "stop_time")
OVERLAPS = ("refuse", "merge", "keep")
"""What may become of events that overlap others of their kind."""

_SURE = ("probability", "proba")
_SOURCE = ("source", "origin", "sc_insitu")


@dataclass(frozen=True, slots=True)
class Table:
    """A list of events, by start.

    Parameters
    ----------
    name : str
        The file it is from.
    marks : tuple of Mark
        Its events.
    sheaths : tuple of Interval
        What precedes an event and belongs to neither it nor quiet times, where the list says so.
    clashes : tuple of (int, int)
        Rows of events of one kind, sense and source that overlap: of the earlier one, of the later.
    complete : tuple of Interval
        What the list says was looked at.
    """

    name: str
    marks: tuple[Mark, ...]
    sheaths: tuple[Interval, ...] = ()
    clashes: tuple[tuple[int, int], ...] = ()
    complete: tuple[Interval, ...] = ()

    @property
    def spans(self) -> tuple[Interval, ...]:
        """Return what the list surely speaks of: what it says, else from first to last event."""
        if self.complete:
            return self.complete
        last = max(m.stop for m in self.marks)
        first = min(m.start for m in self.marks)
        return (Interval(first, last + 1),)


def read_table(path: str | Path, *, source: str = "") -> Table:
    """Return a list of events from a CSV, Parquet or JSON file.

    Parameters
    ----------
    path : path
        The file.
    source : str
        Only events that the list ascribes to it ("Wind" in a list of several spacecraft).

    Raises
    ------
    UsageError
        When the file is no list of events, is empty, or a row has no valid time or ends before it
        starts; the row is named.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError("there is no such file", str(path))
    if path.suffix == ".json":
        from ...catalog import read_catalog

        found = read_catalog(path.read_text(), str(path))
        if found.refused:
            raise UsageError(found.refused[0], str(path))
        marks = [mark(e.event) for e in found.entries]
        return _table(str(path), marks)
    frame = _frame(path)
    complete = _complete(frame, str(path))
    if complete:
        frame = frame[frame["start"].notna()]
    marks, sheaths = _marks(frame, str(path))
    rows = list(range(1, len(marks) + 1))
    if source:
        rows = [k for k, m in enumerate(marks, start=1) if m.source == source]
        if not rows:
            names = ", ".join(sorted({m.source for m in marks if m.source})) or "no column of it"
            raise UsageError(f"no event is of '{source}'", str(path), f"There are: {names}")
    kept = [sheaths[k - 1] for k in rows]
    return _table(str(path), [marks[k - 1] for k in rows], [s for s in kept if s is not None],
                  rows, complete)  # fmt: skip


def read_tables(paths: Sequence[str | Path], source: str = "") -> list[Table]:
    """Return several lists; those that name a source are narrowed to it, where one is wanted.

    Parameters
    ----------
    paths : sequence of path
        The files.
    source : str
        Only events that a list ascribes to it; lists that do not name it are taken whole.

    Raises
    ------
    UsageError
        As `read_table`, and when no list names the source.
    """
    tables = [read_table(p) for p in paths]
    having = [any(m.source == source for m in t.marks) for t in tables]
    if source and not any(having):
        names = ", ".join(sorted({m.source for t in tables for m in t.marks if m.source}))
        raise UsageError(f"no event is of '{source}'", ", ".join(map(str, paths)),
                         f"There are: {names or 'no column of it'}")  # fmt: skip
    return [read_table(p, source=source) if source and has else t
            for p, t, has in zip(paths, tables, having, strict=True)]  # fmt: skip


def settled(tables: Sequence[Table], overlaps: str) -> list[Table]:
    """Return lists whose overlapping events were refused, merged, or kept.

    Two events of one kind that overlap contradict each other: either is where the other ends or
    begins. Windows that hold an event each may.

    Parameters
    ----------
    tables : sequence of Table
        The lists.
    overlaps : str
        "refuse", "merge" (what overlaps is one event), "keep".

    Raises
    ------
    UsageError
        When events overlap that must not, naming their rows; for another word.
    """
    if overlaps not in OVERLAPS:
        raise UsageError(f"'{overlaps}' says nothing of events that overlap", "--overlaps",
                         f"One of {', '.join(OVERLAPS)}")  # fmt: skip
    if overlaps == "keep":
        return list(tables)
    found = []
    for t in tables:
        if t.clashes and overlaps == "refuse":
            rows = ", ".join(f"{a} and {b}" for a, b in t.clashes[:5])
            raise UsageError(
                f"{len(t.clashes)} events overlap one of their kind: rows {rows}"
                f"{' ...' if len(t.clashes) > 5 else ''}", t.name,
                "Correct them, or say --overlaps merge (they are one event) or keep (each counts)",
            )  # fmt: skip
        found.append(_merged(t) if t.clashes else t)
    return found


def _merged(table: Table) -> Table:
    kept: dict[tuple[str, str, str], list[Mark]] = {}
    for m in table.marks:
        mine = kept.setdefault(_sort(m), [])
        if mine and m.start < mine[-1].stop:
            mine[-1] = replace(mine[-1], stop=max(mine[-1].stop, m.stop), time=None)
        else:
            mine.append(m)
    marks = [m for part in kept.values() for m in part]
    return replace(_table(table.name, marks, table.sheaths), complete=table.complete)


def _sort(m: Mark) -> tuple[str, str, str]:
    return m.kind, m.sense, m.source


def _table(
    name: str, marks: Sequence[Mark], sheaths: Sequence[Interval] = (), rows: Sequence[int] = (),
    complete: Sequence[Interval] = (),
) -> Table:  # fmt: skip
    if not marks:
        raise UsageError("there are no events in this table", name)
    numbered = zip(marks, rows or range(1, len(marks) + 1), strict=True)
    ordered = sorted(numbered, key=lambda p: (p[0].start, p[0].stop, p[0].kind))
    latest: dict[tuple[str, str, str], tuple[int, int]] = {}
    clashes = []
    for m, row in ordered:
        stop, by = latest.get(_sort(m), (m.start, 0))
        if m.start < stop:
            clashes.append((by, row))
        if m.stop >= stop:
            latest[_sort(m)] = m.stop, row
    return Table(
        name, tuple(m for m, _ in ordered), tuple(sheaths), tuple(clashes), tuple(complete)
    )


def _complete(frame: pd.DataFrame, where: str) -> tuple[Interval, ...]:
    """Return the intervals that a list says were searched, each once, in time order."""
    if not {"searched_from", "searched_to"} <= set(frame):
        return ()
    spans = []
    for k, row in enumerate(frame.to_dict("records"), start=1):
        start, stop = _time(row["searched_from"]), _time(row["searched_to"])
        _check(start, stop, where, k)
        spans.append(Interval(start, stop))
    return tuple(sorted(set(spans)))


def _frame(path: Path) -> pd.DataFrame:
    where = str(path)
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
            frame = frame_of(text)
    except (ValueError, OSError, EOFError, ImportError) as error:
        raise UsageError(
            f"this is not a table of events ({error})",
            where,
            "Give CSV or Parquet with start, stop",
        ) from error  # fmt: skip
    return frame.rename(columns={c: str(c).strip().lower() for c in frame.columns})


def _time(value: Any) -> int:
    if isinstance(value, str):
        value = value.strip().replace("/", "T")
    elif pd.isna(value):
        raise UsageError("no time")
    return instant(value)


def _marks(frame: pd.DataFrame, where: str) -> tuple[list[Mark], list[Interval | None]]:
    begin = next((c for c in _BEGIN if c in frame), None)
    end = next((c for c in _END if c in frame), None)
    if begin is None or end is None:
        if "time" not in frame:
            raise UsageError(
                f"no columns of times among: {', '.join(map(str, frame.columns))}", where,
                "Name them start and stop (ISO 8601, UTC)",
            )  # fmt: skip
        begin = end = "time"
    sure = next((c for c in _SURE if c in frame), None)
    origin = next((c for c in _SOURCE if c in frame), None)
    marks: list[Mark] = []
    sheaths: list[Interval | None] = []
    for k, row in enumerate(frame.to_dict("records"), start=1):
        try:
            start, stop = _time(row[begin]), _time(row[end])
            known = row.get("time")
            moment = None if known is None or pd.isna(known) or known == "" else _time(known)
            probability = float("nan") if sure is None else float(row[sure] or "nan")
            score = float(row.get("score") or "nan")
        except (PipeError, ValueError) as error:
            raise UsageError(f"row {k} cannot be read ({error})", where) from error
        _check(start, stop, where, k)
        kind, sense = _word(row.get("kind")), _word(row.get("sense"))
        from_ = _word(row[origin]) if origin else ""
        marks.append(Mark(start, stop, kind, sense, probability, moment, from_, score))
        sheaths.append(_sheath(row.get("icme_start_time"), start))
    return marks, sheaths


def _sheath(value: Any, start: int) -> Interval | None:
    if value is None or pd.isna(value):
        return None
    first = _time(value)
    return Interval(first, start) if first < start else None


def _word(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def _check(start: int, stop: int, where: str, row: int) -> None:
    if stop < start:
        raise UsageError(
            f"row {row} ends ({iso(stop)}) before it starts ({iso(start)})", where, "Correct it"
        )
