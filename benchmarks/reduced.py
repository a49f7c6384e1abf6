"""CPU time of products on grids of velocity, for benchmarks/run.py: `rows()`.

python benchmarks/reduced.py prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kernels import burst, cost, magnetic_field
from sciqlop_pipe.interactive import Session
from sciqlop_pipe.recipes.cartesian import cartesian
from sciqlop_pipe.recipes.reduced import reduced_1d, reduced_2d
from sciqlop_pipe.recipes.slices import slices, slices_between


def rows(records: int = 128, repeats: int = 5) -> Iterator[tuple[str, float, float]]:
    """Yield name, CPU microseconds and target; per distribution, slices per plane of 100 x 100."""
    ds = burst(records)
    b = magnetic_field(ds)
    few, twenty = ds.isel(time=slice(0, 8)), ds.isel(time=slice(0, 20))

    yield "reduced along b, recipe", cost(lambda: reduced_1d(ds, b), records, repeats), 150.0
    planes = cost(lambda: reduced_2d(ds, b), records, repeats)
    yield "reduced, three planes, recipe", planes, 800.0
    yield "slice in bins, recipe", cost(lambda: slices(ds, b), 3 * records, repeats), 300.0
    between = cost(lambda: slices_between(ds, b), 3 * records, repeats)
    yield "slice interpolated, recipe", between, 500.0
    yield "cube of 64 cells, recipe", cost(lambda: cartesian(few, b), 8, repeats), 14000.0
    yield "20 distributions to three planes", cost(lambda: reduced_2d(twenty, b), 1, repeats), 4e4
    held = SimpleNamespace(read=lambda name, *ends: b if name == "b" else ds)
    session, at = Session(held, "vdf", "b"), twenty["time"].values  # type: ignore[arg-type]
    whole = cost(lambda: session.look(at[0], at[-1]), 1, repeats)
    yield "look at 20 distributions, without the store", whole, 4e4


if __name__ == "__main__":
    for name, us, target in rows():
        print(f"{name:50s}{us:10.1f}{target:10.0f}")
