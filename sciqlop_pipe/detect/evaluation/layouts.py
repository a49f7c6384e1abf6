"""Lists of events that are no tables with names: text as people publish it, made tables."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T/ ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?")
_HYPHENS = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
_DATED = re.compile(r"\s*(\d{4}),\s*(\d{1,2}),\s*(\d{1,2}),\s*(\w+)\s*,\s*'([\d:.]+)'\s*$")


def frame_of(text: str) -> pd.DataFrame:
    """Return a list of events as a table with names.

    Known are CSV with a header; CSV without one whose first two cells are times; lines with one
    time or two anywhere, and perhaps a spacecraft in front (`C1 2001-01-14T22:02:09`,
    `2015-11-13/10:02:14 - 2015-11-13/10:02:44, 60.0, ...`); lines `year,month,day,spacecraft,
    'hour:minute:second'`; intervals that were searched with what was marked in them, in TT2000
    (`begin_tt,end_tt,slams_begin,slams_end`: `searched_from`, `searched_to` are the former).

    Parameters
    ----------
    text : str
        Of the file; lines that begin with # are left out.

    Raises
    ------
    ValueError
        When a line of such a text has no time; it is named.
    """
    text = text.translate(_HYPHENS)  # a word processor's
    lines = [x for x in text.splitlines() if x.strip() and not x.lstrip().startswith("#")]
    if not lines:
        return pd.DataFrame(columns=["start", "stop"])
    first = lines[0]
    if _DATED.match(first):
        return _by_line(lines, _dated)
    cells = first.split(",")
    if len(cells) >= 2 and all(_TIME.fullmatch(c.strip()) for c in cells[:2]):
        names = ["start", "stop", *(f"column {k}" for k in range(2, len(cells)))]
        return pd.read_csv(io.StringIO("\n".join(lines)), header=None, names=names, dtype=str)
    if _TIME.search(first):
        return _by_line(lines, _free)
    frame = pd.read_csv(io.StringIO("\n".join(lines)), dtype=str)
    return _of_tt2000(frame) if {"begin_tt", "end_tt"} <= set(frame) else frame


def _by_line(lines: list[str], read: Callable[[str], dict[str, str] | None]) -> pd.DataFrame:
    rows = []
    for k, line in enumerate(lines, start=1):
        row = read(line)
        if row is None:
            raise ValueError(f"line {k} has no time: {line.strip()[:60]!r}")
        rows.append(row)
    return pd.DataFrame(rows)


def _dated(line: str) -> dict[str, str] | None:
    found = _DATED.match(line)
    if found is None:
        return None
    year, month, day, craft, clock = found.groups()
    time = f"{year}-{int(month):02d}-{int(day):02d}T{clock}"
    return {"start": time, "stop": time, "source": craft}


def _free(line: str) -> dict[str, str] | None:
    times = _TIME.findall(line)
    if not times:
        return None
    front = line[: line.index(times[0])].split()
    return {"start": times[0], "stop": times[1] if len(times) > 1 else times[0],
            "source": front[0] if front else ""}  # fmt: skip


def _of_tt2000(frame: pd.DataFrame) -> pd.DataFrame:
    begin, end = (
        next((c for c in frame if str(c).endswith(f"_{w}")), None) for w in ("begin", "end")
    )
    if begin is None or end is None:
        raise ValueError("intervals begin_tt, end_tt without columns ..._begin, ..._end in them")
    names = {"start": begin, "stop": end, "searched_from": "begin_tt", "searched_to": "end_tt"}
    return pd.DataFrame({name: _utc(frame[column]) for name, column in names.items()})


def _utc(column: pd.Series[str]) -> list[str | None]:
    """Return TT2000 [ns] as ISO 8601 UTC, None where there is nothing."""
    import pycdfpp

    found: list[str | None] = []
    for cell in column:
        if pd.isna(cell) or not str(cell).strip():
            found.append(None)
            continue
        ns = round(float(cell)) if "e" in str(cell).lower() or "." in str(cell) else int(cell)
        found.append(str(np.datetime64(pycdfpp.to_datetime64(pycdfpp.tt2000_t(ns)), "ns")))
    return found
