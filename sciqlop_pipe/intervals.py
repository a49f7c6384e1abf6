"""Reading lists of intervals: CSV, VOTable, or a catalog exported as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from .errors import PipeError, UsageError
from .granule import Interval, duration, instant

_STARTS = ("start", "start_time", "t_start", "tstart", "begin", "time.start")
_STOPS = ("stop", "stop_time", "t_stop", "tstop", "tend", "end", "end_time", "time.end")


def read_intervals(path: Path, pad: str = "") -> list[Interval]:
    """Return the intervals of a file, widened by `pad`.

    Parameters
    ----------
    path : Path
        CSV with a header (or bare start,stop columns), VOTable, or JSON with a list of events.
    pad : str
        A duration added on both sides; moments (start = stop) need one.

    Raises
    ------
    UsageError
        When the file holds no intervals that can be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the intervals cannot be read ({error})", str(path)) from error
    extra = duration(pad) if pad else 0
    found = [_interval(start, stop, extra, path) for start, stop in _pairs(text, path)]
    if not found:
        raise UsageError(
            "there are no intervals in this file", str(path), "Expected columns start and stop"
        )
    return found


def _pairs(text: str, path: Path) -> list[tuple[str, str]]:
    kind = text.lstrip()[:1]
    read = _votable if kind == "<" else _json if kind in ("[", "{") else _csv
    try:
        return list(read(text))
    except (ValueError, TypeError, KeyError, ET.ParseError) as error:
        raise UsageError(
            f"this is not a list of intervals ({error!r})",
            str(path),
            "Expected CSV or VOTable with columns start and stop, or an exported catalog",
        ) from error


def _interval(start: str, stop: str, extra: int, path: Path) -> Interval:
    try:
        a, b = instant(start), instant(stop)
        return Interval.of(a, b + (a == b and extra > 0)).padded(extra)
    except PipeError as error:
        raise UsageError(error.what, f"{path}: {start}, {stop}", error.todo) from error


def _csv(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    if not rows:
        return
    columns = _columns(rows[0])
    a, b = columns or (0, 1)
    for row in rows[bool(columns) :]:
        if len(row) <= max(a, b):
            raise ValueError(f"row '{','.join(row)}' has {len(row)} columns")
        yield row[a], row[b]


def _votable(text: str) -> Iterator[tuple[str, str]]:
    elements = list(ET.fromstring(text).iter())
    fields = [e for e in elements if e.tag.rpartition("}")[2] == "FIELD"]
    by_name = _columns([f.get("name", "") for f in fields])
    by_ucd = _columns([f.get("ucd", "").partition(";")[0] for f in fields])
    a, b = by_name or by_ucd or (0, 1)
    for row in (e for e in elements if e.tag.rpartition("}")[2] == "TR"):
        cells = [(cell.text or "").strip() for cell in row]
        if len(cells) <= max(a, b):
            raise ValueError(f"a row has {len(cells)} columns")
        yield cells[a], cells[b]


def _columns(names: list[str]) -> tuple[int, int] | None:
    """Return which columns are start and stop, None where their names do not tell."""
    lower = [name.strip().lower().replace(" ", "_") for name in names]
    start = next((lower.index(name) for name in _STARTS if name in lower), None)
    stop = next((lower.index(name) for name in _STOPS if name in lower), None)
    return None if start is None or stop is None else (start, stop)


def _json(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    for event in data["events"] if isinstance(data, dict) else data:
        yield str(event["start"]), str(event["stop"])
