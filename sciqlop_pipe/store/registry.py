"""The registry: what is true, since when, made from what. Every change is one transaction."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from . import schema, spans
from .events import record_succession
from .layout import Layout
from .reading import Reading
from .records import (
    Committed,
    Event,
    Failure,
    InputUsed,
    Outcome,
    Record,
    Unchanged,
)

_G, _C = schema.granule, schema.currency
#: Made once: SQLAlchemy spends more on making a statement than SQLite on answering it.
_REGISTER, _LINEAGE, _ATTEMPT = insert(_G), insert(schema.lineage), insert(schema.attempt)
_KNOWN_LAYOUT = select(schema.layout.c.digest).where(schema.layout.c.digest == bindparam("digest_"))


class Registry(Reading):
    """Transactions on the registry's tables, and all questions to them."""

    def promote(self, name: str, content: str, path: str, card: str) -> None:
        """Make a model the one its name stands for, unless it is already."""
        t = schema.model
        now = and_(t.c.name == name, t.c.tx_to.is_(None))
        with self.db.write() as conn:
            if conn.execute(select(t.c.content).where(now)).scalar() == content:
                return
            tx = self.db.now(conn)
            conn.execute(update(t).where(now).values(tx_to=tx))
            row = {"name": name, "content": content, "path": path, "card": card, "tx_from": tx}
            conn.execute(insert(t).values(**row))

    def start_run(self, run: str, command: str, environment: str) -> None:
        """Record that a run began, with versions and machine."""
        with self.db.write() as conn:
            conn.execute(
                insert(schema.run).values(
                    id=run,
                    started=time.time_ns(),
                    command=command,
                    environment=environment,
                    state="running",
                )
            )

    def finish_run(self, run: str, state: str) -> None:
        """Record how a run ended."""
        with self.db.write() as conn:
            conn.execute(
                update(schema.run)
                .where(schema.run.c.id == run)
                .values(finished=time.time_ns(), state=state)
            )

    def commit(self, outcomes: Sequence[Outcome], run: str, *, stage: str = "") -> Committed:
        """Make what workers report true (or staged), and record every attempt, in one transaction.

        A record whose fingerprint is already current is dropped as a duplicate; one that would
        replace other granules than it expected, or has read an input whose content is no longer
        current, is a conflict: recorded, never made current.
        """
        with self.db.write() as conn:
            tx = self.db.now(conn)
            done = Committed(tx)
            states: dict[int, str] = {}
            for outcome in outcomes:
                if isinstance(outcome, Record):
                    verdict, record, there = self._judge(conn, outcome, stage)
                    if verdict == "done":
                        self.insert(conn, record, run, tx, stage, there)
                    states[id(outcome)] = verdict
                    done.of(verdict).append(outcome)
                elif isinstance(outcome, Unchanged):
                    self._verify(conn, outcome.uid, outcome.inputs_key)
            for dataset in {r.granule.dataset for r in done.committed if r.events}:
                record_succession(conn, dataset, tx)
            rows = [_attempt(o, run, tx, states.get(id(o), "")) for o in outcomes]
            if rows:
                conn.execute(_ATTEMPT, rows)
        return done

    def _judge(
        self, conn: Connection, r: Record, stage: str
    ) -> tuple[str, Record, list[spans.Span]]:
        """Return what becomes of a record, the record as registered, and what it lies over."""
        there = spans.seen_over(conn, stage, r.granule.dataset, r.granule.interval)
        if any(span.uid == r.uid for span in there):
            return "repeated", r, there
        if same := next((s for s in there if s.fingerprint == r.fingerprint), None):
            self._verify(conn, same.uid, r.inputs_key)
            return "duplicate", r, there
        if not {span.uid for span in there} <= set(r.replaces):
            return "conflict", r, there
        inputs: list[InputUsed] = []
        for used in r.inputs:
            if used.kind == "granule":
                now = spans.seen_at(conn, stage, used.name, used.start)
                if now is None or now.content != used.content:
                    return "conflict", r, there
                used = replace(used, ref=now.uid)
            inputs.append(used)
        return "done", replace(r, inputs=tuple(inputs)), there

    def _verify(self, conn: Connection, uid: str, inputs_key: str) -> None:
        v = schema.verified
        same = and_(v.c.uid == uid, v.c.inputs == inputs_key)
        if conn.execute(select(v).where(same)).first() is None:
            conn.execute(insert(v).values(uid=uid, inputs=inputs_key))

    def insert(
        self,
        conn: Connection,
        r: Record,
        run: str,
        tx: int,
        stage: str,
        there: list[spans.Span] | None = None,
    ) -> None:
        """Register a granule and make it current (over `there`), or part of a staged run."""
        g = r.granule
        digest = _register_layout(conn, r.layout) if r.layout else None
        row = {
            "uid": r.uid,
            "dataset": g.dataset,
            "start": g.interval.start,
            "stop": g.interval.stop,
            "first": r.first,
            "last": r.last,
            "n": r.n,
            "fingerprint": r.fingerprint,
            "content": r.content,
            "path": r.path,
            "nbytes": r.nbytes,
            "layout": digest,
            "code": r.code,
            "version": r.version,
            "params": r.params,
            "inputs": r.inputs_key,
            "quality": r.quality,
            "completeness": r.completeness,
            "waits_for": json.dumps(r.waits_for),
            "run": run,
            "written": tx,
        }
        conn.execute(_REGISTER, row)
        if r.inputs:
            conn.execute(_LINEAGE, [{"uid": r.uid, **asdict(i)} for i in r.inputs])
        if r.events:
            conn.execute(insert(schema.event), [_event_row(r, e) for e in r.events])
        if stage:
            spans.make_staged(conn, r.uid, g, stage)
        else:
            spans.make_current(conn, r.uid, g, tx, there)


def _register_layout(conn: Connection, layout: Layout) -> str:
    text = layout.to_json()
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    t = schema.layout
    if conn.execute(_KNOWN_LAYOUT, {"digest_": digest}).first() is None:
        conn.execute(insert(t).values(digest=digest, signature=layout.signature, json=text))
    return digest


def _event_row(record: Record, event: Event) -> dict[str, Any]:
    return {
        "uid": record.uid,
        "id": event.id,
        "dataset": record.granule.dataset,
        "kind": event.kind,
        "start": event.start,
        "stop": event.stop,
        "attributes": json.dumps(dict(event.attributes)),
    }


def _attempt(outcome: Outcome, run: str, tx: int, verdict: str) -> dict[str, Any]:
    g = outcome.granule
    failure = outcome if isinstance(outcome, Failure) else None
    state = failure.state if failure else (verdict or "unchanged")
    return {
        "dataset": g.dataset,
        "start": g.interval.start,
        "stop": g.interval.stop,
        "run": run,
        "state": state,
        "error": failure.error if failure else None,
        "detail": failure.detail if failure else None,
        "host": outcome.host,
        "seconds": outcome.seconds,
        "at": tx,
    }
