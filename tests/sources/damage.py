"""Files damaged at random, read like raw files: what came of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.sources.cdf import open_cdf

KINDS = ("cut", "flip", "header", "noise")


def damaged(data: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """Return bytes cut anywhere, with 1 to 8 flipped ones, or with a random header."""
    if kind == "cut":
        return data[: int(rng.integers(0, len(data)))]
    out = bytearray(data)
    if kind == "noise":
        return rng.bytes(int(rng.integers(1, 4096)))
    last = 600 if kind == "header" else len(data)
    for at in rng.integers(0, min(last, len(data)), int(rng.integers(1, 9))):
        out[at] ^= int(rng.integers(1, 256))
    return bytes(out)


def verdict(path: Path, truth: dict[str, np.ndarray]) -> str:
    """Return "refused", "equal" or "wrong": every value of every variable is compared."""
    try:
        with open_cdf(path) as cdf:
            found = {name: np.array(cdf.raw(name)) for name in cdf.names}
    except PipeError:
        return "refused"
    same = found.keys() == truth.keys() and all(
        found[n].dtype == truth[n].dtype and np.array_equal(found[n], truth[n], equal_nan=True)
        if truth[n].dtype.kind == "f" and found[n].dtype.kind == "f"
        else np.array_equal(found[n], truth[n])
        for n in truth
    )
    return "equal" if same else "wrong"
