"""Catalogs in the JSON of TSCat, and in TSCat's own database.

TSCat takes version-4 UUIDs and names of attributes that are identifiers, and keeps microseconds.
What it has no place for travels in attributes that begin with `pipe_`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ..errors import PipeError, UsageError
from ..granule import datetime64, instant, iso
from ..store.records import Event
from .entry import Entry, Reading, attempt, event_id, reading, times
from .plain import said_json, said_of
from .table import Catalog

AUTHOR = "SciQLOP Pipe"
_KEY = re.compile(r"[A-Za-z][A-Za-z_0-9]*")
_FIXED = ("start", "stop", "author", "uuid", "tags", "products", "rating")
#: Names that mean something else on TSCat's objects.
_TAKEN = {
    *(*_FIXED, "kind", "verdict", "verdict_author", "comment", "name", "remove", "restore", "dump"),
    *("representation", "is_removed", "variable_attributes", "fixed_attributes"),
}
_OURS = "pipe_"
PUSHED = "pipe_pushed"


def catalogue_id(dataset: str) -> str:
    """Return the UUID of the TSCat catalogue of a dataset."""
    return event_id(dataset, "catalogue", 0, 0)


def to_tscat(catalog: Catalog) -> str:
    """Return a catalog as TSCat's JSON; importing the same again changes nothing."""
    events = [tscat_event(catalog, e) for e in catalog.events]
    whole = {
        "catalogues": [
            {
                "name": catalog.dataset,
                "author": AUTHOR,
                "uuid": catalogue_id(catalog.dataset),
                "tags": [],
                "predicate": None,
                "pipe_dataset": catalog.dataset,
                "events": sorted(e["uuid"] for e in events),
            }
        ],
        "events": events,
    }
    return json.dumps(whole)


def tscat_event(catalog: Catalog, event: Event) -> dict[str, Any]:
    """Return an event as TSCat's JSON has it, what people said of it included."""
    said = catalog.verdicts.get(event.id, ())
    plain = {k: v for k, v in event.attributes if _fits(k, v)}
    found: dict[str, Any] = {
        "start": _microseconds(event.start),
        "stop": _microseconds(event.stop),
        "author": AUTHOR,
        "uuid": event.id,
        "tags": [event.kind] if "," not in event.kind else [],
        "products": [],
        "rating": None,
        "kind": event.kind,
        "verdict": said[-1].verdict if said else "",
        "verdict_author": said[-1].author if said else "",
        "comment": said[-1].comment if said else "",
        **plain,
    }
    if more := [[k, v] for k, v in event.attributes if k not in plain]:
        found["pipe_more"] = json.dumps(more)
    if any(t % 1000 for t in (event.start, event.stop)):
        found |= {"pipe_start": iso(event.start), "pipe_stop": iso(event.stop)}
    if said:
        found["pipe_said"] = [said_json(v) for v in said]
    found["pipe_order"] = [k for k, _ in event.attributes]
    found["pipe_tags"] = found["tags"]
    return found


def is_key(name: str) -> bool:
    """Tell whether an attribute may have this name in TSCat."""
    return bool(_KEY.fullmatch(name)) and name not in _TAKEN and not name.startswith(_OURS)


def _fits(name: str, value: Any) -> bool:
    """Tell whether TSCat has a place for an attribute; it takes NaN for a change each time."""
    if not is_key(name):
        return False
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _microseconds(ns: int) -> str:
    """Return a time as `datetime.isoformat` writes it."""
    value: datetime = datetime64(ns).astype("datetime64[us]").item()
    return value.isoformat()


def read_tscat(data: Mapping[str, Any], name: str = "") -> Reading:
    """Return the events of TSCat's JSON, those of one catalogue where it is named.

    Raises
    ------
    UsageError
        When no catalogue has that name.
    """
    wanted: set[str] | None = None
    if name:
        chosen = [c for c in data["catalogues"]
                  if name in (c.get("pipe_dataset"), c.get("name"), c.get("uuid"))]  # fmt: skip
        if not chosen:
            there = ", ".join(str(c.get("name")) for c in data["catalogues"]) or "none"
            raise UsageError(f"there is no catalogue '{name}'", todo=f"There are: {there}")
        wanted = {u for c in chosen for u in c.get("events", ())}
    return reading([
        attempt(f"event {i}", partial(_entry, e, f"event {i}"))
        for i, e in enumerate(data["events"], 1)
        if wanted is None or e.get("uuid") in wanted
    ])  # fmt: skip


def _entry(e: Mapping[str, Any], where: str) -> Entry:
    start, stop = times(e["start"], e["stop"])
    # The exact times hold as long as nobody has moved the rounded ones.
    exact = [
        instant(e[k]) if k in e else t for k, t in (("pipe_start", start), ("pipe_stop", stop))
    ]
    start, stop = (
        x if x // 1000 == t // 1000 else t for x, t in zip(exact, (start, stop), strict=True)
    )
    plain = {k: v for k, v in e.items()
             if k not in _FIXED and not k.startswith(_OURS)
             and k not in ("kind", "verdict", "verdict_author", "comment")}  # fmt: skip
    # What a person adds with TSCat's own fields.
    ours = e.get("pipe_tags") or [e.get("kind")]
    tags = [t for t in e.get("tags") or () if t not in ours]
    if tags:
        plain["tags"] = tags
    if e.get("products"):
        plain["products"] = e["products"]
    if e.get("rating") is not None:
        plain["rating"] = e["rating"]
    plain |= dict(json.loads(e.get("pipe_more") or "[]"))
    order = {k: i for i, k in enumerate(e.get("pipe_order") or ())}
    return Entry(
        str(e.get("uuid") or ""),
        str(e.get("kind") or (e.get("tags") or ["event"])[0]),
        start,
        stop,
        tuple(sorted(plain.items(), key=lambda kv: order.get(kv[0], len(order)))),
        tuple(map(said_of, e.get("pipe_said") or ())),
        str(e.get("verdict") or ""),
        str(e.get("verdict_author") or ""),
        str(e.get("comment") or ""),
        where,
    )


# -- the user's own TSCat ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of events in TSCat: made, brought up to date, and left because people edited."""

    made: int = 0
    updated: int = 0
    same: int = 0
    edited: tuple[str, ...] = ()
    superseded: int = 0


def push(catalog: Catalog) -> Pushed:
    """Bring TSCat's database of this user up to date with a catalog.

    An event that somebody edited there, or threw away, is left as it is; one that is no longer in
    the catalog stays with the tag `superseded`. Nothing is deleted.

    Raises
    ------
    PipeError
        When TSCat is not installed.
    """
    tscat = _tscat()
    events = {e["uuid"]: e for e in (tscat_event(catalog, e) for e in catalog.events)}
    known = {e.uuid: e for removed in (False, True) for e in _all(tscat, removed)}
    ours = next(
        (c for c in tscat.get_catalogues() if c.uuid == catalogue_id(catalog.dataset)), None
    )
    counts = {"made": 0, "updated": 0, "same": 0, "superseded": 0}
    edited: list[str] = []
    if ours is None:
        ours = tscat.create_catalogue(
            catalog.dataset,
            AUTHOR,
            uuid=catalogue_id(catalog.dataset),
            pipe_dataset=catalog.dataset,
        )
    inside = {e.uuid: e for e in tscat.get_events(ours)[0]}
    made = []
    with tscat.Session() as session:
        for uuid, wanted in events.items():
            if uuid in known:
                counts[_update(known[uuid], wanted, edited)] += 1
            else:
                words = wanted | {k: datetime.fromisoformat(wanted[k]) for k in ("start", "stop")}
                made.append(session.create_event(**words, **{PUSHED: _digest(wanted)}))
                counts["made"] += 1
        back = [known[u] for u in events if u in known and u not in inside]
        if made or back:
            session.add_events_to_catalogue(ours, made + [e for e in back if not e.is_removed()])
    for uuid, event in inside.items():
        if uuid not in events and PUSHED in event.__dict__ and "superseded" not in event.tags:
            event.tags = [*event.tags, "superseded"]
            counts["superseded"] += 1
    tscat.save()
    return Pushed(
        counts["made"], counts["updated"], counts["same"], tuple(edited), counts["superseded"]
    )


def pull(dataset: str) -> Reading:
    """Return the events of the catalogue of a dataset in TSCat's database of this user."""
    tscat = _tscat()
    ours = [c for c in tscat.get_catalogues()
            if dataset in (c.name, c.__dict__.get("pipe_dataset"))]  # fmt: skip
    if not ours:
        there = ", ".join(sorted(c.name for c in tscat.get_catalogues())) or "none"
        raise UsageError(f"TSCat has no catalogue '{dataset}'", todo=f"It has: {there}")
    return read_tscat(json.loads(tscat.export_json(ours)))


def _tscat() -> Any:
    try:
        import tscat
    except ImportError as error:
        raise PipeError(
            "TSCat is not installed", todo="pip install 'sciqlop-pipe[catalogs]'"
        ) from error
    return tscat


def _all(tscat: Any, removed: bool) -> Iterable[Any]:
    found = tscat.get_events(removed_items=removed)
    return found[0] if isinstance(found, tuple) else found or ()


def _update(event: Any, wanted: Mapping[str, Any], edited: list[str]) -> str:
    """Bring an event of TSCat up to date unless a person has changed it since."""
    there = {k: v for k, v in event.dump().items() if k != PUSHED}
    there |= {k: there[k].isoformat() for k in ("start", "stop")}
    there["tags"] = [t for t in there["tags"] if t != "superseded"]
    pushed = event.__dict__.get(PUSHED)
    if event.is_removed() or (pushed is not None and pushed != _digest(there)):
        edited.append(str(event.uuid))
        return "same"
    if _digest(there) == _digest(wanted) and list(event.tags) == list(wanted["tags"]):
        return "same"
    for key in [k for k in event.variable_attributes() if k not in wanted and k != PUSHED]:
        delattr(event, key)
    _move(event, *(datetime.fromisoformat(str(wanted[k])) for k in ("start", "stop")))
    for key, value in wanted.items():
        if key not in ("start", "stop", "uuid"):
            setattr(event, key, value)
    setattr(event, PUSHED, _digest(wanted))
    return "updated"


def _move(event: Any, start: datetime, stop: datetime) -> None:
    """Set both ends in the order in which the start never comes after the stop."""
    if start <= event.stop:
        event.start, event.stop = start, stop
    else:
        event.stop, event.start = stop, start


def _digest(event: Mapping[str, Any]) -> str:
    text = json.dumps(event, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def names(data: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the catalogues in TSCat's JSON."""
    return [str(c.get("pipe_dataset") or c.get("name")) for c in data.get("catalogues", ())]
