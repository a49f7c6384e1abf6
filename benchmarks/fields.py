"""Time of field kernels and recipes per sample: python benchmarks/fields.py [--repeats 20].

CPU nanoseconds per sample (all threads of a peer together), the least of the repeats, as a multiple
of what copying the same input (float64) takes on the machine as it is now, and beside the peers
where they are installed: pip install "sciqlop-pipe[peers]".
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.kernels.tetrahedron import curls, reciprocal
from sciqlop_pipe.kernels.variance import covariances
from sciqlop_pipe.recipes.coordinates import in_frame
from sciqlop_pipe.recipes.curlometer import curlometer
from sciqlop_pipe.recipes.minimum_variance import minimum_variance, variance_of
from sciqlop_pipe.recipes.polarization import wave_polarization

SAMPLES = 76_800  # ten minutes of 128 Hz


def series(seed: int, units: str, name: str = "vector") -> xr.Dataset:
    """Ten minutes of a noisy vector at 128 Hz."""
    start = np.datetime64("2016-12-09T09:00", "ns")
    when = start + (np.arange(SAMPLES) * 7_812_500).astype("timedelta64[ns]")
    values = np.random.default_rng(seed).normal(size=(SAMPLES, 3)).astype(np.float32)
    attrs = {"units": units, "long_name": "B (GSE)", "frame": "GSE"}
    return xr.Dataset({name: (("time", "component"), values, attrs)},
                      {"time": when, "component": ["x", "y", "z"]})  # fmt: skip


def places(offset: np.ndarray) -> xr.Dataset:
    """A position every 30 s around the ten minutes."""
    when = np.datetime64("2016-12-09T08:59:30", "ns") + np.arange(23) * np.timedelta64(30, "s")
    values = np.tile(np.array([7e4, 2e4, 2e3]) + offset, (23, 1))
    attrs = {"units": "km", "long_name": "r", "frame": "GSE"}
    return xr.Dataset({"position": (("time", "component"), values, attrs)},
                      {"time": when, "component": ["x", "y", "z"]})  # fmt: skip


def least(call: Callable[[], object], repeats: int, samples: int = SAMPLES) -> float:
    """Least CPU nanoseconds per sample."""
    call()
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time_ns()
        call()
        best = min(best, time.process_time_ns() - begin)
    return float(best / samples)


def of_pyrfu(b: list[xr.Dataset], r: list[xr.Dataset], steady: xr.Dataset) -> dict[str, float]:
    """Nanoseconds per sample of pyrfu by the name of our row, all samples."""
    from pyrfu import pyrf

    fields = [pyrf.ts_vec_xyz(x["time"].values, x["vector"].values.astype(float)) for x in b]
    at = [pyrf.ts_vec_xyz(x["time"].values, x["position"].values) for x in r]
    along = pyrf.ts_vec_xyz(steady["time"].values, steady["vector"].values)
    calls = {
        "minimum variance of one interval": lambda: pyrf.mva(fields[0]),
        "curlometer, recipe": lambda: pyrf.c_4_j(at, fields),
        "GSE to GSM, recipe": lambda: pyrf.cotrans(fields[0], "gse>gsm"),
        "GSE to SM, recipe": lambda: pyrf.cotrans(fields[0], "gse>sm"),
        "GSE to GEO, recipe": lambda: pyrf.cotrans(fields[0], "gse>geo"),
        "wave polarization, recipe": lambda: pyrf.ebsp(
            None, fields[0], along, along, None, [1.0, 60.0], polarization=True),
    }  # fmt: skip
    return {name: least(call, 2) for name, call in calls.items()}


def of_pyspedas(b: list[xr.Dataset], r: list[xr.Dataset]) -> dict[str, float]:
    """Nanoseconds per sample of pyspedas, which loops in Python: of the first 4096 samples."""
    from pyspedas.analysis.lingradest import lingradest
    from pyspedas.analysis.twavpol import wavpol
    from pyspedas.cotrans_tools.cotrans_lib import subcotrans
    from pyspedas.cotrans_tools.minvar import minvar

    few = 4096
    v = [x["vector"].values[:few].astype(float) for x in b]
    seconds = b[0]["time"].values[:few].astype(np.int64) * 1e-9
    at = [np.tile(x["position"].values[0], (few, 1)) for x in r]
    nine = [x[:, k] for k in range(3) for x in v]

    def turned(frame: str) -> Callable[[], object]:
        return lambda: subcotrans(seconds, v[0], "GSE", frame, quiet=True)

    calls = {
        "minimum variance of one interval": lambda: minvar(v[0]),
        "curlometer, recipe": lambda: lingradest(*nine, *at),
        "GSE to GSM, recipe": turned("GSM"),
        "GSE to SM, recipe": turned("SM"),
        "GSE to GEO, recipe": turned("GEO"),
        "wave polarization, recipe": lambda: wavpol(seconds, *v[0].T, nopfft=256, steplength=128),
    }
    return {name: least(call, 1, few) for name, call in calls.items()}


def of_spacepy(b: list[xr.Dataset]) -> dict[str, float]:
    """Nanoseconds per sample of spacepy, which loops in Python: of the first 4096 samples."""
    from spacepy.coordinates import Coords
    from spacepy.time import Ticktock

    few = 4096
    v = b[0]["vector"].values[:few].astype(float)
    ticks = Ticktock(b[0]["time"].values[:few].astype("datetime64[us]").astype(object), "UTC")
    given = Coords(v, "GSE", "car", ticks=ticks, use_irbem=False)

    def turned(frame: str) -> Callable[[], object]:
        return lambda: given.convert(frame, "car")

    return {f"GSE to {f}, recipe": least(turned(f), 1, few) for f in ("GSM", "SM", "GEO")}


def of_peers(b: list[xr.Dataset], r: list[xr.Dataset], steady: xr.Dataset) -> dict[str, dict]:
    """Nanoseconds per sample of each peer that is installed."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    found = {}
    if importlib.util.find_spec("pyrfu"):
        found["pyrfu"] = of_pyrfu(b, r, steady)
    if importlib.util.find_spec("pyspedas"):
        found["pyspedas"] = of_pyspedas(b, r)
    if importlib.util.find_spec("spacepy"):
        found["spacepy"] = of_spacepy(b)
    return found


def main() -> None:
    """Print the table; with --json also write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    b = [series(k, "nT") for k in range(4)]
    corners = 4 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
    r = [places(c) for c in corners]
    values = [np.ascontiguousarray(x["vector"].values, np.float64) for x in b]
    when = b[0]["time"].values.astype(np.int64)
    knots, k = np.array([when[0] - 1, when[-1] + 1]), np.empty((2, 4, 3))
    for one in k:
        reciprocal(corners, one)
    whole = np.array([0]), np.array([SAMPLES])
    one, four = values[0], np.concatenate(values, axis=1)
    steady = b[0].assign(vector=b[0]["vector"].astype(float) * 0 + [3.0, -8.0, 15.0])
    steady["vector"].attrs.update(b[0]["vector"].attrs)
    rows = {
        "copy of one vector (24 B)": one.copy,
        "copy of four vectors (96 B)": four.copy,
        "minimum variance, kernel": lambda: covariances(one, *whole),
        "minimum variance of one interval": lambda: variance_of(one),
        "minimum variance, recipe (30 s every 10 s)": lambda: minimum_variance(b[0]),
        "curlometer, kernel": lambda: curls(*values, when, knots, k),
        "curlometer, recipe": lambda: curlometer(*b, *r),
        "GSE to GSM, recipe": lambda: in_frame(b[0], frame="GSM"),
        "GSE to SM, recipe": lambda: in_frame(b[0], frame="SM"),
        "GSE to GEO, recipe": lambda: in_frame(b[0], frame="GEO"),
        "wave polarization, recipe": lambda: wave_polarization(b[0], steady),
    }
    found = {name: least(call, args.repeats) for name, call in rows.items()}
    beside = {} if args.no_peers else of_peers(b, r, steady)
    print("| product | ns per sample | x copy |" + "".join(f" {tool} |" for tool in beside))
    print("|---|---|---|" + "---|" * len(beside))
    copies = [found[name] for name in list(rows)[:2]]
    for name, ns in found.items():
        theirs = (times.get(name) for times in beside.values())
        cells = "".join(f" {x:.0f} |" if x else "  |" for x in theirs)
        copy = copies[name.startswith(("curlometer", "copy of four"))]
        print(f"| {name} | {ns:.1f} | {ns / copy:.1f} |{cells}")
    for tool in ("pyrfu", "pyspedas", "spacepy"):
        if not args.no_peers and tool not in beside:
            print(f'\n{tool} is not installed, so not measured: pip install "sciqlop-pipe[peers]"')
    if args.json:
        args.json.write_text(json.dumps({"sciqlop-pipe": found, **beside}, indent=1))


if __name__ == "__main__":
    main()
