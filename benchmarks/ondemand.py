"""What a product costs when it is asked for: python benchmarks/ondemand.py [--electrons].

Distributions of FPI's shape are in a store; moments, spectra and pitch angles are asked for through
`publish.places.Local`, as the speasy provider does. First in a process that has compiled everything
on another store ("warm"), then again ("cached"). Seconds of the wall, and of all threads' CPU.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from serving import granule_of

from sciqlop_pipe.constants import ELECTRON_MASS, PROTON_MASS
from sciqlop_pipe.datatypes import VDF, VectorSeries
from sciqlop_pipe.granule import MINUTE, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, raw
from sciqlop_pipe.publish.places import Local
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.spectra import energy_spectrum
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.store import Store

START = instant("2024-01-01")
SPAN = Interval(START, START + 10 * MINUTE)
PRODUCTS = {"moments": "density", "spectrum": "spectrum", "pad": "f"}


def distributions(records: int, step: int, mass: float, temperature: float) -> xr.Dataset:
    """Counts of a drifting Maxwellian on FPI's grid, two energy tables taking turns."""
    random = np.random.default_rng(1)
    table = np.geomspace(10, 3e4, 32)
    energy = np.stack([table, table * 1.06])[np.arange(records) % 2].astype(np.float32)
    weight = np.exp(-table / temperature) * 40 + 0.2
    one = random.poisson(weight, (64, 32, 16, 32)).astype(np.float32) * 1e-14
    ds = xr.Dataset(
        coords={"time": (START + np.arange(records) * step).astype("M8[ns]")},
        attrs={"species": "H+" if mass == PROTON_MASS else "e-", "mass": mass,
               "charge": 1.0 if mass == PROTON_MASS else -1.0, "energy_kind": "energy",
               "frame": "DBCS"},
    )  # fmt: skip
    f = one[np.arange(records) % 64]
    theta = np.linspace(0, np.pi, 17)
    ring = 2 * np.pi / 32 * (np.cos(theta[:-1]) - np.cos(theta[1:]))

    def put(name: str, dims: tuple[str, ...], values: np.ndarray, units: str) -> None:
        ds[name] = (dims, values.astype(np.float32), {"units": units, "long_name": name})

    put("f", ("time", "phi_bin", "theta_bin", "energy_bin"), f, "s^3 m^-6")
    put("energy", ("time", "energy_bin"), energy, "eV")
    put("phi", ("phi_bin",), (np.arange(32) + 0.5) * 11.25, "deg")
    put("theta", ("theta_bin",), np.degrees(0.5 * (theta[1:] + theta[:-1])), "deg")
    put("solid_angle", ("theta_bin",), ring, "sr")
    return ds


def field() -> xr.Dataset:
    """Ten minutes of a field at 128 Hz."""
    t = np.arange(START, SPAN.stop, 7_812_500)
    b = np.stack([np.cos(t / 1e10), np.sin(t / 1e10), 0 * t + 1], 1).astype(np.float32) * 5
    about = {"units": "nT", "long_name": "B", "frame": "DBCS"}
    return xr.Dataset({"vector": (("time", "component"), b, about)},
                      {"time": t.astype("M8[ns]"), "component": ["x", "y", "z"]})  # fmt: skip


def graph() -> Graph:
    """A distribution, a field, and three products."""
    source = FileSource("none_{start:%Y%m%d}_v{version}.cdf", lambda *_: None)
    return Graph.of([Mission("bench", [
        raw("bench.vdf", VDF, source, granule="10min"),
        raw("bench.b", VectorSeries, source, granule="10min"),
        product("bench.moments", moments, vdf="bench.vdf"),
        product("bench.spectrum", energy_spectrum, vdf="bench.vdf"),
        product("bench.pad", pitch_angle_distribution, vdf="bench.vdf", b="bench.b"),
    ])])  # fmt: skip


def fill(folder: Path, vdf: xr.Dataset) -> None:
    """A store with the distributions and the field."""
    with Store.open(folder, create=True) as store:
        for name, datatype, ds in (("bench.vdf", VDF, vdf), ("bench.b", VectorSeries, field())):
            store.commit([granule_of(store, name, SPAN, ds, datatype)], "bench")


def asked(folder: Path, say: Callable[[str, float, float, int], None]) -> None:
    """Ask for each product twice."""
    with Store.open(folder) as store:
        place = Local(store, graph())
        place.infos()
        for name, variable in PRODUCTS.items():
            for what in ("warm", "cached"):
                wall, cpu = time.perf_counter(), time.process_time()
                _, block = place.read(f"bench.{name}", [variable, "energy"], SPAN)
                say(f"{name}, {what}", time.perf_counter() - wall, time.process_time() - cpu,
                    len(block))  # fmt: skip
        assert place.maker is not None
        place.maker.close()


def main() -> None:
    """Print JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--electrons", action="store_true", help="10 min of DES too (2 GB of memory)"
    )
    args = parser.parse_args()
    cases = [("800 DIS", 800, 150_000_000, PROTON_MASS, 300.0),
             ("10 min DIS", 4000, 150_000_000, PROTON_MASS, 300.0)]  # fmt: skip
    if args.electrons:
        cases.append(("10 min DES", 20_000, 30_000_000, ELECTRON_MASS, 60.0))
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "first"
        fill(first, distributions(20, 150_000_000, PROTON_MASS, 300.0))
        asked(first, lambda *_: None)  # compiles
        for words, records, step, mass, temperature in cases:
            folder = Path(scratch) / "store"
            fill(folder, distributions(records, step, mass, temperature))

            def say(what: str, wall: float, cpu: float, n: int, words: str = words) -> None:
                row = {"what": f"{words}: {what}", "ms": wall * 1e3, "cpu ms": cpu * 1e3, "n": n}
                print(json.dumps(row), flush=True)

            asked(folder, say)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
