"""What it costs to tell what there is: python -m benchmarks.inventory [--datasets 500].

A store of many datasets (moments of 20 variables, spectra with a table of energies, fields); then
the inventory of the speasy provider, of the folder and over HAPI, each in a process of its own: as
it is first asked for, again, and after a commit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

from benchmarks.serving import granule_of, served
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.datatypes import EnergySpectrum, Moments, VectorSeries
from sciqlop_pipe.granule import HOUR, Interval, instant
from sciqlop_pipe.store import Store
from tests import builders

START = instant("2024-01-01")
GRANULES = 4


def made(k: int) -> tuple[str, DataType, xr.Dataset]:
    """Return name, DataType and records of a dataset; every one has a layout of its own."""
    craft, time_ = f"bench{k % 20}", builders.times(20)
    kind = k % 3
    if kind == 0:
        return f"{craft}.ion.m{k}.moments", Moments, builders.moments(time_)
    if kind == 1:
        return f"{craft}.ion.m{k}.energy_spectrum", EnergySpectrum, builders.energy_spectrum(time_)
    return f"{craft}.fgm.m{k}.b_gse", VectorSeries, builders.vector_series(time_)


def fill(folder: Path, datasets: int) -> None:
    """Write the store."""
    with Store.open(folder, create=True, durable=False) as store:
        for k in range(datasets):
            name, datatype, ds = made(k)
            ds = ds.assign_attrs(number=k)
            for g in range(GRANULES):
                start = START + g * HOUR
                span = Interval(start, start + HOUR)
                shift = ds.assign_coords(
                    time=ds["time"] - ds["time"][0] + np.datetime64(start, "ns")
                )
                store.commit([granule_of(store, name, span, shift, datatype)], "bench")


def ask(address: str) -> None:
    """Print what the inventory of an address costs in this process, first and again [s]."""
    from speasy.core.inventory.indexes import SpeasyIndex

    from sciqlop_pipe.publish.speasy_session import Session

    found: dict[str, float] = {}
    for word in ("first", "again"):
        began, cpu = time.perf_counter(), time.process_time()
        session = Session(address, compute=False)
        session.inventory(SpeasyIndex("pipe", "pipe", "pipe"))
        found[word] = time.perf_counter() - began
        found[f"{word} cpu"] = time.process_time() - cpu
        found["datasets"] = len(session._infos)
        session.close()
    print(json.dumps(found))


def asked(address: str) -> dict[str, float]:
    """Run `ask` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.inventory", "--ask", address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Fill a store, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=500)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--ask")
    given = parser.parse_args()
    if given.ask:
        ask(given.ask)
        return
    folder = given.keep or Path(tempfile.mkdtemp()) / "store"
    if not folder.exists():
        fill(folder, given.datasets)
    print("folder", asked(str(folder)))
    process, base = served(folder)
    try:
        for word in ("server, cold", "server, warm"):
            print(word, asked(f"{base}/hapi"))
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
