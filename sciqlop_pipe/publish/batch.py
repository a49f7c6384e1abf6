"""Quicklooks of everything: a picture per day, orbit or event, and a page that shows them."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import PipeError, UsageError, near
from ..granule import MINUTE, GranuleLength, Interval, datetime64, duration
from ..store import Store
from ..store.events import current_events
from ..store.records import Event
from .levels import kind_of, require
from .picture import DPI
from .quicklook import around, draw_interval, neighbourhood

#: What is written into a picture so that the same one is not drawn again.
MARK = "Content"
_LEAST = 1.05


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture of a batch: its file without suffix, what it shows of which interval.

    `position` is what is written under the time axis, if anything.
    """

    name: str
    interval: Interval
    datasets: tuple[str, ...]
    position: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What became of one picture: `new`, `changed`, `same`, `empty` or `failed`."""

    sheet: Sheet
    state: str
    path: Path
    error: str = ""


def sheets(
    store: Store, datasets: Sequence[str], interval: Interval, each: str, position: str = ""
) -> list[Sheet]:
    """Return the pictures of a batch.

    Parameters
    ----------
    store : Store
        Where to read.
    datasets : sequence of str
        What is drawn. For events, without other names, what each was found in.
    interval : Interval
        Where.
    each : str
        "day", "orbit" (from perigee to perigee), "event", or a duration ("2h").
    position : str
        A Position that is written under the time axes; by which orbits are told, where `datasets`
        has none.

    Raises
    ------
    UsageError
        When there is nothing by which to cut, or another word.
    """
    require(store, datasets)
    events = [n for n in datasets if kind_of(store, n, interval) == "Events"]
    if each == "event":
        others = [n for n in datasets if n not in events]
        return _events(store, events, others, interval, position)
    if each == "orbit":
        where = position or next(
            (n for n in datasets if kind_of(store, n, interval) == "Position"), ""
        )
        position = _position(store, where, datasets)
        pieces = orbits(store, position, interval)
    elif each == "day":
        pieces = [
            (str(datetime64(p.start))[:10], p) for p in GranuleLength("1d").covering(interval)
        ]
    else:
        try:
            step = duration(each)
        except UsageError as error:
            hint = near(each, ("day", "orbit", "event")) or "Write day, orbit, event, or 2h"
            raise UsageError(f"'{each}' is no way to cut time", todo=hint) from error
        starts = range(interval.start // step * step, interval.stop, step)
        pieces = [(stamp(s), Interval(s, s + step)) for s in starts]
    return [Sheet(name, piece, tuple(datasets), position) for name, piece in pieces]


def stamp(when: int) -> str:
    """Return a time as part of a file's name: 20151201T093000."""
    return re.sub(r"[-:]", "", str(datetime64(when).astype("datetime64[s]")))


def _events(
    store: Store, catalogs: Sequence[str], others: Sequence[str], interval: Interval, position: str
) -> list[Sheet]:
    if not catalogs:
        raise UsageError("there are no events among these datasets", todo="Name a catalog as well")
    made = []
    for catalog in catalogs:
        for event in current_events(store.registry.db, catalog, interval):
            names = others or around(store, catalog, event.start)
            made.append(Sheet(_called(event), neighbourhood(event), (*names, catalog), position))
    return made


def _called(event: Event) -> str:
    sense = str(dict(event.attributes).get("sense", ""))
    words = re.sub(r"\W+", "-", f"{event.kind} {sense}".strip())
    return f"{stamp(event.start)}_{words}_{event.id[:8]}"


def _position(store: Store, named: str, datasets: Sequence[str]) -> str:
    if named:
        require(store, [named])
        return named
    crafts = {n.split(".")[0] for n in datasets}
    known = [n for n in store.registry.datasets() if n.split(".")[0] in crafts]
    found = [n for n in known if kind_of(store, n, Interval(0, 1)) == "Position"]
    if not found:
        raise UsageError(
            "the store has no position of this spacecraft, by which orbits are told",
            ", ".join(sorted(crafts)), "Run one, or name it with --position",
        )  # fmt: skip
    return found[0]


def orbits(store: Store, position: str, interval: Interval) -> list[tuple[str, Interval]]:
    """Return the orbits that touch an interval, from perigee to perigee, with their names.

    What comes before the first and after the last perigee that is known is an orbit of its own.

    Raises
    ------
    UsageError
        When the spacecraft does not come back to a perigee in this time.
    """
    ds = store.read(position, interval.start, interval.stop)
    far = np.linalg.norm(ds["position"].values.astype(np.float64), axis=1)
    time = ds["time"].values.astype("datetime64[ns]").astype(np.int64)
    at = [int(time[i]) for i in perigees(far)]
    if not at:
        raise UsageError(
            f"there is no perigee of {position} in {interval}", todo="Take a longer interval"
        )
    ends = [interval.start, *at, interval.stop]
    pieces = [Interval(a, b) for a, b in pairwise(ends) if b - a > MINUTE]
    return [(f"orbit_{stamp(p.start)}", p) for p in pieces]


def perigees(distance: np.ndarray) -> list[int]:
    """Return where a distance (time,) is least: minima with higher ground on both sides.

    Small wiggles are none: from one minimum to the next, the distance has to rise by 5 %.
    """
    known = np.flatnonzero(np.isfinite(distance))
    found: list[int] = []
    if known.size < 3:
        return found
    low = high = int(known[0])
    falling = False
    for i in map(int, known):
        if falling:
            if distance[i] < distance[low]:
                low = i
            elif distance[i] > _LEAST * distance[low]:
                found.append(low)
                falling, high = False, i
        elif distance[i] > distance[high]:
            high = i
        elif distance[i] * _LEAST < distance[high]:
            falling, low = True, i
    return found


def draw_all(
    store: Store, wanted: Sequence[Sheet], folder: Path, *, dpi: int = DPI
) -> Iterator[Drawn]:
    """Draw the pictures of a batch that are not there yet, or show something else by now.

    Every picture is a PNG in `folder`; one that fails is told and does not stop the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in wanted:
        path = folder / f"{sheet.name}.png"
        content = _content(store, sheet, dpi)
        if not content:
            yield Drawn(sheet, "empty", path)
            continue
        before = _known(path)
        if before == content:
            yield Drawn(sheet, "same", path)
            continue
        try:
            draw_interval(
                store, sheet.datasets, sheet.interval, path, facts={MARK: content}, dpi=dpi,
                position=sheet.position,
            )  # fmt: skip
        except (PipeError, OSError, ValueError) as error:
            yield Drawn(sheet, "failed", path, str(error))
            continue
        yield Drawn(sheet, "changed" if before else "new", path)


def _content(store: Store, sheet: Sheet, dpi: int) -> str:
    """Return the digest of what a picture would show, '' where there are no records."""
    parts: list[object] = [__version__, dpi, str(sheet.interval), list(sheet.datasets)]
    records = 0
    beside = {sheet.position} - {"", *sheet.datasets}
    for name in (*sheet.datasets, *beside):
        for row in store.registry.current(name, sheet.interval):
            inside = row.n and (row.first or 0) < sheet.interval.stop
            inside = inside and (row.last or 0) >= sheet.interval.start
            if inside:
                parts.append((name, row.start, row.content))
                drawn = name not in beside and " Events@" not in row.code
                records += row.n if drawn else 0
    if not records:
        return ""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _known(path: Path) -> str:
    """Return the digest that a picture carries, '' where there is none."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return str(picture.info.get(MARK, ""))
    except (OSError, ValueError, SyntaxError):
        return ""


def gallery(folder: Path, title: str) -> Path:
    """Write a page that shows all pictures of a folder in order; return its path."""
    pictures = sorted(p.name for p in folder.glob("*.png") if not p.name.startswith("."))
    shown = "\n".join(
        f'<a href="{html.escape(n)}"><img loading="lazy" src="{html.escape(n)}" '
        f'alt="{html.escape(n)}"><span>{html.escape(n.removesuffix(".png"))}</span></a>'
        for n in pictures
    )
    style = (
        "body{font:15px sans-serif;margin:2em;color:#222}div{display:grid;gap:1.5em;"
        "grid-template-columns:repeat(auto-fill,minmax(320px,1fr))}img{width:100%;"
        "border:1px solid #ddd}a{color:inherit;text-decoration:none}span{display:block}"
    )
    page = folder / "index.html"
    part = folder / ".index.html.part"
    part.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style><h1>{html.escape(title)}</h1>\n<div>\n{shown}\n</div></html>\n",
        encoding="utf-8",
    )
    return part.replace(page)
