"""How much memory a granule of distributions takes: what a mission declares, so that tasks fit."""

from __future__ import annotations

BYTES_A_BIN = 24
"""Of f and its error, float32, in the pieces of several files and then as one; measured with
`benchmarks/granule_memory.py`: 23.4 for 4,000 distributions of 16,384 bins in nine files. What is
made of them in blocks adds nothing to that peak."""


def of_distributions(count: int, bins: int) -> str:
    """Return the memory of a granule, as `raw(..., memory=...)` takes it.

    Parameters
    ----------
    count : int
        Distributions of a full granule.
    bins : int
        Directions times energies of one.
    """
    return f"{count * bins * BYTES_A_BIN / 1e6:.0f}MB"
