"""Granules made by hand: the registry is tested with them, without plan or cluster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from sciqlop_pipe.catalog import event_id
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.granule import HOUR, MINUTE, Granule, Interval, instant
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import content_hash, layout_of
from sciqlop_pipe.store.records import Committed, Current, Event, InputUsed, Outcome, Record

BEGIN = instant("2030-01-01")
UNIT = {"units": "nT", "long_name": "field"}


def hours(first: int, count: int = 1) -> Interval:
    """Return an interval counted in hours of 2030-01-01."""
    return Interval(BEGIN + first * HOUR, BEGIN + (first + count) * HOUR)


def series(interval: Interval, value: float, n: int = 4) -> xr.Dataset:
    """Return n records of one value, spread over an interval."""
    time = np.linspace(interval.start, interval.stop, n, endpoint=False, dtype="i8")
    return xr.Dataset({"value": ("time", np.full(n, value), UNIT)}, {"time": time.astype("M8[ns]")})


def used(source: Record | Current, argument: str = "x") -> InputUsed:
    """Return the line of lineage for a granule that was read."""
    g = source.granule
    return InputUsed(argument, "granule", g.dataset, g.interval.start, source.uid, source.content)


def made(
    store: Store,
    hour: int = 0,
    value: float = 0.0,
    *,
    dataset: str = "toy.a",
    count: int = 1,
    inputs: Sequence[InputUsed] = (),
    over: Record | Current | None = None,
) -> Record:
    """Write a granule and return its record, as a worker would; `over` is what it replaces."""
    interval = hours(hour, count)
    ds = series(interval, value)
    return kept(store, dataset, interval, ds, ScalarSeries, mark=value, inputs=inputs, over=over)


def kept(
    store: Store,
    dataset: str,
    interval: Interval,
    ds: xr.Dataset,
    gives: DataType,
    *,
    mark: float = 0.0,
    inputs: Sequence[InputUsed] = (),
    over: Record | Current | None = None,
) -> Record:
    """Write any dataset as a granule and return its record."""
    granule = Granule(dataset, interval)
    content = content_hash(ds)
    facts = [dataset, granule.interval.start, granule.interval.stop, mark]
    key = hashlib.blake2b(json.dumps([*facts, *(i.content for i in inputs)]).encode()).hexdigest()
    time = ds["time"].values.astype("i8")
    record = Record(
        granule, new_uid(key), key[:32], content, time.size, int(time[0]), int(time[-1]), None, 0,
        layout_of(ds), f"by_hand@1 {gives.name}@1", 1, "{}", f"key-{key[:8]}", tuple(inputs),
        replaces=(over.uid,) if over else (),
    )  # fmt: skip
    written = write_granule(
        store.root, granule, record.uid, ds, gives, _facts(record), durable=False
    )
    return replace(record, path=written.path, nbytes=written.nbytes)


def _facts(r: Record) -> dict[str, object]:
    """Return what a granule carries in its attributes."""
    return {
        "uid": r.uid, "dataset": r.granule.dataset, "start": r.granule.interval.start,
        "stop": r.granule.interval.stop, "fingerprint": r.fingerprint, "content": r.content,
        "code": r.code, "version": r.version, "params": r.params, "inputs": r.inputs_key,
        "quality": r.quality, "completeness": r.completeness, "waits_for": [], "first": r.first,
        "last": r.last, "n": r.n, "written": 0,
        "lineage": [[i.argument, i.kind, i.name, i.start, i.ref, i.content] for i in r.inputs],
    }  # fmt: skip


def event(
    minute: int, length: int = 1, *, kind: str = "rise", dataset: str = "toy.events"
) -> Event:
    """Return an event that starts some minutes after the beginning."""
    start, stop = BEGIN + minute * MINUTE, BEGIN + (minute + length) * MINUTE
    return Event(event_id(dataset, kind, start, stop), kind, start, stop, (("jump", 1.5),))


def found(
    events: Sequence[Event],
    hour: int = 0,
    count: int = 1,
    *,
    dataset: str = "toy.events",
    over: Record | Current | None = None,
    inputs: Sequence[InputUsed] = (),
) -> Record:
    """Return the record of a granule of events."""
    content = hashlib.blake2b(repr(sorted(events, key=lambda e: e.start)).encode()).hexdigest()[:32]
    granule = Granule(dataset, hours(hour, count))
    mark = hashlib.blake2b(f"{granule} {granule.interval} {content}".encode()).hexdigest()[:32]
    return Record(
        granule, new_uid(mark), mark, content, len(events), None, None, None, 0, None,
        "by_hand@1 Events@1", 1, "{}", "key", tuple(inputs),
        replaces=(over.uid,) if over else (), events=tuple(events),
    )  # fmt: skip


def commit(store: Store, *outcomes: Outcome, stage: str = "", run: str = "run") -> Committed:
    """Commit outcomes, as the coordinator would."""
    return store.commit(outcomes, run, stage=stage)


def current(store: Store, dataset: str = "toy.a", **options: object) -> list[tuple[int, str]]:
    """Return hour and uid of everything current of a dataset."""
    rows = store.registry.current(dataset, **options)  # type: ignore[arg-type]
    return [((r.start - BEGIN) // HOUR, r.uid) for r in rows]


def values(store: Store, dataset: str = "toy.a", **options: object) -> list[float]:
    """Return the value of each granule, read through the store."""
    ds = store.read(dataset, **options)  # type: ignore[arg-type]
    return list(dict.fromkeys(ds["value"].values.tolist()))
