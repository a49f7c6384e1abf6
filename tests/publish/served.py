"""A store for tests of what serves it: every shape a product has, by hand, with nothing to compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.datatypes import (
    VDF,
    EnergySpectrum,
    Moments,
    ScalarSeries,
    VectorSeries,
)
from sciqlop_pipe.granule import HOUR, Granule, Interval, instant
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import content_hash, layout_of
from sciqlop_pipe.store.records import Record
from tests import builders, ledger

START = instant("2020-11-19T23:00")
RECORDS = 40
NAMES = {
    "scalar": "a1.efield.potential",
    "vector": "a1.fgm.b_gse",
    "spectrum": "a1.ion.energy_spectrum",
    "moments": "a1.ion.moments",
    "vdf": "a1.ion.vdf",
}


def hour(k: int, step: str = "4500ms", records: int = RECORDS) -> np.ndarray:
    """Times in one hour, at nanoseconds that no microsecond can hold."""
    at = np.datetime64(START + k * HOUR + 123_456_789, "ns")
    return builders.times(records, str(at), step)


def holes(ds: xr.Dataset, name: str) -> xr.Dataset:
    """The same with NaN in the third record."""
    values = ds[name].values.copy()
    values[2] = np.nan
    return ds.assign({name: (ds[name].dims, values, ds[name].attrs)})


def examples(k: int = 0) -> dict[str, tuple[DataType, xr.Dataset]]:
    """One granule of each dataset; energies of the spectrum change with time."""
    time = hour(k)
    random = np.random.default_rng(k)
    energy = np.geomspace(10, 3e4, 8) * (1 + 0.01 * np.arange(time.size))[:, None]
    spectrum = builders.energy_spectrum(
        time, random.lognormal(10, 2, (time.size, 8)), energy=energy,
        quality=np.array(4_294_967_295, np.uint32),
    )  # fmt: skip
    vdf = builders.vdf(
        time[:6], f=random.lognormal(-30, 2, (6, 8, 4, 5)), energy=np.geomspace(10, 1e3, 5)
    )
    return {
        NAMES["scalar"]: (ScalarSeries, holes(builders.scalar_series(time), "value")),
        NAMES["vector"]: (VectorSeries, holes(builders.vector_series(time), "vector")),
        NAMES["spectrum"]: (EnergySpectrum, holes(spectrum, "spectrum")),
        NAMES["moments"]: (Moments, builders.moments(time, density=random.random(time.size))),
        NAMES["vdf"]: (VDF, vdf),
    }  # fmt: skip


def put(
    store: Store, name: str, datatype: DataType, ds: xr.Dataset, k: int = 0,
    over: Sequence[str] = (),
) -> Record:  # fmt: skip
    """Commit a dataset as the granule of one hour."""
    granule = Granule(name, Interval(START + k * HOUR, START + (k + 1) * HOUR))
    content = content_hash(ds)
    t = ds["time"].values.astype(np.int64)
    record = Record(
        granule, new_uid(content), content, content, t.size, int(t[0]), int(t[-1]), None, 0,
        layout_of(ds), f"by_hand@1 {datatype.name}@1", 1, "{}", content, replaces=tuple(over),
    )  # fmt: skip
    written = write_granule(
        store.root, granule, record.uid, ds, datatype, {"uid": record.uid}, durable=False
    )
    record = replace(record, path=written.path, nbytes=written.nbytes)
    store.commit([record], "run")
    return record


def served_store(folder: Path, hours: int = 2) -> Path:
    """A store with some hours of every example, and a catalog of events."""
    root = folder / "store"
    with Store.open(root, create=True, durable=False) as store:
        for k in range(hours):
            for name, (datatype, ds) in examples(k).items():
                put(store, name, datatype, ds, k)
        events = [ledger.event(m, dataset="a1.crossings") for m in (1, 5, 30)]
        ledger.commit(store, ledger.found(events, dataset="a1.crossings"))
    return root
