"""The table of particle products: this project beside its peers, in one run.

    python benchmarks/run.py [--records 1024] [--repeats 15] [--no-peers] [--write]

CPU microseconds per FPI distribution (64 KiB), one thread, least of the repeats, dataset in and
dataset out; how many times what it takes just to read f in the same run; wall time on two threads.
A product is one `Row`: add it to `rows`. A module of benchmarks/ named in `MORE` brings what it
measured itself: its `rows()` give name, microseconds and target.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import xarray as xr

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import peers  # noqa: E402
from kernels import burst, cost, machine, magnetic_field, total  # noqa: E402

from sciqlop_pipe.kernels.energies import geometric_edges  # noqa: E402
from sciqlop_pipe.recipes.fused import fused  # noqa: E402
from sciqlop_pipe.recipes.moment_errors import moment_errors  # noqa: E402
from sciqlop_pipe.recipes.moments import moments  # noqa: E402
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution  # noqa: E402
from sciqlop_pipe.recipes.reduced import reduced_1d  # noqa: E402
from sciqlop_pipe.recipes.spectra import energy_spectrum  # noqa: E402


def _analytic() -> ModuleType:
    """Load tests/analytic.py by its path: a peer may install a package of the name `tests`."""
    spec = importlib.util.spec_from_file_location("analytic", HERE.parent / "tests/analytic.py")
    assert spec and spec.loader
    module = sys.modules["analytic"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MORE = ("reduced",)
"""Modules of benchmarks/ that bring rows of their own."""

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


@dataclass(frozen=True)
class Row:
    """A product: what computes it of a distribution dataset, of how many records, and its goal."""

    name: str
    run: Callable[[xr.Dataset], object]
    target: float | None = None
    records: int = 1024


def rows(b: xr.Dataset) -> list[Row]:
    """What the issue asks for."""
    return [
        Row("moments", moments, 12),
        Row("moments, statistical errors", lambda ds: moment_errors(
            ds.assign(f_error=0.2 * ds["f"]) if "f_error" not in ds else ds), 20),
        Row("energy spectrum", energy_spectrum, 6),
        Row("pitch angles", lambda ds: pitch_angle_distribution(ds, b), 12),
        Row("moments + spectrum + pitch angles, fused", lambda ds: fused(ds, b), 25),
        Row("reduced, one axis", lambda ds: reduced_1d(ds, b), 150, 128),
    ]  # fmt: skip


def more_rows() -> list[tuple[str, float, float]]:
    """Name, CPU microseconds and target of what the other modules that exist have measured."""
    found: list[tuple[str, float, float]] = []
    for name in MORE:
        if importlib.util.find_spec(name) is not None:
            print(f"measuring benchmarks/{name}.py", file=sys.stderr)
            found += importlib.import_module(name).rows()
    return found


def scaling(run: Callable[[xr.Dataset], object], halves: tuple[xr.Dataset, xr.Dataset]) -> float:
    """Wall time of two halves one after the other over that on two threads, best of five."""
    one = two = np.inf
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, halves))
        for _ in range(5):
            start = time.perf_counter()
            for half in halves:
                run(half)
            one = min(one, time.perf_counter() - start)
            start = time.perf_counter()
            list(pool.map(run, halves))
            two = min(two, time.perf_counter() - start)
    return one / two


def accuracy() -> list[str]:
    """Lines: errors of n, V and T of a sheath plasma seen by an ideal FPI."""
    truths = _analytic()
    plasma = truths.BiMaxwellian(5, (-250, 80, 40), 400, 600, (3.0, -8.0, 15.0))
    lower, upper = truths.geometric(truths.FPI_2015)
    truth = plasma.truth(lower.min(), upper.max())
    thermal = 1e-3 * np.sqrt(2 * truths.E * truth.temperature / plasma.mass)
    ds = truths.vdf([plasma, plasma], truths.FPI_2015, nodes=4)
    ours = moments(ds).isel(time=0)
    found = {"sciqlop-pipe": (ours["density"].values, ours["velocity"].values,
                              ours["temperature_tensor"].values)}  # fmt: skip
    lines = ["| sheath ions, bin averages | n | V / thermal speed | T |", "|---|---|---|---|"]
    for name, (n, v, t) in found.items():
        off = (
            abs(n / truth.density - 1),
            np.linalg.norm(v - truth.velocity) / thermal,
            np.linalg.norm(t - truth.temperature_tensor) / np.linalg.norm(truth.temperature_tensor),
        )
        lines.append(f"| {name} | " + " | ".join(f"{float(x):.1e}" for x in off) + " |")
    return lines


def others(ds: xr.Dataset) -> dict[tuple[str, str], float]:
    """CPU microseconds per distribution of the peers' products."""
    lower, upper = geometric_edges(ds["energy"].values)
    found = {}
    for peer in peers.all_peers(ds, lower, upper):
        print(f"measuring {peer.product} of {peer.tool}", file=sys.stderr)
        try:
            found[peer.tool, peer.product] = cost(peer.run, peer.records, peer.repeats)
        except Exception as error:  # noqa: BLE001 - a peer's failure is not ours
            print(f"{peer.tool}: {peer.product} failed: {error}", file=sys.stderr)
    return found


def report(records: int, repeats: int, beside: bool) -> list[str]:
    """The lines of the report, Markdown."""
    about = machine()
    ds = burst(records)
    b = magnetic_field(ds)
    flat = ds["f"].values.reshape(-1)
    bound = cost(lambda: total(flat), records, repeats)
    ours: dict[Row, tuple[float, float]] = {}
    for row in rows(b):
        part = ds.isel(time=slice(0, min(records, row.records)))
        n = part.sizes["time"]
        if "errors" in row.name:
            part = part.assign(f_error=0.2 * part["f"])
        often = repeats if n > 200 else max(3, repeats // 3)
        print(f"measuring {row.name}", file=sys.stderr)
        us = cost(lambda row=row, part=part: row.run(part), n, often)
        halves = part.isel(time=slice(0, n // 2)), part.isel(time=slice(n // 2, None))
        ours[row] = us, scaling(row.run, halves)
    bound = min(bound, cost(lambda: total(flat), records, repeats))
    theirs = others(ds.isel(time=slice(0, min(records, 256)))) if beside else {}
    where = (
        f"{about['cpu']}, {about['cores']} cores, load {about['load']:.1f} at the start; Python "
        f"{about['python']}, numpy {about['numpy']}, numba {about['numba']}; {records} records."
    )
    lines = [
        where,
        f"Reading f alone: {bound:.1f} us per distribution (the memory bound).",
        "",
        "| product | us | target | x bound | two threads | pyrfu | pyspedas |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, (us, times) in ours.items():
        beaten = [theirs.get((tool, row.name)) for tool in ("pyrfu", "pyspedas")]
        cells = [row.name, f"{us:.1f}", "" if row.target is None else f"{row.target:.0f}",
                 f"{us / bound:.1f}", f"{times:.2f} x",
                 *("" if x is None else f"{x:,.0f}" for x in beaten)]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    for name, us, target in more_rows():
        lines.append(f"| {name} | {us:.1f} | {target:.0f} | {us / bound:.1f} | | | |")
    lines += ["", *accuracy()]
    if beside and (gone := peers.missing()):
        lines += ["", f"Not installed, so not measured: {', '.join(gone)} ({peers.ADVICE})."]
    return lines


def keep(lines: list[str]) -> None:
    """Replace what the last run wrote into RESULTS.md."""
    path = HERE / "RESULTS.md"
    text = path.read_text()
    block = "\n".join([BEGIN, *lines, END])
    if BEGIN in text:
        before, _, rest = text.partition(BEGIN)
        text = before + block + rest.partition(END)[2]
    else:
        text += "\n## Particle products beside their peers\n\n`make bench`\n\n" + block + "\n"
    path.write_text(text)


def main() -> None:
    """Measure and print; with --write also keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep it in benchmarks/RESULTS.md")
    args = parser.parse_args()
    lines = report(args.records, args.repeats, not args.no_peers)
    print("\n".join(lines))
    if args.write:
        keep(lines)


if __name__ == "__main__":
    main()
