"""What serving costs: python benchmarks/serving.py [--days 366] [--keep DIR].

A year of spectra (32 energies that change in time, every 4.5 s) is written, then read through the
HAPI server of one process over loopback: throughput, the server's memory while it sends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.datatypes import EnergySpectrum
from sciqlop_pipe.granule import DAY, Granule, Interval, instant, iso
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import content_hash, layout_of
from sciqlop_pipe.store.records import Record

NAME = "bench.ion.energy_spectrum"
START = instant("2024-01-01")
STEP = 4_500_000_000
RUN = "from sciqlop_pipe.cli import main; main()"


def day_of_spectra(start: int, bins: int = 32) -> xr.Dataset:
    """One day of spectra with counting noise; energies move a little from record to record."""
    random = np.random.default_rng(start % 2**32)
    time_ns = np.arange(start, start + DAY, STEP)
    energy = np.geomspace(10, 3e4, bins) * (1 + 1e-3 * np.sin(time_ns / 6e13))[:, None]
    shape = np.exp(-((np.log(energy / 800) / 1.2) ** 2))
    values = 1e5 * random.poisson(30 * shape + 1)
    ds = xr.Dataset(coords={"time": time_ns.astype("M8[ns]")}, attrs={"species": "H+"})
    dims = ("time", "energy_bin")
    flux = {"units": "eV cm^-2 s^-1 sr^-1 eV^-1", "long_name": "differential energy flux"}
    ds["spectrum"] = (dims, values.astype(np.float32), flux)
    ds["energy"] = (dims, energy.astype(np.float32), {"units": "eV", "long_name": "energy"})
    return ds


def granule_of(
    store: Store, name: str, interval: Interval, ds: xr.Dataset, datatype: DataType = EnergySpectrum
) -> Record:
    """Write a granule, and return its record for a commit."""
    granule, content = Granule(name, interval), content_hash(ds)
    mark = hashlib.blake2b(f"{granule} {content}".encode()).hexdigest()[:32]
    t = ds["time"].values.astype(np.int64)
    record = Record(
        granule, new_uid(mark), mark, content, t.size, int(t[0]), int(t[-1]), None, 0,
        layout_of(ds), f"bench@1 {datatype.name}@1", 1, "{}", mark,
    )  # fmt: skip
    written = write_granule(
        store.root, granule, record.uid, ds, datatype, {"uid": record.uid}, durable=False
    )
    return replace(record, path=written.path, nbytes=written.nbytes)


def fill(folder: Path, days: int) -> None:
    """Write the year."""
    with Store.open(folder, create=True, durable=False) as store:
        for k in range(days):
            start = START + k * DAY
            record = granule_of(store, NAME, Interval(start, start + DAY), day_of_spectra(start))
            store.commit([record], "bench")


def served(folder: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server of its own process; return it and its address."""
    command = [
        sys.executable,
        "-c",
        RUN,
        "serve",
        "--store",
        str(folder),
        "--port",
        "0",
    ]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "http://" in line:
            return process, "http://" + line.split("http://")[1].split("/hapi")[0]
    raise RuntimeError("the server did not start")


def gauge(base: str, name: str) -> float:
    """Return a number that the server tells of itself."""
    text = urllib.request.urlopen(f"{base}/metrics").read().decode()
    return float(
        next(x.split()[1] for x in text.splitlines() if x.startswith(f"sciqlop_pipe_{name}"))
    )


def fetch(base: str, days: int, form: str) -> dict[str, float]:
    """Read an interval; return bytes, seconds and the largest memory of the server."""
    stop = iso(START + days * DAY)
    url = f"{base}/hapi/data?dataset={NAME}&start={iso(START)}&stop={stop}&format={form}"
    began, total, peak, pieces = time.perf_counter(), 0, 0.0, 0
    buffer = bytearray(1 << 20)
    with urllib.request.urlopen(url) as response:
        while n := response.readinto(buffer):
            total, pieces = total + n, pieces + 1
            if pieces % 200 == 0:
                peak = max(peak, gauge(base, "resident_bytes"))
    seconds = time.perf_counter() - began
    return {"MB": total / 1e6, "s": seconds, "MB/s": total / 1e6 / seconds, "peak MB": peak / 1e6}


def main() -> None:
    """Print the numbers as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--keep", type=Path, help="a folder for the store, reused if it is there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch) / "store"
        if not folder.exists():
            fill(folder, args.days)
        process, base = served(folder)
        try:
            fetch(base, 1, "binary")
            print(json.dumps({"rest MB": gauge(base, "resident_bytes") / 1e6}))
            for form, days in (("binary", 10), ("binary", args.days), ("csv", 10), ("json", 10)):
                row = fetch(base, min(days, args.days), form)
                print(json.dumps({"format": form, "days": days} | row))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
