"""CPU time of the particle kernels per distribution, beside the time it takes just to read f.

    python benchmarks/kernels.py [--records 1024] [--repeats 15] [--json FILE]

One thread, CPU microseconds (minimum of repeats: the machine may be shared). An FPI distribution is
32 x 16 x 32 float32 = 64 KiB. "streamed" reads f from memory, "cached" keeps four distributions in
cache, "recipe" is the whole recipe, dataset in, dataset out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import xarray as xr
from numba import njit

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.kernels import FASTMATH
from sciqlop_pipe.kernels.energies import geometric_edges, speed_weights
from sciqlop_pipe.kernels.moments import velocity_sums, velocity_sums_of_grid
from sciqlop_pipe.kernels.pitch import PARTS, pitch_means_of_grid
from sciqlop_pipe.kernels.spectra import solid_angle_mean
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.moment_errors import moment_errors
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.rays import field_directions, rays
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from sciqlop_pipe.recipes.spectra import energy_spectrum
from sciqlop_pipe.recipes.vdf import directions, solid_angles

TARGETS = {
    "moments, kernel, streamed": 12.0,
    "spectrum, kernel, streamed": 6.0,
    "pitch angles, kernel, streamed": 12.0,
    "reduced along b, recipe": 150.0,
    "reduced, three planes, recipe": 800.0,
}


def burst(records: int, floor: float = 1e-7) -> xr.Dataset:
    """A sheath Maxwellian as FPI burst ions see it: azimuths spin, small f is 0."""
    energy = np.geomspace(10.6, 28300.0, 32)
    theta = np.radians(5.625 + 11.25 * np.arange(16))
    spin = 2.75 * np.arange(records) % 11.25
    phi = np.radians(5.625 + 11.25 * np.arange(32))
    speed = np.sqrt(2 * ELEMENTARY_CHARGE * energy / PROTON_MASS)
    u = np.stack(
        [np.outer(np.cos(phi), np.sin(theta)), np.outer(np.sin(phi), np.sin(theta)),
         np.outer(np.ones(32), np.cos(theta))], -1
    )  # fmt: skip
    w2 = ((u[..., None, :] * speed[:, None] - np.array([-250e3, 80e3, 40e3])) ** 2).sum(-1)
    thermal = 2 * ELEMENTARY_CHARGE * 500 / PROTON_MASS
    f = (5e6 / (np.pi * thermal) ** 1.5 * np.exp(-w2 / thermal)).astype(np.float32)
    f[f < floor * f.max()] = 0
    start = np.datetime64("2020-01-01", "ns")
    return xr.Dataset(
        {
            "f": (("time", "phi_bin", "theta_bin", "energy_bin"), np.repeat(f[None], records, 0)),
            "energy": ("energy_bin", energy),
            "phi": (("time", "phi_bin"), np.degrees(phi) + spin[:, None]),
            "theta": ("theta_bin", np.degrees(theta)),
            "solid_angle": ("theta_bin", np.sin(theta) * 2 * np.sin(np.pi / 32) * np.pi / 16),
            "phi_width": ((), 11.25),
            "theta_width": ((), 11.25),
        },
        {"time": start + np.arange(records) * np.timedelta64(150, "ms")},
        {"species": "H+", "mass": PROTON_MASS, "charge": 1.0, "energy_kind": "energy",
         "frame": "DBCS"},
    )  # fmt: skip


def magnetic_field(ds: xr.Dataset) -> xr.Dataset:
    """A turning field at 128 Hz around all records."""
    reach = np.timedelta64(1, "s")
    step = np.timedelta64(7812500, "ns")
    at = np.arange(ds["time"].values[0] - reach, ds["time"].values[-1] + reach, step)
    turn = np.linspace(0, 6, at.size)
    b = np.stack([3 * np.cos(turn), -8 * np.sin(turn), 15 + 0 * turn], axis=1)
    return xr.Dataset(
        {"vector": (("time", "component"), b, {"units": "nT", "frame": "DBCS"})}, {"time": at}
    )


@njit(nogil=True, fastmath=FASTMATH)
def total(a):
    """Read everything once: the bound no kernel can beat."""
    s = np.float32(0)
    for i in range(a.size):
        s += a[i]
    return s


def cost(run: Callable[[], object], distributions: int, repeats: int) -> float:
    """Least CPU time of this thread [us per distribution], after a first call that compiles."""
    run()
    least = np.inf
    for _ in range(repeats):
        start = time.thread_time()
        run()
        least = min(least, time.thread_time() - start)
    return 1e6 * least / distributions


def measure(records: int, repeats: int) -> dict[str, float]:
    """CPU microseconds per distribution of everything there is."""
    ds = burst(records)
    f = ds["f"].values.reshape(records, 512, 32)
    sky = solid_angles(ds)
    lower, upper = geometric_edges(ds["energy"].values[None])
    table = np.zeros(records, np.int64)
    weights, share = speed_weights(
        lower, upper, np.zeros(1), np.ones(lower.shape, bool), PROTON_MASS
    )
    look = directions(ds)
    azimuth, polar = look.azimuth[..., 0, 0], look.polar[:, :, 0, :, 0]
    fixed = look.weights(slice(0, 1))
    volts = xr.Dataset({"value": ("time", 5 + np.sin(np.arange(records)))}, {"time": ds["time"]})
    holes = f.copy()
    holes[:, ::2, 7] = np.nan
    four = slice(0, 4)
    b = magnetic_field(ds)
    along = field_directions(b, ds["time"].values, "150ms", "2s")
    ((_, looks),) = rays(ds, PARTS)
    bulk = moments(ds)
    few = ds.isel(time=slice(0, min(records, 128)))
    with_errors = few.assign(f_error=0.2 * few["f"])

    def grid(f: np.ndarray, at: slice) -> Callable[[], object]:
        return lambda: velocity_sums_of_grid(f[at], table[at], weights, share, azimuth[at], polar)

    def steady(f: np.ndarray, at: slice) -> Callable[[], object]:
        return lambda: velocity_sums(f[at], table[at], weights, share, fixed)

    def omni(f: np.ndarray, at: slice) -> Callable[[], object]:
        return lambda: solid_angle_mean(f[at], sky)

    mean = np.empty((records, 18, 32), np.float32)
    coverage = np.empty_like(mean)

    def pitch(f: np.ndarray, at: slice) -> Callable[[], object]:
        known = *looks.geometry(at), looks.weights(at), mean[at], coverage[at]
        return lambda: pitch_means_of_grid(f[at], along[at], *known)

    every, often = slice(None), 20 * repeats
    flat = f.reshape(-1)
    rows = {
        "reading f (memory bound)": cost(lambda: total(flat), records, repeats),
        "moments, kernel, streamed": cost(grid(f, every), records, repeats),
        "moments, kernel, cached": cost(grid(f, four), 4, often),
        "moments, kernel, streamed, steady list": cost(steady(f, every), records, repeats),
        "moments, kernel, cached, steady list": cost(steady(f, four), 4, often),
        "moments, kernel, streamed, half of the rows with NaN": cost(
            grid(holes, every), records, repeats
        ),
        "moments, recipe": cost(lambda: moments(ds), records, repeats),
        "moments, recipe, with a potential": cost(lambda: moments(ds, volts), records, repeats),
        "errors of moments, recipe": cost(
            lambda: moment_errors(with_errors), few.sizes["time"], repeats
        ),
        "spectrum, kernel, streamed": cost(omni(f, every), records, repeats),
        "spectrum, kernel, cached": cost(omni(f, four), 4, often),
        "spectrum, kernel, streamed, with NaN": cost(omni(holes, every), records, repeats),
        "spectrum, recipe": cost(lambda: energy_spectrum(ds), records, repeats),
        "pitch angles, kernel, streamed": cost(pitch(f, every), records, repeats),
        "pitch angles, kernel, cached": cost(pitch(f, four), 4, often),
        "pitch angles, kernel, streamed, with NaN": cost(pitch(holes, every), records, repeats),
        "pitch angles, recipe": cost(lambda: pitch_angle_distribution(ds, b), records, repeats),
        "field-aligned moments, recipe": cost(lambda: field_aligned(bulk, b), records, repeats),
        "reduced along b, recipe": cost(lambda: reduced_1d(few, b), few.sizes["time"], repeats),
        "reduced, three planes, recipe": cost(
            lambda: reduced_2d(few, b), few.sizes["time"], max(2, repeats // 5)
        ),
    }
    rows["reading f again"] = cost(lambda: total(flat), records, repeats)
    return rows


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ] if Path("/proc/cpuinfo").exists() else [platform.processor()]  # fmt: skip
    return {
        "cpu": names[0],
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def main() -> None:
    """Measure, print a table, then the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the numbers there")
    args = parser.parse_args()
    before = machine()
    rows = measure(args.records, args.repeats)
    bound = min(rows["reading f (memory bound)"], rows["reading f again"])
    print(f"{'CPU us per distribution of 64 KiB':56s}{'us':>8s}{'x bound':>9s}{'target':>8s}")
    for name, us in rows.items():
        target = f"{TARGETS[name]:8.0f}" if name in TARGETS else ""
        print(f"{name:56s}{us:8.2f}{us / bound:9.2f}{target}")
    found = {"machine": before | {"load after": os.getloadavg()[0]}, "us": rows, "targets": TARGETS}
    text = json.dumps(found, indent=2)
    if args.json:
        args.json.write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
