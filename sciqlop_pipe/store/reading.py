"""Questions to the registry: what is current, what it was made from, what failed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from ..errors import StoreError
from ..granule import Interval, iso
from . import schema
from .database import Database
from .layout import Layout
from .records import Columns, Current, Extent, InputUsed, MadeOf, Rows, Shelf, Stored

_G, _C = schema.granule, schema.currency

_FACTS: tuple[ColumnElement[Any], ...] = (
    _G.c.n,
    _G.c.first,
    _G.c.last,
    _G.c.fingerprint,
    _G.c.content,
    _G.c.path,
    _G.c.code,
    _G.c.version,
    _G.c.params,
    _G.c.inputs,
    _G.c.completeness,
    _G.c.layout,
)
_CURRENT = (_G.c.uid, _C.c.dataset, _C.c.start, _C.c.stop, *_FACTS)
_COLUMNS = (_G.c.n, _G.c.first, _G.c.last, _G.c.path, _G.c.layout)
_STORED = (_C.c.start, _C.c.stop, _G.c.n, _G.c.first, _G.c.last, _G.c.path, _G.c.layout)

#: Names in one question: databases bound how many they take.
_MANY = 500


class Reading:
    """Questions to the registry's tables."""

    def __init__(self, database: Database) -> None:
        self.db = database

    def current(
        self,
        dataset: str,
        interval: Interval | None = None,
        *,
        as_of: int | None = None,
        stage: str = "",
    ) -> list[Current]:
        """Return the granules of a dataset that are current (at `as_of`), by start.

        With `stage`, the granules of that staged run stand over those they would replace.

        Raises
        ------
        StoreError
            When garbage collection has taken part of what `as_of` asks for.
        """
        with self.db.read() as conn:
            rows = self._alive(conn, _CURRENT, dataset, interval, as_of)
            found = [Current(*row[:-1]) for row in rows]
            return self._seen(conn, stage, dataset, interval, found) if stage else found

    def stored(
        self,
        dataset: str,
        interval: Interval | None = None,
        *,
        as_of: int | None = None,
        stage: str = "",
    ) -> list[Stored]:
        """Return of each current granule just what reading needs; as `current` otherwise."""
        if stage:
            rows = self.current(dataset, interval, as_of=as_of, stage=stage)
            return [Stored(r.start, r.stop, r.n, r.first, r.last, r.path, r.layout) for r in rows]
        with self.db.read() as conn:
            found = self._alive(conn, _STORED, dataset, interval, as_of)
        return [Stored._make(row[:-1]) for row in found]

    def shelved(
        self,
        dataset: str,
        interval: Interval | None = None,
        *,
        as_of: int | None = None,
        stage: str = "",
    ) -> Columns:
        """Return of all current granules just what opening needs, by column; as `stored`."""
        if stage:
            staged = self.stored(dataset, interval, as_of=as_of, stage=stage)
            return Columns.of([(r.n, r.first, r.last, r.path, r.layout) for r in staged])
        with self.db.read() as conn:
            return Columns.of(self._alive(conn, _COLUMNS, dataset, interval, as_of))

    def _alive(
        self,
        conn: Connection,
        columns: Sequence[ColumnElement[Any]],
        dataset: str,
        interval: Interval | None,
        as_of: int | None,
    ) -> Sequence[Any]:
        """Return columns, and last `collected`, of the granules current (at `as_of`), by start."""
        alive = (
            _C.c.tx_to.is_(None)
            if as_of is None
            else and_(_C.c.tx_from <= as_of, or_(_C.c.tx_to.is_(None), _C.c.tx_to > as_of))
        )
        query = (
            select(*columns, _G.c.collected)
            .join(_G, _G.c.uid == _C.c.uid)
            .where(_C.c.dataset == dataset, alive)
            .order_by(_C.c.start)
        )
        if interval is not None:
            query = query.where(_C.c.start < interval.stop, _C.c.stop > interval.start)
        # From the driver: rows of SQLAlchemy's own double the time of ten thousands of them. The
        # columns are integers and words, which it would hand over as they are.
        rows: Sequence[Any] = conn.execute(query).cursor.fetchall()
        if as_of is not None and any(row[-1] is not None for row in rows):
            raise StoreError(
                f"garbage collection has taken part of what was current at {iso(as_of)}",
                dataset,
                f"The earliest exact time is {iso(self._earliest(conn, dataset))}",
            )
        return rows

    def _seen(
        self,
        conn: Connection,
        stage: str,
        dataset: str,
        interval: Interval | None,
        current: list[Current],
    ) -> list[Current]:
        """Lay the granules of a staged run over the current ones, by start."""
        s = schema.staged
        query = (
            select(_G.c.uid, s.c.dataset, s.c.start, s.c.stop, *_FACTS)
            .join(_G, _G.c.uid == s.c.uid)
            .where(s.c.stage == stage, s.c.dataset == dataset)
        )
        staged = [Current(*row) for row in conn.execute(query)]
        hidden = Rows.of(staged)
        inside = [c for c in staged if interval is None or c.interval.overlaps(interval)]
        shown = [c for c in current if not hidden.over(c.interval)]
        return sorted([*inside, *shown], key=lambda c: c.start)

    def _earliest(self, conn: Connection, dataset: str) -> int:
        query = (
            select(_C.c.tx_to)
            .join(_G, _G.c.uid == _C.c.uid)
            .where(_C.c.dataset == dataset, _G.c.collected.is_not(None))
        )
        return max(int(t) for (t,) in conn.execute(query) if t is not None)

    def datasets(self) -> list[str]:
        """Return the names of all datasets that have a current granule."""
        with self.db.read() as conn:
            query = select(_C.c.dataset).where(_C.c.tx_to.is_(None)).distinct()
            return sorted(name for (name,) in conn.execute(query))

    def layout(self, digest: str) -> Layout:
        """Return the layout with a digest."""
        with self.db.read() as conn:
            query = select(schema.layout.c.json).where(schema.layout.c.digest == digest)
            return Layout.from_json(conn.execute(query).scalar_one())

    def layouts_of(self, digests: Collection[str]) -> dict[str, Layout]:
        """Return layouts by digest."""
        t, wanted = schema.layout, sorted(digests)
        found: dict[str, Layout] = {}
        with self.db.read() as conn:
            for k in range(0, len(wanted), _MANY):
                query = select(t.c.digest, t.c.json).where(t.c.digest.in_(wanted[k : k + _MANY]))
                found |= {d: Layout.from_json(text) for d, text in conn.execute(query)}
        return found

    def layouts(self) -> dict[str, str]:
        """Return the concatenation signature of every layout by digest."""
        with self.db.read() as conn:
            query = select(schema.layout.c.digest, schema.layout.c.signature)
            return {row.digest: row.signature for row in conn.execute(query)}

    def lineage(self, uid: str) -> list[InputUsed]:
        """Return what a granule was made from."""
        t = schema.lineage
        query = select(t.c.argument, t.c.kind, t.c.name, t.c.start, t.c.ref, t.c.content)
        with self.db.read() as conn:
            return [
                InputUsed(*r) for r in conn.execute(query.where(t.c.uid == uid).order_by(t.c.id))
            ]

    def recorded(self, tokens: Iterable[str]) -> dict[str, str]:
        """Return the checksums with which raw files were read last, by their tokens."""
        t, wanted = schema.lineage, sorted(tokens)
        found: dict[str, str] = {}
        with self.db.read() as conn:
            for k in range(0, len(wanted), _MANY):
                query = select(t.c.ref, t.c.content).where(
                    t.c.kind == "file", t.c.ref.in_(wanted[k : k + _MANY])
                )
                found.update((r.ref, r.content) for r in conn.execute(query.order_by(t.c.id)))
        return found

    def ancestry(self, uids: Iterable[str]) -> dict[str, MadeOf]:
        """Return with which code and of which files granules and all before them were made.

        By dataset; what has been forgotten is left out.
        """
        t = schema.lineage
        found: dict[str, MadeOf] = {}
        waiting, seen = list(dict.fromkeys(uids)), set[str]()
        with self.db.read() as conn:
            while waiting:
                now, waiting = waiting[:_MANY], waiting[_MANY:]
                seen.update(now)
                of = {}
                for uid, name, code in conn.execute(
                    select(_G.c.uid, _G.c.dataset, _G.c.code).where(_G.c.uid.in_(now))
                ):
                    of[uid] = found.setdefault(name, MadeOf(set(), set()))
                    of[uid].codes.add(code)
                query = select(t.c.uid, t.c.kind, t.c.name, t.c.ref).where(t.c.uid.in_(now))
                for uid, kind, name, ref in conn.execute(query):
                    if kind == "file" and uid in of:
                        of[uid].files.add(name)
                    elif kind == "granule" and ref not in seen:
                        seen.add(ref)
                        waiting.append(ref)
        return found

    def verified(self, dataset: str) -> dict[str, set[str]]:
        """Return, by granule uid, the further inputs that it was found unchanged for."""
        v = schema.verified
        query = select(v.c.uid, v.c.inputs).join(_G, _G.c.uid == v.c.uid)
        found: dict[str, set[str]] = {}
        with self.db.read() as conn:
            for uid, key in conn.execute(query.where(_G.c.dataset == dataset)):
                found.setdefault(uid, set()).add(key)
        return found

    def row(self, uid: str) -> dict[str, Any]:
        """Return every registered fact about a granule."""
        with self.db.read() as conn:
            found = conn.execute(select(_G).where(_G.c.uid == uid)).mappings().one()
            return dict(found)

    def attempts(
        self, dataset: str | None = None, *, run: str | None = None, states: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return recorded attempts, newest first."""
        t = schema.attempt
        query = select(t).order_by(t.c.id.desc())
        for column, value in ((t.c.dataset, dataset), (t.c.run, run)):
            if value is not None:
                query = query.where(column == value)
        if states:
            query = query.where(t.c.state.in_(states))
        with self.db.read() as conn:
            return [dict(r) for r in conn.execute(query).mappings()]

    def summary(self) -> list[dict[str, Any]]:
        """Return per dataset how much is current: granules, records, bytes, first and last time.

        `masked` is the fraction of the records that quality flags mask, None where no granule
        tells it: the dataset has no such flags, or was made before granules told.
        """
        query = (
            select(
                _C.c.dataset,
                func.count().label("granules"),
                func.sum(case((_G.c.n == 0, 1), else_=0)).label("empty"),
                func.sum(_G.c.n).label("records"),
                func.sum(_G.c.nbytes).label("bytes"),
                func.min(_G.c.first).label("start"),
                func.max(_G.c.last).label("stop"),
            )
            .join(_G, _G.c.uid == _C.c.uid)
            .where(_C.c.tx_to.is_(None))
            .group_by(_C.c.dataset)
            .order_by(_C.c.dataset)
        )
        with self.db.read() as conn:
            rows = [dict(r) for r in conn.execute(query).mappings()]
            masked = _masked(conn)
        for row in rows:
            row["masked"] = masked.get(row["dataset"])
            row.update({k: int(row[k] or 0) for k in ("empty", "records", "bytes")})
            row.update({k: "" if row[k] is None else iso(row[k]) for k in ("start", "stop")})
        return rows

    def extents(self) -> list[Extent]:
        """Return per dataset what is current and kept: its stretch of time and records, by name."""
        events = _G.c.code.like("% Events@%")
        query = (
            select(
                _C.c.dataset,
                func.min(_C.c.start),
                func.max(_C.c.stop),
                func.sum(_G.c.n),
                func.max(case((events, 1), else_=0)),
            )
            .join(_G, _G.c.uid == _C.c.uid)
            .where(_C.c.tx_to.is_(None), or_(events, and_(_G.c.n > 0, _G.c.path.is_not(None))))
            .group_by(_C.c.dataset)
            .order_by(_C.c.dataset)
        )
        with self.db.read() as conn:
            return [
                Extent(name, Interval(a, b), int(n), bool(kind))
                for name, a, b, n, kind in conn.execute(query)
            ]

    def shelves(self) -> dict[str, Shelf]:
        """Return what describes each dataset that has records which are kept, by name."""
        kept = and_(_C.c.tx_to.is_(None), _G.c.n > 0, _G.c.path.is_not(None))
        begins = func.max(_C.c.start).label("begins")
        joined = _C.join(_G, _G.c.uid == _C.c.uid)
        modes = (
            select(_C.c.dataset, _G.c.layout, begins)
            .select_from(joined).where(kept).group_by(_C.c.dataset, _G.c.layout)
        )  # fmt: skip
        newest = (
            select(_C.c.dataset, begins)
            .select_from(joined).where(kept).group_by(_C.c.dataset).subquery()
        )  # fmt: skip
        same = and_(_C.c.dataset == newest.c.dataset, _C.c.start == newest.c.begins)
        lasts = select(_C.c.dataset, *_STORED).select_from(joined.join(newest, same)).where(kept)
        with self.db.read() as conn:
            layouts: dict[str, list[str]] = {}
            for name, layout, _ in conn.execute(modes.order_by(begins)):
                layouts.setdefault(name, []).append(layout or "")
            rows = conn.execute(lasts).all()
        return {row[0]: Shelf(tuple(layouts[row[0]]), Stored._make(row[1:])) for row in rows}

    def changed(self, dataset: str) -> int:
        """Return when what is current of a dataset changed last, 0 when it never was there."""
        return self.changes(dataset).get(dataset, 0)

    def changes(self, dataset: str = "") -> dict[str, int]:
        """Return when what is current of each dataset (or of one) changed last, by name."""
        query = select(_C.c.dataset, func.max(_C.c.tx_from), func.max(_C.c.tx_to))
        if dataset:
            query = query.where(_C.c.dataset == dataset)
        with self.db.read() as conn:
            rows = conn.execute(query.group_by(_C.c.dataset)).all()
        return {name: max(int(a or 0), int(b or 0)) for name, a, b in rows}

    def unresolved(self) -> list[dict[str, Any]]:
        """Return the last attempt of every granule whose last attempt did not succeed."""
        t = schema.attempt
        newest = select(func.max(t.c.id)).group_by(t.c.dataset, t.c.start)
        query = (
            select(t.c.dataset, t.c.start, t.c.stop, t.c.state, t.c.error, t.c.run)
            .where(t.c.id.in_(newest), t.c.state.in_(("failed", "refused", "blocked", "transient")))
            .order_by(t.c.dataset, t.c.start)
        )
        with self.db.read() as conn:
            rows = [dict(r) for r in conn.execute(query).mappings()]
        return [r | {"start": iso(r["start"]), "stop": iso(r["stop"])} for r in rows]

    def models(self) -> dict[str, tuple[str, str]]:
        """Return content hash and path of the promoted model of each name."""
        t = schema.model
        query = select(t.c.name, t.c.content, t.c.path).where(t.c.tx_to.is_(None))
        with self.db.read() as conn:
            return {name: (content, path) for name, content, path in conn.execute(query)}

    def earlier_models(self, name: str) -> tuple[str, ...]:
        """Return the content hashes of the models that a name stood for, and stands for no more."""
        t = schema.model
        query = select(t.c.content).where(t.c.name == name, t.c.tx_to.is_not(None)).distinct()
        with self.db.read() as conn:
            return tuple(content for (content,) in conn.execute(query))

    def info(self, key: str) -> str | None:
        """Return one of the store's own facts."""
        t = schema.store_info
        with self.db.read() as conn:
            return conn.execute(select(t.c.value).where(t.c.key == key)).scalar()


def _masked(conn: Connection) -> dict[str, float]:
    """Return the fraction of the current records that are masked, by dataset, where it is told."""
    query = (
        select(_C.c.dataset, _G.c.quality, func.count(), func.sum(_G.c.n))
        .join(_G, _G.c.uid == _C.c.uid)
        .where(_C.c.tx_to.is_(None), _G.c.n > 0, _G.c.quality.like('%"masked"%'))
        .group_by(_C.c.dataset, _G.c.quality)
    )
    masked: dict[str, int] = {}
    records: dict[str, int] = {}
    for dataset, quality, granules, n in conn.execute(query):
        masked[dataset] = masked.get(dataset, 0) + json.loads(quality)["masked"] * granules
        records[dataset] = records.get(dataset, 0) + int(n)
    return {name: masked[name] / records[name] for name in masked}
