"""Events of a store as a HAPI dataset: a record per event, its time the start of the event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select

from ...catalog import load_catalog, rows
from ...granule import Interval
from ...store import Store, schema
from .describe import Described, Parameter, time_parameter
from .encode import Block

_SAID = (schema.verdict, schema.edit)
_BESIDE = ("dataset", "start", "stop")
_ABOUT = {
    "id": "identifier, the same whenever the same event is found",
    "kind": "kind of event",
    "verdict": "what a person said of it last",
}


@dataclass(frozen=True)
class EventTable:
    """The current events of one dataset, one flat row each."""

    store: Store
    name: str

    def judged(self) -> int:
        """Return when somebody last said something of these events [ns], 0 when nobody did."""
        t = schema.verdict
        with self.store.registry.db.read() as conn:
            query = select(func.max(t.c.at)).where(t.c.dataset == self.name)
            return int(conn.execute(query).scalar() or 0)

    def _rows(self, interval: Interval | None = None) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Return starts and stops (event, 2) [ns] and the other columns of each event."""
        catalog = load_catalog(self.store, self.name, interval)
        ends = [(e.start, e.stop) for e in catalog.events]
        flat = [{k: v for k, v in r.items() if k not in _BESIDE} for r in rows(catalog)]
        return np.array(ends, np.int64).reshape(-1, 2), flat

    def described(self, extent: Interval) -> Described:
        """Return the description: stop, id, kind, verdict, and a column per attribute."""
        ends, table = self._rows()
        parameters = [time_parameter(), time_parameter("stop", {"long_name": "end of the event"})]
        keys = dict.fromkeys(["id", "kind", "verdict", *(k for row in table for k in row)])
        parameters += [_parameter(k, [row[k] for row in table if k in row]) for k in keys]
        sample = (extent.start, extent.stop)
        if len(ends):
            sample = (int(ends[-min(len(ends), 100), 0]), int(ends[-1, 0]) + 1)
        stop = max(extent.stop, int(ends[:, 0].max(initial=0)) + 1) if len(ends) else extent.stop
        return Described(
            tuple(parameters), extent.start, stop, sample, location="begin", kind="Events"
        )

    def block(self, interval: Interval, chosen: Sequence[Parameter]) -> Block:
        """Return the events that begin in an interval."""
        ends, table = self._rows(interval)
        inside = (ends[:, 0] >= interval.start) & (ends[:, 0] < interval.stop)
        some = [row for row, here in zip(table, inside, strict=True) if here]
        columns = {
            p.name: ends[inside, 1] if p.name == "stop" else _column(p, some) for p in chosen[1:]
        }
        return Block(ends[inside, 0], columns)


def judgements(store: Store) -> int:
    """Return a number that grows whenever somebody says something of an event."""
    with store.registry.db.read() as conn:
        last = (conn.execute(select(func.max(t.c.id))).scalar() for t in _SAID)
        return sum(int(n or 0) for n in last)


def _parameter(name: str, values: Sequence[Any]) -> Parameter:
    attrs = {"long_name": _ABOUT.get(name, name.replace("_", " "))}
    values = [v for v in values if v is not None]
    if name not in _ABOUT and all(isinstance(v, (int, float)) for v in values):
        return Parameter(name, "double", dtype="float64", attrs=attrs)
    length = max((len(_text(v).encode()) for v in values), default=1)
    return Parameter(name, "string", length=max(1, length), attrs=attrs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _column(p: Parameter, table: Sequence[dict[str, Any]]) -> np.ndarray:
    if p.kind == "double":
        values = (row.get(p.name) for row in table)
        return np.array([np.nan if v is None else v for v in values], np.float64)
    texts = ("" if row.get(p.name) is None else _text(row[p.name]) for row in table)
    return np.array(list(texts), np.str_)
