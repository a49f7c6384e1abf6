"""Versions and machine: results agree exactly where they are equal."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Packages that take part in making numbers, or in carrying tasks and results.
NAMES = ("sciqlop-pipe", "numpy", "numba", "xarray", "zarr", "dask", "pycdfpp", "scikit-learn")


def versions() -> dict[str, str]:
    """Return the versions of Python and of every package that matters and is installed."""
    found = {"python": sys.version.split()[0]}
    for name in NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment() -> dict[str, str]:
    """Return versions, machine and processor."""
    return {**versions(), "machine": platform.machine(), "processor": _processor()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "")
