"""Time of field kernels and recipes per sample: python benchmarks/fields.py [--repeats 20].

CPU nanoseconds per sample of one thread, the least of the repeats, beside the time that copying the
same input takes on the machine as it is now.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.kernels.tetrahedron import curls, reciprocal
from sciqlop_pipe.kernels.variance import covariances
from sciqlop_pipe.recipes.coordinates import in_frame
from sciqlop_pipe.recipes.curlometer import curlometer
from sciqlop_pipe.recipes.minimum_variance import minimum_variance

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


def least(call: Callable[[], object], repeats: int) -> float:
    """Least CPU nanoseconds per sample."""
    call()
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time_ns()
        call()
        best = min(best, time.process_time_ns() - begin)
    return float(best / SAMPLES)


def main() -> None:
    """Print the table; with --json also write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=20)
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
    rows = {
        "copy of one vector (24 B)": (one.copy, None),
        "copy of four vectors (96 B)": (four.copy, None),
        "minimum variance, kernel": (lambda: covariances(one, *whole), 65),
        "minimum variance, recipe (30 s every 10 s)": (lambda: minimum_variance(b[0]), 65),
        "curlometer, kernel": (lambda: curls(*values, when, knots, k), 1857),
        "curlometer, recipe": (lambda: curlometer(*b, *r), 5845),
        "GSE to GSM, recipe": (lambda: in_frame(b[0], frame="GSM"), 812),
        "GSE to SM, recipe": (lambda: in_frame(b[0], frame="SM"), 1520),
        "GSE to GEO, recipe": (lambda: in_frame(b[0], frame="GEO"), None),
    }
    found = {name: least(call, args.repeats) for name, (call, _) in rows.items()}
    print("| product | ns per sample | pyrfu (measured elsewhere) |\n|---|---|---|")
    for name, ns in found.items():
        print(f"| {name} | {ns:.1f} | {rows[name][1] or ''} |")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
