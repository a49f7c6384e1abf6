"""Lists of events as people publish them: one reader, the layout told by its columns.

The schema of this project, as CSV or Parquet: `start`, `stop` (ISO 8601, UTC; the same for a
moment), and optionally `kind`, `sense`, `time` (the moment an event is about), `probability`,
`score`, `source`. Other columns are ignored, which makes what `catalog export` writes such a table.

Read as well: `begin`, `end`, `proba` or `origin` (lists of LPP); `mo_start_time`, `mo_end_time`
(magnetic obstacles of HELIO4CAST ICMECAT; `icme_start_time` is kept as start of the sheath);
`time` alone (moments); two columns of times without names; times as 2016-01-02/01:54:00; and the
JSON of `catalog export`. CSV may be compressed with gzip.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import PipeError, UsageError
from ...granule import Interval, instant, iso
from .matching import Mark, mark

_BEGIN = ("start", "begin", "mo_start_time", "start_time", "starttime")
_END = ("stop", "end", "mo_end_time", "end_time", "stoptime", "stop_time")
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
    overlapping : int
        How many events begin before an earlier one of their kind has ended.
    """

    name: str
    marks: tuple[Mark, ...]
    sheaths: tuple[Interval, ...] = ()
    overlapping: int = 0

    @property
    def span(self) -> Interval:
        """Return the time from the first event to the last: what the list surely speaks of."""
        last = max(m.stop for m in self.marks)
        first = min(m.start for m in self.marks)
        return Interval(first, last + 1)

    def where(self, keep: Callable[[Mark], bool]) -> Table:
        """Return the table with some of its events only.

        Raises
        ------
        UsageError
            When none is left.
        """
        return _table(self.name, [m for m in self.marks if keep(m)], self.sheaths)


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
    marks, sheaths = _marks(frame, str(path))
    if source:
        kept = [k for k, m in enumerate(marks) if m.source == source]
        if not kept:
            names = ", ".join(sorted({m.source for m in marks if m.source})) or "no column of it"
            raise UsageError(f"no event is of '{source}'", str(path), f"There are: {names}")
        marks = [marks[k] for k in kept]
        sheaths = [sheaths[k] for k in kept]
    return _table(str(path), marks, [s for s in sheaths if s is not None])


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


def _table(name: str, marks: Sequence[Mark], sheaths: Sequence[Interval] = ()) -> Table:
    if not marks:
        raise UsageError("there are no events in this table", name)
    ordered = tuple(sorted(marks, key=lambda m: (m.start, m.stop, m.kind)))
    latest: dict[str, int] = {}
    overlapping = 0
    for m in ordered:
        overlapping += m.start < latest.get(m.kind, m.start)
        latest[m.kind] = max(latest.get(m.kind, m.stop), m.stop)
    return Table(name, ordered, tuple(sheaths), overlapping)


def _frame(path: Path) -> pd.DataFrame:
    where = str(path)
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
            frame = _from_text(text)
    except (ValueError, OSError, EOFError, ImportError) as error:
        raise UsageError(
            f"this is not a table of events ({error})",
            where,
            "Give CSV or Parquet with start, stop",
        ) from error  # fmt: skip
    return frame.rename(columns={c: str(c).strip().lower() for c in frame.columns})


def _from_text(text: str) -> pd.DataFrame:
    lines = [x for x in text.splitlines() if x.strip() and not x.lstrip().startswith("#")]
    if not lines:
        return pd.DataFrame(columns=["start", "stop"])
    cells = lines[0].split(",")
    if len(cells) >= 2 and all(_is_time(c) for c in cells[:2]):
        names = ["start", "stop", *(f"column {k}" for k in range(2, len(cells)))]
        return pd.read_csv(io.StringIO("\n".join(lines)), header=None, names=names, dtype=str)
    return pd.read_csv(io.StringIO("\n".join(lines)), dtype=str)


def _is_time(text: str) -> bool:
    try:
        _time(text)
    except PipeError:
        return False
    return not text.strip().isdigit()


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
