"""Granules put into a store without a run."""

from __future__ import annotations

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.granule import Granule, Interval
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import layout_of
from sciqlop_pipe.store.records import Event, InputUsed, Record


def put(store: Store, name: str, ds: xr.Dataset | None, datatype: DataType, interval: Interval, *,
        events: tuple[Event, ...] = (), inputs: tuple[InputUsed, ...] = ()) -> str:  # fmt: skip
    """Commit one granule; returns its uid."""
    granule, uid = Granule(name, interval), new_uid("0123456789abcdef")
    path, nbytes, time = None, 0, np.empty(0, np.int64)
    if ds is not None:
        written = write_granule(store.root, granule, uid, ds, datatype, {}, durable=False)
        path, nbytes = written.path, written.nbytes
        time = ds["time"].values.astype(np.int64)
    n = len(events) if events else time.size
    first, last = (int(time[0]), int(time[-1])) if time.size else (None, None)
    record = Record(
        granule, uid, uid, uid, n, first, last, path, nbytes,
        layout_of(ds) if ds is not None else None, f"some@1 {datatype.name}@1", 1, "{}", "",
        inputs=inputs, events=events,
    )  # fmt: skip
    done = store.commit([record], "test")
    assert done.committed
    return uid
