"""Reading lists of intervals: CSV, VOTable, or a catalog exported as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from .errors import PipeError, UsageError
from .granule import Interval, duration, instant

_STARTS = ("start", "start_time", "t_start", "begin", "tstart", "start time")
_STOPS = ("stop", "stop_time", "t_stop", "end", "tend", "stop time")


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
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the intervals cannot be read ({error})", str(path)) from error
    extra = duration(pad) if pad else 0
    kind = text.lstrip()[:1]
    pairs = _votable(text) if kind == "<" else _json(text) if kind in "[{" else _csv(text)
    found = []
    for start, stop in pairs:
        try:
            a, b = instant(start), instant(stop)
            found.append(Interval.of(a, b + (a == b and extra > 0)).padded(extra))
        except PipeError as error:
            raise UsageError(error.what, f"{path}: {start}, {stop}", error.todo) from error
    if not found:
        raise UsageError(
            "there are no intervals in this file", str(path), "Expected columns start and stop"
        )
    return found


def _csv(text: str) -> Iterator[tuple[str, str]]:
    rows = list(csv.reader(line for line in text.splitlines() if line and not line.startswith("#")))
    if not rows:
        return
    head = [cell.strip().lower() for cell in rows[0]]
    a = next((head.index(name) for name in _STARTS if name in head), None)
    b = next((head.index(name) for name in _STOPS if name in head), None)
    body = rows[1:] if a is not None and b is not None else rows
    for row in body:
        if len(row) > max(a or 0, b if b is not None else 1):
            yield row[a or 0].strip(), row[b if b is not None else 1].strip()


def _votable(text: str) -> Iterator[tuple[str, str]]:
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise UsageError(f"the VOTable does not parse ({error})") from error
    for row in root.iter():
        if row.tag.rsplit("}", 1)[-1] == "TR":
            cells = [(cell.text or "").strip() for cell in row]
            if len(cells) >= 2:
                yield cells[0], cells[1]


def _json(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    events = data.get("events", []) if isinstance(data, dict) else data
    for event in events:
        yield str(event["start"]), str(event["stop"])
