"""Releases in the registry: their names, moments and manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select

from ..errors import UnknownName, near
from . import schema
from .database import Database
from .events import Verdict
from .records import Event
from .statements import Edit

_R, _M = schema.release, schema.manifest


@dataclass(frozen=True, slots=True)
class Release:
    """A name for a transaction time [ns]; `digest` of its manifest, '' while it has none."""

    name: str
    tx: int
    digest: str = ""
    json: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The number of the last verdict and edit when a release was made."""

    verdict: int
    edit: int


def releases(db: Database) -> list[Release]:
    """Return all releases, oldest first."""
    query = select(_R.c.name, _R.c.tx, _M.c.digest, _M.c.json).outerjoin(
        _M, _M.c.release == _R.c.name
    )
    with db.read() as conn:
        return [Release(n, tx, d or "", j or "") for n, tx, d, j in
                conn.execute(query.order_by(_R.c.tx))]  # fmt: skip


def find_release(db: Database, name: str) -> Release:
    """Return a release.

    Raises
    ------
    UnknownName
        When there is none of that name; with near names.
    """
    known = releases(db)
    found = next((r for r in known if r.name == name), None)
    if found is None:
        names = [r.name for r in known]
        raise UnknownName(
            f"there is no release '{name}'", db.where,
            near(name, names) or f"There are: {', '.join(names) or 'none'}",
        )  # fmt: skip
    return found


def save_manifest(db: Database, name: str, digest: str, text: str) -> None:
    """Keep the manifest of a release, unless it has one."""
    with db.write() as conn:
        if conn.execute(select(_M.c.release).where(_M.c.release == name)).first() is None:
            conn.execute(insert(_M).values(release=name, digest=digest, json=text))


def datasets_at(db: Database, tx: int) -> dict[str, bool]:
    """Return the datasets that had a current granule at a moment, and whether they are events."""
    c, g = schema.currency, schema.granule
    alive = (c.c.tx_from <= tx) & or_(c.c.tx_to.is_(None), c.c.tx_to > tx)
    query = select(c.c.dataset, func.max(g.c.code)).join(g, g.c.uid == c.c.uid).where(alive)
    with db.read() as conn:
        rows = conn.execute(query.group_by(c.c.dataset).order_by(c.c.dataset)).all()
    return {name: " Events@" in code for name, code in rows}


def models_at(db: Database, tx: int) -> dict[str, tuple[str, str]]:
    """Return content hash and path of the model that each name stood for at a moment."""
    t = schema.model
    alive = (t.c.tx_from <= tx) & or_(t.c.tx_to.is_(None), t.c.tx_to > tx)
    with db.read() as conn:
        rows = conn.execute(select(t.c.name, t.c.content, t.c.path).where(alive)).all()
    return {name: (content, path) for name, content, path in rows}


def told(db: Database) -> Told:
    """Return how far people's statements go now."""
    with db.read() as conn:
        last = [conn.execute(select(func.max(t.c.id))).scalar() or 0
                for t in (schema.verdict, schema.edit)]  # fmt: skip
    return Told(*last)


def statements_until(db: Database, dataset: str, until: Told) -> tuple[list[Verdict], list[Edit]]:
    """Return what had been said of events of a dataset when a release was made, oldest first."""
    v, e = schema.verdict, schema.edit
    with db.read() as conn:
        verdicts = conn.execute(
            select(*(v.c[k] for k in Verdict.__slots__))
            .where(v.c.dataset == dataset, v.c.id <= until.verdict)
            .order_by(v.c.id)
        ).all()
        edits = conn.execute(
            select(*(e.c[k] for k in Edit.__slots__))
            .where(e.c.dataset == dataset, e.c.id <= until.edit)
            .order_by(e.c.id)
        ).all()
    return [Verdict(*r) for r in verdicts], [Edit(*r) for r in edits]


def said_at(
    db: Database, dataset: str, events: list[Event], tx: int, name: str = ""
) -> tuple[dict[str, list[Verdict]], list[Verdict]]:
    """Return what had been said of events at a moment: by a release's count, else by the clock."""
    release = next((r for r in releases(db) if r.name == name), None)
    if release is not None and release.json:
        said, _ = statements_until(db, dataset, Told(**json.loads(release.json)["told"]))
    else:
        said, _ = statements_until(db, dataset, Told(2**62, 2**62))
        said = [v for v in said if v.at <= tx]
    return followed(db, said, events, tx)


def followed(
    db: Database, said: list[Verdict], events: list[Event], tx: int
) -> tuple[dict[str, list[Verdict]], list[Verdict]]:
    """Return verdicts by the events that they were about at a moment, and those about none."""
    s = schema.succession
    with db.read() as conn:
        links = conn.execute(select(s.c.old, s.c.new).where(s.c.tx <= tx).order_by(s.c.tx)).all()
    following = {link.old: link.new for link in links}
    here = {e.id for e in events}
    found: dict[str, list[Verdict]] = {}
    lost: list[Verdict] = []
    for v in said:
        at, seen = v.event, set[str]()
        while at not in here and at in following and at not in seen:
            seen.add(at)
            at = following[at]
        (found.setdefault(at, []) if at in here else lost).append(v)
    return found, lost
